//===- fp8_products.cpp - Products of 8-bit rows as tensor cores sum them -===//

#include "fp8_products.h"

#include "emulator/core/TensorCore.h"

#include <algorithm>

namespace fa3::run {

static_assert(fp8Step == emulator::kMaxGemmK);
static_assert(fp8Rows == emulator::kMaxGemmM);
static_assert(fp8Columns == emulator::kMaxGemmN);

static emulator::Type factorType(fa3_dtype dtype) {
  return dtype == FA3_DTYPE_E4M3 ? emulator::Type::E4M3 : emulator::Type::E5M2;
}

void addStep(float *sums, const float *weights, fa3_dtype weightType,
             const float *values, fa3_dtype valueType, int64_t rows,
             int64_t columns) {
  emulator::multiplyAdd(
      sums, weights, values,
      {static_cast<uint32_t>(rows), static_cast<uint32_t>(columns),
       static_cast<uint32_t>(fp8Step), factorType(weightType),
       factorType(valueType), /*halfSums=*/false, emulator::kKeptBitsFp8});
}

void multiplyRows(const Fp8Rows &left, const Fp8Rows &right, int64_t depth,
                  std::vector<float> &products) {
  products.resize(left.count * right.count);
  std::vector<float> first(left.count * fp8Step);
  std::vector<float> second(fp8Step * fp8Columns);
  std::vector<float> sums(left.count * fp8Columns);
  for (int64_t begin = 0; begin < right.count; begin += fp8Columns) {
    const int64_t count = std::min(fp8Columns, right.count - begin);
    const int64_t columns = paddedColumns(count);
    std::ranges::fill(sums, 0.0f);
    for (int64_t x = 0; x < depth; x += fp8Step) {
      const int64_t width = std::min(fp8Step, depth - x);
      std::ranges::fill(first, 0.0f);
      std::ranges::fill(second, 0.0f);
      for (int64_t i = 0; i < left.count; ++i)
        std::copy_n(left.row(i) + x, width, &first[i * fp8Step]);
      for (int64_t j = 0; j < count; ++j) {
        const float *row = right.row(begin + j) + x;
        for (int64_t c = 0; c < width; ++c)
          second[c * columns + j] = row[c];
      }
      addStep(sums.data(), first.data(), left.dtype, second.data(), right.dtype,
              left.count, columns);
    }
    for (int64_t i = 0; i < left.count; ++i)
      std::copy_n(&sums[i * columns], count,
                  &products[i * right.count + begin]);
  }
}

} // namespace fa3::run
