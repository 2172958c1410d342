//===- Fp8Test.cpp - Conversions and products of e4m3 and e5m2 ------------===//
//
// Held against references of their own: the conversions against a search among
// all codes of a format, the sums against exact integers.
//
//===----------------------------------------------------------------------===//

#include "EmulatorTest.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {

/// OCP 8-bit floating point. e4m3 has one NaN and no infinity.
struct Fp8 {
  const char *name;
  int exponentBits, mantissaBits;
  uint8_t largest; ///< Code of the largest finite number.

  int bias() const { return (1 << (exponentBits - 1)) - 1; }
  bool isInfinite(uint8_t code) const {
    return exponentBits == 5 && (code & 0x7f) == 0x7c;
  }
  bool isNaN(uint8_t code) const {
    return (code & 0x7f) > largest && !isInfinite(code);
  }
  /// The value is significand * 2^(exponent - mantissaBits).
  int exponent(uint8_t code) const {
    return std::max((code & 0x7f) >> mantissaBits, 1) - bias();
  }
  int significand(uint8_t code) const {
    int low = code & ((1 << mantissaBits) - 1);
    int magnitude =
        (code & 0x7f) >> mantissaBits ? low | 1 << mantissaBits : low;
    return code & 0x80 ? -magnitude : magnitude;
  }
  double value(uint8_t code) const {
    double sign = code & 0x80 ? -1 : 1;
    if (isNaN(code))
      return NAN;
    if (isInfinite(code))
      return sign * INFINITY;
    return std::copysign(
        std::ldexp(significand(code), exponent(code) - mantissaBits), sign);
  }
};
constexpr Fp8 kFormats[] = {{"e4m3", 4, 3, 0x7e}, {"e5m2", 5, 2, 0x7b}};

double valueOfF16(uint16_t bits) {
  double sign = bits & 0x8000 ? -1 : 1;
  int exponent = bits >> 10 & 31, low = bits & 0x3ff;
  if (exponent == 31)
    return low ? NAN : sign * INFINITY;
  return sign *
         std::ldexp(exponent ? low | 0x400 : low, std::max(exponent, 1) - 25);
}

/// cvt.rn.satfinite: the code whose value is nearest, of two the even one.
uint8_t nearest(const Fp8 &format, double x, bool relu) {
  if (std::isnan(x))
    return 0x7f;
  if (relu && !(x > 0))
    return 0;
  uint8_t best = 0;
  double distance = INFINITY;
  double magnitude = std::fmin(std::fabs(x), format.value(format.largest));
  for (uint8_t code = 0; code <= format.largest; ++code) {
    double d = std::fabs(format.value(code) - magnitude);
    if (d < distance || (d == distance && code % 2 == 0)) {
      best = code;
      distance = d;
    }
  }
  return std::signbit(x) ? best | 0x80 : best;
}

/// Runs \p body in 65536 threads: %r1 is the thread's number, %h1 its low half,
/// and %r10 on are stored as \p words words.
std::vector<uint32_t> forAll16Bits(const std::string &body, uint32_t words) {
  Buffer out(size_t(65536) * words * 4);
  std::string text = R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mov.u32 %r2, %ctaid.x;
    mad.lo.u32 %r1, %r2, 256, %r1;
    cvt.u16.u32 %h1, %r1;
    mul.wide.u32 %d1, %r1, )" +
                     std::to_string(words * 4) + R"(;
    add.s64 %d31, %d31, %d1;
)" + body;
  for (uint32_t i = 0; i != words; ++i)
    text += "st.global.b32 [%d31+" + std::to_string(4 * i) + "], %r" +
            std::to_string(10 + i) + ";\n";
  Launcher launcher;
  launcher.grid = {256, 1, 1};
  launcher.block = {256, 1, 1};
  launcher.allow(out);
  LaunchResult result =
      launcher.run(kernel(".param .b64 out", text), Params().add(out));
  EXPECT_CLEAN(result);
  uint32_t *words32 = out.as<uint32_t>();
  return {words32, words32 + size_t(65536) * words};
}

/// A product of 64 x 32 and 32 x 32 codes added to sums.
struct Product {
  const Fp8 &a, &b;
  bool halfSums, registerA;
  static constexpr uint32_t kM = 64, kN = 32, kK = 32;
  uint8_t left[kM][kK], right[kN][kK];
  double sums[kM][kN]; ///< Exact in the type of the sums.

  uint32_t registers() const { return halfSums ? kN / 4 : kN / 2; }
  std::string name() const {
    return std::string(halfSums ? "f16." : "f32.") + a.name + "." + b.name +
           (registerA ? " registers" : "");
  }
};

/// Where a byte of a tile of \p rows rows lies: matrices of 8 rows of 16 bytes.
uint32_t place(uint32_t rows, uint32_t row, uint32_t k) {
  return k / 16 * (rows / 8 * 128) + row / 8 * 128 + row % 8 * 16 + k % 16;
}
/// Calls f(thread, value, row, column) for every element of the sums.
template <class F> void forSums(F f) {
  for (uint32_t t = 0; t != 128; ++t)
    for (uint32_t v = 0; v != Product::kN / 2; ++v)
      f(t, v, t / 32 * 16 + t % 32 / 4 + v / 2 % 2 * 8,
        v / 4 * 8 + t % 4 * 2 + v % 2);
}

/// Rounds to nearest even; too large a number becomes infinity.
uint16_t encodeF16(double x) {
  if (x == 0)
    return std::signbit(x) ? 0x8000 : 0;
  int exponent = std::max(std::ilogb(x), -14);
  double significand = std::nearbyint(std::ldexp(std::fabs(x), 10 - exponent));
  double code = std::fmin(significand + (exponent + 14) * 1024, 0x7c00);
  return uint16_t(code) | (x < 0 ? 0x8000 : 0);
}

/// What the emulator makes of it, as bits of the sums' type.
std::vector<uint32_t> run(const Product &p) {
  constexpr uint32_t kBytesA = Product::kM * 32, kBytesB = Product::kN * 32;
  const uint32_t registers = p.registers();
  Buffer image(kBytesA + kBytesB), fragment(128 * 16), io(128 * registers * 4);
  for (uint32_t k = 0; k != Product::kK; ++k) {
    for (uint32_t m = 0; m != Product::kM; ++m) {
      image.data()[place(Product::kM, m, k)] = p.left[m][k];
      uint32_t thread = m / 16 * 32 + m % 8 * 4 + k / 4 % 4;
      fragment.data()[thread * 16 + (m / 8 % 2 + k / 16 * 2) * 4 + k % 4] =
          p.left[m][k];
    }
    for (uint32_t n = 0; n != Product::kN; ++n)
      image.data()[kBytesA + place(Product::kN, n, k)] = p.right[n][k];
  }
  forSums([&](uint32_t t, uint32_t v, uint32_t m, uint32_t n) {
    if (p.halfSums)
      io.as<uint16_t>()[t * registers * 2 + v] = encodeF16(p.sums[m][n]);
    else
      io.as<float>()[t * registers + v] = float(p.sums[m][n]);
  });
  std::string list, load, store;
  for (uint32_t r = 0; r != registers; ++r) {
    const std::string sum = "%f" + std::to_string(r);
    const std::string at = "[%d10+" + std::to_string(4 * r) + "]";
    list.append(r ? ", " : "").append(sum);
    load.append("ld.global.b32 ").append(sum).append(", ");
    load.append(at).append(";\n");
    store.append("st.global.b32 ").append(at).append(", ");
    store.append(sum).append(";\n");
  }
  auto descriptor = [](uint32_t rows, uint32_t start) {
    return std::to_string(uint64_t(8) << 32 | uint64_t(rows / 8 * 8) << 16 |
                          start >> 4);
  };
  std::string body = R"(
    ld.param.b64 %d29, [image];
    ld.param.b64 %d30, [fragment];
    ld.param.b64 %d31, [io];
    mov.u32 %r1, %tid.x;
    mov.b32 %r2, smem;
    mul.lo.u32 %r3, %r1, 24;
    cvt.u64.u32 %d1, %r3;
    add.s64 %d1, %d29, %d1;
    add.u32 %r3, %r2, %r3;
    ld.global.b64 %d2, [%d1];
    ld.global.b64 %d3, [%d1+8];
    ld.global.b64 %d4, [%d1+16];
    st.shared.b64 [%r3], %d2;
    st.shared.b64 [%r3+8], %d3;
    st.shared.b64 [%r3+16], %d4;
    mul.wide.u32 %d1, %r1, 16;
    add.s64 %d1, %d30, %d1;
    ld.global.v4.b32 {%r10, %r11, %r12, %r13}, [%d1];
    mul.wide.u32 %d10, %r1, )" +
                     std::to_string(registers * 4) + R"(;
    add.s64 %d10, %d31, %d10;
)" + load + R"(
    fence.proxy.async;
    bar.sync 0;
    shr.u32 %r3, %r2, 4;
    cvt.u64.u32 %d4, %r3;
    add.s64 %d5, %d4, )" +
                     descriptor(Product::kN, kBytesA) + R"(;
    add.s64 %d4, %d4, )" +
                     descriptor(Product::kM, 0) + R"(;
    wgmma.fence.sync.aligned;
    wgmma.mma_async.sync.aligned.m64n32k32.)" +
                     (p.halfSums ? "f16." : "f32.") + p.a.name + "." +
                     p.b.name + " {" + list + "}, " +
                     (p.registerA ? "{%r10, %r11, %r12, %r13}" : "%d4") +
                     R"(, %d5, 1, 1, 1;
    wgmma.commit_group.sync.aligned;
    wgmma.wait_group.sync.aligned 0;
)" + store;
  static_assert(kBytesA + kBytesB == 128 * 24);
  Launcher launcher;
  launcher.block = {128, 1, 1};
  launcher.dynamicShared = kBytesA + kBytesB;
  launcher.allow(image).allow(fragment).allow(io);
  EXPECT_CLEAN(launcher.run(
      kernel(".param .b64 image, .param .b64 fragment, .param .b64 io", body,
             "", ".extern .shared .align 1024 .b8 smem[];"),
      Params().add(image).add(fragment).add(io)));
  std::vector<uint32_t> result(size_t(Product::kM) * Product::kN);
  forSums([&](uint32_t t, uint32_t v, uint32_t m, uint32_t n) {
    result[m * Product::kN + n] = p.halfSums
                                      ? io.as<uint16_t>()[t * registers * 2 + v]
                                      : io.as<uint32_t>()[t * registers + v];
  });
  return result;
}

/// docs/emulator.md, "What a tensor core adds", for one element of finite
/// terms: significands in units of 2^-13 of the largest exponent, cut off.
double reference(const Product &p, uint32_t m, uint32_t n) {
  constexpr int kBits = 13;
  struct Term {
    int exponent;
    double value;
  };
  std::vector<Term> terms;
  for (uint32_t k = 0; k != Product::kK; ++k) {
    uint8_t x = p.left[m][k], y = p.right[n][k];
    terms.push_back(
        {p.a.exponent(x) + p.b.exponent(y), p.a.value(x) * p.b.value(y)});
  }
  double before = p.sums[m][n];
  if (before != 0)
    terms.push_back(
        {std::max(std::ilogb(before), p.halfSums ? -14 : -126), before});
  int top = -10000;
  for (const Term &t : terms)
    if (t.value != 0)
      top = std::max(top, t.exponent);
  if (top == -10000)
    return 0;
  int64_t sum = 0;
  for (const Term &t : terms)
    sum += int64_t(std::trunc(std::ldexp(t.value, kBits - top)));
  return std::ldexp(double(sum), top - kBits);
}

/// The sum's bits: f32 cut off to 13 bits of fraction, f16 rounded to nearest.
uint32_t encodeSum(double x, bool half) {
  if (half)
    return encodeF16(x);
  if (x == 0)
    return 0;
  double unit = std::ldexp(1, std::ilogb(x) - 13);
  return bits(float(std::trunc(x / unit) * unit));
}

} // namespace

TEST(Fp8, FromF32) {
  // Halfway between two codes there are at most four bits behind the leading
  // one, so the upper half and whether anything follows decide.
  const uint32_t kLow[] = {0, 1, 0xffff};
  for (const Fp8 &format : kFormats)
    for (bool relu : {false, true}) {
      std::string cvt = std::string("cvt.rn.satfinite.") +
                        (relu ? "relu." : "") + format.name + "x2.f32 ";
      std::string body = "shl.b32 %r3, %r1, 16;\n"
                         "or.b32 %r4, %r3, 1; or.b32 %r5, %r3, 0xffff;\n";
      body.append(cvt).append("%h2, %r4, %r3;\n");
      body.append(cvt).append("%h3, %r3, %r5;\n");
      body.append("mov.b32 %r10, {%h2, %h3};\n");
      std::vector<uint32_t> got = forAll16Bits(body, 1);
      for (uint32_t x = 0; x != 65536; ++x) {
        uint8_t expected[3];
        for (uint32_t i = 0; i != 3; ++i)
          expected[i] =
              nearest(format, std::bit_cast<float>(x << 16 | kLow[i]), relu);
        uint32_t packed = uint32_t(expected[0]) | uint32_t(expected[1]) << 8 |
                          uint32_t(expected[2]) << 16 |
                          uint32_t(expected[0]) << 24;
        ASSERT_EQ(got[x], packed) << cvt << "of " << std::hex << x << "0000";
      }
    }
}

TEST(Fp8, FromF16) {
  for (const Fp8 &format : kFormats)
    for (bool relu : {false, true}) {
      std::string cvt = std::string("cvt.rn.satfinite.") +
                        (relu ? "relu." : "") + format.name + "x2.f16x2 ";
      // The number in the upper half, its negation in the lower one.
      std::vector<uint32_t> got =
          forAll16Bits("xor.b16 %h2, %h1, 0x8000;\n"
                       "mov.b32 %r3, {%h2, %h1};\n" +
                           cvt + "%h3, %r3;\ncvt.u32.u16 %r10, %h3;\n",
                       1);
      for (uint32_t x = 0; x != 65536; ++x) {
        double value = valueOfF16(uint16_t(x));
        uint32_t expected = uint32_t(nearest(format, value, relu)) << 8 |
                            nearest(format, -value, relu);
        ASSERT_EQ(got[x], expected) << cvt << "of " << std::hex << x;
      }
    }
}

TEST(Fp8, ToF16) {
  for (const Fp8 &format : kFormats)
    for (bool relu : {false, true}) {
      std::string cvt = std::string("cvt.rn.") + (relu ? "relu." : "") +
                        "f16x2." + format.name + "x2 ";
      std::vector<uint32_t> got = forAll16Bits(cvt + "%r10, %h1;\n", 1);
      for (uint32_t x = 0; x != 65536; ++x)
        for (uint32_t half = 0; half != 2; ++half) {
          uint8_t code = uint8_t(x >> (8 * half));
          uint16_t result = uint16_t(got[x] >> (16 * half));
          double value = format.value(code);
          if (relu && value <= 0)
            value = 0;
          if (std::isnan(value))
            ASSERT_EQ(result, 0x7fff) << cvt << std::hex << x;
          else
            ASSERT_EQ(std::bit_cast<uint64_t>(valueOfF16(result)),
                      std::bit_cast<uint64_t>(value))
                << cvt << std::hex << x;
        }
    }
}

TEST(Fp8, Products) {
  uint32_t seed = 0;
  for (const Fp8 &a : kFormats)
    for (const Fp8 &b : kFormats)
      for (bool half : {false, true})
        for (bool registerA : {false, true}) {
          Product p{a, b, half, registerA, {}, {}, {}};
          SCOPED_TRACE(p.name());
          std::mt19937 random(++seed);
          // Any finite code, or those of moderate size, which leave more of
          // the sum; columns differ in how many terms are zero.
          const uint32_t range = half ? 1 : 2;
          auto code = [&](const Fp8 &f, uint32_t column) {
            if (random() % 8 < column % 8)
              return uint8_t(0);
            if (column % range)
              return uint8_t(random() % (f.largest + 1u) | (random() & 0x80));
            uint32_t one = uint32_t(f.bias()) << f.mantissaBits;
            return uint8_t((one - 8 + random() % 16) | (random() & 0x80));
          };
          for (auto &row : p.left)
            for (uint8_t &x : row)
              x = code(a, 0);
          for (uint32_t n = 0; n != Product::kN; ++n)
            for (uint8_t &x : p.right[n])
              x = code(b, n);
          for (auto &row : p.sums)
            for (double &x : row)
              x = half ? valueOfF16(uint16_t(random() % 0x5000)) *
                             (random() % 2 ? 1 : -1)
                       : double(std::ldexp(float(int(random() % 65536) - 32768),
                                           int(random() % 24) - 20));
          std::vector<uint32_t> got = run(p);
          for (uint32_t m = 0; m != Product::kM; ++m)
            for (uint32_t n = 0; n != Product::kN; ++n)
              ASSERT_EQ(got[m * Product::kN + n],
                        encodeSum(reference(p, m, n), half))
                  << "row " << m << " column " << n;
        }
}

TEST(Fp8, SpecialFactors) {
  // e4m3 has NaN, e5m2 infinities, too; with a zero they give NaN.
  struct Case {
    uint32_t format;
    uint8_t x, y;
    uint32_t expected;
  };
  for (Case c : {Case{0, 0x7f, 0x38, 0x7fffffff},
                 {0, 0xff, 0x38, 0x7fffffff},
                 {0, 0x7f, 0x00, 0x7fffffff},
                 {0, 0x7e, 0x38, 0x43e00000},
                 {1, 0x7c, 0x3c, 0x7f800000},
                 {1, 0xfc, 0x3c, 0xff800000},
                 {1, 0x7c, 0x00, 0x7fffffff},
                 {1, 0x7e, 0x3c, 0x7fffffff}}) {
    const Fp8 &f = kFormats[c.format];
    for (bool registerA : {false, true}) {
      Product p{f, f, false, registerA, {}, {}, {}};
      p.left[5][9] = c.x;
      p.right[3][9] = c.y;
      std::vector<uint32_t> got = run(p);
      EXPECT_EQ(got[5 * Product::kN + 3], c.expected)
          << f.name << std::hex << " " << int(c.x) << " " << int(c.y);
      EXPECT_EQ(got[4 * Product::kN + 3], 0u);
    }
  }
}
