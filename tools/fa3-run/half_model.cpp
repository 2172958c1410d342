//===- half_model.cpp - Attention as PyTorch computes it in 16 bits -------===//

#include "forward_model.h"
#include "numeric.h"

#include <algorithm>
#include <cmath>

namespace fa3::run {

namespace {

class HalfModel : public ForwardModel {
public:
  explicit HalfModel(const Forward &forward) : forward(forward) {}

  int64_t rowsAtOnce() const override { return 1; }
  void begin(const Slice &newSlice, const QueryBlock &newQueries) override {
    slice = &newSlice;
    queries = &newQueries;
  }
  const ModelRow &compare(int64_t index, const AttendedRow &exact) override;

private:
  const Forward &forward;
  const Slice *slice = nullptr;
  const QueryBlock *queries = nullptr;
  ModelRow row;
};

} // namespace

const ModelRow &HalfModel::compare(int64_t index, const AttendedRow &exact) {
  const int64_t keys = queries->counts[index];
  row.output.assign(exact.output.size(), 0.0);
  row.rounding.assign(exact.output.size(), 0.0);
  // A quarter of the unit in the last place of 1: what summing rounded
  // probabilities may cost.
  row.lseError = unitInLastPlace(forward.q.dtype(), 1) / 4;
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
    const float *value = slice->values.row(j);
    for (size_t c = 0; c < row.output.size(); ++c)
      row.output[c] += rounded * value[c];
  }
  row.outputError = 0;
  for (size_t c = 0; c < row.output.size(); ++c) {
    row.output[c] = roundTo(forward.o.dtype(), row.output[c]);
    row.outputError =
        std::max(row.outputError, std::abs(row.output[c] - exact.output[c]));
  }
  return row;
}

std::unique_ptr<ForwardModel> makeHalfModel(const Forward &forward) {
  return std::make_unique<HalfModel>(forward);
}

} // namespace fa3::run
