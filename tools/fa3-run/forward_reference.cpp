//===- forward_reference.cpp - Attention in fp64 --------------------------===//
//
// Tolerances
// - O, per row: twice the largest error that the row has when it is computed as
//   PyTorch does (fp32 scores, probabilities and result rounded to the type),
//   plus one unit in the last place of the row's largest element, plus what
//   fp32 scores cost: scores of 1e4 have an error of 1e-3, which changes the
//   probabilities by as much.
// - LSE: a quarter of the element type's unit in the last place of 1 (2^-9 for
//   bf16), which is what summing rounded probabilities may cost, plus 1e-5 of
//   the LSE for fp32 arithmetic, plus what summing a score's products in fp32
//   may cost where large ones cancel: 2^-22 of the scaled product of
//   the lengths of query and key, which bounds the sum of their magnitudes.
//
//===----------------------------------------------------------------------===//

#include "error_statistics.h"
#include "numeric.h"
#include "parallel.h"
#include "reference.h"
#include "sampling.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <mutex>
#include <numeric>

namespace fa3::run {

namespace {

/// What the reference needs to know about a forward pass.
struct Forward {
  Forward(const nlohmann::json &operation, const Tensors &tensors);

  const Tensor &q;
  const Tensor &k;
  const Tensor &v;
  const Tensor &o;
  const Tensor *lse; ///< null if the package does not return it
  AttentionShape shape;
  double scale;
  bool causal;

  /// Keys that a query attends to: the first so many, aligned bottom-right.
  int64_t visibleKeys(int64_t query) const {
    return causal ? std::max<int64_t>(0, query + 1 + shape.keys - shape.queries)
                  : shape.keys;
  }
};

/// Keys and values of one head.
struct Slice {
  Slice(const Forward &forward, int64_t batch, int64_t head);

  std::vector<float> keys;
  std::vector<float> values;
  double largestValue = 0;
  double longestKey = 0; ///< Euclidean length
};

/// Buffers and results of one thread.
struct Worker {
  explicit Worker(const Forward &forward)
      : query(forward.shape.headDim), scores(forward.shape.keys),
        output(forward.shape.valueDim), model(forward.shape.valueDim),
        found(forward.shape.valueDim) {}

  void check(const Forward &forward, const Slice &slice, int64_t batch,
             SampledGroup::Row row);

  ErrorStatistics outputErrors;
  ErrorStatistics lseErrors;

private:
  /// Fills output, model and lse; returns the largest magnitude of a score.
  double compute(const Forward &forward, const Slice &slice, int64_t keys);

  std::vector<float> query;
  std::vector<double> scores;
  std::vector<double> output;
  std::vector<double> model;
  double lse = 0;
  std::vector<float> found;
};

} // namespace

Forward::Forward(const nlohmann::json &operation, const Tensors &tensors)
    : q(tensors.at("q")), k(tensors.at("k")), v(tensors.at("v")),
      o(tensors.at("o")), lse(tensors.find("lse")),
      scale(operation.value("scale", 0.0)),
      causal(operation.value("causal", false)) {
  static constexpr std::string_view known[] = {"kind", "dtype", "head_dim",
                                               "causal", "scale"};
  for (const auto &member : operation.items())
    if (!std::ranges::count(known, member.key()))
      throw UsageError("the reference of 'forward' does not know attribute '" +
                       member.key() + "'");
  for (const Tensor *tensor : {&q, &k, &v, &o}) {
    if (tensor->sizes().size() != 4)
      throw UsageError("the reference of 'forward' expects '" + tensor->name() +
                       "' with dimensions (batch, seqlen, heads, head dim)");
    if (tensor->dtype() != FA3_DTYPE_BF16 && tensor->dtype() != FA3_DTYPE_F16)
      throw UsageError("the reference of 'forward' knows bf16 and f16 only");
  }
  shape = {q.sizes()[0], q.sizes()[2], k.sizes()[2], q.sizes()[1],
           k.sizes()[1], q.sizes()[3], v.sizes()[3]};
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<double>(shape.headDim));
}

/// The dot product in fp64, in lanes that the compiler can keep in vectors.
static double dot(const float *a, const float *b, int64_t count) {
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

static double length(const float *vector, int64_t count) {
  return std::sqrt(dot(vector, vector, count));
}

Slice::Slice(const Forward &forward, int64_t batch, int64_t head)
    : keys(forward.shape.keys * forward.shape.headDim),
      values(forward.shape.keys * forward.shape.valueDim) {
  parallelFor(forward.shape.keys, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      forward.k.generateRow(forward.k.rowAt({batch, j, head}),
                            &keys[j * forward.shape.headDim]);
      forward.v.generateRow(forward.v.rowAt({batch, j, head}),
                            &values[j * forward.shape.valueDim]);
    }
  });
  for (float value : values)
    largestValue = std::max<double>(largestValue, std::abs(value));
  const int64_t headDim = forward.shape.headDim;
  for (int64_t j = 0; j < forward.shape.keys; ++j)
    longestKey = std::max(longestKey, length(&keys[j * headDim], headDim));
}

double Worker::compute(const Forward &forward, const Slice &slice,
                       int64_t keys) {
  const int64_t headDim = forward.shape.headDim;
  const int64_t valueDim = forward.shape.valueDim;
  std::ranges::fill(output, 0.0);
  std::ranges::fill(model, 0.0);
  lse = -std::numeric_limits<double>::infinity();
  if (keys == 0)
    return 0;
  double largest = -std::numeric_limits<double>::infinity();
  double magnitude = 0;
  for (int64_t j = 0; j < keys; ++j) {
    scores[j] =
        forward.scale * dot(query.data(), &slice.keys[j * headDim], headDim);
    largest = std::max(largest, scores[j]);
    magnitude = std::max(magnitude, std::abs(scores[j]));
  }
  double sum = 0;
  double modelSum = 0;
  const auto modelLargest = static_cast<float>(largest);
  const auto modelProbability = [&](double score) {
    return std::exp(static_cast<double>(static_cast<float>(score)) -
                    modelLargest);
  };
  for (int64_t j = 0; j < keys; ++j) {
    sum += std::exp(scores[j] - largest);
    modelSum += modelProbability(scores[j]);
  }
  for (int64_t j = 0; j < keys; ++j) {
    const double p = std::exp(scores[j] - largest) / sum;
    const double rounded =
        roundTo(forward.q.dtype(), modelProbability(scores[j]) / modelSum);
    const float *value = &slice.values[j * valueDim];
    for (int64_t c = 0; c < valueDim; ++c) {
      output[c] += p * value[c];
      model[c] += rounded * value[c];
    }
  }
  for (double &element : model)
    element = roundTo(forward.o.dtype(), element);
  lse = largest + std::log(sum);
  return magnitude;
}

static std::string describe(const std::string &tensor, int64_t batch,
                            SampledGroup::Row row, const std::string &column,
                            double found, double expected, double tolerance) {
  char text[256];
  (void)std::snprintf(
      text, sizeof(text),
      "%s at batch %lld, head %lld, query %lld%s is %g, expected %g +- %g",
      tensor.c_str(), static_cast<long long>(batch),
      static_cast<long long>(row.queryHead), static_cast<long long>(row.query),
      column.c_str(), found, expected, tolerance);
  return text;
}

void Worker::check(const Forward &forward, const Slice &slice, int64_t batch,
                   SampledGroup::Row row) {
  forward.q.generateRow(forward.q.rowAt({batch, row.query, row.queryHead}),
                        query.data());
  const double magnitude =
      compute(forward, slice, forward.visibleKeys(row.query));

  double modelError = 0;
  double outputMagnitude = 0;
  for (size_t c = 0; c < output.size(); ++c) {
    modelError = std::max(modelError, std::abs(model[c] - output[c]));
    outputMagnitude = std::max(outputMagnitude, std::abs(output[c]));
  }
  // A row without keys is exactly zero.
  const double tolerance =
      std::isinf(lse)
          ? 0
          : 2 * modelError +
                unitInLastPlace(forward.o.dtype(), outputMagnitude) +
                0x1p-22 * magnitude * slice.largestValue;
  forward.o.readRow(forward.o.rowAt({batch, row.query, row.queryHead}),
                    found.data());
  for (size_t c = 0; c < output.size(); ++c)
    if (!outputErrors.add(found[c], output[c], model[c], tolerance))
      outputErrors.describe(describe(forward.o.name(), batch, row,
                                     ", column " + std::to_string(c), found[c],
                                     output[c], tolerance));
  if (!forward.lse)
    return;
  const double foundLse = forward.lse->readElement(
      forward.lse->rowAt({batch, row.queryHead}), row.query);
  const double lseTolerance = unitInLastPlace(forward.q.dtype(), 1) / 4 +
                              1e-5 * (std::isinf(lse) ? 0 : std::abs(lse)) +
                              0x1p-22 * forward.scale * slice.longestKey *
                                  length(query.data(), forward.shape.headDim);
  if (!lseErrors.add(foundLse, lse, lse, lseTolerance))
    lseErrors.describe(describe(forward.lse->name(), batch, row, "", foundLse,
                                lse, lseTolerance));
}

static std::vector<TensorError> check(const nlohmann::json &operation,
                                      const Tensors &tensors, uint64_t seed) {
  const Forward forward(operation, tensors);
  ErrorStatistics outputErrors;
  ErrorStatistics lseErrors;
  std::mutex merging;
  for (const SampledGroup &group : sampleRows(forward.shape, seed)) {
    const Slice slice(forward, group.batch, group.keyHead);
    parallelFor(static_cast<int64_t>(group.rows.size()), 64,
                [&](int64_t begin, int64_t end) {
                  Worker worker(forward);
                  for (int64_t i = begin; i < end; ++i)
                    worker.check(forward, slice, group.batch, group.rows[i]);
                  const std::lock_guard<std::mutex> lock(merging);
                  outputErrors.merge(worker.outputErrors);
                  lseErrors.merge(worker.lseErrors);
                });
  }
  std::vector<TensorError> errors = {outputErrors.summarize(forward.o.name())};
  if (forward.lse)
    errors.push_back(lseErrors.summarize(forward.lse->name()));
  return errors;
}

static double flops(const nlohmann::json &operation, const Tensors &tensors) {
  const std::vector<int64_t> &q = tensors.at("q").sizes();
  const std::vector<int64_t> &k = tensors.at("k").sizes();
  const std::vector<int64_t> &v = tensors.at("v").sizes();
  const double pairs = static_cast<double>(q[0]) * static_cast<double>(q[1]) *
                       static_cast<double>(q[2]) * static_cast<double>(k[1]);
  const double full = 2 * pairs * static_cast<double>(q[3] + v[3]);
  return operation.value("causal", false) ? full / 2 : full;
}

const Operation forwardOperation = {"forward", flops, check};

} // namespace fa3::run
