//===- Gemm.h - The inner loops of a matrix instruction ---------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_GEMM_H
#define FA3_EMULATOR_CORE_GEMM_H

#include <cstdint>

namespace fa3::emulator {

/// A matrix of numbers significand * 2^(exponent - fraction bits).
struct SplitMatrix {
  int32_t *significands;
  int32_t *exponents;
};

/// Sums the products of a[m][k] and b[k][n] as integers: each is shifted left
/// by \p shift, then right, rounding towards zero, by as much as its exponent
/// lies below the largest of the sum. \p tops[m][n] holds the least value for
/// the latter, and receives it.
void alignedProducts(int32_t *sums, int32_t *tops, SplitMatrix a, SplitMatrix b,
                     uint32_t m, uint32_t n, uint32_t k, uint32_t shift);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_GEMM_H
