//===- backward_reference.cpp - Gradients of attention in fp64 ------------===//
//
// The reference takes the inputs o and lse as they are, rounded.
//
// Tolerance of each row of dq, dk and dv: twice the largest error that the row
// has when it is computed as PyTorch does (fp32 scores; probabilities, their
// gradients and the result rounded to the type), plus one unit in the last
// place of the row's largest element, plus what fp32 arithmetic may cost where
// large products cancel (see Pair). Rows that depend on nothing are exactly 0.
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
  const bool isZero = largest == 0 && gradient.uncertainty == 0;
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

static void checkQueries(const Backward &backward, uint64_t seed,
                         JudgedTensor &dq) {
  for (const SampledGroup &group : sampleRows(backward.shape, seed)) {
    const HeadRows keys(backward.k, group.batch, group.keyHead);
    const HeadRows values(backward.v, group.batch, group.keyHead);
    parallelFor(static_cast<int64_t>(group.rows.size()), 4,
                [&](int64_t begin, int64_t end) {
                  for (int64_t i = begin; i < end; ++i) {
                    const auto [head, query] = group.rows[i];
                    const QueryRow row(backward, group.batch, head, query);
                    checkRow(queryGradient(backward, row, query, keys, values),
                             group.batch, query, head, dq);
                  }
                });
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
    const HeadRows keys(backward.k, group.batch, group.keyHead);
    const HeadRows values(backward.v, group.batch, group.keyHead);
    std::vector<KeyGradients> gradients(group.rows.size(),
                                        KeyGradients(backward.shape));
    const auto forEachKey = [&](const auto &body) {
      parallelFor(static_cast<int64_t>(gradients.size()), 4,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i)
                      body(gradients[i], group.rows[i].query);
                  });
    };
    for (int64_t head = 0; head < backward.ratio(); ++head) {
      const std::vector<QueryRow> queries = queriesOfHead(
          backward, group.batch, backward.firstQueryHead(group.keyHead) + head);
      forEachKey([&](KeyGradients &gradient, int64_t key) {
        gradient.add(backward, queries, key, keys, values);
      });
    }
    forEachKey([&](KeyGradients &gradient, int64_t key) {
      gradient.finish(backward);
      checkRow(gradient.key, group.batch, key, group.keyHead, dk);
      checkRow(gradient.value, group.batch, key, group.keyHead, dv);
    });
  }
}

static std::vector<TensorError> check(const nlohmann::json &operation,
                                      const Tensors &tensors, uint64_t seed) {
  const Backward backward(operation, tensors);
  JudgedTensor dq(tensors.at("dq"));
  JudgedTensor dk(tensors.at("dk"));
  JudgedTensor dv(tensors.at("dv"));
  for (const char *name : {"q", "k", "v", "o", "do", "dq", "dk", "dv"})
    requireHalfPrecision(tensors.at(name));
  checkQueries(backward, seed, dq);
  checkKeys(backward, seed, dk, dv);
  return {dq.summarize(), dk.summarize(), dv.summarize()};
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
