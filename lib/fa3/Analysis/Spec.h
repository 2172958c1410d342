//===- Spec.h - Functions that specify a package ---------------*- C++ -*-===//

#ifndef FA3_ANALYSIS_SPEC_H
#define FA3_ANALYSIS_SPEC_H

#include "fa3/Attn/AttnOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace fa3 {

/// Returns the operation of a spec, a null operation if `function` contains
/// none, or failure, with an error at the operation that is to blame, if it
/// contains one but is not a spec: a spec passes its arguments to one operation
/// of the attn dialect and returns that operation's results.
mlir::FailureOr<attn::SpecOpInterface> getSpec(mlir::func::FuncOp function);

/// Whether the size of a spec's dimension is at most `limit`, of a schedule:
/// nothing if that is known at launch only. Nothing is at most 0, everything at
/// most `kNoLimit`.
std::optional<bool> isAtMost(attn::SpecOpInterface spec, llvm::StringRef dim,
                             int64_t limit);

} // namespace fa3

#endif // FA3_ANALYSIS_SPEC_H
