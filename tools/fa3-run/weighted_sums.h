//===- weighted_sums.h - Sums of rounded weights times rows ---------------===//

#ifndef FA3_TOOLS_FA3_RUN_WEIGHTED_SUMS_H
#define FA3_TOOLS_FA3_RUN_WEIGHTED_SUMS_H

#include "fp8_products.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace fa3::run {

/// Sums of weighted rows, of several results at once, in the precision of
/// kernels: as tensor cores add 8-bit values, or exactly, since with other
/// types rounding to fp32 is nothing beside that of the weights.
class WeightedSums {
public:
  WeightedSums(int64_t results, int64_t columns, fa3_dtype weightType,
               fa3_dtype rowType);

  /// Weights of one step of rows, by result: fp8Step each, all 0 at first.
  float *weights(int64_t result) { return &stepWeights[result * fp8Step]; }

  /// Adds `count` rows with these weights, and sets the weights to 0.
  void addStep(const std::function<const float *(int64_t)> &row, int64_t count);

  double at(int64_t result, int64_t column) const;

  /// What another order of the rows may change: in which of them a tensor core
  /// cuts off what depends on the sum before. Three times the Euclidean length
  /// of what it did cut off in each step, of the result's worst column.
  double orderError(int64_t result) const;

private:
  void addExactStep(const std::function<const float *(int64_t)> &row,
                    int64_t count);

  int64_t results;
  int64_t columns;
  fa3_dtype weightType;
  fa3_dtype rowType;
  std::vector<float> stepWeights;
  std::vector<float> stepRows;
  std::vector<float> sums; ///< as tensor cores have them, columns padded
  std::vector<double> exactSums;
  std::vector<double> cutSquares; ///< of what tensor cores cut off in a step
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_WEIGHTED_SUMS_H
