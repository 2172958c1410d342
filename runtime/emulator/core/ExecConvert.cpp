//===- ExecConvert.cpp - Conversions between types ------------------------===//
//
// PTX ISA, "cvt".
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"
#include "Numerics.h"

using namespace fa3::emulator;

namespace {

enum class CvtRound : uint8_t { None, Rn, Rz, Rm, Rp, Rna, Rni, Rzi, Rmi, Rpi };

/// A value in transit: integers keep 64 bits, floats a double (every source
/// format is exact in it).
struct CvtPlan {
  Type to, from;
  CvtRound round;
  bool ftz, sat, relu;
};

double roundIntegral(double x, CvtRound r) {
  switch (r) {
  case CvtRound::Rni: {
    double f = std::floor(x), rest = x - f;
    if (rest > 0.5 || (rest == 0.5 && std::fmod(f, 2) != 0))
      f += 1;
    return std::copysign(f, x);
  }
  case CvtRound::Rzi:
    return std::trunc(x);
  case CvtRound::Rmi:
    return std::floor(x);
  case CvtRound::Rpi:
    return std::ceil(x);
  default:
    return x;
  }
}

Round formatRound(CvtRound r) {
  switch (r) {
  case CvtRound::Rz:
    return Round::Zero;
  case CvtRound::Rm:
    return Round::Down;
  case CvtRound::Rp:
    return Round::Up;
  case CvtRound::Rna:
    return Round::NearestAway;
  default:
    return Round::Nearest;
  }
}

uint64_t loadInteger(uint64_t bits, Type type) {
  switch (type) {
  case Type::U8:
  case Type::B8:
    return uint8_t(bits);
  case Type::S8:
    return uint64_t(int64_t(int8_t(bits)));
  case Type::U16:
  case Type::B16:
    return uint16_t(bits);
  case Type::S16:
    return uint64_t(int64_t(int16_t(bits)));
  case Type::U32:
  case Type::B32:
    return uint32_t(bits);
  case Type::S32:
    return uint64_t(int64_t(int32_t(bits)));
  default:
    return bits;
  }
}
double loadFloat(uint64_t bits, Type type, bool ftz) {
  switch (type) {
  case Type::F16:
    return fromF16(uint16_t(bits));
  case Type::BF16:
    return fromBF16(uint16_t(bits));
  case Type::F32: {
    float x = std::bit_cast<float>(uint32_t(bits));
    return ftz ? flush(x) : x;
  }
  default:
    return std::bit_cast<double>(bits);
  }
}

/// Limits of an integer type as doubles; the upper one is exclusive.
uint64_t floatToInteger(double x, Type type) {
  uint32_t bits = 8 * typeBytes(type);
  bool isS = isSigned(type);
  // NaN converts to 0; for the 64-bit types to the most negative pattern.
  if (x != x)
    return bits == 64 ? uint64_t(1) << 63 : 0;
  double high = std::ldexp(1.0, int(bits) - (isS ? 1 : 0));
  double low = isS ? -high : 0;
  if (x >= high)
    return isS          ? (uint64_t(1) << (bits - 1)) - 1
           : bits == 64 ? ~uint64_t(0)
                        : (uint64_t(1) << bits) - 1;
  if (x <= low)
    return isS ? ~uint64_t(0) << (bits - 1) : 0;
  return isS ? uint64_t(int64_t(x)) : uint64_t(x);
}

uint64_t storeFloat(double x, const CvtPlan &p) {
  switch (p.to) {
  case Type::F16:
    return encodeSmall(x, kF16, formatRound(p.round), false);
  case Type::BF16:
    return encodeSmall(x, kBF16, formatRound(p.round), false);
  case Type::F32: {
    float r = p.round == CvtRound::Rz || p.round == CvtRound::Rm ||
                      p.round == CvtRound::Rp
                  ? roundToFloat(x, 0, formatRound(p.round))
                  : float(x);
    r = p.ftz ? flush(r) : r;
    return std::bit_cast<uint32_t>(p.sat ? (r > 0 ? (r < 1 ? r : 1.0f) : 0.0f)
                                         : canonical(r));
  }
  default:
    return std::bit_cast<uint64_t>(x);
  }
}

/// Integers to floats, directly: a double would round 64-bit values first.
uint64_t integerToFloat(uint64_t value, const CvtPlan &p) {
  bool isS = isSigned(p.from);
  if (p.to == Type::F64)
    return std::bit_cast<uint64_t>(isS ? double(int64_t(value))
                                       : double(value));
  if (p.to == Type::F32 &&
      (p.round == CvtRound::Rn || p.round == CvtRound::None))
    return std::bit_cast<uint32_t>(isS ? float(int64_t(value)) : float(value));
  bool negative = isS && int64_t(value) < 0;
  uint64_t magnitude = negative ? -value : value;
  double high = double(magnitude >> 32) * 4294967296.0;
  double low = double(uint32_t(magnitude));
  if (p.to == Type::F32)
    return std::bit_cast<uint32_t>(
        negative ? roundToFloat(-high, -low, formatRound(p.round))
                 : roundToFloat(high, low, formatRound(p.round)));
  // Values that do not fit a double exactly are far beyond these formats'
  // mantissas; make the sum sticky.
  double sum = high + low;
  double rest = low - (sum - high);
  if (rest != 0 && !(std::bit_cast<uint64_t>(sum) & 1))
    sum = std::nextafter(sum, rest > 0 ? INFINITY : -INFINITY);
  return storeFloat(negative ? -sum : sum, p);
}

uint64_t clampInteger(uint64_t value, const CvtPlan &p) {
  uint32_t bits = 8 * typeBytes(p.to);
  if (!p.sat)
    return value;
  bool fromS = isSigned(p.from), toS = isSigned(p.to);
  __int128 v = fromS ? __int128(int64_t(value)) : __int128(value);
  __int128 high = (__int128(1) << (bits - (toS ? 1 : 0))) - 1;
  __int128 low = toS ? -high - 1 : 0;
  return uint64_t(v > high ? high : v < low ? low : v);
}

uint64_t convert(uint64_t bits, const CvtPlan &p) {
  if (!isFloat(p.from)) {
    uint64_t value = loadInteger(bits, p.from);
    if (isFloat(p.to))
      return integerToFloat(value, p);
    return clampInteger(value, p);
  }
  double x = loadFloat(bits, p.from, p.ftz);
  if (!isFloat(p.to))
    return floatToInteger(roundIntegral(x, p.round), p.to);
  x = roundIntegral(x, p.round);
  if (p.relu && !(x > 0) && x == x)
    x = 0;
  return storeFloat(x, p);
}

Step cvtHandler(Warp &w, const Inst &i, Mask m) {
  CvtPlan p{Type(i.a),     Type(i.b),     CvtRound(i.c),
            bool(i.d & 1), bool(i.d & 2), bool(i.d & 4)};
  const Operand &from = i.ops[1], &to = i.ops[0];
  const uint32_t *in = w.in(from);
  uint32_t *out = w.out(to);
  bool signExtend = isSigned(p.to);
  forLanes(m, [&](uint32_t l) {
    uint64_t bits = from.bytes == 8 ? getLane<uint64_t>(in, l) : in[l];
    uint64_t r = convert(bits, p);
    // A destination wider than the type is extended to its width.
    if (!isFloat(p.to))
      r = loadInteger(r, signExtend ? p.to : asUnsigned(p.to));
    if (to.bytes == 8)
      setLane<uint64_t>(out, l, r);
    else
      out[l] = to.bytes == 2 ? uint16_t(r) : uint32_t(r);
  });
  return Step::Next;
}
struct Truncate64 {
  uint32_t operator()(uint64_t a) const { return uint32_t(a); }
};
struct ZeroExtend32 {
  uint64_t operator()(uint32_t a) const { return a; }
};
struct SignExtend32 {
  uint64_t operator()(uint32_t a) const {
    return uint64_t(int64_t(int32_t(a)));
  }
};

/// cvt.rn.bf16x2.f32 d, a, b: a goes to the upper half.
Step cvtBF16x2Handler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    return uint32_t(toBF16(getLane<float>(a, l))) << 16 |
           toBF16(getLane<float>(b, l));
  });
  return Step::Next;
}
/// .relu: negative values and -0 become +0, NaN stays.
float clampNegative(float x) { return x <= 0 ? 0.0f : x; }

/// The other packed forms. inst.a: destination type; inst.c: rounding; inst.d:
/// bit 0 satfinite, bit 1 relu; sources are f32, or one f16x2.
Step cvtPackHandler(Warp &w, const Inst &i, Mask m) {
  Type to = Type(i.a);
  SmallFormat format = to == Type::F16x2    ? kF16
                       : to == Type::BF16x2 ? kBF16
                       : to == Type::E4M3x2 ? kE4M3
                                            : kE5M2;
  uint32_t bits = to == Type::F16x2 || to == Type::BF16x2 ? 16 : 8;
  Round round = formatRound(CvtRound(i.c));
  bool sat = i.d & 1, relu = i.d & 2;
  const uint32_t *a = w.in(i.ops[1]);
  const uint32_t *b = i.count > 2 ? w.in(i.ops[2]) : nullptr;
  auto encode = [&](float x) {
    if (relu)
      x = clampNegative(x);
    return encodeSmall(x, format, round, sat);
  };
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float high = b ? getLane<float>(a, l) : fromF16(uint16_t(a[l] >> 16));
    float low = b ? getLane<float>(b, l) : fromF16(uint16_t(a[l]));
    return encode(high) << bits | encode(low);
  });
  return Step::Next;
}
/// cvt.rn.f16x2.e4m3x2 and its like: widening, exact.
Step cvtUnpackHandler(Warp &w, const Inst &i, Mask m) {
  const float *table = Type(i.b) == Type::E4M3x2 ? e4m3Table() : e5m2Table();
  const uint32_t *a = w.in(i.ops[1]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    auto half = [&](uint32_t byte) {
      float x = table[byte & 0xff];
      return uint32_t(toF16(i.d & 2 ? clampNegative(x) : x));
    };
    return half(a[l] >> 8) << 16 | half(a[l]);
  });
  return Step::Next;
}
Step cvtTF32Handler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l);
    return toTF32(i.d & 2 ? clampNegative(x) : x, formatRound(CvtRound(i.c)));
  });
  return Step::Next;
}

void decodeCvt(Decoder &d) {
  if (d.has("pack"))
    d.unsupported("form");
  int r = d.oneOf({"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"});
  CvtRound round = CvtRound(r + 1);
  bool satfinite = d.has("satfinite"), relu = d.has("relu"), ftz = d.has("ftz"),
       sat = d.has("sat");
  Type to = d.type(), from = d.type();
  d.inst.c = uint32_t(round);
  d.inst.a = uint32_t(to);
  d.inst.b = uint32_t(from);
  bool packed = to == Type::F16x2 || to == Type::BF16x2 || to == Type::E4M3x2 ||
                to == Type::E5M2x2;
  if (packed && (from == Type::E4M3x2 || from == Type::E5M2x2)) {
    if (to != Type::F16x2)
      d.unsupported("types");
    d.inst.d = relu ? 2 : 0;
    d.inst.fn = cvtUnpackHandler;
    return d.defUse(Type::B32, {Type::B16});
  }
  if (packed) {
    d.inst.d = (satfinite ? 1 : 0) | (relu ? 2 : 0);
    d.inst.fn = cvtPackHandler;
    if (to == Type::BF16x2 && round == CvtRound::Rn && !relu && !satfinite)
      d.inst.fn = cvtBF16x2Handler;
    bool narrow = to == Type::E4M3x2 || to == Type::E5M2x2;
    if (narrow && !satfinite)
      d.fail("needs .satfinite");
    Type result = narrow ? Type::B16 : Type::B32;
    if (narrow && from == Type::F16x2)
      return d.defUse(result, {Type::B32});
    if (from != Type::F32)
      d.unsupported("types");
    return d.defUse(result, {Type::F32, Type::F32});
  }
  if (to == Type::TF32) {
    if (from != Type::F32)
      d.unsupported("types");
    d.inst.d = relu ? 2 : 0;
    d.inst.fn = cvtTF32Handler;
    return d.defUse(Type::B32, {Type::F32});
  }
  if (to > Type::F64 || from > Type::F64 || to <= Type::Pred ||
      from <= Type::Pred || satfinite || to == Type::B128 || from == Type::B128)
    d.unsupported("types");
  d.inst.d = (ftz ? 1 : 0) | (sat ? 2 : 0) | (relu ? 4 : 0);
  d.expectOperands(2, 2);
  d.def(d.operand(0), typeBytes(to), true);
  d.use(d.operand(1), from, true);
  d.inst.fn = cvtHandler;
  uint32_t toBytes = d.registerBytes(d.operand(0)),
           fromBytes = d.registerBytes(d.operand(1));
  if (!isFloat(to) && !isFloat(from) && !sat) {
    if (typeBytes(to) == 4 && toBytes == 4 && typeBytes(from) == 8)
      d.inst.fn = unaryHandler<Truncate64, uint32_t, uint64_t>;
    else if (typeBytes(to) == 8 && typeBytes(from) == 4 && fromBytes == 4)
      d.inst.fn = isSigned(from)
                      ? unaryHandler<SignExtend32, uint64_t, uint32_t>
                      : unaryHandler<ZeroExtend32, uint64_t, uint32_t>;
  }
}

} // namespace

void fa3::emulator::addConvertOpcodes(OpcodeTable &t) { t["cvt"] = decodeCvt; }
