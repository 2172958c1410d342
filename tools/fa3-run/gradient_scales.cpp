//===- gradient_scales.cpp - What gradients of scores are multiplied with -===//

#include "gradient_scales.h"

#include "parallel.h"
#include "problem.h"
#include "score_gradient.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace fa3::run {

/// Multiply-adds that may be spent: a second on two cores.
static constexpr double budget = 2e9;

static constexpr double largestE4m3 = 448;
/// Room above the largest gradient that was seen, when not all were.
static constexpr double headroom = 2;

/// What tensor cores leave of products that cancel each other, relative to the
/// lengths of the rows. Gradients are not below that.
static constexpr double cancellation = 0x1p-12;

/// The queries of a head to look at: among few keys a probability, and so a
/// gradient, is larger. Therefore half of them are the first that see a key.
static std::vector<int64_t> chooseQueries(const Backward &backward,
                                          int64_t wanted) {
  const int64_t first =
      std::min(backward.firstQuery(0), backward.shape.queries);
  const int64_t seeing = backward.shape.queries - first;
  std::vector<int64_t> queries;
  if (wanted >= seeing) {
    for (int64_t i = 0; i < seeing; ++i)
      queries.push_back(first + i);
    return queries;
  }
  const int64_t leading = wanted / 2;
  for (int64_t i = 0; i < leading; ++i)
    queries.push_back(first + i);
  for (int64_t i = leading; i < wanted; ++i)
    queries.push_back(first +
                      (i - leading + 1) * (seeing - 1) / (wanted - leading));
  return queries;
}

static double largestGradient(const Backward &backward, int64_t batch,
                              int64_t keyHead,
                              const std::vector<int64_t> &queries) {
  const GradientSlice slice(backward, batch, keyHead);
  const auto perHead = static_cast<int64_t>(queries.size());
  double largest = 0;
  std::mutex merging;
  parallelFor(perHead * backward.ratio(), 4, [&](int64_t begin, int64_t end) {
    double ofPart = 0;
    for (int64_t i = begin; i < end; ++i) {
      const QueryRow query(backward, batch,
                           backward.firstQueryHead(keyHead) + i / perHead,
                           queries[i % perHead]);
      const double gradientLength = slice.factors.rise * query.gradientLength;
      for (int64_t key = 0; key < backward.visibleKeys(query.index); ++key) {
        const ExactScore score(slice, query, key);
        const double least = cancellation * score.probability * gradientLength *
                             slice.values.lengths[key];
        ofPart = std::max({ofPart, least, std::abs(score.gradient)});
      }
    }
    const std::lock_guard<std::mutex> lock(merging);
    largest = std::max(largest, ofPart);
  });
  return largest;
}

void makeGradientScales(const nlohmann::json &operation,
                        std::vector<Tensor> &tensors) {
  if (!Tensors(tensors).find("ds_scale"))
    return;
  Tensor &scales = findTensor(tensors, "ds_scale");
  scales.replaceValues();
  const Backward backward(operation, Tensors(tensors));
  const AttentionShape &shape = backward.shape;
  const double rowCost = static_cast<double>(std::max<int64_t>(
                             1, shape.batch * shape.queryHeads * shape.keys)) *
                         static_cast<double>(shape.headDim + shape.valueDim);
  const std::vector<int64_t> queries = chooseQueries(
      backward, std::max<int64_t>(4, static_cast<int64_t>(budget / rowCost)));
  const bool all =
      static_cast<int64_t>(queries.size()) ==
      shape.queries - std::min(backward.firstQuery(0), shape.queries);
  std::vector<float> row(shape.keyHeads);
  for (int64_t batch = 0; batch < shape.batch; ++batch) {
    for (int64_t head = 0; head < shape.keyHeads; ++head) {
      const double largest = largestGradient(backward, batch, head, queries);
      row[head] = largest == 0
                      ? 1.0f
                      : static_cast<float>(largestE4m3 /
                                           (largest * (all ? 1 : headroom)));
    }
    scales.setRow(batch, row.data());
  }
}

} // namespace fa3::run
