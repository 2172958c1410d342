//===- host_formats.cpp - 8-bit floats of kernels on the host -------------===//

#include "host_formats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace fa3::fake {

static float decode(int stored, Fp8 format) {
  const int mantissaCount = 1 << format.mantissaBits;
  const int exponent = (stored & 0x7f) >> format.mantissaBits;
  const int mantissa = stored & (mantissaCount - 1);
  const float magnitude = std::ldexp(
      static_cast<float>(exponent ? mantissaCount + mantissa : mantissa),
      std::max(exponent, 1) - format.bias - format.mantissaBits);
  if (magnitude > format.largest)
    return std::numeric_limits<float>::quiet_NaN();
  return stored & 0x80 ? -magnitude : magnitude;
}

static std::array<float, 256> decodeAll(Fp8 format) {
  std::array<float, 256> all{};
  for (int i = 0; i < 256; ++i)
    all[i] = decode(i, format);
  return all;
}

float loadE4m3(const uint8_t *stored) {
  static const std::array<float, 256> values = decodeAll(e4m3);
  return values[*stored];
}

float loadE5m2(const uint8_t *stored) {
  static const std::array<float, 256> values = decodeAll(e5m2);
  return values[*stored];
}

float round(float value, Fp8 format) {
  if (value == 0)
    return 0;
  const int exponent = std::max(std::ilogb(value), 1 - format.bias);
  const float unit = std::ldexp(1.0f, exponent - format.mantissaBits);
  return std::clamp(std::nearbyint(value / unit) * unit, -format.largest,
                    format.largest);
}

} // namespace fa3::fake
