//===- backward.cpp - A backward pass of attention ------------------------===//

#include "backward.h"

#include "parallel.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace fa3::run {

Backward::Backward(const nlohmann::json &operation, const Tensors &tensors)
    : Attention(operation, tensors,
                {"kind", "dtype", "output_dtype", "gradient_dtype", "ds_dtype",
                 "head_dim", "causal", "scale", "deterministic"}),
      o(tensors.at("o")), lse(tensors.at("lse")),
      outputGradient(tensors.at("do")), lseGradient(tensors.find("dlse")),
      queryDescale(tensors.find("q_descale")),
      keyDescale(tensors.find("k_descale")),
      valueDescale(tensors.find("v_descale")),
      outputGradientDescale(tensors.find("do_descale")),
      gradientScale(tensors.find("ds_scale")), probabilityType(q.dtype()),
      gradientType(q.dtype()) {
  for (const Tensor *tensor : {&o, &outputGradient})
    requireHeads(*tensor);
  if (hasFp8())
    setFp8Types(operation);
}

void Backward::setFp8Types(const nlohmann::json &operation) {
  for (const Tensor *tensor : {&q, &k, &v})
    requireType(operation, "dtype", *tensor);
  requireType(operation, "output_dtype", o);
  requireType(operation, "gradient_dtype", outputGradient);
  requireHalfPrecision(o);
  // Probabilities are at most 1, and the largest number is 448.
  probabilityType = FA3_DTYPE_E4M3;
  probabilityScale = 256;
  const std::string name = operation.value("ds_dtype", "");
  static constexpr std::array types = {FA3_DTYPE_E4M3, FA3_DTYPE_BF16,
                                       FA3_DTYPE_F16};
  const auto *const type = std::ranges::find_if(
      types, [&](fa3_dtype dtype) { return name == fa3_dtype_name(dtype); });
  if (type == types.end())
    throw UsageError("operation.ds_dtype is '" + name +
                     "', expected e4m3, bf16 or f16");
  gradientType = *type;
  if (gradientScale && !hasFp8Gradients())
    throw UsageError("a package takes 'ds_scale' only if operation.ds_dtype is "
                     "e4m3");
}

double Backward::rowFactor(double largest) {
  // Kernels take a power of two that is not below the largest gradient, or up
  // to two powers less, to 2^8; of 448, which is the largest number.
  constexpr double aim = 8;
  constexpr double lag = 2;
  constexpr double leastExponent = -100;
  const double exponent =
      std::max(std::ceil(std::log2(largest)), leastExponent);
  return std::exp2(aim - lag - exponent);
}

/// What a tensor (batch, key head) has for a head; 1 without it.
static double valueOf(const Tensor *tensor, int64_t batch, int64_t keyHead) {
  return tensor ? tensor->generateElement(batch, keyHead) : 1;
}

GradientFactors Backward::factors(int64_t batch, int64_t keyHead) const {
  const double queries = valueOf(queryDescale, batch, keyHead);
  const double keys = valueOf(keyDescale, batch, keyHead);
  const double values = valueOf(valueDescale, batch, keyHead);
  const double gradients = valueOf(outputGradientDescale, batch, keyHead);
  return {.score = scale * queries * keys,
          .rise = gradients * values,
          .offset = gradients,
          .query = scale * keys,
          .key = scale * queries,
          .value = gradients,
          .stored = valueOf(gradientScale, batch, keyHead)};
}

GradientSlice::GradientSlice(const Backward &backward, int64_t batch,
                             int64_t keyHead)
    : keys(backward.k, batch, keyHead), values(backward.v, batch, keyHead),
      factors(backward.factors(batch, keyHead)) {}

QueryRow::QueryRow(const Backward &backward, int64_t batch, int64_t head,
                   int64_t query)
    : index(query), q(backward.shape.headDim),
      outputGradient(backward.shape.valueDim) {
  const auto generate = [&](const Tensor &tensor, std::vector<float> &row) {
    tensor.generateRow(tensor.rowAt({batch, query, head}), row.data());
  };
  std::vector<float> o(backward.shape.valueDim);
  generate(backward.q, q);
  generate(backward.outputGradient, outputGradient);
  generate(backward.o, o);
  const auto valueDim = static_cast<int64_t>(o.size());
  offset = -backward.factors(batch, backward.keyHeadOf(head)).offset *
           dot(o.data(), outputGradient.data(), valueDim);
  queryLength = length(q.data(), backward.shape.headDim);
  gradientLength = length(outputGradient.data(), valueDim);
  outputLength = length(o.data(), valueDim);
  lse = backward.lse.generateElement(backward.lse.rowAt({batch, head}), query);
  if (backward.lseGradient)
    offset += backward.lseGradient->generateElement(
        backward.lseGradient->rowAt({batch, head}), query);
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
