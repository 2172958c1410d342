//===- numeric_test.cpp - Element types and random numbers ----------------===//

#include "numeric.h"
#include "random.h"

#include "gtest/gtest.h"

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
