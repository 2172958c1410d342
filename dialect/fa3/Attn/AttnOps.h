//===- AttnOps.h - Operations of the attn dialect ---------------*- C++ -*-===//

#ifndef FA3_ATTN_ATTNOPS_H
#define FA3_ATTN_ATTNOPS_H

#include "fa3/Attn/AttnDialect.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace fa3::attn {

/// An operand or result of an attention operation: (batch, seqlen, heads, head
/// dim), or a statistic of rows, (batch, heads, seqlen).
struct AttentionTensor {
  llvm::StringRef name;
  mlir::RankedTensorType type;
  /// Whether its rows are keys, not queries.
  bool ofKeys;

  bool isStatistic() const { return type.getRank() == 3; }
  int64_t batch() const { return type.getDimSize(0); }
  int64_t seqlen() const { return type.getDimSize(isStatistic() ? 2 : 1); }
  int64_t heads() const { return type.getDimSize(isStatistic() ? 1 : 2); }
  int64_t headDim() const { return type.getDimSize(3); }
};

} // namespace fa3::attn

#include "fa3/Attn/AttnInterfaces.h.inc"

#define GET_OP_CLASSES
#include "fa3/Attn/AttnOps.h.inc"

#endif // FA3_ATTN_ATTNOPS_H
