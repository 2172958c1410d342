//===- attention.cpp - What references of attention share -----------------===//

#include "attention.h"

#include "key_order.h"
#include "parallel.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fa3::run {

void requireHeads(const Tensor &tensor) {
  if (tensor.sizes().size() != 4)
    throw UsageError("the reference expects '" + tensor.name() +
                     "' with dimensions (batch, seqlen, heads, head dim)");
}

bool isFp8(fa3_dtype dtype) {
  return dtype == FA3_DTYPE_E4M3 || dtype == FA3_DTYPE_E5M2;
}

void requireHalfPrecision(const Tensor &tensor) {
  if (tensor.dtype() != FA3_DTYPE_BF16 && tensor.dtype() != FA3_DTYPE_F16)
    throw UsageError("the reference knows '" + tensor.name() +
                     "' in bf16 and f16 only");
}

void requireType(const nlohmann::json &operation, const char *attribute,
                 const Tensor &tensor) {
  const std::string expected =
      operation.value(attribute, operation.value("dtype", ""));
  if (expected != fa3_dtype_name(tensor.dtype()))
    throw UsageError("the operation's " + std::string(attribute) + " is '" +
                     expected + "', but '" + tensor.name() + "' has type " +
                     fa3_dtype_name(tensor.dtype()));
}

AttentionShape shapeOf(const Tensor &q, const Tensor &k, const Tensor &v) {
  return {q.sizes()[0],
          q.sizes()[2],
          k.sizes()[2],
          q.sizes()[1],
          k.sizes()[1],
          q.sizes()[3],
          v.sizes()[v.transposedKeys() ? 2 : 3]};
}

Attention::Attention(const nlohmann::json &operation, const Tensors &tensors,
                     std::initializer_list<std::string_view> attributes)
    : q(tensors.at("q")), k(tensors.at("k")), v(tensors.at("v")),
      scale(operation.value("scale", 0.0)),
      causal(operation.value("causal", false)) {
  for (const auto &member : operation.items())
    if (!std::ranges::count(attributes, member.key()))
      throw UsageError("the reference of '" + operation.value("kind", "") +
                       "' does not know attribute '" + member.key() + "'");
  for (const Tensor *tensor : {&q, &k, &v})
    requireHeads(*tensor);
  shape = shapeOf(q, k, v);
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<double>(shape.headDim));
}

int64_t Attention::visibleKeys(int64_t query) const {
  return causal ? std::max<int64_t>(0, query + 1 + shape.keys - shape.queries)
                : shape.keys;
}

int64_t Attention::firstQuery(int64_t key) const {
  return causal ? std::max<int64_t>(0, key + shape.queries - shape.keys) : 0;
}

double dot(const float *a, const float *b, int64_t count) {
  constexpr int64_t lanes = 8;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  for (; i < count; ++i)
    sums[0] += static_cast<double>(a[i]) * b[i];
  return std::accumulate(sums, sums + lanes, 0.0);
}

double length(const float *vector, int64_t count) {
  return std::sqrt(dot(vector, vector, count));
}

/// The tensor's dimension that a row of a head is indexed with, and the
/// columns.
static int64_t rowsOfHead(const Tensor &tensor) {
  return tensor.transposedKeys().value_or(tensor.sizes()[1]);
}
static int64_t columnsOf(const Tensor &tensor) {
  return tensor.transposedKeys() ? tensor.sizes()[2] : tensor.columns();
}

HeadRows::HeadRows(const Tensor &tensor, int64_t batch, int64_t head,
                   ValueKind kind)
    : columns(columnsOf(tensor)), values(rowsOfHead(tensor) * columns),
      lengths(rowsOfHead(tensor)) {
  if (tensor.transposedKeys())
    generateTransposed(tensor, batch, head, kind);
  const auto rows = static_cast<int64_t>(lengths.size());
  parallelFor(rows, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (!tensor.transposedKeys())
        tensor.generateRow(tensor.rowAt({batch, i, head}), &values[i * columns],
                           kind);
      lengths[i] = length(row(i), columns);
    }
  });
  for (float value : values)
    largest = std::max<double>(largest, std::abs(value));
  for (double rowLength : lengths)
    longest = std::max(longest, rowLength);
}

void HeadRows::generateTransposed(const Tensor &tensor, int64_t batch,
                                  int64_t head, ValueKind kind) {
  const auto rows = static_cast<int64_t>(lengths.size());
  if (tensor.columns() < paddedKeys(rows))
    throw UsageError("'" + tensor.name() + "' has " +
                     std::to_string(tensor.columns()) +
                     " positions along the keys, but " + std::to_string(rows) +
                     " keys take " + std::to_string(paddedKeys(rows)));
  parallelFor(columns, 8, [&](int64_t begin, int64_t end) {
    std::vector<float> positions(tensor.columns());
    for (int64_t c = begin; c < end; ++c) {
      tensor.generateRow(tensor.rowAt({batch, head, c}), positions.data(),
                         kind);
      for (int64_t key = 0; key < rows; ++key)
        values[key * columns + c] = positions[positionOf(key)];
    }
  });
}

void AttendedRow::compute(double scale, const float *query,
                          const HeadRows &keys, const HeadRows &values,
                          int64_t count, std::span<const float> keyFactors) {
  std::ranges::fill(output, 0.0);
  largest = lse = -std::numeric_limits<double>::infinity();
  magnitude = 0;
  if (count == 0)
    return;
  for (int64_t j = 0; j < count; ++j) {
    scores[j] = scale * dot(query, keys.row(j), keys.columns);
    if (!keyFactors.empty())
      scores[j] *= keyFactors[j];
    largest = std::max(largest, scores[j]);
    magnitude = std::max(magnitude, std::abs(scores[j]));
  }
  double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    const double weight = std::exp(scores[j] - largest);
    sum += weight;
    const float *value = values.row(j);
    for (int64_t c = 0; c < values.columns; ++c)
      output[c] += weight * value[c];
  }
  for (double &element : output)
    element /= sum;
  lse = largest + std::log(sum);
}

} // namespace fa3::run
