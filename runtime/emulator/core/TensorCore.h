//===- TensorCore.h - How a tensor core adds --------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_TENSORCORE_H
#define FA3_EMULATOR_CORE_TENSORCORE_H

#include "Decoder.h"

namespace fa3::emulator {

/// The largest product of one instruction: m64n256 of 32 bytes along k.
inline constexpr uint32_t kMaxGemmM = 64, kMaxGemmN = 256, kMaxGemmK = 32;

/// The shape and the types of one product.
struct GemmShape {
  uint32_t m, n, k;
  Type a, b;
  bool halfSums; ///< Sums are of type f16 instead of f32.
  /// Fraction bits of what is kept of each term, and at most of the sum.
  uint32_t keptBits;
};

/// Of all types but fp8 in wgmma.
inline constexpr uint32_t kKeptBits = 25, kKeptBitsFp8 = 13;

/// d[m][n] += a[m][k] * b[k][n] with the bits that an H200 gives. Values of
/// every type are given as floats, integers too, whose sums begin with zero.
void multiplyAdd(float *d, const float *a, const float *b,
                 const GemmShape &shape);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_TENSORCORE_H
