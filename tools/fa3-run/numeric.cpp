//===- numeric.cpp - Element types on the host ----------------------------===//

#include "numeric.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace fa3::run {

namespace {

/// What becomes of numbers that exceed a format.
enum class Overflow { Infinite, Saturates };

/// A binary floating-point format of at most 16 bits.
template <typename StorageType, int exponentBits, int mantissaBits,
          bool hasInfinity, Overflow overflow>
struct Format {
  using Storage = StorageType;
  static constexpr int bias = (1 << (exponentBits - 1)) - 1;
  static constexpr int signShift = exponentBits + mantissaBits;
  static constexpr uint32_t allOnes = (1u << signShift) - 1;
  static constexpr uint32_t infinity = ((1u << exponentBits) - 1)
                                       << mantissaBits;
  /// Formats without infinity use its exponent for numbers too, all but one.
  static constexpr uint32_t largest = hasInfinity ? infinity - 1 : allOnes - 1;
  static constexpr int dropped = 23 - mantissaBits;

  static Storage encode(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = bits >> 31 << signShift;
    const uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t result;
    if (magnitude > 0x7f800000u) {
      result = allOnes;
    } else if (magnitude < uint32_t{127 - bias + 1} << 23) {
      // Adding a power of two whose last place is the format's smallest number
      // rounds to it, and leaves the count in the mantissa.
      constexpr auto adder = std::bit_cast<float>(
          static_cast<uint32_t>(127 + 1 - bias - mantissaBits + 23) << 23);
      result =
          std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + adder) -
          std::bit_cast<uint32_t>(adder);
    } else {
      const uint32_t odd = magnitude >> dropped & 1;
      const uint32_t rounded = magnitude + (1u << (dropped - 1)) - 1 + odd;
      result = (rounded >> dropped) -
               (static_cast<uint32_t>(127 - bias) << mantissaBits);
      if (result > largest)
        result = overflow == Overflow::Infinite ? infinity : largest;
    }
    return static_cast<Storage>(sign | result);
  }

  static float decode(Storage stored) {
    const uint32_t magnitude = stored & allOnes;
    const uint32_t exponent = magnitude >> mantissaBits;
    const uint32_t mantissa = magnitude & ((1u << mantissaBits) - 1);
    float value;
    if (hasInfinity ? magnitude > infinity : magnitude == allOnes)
      value = std::numeric_limits<float>::quiet_NaN();
    else if (hasInfinity && magnitude == infinity)
      value = std::numeric_limits<float>::infinity();
    else if (exponent == 0)
      value =
          static_cast<float>(mantissa) *
          std::bit_cast<float>(
              static_cast<uint32_t>(127 + 1 - bias - mantissaBits + 64) << 23) *
          0x1p-64f;
    else
      value = std::bit_cast<float>((exponent + (127 - bias)) << 23 |
                                   mantissa << dropped);
    return stored >> signShift & 1 ? -value : value;
  }
};

using Bf16 = Format<uint16_t, 8, 7, true, Overflow::Infinite>;
using F16 = Format<uint16_t, 5, 10, true, Overflow::Infinite>;
// The only conversion to these that a GPU has saturates.
using E4m3 = Format<uint8_t, 4, 3, false, Overflow::Saturates>;
using E5m2 = Format<uint8_t, 5, 2, true, Overflow::Saturates>;

/// Bits of the mantissa and the exponent of the smallest normal number.
struct Precision {
  int mantissaBits;
  int smallestExponent;
};

} // namespace

template <typename Format>
static void encodeAll(const float *values, int64_t count, void *to) {
  auto *stored = static_cast<typename Format::Storage *>(to);
  for (int64_t i = 0; i < count; ++i)
    stored[i] = Format::encode(values[i]);
}

template <typename Format>
static void decodeAll(const void *from, int64_t count, float *values) {
  const auto *stored = static_cast<const typename Format::Storage *>(from);
  for (int64_t i = 0; i < count; ++i)
    values[i] = Format::decode(stored[i]);
}

void encode(fa3_dtype dtype, const float *values, int64_t count, void *to) {
  switch (dtype) {
  case FA3_DTYPE_BF16:
    return encodeAll<Bf16>(values, count, to);
  case FA3_DTYPE_F16:
    return encodeAll<F16>(values, count, to);
  case FA3_DTYPE_E4M3:
    return encodeAll<E4m3>(values, count, to);
  case FA3_DTYPE_E5M2:
    return encodeAll<E5m2>(values, count, to);
  case FA3_DTYPE_F32:
    std::memcpy(to, values, count * sizeof(float));
    return;
  case FA3_DTYPE_I32:
    std::transform(values, values + count, static_cast<int32_t *>(to),
                   [](float value) { return static_cast<int32_t>(value); });
    return;
  }
}

void decode(fa3_dtype dtype, const void *from, int64_t count, float *values) {
  switch (dtype) {
  case FA3_DTYPE_BF16:
    return decodeAll<Bf16>(from, count, values);
  case FA3_DTYPE_F16:
    return decodeAll<F16>(from, count, values);
  case FA3_DTYPE_E4M3:
    return decodeAll<E4m3>(from, count, values);
  case FA3_DTYPE_E5M2:
    return decodeAll<E5m2>(from, count, values);
  case FA3_DTYPE_F32:
    std::memcpy(values, from, count * sizeof(float));
    return;
  case FA3_DTYPE_I32: {
    const auto *stored = static_cast<const int32_t *>(from);
    std::transform(stored, stored + count, values,
                   [](int32_t value) { return static_cast<float>(value); });
    return;
  }
  }
}

double roundTo(fa3_dtype dtype, double value) {
  const auto narrowed = static_cast<float>(value);
  uint32_t stored = 0;
  float rounded = 0;
  encode(dtype, &narrowed, 1, &stored);
  decode(dtype, &stored, 1, &rounded);
  return rounded;
}

static Precision precision(fa3_dtype dtype) {
  switch (dtype) {
  case FA3_DTYPE_BF16:
    return {7, -126};
  case FA3_DTYPE_F16:
    return {10, -14};
  case FA3_DTYPE_E4M3:
    return {3, -6};
  case FA3_DTYPE_E5M2:
    return {2, -14};
  case FA3_DTYPE_F32:
  case FA3_DTYPE_I32:
    break;
  }
  return {23, -126};
}

double unitInLastPlace(fa3_dtype dtype, double magnitude) {
  const auto [mantissaBits, smallestExponent] = precision(dtype);
  const int exponent = magnitude > 0
                           ? std::max(std::ilogb(magnitude), smallestExponent)
                           : smallestExponent;
  return std::ldexp(1.0, exponent - mantissaBits);
}

} // namespace fa3::run
