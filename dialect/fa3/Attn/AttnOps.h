//===- AttnOps.h - Operations of the attn dialect ---------------*- C++ -*-===//

#ifndef FA3_ATTN_ATTNOPS_H
#define FA3_ATTN_ATTNOPS_H

#include "fa3/Attn/AttnDialect.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace fa3::attn {

/// What the dimensions of a tensor are.
enum class AttentionLayout {
  /// (batch, seqlen, heads, head dim)
  rows,
  /// (batch, heads, head dim, keys): `values_interleaved`.
  interleaved,
  /// (batch, heads, seqlen): a statistic of rows.
  statistic,
  /// (batch, heads): a factor.
  factor,
};

/// An operand or result of an attention operation.
struct AttentionTensor {
  llvm::StringRef name;
  mlir::RankedTensorType type;
  /// Whether its rows are keys, not queries.
  bool ofKeys;
  AttentionLayout layout = AttentionLayout::rows;

  bool isMatrix() const {
    return layout == AttentionLayout::rows ||
           layout == AttentionLayout::interleaved;
  }
  int64_t batch() const { return type.getDimSize(0); }
  /// Dynamic where the tensor does not have it.
  int64_t seqlen() const;
  int64_t heads() const {
    return type.getDimSize(layout == AttentionLayout::rows ? 2 : 1);
  }
  int64_t headDim() const {
    return type.getDimSize(layout == AttentionLayout::rows ? 3 : 2);
  }
};

} // namespace fa3::attn

#include "fa3/Attn/AttnInterfaces.h.inc"

#define GET_OP_CLASSES
#include "fa3/Attn/AttnOps.h.inc"

#endif // FA3_ATTN_ATTNOPS_H
