//===- fp8_model.cpp - Attention as tensor cores compute it in 8 bits -----===//
//
// Both products as wgmma adds them, to the last bit: per step of 32, terms and
// old sum are cut to 13 bits below the largest exponent (docs/emulator.md). So
// a score is what the kernel has. O is not: where a kernel begins, and when it
// rescales, decides which sums are cut; but here as there a long sum loses what
// is too small beside it.
//
// Probabilities are rounded to e4m3 after a scaling: 2^4 for the largest of the
// row, which leaves the small ones as much as any kernel does. A kernel's
// reference may lag behind the row's maximum, and is an earlier one for earlier
// keys, so that its probabilities lie elsewhere between two powers of two. They
// are rounded at four places, and the row's error is the largest of the four;
// at the second one, 2^(1/4), the largest probability is off by 5.1%, of at
// most 5.9% that are possible. The sum is that of the rounded probabilities or
// that of the unrounded ones, whichever is worse.
//
// LSE: besides the model's error, the sum of rounded probabilities is off by
// each one's rounding, at most 1/17 of it and independent of each other. The
// standard deviation is below 2.7% of the probabilities' Euclidean length, 2^-4
// times three of these lengths is seven of it, and 2^-4 is more than the sum
// can ever be off by.
//
//===----------------------------------------------------------------------===//

#include "forward_model.h"
#include "numeric.h"

#include "emulator/core/TensorCore.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fa3::run {

/// Where the largest probability of a row may lie when it is rounded.
static constexpr int places = 4;
static constexpr double placeExponents[places] = {4, 4.25, 4.5, 4.75};

/// The roundings of a row's probabilities are rows of one product.
static constexpr int64_t rowsOfTile = emulator::kMaxGemmM / places;
static constexpr int64_t step = emulator::kMaxGemmK;
static constexpr int64_t keysAtOnce = emulator::kMaxGemmN;

static emulator::Type factorType(fa3_dtype dtype) {
  return dtype == FA3_DTYPE_E4M3 ? emulator::Type::E4M3 : emulator::Type::E5M2;
}

namespace {

class Fp8Model : public ForwardModel {
public:
  explicit Fp8Model(const Forward &forward);

  int64_t rowsAtOnce() const override { return rowsOfTile; }
  void begin(const Slice &slice, const std::vector<float> &queries,
             std::span<const int64_t> counts) override;
  const ModelRow &compare(int64_t index, const AttendedRow &exact) override;

private:
  /// What is known of one row.
  struct Row {
    int64_t count = 0;   ///< keys
    double largest = 0;  ///< dot product
    double squares = 0;  ///< sum of the weights' squares
    double exactSum = 0; ///< of the weights, which are at most 1
    std::array<double, places> roundedSums{};
  };

  void computeScores(const Slice &slice, const std::vector<float> &queries);
  void computeOutputs(const Slice &slice);
  /// Fills a step's columns of `weights` for one row.
  void roundWeights(int64_t index, int64_t firstKey, double scale);

  const Forward &forward;
  int64_t paddedDim;      ///< of queries and keys: whole steps
  int64_t paddedValueDim; ///< as the product takes it
  int64_t keys = 0;       ///< of the row that attends to most
  double scoreScale = 1;
  double valueScale = 1;
  std::vector<Row> rows;
  std::vector<float> scores;  ///< dot products, by row
  std::vector<float> weights; ///< rounded, of one step: row, place, key
  std::vector<float> sums;    ///< row, place, column
  ModelRow result;
  std::vector<double> candidate;
};

} // namespace

static int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

Fp8Model::Fp8Model(const Forward &forward)
    : forward(forward), paddedDim(roundUp(forward.shape.headDim, step)),
      paddedValueDim(roundUp(forward.shape.valueDim, 8)),
      weights(emulator::kMaxGemmM * step),
      sums(emulator::kMaxGemmM * paddedValueDim) {
  if (paddedValueDim > emulator::kMaxGemmN)
    throw UsageError("the reference knows values with at most " +
                     std::to_string(emulator::kMaxGemmN) + " columns");
}

void Fp8Model::computeScores(const Slice &slice,
                             const std::vector<float> &queries) {
  const auto rowCount = static_cast<int64_t>(rows.size());
  const int64_t dim = forward.shape.headDim;
  std::vector<float> left(rowCount * step);
  std::vector<float> right(step * keysAtOnce);
  std::vector<float> products(rowCount * keysAtOnce);
  for (int64_t first = 0; first < keys; first += keysAtOnce) {
    const int64_t count = std::min(keysAtOnce, keys - first);
    const int64_t columns = roundUp(count, 8);
    const emulator::GemmShape shape = {
        static_cast<uint32_t>(rowCount), static_cast<uint32_t>(columns),
        static_cast<uint32_t>(step),     factorType(forward.q.dtype()),
        factorType(forward.k.dtype()),   /*halfSums=*/false,
        emulator::kKeptBitsFp8};
    std::ranges::fill(products, 0.0f);
    for (int64_t begin = 0; begin < paddedDim; begin += step) {
      const int64_t depth = std::min(step, dim - begin);
      std::ranges::fill(left, 0.0f);
      std::ranges::fill(right, 0.0f);
      for (int64_t i = 0; i < rowCount; ++i)
        std::copy_n(&queries[i * dim + begin], depth, &left[i * step]);
      for (int64_t j = 0; j < count; ++j)
        for (int64_t x = 0; x < depth; ++x)
          right[x * columns + j] = slice.keys.row(first + j)[begin + x];
      multiplyAdd(products.data(), left.data(), right.data(), shape);
    }
    for (int64_t i = 0; i < rowCount; ++i)
      std::copy_n(&products[i * columns], count, &scores[i * keys + first]);
  }
}

void Fp8Model::roundWeights(int64_t index, int64_t firstKey, double scale) {
  Row &row = rows[index];
  float *rounded = &weights[index * places * step];
  const int64_t count = std::clamp<int64_t>(row.count - firstKey, 0, step);
  std::fill_n(rounded, places * step, 0.0f);
  for (int64_t j = 0; j < count; ++j) {
    const double score = scores[index * keys + firstKey + j];
    const double weight = std::exp(scale * (score - row.largest));
    row.exactSum += weight;
    row.squares += weight * weight;
    for (int place = 0; place < places; ++place) {
      const double stored =
          roundTo(FA3_DTYPE_E4M3, weight * std::exp2(placeExponents[place]));
      rounded[place * step + j] = static_cast<float>(stored);
      row.roundedSums[place] += stored;
    }
  }
}

void Fp8Model::computeOutputs(const Slice &slice) {
  const auto rowCount = static_cast<int64_t>(rows.size());
  const int64_t dim = forward.shape.valueDim;
  std::vector<float> right(step * paddedValueDim);
  const emulator::GemmShape shape = {static_cast<uint32_t>(rowCount * places),
                                     static_cast<uint32_t>(paddedValueDim),
                                     static_cast<uint32_t>(step),
                                     emulator::Type::E4M3,
                                     factorType(forward.v.dtype()),
                                     /*halfSums=*/false,
                                     emulator::kKeptBitsFp8};
  std::ranges::fill(sums, 0.0f);
  for (int64_t first = 0; first < keys; first += step) {
    std::ranges::fill(right, 0.0f);
    for (int64_t j = 0; j < std::min(step, keys - first); ++j)
      std::copy_n(slice.values.row(first + j), dim, &right[j * paddedValueDim]);
    for (int64_t i = 0; i < rowCount; ++i)
      roundWeights(i, first, slice.scoreScale);
    multiplyAdd(sums.data(), weights.data(), right.data(), shape);
  }
}

void Fp8Model::begin(const Slice &slice, const std::vector<float> &queries,
                     std::span<const int64_t> counts) {
  scoreScale = slice.scoreScale;
  valueScale = slice.valueScale;
  keys = counts.empty() ? 0 : std::ranges::max(counts);
  rows.assign(counts.size(), Row());
  scores.resize(counts.size() * keys);
  computeScores(slice, queries);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].count = counts[i];
    const float *begin = scores.data() + i * keys;
    if (counts[i] != 0)
      rows[i].largest = *std::max_element(begin, begin + counts[i]);
  }
  computeOutputs(slice);
}

const ModelRow &Fp8Model::compare(int64_t index, const AttendedRow &exact) {
  const Row &row = rows[index];
  result.output.assign(exact.output.size(), 0.0);
  result.outputError = result.lseError = 0;
  if (row.count == 0)
    return result;
  candidate.resize(exact.output.size());
  double lseError = 0;
  // A single score is its own reference.
  for (int place = 0; place < (row.count == 1 ? 1 : places); ++place) {
    const double scale = std::exp2(placeExponents[place]);
    const float *sum = &sums[(index * places + place) * paddedValueDim];
    for (double total : {row.exactSum, row.roundedSums[place] / scale}) {
      double error = 0;
      for (size_t c = 0; c < candidate.size(); ++c) {
        candidate[c] =
            roundTo(forward.o.dtype(), valueScale * sum[c] / scale / total);
        error = std::max(error, std::abs(candidate[c] - exact.output[c]));
      }
      if (error >= result.outputError) {
        result.outputError = error;
        result.output = candidate;
      }
      lseError = std::max(lseError, std::abs(scoreScale * row.largest +
                                             std::log(total) - exact.lse));
    }
  }
  const double length = std::sqrt(row.squares) / row.exactSum;
  result.lseError = 2 * lseError + 0x1p-4 * std::min(1.0, 3 * length);
  return result;
}

std::unique_ptr<ForwardModel> makeFp8Model(const Forward &forward) {
  return std::make_unique<Fp8Model>(forward);
}

} // namespace fa3::run
