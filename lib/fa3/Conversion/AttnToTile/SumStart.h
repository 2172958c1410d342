//===- SumStart.h - What sums of dq start with ------------------*- C++ -*-===//

#ifndef FA3_CONVERSION_ATTNTOTILE_SUMSTART_H
#define FA3_CONVERSION_ATTNTOTILE_SUMSTART_H

#include "fa3/Attn/AttnOps.h"

namespace fa3 {

/// What the first tile that comes to a place in memory finds there.
enum class SumStart {
  /// Zeros, which a kernel in front has written.
  cleared,
  /// Nothing: it is stored, and the others are added.
  stored
};

/// What the kernels of a package start with, as `store_first` says: one of
/// them, or both, and the number of queries decides.
llvm::SmallVector<SumStart> getSumStarts(attn::BackwardOp backward);

/// The launch condition of kernels with this start: null if there is no other.
mlir::Attribute getLaunchCondition(attn::BackwardOp backward, SumStart start);

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_SUMSTART_H
