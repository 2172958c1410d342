//===- QuantizeProgram.h - What the kernels of a quantization share -------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAM_H
#define FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAM_H

#include "ProgramBuilder.h"

#include "fa3/Analysis/ScheduleFields.h"

namespace fa3 {

/// A kernel of attn.quantize. Their schedules are fixed: they move data.
class QuantizeProgram : public ProgramBuilder {
protected:
  /// Rows of a tile.
  static constexpr int64_t kRows = 64;
  /// CTAs that share a group's rows in the search for its maximum.
  static constexpr int64_t kShares = 32;

  QuantizeProgram(mlir::OpBuilder &builder, attn::QuantizeOp quantize,
                  const ScheduleFields &fields);
  /// One warpgroup that loads and computes.
  static ScheduleFields getFields();

  void addConstraints() override;
  void describe(mlir::NamedAttrList &problem) override;

  /// row_maxima: kRows maxima for each share of a group.
  void addRowMaxima();
  static constexpr int64_t kMaxima = kShares * kRows;

  /// What loadMatrix needs, to be written in front of loops.
  void prepare();
  /// The kRows rows from `row` on of what is quantized, in f32: tiles of
  /// equally many columns, where the last one may have zeros beyond the head
  /// dim.
  llvm::SmallVector<mlir::Value> loadMatrix(mlir::Value batch, mlir::Value row,
                                            mlir::Value head);

  /// The larger of `maxima` and of the magnitudes in each row of pieces.
  mlir::Value largest(mlir::Value maxima, llvm::ArrayRef<mlir::Value> pieces);
  /// The factor of elements of this largest magnitude, for each of a tile's.
  mlir::Value descaleOf(mlir::Value maximum);

  attn::QuantizeOp quantize;

private:
  /// The largest power of two that divides the head dim.
  int64_t blockSize() { return columns & -columns; }

  /// A Hadamard matrix of kRows rows and columns without its scaling, or, where
  /// blocks are smaller, several along the diagonal.
  mlir::Value hadamard;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAM_H
