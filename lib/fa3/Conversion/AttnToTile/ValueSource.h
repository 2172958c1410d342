//===- ValueSource.h - Where the forward pass has values from ---*- C++ -*-===//
//
// Products of 8 bits take values as columns. The schedule says up to how many
// keys the forward kernel transposes them itself; where the number of keys is
// not known before a launch, a package has kernels for both.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_VALUESOURCE_H
#define FA3_CONVERSION_ATTNTOTILE_VALUESOURCE_H

#include "fa3/Attn/AttnOps.h"

namespace fa3 {

enum class ValueSource {
  /// The caller's tensor, by rows: products take them so, or they are
  /// transposed in shared memory.
  rows,
  /// The caller's tensor, which has them as columns.
  columns,
  /// Columns that a kernel in front writes to the workspace.
  workspace,
};

/// What the programs of `forward`, which has a schedule, have values from: each
/// one where its launch condition holds.
llvm::SmallVector<ValueSource> getValueSources(attn::ForwardOp forward);

/// An expression of sizes that is 0 where values have another source; null if
/// there is no other.
mlir::Attribute getLaunchCondition(attn::ForwardOp forward, ValueSource source);

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_VALUESOURCE_H
