//===- Numerics.h - Number formats and rounding -----------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_NUMERICS_H
#define FA3_EMULATOR_CORE_NUMERICS_H

#include <bit>
#include <cmath>
#include <cstdint>

namespace fa3::emulator {

enum class Round : uint8_t { Nearest, Zero, Down, Up, NearestAway };

/// A binary format with fewer bits than float.
struct SmallFormat {
  int exponentBits, mantissaBits;
  bool hasInfinity; ///< e4m3 has none: all-ones exponents are numbers.
};
inline constexpr SmallFormat kF16{5, 10, true};
inline constexpr SmallFormat kBF16{8, 7, true};
inline constexpr SmallFormat kE4M3{4, 3, false};
inline constexpr SmallFormat kE5M2{5, 2, true};

/// Rounds \p x to \p format and returns its bits. With \p saturate, overflow
/// and infinity give the largest finite value of the sign.
uint32_t encodeSmall(double x, SmallFormat format, Round round, bool saturate);

/// The value of \p bits.
float decodeSmall(uint32_t bits, SmallFormat format);

/// cvt.rn.bf16.f32: round to nearest even; NaN becomes the canonical 0x7fff.
inline uint16_t toBF16(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return uint16_t((bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : rounded);
}
inline float fromBF16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}
inline uint16_t toF16(float x) {
  return uint16_t(encodeSmall(x, kF16, Round::Nearest, false));
}
/// Exact for all values, vectorizable.
inline float fromF16(uint16_t h) {
  uint32_t sign = uint32_t(h & 0x8000) << 16;
  uint32_t magnitude = uint32_t(h & 0x7fff) << 13;
  // Scaling by 2^112 moves the bias and normalises subnormals exactly.
  float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t special = (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
  return std::bit_cast<float>((std::bit_cast<uint32_t>(scaled) | special) |
                              sign);
}
/// Tables of all 256 values.
const float *e4m3Table();
const float *e5m2Table();

/// Flushes a subnormal to zero of the same sign.
inline float flush(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits & 0x7f800000) ? bits : bits & 0x80000000);
}

/// The exact value high + low, rounded to float in direction \p round.
float roundToFloat(double high, double low, Round round);

/// TF32 keeps 10 mantissa bits.
uint32_t toTF32(float x, Round round);

inline constexpr uint32_t kCanonicalNaN = 0x7fffffff;

/// Results of the arithmetic units are the canonical NaN.
inline float canonical(float x) {
  return x != x ? std::bit_cast<float>(kCanonicalNaN) : x;
}

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_NUMERICS_H
