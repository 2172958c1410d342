//===- host_formats.h - 8-bit floats of kernels on the host ---------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_FORMATS_H
#define FA3_TEST_UNIT_RUNTIME_HOST_FORMATS_H

#include <cstdint>

namespace fa3::fake {

/// A format of eight bits.
struct Fp8 {
  int mantissaBits;
  int bias;
  float largest;
};
inline constexpr Fp8 e4m3 = {3, 7, 448};
inline constexpr Fp8 e5m2 = {2, 15, 57344};

float loadE4m3(const uint8_t *stored);
float loadE5m2(const uint8_t *stored);

/// The nearest number of a format, or its largest one.
float round(float value, Fp8 format);

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_FORMATS_H
