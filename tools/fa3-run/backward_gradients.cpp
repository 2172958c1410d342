//===- backward_gradients.cpp - Rows of attention's gradients -------------===//

#include "backward_gradients.h"

#include "fp8_products.h"
#include "numeric.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fa3::run {

namespace {

/// The products of every score of some keys and queries, as tensor cores sum
/// them.
class ProductTable {
public:
  /// Queries are on one side, with q and do, and keys on the other.
  ProductTable(const Backward &backward, const Fp8Rows &scoreLeft,
               const Fp8Rows &scoreRight, const Fp8Rows &riseLeft,
               const Fp8Rows &riseRight)
      : columns(scoreRight.count) {
    multiplyRows(scoreLeft, scoreRight, backward.shape.headDim, scores);
    multiplyRows(riseLeft, riseRight, backward.shape.valueDim, rises);
  }

  ScoreProducts at(int64_t row, int64_t column) const {
    return {scores[row * columns + column], rises[row * columns + column]};
  }

private:
  int64_t columns;
  std::vector<float> scores;
  std::vector<float> rises;
};

} // namespace

static Fp8Rows rowsOf(const Backward &backward,
                      std::span<const QueryRow> queries,
                      std::vector<float> QueryRow::*member) {
  const Tensor &tensor =
      member == &QueryRow::q ? backward.q : backward.outputGradient;
  return {tensor.dtype(), static_cast<int64_t>(queries.size()),
          [=](int64_t i) { return (queries[i].*member).data(); }};
}

int64_t gradientRowsAtOnce(const Backward &backward) {
  return backward.hasFp8() ? fp8Rows : 4;
}

void GradientRow::add(double weight, double error, const float *row) {
  for (size_t c = 0; c < exact.size(); ++c)
    exact[c] += weight * row[c];
  uncertainty += error;
}

void GradientRow::finish(double factor, const WeightedSums &sums,
                         int64_t result, double sumFactor, fa3_dtype dtype) {
  for (double &element : exact)
    element *= factor;
  for (size_t c = 0; c < model.size(); ++c)
    model[c] =
        roundTo(dtype, sums.at(result, static_cast<int64_t>(c)) * sumFactor);
  uncertainty = uncertainty * factor + sums.orderError(result) * sumFactor;
}

void LargestGradient::add(const ExactScore &exactScore,
                          const ModelScore &modelScore) {
  exact = std::max(exact, std::abs(exactScore.gradient));
  const double magnitude = std::abs(modelScore.gradient);
  model = std::max(model, magnitude);
  bound = std::max(bound, magnitude + modelScore.gradientError);
}

void LargestGradient::merge(const LargestGradient &other) {
  exact = std::max(exact, other.exact);
  model = std::max(model, other.model);
  bound = std::max(bound, other.bound);
}

std::vector<GradientRow> queryGradients(const Backward &backward,
                                        const GradientSlice &slice,
                                        std::span<const QueryRow> queries,
                                        LargestGradient &largest) {
  const auto count = static_cast<int64_t>(queries.size());
  const auto &[keys, values, factors] = slice;
  int64_t visible = 0;
  for (const QueryRow &query : queries)
    visible = std::max(visible, backward.visibleKeys(query.index));
  std::optional<ProductTable> table;
  if (backward.hasFp8())
    table.emplace(backward, rowsOf(backward, queries, &QueryRow::q),
                  Fp8Rows{backward.k.dtype(), visible,
                          [&](int64_t j) { return slice.keys.row(j); }},
                  rowsOf(backward, queries, &QueryRow::outputGradient),
                  Fp8Rows{backward.v.dtype(), visible,
                          [&](int64_t j) { return slice.values.row(j); }});
  const auto modelOf = [&](int64_t i, int64_t key, const ExactScore &exact,
                           double factor) {
    const auto products =
        table ? std::optional(table->at(i, key)) : std::nullopt;
    return ModelScore(backward, slice, queries[i], key, exact,
                      products ? &*products : nullptr, factor);
  };

  std::vector<double> stored(count, factors.stored);
  if (backward.hasRowFactors())
    for (int64_t i = 0; i < count; ++i) {
      double ofRow = 0;
      for (int64_t key = 0; key < backward.visibleKeys(queries[i].index); ++key)
        ofRow = std::max(
            ofRow, std::abs(modelOf(i, key, ExactScore(slice, queries[i], key),
                                    factors.stored)
                                .gradient));
      stored[i] = Backward::rowFactor(ofRow);
    }

  std::vector<GradientRow> gradients(count,
                                     GradientRow(backward.shape.headDim));
  WeightedSums sums(count, backward.shape.headDim, backward.gradientType,
                    backward.k.dtype());
  for (int64_t first = 0; first < visible; first += fp8Step) {
    const int64_t inStep = std::min(fp8Step, visible - first);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < inStep; ++j) {
        const int64_t key = first + j;
        if (key >= backward.visibleKeys(queries[i].index))
          break;
        const ExactScore exact(slice, queries[i], key);
        const ModelScore model = modelOf(i, key, exact, stored[i]);
        gradients[i].add(exact.gradient,
                         model.storedGradientError * keys.largest,
                         keys.row(key));
        sums.weights(i)[j] = static_cast<float>(model.storedGradient);
        largest.add(exact, model);
      }
    sums.addStep([&](int64_t j) { return slice.keys.row(first + j); }, inStep);
  }
  for (int64_t i = 0; i < count; ++i)
    gradients[i].finish(factors.query, sums, i, factors.query / stored[i],
                        backward.o.dtype());
  return gradients;
}

KeyGradients::KeyGradients(const Backward &backward, const GradientSlice &slice,
                           std::vector<int64_t> keyIndices)
    : backward(backward), slice(slice), keys(std::move(keyIndices)),
      largest(keys.size()),
      keyRows(keys.size(), GradientRow(backward.shape.headDim)),
      valueRows(keys.size(), GradientRow(backward.shape.valueDim)),
      keySums(static_cast<int64_t>(keys.size()), backward.shape.headDim,
              backward.gradientType, backward.q.dtype()),
      valueSums(static_cast<int64_t>(keys.size()), backward.shape.valueDim,
                backward.probabilityType, backward.outputGradient.dtype()) {}

std::span<const QueryRow>
KeyGradients::seeing(const std::vector<QueryRow> &allQueries) const {
  int64_t begin = backward.shape.queries;
  for (int64_t key : keys)
    begin = std::min(begin, backward.firstQuery(key));
  // Steps begin where a tile may begin.
  begin = begin / fp8Step * fp8Step;
  return std::span(allQueries).subspan(begin);
}

double KeyGradients::storedFactor(int64_t i) const {
  return backward.hasRowFactors() ? Backward::rowFactor(largest[i])
                                  : slice.factors.stored;
}

template <typename Score, typename Step>
void KeyGradients::visit(std::span<const QueryRow> queries, Score visitScore,
                         Step visitStep) const {
  const auto count = static_cast<int64_t>(keys.size());
  std::optional<ProductTable> table;
  if (backward.hasFp8())
    table.emplace(backward,
                  Fp8Rows{backward.k.dtype(), count,
                          [&](int64_t i) { return slice.keys.row(keys[i]); }},
                  rowsOf(backward, queries, &QueryRow::q),
                  Fp8Rows{backward.v.dtype(), count,
                          [&](int64_t i) { return slice.values.row(keys[i]); }},
                  rowsOf(backward, queries, &QueryRow::outputGradient));

  const auto queryCount = static_cast<int64_t>(queries.size());
  for (int64_t first = 0; first < queryCount; first += fp8Step) {
    const int64_t inStep = std::min(fp8Step, queryCount - first);
    for (int64_t i = 0; i < count; ++i) {
      const double factor = storedFactor(i);
      for (int64_t j = 0; j < inStep; ++j) {
        const QueryRow &query = queries[first + j];
        if (query.index < backward.firstQuery(keys[i]))
          continue;
        const ExactScore exact(slice, query, keys[i]);
        const auto products =
            table ? std::optional(table->at(i, first + j)) : std::nullopt;
        visitScore(i, j, query, exact,
                   ModelScore(backward, slice, query, keys[i], exact,
                              products ? &*products : nullptr, factor));
      }
    }
    visitStep(first, inStep);
  }
}

void KeyGradients::look(const std::vector<QueryRow> &allQueries) {
  visit(
      seeing(allQueries),
      [&](int64_t i, int64_t, const QueryRow &, const ExactScore &,
          const ModelScore &model) {
        largest[i] = std::max(largest[i], std::abs(model.gradient));
      },
      [](int64_t, int64_t) {});
}

void KeyGradients::add(const std::vector<QueryRow> &allQueries) {
  const std::span<const QueryRow> queries = seeing(allQueries);
  visit(
      queries,
      [&](int64_t i, int64_t j, const QueryRow &query, const ExactScore &exact,
          const ModelScore &model) {
        keyRows[i].add(exact.gradient,
                       model.storedGradientError * query.queryLength,
                       query.q.data());
        valueRows[i].add(exact.probability,
                         model.storedProbabilityError * query.gradientLength,
                         query.outputGradient.data());
        keySums.weights(i)[j] = static_cast<float>(model.storedGradient);
        valueSums.weights(i)[j] = static_cast<float>(model.storedProbability);
      },
      [&](int64_t first, int64_t inStep) {
        keySums.addStep([&](int64_t j) { return queries[first + j].q.data(); },
                        inStep);
        valueSums.addStep(
            [&](int64_t j) { return queries[first + j].outputGradient.data(); },
            inStep);
      });
}

void KeyGradients::finish() {
  const GradientFactors &factors = slice.factors;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    keyRows[i].finish(factors.key, keySums, index,
                      factors.key / storedFactor(index), backward.o.dtype());
    valueRows[i].finish(factors.value, valueSums, index,
                        factors.value / backward.probabilityScale,
                        backward.o.dtype());
  }
}

} // namespace fa3::run
