//===- GradientProgram.h - What the kernels of a backward pass share ------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H
#define FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H

#include "AttentionProgram.h"
#include "SumStart.h"

#include "fa3/Analysis/ScheduleFields.h"

#include <cmath>

namespace fa3 {

/// Queries whose statistics one CTA computes; the workspace holds whole blocks
/// of them.
inline constexpr int64_t kStatisticsRows = 128;

/// A kernel of attn.backward. Its schedule may be another one than that of the
/// operation, which is the schedule of the kernel that computes dk and dv.
class GradientProgram : public AttentionProgram {
protected:
  GradientProgram(mlir::OpBuilder &builder, attn::BackwardOp backward,
                  const ScheduleFields &fields,
                  SumStart start = SumStart::cleared);

  mlir::Attribute launchCondition() override {
    return getLaunchCondition(backward, start);
  }

  /// Whether dq is summed up in the workspace.
  bool hasAccumulator() { return backward.sumsDq(mainSchedule); }
  /// neg_lse, -lse * log2(e), and neg_sum, dlse - rowsum(o * do): negative, so
  /// that using each of them is one multiply-add or addition.
  void addRowStatistics();
  /// dq_acc: a packed tile of unscaled f32 sums for each block of queries.
  /// Where first tiles are stored also dq_begun, which says where there are
  /// sums.
  void addAccumulator();
  bool storesFirst() const { return start == SumStart::stored; }
  /// The tile that dq_acc holds.
  mlir::VectorType getAccumulatorTile();
  /// p = exp(scale * s - lse), from scores and neg_lse: 2^lift times that.
  mlir::Value probabilities(mlir::Value scores, mlir::Value negLse);
  /// ds = p * (dp - rowsum(o * do) + dlse), from neg_sum: times ds_scale, if
  /// there is one.
  mlir::Value scoreGradient(mlir::Value p, mlir::Value dp, mlir::Value negSum);

  //===--- 8 bits ---------------------------------------------------------===//

  /// A number, times a tile of one element unless that is null.
  struct Factor {
    double number = 1;
    mlir::Value tile;
  };
  /// The key head of a query head, in a kernel that has factors.
  mlir::Value keyHeadOf(mlir::Value head);
  /// Adds those of these factors of heads that the operation has.
  void addFactors(llvm::ArrayRef<llvm::StringRef> names);
  /// `number` times the factors of these names, divided by those of `divisors`,
  /// as far as the operation has them.
  Factor loadFactors(double number, llvm::ArrayRef<llvm::StringRef> names,
                     llvm::ArrayRef<llvm::StringRef> divisors,
                     mlir::Value batch, mlir::Value keyHead);
  mlir::Value broadcast(const Factor &factor, mlir::VectorType type);
  using ProgramBuilder::broadcast;
  mlir::Value times(mlir::Value tile, const Factor &factor);
  /// The factors of scores and of dp.
  void addScoreFactors();
  void loadScoreFactors(mlir::Value batch, mlir::Value keyHead);

  /// In 8 bits, products with dS read queries and keys in a form of their own,
  /// from the workspace: as columns or, where dS keeps 16 bits, in those.
  void addDsOperand(llvm::StringRef name);
  void storeDsOperand(llvm::StringRef name, mlir::Value batch, mlir::Value row,
                      mlir::Value head, int64_t count, bool paired);
  mlir::Value loadDsOperand(llvm::StringRef name, mlir::Value batch,
                            mlir::Value row, mlir::Value head, int64_t count);
  mlir::Value loadColumns(llvm::StringRef name, mlir::Value batch,
                          mlir::Value row, mlir::Value head, int64_t count);
  /// Orders in which columns are stored follow how products contract them:
  /// along the columns of scores' tiles, or along their rows.
  bool pairsQueries() { return !mainSchedule.getTransposeS(); }
  bool pairsKeys() { return mainSchedule.getTransposeS() && hasAccumulator(); }
  /// The dimension that a product contracts of an operand, queries or keys.
  static int64_t contractedDim(mlir::Value operand);
  /// A tile like the scores as an operand that is contracted along `dim`.
  mlir::Value narrowed(mlir::Value tile, int64_t dim);
  /// The same for dS, which may keep 16 bits.
  mlir::Value narrowedDs(mlir::Value ds, int64_t dim);

  //===--- Factors of rows of dS that are found while running -------------===//

  /// dS times a power of two for each row, which shrinks as the row grows.
  struct ScaledRows {
    mlir::Value ds;
    /// The power of two that rows are below so far: a tile of one column.
    mlir::Value exponents;
    /// What sums of the rows before have to be multiplied with.
    mlir::Value rescale;
  };
  /// Exponents of rows of which nothing is known.
  mlir::Value initialExponents(int64_t count);
  /// Scales the rows of dS, whose exponents so far are `exponents`: the
  /// result's `rescale` is for sums of rows with those.
  ScaledRows scaleRows(mlir::Value ds, mlir::Value exponents);
  /// Multiplies each row by its factor, an element of a tile of one column.
  mlir::Value timesRows(mlir::Value tile, mlir::Value factors);
  /// Takes the factors of such rows back from their sums.
  mlir::Value unscaledRows(mlir::Value sums, mlir::Value exponents);

  static constexpr llvm::StringLiteral kGradientColumns = "do_columns";

  attn::BackwardOp backward;
  tile::ScheduleAttr mainSchedule;
  SumStart start;
  bool isNarrow;
  /// Probabilities are computed 2^lift times as large, to use the range of 8
  /// bits.
  int64_t lift;
  /// The factor that takes this back: 2^-lift.
  double lowering() const { return std::ldexp(1.0, -static_cast<int>(lift)); }
  /// Rows of dS become at most 2^rowLift, times 2^lazy_rescale that they may
  /// have grown by.
  int64_t rowLift;
  Factor scoreFactor, riseFactor;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H
