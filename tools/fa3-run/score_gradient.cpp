//===- score_gradient.cpp - One score of a backward pass ------------------===//

#include "score_gradient.h"

#include "numeric.h"

#include <algorithm>
#include <cmath>

namespace fa3::run {

/// What summing products in fp32 may cost, relative to their magnitudes.
static constexpr double summation = 0x1p-22;
static constexpr double smallestNormal = 0x1p-126;

static double narrow(double value) { return static_cast<float>(value); }

/// Normal fp32 numbers only: what is smaller may become 0.
static double flushed(double value) {
  return std::min(std::abs(value), smallestNormal);
}

ExactScore::ExactScore(const GradientSlice &slice, const QueryRow &query,
                       int64_t keyIndex)
    : score(slice.factors.score *
            dot(query.q.data(), slice.keys.row(keyIndex), slice.keys.columns)),
      rise(slice.factors.rise * dot(query.outputGradient.data(),
                                    slice.values.row(keyIndex),
                                    slice.values.columns) +
           query.offset),
      probability(std::exp(score - query.lse)), gradient(probability * rise) {}

ModelScore::ModelScore(const Backward &backward, const GradientSlice &slice,
                       const QueryRow &query, int64_t keyIndex,
                       const ExactScore &exact, const ScoreProducts *products,
                       double factor) {
  const double score =
      narrow(products ? slice.factors.score * products->score : exact.score);
  const double rise =
      narrow(products ? slice.factors.rise * products->rise + query.offset
                      : exact.rise);
  const double probability = std::exp(score - query.lse);
  gradient = probability * rise;
  storedProbability = roundTo(backward.probabilityType,
                              probability * backward.probabilityScale);
  storedGradient = roundTo(backward.gradientType, gradient * factor);
  if (products)
    setFp8Errors(backward, slice, query, score, probability, rise, factor);
  else
    setErrors(backward, slice, query, keyIndex, exact);
}

void ModelScore::setErrors(const Backward &backward, const GradientSlice &slice,
                           const QueryRow &query, int64_t keyIndex,
                           const ExactScore &exact) {
  // An error of a score is a relative error of the probability.
  const double scoreError =
      summation *
      (1 + backward.scale * query.queryLength * slice.keys.lengths[keyIndex] +
       std::abs(query.lse));
  storedProbabilityError =
      exact.probability * scoreError + flushed(exact.probability);
  gradientError = std::abs(exact.gradient) * scoreError +
                  flushed(exact.gradient) +
                  flushed(exact.probability) * std::abs(exact.rise) +
                  exact.probability * summation * query.gradientLength *
                      (slice.values.lengths[keyIndex] + query.outputLength);
  storedGradientError = gradientError;
}

/// How far apart the roundings of values within an error are.
static double spread(fa3_dtype dtype, double value, double error,
                     double factor) {
  return (roundTo(dtype, (value + error) * factor) -
          roundTo(dtype, (value - error) * factor)) /
         factor;
}

// The products have the bits of the kernel, so that the rest is the arithmetic
// after them. It matters where a number lies between two of a type.
void ModelScore::setFp8Errors(const Backward &backward,
                              const GradientSlice &slice, const QueryRow &query,
                              double score, double probability, double rise,
                              double factor) {
  // Exponents have the probabilities' factor too, as an offset.
  const double scoreError =
      summation * (4 + std::abs(score) + std::abs(query.lse));
  const double probabilityError =
      probability * scoreError + flushed(probability);
  gradientError =
      std::abs(gradient) * scoreError + flushed(gradient) +
      flushed(probability) * std::abs(rise) +
      probability * summation *
          (std::abs(rise) + std::abs(query.offset) +
           slice.factors.offset * query.gradientLength * query.outputLength);
  storedProbabilityError = spread(backward.probabilityType, probability,
                                  probabilityError, backward.probabilityScale);
  storedGradientError =
      spread(backward.gradientType, gradient, gradientError, factor);
}

} // namespace fa3::run
