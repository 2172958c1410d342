//===- weighted_sums.cpp - Sums of rounded weights times rows -------------===//

#include "weighted_sums.h"

#include "attention.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace fa3::run {

WeightedSums::WeightedSums(int64_t results, int64_t columns,
                           fa3_dtype weightType, fa3_dtype rowType)
    : results(results), columns(columns), weightType(weightType),
      rowType(rowType), stepWeights(results * fp8Step),
      exactSums(results * columns), cutSquares(results * columns) {
  if (!isFp8(weightType))
    return;
  const int64_t padded = paddedColumns(columns);
  if (padded > fp8Columns)
    throw UsageError("the reference knows rows with at most " +
                     std::to_string(fp8Columns) + " columns");
  stepRows.resize(fp8Step * padded);
  sums.resize(results * padded);
}

void WeightedSums::addExactStep(
    const std::function<const float *(int64_t)> &row, int64_t count) {
  for (int64_t i = 0; i < results; ++i)
    for (int64_t j = 0; j < count; ++j) {
      const double weight = weights(i)[j];
      const float *values = row(j);
      double *total = &exactSums[i * columns];
      for (int64_t c = 0; c < columns; ++c)
        total[c] += weight * values[c];
    }
}

void WeightedSums::addStep(const std::function<const float *(int64_t)> &row,
                           int64_t count) {
  if (isFp8(weightType)) {
    // The exact sums begin with those that the step begins with.
    for (int64_t i = 0; i < results; ++i)
      for (int64_t c = 0; c < columns; ++c)
        exactSums[i * columns + c] = at(i, c);
    const int64_t padded = paddedColumns(columns);
    std::ranges::fill(stepRows, 0.0f);
    for (int64_t j = 0; j < count; ++j)
      std::copy_n(row(j), columns, &stepRows[j * padded]);
    run::addStep(sums.data(), stepWeights.data(), weightType, stepRows.data(),
                 rowType, results, padded);
  }
  addExactStep(row, count);
  if (isFp8(weightType))
    for (int64_t i = 0; i < results; ++i)
      for (int64_t c = 0; c < columns; ++c) {
        const double cut = exactSums[i * columns + c] - at(i, c);
        cutSquares[i * columns + c] += cut * cut;
      }
  std::ranges::fill(stepWeights, 0.0f);
}

double WeightedSums::orderError(int64_t result) const {
  const double *squares = &cutSquares[result * columns];
  return 3 * std::sqrt(*std::max_element(squares, squares + columns));
}

double WeightedSums::at(int64_t result, int64_t column) const {
  return isFp8(weightType) ? sums[result * paddedColumns(columns) + column]
                           : exactSums[result * columns + column];
}

} // namespace fa3::run
