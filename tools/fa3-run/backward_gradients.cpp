//===- backward_gradients.cpp - Rows of attention's gradients -------------===//

#include "backward_gradients.h"

#include "numeric.h"
#include "parallel.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace fa3::run {

/// What summing products in fp32 may cost, relative to their magnitudes.
static constexpr double summation = 0x1p-22;
static constexpr double smallestNormal = 0x1p-126;

namespace {

/// One element of the probabilities and of the scores' gradient.
struct Pair {
  Pair(const Backward &backward, const QueryRow &query, int64_t keyIndex,
       const HeadRows &keys, const HeadRows &values);

  double probability;
  double gradient;
  double modelProbability;
  double modelGradient;
  double probabilityError; ///< what fp32 arithmetic may cost
  double gradientError;
};

} // namespace

Backward::Backward(const nlohmann::json &operation, const Tensors &tensors)
    : Attention(
          operation, tensors,
          {"kind", "dtype", "head_dim", "causal", "scale", "deterministic"}),
      o(tensors.at("o")), lse(tensors.at("lse")),
      outputGradient(tensors.at("do")), lseGradient(tensors.find("dlse")) {
  for (const Tensor *tensor : {&o, &outputGradient})
    requireHeads(*tensor);
}

QueryRow::QueryRow(const Backward &backward, int64_t batch, int64_t head,
                   int64_t query)
    : q(backward.shape.headDim), outputGradient(backward.shape.valueDim) {
  const auto generate = [&](const Tensor &tensor, std::vector<float> &row) {
    tensor.generateRow(tensor.rowAt({batch, query, head}), row.data());
  };
  std::vector<float> o(backward.shape.valueDim);
  generate(backward.q, q);
  generate(backward.outputGradient, outputGradient);
  generate(backward.o, o);
  const auto valueDim = static_cast<int64_t>(o.size());
  offset = -dot(o.data(), outputGradient.data(), valueDim);
  queryLength = length(q.data(), backward.shape.headDim);
  gradientLength = length(outputGradient.data(), valueDim);
  outputLength = length(o.data(), valueDim);
  lse = backward.lse.generateElement(backward.lse.rowAt({batch, head}), query);
  if (backward.lseGradient)
    offset += backward.lseGradient->generateElement(
        backward.lseGradient->rowAt({batch, head}), query);
}

Pair::Pair(const Backward &backward, const QueryRow &query, int64_t keyIndex,
           const HeadRows &keys, const HeadRows &values) {
  const double score =
      backward.scale * dot(query.q.data(), keys.row(keyIndex), keys.columns);
  const double rise =
      dot(query.outputGradient.data(), values.row(keyIndex), values.columns) +
      query.offset;
  const auto narrow = [](double value) {
    return static_cast<double>(static_cast<float>(value));
  };
  probability = std::exp(score - query.lse);
  gradient = probability * rise;
  const double narrowed = std::exp(narrow(score) - query.lse);
  modelProbability = roundTo(backward.q.dtype(), narrowed);
  modelGradient = roundTo(backward.q.dtype(), narrowed * narrow(rise));

  // An error of a score is a relative error of the probability.
  const double scoreError =
      summation *
      (1 + backward.scale * query.queryLength * keys.lengths[keyIndex] +
       std::abs(query.lse));
  // Normal fp32 numbers only: what is smaller may become 0.
  const auto flushed = [](double value) {
    return std::min(std::abs(value), smallestNormal);
  };
  probabilityError = probability * scoreError + flushed(probability);
  gradientError = std::abs(gradient) * scoreError + flushed(gradient) +
                  flushed(probability) * std::abs(rise) +
                  probability * summation * query.gradientLength *
                      (values.lengths[keyIndex] + query.outputLength);
}

void GradientRow::add(double weight, double modelWeight, double error,
                      const float *row) {
  for (size_t c = 0; c < exact.size(); ++c) {
    exact[c] += weight * row[c];
    model[c] += modelWeight * row[c];
  }
  uncertainty += error;
}

void GradientRow::finish(double factor, fa3_dtype dtype) {
  for (double &element : exact)
    element *= factor;
  for (double &element : model)
    element = roundTo(dtype, element * factor);
  uncertainty *= factor;
}

GradientRow queryGradient(const Backward &backward, const QueryRow &query,
                          int64_t queryIndex, const HeadRows &keys,
                          const HeadRows &values) {
  GradientRow gradient(backward.shape.headDim);
  for (int64_t j = 0; j < backward.visibleKeys(queryIndex); ++j) {
    const Pair pair(backward, query, j, keys, values);
    gradient.add(pair.gradient, pair.modelGradient,
                 pair.gradientError * keys.largest, keys.row(j));
  }
  gradient.finish(backward.scale, backward.q.dtype());
  return gradient;
}

void KeyGradients::add(const Backward &backward,
                       const std::vector<QueryRow> &queries, int64_t keyIndex,
                       const HeadRows &keys, const HeadRows &values) {
  for (int64_t i = backward.firstQuery(keyIndex); i < backward.shape.queries;
       ++i) {
    const QueryRow &query = queries[i];
    const Pair pair(backward, query, keyIndex, keys, values);
    key.add(pair.gradient, pair.modelGradient,
            pair.gradientError * query.queryLength, query.q.data());
    value.add(pair.probability, pair.modelProbability,
              pair.probabilityError * query.gradientLength,
              query.outputGradient.data());
  }
}

void KeyGradients::finish(const Backward &backward) {
  key.finish(backward.scale, backward.k.dtype());
  value.finish(1, backward.v.dtype());
}

std::vector<QueryRow> queriesOfHead(const Backward &backward, int64_t batch,
                                    int64_t head) {
  std::vector<std::optional<QueryRow>> made(backward.shape.queries);
  parallelFor(backward.shape.queries, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      made[i].emplace(backward, batch, head, i);
  });
  std::vector<QueryRow> queries;
  queries.reserve(made.size());
  for (std::optional<QueryRow> &query : made)
    queries.push_back(std::move(*query));
  return queries;
}

} // namespace fa3::run
