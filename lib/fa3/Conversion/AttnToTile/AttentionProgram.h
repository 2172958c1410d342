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

  /// Adds a workspace tensor that has another one's rows as columns, as
  /// products of 8 bits take them: (batch, heads, head dim, rows), rows a
  /// multiple of 16 that is at least `seqlen`.
  void addColumns(llvm::StringRef name, llvm::StringRef heads,
                  llvm::StringRef seqlen, mlir::Type elementType);
  /// Adds such a tensor of the values of `forward`, which is empty where they
  /// have another source.
  void addValueColumns(attn::ForwardOp forward);
  /// Copies rows [row, row + count) of a head's matrix there, each 16 of them
  /// in the order of tile.interleave or, if `paired`, tile.pair_rows.
  void copyColumns(llvm::StringRef from, llvm::StringRef to, mlir::Value batch,
                   mlir::Value row, mlir::Value head, int64_t count,
                   bool paired);
  static constexpr llvm::StringLiteral kValueColumns = "v_columns";
  /// The largest power of two of f8E4M3FN: what probabilities are multiplied by
  /// at most.
  static constexpr int64_t kLargestPower = 8;

  /// Reads a factor of a batch and key head as a tile of one element.
  mlir::Value loadFactor(llvm::StringRef name, mlir::Value batch,
                         mlir::Value keyHead);

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
