//===- forward_reference.cpp - Attention in fp64 --------------------------===//
//
// Tolerances
// - O, per row: twice the largest error that the row has when it is computed in
//   the precision of kernels (forward_model.h), or what rounding 8-bit
//   probabilities may cost the element if that is more, plus one unit in the
//   last place of the row's largest element, plus what fp32 scores cost: scores
//   of 1e4 have an error of 1e-3, which changes the probabilities by as much.
// - LSE: what rounded probabilities may cost (forward_model.h), plus 1e-5 of
//   the LSE for fp32 arithmetic, plus what summing a score's products in fp32
//   may cost where large ones cancel: 2^-22 of the scaled product of
//   the lengths of query and key, which bounds the sum of their magnitudes.
//
//===----------------------------------------------------------------------===//

#include "error_statistics.h"
#include "forward_model.h"
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

/// The keys and values of rows that are checked.
struct CheckedSlice {
  CheckedSlice(const Forward &forward, const SampledGroup &group)
      : batch(group.batch), stored(forward, group.batch, group.keyHead) {
    if (forward.hasOriginal())
      original.emplace(forward, group.batch, group.keyHead,
                       ValueKind::Unrounded);
  }

  int64_t batch;
  Slice stored;
  std::optional<Slice> original;
};

/// Buffers and results of one thread.
class Worker {
public:
  explicit Worker(const Forward &forward)
      : forward(forward),
        model(isFp8(forward.q.dtype()) ? makeFp8Model(forward)
                                       : makeHalfModel(forward)),
        exact(forward.shape), found(forward.shape.valueDim) {}

  /// Checks rows that share a slice.
  void check(const CheckedSlice &slice,
             std::span<const SampledGroup::Row> rows);

  ErrorStatistics outputErrors;
  ErrorStatistics lseErrors;

private:
  /// Makes the queries of rows, one after another.
  void generate(const CheckedSlice &slice,
                std::span<const SampledGroup::Row> rows, ValueKind kind);
  /// Fills `exact` with the row of a query that has been made.
  void compute(const Slice &slice, size_t index);
  const float *query(size_t index) const {
    return &queries.values[index * forward.shape.headDim];
  }
  void judgeOutput(const CheckedSlice &slice, SampledGroup::Row row,
                   const ModelRow &modelRow);
  void judgeLse(const CheckedSlice &slice, SampledGroup::Row row,
                const ModelRow &modelRow, size_t index);

  const Forward &forward;
  std::unique_ptr<ForwardModel> model;
  QueryBlock queries;
  AttendedRow exact;
  std::vector<float> found;
};

} // namespace

/// Throws UsageError unless a descale has a factor for each batch and key head
/// or, if it may, for each row of every head of a tensor.
static void requireFactors(const Tensor *descale, const AttentionShape &shape,
                           const Tensor *rows) {
  if (!descale || descale->sizes() == std::vector{shape.batch, shape.keyHeads})
    return;
  if (rows && descale->sizes() ==
                  std::vector{shape.batch, rows->sizes()[2], rows->sizes()[1]})
    return;
  throw UsageError("the reference expects '" + descale->name() +
                   "' with dimensions (batch, key heads)" +
                   (rows ? " or (batch, heads, seqlen)" : ""));
}

Forward::Forward(const nlohmann::json &operation, const Tensors &tensors)
    : Attention(operation, tensors,
                {"kind", "dtype", "output_dtype", "head_dim", "causal", "scale",
                 "value_layout"}),
      o(tensors.at("o")), lse(tensors.find("lse")),
      queryDescale(tensors.find("q_descale")),
      keyDescale(tensors.find("k_descale")),
      valueDescale(tensors.find("v_descale")) {
  requireHeads(o);
  requireHalfPrecision(o);
  for (const Tensor *tensor : {&q, &k, &v}) {
    requireType(operation, "dtype", *tensor);
    if (!isFp8(tensor->dtype()))
      requireHalfPrecision(*tensor);
  }
  requireType(operation, "output_dtype", o);
  requireFactors(queryDescale, shape, &q);
  requireFactors(keyDescale, shape, &k);
  requireFactors(valueDescale, shape, nullptr);
}

/// Whether a descale has a factor for each row, not for each head.
static bool hasRows(const Tensor *descale) {
  return descale && descale->sizes().size() == 3;
}

/// What a descale has for a head; 1 without it.
static double factorOfHead(const Tensor *descale, int64_t batch,
                           int64_t keyHead) {
  return descale ? descale->generateElement(batch, keyHead) : 1;
}

double Forward::scoreScale(int64_t batch, int64_t queryHead,
                           int64_t query) const {
  const int64_t keyHead = queryHead / ratio();
  const double queryFactor =
      hasRows(queryDescale)
          ? queryDescale->generateElement(
                queryDescale->rowAt({batch, queryHead}), query)
          : factorOfHead(queryDescale, batch, keyHead);
  return scale * queryFactor *
         (hasRows(keyDescale) ? 1 : factorOfHead(keyDescale, batch, keyHead));
}

Slice::Slice(const Forward &forward, int64_t batch, int64_t keyHead,
             ValueKind kind)
    : keys(forward.k, batch, keyHead, kind),
      values(forward.v, batch, keyHead, kind), longestKey(keys.longest),
      valueScale(factorOfHead(forward.valueDescale, batch, keyHead)) {
  if (!hasRows(forward.keyDescale))
    return;
  keyFactors.resize(keys.lengths.size());
  forward.keyDescale->generateRow(forward.keyDescale->rowAt({batch, keyHead}),
                                  keyFactors.data());
  longestKey = 0;
  for (size_t i = 0; i < keyFactors.size(); ++i)
    longestKey = std::max(longestKey, keyFactors[i] * keys.lengths[i]);
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

void Worker::generate(const CheckedSlice &slice,
                      std::span<const SampledGroup::Row> rows, ValueKind kind) {
  queries.values.resize(rows.size() * forward.shape.headDim);
  float *query = queries.values.data();
  for (const SampledGroup::Row &row : rows) {
    forward.q.generateRow(
        forward.q.rowAt({slice.batch, row.query, row.queryHead}), query, kind);
    query += forward.shape.headDim;
  }
}

void Worker::compute(const Slice &slice, size_t index) {
  exact.compute(queries.scales[index], query(index), slice.keys, slice.values,
                queries.counts[index], slice.keyFactors);
  for (double &element : exact.output)
    element *= slice.valueScale;
}

void Worker::judgeOutput(const CheckedSlice &slice, SampledGroup::Row row,
                         const ModelRow &modelRow) {
  const std::vector<double> &output = exact.output;
  double outputMagnitude = 0;
  for (double element : output)
    outputMagnitude = std::max(outputMagnitude, std::abs(element));
  const double margin = unitInLastPlace(forward.o.dtype(), outputMagnitude) +
                        0x1p-22 * exact.magnitude * slice.stored.valueScale *
                            slice.stored.values.largest;
  for (size_t c = 0; c < output.size(); ++c) {
    // A row without keys is exactly zero.
    const double tolerance =
        std::isinf(exact.lse)
            ? 0
            : std::max(2 * modelRow.outputError, modelRow.rounding[c]) + margin;
    if (!outputErrors.add(found[c], output[c], modelRow.output[c], tolerance))
      outputErrors.describe(describe(forward.o.name(), slice.batch, row,
                                     ", column " + std::to_string(c), found[c],
                                     output[c], tolerance));
  }
}

void Worker::judgeLse(const CheckedSlice &slice, SampledGroup::Row row,
                      const ModelRow &modelRow, size_t index) {
  const double foundLse = forward.lse->readElement(
      forward.lse->rowAt({slice.batch, row.queryHead}), row.query);
  const double tolerance =
      modelRow.lseError +
      1e-5 * (std::isinf(exact.lse) ? 0 : std::abs(exact.lse)) +
      0x1p-22 * queries.scales[index] * slice.stored.longestKey *
          length(query(index), forward.shape.headDim);
  if (!lseErrors.add(foundLse, exact.lse, exact.lse, tolerance))
    lseErrors.describe(describe(forward.lse->name(), slice.batch, row, "",
                                foundLse, exact.lse, tolerance));
}

void Worker::check(const CheckedSlice &slice,
                   std::span<const SampledGroup::Row> rows) {
  const auto atOnce = static_cast<size_t>(model->rowsAtOnce());
  if (rows.size() > atOnce) {
    check(slice, rows.first(atOnce));
    return check(slice, rows.subspan(atOnce));
  }
  queries.counts.clear();
  queries.scales.clear();
  for (const SampledGroup::Row &row : rows) {
    queries.counts.push_back(forward.visibleKeys(row.query));
    queries.scales.push_back(
        forward.scoreScale(slice.batch, row.queryHead, row.query));
  }
  const auto readOutput = [&](SampledGroup::Row row) {
    forward.o.readRow(forward.o.rowAt({slice.batch, row.query, row.queryHead}),
                      found.data());
  };
  generate(slice, rows, ValueKind::Stored);
  model->begin(slice.stored, queries);
  for (size_t i = 0; i < rows.size(); ++i) {
    compute(slice.stored, i);
    const ModelRow &modelRow = model->compare(static_cast<int64_t>(i), exact);
    readOutput(rows[i]);
    judgeOutput(slice, rows[i], modelRow);
    if (forward.lse)
      judgeLse(slice, rows[i], modelRow, i);
  }
  if (!slice.original)
    return;
  generate(slice, rows, ValueKind::Unrounded);
  for (size_t i = 0; i < rows.size(); ++i) {
    compute(*slice.original, i);
    readOutput(rows[i]);
    for (size_t c = 0; c < found.size(); ++c)
      outputErrors.addOriginal(found[c], exact.output[c]);
  }
}

static std::vector<TensorError> check(const nlohmann::json &operation,
                                      const Tensors &tensors, uint64_t seed) {
  const Forward forward(operation, tensors);
  ErrorStatistics outputErrors;
  ErrorStatistics lseErrors;
  std::mutex merging;
  for (const SampledGroup &group : sampleRows(forward.shape, seed)) {
    const CheckedSlice slice(forward, group);
    parallelFor(static_cast<int64_t>(group.rows.size()), 64,
                [&](int64_t begin, int64_t end) {
                  Worker worker(forward);
                  worker.check(
                      slice, std::span(group.rows).subspan(begin, end - begin));
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
  const AttentionShape shape =
      shapeOf(tensors.at("q"), tensors.at("k"), tensors.at("v"));
  const double pairs =
      static_cast<double>(shape.batch) * static_cast<double>(shape.queries) *
      static_cast<double>(shape.queryHeads) * static_cast<double>(shape.keys);
  const double full =
      2 * pairs * static_cast<double>(shape.headDim + shape.valueDim);
  return operation.value("causal", false) ? full / 2 : full;
}

const Operation forwardOperation = {
    .kind = "forward", .flops = flops, .check = check, .derivesInputs = false};

} // namespace fa3::run
