//===- weighted_sums.cpp - Sums of rounded weights times rows -------------===//

#include "weighted_sums.h"

#include "attention.h"

#include <algorithm>
#include <string>

namespace fa3::run {

WeightedSums::WeightedSums(int64_t results, int64_t columns,
                           fa3_dtype weightType, fa3_dtype rowType)
    : results(results), columns(columns), weightType(weightType),
      rowType(rowType), stepWeights(results * fp8Step) {
  if (!isFp8(weightType)) {
    exactSums.resize(results * columns);
    return;
  }
  const int64_t padded = paddedColumns(columns);
  if (padded > fp8Columns)
    throw UsageError("the reference knows rows with at most " +
                     std::to_string(fp8Columns) + " columns");
  stepRows.resize(fp8Step * padded);
  sums.resize(results * padded);
}

void WeightedSums::addStep(const std::function<const float *(int64_t)> &row,
                           int64_t count) {
  if (isFp8(weightType)) {
    const int64_t padded = paddedColumns(columns);
    std::ranges::fill(stepRows, 0.0f);
    for (int64_t j = 0; j < count; ++j)
      std::copy_n(row(j), columns, &stepRows[j * padded]);
    run::addStep(sums.data(), stepWeights.data(), weightType, stepRows.data(),
                 rowType, results, padded);
  } else {
    for (int64_t i = 0; i < results; ++i)
      for (int64_t j = 0; j < count; ++j) {
        const double weight = weights(i)[j];
        const float *values = row(j);
        double *total = &exactSums[i * columns];
        for (int64_t c = 0; c < columns; ++c)
          total[c] += weight * values[c];
      }
  }
  std::ranges::fill(stepWeights, 0.0f);
}

double WeightedSums::at(int64_t result, int64_t column) const {
  return isFp8(weightType) ? sums[result * paddedColumns(columns) + column]
                           : exactSums[result * columns + column];
}

} // namespace fa3::run
