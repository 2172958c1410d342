//===- AttnOps.h - Operations of the attn dialect ---------------*- C++ -*-===//

#ifndef FA3_ATTN_ATTNOPS_H
#define FA3_ATTN_ATTNOPS_H

#include "fa3/Attn/AttnDialect.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace fa3::attn {

/// An operand or result of a spec's operation.
struct SpecTensor {
  llvm::StringRef name;
  mlir::RankedTensorType type;
  /// What its dimensions are, such as "batch" or "seqlen_q". Dimensions of one
  /// name have one size.
  llvm::ArrayRef<llvm::StringLiteral> dims;

  /// The dimension of this name, if the tensor has it.
  std::optional<int64_t> find(llvm::StringRef dim) const;
  /// Whether it has rows along the head dim, or columns.
  bool isMatrix() const { return find("head_dim").has_value(); }
};

} // namespace fa3::attn

#include "fa3/Attn/AttnInterfaces.h.inc"

#define GET_OP_CLASSES
#include "fa3/Attn/AttnOps.h.inc"

#endif // FA3_ATTN_ATTNOPS_H
