//===- Numerics.cpp - Number formats and rounding -------------------------===//

#include "Numerics.h"

#include <array>
#include <limits>

using namespace fa3::emulator;

/// Rounds a non-negative \p x to an integer.
static double roundInteger(double x, Round round, bool negative) {
  switch (round) {
  case Round::Nearest: {
    double floor = std::floor(x), rest = x - floor;
    if (rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2) == 1))
      return floor + 1;
    return floor;
  }
  case Round::NearestAway:
    return std::floor(x + 0.5);
  case Round::Zero:
    return std::floor(x);
  case Round::Down:
    return negative ? std::ceil(x) : std::floor(x);
  case Round::Up:
    return negative ? std::floor(x) : std::ceil(x);
  }
  return x;
}

uint32_t fa3::emulator::encodeSmall(double x, SmallFormat format, Round round,
                                    bool saturate) {
  const int e = format.exponentBits, m = format.mantissaBits;
  const int bias = (1 << (e - 1)) - 1;
  const uint32_t allOnes = (1u << (e + m)) - 1;
  const uint32_t infinity = ((1u << e) - 1) << m;
  // Without infinities only the all-ones pattern is NaN.
  const uint32_t largest = format.hasInfinity ? infinity - 1 : allOnes - 1;
  bool negative = std::signbit(x);
  uint32_t sign = negative ? 1u << (e + m) : 0;
  // NaNs are canonical: positive, all ones.
  if (x != x)
    return allOnes;
  double magnitude = std::fabs(x);
  if (magnitude == 0)
    return sign;
  uint32_t bits;
  if (std::isinf(magnitude)) {
    bits = largest + 1;
  } else {
    int exponent;
    std::frexp(magnitude,
               &exponent); // magnitude = f * 2^exponent, f in [0.5, 1)
    int lowest = 1 - bias;
    int power = exponent - 1 < lowest ? lowest : exponent - 1;
    double scaled = std::ldexp(magnitude, m - power);
    double units = roundInteger(scaled, round, negative);
    // A carry into the next binade increments the exponent by itself; a
    // subnormal has its field one lower than power says.
    double full = units + double(power + bias - 1) * double(1u << m);
    bits = full > largest ? largest + 1 : uint32_t(full);
    if (bits > largest && !saturate) {
      bool towards = round == Round::Zero ||
                     (round == Round::Down && !negative) ||
                     (round == Round::Up && negative);
      if (towards)
        bits = largest;
    }
  }
  if (bits > largest)
    bits = saturate ? largest : format.hasInfinity ? infinity : allOnes;
  return sign | bits;
}

float fa3::emulator::decodeSmall(uint32_t bits, SmallFormat format) {
  const int e = format.exponentBits, m = format.mantissaBits;
  const int bias = (1 << (e - 1)) - 1;
  bool negative = bits >> (e + m) & 1;
  uint32_t exponent = bits >> m & ((1u << e) - 1);
  uint32_t mantissa = bits & ((1u << m) - 1);
  double value;
  if (exponent == (1u << e) - 1 &&
      (format.hasInfinity || mantissa == (1u << m) - 1)) {
    value = format.hasInfinity && !mantissa
                ? std::numeric_limits<double>::infinity()
                : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(double(mantissa), 1 - bias - m);
  } else {
    value = std::ldexp(double(mantissa | 1u << m), int(exponent) - bias - m);
  }
  return float(negative ? -value : value);
}

template <bool E5M2> static std::array<float, 256> makeTable() {
  std::array<float, 256> table;
  for (uint32_t i = 0; i != 256; ++i)
    table[i] = decodeSmall(i, E5M2 ? kE5M2 : kE4M3);
  return table;
}
const float *fa3::emulator::e4m3Table() {
  static const std::array<float, 256> kTable = makeTable<false>();
  return kTable.data();
}
const float *fa3::emulator::e5m2Table() {
  static const std::array<float, 256> kTable = makeTable<true>();
  return kTable.data();
}

float fa3::emulator::roundToFloat(double high, double low, Round round) {
  // Normalise, so that high is the nearest double of the sum.
  double sum = high + low;
  if (sum != sum || std::isinf(sum))
    return float(sum);
  double bb = sum - high;
  double rest = (high - (sum - bb)) + (low - bb);
  float nearest = float(sum);
  // Where sum lies halfway between two floats, rest decides.
  double error = (sum - double(nearest)) + rest;
  if (round == Round::Nearest && rest != 0 && !std::isinf(nearest)) {
    float other =
        std::nextafterf(nearest, sum > nearest ? INFINITY : -INFINITY);
    if (sum != double(nearest) && !std::isinf(other)) {
      double middle = (double(nearest) + double(other)) / 2;
      if (sum == middle)
        nearest = (rest > 0) == (other > nearest) ? other : nearest;
    }
    return nearest;
  }
  if (round == Round::Nearest || error == 0)
    return nearest;
  bool up = round == Round::Up || (round == Round::Zero && sum < 0);
  if (std::isinf(nearest))
    return up == (nearest > 0)
               ? nearest
               : std::copysign(std::numeric_limits<float>::max(), nearest);
  if (up && error > 0)
    return std::nextafterf(nearest, INFINITY);
  if (!up && error < 0)
    return std::nextafterf(nearest, -INFINITY);
  return nearest;
}

uint32_t fa3::emulator::toTF32(float x, Round round) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  // .rna does nothing with a NaN but cut it off; the other roundings make it
  // canonical.
  if (x != x && round != Round::NearestAway)
    bits = kCanonicalNaN;
  if ((bits & 0x7f800000) == 0x7f800000)
    return bits & ~uint32_t(0x1fff);
  if (round == Round::Nearest)
    bits += 0xfff + (bits >> 13 & 1);
  else if (round == Round::NearestAway)
    bits += 0x1000;
  return bits & ~uint32_t(0x1fff);
}
