//===- fp8_model.cpp - Attention as tensor cores compute it in 8 bits -----===//
//
// Both products as wgmma adds them, to the last bit: per step of 32, terms and
// old sum are cut to 13 bits below the largest exponent (docs/emulator.md). So
// a score is what the kernel has. O is not: where a kernel begins, and when it
// rescales, decides which sums are cut; but here as there a long sum loses what
// is too small beside it.
//
// Probabilities are rounded to e4m3 after a scaling, to 2^4 for the largest of
// the row: that leaves the small ones as much as any kernel does. The sum is
// that of the rounded probabilities or that of the unrounded ones, whichever is
// worse.
//
// A kernel's reference may lag behind the row's maximum, and is an earlier one
// for earlier keys, so that its probabilities lie elsewhere between two powers
// of two and are rounded otherwise. Each is off by at most 1/17, independently
// of each other and with a standard deviation of 2.7%. Three times 2^-4 of the
// Euclidean length of what they are multiplied with is seven standard
// deviations of the sum; 2^-4 of the sum of magnitudes is more than it can be
// off by. The smaller of the two bounds it.
//
//===----------------------------------------------------------------------===//

#include "forward_model.h"
#include "fp8_products.h"
#include "numeric.h"

#include <algorithm>
#include <cmath>

namespace fa3::run {

/// What the largest probability of a row becomes when it is rounded.
static constexpr double probabilityScale = 16;

namespace {

class Fp8Model : public ForwardModel {
public:
  explicit Fp8Model(const Forward &forward);

  int64_t rowsAtOnce() const override { return fp8Rows; }
  void begin(const Slice &slice, const QueryBlock &queries) override;
  const ModelRow &compare(int64_t index, const AttendedRow &exact) override;

private:
  /// What is known of one row.
  struct Row {
    int64_t count = 0;     ///< keys
    double scale = 1;      ///< of dot products
    double largest = 0;    ///< dot product
    double squares = 0;    ///< sum of the weights' squares
    double exactSum = 0;   ///< of the weights, which are at most 1
    double roundedSum = 0; ///< of the rounded ones
  };

  void computeScores(const Slice &slice, const std::vector<float> &queries);
  void computeOutputs(const Slice &slice);
  /// Fills a step's columns of `weights` and `rounded` for one row.
  void computeWeights(int64_t index, int64_t firstKey);
  /// Adds a step's products to `magnitudes` and `squares` of one row.
  void addMagnitudes(int64_t index, const float *values);

  const Forward &forward;
  int64_t paddedValueDim; ///< as the product takes it
  int64_t keys = 0;       ///< of the row that attends to most
  double valueScale = 1;
  std::vector<Row> rows;
  std::vector<float> scores;     ///< dot products with the keys' factors
  std::vector<float> weights;    ///< of one step: row, key
  std::vector<float> rounded;    ///< the same as the product takes them
  std::vector<float> sums;       ///< row, column
  std::vector<float> magnitudes; ///< of the products: their sums
  std::vector<float> squares;    ///< and those of their squares
  ModelRow result;
  std::vector<double> candidate;
};

} // namespace

Fp8Model::Fp8Model(const Forward &forward)
    : forward(forward), paddedValueDim(paddedColumns(forward.shape.valueDim)),
      weights(fp8Rows * fp8Step), rounded(fp8Rows * fp8Step),
      sums(fp8Rows * paddedValueDim), magnitudes(fp8Rows * paddedValueDim),
      squares(fp8Rows * paddedValueDim) {
  if (paddedValueDim > fp8Columns)
    throw UsageError("the reference knows values with at most " +
                     std::to_string(fp8Columns) + " columns");
}

void Fp8Model::computeScores(const Slice &slice,
                             const std::vector<float> &queries) {
  const int64_t dim = forward.shape.headDim;
  multiplyRows(
      {forward.q.dtype(), static_cast<int64_t>(rows.size()),
       [&](int64_t i) { return &queries[i * dim]; }},
      {forward.k.dtype(), keys, [&](int64_t j) { return slice.keys.row(j); }},
      dim, scores);
  if (slice.keyFactors.empty())
    return;
  for (size_t i = 0; i < scores.size(); ++i)
    scores[i] *= slice.keyFactors[i % keys];
}

void Fp8Model::computeWeights(int64_t index, int64_t firstKey) {
  Row &row = rows[index];
  const int64_t count = std::clamp<int64_t>(row.count - firstKey, 0, fp8Step);
  std::fill_n(&weights[index * fp8Step], fp8Step, 0.0f);
  std::fill_n(&rounded[index * fp8Step], fp8Step, 0.0f);
  for (int64_t j = 0; j < count; ++j) {
    const double score = scores[index * keys + firstKey + j];
    const double weight = std::exp(row.scale * (score - row.largest));
    const double stored = roundTo(FA3_DTYPE_E4M3, weight * probabilityScale);
    row.exactSum += weight;
    row.squares += weight * weight;
    row.roundedSum += stored / probabilityScale;
    weights[index * fp8Step + j] = static_cast<float>(weight);
    rounded[index * fp8Step + j] = static_cast<float>(stored);
  }
}

void Fp8Model::addMagnitudes(int64_t index, const float *values) {
  float *sum = &magnitudes[index * paddedValueDim];
  float *squareSum = &squares[index * paddedValueDim];
  for (int64_t j = 0; j < fp8Step; ++j) {
    const float weight = weights[index * fp8Step + j];
    const float *value = &values[j * paddedValueDim];
    for (int64_t c = 0; c < paddedValueDim; ++c) {
      const float term = weight * std::abs(value[c]);
      sum[c] += term;
      squareSum[c] += term * term;
    }
  }
}

void Fp8Model::computeOutputs(const Slice &slice) {
  const auto rowCount = static_cast<int64_t>(rows.size());
  const int64_t dim = forward.shape.valueDim;
  std::vector<float> right(fp8Step * paddedValueDim);
  for (std::vector<float> *total : {&sums, &magnitudes, &squares})
    std::ranges::fill(*total, 0.0f);
  for (int64_t first = 0; first < keys; first += fp8Step) {
    std::ranges::fill(right, 0.0f);
    for (int64_t j = 0; j < std::min(fp8Step, keys - first); ++j)
      std::copy_n(slice.values.row(first + j), dim, &right[j * paddedValueDim]);
    for (int64_t i = 0; i < rowCount; ++i) {
      computeWeights(i, first);
      addMagnitudes(i, right.data());
    }
    addStep(sums.data(), rounded.data(), FA3_DTYPE_E4M3, right.data(),
            forward.v.dtype(), rowCount, paddedValueDim);
  }
}

void Fp8Model::begin(const Slice &slice, const QueryBlock &queries) {
  const std::vector<int64_t> &counts = queries.counts;
  valueScale = slice.valueScale;
  keys = counts.empty() ? 0 : std::ranges::max(counts);
  rows.assign(counts.size(), Row());
  computeScores(slice, queries.values);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].count = counts[i];
    rows[i].scale = queries.scales[i];
    const float *begin = scores.data() + i * keys;
    if (counts[i] != 0)
      rows[i].largest = *std::max_element(begin, begin + counts[i]);
  }
  computeOutputs(slice);
}

/// What rounding weights may cost a sum of products with them, from the sums
/// of the products' magnitudes and squares.
static double roundingBound(double sum, double squareSum) {
  return 0x1p-4 * std::min(sum, 3 * std::sqrt(squareSum));
}

const ModelRow &Fp8Model::compare(int64_t index, const AttendedRow &exact) {
  const Row &row = rows[index];
  result.output.assign(exact.output.size(), 0.0);
  result.rounding.assign(exact.output.size(), 0.0);
  result.outputError = result.lseError = 0;
  if (row.count == 0)
    return result;
  candidate.resize(exact.output.size());
  const float *sum = &sums[index * paddedValueDim];
  for (double total : {row.exactSum, row.roundedSum}) {
    double error = 0;
    for (size_t c = 0; c < candidate.size(); ++c) {
      candidate[c] = roundTo(forward.o.dtype(),
                             valueScale * sum[c] / probabilityScale / total);
      error = std::max(error, std::abs(candidate[c] - exact.output[c]));
    }
    if (error >= result.outputError) {
      result.outputError = error;
      result.output = candidate;
    }
    const double lse = row.scale * row.largest + std::log(total);
    result.lseError = std::max(result.lseError, 2 * std::abs(lse - exact.lse));
  }
  // A single score is its own reference.
  if (row.count == 1)
    return result;
  const int64_t first = index * paddedValueDim;
  for (size_t c = 0; c < candidate.size(); ++c)
    result.rounding[c] =
        valueScale * roundingBound(magnitudes[first + c], squares[first + c]) /
        row.exactSum;
  result.lseError += roundingBound(row.exactSum, row.squares) / row.exactSum;
  return result;
}

std::unique_ptr<ForwardModel> makeFp8Model(const Forward &forward) {
  return std::make_unique<Fp8Model>(forward);
}

} // namespace fa3::run
