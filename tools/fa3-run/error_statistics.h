//===- error_statistics.h - Accumulates errors against a reference --------===//

#ifndef FA3_TOOLS_FA3_RUN_ERROR_STATISTICS_H
#define FA3_TOOLS_FA3_RUN_ERROR_STATISTICS_H

#include "reference.h"

#include <mutex>

namespace fa3::run {

/// Errors of some elements of an output. One per thread, then merged.
class ErrorStatistics {
public:
  /// Compares an element; `model` is what the precision of kernels gives.
  /// NaN never passes, and an infinity only where it is expected. Returns
  /// whether the element passes.
  bool add(double found, double expected, double model, double tolerance);

  /// Measures an element against the result of inputs that were not rounded;
  /// nothing is judged by it.
  void addOriginal(double found, double expected);

  /// Keeps the description of the first element that did not pass.
  void describe(const std::string &wrong);

  void merge(const ErrorStatistics &other);
  TensorError summarize(const std::string &tensor) const;

private:
  TensorError total; ///< without name and rms
  double squares = 0;
  double originalSquares = 0;
};

/// An output and its errors so far; threads merge theirs.
class JudgedTensor {
public:
  explicit JudgedTensor(const Tensor &tensor) : output(tensor) {}

  const Tensor &tensor() const { return output; }
  void merge(const ErrorStatistics &other);
  TensorError summarize() const { return errors.summarize(output.name()); }

private:
  const Tensor &output;
  std::mutex merging;
  ErrorStatistics errors;
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_ERROR_STATISTICS_H
