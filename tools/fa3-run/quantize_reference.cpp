//===- quantize_reference.cpp - Quantization in fp64 ----------------------===//
//
// A descale is the fp32 quotient of the largest magnitude, of a group of heads
// or of a row, and the largest number of the type. Every element of y lies
// between the roundings of what its quotient by the descale as it was found may
// be: fp32 division costs it a unit in the last place, and a rotation in fp32 a
// little more.
//
//===----------------------------------------------------------------------===//

#include "attention.h"
#include "error_statistics.h"
#include "key_order.h"
#include "numeric.h"
#include "parallel.h"
#include "reference.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <tuple>
#include <utility>

namespace fa3::run {

namespace {

/// What fp32 rotation may cost, relative to the sum of the magnitudes that it
/// adds up: tensor cores cut each of up to 64 terms and the sums, 16 terms at a
/// time, at 2^-25 of the largest; additions and the scaling round at 2^-24.
constexpr double rotationError = 0x1p-19;
/// What a division in fp32 may cost, relatively.
constexpr double divisionError = 0x1p-23;

/// The problem.
struct Quantization {
  Quantization(const nlohmann::json &operation, const Tensors &tensors);

  int64_t headsPerGroup() const { return heads / groups; }
  /// Whether each row has a factor of its own; there are no groups then.
  bool hasRowFactors() const { return descale.sizes().size() == 3; }

  const Tensor &x;
  const Tensor &y;
  const Tensor &descale;
  bool isRotated;
  bool isTransposed;
  int64_t batch, rows, heads, groups, columns;
  double range; ///< the largest number of the type
};

/// What is quantized of one head, before it is divided.
struct HeadMatrix {
  HeadMatrix(const Quantization &problem, int64_t batch, int64_t head);

  int64_t columns;
  std::vector<double> values;
  std::vector<double> uncertainty; ///< of each row's values
};

/// What a factor is made of.
struct Extremes {
  /// Takes another row's values in.
  void add(const HeadMatrix &matrix, int64_t row);

  double largest = 0;     ///< magnitude
  double uncertainty = 0; ///< of the magnitudes
};

} // namespace

Quantization::Quantization(const nlohmann::json &operation,
                           const Tensors &tensors)
    : x(tensors.at("x")), y(tensors.at("y")), descale(tensors.at("descale")),
      isRotated(operation.value("rotate", false)),
      isTransposed(operation.value("value_layout", "rows") == "columns") {
  static constexpr std::array attributes = {
      "kind", "dtype", "output_dtype", "head_dim", "rotate", "value_layout"};
  for (const auto &member : operation.items())
    if (!std::ranges::count(attributes, member.key()))
      throw UsageError("the reference of 'quantize' does not know attribute '" +
                       member.key() + "'");
  requireHeads(x);
  requireHeads(y);
  requireHalfPrecision(x);
  if (!isFp8(y.dtype()))
    throw UsageError("the reference knows 'y' in e4m3 and e5m2 only");
  if (descale.sizes().size() != (hasRowFactors() ? 3 : 2))
    throw UsageError("'descale' must have 2 or 3 dimensions");
  if (hasRowFactors() && isTransposed)
    throw UsageError("rows that are transposed have no factors");
  batch = x.sizes()[0];
  rows = x.sizes()[1];
  heads = x.sizes()[2];
  columns = x.sizes()[3];
  groups = descale.sizes()[1];
  if (hasRowFactors() && descale.sizes() != std::vector{batch, heads, rows})
    throw UsageError("'descale' must have dimensions (batch, heads, seqlen)");
  range = y.dtype() == FA3_DTYPE_E4M3 ? 448 : 57344;
}

/// Multiplies blocks of a row by orthonormal Hadamard matrices, and returns the
/// largest sum of magnitudes that is scaled to an element.
static double rotate(double *row, int64_t columns) {
  const int64_t size = columns & -columns;
  const double norm = 1 / std::sqrt(static_cast<double>(size));
  double largest = 0;
  for (int64_t first = 0; first < columns; first += size) {
    double *block = row + first;
    double sum = 0;
    for (int64_t i = 0; i < size; ++i)
      sum += std::abs(block[i]);
    largest = std::max(largest, sum * norm);
    for (int64_t step = 1; step < size; step *= 2)
      for (int64_t i = 0; i < size; ++i)
        if ((i & step) == 0)
          std::tie(block[i], block[i | step]) =
              std::pair(block[i] + block[i | step], block[i] - block[i | step]);
    for (int64_t i = 0; i < size; ++i)
      block[i] *= norm;
  }
  return largest;
}

HeadMatrix::HeadMatrix(const Quantization &problem, int64_t batch, int64_t head)
    : columns(problem.columns), values(problem.rows * columns),
      uncertainty(problem.rows) {
  parallelFor(problem.rows, 64, [&](int64_t begin, int64_t end) {
    std::vector<float> stored(columns);
    for (int64_t row = begin; row < end; ++row) {
      problem.x.generateRow(problem.x.rowAt({batch, row, head}), stored.data());
      double *target = &values[row * columns];
      std::ranges::copy(stored, target);
      if (problem.isRotated)
        uncertainty[row] = rotationError * rotate(target, columns);
    }
  });
}

static std::string describe(const std::string &tensor, int64_t batch,
                            int64_t head, int64_t row, int64_t column,
                            double found, double least, double most) {
  char text[256];
  (void)std::snprintf(text, sizeof(text),
                      "%s at batch %lld, head %lld, row %lld, column %lld is "
                      "%g, expected %g to %g",
                      tensor.c_str(), static_cast<long long>(batch),
                      static_cast<long long>(head), static_cast<long long>(row),
                      static_cast<long long>(column), found, least, most);
  return text;
}

void Extremes::add(const HeadMatrix &matrix, int64_t row) {
  const auto values =
      std::span(matrix.values).subspan(row * matrix.columns, matrix.columns);
  for (const double value : values)
    largest = std::max(largest, std::abs(value));
  uncertainty = std::max(uncertainty, matrix.uncertainty[row]);
}

/// Compares the factor of a group or of a head's row, and returns it as it was
/// found.
static double checkFactor(const Quantization &problem, const Extremes &extremes,
                          int64_t batch, int64_t head, int64_t row,
                          ErrorStatistics &statistics) {
  const Tensor &descale = problem.descale;
  const double found =
      problem.hasRowFactors()
          ? descale.readElement(descale.rowAt({batch, head}), row)
          : descale.readElement(batch, head);
  const double exact =
      extremes.largest == 0 ? 1 : extremes.largest / problem.range;
  const double rounded = roundTo(FA3_DTYPE_F32, exact);
  const double tolerance =
      extremes.uncertainty == 0
          ? 0
          : extremes.uncertainty / problem.range + divisionError * exact;
  if (!statistics.add(found, rounded, rounded, tolerance))
    statistics.describe(describe("descale", batch, head, row, 0, found,
                                 rounded - tolerance, rounded + tolerance));
  return found;
}

/// Compares the factor of a group, and returns it.
static double checkGroupFactor(const Quantization &problem, int64_t batch,
                               int64_t group, JudgedTensor &judged) {
  Extremes extremes;
  for (int64_t i = 0; i < problem.headsPerGroup(); ++i) {
    const HeadMatrix matrix(problem, batch,
                            group * problem.headsPerGroup() + i);
    for (int64_t row = 0; row < problem.rows; ++row)
      extremes.add(matrix, row);
  }
  ErrorStatistics statistics;
  const double found =
      checkFactor(problem, extremes, batch, group, 0, statistics);
  judged.merge(statistics);
  return found;
}

/// Compares an element of y that may be the quotient of value +- uncertainty.
static void checkElement(const Quantization &problem, double found,
                         double value, double uncertainty, double descale,
                         int64_t batch, int64_t head, int64_t row,
                         int64_t column, ErrorStatistics &statistics) {
  const auto bound = [&](double sign) {
    const double numerator = value + sign * uncertainty;
    const double quotient =
        (numerator + sign * divisionError * std::abs(numerator)) / descale;
    return roundTo(problem.y.dtype(),
                   std::clamp(quotient, -problem.range, problem.range));
  };
  const double least = bound(-1);
  const double most = bound(1);
  const double expected =
      roundTo(problem.y.dtype(),
              std::clamp(value / descale, -problem.range, problem.range));
  const double tolerance =
      found < expected ? expected - least : most - expected;
  if (!statistics.add(found, expected, expected, tolerance))
    statistics.describe(
        describe("y", batch, head, row, column, found, least, most));
}

static void checkRow(const Quantization &problem, const HeadMatrix &matrix,
                     double descale, int64_t batch, int64_t head, int64_t row,
                     ErrorStatistics &statistics) {
  std::vector<float> found(matrix.columns);
  problem.y.readRow(problem.y.rowAt({batch, row, head}), found.data());
  for (int64_t column = 0; column < matrix.columns; ++column)
    checkElement(
        problem, found[column], matrix.values[row * matrix.columns + column],
        matrix.uncertainty[row], descale, batch, head, row, column, statistics);
}

static void checkRows(const Quantization &problem, int64_t batch, int64_t head,
                      double descale, JudgedTensor &judged) {
  const HeadMatrix matrix(problem, batch, head);
  parallelFor(problem.rows, 64, [&](int64_t begin, int64_t end) {
    ErrorStatistics statistics;
    for (int64_t row = begin; row < end; ++row)
      checkRow(problem, matrix, descale, batch, head, row, statistics);
    judged.merge(statistics);
  });
}

/// Compares the rows of a head and the factors that they have of their own.
static void checkScaledRows(const Quantization &problem, int64_t batch,
                            int64_t head, JudgedTensor &y,
                            JudgedTensor &descale) {
  const HeadMatrix matrix(problem, batch, head);
  parallelFor(problem.rows, 64, [&](int64_t begin, int64_t end) {
    ErrorStatistics elements;
    ErrorStatistics factors;
    for (int64_t row = begin; row < end; ++row) {
      Extremes extremes;
      extremes.add(matrix, row);
      const double factor =
          checkFactor(problem, extremes, batch, head, row, factors);
      checkRow(problem, matrix, factor, batch, head, row, elements);
    }
    y.merge(elements);
    descale.merge(factors);
  });
}

static void checkColumns(const Quantization &problem, int64_t batch,
                         int64_t head, double descale, JudgedTensor &judged) {
  const HeadMatrix matrix(problem, batch, head);
  parallelFor(matrix.columns, 4, [&](int64_t begin, int64_t end) {
    ErrorStatistics statistics;
    std::vector<float> found(problem.y.columns());
    for (int64_t column = begin; column < end; ++column) {
      problem.y.readRow(problem.y.rowAt({batch, head, column}), found.data());
      for (int64_t position = 0; position < problem.y.columns(); ++position) {
        const int64_t row = keyAt(position);
        const bool exists = row < problem.rows;
        checkElement(problem, found[position],
                     exists ? matrix.values[row * matrix.columns + column] : 0,
                     exists ? matrix.uncertainty[row] : 0, descale, batch, head,
                     row, column, statistics);
      }
    }
    judged.merge(statistics);
  });
}

static std::vector<TensorError> checkQuantize(const nlohmann::json &operation,
                                              const Tensors &tensors,
                                              uint64_t) {
  const Quantization problem(operation, tensors);
  JudgedTensor y(problem.y);
  JudgedTensor descale(problem.descale);
  for (int64_t batch = 0; batch < problem.batch; ++batch)
    for (int64_t group = 0; group < problem.groups; ++group) {
      if (problem.hasRowFactors()) {
        checkScaledRows(problem, batch, group, y, descale);
        continue;
      }
      const double factor = checkGroupFactor(problem, batch, group, descale);
      for (int64_t i = 0; i < problem.headsPerGroup(); ++i)
        (problem.isTransposed ? checkColumns : checkRows)(
            problem, batch, group * problem.headsPerGroup() + i, factor, y);
    }
  return {y.summarize(), descale.summarize()};
}

const Operation quantizeOperation = {
    .kind = "quantize",
    .flops = nullptr,
    .check = checkQuantize,
    .derivesInputs = false,
};

} // namespace fa3::run
