//===- Gemm.cpp - The arithmetic of a matrix instruction ------------------===//
//
// Built once for the baseline and once for AVX2 where the host has it. Both
// multiply and add separately, so results are the same on every host; products
// of 16- and 8-bit values are exact in float anyway.
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"

// A sanitizer is not ready yet when the loader chooses a version.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FA3_EMULATOR_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define FA3_EMULATOR_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) &&                               \
    !defined(FA3_EMULATOR_SANITIZED)
#define FA3_EMULATOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define FA3_EMULATOR_CLONES
#endif

namespace fa3::emulator {

FA3_EMULATOR_CLONES
void gemmAccumulate(float *__restrict d, const float *__restrict a,
                    const float *__restrict b, uint32_t m, uint32_t n,
                    uint32_t k) {
  // Four rows share each row of b; eight columns fill a vector register.
  constexpr uint32_t kRows = 4, kColumns = 8;
  for (uint32_t i = 0; i != m; i += kRows)
    for (uint32_t j = 0; j != n; j += kColumns) {
      float sum[kRows][kColumns];
      for (uint32_t r = 0; r != kRows; ++r)
        for (uint32_t c = 0; c != kColumns; ++c)
          sum[r][c] = d[(i + r) * n + j + c];
      for (uint32_t x = 0; x != k; ++x)
        for (uint32_t r = 0; r != kRows; ++r) {
          float left = a[(i + r) * k + x];
          for (uint32_t c = 0; c != kColumns; ++c)
            sum[r][c] += left * b[x * n + j + c];
        }
      for (uint32_t r = 0; r != kRows; ++r)
        for (uint32_t c = 0; c != kColumns; ++c)
          d[(i + r) * n + j + c] = sum[r][c];
    }
}

} // namespace fa3::emulator
