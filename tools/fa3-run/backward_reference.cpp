//===- backward_reference.cpp - Gradients of attention in fp64 ------------===//
//
// The reference takes the inputs o and lse as they are, rounded.
//
// Tolerance of each row of dq, dk and dv: twice the largest error that the row
// has when it is computed in the precision of kernels, plus one unit in the
// last place of the row's largest element, plus what fp32 arithmetic may cost
// (score_gradient.h) and what another order of 8-bit sums (weighted_sums.h).
// Rows that depend on nothing are exactly 0.
//
// The precision of kernels: fp32 scores; probabilities, their gradients and the
// result rounded to the type. With 8-bit inputs all products of two 8-bit
// operands are summed as tensor cores do, and probabilities are rounded after a
// scaling by 2^8, gradients by ds_scale or, without it, by a power of two for
// each row.
//
// ds_amax is the largest of all gradients of a head's scores. Where only some
// queries are checked, it must not be below theirs.
//
//===----------------------------------------------------------------------===//

#include "backward_gradients.h"
#include "error_statistics.h"
#include "numeric.h"
#include "parallel.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <optional>

namespace fa3::run {

static std::string describe(const std::string &tensor, int64_t batch,
                            int64_t row, int64_t head, size_t column,
                            double found, double expected, double tolerance) {
  char text[256];
  (void)std::snprintf(text, sizeof(text),
                      "%s at batch %lld, head %lld, row %lld, column %zu is "
                      "%g, expected %g +- %g",
                      tensor.c_str(), static_cast<long long>(batch),
                      static_cast<long long>(head), static_cast<long long>(row),
                      column, found, expected, tolerance);
  return text;
}

static void checkRow(const GradientRow &gradient, int64_t batch, int64_t row,
                     int64_t head, JudgedTensor &judged) {
  const Tensor &tensor = judged.tensor();
  double modelError = 0;
  double largest = 0;
  for (size_t c = 0; c < gradient.exact.size(); ++c) {
    modelError =
        std::max(modelError, std::abs(gradient.model[c] - gradient.exact[c]));
    largest = std::max(largest, std::abs(gradient.exact[c]));
  }
  const bool isZero =
      largest == 0 && modelError == 0 && gradient.uncertainty == 0;
  const double tolerance =
      isZero ? 0
             : 2 * modelError + unitInLastPlace(tensor.dtype(), largest) +
                   gradient.uncertainty;
  std::vector<float> found(gradient.exact.size());
  tensor.readRow(tensor.rowAt({batch, row, head}), found.data());
  ErrorStatistics statistics;
  for (size_t c = 0; c < found.size(); ++c)
    if (!statistics.add(found[c], gradient.exact[c], gradient.model[c],
                        tolerance))
      statistics.describe(describe(tensor.name(), batch, row, head, c, found[c],
                                   gradient.exact[c], tolerance));
  judged.merge(statistics);
}

/// Whether all queries of a group's heads are checked.
static bool isWhole(const Backward &backward, const SampledGroup &group) {
  return static_cast<int64_t>(group.rows.size()) ==
         backward.shape.queries * backward.ratio();
}

static void checkLargest(const Backward &backward, const SampledGroup &group,
                         const LargestGradient &largest, JudgedTensor &judged) {
  const Tensor &tensor = judged.tensor();
  const double found = tensor.readElement(group.batch, group.keyHead);
  const double tolerance = 2 * std::abs(largest.model - largest.exact) +
                           (largest.bound - largest.model) +
                           unitInLastPlace(tensor.dtype(), largest.exact);
  const double expected =
      isWhole(backward, group) ? largest.exact : std::max(largest.exact, found);
  ErrorStatistics statistics;
  if (!statistics.add(found, expected, largest.model,
                      largest.bound == 0 ? 0 : tolerance))
    statistics.describe(describe(tensor.name(), group.batch, 0, group.keyHead,
                                 0, found, expected, tolerance));
  judged.merge(statistics);
}

static void checkQueries(const Backward &backward, uint64_t seed,
                         JudgedTensor &dq, JudgedTensor *largestGradient) {
  for (const SampledGroup &group : sampleRows(backward.shape, seed)) {
    const GradientSlice slice(backward, group.batch, group.keyHead);
    LargestGradient largest;
    std::mutex merging;
    parallelFor(static_cast<int64_t>(group.rows.size()),
                gradientRowsAtOnce(backward), [&](int64_t begin, int64_t end) {
                  std::vector<QueryRow> queries;
                  for (int64_t i = begin; i < end; ++i)
                    queries.emplace_back(backward, group.batch,
                                         group.rows[i].queryHead,
                                         group.rows[i].query);
                  LargestGradient ofRows;
                  const std::vector<GradientRow> gradients =
                      queryGradients(backward, slice, queries, ofRows);
                  for (int64_t i = begin; i < end; ++i)
                    checkRow(gradients[i - begin], group.batch,
                             group.rows[i].query, group.rows[i].queryHead, dq);
                  const std::lock_guard<std::mutex> lock(merging);
                  largest.merge(ofRows);
                });
    if (largestGradient)
      checkLargest(backward, group, largest, *largestGradient);
  }
}

/// The problem as a key sees it: all queries that may attend to it are its
/// keys.
static AttentionShape transposed(const Backward &backward) {
  const AttentionShape &shape = backward.shape;
  return {shape.batch,
          shape.keyHeads,
          shape.keyHeads,
          shape.keys,
          shape.keyHeads ? shape.queries * backward.ratio() : 0,
          shape.headDim,
          shape.valueDim};
}

static void checkKeys(const Backward &backward, uint64_t seed, JudgedTensor &dk,
                      JudgedTensor &dv) {
  for (const SampledGroup &group : sampleRows(transposed(backward), seed)) {
    const GradientSlice slice(backward, group.batch, group.keyHead);
    std::vector<KeyGradients> parts;
    const auto rows = static_cast<int64_t>(group.rows.size());
    const int64_t atOnce = gradientRowsAtOnce(backward);
    for (int64_t first = 0; first < rows; first += atOnce) {
      std::vector<int64_t> keys;
      for (int64_t i = first; i < std::min(first + atOnce, rows); ++i)
        keys.push_back(group.rows[i].query);
      parts.emplace_back(backward, slice, std::move(keys));
    }
    const auto forEachPart = [&](const auto &body) {
      parallelFor(static_cast<int64_t>(parts.size()), 1,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i)
                      body(parts[i]);
                  });
    };
    const auto showHeads =
        [&](void (KeyGradients::*visit)(const std::vector<QueryRow> &)) {
          for (int64_t head = 0; head < backward.ratio(); ++head) {
            const std::vector<QueryRow> queries =
                queriesOfHead(backward, group.batch,
                              backward.firstQueryHead(group.keyHead) + head);
            forEachPart(
                [&](KeyGradients &gradients) { (gradients.*visit)(queries); });
          }
        };
    if (backward.hasRowFactors())
      showHeads(&KeyGradients::look);
    showHeads(&KeyGradients::add);
    forEachPart([&](KeyGradients &gradients) {
      gradients.finish();
      const std::vector<int64_t> &keys = gradients.indices();
      for (size_t i = 0; i < keys.size(); ++i) {
        checkRow(gradients.key(i), group.batch, keys[i], group.keyHead, dk);
        checkRow(gradients.value(i), group.batch, keys[i], group.keyHead, dv);
      }
    });
  }
}

/// Throws UsageError for element types that the reference does not know.
static void requireTypes(const Backward &backward,
                         const nlohmann::json &operation,
                         const Tensors &tensors) {
  for (const char *name : {"dq", "dk", "dv"}) {
    requireHalfPrecision(tensors.at(name));
    if (backward.hasFp8())
      requireType(operation, "output_dtype", tensors.at(name));
  }
  if (!backward.hasFp8())
    for (const char *name : {"q", "k", "v", "o", "do"})
      requireHalfPrecision(tensors.at(name));
}

static std::vector<TensorError> check(const nlohmann::json &operation,
                                      const Tensors &tensors, uint64_t seed) {
  const Backward backward(operation, tensors);
  requireTypes(backward, operation, tensors);
  JudgedTensor dq(tensors.at("dq"));
  JudgedTensor dk(tensors.at("dk"));
  JudgedTensor dv(tensors.at("dv"));
  std::optional<JudgedTensor> largest;
  if (const Tensor *tensor = tensors.find("ds_amax"))
    largest.emplace(*tensor);
  checkQueries(backward, seed, dq, largest ? &*largest : nullptr);
  checkKeys(backward, seed, dk, dv);
  std::vector<TensorError> errors = {dq.summarize(), dk.summarize(),
                                     dv.summarize()};
  if (largest)
    errors.push_back(largest->summarize());
  return errors;
}

/// Five products where the forward pass has two.
static double flops(const nlohmann::json &operation, const Tensors &tensors) {
  const Backward backward(operation, tensors);
  const AttentionShape &shape = backward.shape;
  const double pairs =
      static_cast<double>(shape.batch) * static_cast<double>(shape.queryHeads) *
      static_cast<double>(shape.queries) * static_cast<double>(shape.keys);
  const double full =
      2 * pairs * static_cast<double>(3 * shape.headDim + 2 * shape.valueDim);
  return backward.causal ? full / 2 : full;
}

const Operation backwardOperation = {
    .kind = "backward", .flops = flops, .check = check, .derivesInputs = true};

} // namespace fa3::run
