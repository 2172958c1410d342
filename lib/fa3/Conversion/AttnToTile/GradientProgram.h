//===- GradientProgram.h - What the kernels of a backward pass share ------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H
#define FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H

#include "AttentionProgram.h"

#include "fa3/Analysis/ScheduleFields.h"

namespace fa3 {

/// Queries whose statistics one CTA computes; the workspace holds whole blocks
/// of them.
inline constexpr int64_t kStatisticsRows = 128;

/// A kernel of attn.backward. Its schedule may be another one than that of the
/// operation, which is the schedule of the kernel that computes dk and dv.
class GradientProgram : public AttentionProgram {
protected:
  GradientProgram(mlir::OpBuilder &builder, attn::BackwardOp backward,
                  const ScheduleFields &fields);

  /// Whether dq is summed up in the workspace.
  bool hasAccumulator() { return !backward.getDeterministic(); }
  /// neg_lse, -lse * log2(e), and neg_sum, dlse - rowsum(o * do): negative, so
  /// that using each of them is one multiply-add or addition.
  void addRowStatistics();
  /// dq_acc: a packed tile of unscaled f32 sums for each block of queries.
  void addAccumulator();
  /// The tile that dq_acc holds.
  mlir::VectorType getAccumulatorTile();
  /// p = exp(scale * s - lse), from scores and neg_lse.
  mlir::Value probabilities(mlir::Value scores, mlir::Value negLse);
  /// ds = p * (dp - rowsum(o * do) + dlse), from neg_sum.
  mlir::Value scoreGradient(mlir::Value p, mlir::Value dp, mlir::Value negSum);

  attn::BackwardOp backward;
  tile::ScheduleAttr mainSchedule;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_GRADIENTPROGRAM_H
