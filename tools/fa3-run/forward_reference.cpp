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

#include "attention.h"
#include "error_statistics.h"
#include "numeric.h"
#include "parallel.h"
#include "reference.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

namespace fa3::run {

namespace {

/// What the reference needs to know about a forward pass.
struct Forward : Attention {
  Forward(const nlohmann::json &operation, const Tensors &tensors);

  const Tensor &o;
  const Tensor *lse; ///< null if the package does not return it
};

/// Keys and values of one head.
struct Slice {
  HeadRows keys;
  HeadRows values;
};

/// Buffers and results of one thread.
struct Worker {
  explicit Worker(const Forward &forward)
      : query(forward.shape.headDim), exact(forward.shape),
        model(forward.shape.valueDim), found(forward.shape.valueDim) {}

  void check(const Forward &forward, const Slice &slice, int64_t batch,
             SampledGroup::Row row);

  ErrorStatistics outputErrors;
  ErrorStatistics lseErrors;

private:
  /// Fills `model` for the row that is in `exact`.
  void computeModel(const Forward &forward, const Slice &slice, int64_t keys);

  std::vector<float> query;
  AttendedRow exact;
  std::vector<double> model;
  std::vector<float> found;
};

} // namespace

Forward::Forward(const nlohmann::json &operation, const Tensors &tensors)
    : Attention(operation, tensors,
                {"kind", "dtype", "head_dim", "causal", "scale"}),
      o(tensors.at("o")), lse(tensors.find("lse")) {
  requireHeads(o);
  for (const Tensor *tensor : {&q, &k, &v, &o})
    requireHalfPrecision(*tensor);
}

void Worker::computeModel(const Forward &forward, const Slice &slice,
                          int64_t keys) {
  std::ranges::fill(model, 0.0);
  if (keys == 0)
    return;
  const auto largest = static_cast<float>(exact.largest);
  const auto weight = [&](double score) {
    return std::exp(static_cast<double>(static_cast<float>(score)) - largest);
  };
  double sum = 0;
  for (int64_t j = 0; j < keys; ++j)
    sum += weight(exact.scores[j]);
  for (int64_t j = 0; j < keys; ++j) {
    const double rounded =
        roundTo(forward.q.dtype(), weight(exact.scores[j]) / sum);
    const float *value = slice.values.row(j);
    for (size_t c = 0; c < model.size(); ++c)
      model[c] += rounded * value[c];
  }
  for (double &element : model)
    element = roundTo(forward.o.dtype(), element);
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
  const int64_t keys = forward.visibleKeys(row.query);
  exact.compute(forward, query.data(), slice.keys, slice.values, keys);
  computeModel(forward, slice, keys);
  const std::vector<double> &output = exact.output;
  const double lse = exact.lse;

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
                0x1p-22 * exact.magnitude * slice.values.largest;
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
                              0x1p-22 * forward.scale * slice.keys.longest *
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
    const Slice slice = {HeadRows(forward.k, group.batch, group.keyHead),
                         HeadRows(forward.v, group.batch, group.keyHead)};
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

const Operation forwardOperation = {
    .kind = "forward", .flops = flops, .check = check, .derivesInputs = false};

} // namespace fa3::run
