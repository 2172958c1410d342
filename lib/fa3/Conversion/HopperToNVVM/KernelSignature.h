//===- KernelSignature.h - Parameters of a kernel ---------------*- C++ -*-===//
//
// What a tile.kernel's arguments become in the compiled kernel, and how the
// runtime computes each parameter and the grid: the kernel's part of a
// package's manifest, as attributes.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_HOPPERTONVVM_KERNELSIGNATURE_H
#define FA3_CONVERSION_HOPPERTONVVM_KERNELSIGNATURE_H

#include "fa3/Hopper/HopperOps.h"

namespace fa3 {

/// The values that stand for a memref argument in the lowered kernel.
struct MemRefParameters {
  mlir::Value pointer;
  /// i32 values; null for a static dimension.
  llvm::SmallVector<mlir::Value> sizes;
  /// i64 values, in elements, of every dimension but the last.
  llvm::SmallVector<mlir::Value> strides;
};

/// Arguments of the kernel by what they have become.
struct LoweredArguments {
  llvm::DenseMap<mlir::Value, MemRefParameters> memrefs;
  llvm::DenseMap<mlir::Value, mlir::Value> tensorMaps;
};

struct KernelSignature {
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<mlir::DictionaryAttr> argAttrs;
  /// One dictionary for each parameter, in order: the manifest's "params".
  llvm::SmallVector<mlir::Attribute> params;
  /// One dictionary for each memref argument: the manifest's "tensors".
  llvm::SmallVector<mlir::Attribute> tensors;

  /// The signature of `kernel`; emits an error if it cannot have one.
  static mlir::FailureOr<KernelSignature> get(tile::KernelOp kernel);
};

/// Translates a pure integer expression over sizes of kernel arguments into the
/// manifest's form: an integer, a symbol's name, or {op, args}. Emits an error
/// at the first operation that has no such form.
mlir::FailureOr<mlir::Attribute> getManifestExpression(mlir::Value value);

} // namespace fa3

#endif // FA3_CONVERSION_HOPPERTONVVM_KERNELSIGNATURE_H
