//===- Gemm.cpp - The inner loops of a matrix instruction -----------------===//
//
// Built once for the baseline and once for AVX2, which has the shifts by
// different amounts that these loops are about, where the host has it.
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
void alignedProducts(int32_t *sums, int32_t *tops, SplitMatrix a, SplitMatrix b,
                     uint32_t m, uint32_t n, uint32_t k, uint32_t shift) {
  // Eight columns fill a vector register.
  constexpr uint32_t kColumns = 8;
  for (uint32_t i = 0; i != m; ++i)
    for (uint32_t j = 0; j != n; j += kColumns) {
      int32_t top[kColumns], sum[kColumns] = {};
      for (uint32_t c = 0; c != kColumns; ++c)
        top[c] = tops[i * n + j + c];
      for (uint32_t x = 0; x != k; ++x) {
        const int32_t left = a.exponents[i * k + x];
        const int32_t *right = b.exponents + x * n + j;
        for (uint32_t c = 0; c != kColumns; ++c) {
          int32_t exponent = left + right[c];
          top[c] = exponent > top[c] ? exponent : top[c];
        }
      }
      for (uint32_t x = 0; x != k; ++x) {
        const int32_t left = a.significands[i * k + x],
                      leftExponent = a.exponents[i * k + x];
        const int32_t *right = b.significands + x * n + j;
        const int32_t *rightExponents = b.exponents + x * n + j;
        for (uint32_t c = 0; c != kColumns; ++c) {
          int32_t product = left * right[c];
          int32_t below = top[c] - leftExponent - rightExponents[c];
          uint32_t magnitude = uint32_t(product < 0 ? -product : product)
                               << shift;
          // No significand reaches further than 31 bits.
          int32_t kept = int32_t(magnitude >> (below < 31 ? below : 31));
          sum[c] += product < 0 ? -kept : kept;
        }
      }
      for (uint32_t c = 0; c != kColumns; ++c) {
        tops[i * n + j + c] = top[c];
        sums[i * n + j + c] = sum[c];
      }
    }
}

} // namespace fa3::emulator
