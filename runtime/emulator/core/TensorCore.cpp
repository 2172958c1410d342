//===- TensorCore.cpp - How a tensor core adds ----------------------------===//
//
// All products of one step along k and the old sum are added at once: each is
// cut to a fixed number of bits below the largest exponent among them, and the
// exact sum of what is left is rounded once. docs/emulator.md has the rule as
// it was measured; the conformance snippets named wgmma_sums_* hold an H200
// against it.
//
//===----------------------------------------------------------------------===//

#include "TensorCore.h"
#include "Gemm.h"
#include "Numerics.h"

using namespace fa3::emulator;

namespace {

/// Far below every exponent: zero aligns nothing.
constexpr int32_t kNoExponent = -4096;

/// Numbers as the multipliers take them.
struct FactorFormat {
  int32_t leastExponent; ///< Of the subnormal numbers, which stay so.
  uint32_t fractionBits;
};

FactorFormat formatOf(Type type) {
  auto of = [](SmallFormat f) {
    return FactorFormat{2 - (1 << (f.exponentBits - 1)),
                        uint32_t(f.mantissaBits)};
  };
  switch (type) {
  case Type::F16:
    return of(kF16);
  case Type::BF16:
    return of(kBF16);
  case Type::TF32:
    return of({8, 10, true});
  case Type::E4M3:
    return of(kE4M3);
  default:
    return of(kE5M2);
  }
}

/// Takes \p x apart; false for infinity and NaN.
bool split(float x, FactorFormat format, int32_t &significand,
           int32_t &exponent) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  int32_t field = int32_t(bits >> 23 & 0xff);
  int32_t magnitude = int32_t(bits & 0x7fffff) | (field ? 1 << 23 : 0);
  if (!magnitude) {
    significand = 0;
    exponent = kNoExponent;
    return true;
  }
  int32_t own = (field ? field : 1) - 127;
  exponent = own > format.leastExponent ? own : format.leastExponent;
  significand =
      magnitude >> (23 - int32_t(format.fractionBits) + exponent - own);
  significand = bits >> 31 ? -significand : significand;
  return field != 0xff;
}

bool splitAll(const float *values, uint32_t count, FactorFormat format,
              SplitMatrix out) {
  bool finite = true;
  for (uint32_t i = 0; i != count; ++i)
    finite &= split(values[i], format, out.significands[i], out.exponents[i]);
  return finite;
}

/// \p x rounded towards zero, but beyond the finite numbers to infinity. Zero
/// has no sign.
float truncated(double x) {
  if (std::fabs(x) >= 0x1p128)
    return std::copysign(INFINITY, float(x));
  float r = float(x);
  r = std::fabs(double(r)) > std::fabs(x) ? std::nextafterf(r, 0.0f) : r;
  return r + 0.0f;
}

/// Numbers without exponents, whose sum fits a float.
void integerProducts(float *d, const float *a, const float *b,
                     const GemmShape &s) {
  for (uint32_t i = 0; i != s.m; ++i)
    for (uint32_t j = 0; j != s.n; ++j)
      for (uint32_t x = 0; x != s.k; ++x)
        d[i * s.n + j] += a[i * s.k + x] * b[x * s.n + j];
}

/// The sums that an infinity or a NaN takes part in.
void replaceSpecial(float *d, const float *before, const float *a,
                    const float *b, const GemmShape &s) {
  for (uint32_t i = 0; i != s.m; ++i)
    for (uint32_t j = 0; j != s.n; ++j) {
      // In double, nothing overflows on the way.
      double sum = before[i * s.n + j];
      for (uint32_t x = 0; x != s.k; ++x)
        sum += double(a[i * s.k + x]) * double(b[x * s.n + j]);
      if (!std::isfinite(sum))
        d[i * s.n + j] = canonical(float(sum));
    }
}

} // namespace

void fa3::emulator::multiplyAdd(float *d, const float *a, const float *b,
                                const GemmShape &s) {
  if (s.a == Type::S8 || s.a == Type::U8)
    return integerProducts(d, a, b, s);
  alignas(64) int32_t left[2][kMaxGemmM * kMaxGemmK],
      right[2][kMaxGemmK * kMaxGemmN], sums[kMaxGemmM * kMaxGemmN],
      tops[kMaxGemmM * kMaxGemmN];
  float before[kMaxGemmM * kMaxGemmN];
  FactorFormat aFormat = formatOf(s.a), bFormat = formatOf(s.b);
  // What is kept of each term, and of the sum.
  const uint32_t kept = s.keptBits;
  const uint32_t resultMask = ~uint32_t(0) << (kept < 23 ? 23 - kept : 0);
  const FactorFormat sumFormat{s.halfSums ? -14 : -126, 23};

  SplitMatrix aSplit{left[0], left[1]}, bSplit{right[0], right[1]};
  bool finite = splitAll(a, s.m * s.k, aFormat, aSplit);
  finite &= splitAll(b, s.k * s.n, bFormat, bSplit);
  const uint32_t count = s.m * s.n;
  for (uint32_t i = 0; i != count; ++i) {
    int32_t significand;
    before[i] = d[i];
    finite &= split(d[i], sumFormat, significand, tops[i]);
  }
  alignedProducts(sums, tops, aSplit, bSplit, s.m, s.n, s.k,
                  kept - aFormat.fractionBits - bFormat.fractionBits);
  for (uint32_t i = 0; i != count; ++i) {
    int32_t significand, exponent;
    split(before[i], sumFormat, significand, exponent);
    int64_t magnitude =
        int64_t(significand < 0 ? -significand : significand) << kept >> 23;
    int32_t below = tops[i] - exponent;
    magnitude >>= below < 63 ? below : 63;
    int64_t total = sums[i] + (significand < 0 ? -magnitude : magnitude);
    double exact = std::ldexp(double(total), tops[i] - int32_t(kept));
    if (s.halfSums)
      d[i] = fromF16(uint16_t(
          encodeSmall(exact, kF16, Round::Nearest, /*saturate=*/false)));
    else
      d[i] = std::bit_cast<float>(std::bit_cast<uint32_t>(truncated(exact)) &
                                  resultMask);
  }
  if (!finite)
    replaceSpecial(d, before, a, b, s);
}
