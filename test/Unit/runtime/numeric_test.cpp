//===- numeric_test.cpp - Element types and random numbers ----------------===//

#include "numeric.h"
#include "random.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace fa3::run;

template <typename Storage>
static uint32_t bitsOf(fa3_dtype dtype, float value) {
  Storage stored = 0;
  encode(dtype, &value, 1, &stored);
  return stored;
}

static float valueOf(fa3_dtype dtype, uint32_t bits) {
  float value = 0;
  decode(dtype, &bits, 1, &value);
  return value;
}

/// Every finite value of a type decodes and encodes to itself, and what lies
/// between two neighbors goes to the nearer, ties to the even one.
template <typename Storage> static void expectRoundTrip(fa3_dtype dtype) {
  const uint32_t sign = 1u << (8 * sizeof(Storage) - 1);
  for (uint32_t bits = 0; bits + 1 < sign; ++bits) {
    const float value = valueOf(dtype, bits);
    const float next = valueOf(dtype, bits + 1);
    if (!std::isfinite(next))
      break;
    ASSERT_EQ(bitsOf<Storage>(dtype, value), bits);
    ASSERT_EQ(bitsOf<Storage>(dtype, -value), bits | sign);
    const float middle = value + (next - value) / 2;
    ASSERT_EQ(bitsOf<Storage>(dtype, middle), bits + (bits & 1)) << value;
    ASSERT_EQ(bitsOf<Storage>(dtype, std::nextafter(middle, value)), bits);
    ASSERT_EQ(bitsOf<Storage>(dtype, std::nextafter(middle, next)), bits + 1);
  }
}

TEST(NumericTest, RoundTrips) {
  expectRoundTrip<uint16_t>(FA3_DTYPE_F16);
  expectRoundTrip<uint8_t>(FA3_DTYPE_E4M3);
  expectRoundTrip<uint8_t>(FA3_DTYPE_E5M2);
}

/// Each of the 256 codes of a type stands for what its fields say, and all
/// numbers between two neighbors become one of them.
static void expectFp8(fa3_dtype dtype, int mantissaBits, int bias,
                      uint32_t largest) {
  const uint32_t unit = 1u << mantissaBits;
  for (uint32_t bits = 0; bits < 256; ++bits) {
    const uint32_t magnitude = bits & 0x7f;
    const float value = valueOf(dtype, bits);
    const bool isInfinity = mantissaBits == 2 && magnitude == 0x7c;
    if (magnitude > largest && !isInfinity) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_EQ(bitsOf<uint8_t>(dtype, value) & 0x7f, 0x7fu) << bits;
      continue;
    }
    const int exponent = static_cast<int>(magnitude / unit);
    const auto mantissa = static_cast<float>(magnitude % unit);
    const float expected =
        isInfinity ? std::numeric_limits<float>::infinity()
                   : std::ldexp(exponent ? mantissa + static_cast<float>(unit)
                                         : mantissa,
                                std::max(exponent, 1) - bias - mantissaBits);
    EXPECT_EQ(value, bits & 0x80 ? -expected : expected) << bits;
    EXPECT_EQ(std::signbit(value), bits >= 0x80) << bits;
    // What is too large saturates, infinity too.
    EXPECT_EQ(bitsOf<uint8_t>(dtype, value),
              isInfinity ? (bits & 0x80) | largest : bits);
    if (magnitude >= largest)
      continue;
    const float next = valueOf(dtype, bits + 1);
    const float middle = value + (next - value) / 2;
    for (float fraction : {0.01f, 0.25f, 0.49f, 0.51f, 0.75f, 0.99f}) {
      const float between = value + (next - value) * fraction;
      EXPECT_EQ(bitsOf<uint8_t>(dtype, between),
                fraction < 0.5f ? bits : bits + 1);
    }
    EXPECT_EQ(bitsOf<uint8_t>(dtype, middle), bits + (bits & 1));
    EXPECT_EQ(bitsOf<uint8_t>(dtype, std::nextafter(middle, value)), bits);
    EXPECT_EQ(bitsOf<uint8_t>(dtype, std::nextafter(middle, next)), bits + 1);
  }
  const float most = valueOf(dtype, largest);
  for (float beyond :
       {most * 1.01f, most * 1.1f, most * 2, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(bitsOf<uint8_t>(dtype, beyond), largest);
    EXPECT_EQ(bitsOf<uint8_t>(dtype, -beyond), largest | 0x80);
  }
}

TEST(NumericTest, E4m3) { expectFp8(FA3_DTYPE_E4M3, 3, 7, 0x7e); }

TEST(NumericTest, E5m2) { expectFp8(FA3_DTYPE_E5M2, 2, 15, 0x7b); }

TEST(NumericTest, Bf16) {
  for (uint32_t bits = 0x80; bits < 0x7f7f; ++bits) {
    const float value = valueOf(FA3_DTYPE_BF16, bits);
    ASSERT_EQ(bitsOf<uint16_t>(FA3_DTYPE_BF16, value), bits);
    const float middle =
        value + (valueOf(FA3_DTYPE_BF16, bits + 1) - value) / 2;
    ASSERT_EQ(bitsOf<uint16_t>(FA3_DTYPE_BF16, middle), bits + (bits & 1));
  }
}

TEST(NumericTest, Extremes) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(valueOf(FA3_DTYPE_F16, 0x7bff), 65504);
  EXPECT_EQ(valueOf(FA3_DTYPE_E4M3, 0x7e), 448);
  EXPECT_EQ(valueOf(FA3_DTYPE_E5M2, 0x7b), 57344);
  EXPECT_EQ(roundTo(FA3_DTYPE_F16, 1e6), infinity);
  EXPECT_EQ(roundTo(FA3_DTYPE_E4M3, 1e6), 448);
  EXPECT_EQ(roundTo(FA3_DTYPE_BF16, -infinity), -infinity);
  for (fa3_dtype dtype : {FA3_DTYPE_BF16, FA3_DTYPE_F16, FA3_DTYPE_E4M3,
                          FA3_DTYPE_E5M2, FA3_DTYPE_F32}) {
    EXPECT_TRUE(
        std::isnan(roundTo(dtype, std::numeric_limits<double>::quiet_NaN())));
    // What memory is poisoned with.
    EXPECT_TRUE(std::isnan(valueOf(dtype, 0xffffffff)));
  }
}

TEST(NumericTest, UnitInLastPlace) {
  EXPECT_EQ(unitInLastPlace(FA3_DTYPE_BF16, 1), 0x1p-7);
  EXPECT_EQ(unitInLastPlace(FA3_DTYPE_BF16, 1.99), 0x1p-7);
  EXPECT_EQ(unitInLastPlace(FA3_DTYPE_F16, 2), 0x1p-9);
  EXPECT_EQ(unitInLastPlace(FA3_DTYPE_F16, 0), 0x1p-24);
}

TEST(RandomTest, IsStandardNormal) {
  const CounterRandom random(1, 2);
  constexpr int count = 1000000;
  double moments[5] = {};
  for (int i = 0; i < count; ++i)
    for (int power = 1; power <= 4; ++power)
      moments[power] += std::pow(random.normal(i), power) / count;
  EXPECT_NEAR(moments[1], 0, 0.005);
  EXPECT_NEAR(moments[2], 1, 0.005);
  EXPECT_NEAR(moments[3], 0, 0.02);
  // Eight uniform numbers fall short of the normal distribution's 3.
  EXPECT_NEAR(moments[4], 2.85, 0.03);
}

TEST(RandomTest, DependsOnSeedStreamAndPosition) {
  const CounterRandom random(1, 2);
  EXPECT_EQ(random.bits(3), CounterRandom(1, 2).bits(3));
  EXPECT_NE(random.bits(3), CounterRandom(2, 2).bits(3));
  EXPECT_NE(random.bits(3), CounterRandom(1, 3).bits(3));
  EXPECT_NE(random.bits(3), random.bits(4));
}
