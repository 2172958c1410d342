//===- SizeExpressions.h - Sizes known when a kernel is launched *- C++ -*-===//
//
// A package computes grids, sizes and offsets from the sizes of the caller's
// tensors. As attributes such an expression is an integer, a symbol's name, or
// {op, args}: what the manifest spells in JSON.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_ANALYSIS_SIZEEXPRESSIONS_H
#define FA3_ANALYSIS_SIZEEXPRESSIONS_H

#include "mlir/IR/BuiltinAttributes.h"

namespace fa3 {

/// `op` ("add", "sub", "mul", "div", "ceildiv", "rem", "min" or "max") of two
/// sizes.
mlir::Attribute combineSizes(mlir::MLIRContext *context, llvm::StringRef op,
                             mlir::Attribute lhs, mlir::Attribute rhs);

/// Positive where a size is at most `limit`, or where it is more; 0 elsewhere.
mlir::Attribute atMost(mlir::MLIRContext *context, mlir::Attribute size,
                       int64_t limit);
mlir::Attribute moreThan(mlir::MLIRContext *context, mlir::Attribute size,
                         int64_t limit);

/// The product of sizes.
mlir::Attribute multiplySizes(mlir::MLIRContext *context,
                              llvm::ArrayRef<mlir::Attribute> factors);

/// The least multiple of `alignment` that is not less than `size`.
mlir::Attribute alignSize(mlir::MLIRContext *context, mlir::Attribute size,
                          int64_t alignment);

} // namespace fa3

#endif // FA3_ANALYSIS_SIZEEXPRESSIONS_H
