//===- fp8_products.h - Products of 8-bit rows as tensor cores sum them ---===//
//
// To the last bit: per step of 32, terms and old sum are cut to 13 bits below
// the largest exponent (docs/emulator.md).
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_FP8_PRODUCTS_H
#define FA3_TOOLS_FA3_RUN_FP8_PRODUCTS_H

#include "fa3/runtime/abi.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace fa3::run {

/// Products that a tensor core adds at once.
constexpr int64_t fp8Step = 32;

/// Rows of a first operand that one call takes, and columns of a second one.
constexpr int64_t fp8Rows = 64;
constexpr int64_t fp8Columns = 256;

/// Rows of 8-bit values, by their number.
struct Fp8Rows {
  fa3_dtype dtype;
  int64_t count;
  std::function<const float *(int64_t)> row;
};

/// The dot products of all rows of `left`, at most fp8Rows, and all of `right`,
/// `depth` long: products[i * right.count + j].
void multiplyRows(const Fp8Rows &left, const Fp8Rows &right, int64_t depth,
                  std::vector<float> &products);

/// Columns as addStep takes them: a multiple of 8.
constexpr int64_t paddedColumns(int64_t columns) {
  return (columns + 7) / 8 * 8;
}

/// sums[i][c] += sum over j of weights[i][j] * values[j][c], for one step.
/// `columns`, at most fp8Columns, are padded.
void addStep(float *sums, const float *weights, fa3_dtype weightType,
             const float *values, fa3_dtype valueType, int64_t rows,
             int64_t columns);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_FP8_PRODUCTS_H
