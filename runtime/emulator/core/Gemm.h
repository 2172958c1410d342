//===- Gemm.h - The arithmetic of a matrix instruction ----------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_GEMM_H
#define FA3_EMULATOR_CORE_GEMM_H

#include <cstdint>

namespace fa3::emulator {

/// d[m][n] += a[m][k] * b[k][n] in float, k in order. d and b have rows of n
/// values, a has rows of k.
void gemmAccumulate(float *d, const float *a, const float *b, uint32_t m,
                    uint32_t n, uint32_t k);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_GEMM_H
