//===- error_statistics.cpp - Accumulates errors against a reference ------===//

#include "error_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fa3::run {

/// The distance of two numbers; infinities are apart from all but themselves.
static double distance(double a, double b) {
  if (a == b)
    return 0;
  const double difference = std::abs(a - b);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                : difference;
}

bool ErrorStatistics::add(double found, double expected, double model,
                          double tolerance) {
  const double error = distance(found, expected);
  ++total.checked;
  total.maxAbs = std::max(total.maxAbs, error);
  squares += error * error;
  total.modelMaxAbs = std::max(total.modelMaxAbs, distance(model, expected));
  if (std::isfinite(expected))
    total.referenceMaxAbs = std::max(total.referenceMaxAbs, std::abs(expected));
  const bool passes = error <= tolerance;
  if (!passes)
    ++total.wrong;
  return passes;
}

void ErrorStatistics::addOriginal(double found, double expected) {
  const double error = distance(found, expected);
  total.hasOriginal = true;
  total.maxAbsOriginal = std::max(total.maxAbsOriginal, error);
  originalSquares += error * error;
}

void ErrorStatistics::describe(const std::string &wrong) {
  if (total.firstWrong.empty())
    total.firstWrong = wrong;
}

void ErrorStatistics::merge(const ErrorStatistics &other) {
  total.checked += other.total.checked;
  total.wrong += other.total.wrong;
  total.maxAbs = std::max(total.maxAbs, other.total.maxAbs);
  total.referenceMaxAbs =
      std::max(total.referenceMaxAbs, other.total.referenceMaxAbs);
  total.modelMaxAbs = std::max(total.modelMaxAbs, other.total.modelMaxAbs);
  squares += other.squares;
  total.hasOriginal = total.hasOriginal || other.total.hasOriginal;
  total.maxAbsOriginal =
      std::max(total.maxAbsOriginal, other.total.maxAbsOriginal);
  originalSquares += other.originalSquares;
  describe(other.total.firstWrong);
}

TensorError ErrorStatistics::summarize(const std::string &tensor) const {
  TensorError result = total;
  result.tensor = tensor;
  if (result.checked != 0) {
    const auto count = static_cast<double>(result.checked);
    result.rms = std::sqrt(squares / count);
    result.rmsOriginal = std::sqrt(originalSquares / count);
  }
  return result;
}

void JudgedTensor::merge(const ErrorStatistics &other) {
  const std::lock_guard<std::mutex> lock(merging);
  errors.merge(other);
}

} // namespace fa3::run
