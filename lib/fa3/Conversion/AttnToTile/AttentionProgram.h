//===- AttentionProgram.h - What programs of attention share ----*- C++ -*-===//

#ifndef FA3_CONVERSION_ATTNTOTILE_ATTENTIONPROGRAM_H
#define FA3_CONVERSION_ATTNTOTILE_ATTENTIONPROGRAM_H

#include "ProgramBuilder.h"

namespace fa3 {

/// Writes one kernel of an attention operation.
class AttentionProgram : public ProgramBuilder {
protected:
  AttentionProgram(mlir::OpBuilder &builder,
                   attn::AttentionOpInterface attention,
                   tile::ScheduleAttr schedule);

  void addConstraints() override;
  void describe(mlir::NamedAttrList &problem) override;

  /// Adds the workspace's values as products of 8 bits take them: (batch,
  /// heads_kv, head dim, keys), each 16 keys in the order of tile.interleave.
  void addValueColumns();
  static constexpr llvm::StringLiteral kValueColumns = "v_columns";

  /// Rounds a tile of f32 to the type of the attention operation's output.
  mlir::Value round(mlir::Value tile);
  /// The block of `rows` queries that a CTA owns, in a grid of all of them.
  struct QueryBlock {
    mlir::Value batch, head, keyHead, row0;
  };
  QueryBlock queryBlock();
  /// How many query heads share a key head.
  mlir::Value groupSize();

  attn::AttentionOpInterface attention;
  /// The type of queries, keys and values.
  mlir::Type element;
  /// The 16-bit type of the output.
  mlir::Type outputElement;
  int64_t rows, cols;
  double scale;
  /// What scores are multiplied by in front of exp2.
  double exponentScale;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_ATTENTIONPROGRAM_H
