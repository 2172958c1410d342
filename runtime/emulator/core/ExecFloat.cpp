//===- ExecFloat.cpp - Floating-point arithmetic --------------------------===//
//
// PTX ISA, "Floating Point Instructions", "Half Precision Floating Point
// Instructions". Correctly rounded operations are exact; approximations are the
// correctly rounded value, which lies within every documented bound.
//
//===----------------------------------------------------------------------===//

#include "ExecFloat.h"
#include "Elementwise.h"
#include "Numerics.h"

#include <type_traits>

using namespace fa3::emulator;

namespace {

template <bool Ftz> inline float maybeFlush(float x) {
  return Ftz ? flush(x) : x;
}
inline float saturate(float x) { // NaN becomes 0.
  return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
}
template <bool Ftz, bool Sat> inline float finish(float x) {
  if constexpr (Sat)
    return saturate(x);
  return canonical(maybeFlush<Ftz>(x));
}

template <FloatOp Op, class T> inline T apply(T a, T b) {
  if constexpr (Op == FloatOp::Add)
    return a + b;
  else if constexpr (Op == FloatOp::Sub)
    return a - b;
  else
    return a * b;
}

/// Round to nearest.
template <FloatOp Op, bool Ftz, bool Sat> struct Arithmetic {
  float operator()(float a, float b) const {
    return finish<Ftz, Sat>(apply<Op>(maybeFlush<Ftz>(a), maybeFlush<Ftz>(b)));
  }
};
template <FloatOp Op> struct Arithmetic64 {
  double operator()(double a, double b) const { return apply<Op>(a, b); }
};

/// Directed rounding of float operations: the exact result is the sum of two
/// doubles.
template <FloatOp Op> float directed(float a, float b, Round round) {
  if constexpr (Op == FloatOp::Mul)
    return roundToFloat(double(a) * double(b), 0, round);
  double x = a, y = Op == FloatOp::Sub ? -double(b) : double(b);
  if (!std::isfinite(x) || !std::isfinite(y))
    return float(x + y);
  // An exact zero sum of opposite numbers is -0 when rounding down.
  if (x + y == 0 && !(x == 0 && std::signbit(x) == std::signbit(y)))
    return round == Round::Down ? -0.0f : 0.0f;
  return roundToFloat(x, y, round);
}
float directedFma(float a, float b, float c, Round round) {
  double product = double(a) * double(b);
  if (!std::isfinite(product) || !std::isfinite(c))
    return float(product + c);
  if (product + c == 0 &&
      !(product == 0 && std::signbit(product) == std::signbit(c)))
    return round == Round::Down ? -0.0f : 0.0f;
  return roundToFloat(product, c, round);
}

template <FloatOp Op> Step directedHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  bool ftz = i.b, sat = i.c;
  storeLanes<float>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l), y = getLane<float>(b, l);
    if (ftz)
      x = flush(x), y = flush(y);
    float r = directed<Op>(x, y, Round(i.a));
    r = ftz ? flush(r) : r;
    return sat ? saturate(r) : canonical(r);
  });
  return Step::Next;
}
Step directedFmaHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  bool ftz = i.b, sat = i.c;
  storeLanes<float>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l), y = getLane<float>(b, l),
          z = getLane<float>(c, l);
    if (ftz)
      x = flush(x), y = flush(y), z = flush(z);
    float r = directedFma(x, y, z, Round(i.a));
    r = ftz ? flush(r) : r;
    return sat ? saturate(r) : canonical(r);
  });
  return Step::Next;
}

template <bool Ftz, bool Sat> struct Fma {
  float operator()(float a, float b, float c) const {
    return finish<Ftz, Sat>(__builtin_fmaf(
        maybeFlush<Ftz>(a), maybeFlush<Ftz>(b), maybeFlush<Ftz>(c)));
  }
};
struct Fma64 {
  double operator()(double a, double b, double c) const {
    return __builtin_fma(a, b, c);
  }
};

//===----------------------------------------------------------------------===//
// 16-bit types: computed in float or double, rounded once
//===----------------------------------------------------------------------===//

struct HalfTraits {
  static float load(uint16_t x) { return fromF16(x); }
  static uint16_t store(double x) {
    return uint16_t(encodeSmall(x, kF16, Round::Nearest, false));
  }
};
struct BrainTraits {
  static float load(uint16_t x) { return fromBF16(x); }
  static uint16_t store(double x) {
    return uint16_t(encodeSmall(x, kBF16, Round::Nearest, false));
  }
};
inline uint16_t flushHalf(uint16_t x) { return x & 0x7c00 ? x : x & 0x8000; }

/// One element: a double holds every sum and product of two f16 or bf16 values,
/// and a sum of product and addend unless they are very far apart; then the
/// double's rounding cannot reach a tie of the narrow format unless the product
/// itself is on it, which keeps bits apart by more than 53 from the addend.
template <class T, FloatOp Op> uint16_t halfBinary(uint16_t a, uint16_t b) {
  return T::store(apply<Op>(double(T::load(a)), double(T::load(b))));
}
template <class T>
uint16_t halfFma(uint16_t a, uint16_t b, uint16_t c, bool relu) {
  double product = double(T::load(a)) * double(T::load(b));
  double addend = T::load(c);
  double sum = product + addend;
  // Make the double sticky (round to odd), so that the second rounding is
  // right.
  if (std::isfinite(sum)) {
    double bb = sum - product;
    double rest = (product - (sum - bb)) + (addend - bb);
    if (rest != 0 && !(std::bit_cast<uint64_t>(sum) & 1))
      sum = std::nextafter(sum, rest > 0 ? INFINITY : -INFINITY);
  }
  if (relu && !(sum > 0) && sum == sum)
    sum = 0;
  return T::store(sum);
}

template <class F> Step packed(Warp &w, const Inst &i, Mask m, bool two, F f) {
  const uint32_t *a = w.in(i.ops[1]);
  const uint32_t *b = i.count > 2 ? w.in(i.ops[2]) : a;
  const uint32_t *c = i.count > 3 ? w.in(i.ops[3]) : a;
  uint32_t *out = w.out(i.ops[0]);
  storeLanes<uint32_t>(out, m, [&](uint32_t l) {
    uint32_t r = f(uint16_t(a[l]), uint16_t(b[l]), uint16_t(c[l]));
    if (two)
      r |= uint32_t(f(uint16_t(a[l] >> 16), uint16_t(b[l] >> 16),
                      uint16_t(c[l] >> 16)))
           << 16;
    return r;
  });
  return Step::Next;
}
/// inst.a: packed pair; inst.b: ftz; inst.c: sat or relu.
template <class T, FloatOp Op>
Step halfBinaryHandler(Warp &w, const Inst &i, Mask m) {
  return packed(w, i, m, i.a, [&](uint16_t x, uint16_t y, uint16_t) {
    if (i.b)
      x = flushHalf(x), y = flushHalf(y);
    uint16_t r = halfBinary<T, Op>(x, y);
    if (i.b)
      r = flushHalf(r);
    return i.c ? T::store(saturate(T::load(r))) : r;
  });
}
template <class T> Step halfFmaHandler(Warp &w, const Inst &i, Mask m) {
  return packed(w, i, m, i.a, [&](uint16_t x, uint16_t y, uint16_t z) {
    if (i.b)
      x = flushHalf(x), y = flushHalf(y), z = flushHalf(z);
    uint16_t r = halfFma<T>(x, y, z, i.d);
    if (i.b)
      r = flushHalf(r);
    return i.c ? T::store(saturate(T::load(r))) : r;
  });
}

/// PTX ISA, "min", "max": a NaN operand is ignored unless .NaN; -0 < +0.
template <bool IsMax> float minMax(float a, float b, bool nan) {
  if (a != a || b != b) {
    if (nan || (a != a && b != b))
      return std::bit_cast<float>(kCanonicalNaN);
    return a != a ? b : a;
  }
  if (a == b)
    return std::signbit(a) == IsMax ? b : a;
  return (a < b) == IsMax ? b : a;
}
template <bool IsMax, bool Ftz> struct MinMax {
  float operator()(float a, float b) const {
    a = maybeFlush<Ftz>(a), b = maybeFlush<Ftz>(b);
    // Integer comparison orders zeros by sign, and selects vectorize.
    int32_t x = std::bit_cast<int32_t>(a), y = std::bit_cast<int32_t>(b);
    int32_t kx = x ^ int32_t(uint32_t(x >> 31) >> 1);
    int32_t ky = y ^ int32_t(uint32_t(y >> 31) >> 1);
    float r = (kx < ky) == IsMax ? b : a;
    r = a != a ? b : r;
    r = b != b ? a : r;
    return canonical(r);
  }
};
template <bool IsMax, bool Ftz> struct MinMaxNaN {
  float operator()(float a, float b) const {
    return minMax<IsMax>(maybeFlush<Ftz>(a), maybeFlush<Ftz>(b), true);
  }
};
template <bool IsMax> struct MinMax64 {
  double operator()(double a, double b) const {
    if (a != a)
      return b;
    if (b != b)
      return a;
    if (a == b)
      return std::signbit(a) == IsMax ? b : a;
    return (a < b) == IsMax ? b : a;
  }
};
template <class T, bool IsMax>
Step halfMinMaxHandler(Warp &w, const Inst &i, Mask m) {
  return packed(w, i, m, i.a, [&](uint16_t x, uint16_t y, uint16_t) {
    if (i.b)
      x = flushHalf(x), y = flushHalf(y);
    return T::store(minMax<IsMax>(T::load(x), T::load(y), i.c));
  });
}

/// Also neg and abs make NaN canonical.
template <bool Ftz> struct NegF {
  float operator()(float a) const { return canonical(-maybeFlush<Ftz>(a)); }
};
template <bool Ftz> struct AbsF {
  float operator()(float a) const {
    return canonical(std::fabs(maybeFlush<Ftz>(a)));
  }
};
struct NegD {
  double operator()(double a) const { return -a; }
};
struct AbsD {
  double operator()(double a) const { return std::fabs(a); }
};
/// inst.a: packed pair; inst.b: the bits of infinity.
template <bool IsNeg> Step halfSignHandler(Warp &w, const Inst &i, Mask m) {
  return packed(w, i, m, i.a, [&](uint16_t x, uint16_t, uint16_t) {
    if ((x & 0x7fffu) > i.b)
      return uint16_t(0x7fff);
    return uint16_t(IsNeg ? x ^ 0x8000 : x & 0x7fff);
  });
}

//===----------------------------------------------------------------------===//
// Division, roots and transcendentals
//===----------------------------------------------------------------------===//

enum Function : uint32_t {
  Rcp,
  Sqrt,
  Rsqrt,
  Sin,
  Cos,
  Lg2,
  Ex2,
  Tanh,
};
template <Function F> double evaluate(double x) {
  switch (F) {
  case Rcp:
    return 1 / x;
  case Sqrt:
    return std::sqrt(x);
  case Rsqrt:
    return 1 / std::sqrt(x);
  case Sin:
    return std::sin(x);
  case Cos:
    return std::cos(x);
  case Lg2:
    return std::log2(x);
  case Ex2:
    return std::exp2(x);
  case Tanh:
    return std::tanh(x);
  }
  return x;
}
template <Function F, bool Ftz> struct Approx {
  float operator()(float x) const {
    if constexpr (F == Ex2)
      return canonical(maybeFlush<Ftz>(exp2f(maybeFlush<Ftz>(x))));
    // sin, cos and rsqrt of the subnormal range flush only with .ftz.
    return canonical(maybeFlush<Ftz>(float(evaluate<F>(maybeFlush<Ftz>(x)))));
  }
};
/// Correctly rounded rcp and sqrt in any direction: the double result is exact
/// but for a rest whose sign the residual gives.
template <Function F> Step roundedFunction(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  bool ftz = i.b;
  storeLanes<float>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l);
    if (ftz)
      x = flush(x);
    double y = evaluate<F>(double(x));
    float r;
    if (!std::isfinite(y) || y == 0) {
      r = float(y);
    } else {
      double residual =
          F == Sqrt ? std::fma(-y, y, double(x)) : std::fma(-y, double(x), 1.0);
      double rest = residual / (F == Sqrt ? 2 * y : double(x));
      r = roundToFloat(y, rest, Round(i.a));
    }
    return canonical(ftz ? flush(r) : r);
  });
  return Step::Next;
}
template <Function F> struct Function64 {
  double operator()(double x) const { return evaluate<F>(x); }
};

Step divHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  bool ftz = i.b;
  storeLanes<float>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l), y = getLane<float>(b, l);
    if (ftz)
      x = flush(x), y = flush(y);
    float r = x / y;
    if (Round(i.a) != Round::Nearest && std::isfinite(r) && y != 0) {
      double q = double(x) / double(y);
      r = roundToFloat(q, std::fma(-q, double(y), double(x)) / y, Round(i.a));
    }
    return canonical(ftz ? flush(r) : r);
  });
  return Step::Next;
}
struct Div64 {
  double operator()(double a, double b) const { return a / b; }
};

/// ex2 and tanh of 16-bit types.
template <class T, Function F>
Step halfFunction(Warp &w, const Inst &i, Mask m) {
  return packed(w, i, m, i.a, [&](uint16_t x, uint16_t, uint16_t) {
    if (i.b)
      x = flushHalf(x);
    uint16_t r = T::store(evaluate<F>(double(T::load(x))));
    return i.b ? flushHalf(r) : r;
  });
}

Step copysignHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  if (i.a)
    storeLanes<uint64_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
      uint64_t sign = uint64_t(1) << 63;
      return (getLane<uint64_t>(a, l) & sign) |
             (getLane<uint64_t>(b, l) & ~sign);
    });
  else
    storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
      return (a[l] & 0x80000000u) | (b[l] & 0x7fffffffu);
    });
  return Step::Next;
}

enum TestKind : uint32_t {
  Finite,
  Infinite,
  Number,
  NotANumber,
  Normal,
  Subnormal
};
Step testpHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  Mask bits = 0;
  forLanes(m, [&](uint32_t l) {
    double x;
    int kind;
    if (i.b) {
      x = getLane<double>(a, l);
      kind = std::fpclassify(x);
    } else {
      kind = std::fpclassify(getLane<float>(a, l));
    }
    bool r = false;
    switch (i.a) {
    case Finite:
      r = kind != FP_INFINITE && kind != FP_NAN;
      break;
    case Infinite:
      r = kind == FP_INFINITE;
      break;
    case Number:
      r = kind != FP_NAN;
      break;
    case NotANumber:
      r = kind == FP_NAN;
      break;
    case Normal:
      r = kind == FP_NORMAL;
      break;
    default:
      r = kind == FP_SUBNORMAL;
      break;
    }
    bits |= Mask(r) << l;
  });
  setPredicate(w, i.ops[0], m, bits);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

Round takeRound(Decoder &d) {
  int r = d.oneOf({"rn", "rz", "rm", "rp"});
  return r < 0 ? Round::Nearest : Round(r);
}

template <FloatOp Op> void decodeBinaryOp(Decoder &d, Type type, bool sat) {
  Round round = takeRound(d);
  bool ftz = d.has("ftz");
  sat |= d.has("sat");
  d.inst.b = ftz;
  d.inst.c = sat;
  switch (type) {
  case Type::F32:
    if (round != Round::Nearest) {
      d.inst.a = uint32_t(round);
      d.inst.fn = directedHandler<Op>;
    } else {
      static constexpr Handler kHandlers[2][2] = {
          {binaryHandler<Arithmetic<Op, false, false>, float, float, float>,
           binaryHandler<Arithmetic<Op, false, true>, float, float, float>},
          {binaryHandler<Arithmetic<Op, true, false>, float, float, float>,
           binaryHandler<Arithmetic<Op, true, true>, float, float, float>}};
      d.inst.fn = kHandlers[ftz][sat];
    }
    break;
  case Type::F64:
    if (round != Round::Nearest || ftz || sat)
      d.unsupported("rounding of f64");
    d.inst.fn = binaryHandler<Arithmetic64<Op>, double, double, double>;
    break;
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
    if (round != Round::Nearest)
      d.unsupported("rounding");
    d.inst.a = typeBytes(type) == 4;
    d.inst.fn = type == Type::F16 || type == Type::F16x2
                    ? halfBinaryHandler<HalfTraits, Op>
                    : halfBinaryHandler<BrainTraits, Op>;
    break;
  default:
    d.unsupported("type");
  }
  d.defUse(type, {type, type});
}

template <Function F> void decodeFunction(Decoder &d) {
  bool approx = d.has("approx");
  int r = d.oneOf({"rn", "rz", "rm", "rp"});
  bool ftz = d.has("ftz");
  Type type = d.type();
  d.inst.b = ftz;
  d.inst.cost = 2;
  if (type == Type::F64) {
    d.inst.fn = unaryHandler<Function64<F>, double, double>;
    if (r > 0 || F == Sin || F == Cos || F == Lg2 || F == Ex2 || F == Tanh)
      d.unsupported("rounding of f64");
  } else if (type == Type::F32) {
    if (approx == (r >= 0))
      d.fail("needs .approx or a rounding mode");
    if (approx)
      d.inst.fn = ftz ? unaryHandler<Approx<F, true>, float, float>
                      : unaryHandler<Approx<F, false>, float, float>;
    else if constexpr (F == Rcp || F == Sqrt) {
      d.inst.a = uint32_t(r);
      d.inst.fn = roundedFunction<F>;
    } else
      d.unsupported("rounding");
  } else if ((F == Ex2 || F == Tanh) && isFloat(type) && typeBytes(type) <= 4 &&
             type != Type::TF32 && approx) {
    d.inst.a = typeBytes(type) == 4;
    if constexpr (F == Ex2 || F == Tanh)
      d.inst.fn = type == Type::F16 || type == Type::F16x2
                      ? halfFunction<HalfTraits, F>
                      : halfFunction<BrainTraits, F>;
  } else {
    d.unsupported("type");
  }
  d.defUse(type, {type});
}

void decodeCopysign(Decoder &d) {
  Type type = d.type();
  d.inst.a = type == Type::F64;
  d.inst.fn = copysignHandler;
  d.defUse(type, {type, type});
}

void decodeTestp(Decoder &d) {
  int kind = d.oneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  if (kind < 0)
    d.fail("missing test");
  Type type = d.type();
  d.inst.a = uint32_t(kind);
  d.inst.b = type == Type::F64;
  d.inst.fn = testpHandler;
  d.expectOperands(2, 2);
  d.defPred(d.operand(0));
  d.use(d.operand(1), type);
}

} // namespace

void fa3::emulator::decodeFloatBinary(Decoder &d, Type type, FloatOp op,
                                      bool sat) {
  if (op == FloatOp::Add)
    decodeBinaryOp<FloatOp::Add>(d, type, sat);
  else if (op == FloatOp::Sub)
    decodeBinaryOp<FloatOp::Sub>(d, type, sat);
  else
    decodeBinaryOp<FloatOp::Mul>(d, type, sat);
}

void fa3::emulator::decodeFloatFma(Decoder &d) {
  Round round = takeRound(d);
  bool ftz = d.has("ftz"), sat = d.has("sat"), relu = d.has("relu");
  Type type = d.type();
  d.inst.b = ftz;
  d.inst.c = sat;
  if (relu && (type == Type::F32 || type == Type::F64))
    d.unsupported("relu");
  switch (type) {
  case Type::F32:
    if (round != Round::Nearest) {
      d.inst.a = uint32_t(round);
      d.inst.fn = directedFmaHandler;
    } else {
      static constexpr Handler kHandlers[2][2] = {
          {ternaryHandler<Fma<false, false>, float, float, float, float>,
           ternaryHandler<Fma<false, true>, float, float, float, float>},
          {ternaryHandler<Fma<true, false>, float, float, float, float>,
           ternaryHandler<Fma<true, true>, float, float, float, float>}};
      d.inst.fn = kHandlers[ftz][sat];
    }
    break;
  case Type::F64:
    if (round != Round::Nearest)
      d.unsupported("rounding of f64");
    d.inst.fn = ternaryHandler<Fma64, double, double, double, double>;
    break;
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
    if (round != Round::Nearest)
      d.unsupported("rounding");
    d.inst.a = typeBytes(type) == 4;
    d.inst.d = relu;
    d.inst.fn = type == Type::F16 || type == Type::F16x2
                    ? halfFmaHandler<HalfTraits>
                    : halfFmaHandler<BrainTraits>;
    break;
  default:
    d.unsupported("type");
  }
  d.defUse(type, {type, type, type});
}

void fa3::emulator::decodeFloatDiv(Decoder &d, Type type, int mode) {
  Round round = takeRound(d);
  d.inst.b = d.has("ftz");
  if (type == Type::None)
    type = d.type();
  d.inst.a = uint32_t(mode >= 0 ? Round::Nearest : round);
  d.inst.cost = 4;
  if (type == Type::F32)
    d.inst.fn = divHandler;
  else if (type == Type::F64 && round == Round::Nearest)
    d.inst.fn = binaryHandler<Div64, double, double, double>;
  else
    d.unsupported("type");
  d.defUse(type, {type, type});
}

void fa3::emulator::decodeFloatMinMax(Decoder &d, Type type, FloatOp op,
                                      bool ftz, bool nan) {
  bool isMax = op == FloatOp::Max;
  switch (type) {
  case Type::F32: {
    static constexpr Handler kHandlers[2][2][2] = {
        {{binaryHandler<MinMax<false, false>, float, float, float>,
          binaryHandler<MinMax<true, false>, float, float, float>},
         {binaryHandler<MinMax<false, true>, float, float, float>,
          binaryHandler<MinMax<true, true>, float, float, float>}},
        {{binaryHandler<MinMaxNaN<false, false>, float, float, float>,
          binaryHandler<MinMaxNaN<true, false>, float, float, float>},
         {binaryHandler<MinMaxNaN<false, true>, float, float, float>,
          binaryHandler<MinMaxNaN<true, true>, float, float, float>}}};
    d.inst.fn = kHandlers[nan][ftz][isMax];
    // The three-operand form max(a, b, c) is decoded by the caller's ISA only.
    break;
  }
  case Type::F64:
    d.inst.fn = isMax ? binaryHandler<MinMax64<true>, double, double, double>
                      : binaryHandler<MinMax64<false>, double, double, double>;
    break;
  case Type::F16:
  case Type::F16x2:
    d.inst.fn = isMax ? halfMinMaxHandler<HalfTraits, true>
                      : halfMinMaxHandler<HalfTraits, false>;
    break;
  case Type::BF16:
  case Type::BF16x2:
    d.inst.fn = isMax ? halfMinMaxHandler<BrainTraits, true>
                      : halfMinMaxHandler<BrainTraits, false>;
    break;
  default:
    d.unsupported("type");
  }
  if (type != Type::F32) {
    d.inst.a = typeBytes(type) == 4;
    d.inst.b = ftz;
    d.inst.c = nan;
  }
  d.defUse(type, {type, type});
}

void fa3::emulator::decodeFloatSign(Decoder &d, Type type, FloatOp op,
                                    bool ftz) {
  bool neg = op == FloatOp::Neg;
  if (type == Type::F32) {
    d.inst.fn = neg ? (ftz ? unaryHandler<NegF<true>, float, float>
                           : unaryHandler<NegF<false>, float, float>)
                    : (ftz ? unaryHandler<AbsF<true>, float, float>
                           : unaryHandler<AbsF<false>, float, float>);
    return d.defUse(type, {type});
  }
  if (type == Type::F64) {
    d.inst.fn = neg ? unaryHandler<NegD, double, double>
                    : unaryHandler<AbsD, double, double>;
    return d.defUse(type, {type});
  }
  if (ftz)
    d.unsupported("ftz");
  d.inst.a = typeBytes(type) == 4;
  d.inst.b = type == Type::F16 || type == Type::F16x2 ? 0x7c00 : 0x7f80;
  d.inst.fn = neg ? halfSignHandler<true> : halfSignHandler<false>;
  d.defUse(type, {type});
}

void fa3::emulator::addFloatOpcodes(OpcodeTable &t) {
  t["fma"] = decodeFloatFma;
  t["rcp"] = decodeFunction<Rcp>;
  t["sqrt"] = decodeFunction<Sqrt>;
  t["rsqrt"] = decodeFunction<Rsqrt>;
  t["sin"] = decodeFunction<Sin>;
  t["cos"] = decodeFunction<Cos>;
  t["lg2"] = decodeFunction<Lg2>;
  t["ex2"] = decodeFunction<Ex2>;
  t["tanh"] = decodeFunction<Tanh>;
  t["copysign"] = decodeCopysign;
  t["testp"] = decodeTestp;
}
