//===- score_gradient.h - One score of a backward pass --------------------===//

#ifndef FA3_TOOLS_FA3_RUN_SCORE_GRADIENT_H
#define FA3_TOOLS_FA3_RUN_SCORE_GRADIENT_H

#include "backward.h"

namespace fa3::run {

/// A probability and the gradient of its score, in fp64.
struct ExactScore {
  ExactScore(const GradientSlice &slice, const QueryRow &query,
             int64_t keyIndex);

  double score;
  double rise; ///< what the gradient is of the probability
  double probability;
  double gradient;
};

/// The products of 8-bit values that a score is computed from, as tensor cores
/// sum them.
struct ScoreProducts {
  double score; ///< q.k
  double rise;  ///< do.v
};

/// The same in the precision of kernels.
struct ModelScore {
  /// `products` in 8 bits only; else fp32 sums are exact but for what the
  /// errors below bound. `factor` is that of the stored gradient.
  ModelScore(const Backward &backward, const GradientSlice &slice,
             const QueryRow &query, int64_t keyIndex, const ExactScore &exact,
             const ScoreProducts *products, double factor);

  double gradient; ///< in fp32
  /// As products take them: rounded, times probabilityScale or the factor.
  double storedProbability;
  double storedGradient;

  /// What fp32 arithmetic may cost: the gradient in fp32, and the stored values
  /// without their factors.
  double gradientError;
  double storedProbabilityError;
  double storedGradientError;

private:
  void setErrors(const Backward &backward, const GradientSlice &slice,
                 const QueryRow &query, int64_t keyIndex,
                 const ExactScore &exact);
  void setFp8Errors(const Backward &backward, const GradientSlice &slice,
                    const QueryRow &query, double score, double probability,
                    double rise, double factor);
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_SCORE_GRADIENT_H
