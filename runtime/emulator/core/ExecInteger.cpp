//===- ExecInteger.cpp - Integer and bit instructions ---------------------===//
//
// PTX ISA, "Integer Arithmetic Instructions", "Logic and Shift Instructions".
// add, sub, mul, neg, abs, min and max share their names with floating point;
// the decoders here hand those types on to decodeFloat*.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"
#include "ExecFloat.h"

#include <limits>
#include <type_traits>

using namespace fa3::emulator;

namespace {

template <class T> using Unsigned = std::make_unsigned_t<T>;

struct Add {
  template <class T> T operator()(T a, T b) const {
    return T(Unsigned<T>(a) + Unsigned<T>(b));
  }
};
struct AddSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t r = int64_t(a) + b;
    return int32_t(r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : r);
  }
};
struct Sub {
  template <class T> T operator()(T a, T b) const {
    return T(Unsigned<T>(a) - Unsigned<T>(b));
  }
};
struct SubSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t r = int64_t(a) - b;
    return int32_t(r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : r);
  }
};
struct MulLo {
  template <class T> T operator()(T a, T b) const {
    // Through 64 bits, so that narrow types do not promote to signed int.
    return T(uint64_t(a) * uint64_t(b));
  }
};
struct MulHi {
  template <class T> T operator()(T a, T b) const {
    if constexpr (sizeof(T) == 8) {
      using W =
          std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
      return T((W(a) * W(b)) >> 64);
    } else {
      using W = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      return T((W(a) * W(b)) >> (8 * sizeof(T)));
    }
  }
};
template <class W> struct MulWide {
  template <class T> W operator()(T a, T b) const { return W(W(a) * W(b)); }
};
template <class Mul> struct MulAdd {
  template <class T, class W> W operator()(T a, T b, W c) const {
    return Add()(W(Mul()(a, b)), c);
  }
};
/// Division by zero gives all ones, as the hardware's sequence does.
struct Div {
  template <class T> T operator()(T a, T b) const {
    if (b == 0)
      return T(-1);
    if (std::is_signed_v<T> && b == T(-1))
      return T(-Unsigned<T>(a));
    return T(a / b);
  }
};
struct Rem {
  template <class T> T operator()(T a, T b) const {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == T(-1))
      return 0;
    return T(a % b);
  }
};
struct Min {
  template <class T> T operator()(T a, T b) const { return a < b ? a : b; }
};
struct Max {
  template <class T> T operator()(T a, T b) const { return a > b ? a : b; }
};
/// PTX ISA, "min", "max": .relu clamps a negative result to 0.
template <class Op> struct Relu {
  template <class T> T operator()(T a, T b) const {
    return Max()(Op()(a, b), T(0));
  }
};
struct Neg {
  template <class T> T operator()(T a) const { return T(-Unsigned<T>(a)); }
};
struct Abs {
  template <class T> T operator()(T a) const {
    return a < 0 ? T(-Unsigned<T>(a)) : a;
  }
};
struct And {
  template <class T> T operator()(T a, T b) const { return T(a & b); }
};
struct Or {
  template <class T> T operator()(T a, T b) const { return T(a | b); }
};
struct Xor {
  template <class T> T operator()(T a, T b) const { return T(a ^ b); }
};
struct Not {
  template <class T> T operator()(T a) const { return T(~a); }
};
struct LogicalNot {
  template <class T> T operator()(T a) const { return a == 0; }
};
/// Shift amounts above the width clamp to it.
struct Shl {
  template <class T> T operator()(T a, uint32_t b) const {
    return b >= 8 * sizeof(T) ? T(0) : T(uint64_t(Unsigned<T>(a)) << b);
  }
};
struct Shr {
  template <class T> T operator()(T a, uint32_t b) const {
    constexpr uint32_t kBits = 8 * sizeof(T);
    if (b >= kBits)
      return std::is_signed_v<T> && a < 0 ? T(-1) : T(0);
    return T(a >> b);
  }
};
template <bool Left, bool Wrap> struct FunnelShift {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t c) const {
    uint32_t n = Wrap ? c & 31 : c > 32 ? 32 : c;
    uint64_t both = uint64_t(b) << 32 | a;
    return Left ? uint32_t((both << n) >> 32) : uint32_t(both >> n);
  }
};
struct Popc {
  template <class T> uint32_t operator()(T a) const {
    return uint32_t(std::popcount(a));
  }
};
struct Clz {
  template <class T> uint32_t operator()(T a) const {
    return uint32_t(std::countl_zero(a));
  }
};
struct Brev {
  template <class T> T operator()(T a) const {
    T r = 0;
    for (uint32_t i = 0; i != 8 * sizeof(T); ++i)
      r = T(r << 1) | T(a >> i & 1);
    return r;
  }
};
template <bool ShiftAmount> struct Bfind {
  template <class T> uint32_t operator()(T a) const {
    Unsigned<T> bits =
        std::is_signed_v<T> && a < 0 ? Unsigned<T>(~a) : Unsigned<T>(a);
    constexpr uint32_t kBits = 8 * sizeof(T);
    if (!bits)
      return ~0u;
    uint32_t top = kBits - 1 - uint32_t(std::countl_zero(bits));
    return ShiftAmount ? kBits - 1 - top : top;
  }
};
struct Bfe {
  template <class T> T operator()(T a, uint32_t pos, uint32_t len) const {
    constexpr uint32_t kBits = 8 * sizeof(T);
    pos &= 0xff;
    len &= 0xff;
    if (len == 0)
      return 0;
    bool negative = std::is_signed_v<T> &&
                    (Unsigned<T>(a) >> std::min(pos + len - 1, kBits - 1) & 1);
    Unsigned<T> field = pos >= kBits ? 0 : Unsigned<T>(Unsigned<T>(a) >> pos);
    uint32_t have = pos >= kBits ? 0 : std::min(len, kBits - pos);
    Unsigned<T> mask = have >= kBits
                           ? ~Unsigned<T>(0)
                           : Unsigned<T>((Unsigned<T>(1) << have) - 1);
    return T((field & mask) | (negative ? Unsigned<T>(~mask) : 0));
  }
};
struct Bfi4 {
  template <class T> static T apply(T a, T b, uint32_t pos, uint32_t len) {
    constexpr uint32_t kBits = 8 * sizeof(T);
    pos &= 0xff;
    len &= 0xff;
    if (pos >= kBits || len == 0)
      return b;
    T mask = len >= kBits ? ~T(0) : T((T(1) << len) - 1);
    return (b & ~T(mask << pos)) | T((a & mask) << pos);
  }
};
template <class T> Step bfiHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]),
                 *d = w.in(i.ops[4]);
  storeLanes<T>(w.out(i.ops[0]), m, [&](uint32_t l) {
    return Bfi4::apply<T>(getLane<T>(a, l), getLane<T>(b, l), c[l], d[l]);
  });
  return Step::Next;
}
struct Bmsk {
  uint32_t operator()(uint32_t a, uint32_t b) const { // .clamp
    if (a >= 32 || b == 0)
      return 0;
    uint32_t mask = b >= 32 ? ~0u : (1u << b) - 1;
    return mask << a;
  }
};
struct Sad {
  template <class T> T operator()(T a, T b, T c) const {
    return T(Unsigned<T>(c) + (a < b ? Unsigned<T>(b) - Unsigned<T>(a)
                                     : Unsigned<T>(a) - Unsigned<T>(b)));
  }
};

/// prmt: picks four of the eight bytes of b:a (PTX ISA, "prmt").
Step prmtHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    uint64_t bytes = uint64_t(b[l]) << 32 | a[l];
    uint32_t s = c[l], r = 0, n = s & 3;
    for (uint32_t k = 0; k != 4; ++k) {
      uint32_t pick = 0;
      bool sign = false;
      switch (i.a) {
      case 0:
        pick = s >> (4 * k) & 7;
        sign = s >> (4 * k) & 8;
        break;
      case 1: // f4e
        pick = n + k;
        break;
      case 2: // b4e
        pick = (n - k) & 7;
        break;
      case 3: // rc8
        pick = n;
        break;
      case 4: // ecl
        pick = k > n ? k : n;
        break;
      case 5: // ecr
        pick = k < n ? k : n;
        break;
      default: // rc16
        pick = (n & 1) * 2 + (k & 1);
        break;
      }
      uint32_t byte = uint32_t(bytes >> (8 * pick)) & 0xff;
      if (sign)
        byte = byte & 0x80 ? 0xff : 0;
      r |= byte << (8 * k);
    }
    return r;
  });
  return Step::Next;
}

Step lop3Handler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  uint32_t table = i.a;
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    uint32_t r = 0;
    for (uint32_t k = 0; k != 8; ++k)
      if (table >> k & 1)
        r |= (k & 4 ? a[l] : ~a[l]) & (k & 2 ? b[l] : ~b[l]) &
             (k & 1 ? c[l] : ~c[l]);
    return r;
  });
  return Step::Next;
}

Step dp4aHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    uint32_t sum = c[l];
    for (uint32_t k = 0; k != 4; ++k) {
      int32_t x = i.a ? int8_t(a[l] >> (8 * k)) : uint8_t(a[l] >> (8 * k));
      int32_t y = i.b ? int8_t(b[l] >> (8 * k)) : uint8_t(b[l] >> (8 * k));
      sum += uint32_t(x * y);
    }
    return sum;
  });
  return Step::Next;
}

/// Extended precision: add and sub with carry in (inst.a) and out (inst.b);
/// inst.c: subtract, whose carry is a borrow.
template <class T> Step carryHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  uint32_t *out = w.out(i.ops[0]);
  Mask carry = 0;
  forLanes(m, [&](uint32_t l) {
    T x = getLane<T>(a, l), y = getLane<T>(b, l);
    T in = i.a ? T(w.carry >> l & 1) : T(0);
    unsigned __int128 exact =
        i.c ? (unsigned __int128)x - y - in : (unsigned __int128)x + y + in;
    setLane<T>(out, l, T(exact));
    carry |= Mask(exact >> (8 * sizeof(T)) & 1) << l;
  });
  if (i.b)
    w.carry = (w.carry & ~m) | carry;
  return Step::Next;
}

/// and/or/xor/not on predicates.
enum PredicateOp : uint32_t { PredAnd, PredOr, PredXor, PredNot };
Step predicateHandler(Warp &w, const Inst &i, Mask m) {
  Mask a = predicateMask(w, i.ops[1]);
  Mask b = i.count > 2 ? predicateMask(w, i.ops[2]) : 0;
  Mask r = i.a == PredAnd   ? a & b
           : i.a == PredOr  ? a | b
           : i.a == PredXor ? a ^ b
                            : ~a;
  setPredicate(w, i.ops[0], m, r);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

template <class Op> Handler binaryFor(Decoder &d, Type type) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return binaryHandler<Op, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return binaryHandler<Op, int16_t, int16_t, int16_t>;
  case Type::U32:
  case Type::B32:
    return binaryHandler<Op, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return binaryHandler<Op, int32_t, int32_t, int32_t>;
  case Type::U64:
  case Type::B64:
    return binaryHandler<Op, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return binaryHandler<Op, int64_t, int64_t, int64_t>;
  default:
    d.unsupported("type");
  }
}
template <class Op> Handler unaryFor(Decoder &d, Type type) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return unaryHandler<Op, uint16_t, uint16_t>;
  case Type::S16:
    return unaryHandler<Op, int16_t, int16_t>;
  case Type::U32:
  case Type::B32:
    return unaryHandler<Op, uint32_t, uint32_t>;
  case Type::S32:
    return unaryHandler<Op, int32_t, int32_t>;
  case Type::U64:
  case Type::B64:
    return unaryHandler<Op, uint64_t, uint64_t>;
  case Type::S64:
    return unaryHandler<Op, int64_t, int64_t>;
  default:
    d.unsupported("type");
  }
}
template <class Op> Handler shiftFor(Decoder &d, Type type) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return binaryHandler<Op, uint16_t, uint16_t, uint32_t>;
  case Type::S16:
    return binaryHandler<Op, int16_t, int16_t, uint32_t>;
  case Type::U32:
  case Type::B32:
    return binaryHandler<Op, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return binaryHandler<Op, int32_t, int32_t, uint32_t>;
  case Type::U64:
  case Type::B64:
    return binaryHandler<Op, uint64_t, uint64_t, uint32_t>;
  case Type::S64:
    return binaryHandler<Op, int64_t, int64_t, uint32_t>;
  default:
    d.unsupported("type");
  }
}
/// mad.lo and mad.hi of type T.
template <class Mul> Handler madFor(Decoder &d, Type type) {
  switch (type) {
  case Type::U16:
    return ternaryHandler<MulAdd<Mul>, uint16_t, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return ternaryHandler<MulAdd<Mul>, int16_t, int16_t, int16_t, int16_t>;
  case Type::U32:
    return ternaryHandler<MulAdd<Mul>, uint32_t, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return ternaryHandler<MulAdd<Mul>, int32_t, int32_t, int32_t, int32_t>;
  case Type::U64:
    return ternaryHandler<MulAdd<Mul>, uint64_t, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return ternaryHandler<MulAdd<Mul>, int64_t, int64_t, int64_t, int64_t>;
  default:
    d.unsupported("type");
  }
}

void decodeCarry(Decoder &d, Type type, bool in, bool out, bool subtract) {
  uint32_t bytes = typeBytes(type);
  if (isFloat(type) || bytes < 4 || bytes > 8)
    d.unsupported("type");
  d.inst.a = in;
  d.inst.b = out;
  d.inst.c = subtract;
  d.inst.fn = bytes == 8 ? carryHandler<uint64_t> : carryHandler<uint32_t>;
  d.defUse(type, {type, type});
}
template <bool Subtract> void decodeWithCarry(Decoder &d) {
  bool out = d.has("cc");
  decodeCarry(d, d.type(), true, out, Subtract);
}

template <class Op, class OpSat>
void decodeAddSub(Decoder &d, FloatOp floatOp) {
  bool carryOut = d.has("cc");
  bool sat = !carryOut && d.has("sat");
  Type type = d.type();
  if (carryOut)
    return decodeCarry(d, type, false, true, floatOp == FloatOp::Sub);
  if (isFloat(type))
    return decodeFloatBinary(d, type, floatOp, sat);
  if (sat && type != Type::S32)
    d.unsupported("saturation");
  d.inst.fn = sat ? binaryHandler<OpSat, int32_t, int32_t, int32_t>
                  : binaryFor<Op>(d, type);
  d.defUse(type, {type, type});
}
void decodeAdd(Decoder &d) { decodeAddSub<Add, AddSat>(d, FloatOp::Add); }
void decodeSub(Decoder &d) { decodeAddSub<Sub, SubSat>(d, FloatOp::Sub); }

Type widened(Decoder &d, Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  case Type::S32:
    return Type::S64;
  default:
    d.unsupported("type of .wide");
  }
}

void decodeMul(Decoder &d) {
  int part = d.oneOf({"lo", "hi", "wide"});
  bool sat = part < 0 && d.has("sat");
  Type type = d.type();
  if (isFloat(type))
    return decodeFloatBinary(d, type, FloatOp::Mul, sat);
  if (part < 0)
    d.fail("missing .lo, .hi or .wide");
  Type result = type;
  if (part == 0) {
    d.inst.fn = binaryFor<MulLo>(d, type);
  } else if (part == 1) {
    d.inst.fn = binaryFor<MulHi>(d, type);
  } else {
    result = widened(d, type);
    d.inst.fn =
        type == Type::U16
            ? binaryHandler<MulWide<uint32_t>, uint32_t, uint16_t, uint16_t>
        : type == Type::S16
            ? binaryHandler<MulWide<int32_t>, int32_t, int16_t, int16_t>
        : type == Type::U32
            ? binaryHandler<MulWide<uint64_t>, uint64_t, uint32_t, uint32_t>
            : binaryHandler<MulWide<int64_t>, int64_t, int32_t, int32_t>;
  }
  d.defUse(result, {type, type});
}

void decodeMad(Decoder &d) {
  int part = d.oneOf({"lo", "hi", "wide"});
  if (d.has("cc"))
    d.unsupported("carry-out");
  if (part < 0)
    return decodeFloatFma(d);
  Type type = d.type();
  Type result = type;
  if (part == 0) {
    d.inst.fn = madFor<MulLo>(d, type);
  } else if (part == 1) {
    d.inst.fn = madFor<MulHi>(d, type);
  } else {
    result = widened(d, type);
    d.inst.fn =
        type == Type::U16 ? ternaryHandler<MulAdd<MulWide<uint32_t>>, uint32_t,
                                           uint16_t, uint16_t, uint32_t>
        : type == Type::S16 ? ternaryHandler<MulAdd<MulWide<int32_t>>, int32_t,
                                             int16_t, int16_t, int32_t>
        : type == Type::U32
            ? ternaryHandler<MulAdd<MulWide<uint64_t>>, uint64_t, uint32_t,
                             uint32_t, uint64_t>
            : ternaryHandler<MulAdd<MulWide<int64_t>>, int64_t, int32_t,
                             int32_t, int64_t>;
  }
  d.defUse(result, {type, type, result});
}

void decodeDiv(Decoder &d) {
  int mode = d.oneOf({"approx", "full"});
  Type type = d.typeOr(Type::None);
  if (mode >= 0 || isFloat(type))
    return decodeFloatDiv(d, type, mode);
  d.inst.fn = binaryFor<Div>(d, type);
  d.defUse(type, {type, type});
}

void decodeRem(Decoder &d) {
  Type type = d.type();
  d.inst.fn = binaryFor<Rem>(d, type);
  d.defUse(type, {type, type});
}

template <class Op> void decodeMinMax(Decoder &d, FloatOp op) {
  bool relu = d.has("relu");
  Type type = Type::None;
  bool ftz = d.has("ftz"), nan = d.has("NaN"), xorsign = d.has("xorsign");
  if (xorsign)
    d.unsupported("xorsign");
  type = d.type();
  if (relu && type != Type::S32)
    d.unsupported("relu");
  if (isFloat(type))
    return decodeFloatMinMax(d, type, op, ftz, nan);
  d.inst.fn = relu ? binaryFor<Relu<Op>>(d, type) : binaryFor<Op>(d, type);
  d.defUse(type, {type, type});
}
void decodeMin(Decoder &d) { decodeMinMax<Min>(d, FloatOp::Min); }
void decodeMax(Decoder &d) { decodeMinMax<Max>(d, FloatOp::Max); }

void decodeNeg(Decoder &d) {
  bool ftz = d.has("ftz");
  Type type = d.type();
  if (isFloat(type))
    return decodeFloatSign(d, type, FloatOp::Neg, ftz);
  d.inst.fn = unaryFor<Neg>(d, type);
  d.defUse(type, {type});
}
void decodeAbs(Decoder &d) {
  bool ftz = d.has("ftz");
  Type type = d.type();
  if (isFloat(type))
    return decodeFloatSign(d, type, FloatOp::Abs, ftz);
  d.inst.fn = unaryFor<Abs>(d, type);
  d.defUse(type, {type});
}

template <class Op, uint32_t Pred> void decodeLogic(Decoder &d) {
  Type type = d.type();
  if (type == Type::Pred) {
    d.expectOperands(3, 3);
    d.defPred(d.operand(0));
    d.usePred(d.operand(1));
    d.usePred(d.operand(2));
    d.inst.a = Pred;
    d.inst.fn = predicateHandler;
    return;
  }
  d.inst.fn = binaryFor<Op>(d, asUnsigned(type));
  d.defUse(type, {type, type});
}

void decodeNot(Decoder &d) {
  Type type = d.type();
  if (type == Type::Pred) {
    d.expectOperands(2, 2);
    d.defPred(d.operand(0));
    d.usePred(d.operand(1));
    d.inst.a = PredNot;
    d.inst.fn = predicateHandler;
    return;
  }
  d.inst.fn = unaryFor<Not>(d, asUnsigned(type));
  d.defUse(type, {type});
}
void decodeCnot(Decoder &d) {
  Type type = d.type();
  d.inst.fn = unaryFor<LogicalNot>(d, asUnsigned(type));
  d.defUse(type, {type});
}
template <class Op> void decodeShift(Decoder &d) {
  Type type = d.type();
  d.inst.fn = shiftFor<Op>(d, type);
  d.defUse(type, {type, Type::B32});
}

void decodeShf(Decoder &d) {
  int side = d.oneOf({"l", "r"}), mode = d.oneOf({"clamp", "wrap"});
  Type type = d.type();
  if (side < 0 || mode < 0 || type != Type::B32)
    d.fail("malformed funnel shift");
  static constexpr Handler kHandlers[2][2] = {
      {ternaryHandler<FunnelShift<true, false>, uint32_t, uint32_t, uint32_t,
                      uint32_t>,
       ternaryHandler<FunnelShift<true, true>, uint32_t, uint32_t, uint32_t,
                      uint32_t>},
      {ternaryHandler<FunnelShift<false, false>, uint32_t, uint32_t, uint32_t,
                      uint32_t>,
       ternaryHandler<FunnelShift<false, true>, uint32_t, uint32_t, uint32_t,
                      uint32_t>}};
  d.inst.fn = kHandlers[side][mode];
  d.defUse(type, {type, type, type});
}

template <class Op> void decodeCount(Decoder &d) {
  Type type = d.type();
  bool wide = typeBytes(type) == 8;
  if (!wide && typeBytes(type) != 4)
    d.unsupported("type");
  d.inst.fn = wide ? unaryHandler<Op, uint32_t, uint64_t>
                   : unaryHandler<Op, uint32_t, uint32_t>;
  d.defUse(Type::U32, {type});
}
void decodeBrev(Decoder &d) {
  Type type = d.type();
  d.inst.fn = unaryFor<Brev>(d, asUnsigned(type));
  d.defUse(type, {type});
}
template <bool Amount> Handler bfindFor(Decoder &d, Type type) {
  using Op = Bfind<Amount>;
  switch (type) {
  case Type::U32:
    return unaryHandler<Op, uint32_t, uint32_t>;
  case Type::S32:
    return unaryHandler<Op, uint32_t, int32_t>;
  case Type::U64:
    return unaryHandler<Op, uint32_t, uint64_t>;
  case Type::S64:
    return unaryHandler<Op, uint32_t, int64_t>;
  default:
    d.unsupported("type");
  }
}
void decodeBfind(Decoder &d) {
  bool amount = d.has("shiftamt");
  Type type = d.type();
  d.inst.fn = amount ? bfindFor<true>(d, type) : bfindFor<false>(d, type);
  d.defUse(Type::U32, {type});
}
void decodeBfe(Decoder &d) {
  Type type = d.type();
  switch (type) {
  case Type::U32:
    d.inst.fn = ternaryHandler<Bfe, uint32_t, uint32_t, uint32_t, uint32_t>;
    break;
  case Type::S32:
    d.inst.fn = ternaryHandler<Bfe, int32_t, int32_t, uint32_t, uint32_t>;
    break;
  case Type::U64:
    d.inst.fn = ternaryHandler<Bfe, uint64_t, uint64_t, uint32_t, uint32_t>;
    break;
  case Type::S64:
    d.inst.fn = ternaryHandler<Bfe, int64_t, int64_t, uint32_t, uint32_t>;
    break;
  default:
    d.unsupported("type");
  }
  d.defUse(type, {type, Type::U32, Type::U32});
}
void decodeBfi(Decoder &d) {
  Type type = d.type();
  if (typeBytes(type) != 4 && typeBytes(type) != 8)
    d.unsupported("type");
  d.inst.fn =
      typeBytes(type) == 8 ? bfiHandler<uint64_t> : bfiHandler<uint32_t>;
  d.defUse(type, {type, type, Type::U32, Type::U32});
}
void decodeBmsk(Decoder &d) {
  if (!d.has("clamp"))
    d.unsupported("mode");
  Type type = d.type();
  d.inst.fn = binaryHandler<Bmsk, uint32_t, uint32_t, uint32_t>;
  d.defUse(type, {Type::U32, Type::U32});
}
void decodeSad(Decoder &d) {
  Type type = d.type();
  if (type == Type::U32)
    d.inst.fn = ternaryHandler<Sad, uint32_t, uint32_t, uint32_t, uint32_t>;
  else if (type == Type::S32)
    d.inst.fn = ternaryHandler<Sad, int32_t, int32_t, int32_t, int32_t>;
  else
    d.unsupported("type");
  d.defUse(type, {type, type, type});
}
void decodePrmt(Decoder &d) {
  Type type = d.type();
  if (type != Type::B32)
    d.unsupported("type");
  d.inst.a = uint32_t(d.oneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) + 1);
  d.inst.fn = prmtHandler;
  d.defUse(type, {type, type, type});
}
void decodeLop3(Decoder &d) {
  Type type = d.type();
  if (type != Type::B32)
    d.unsupported("type");
  d.expectOperands(5, 5);
  d.def(d.operand(0), 4);
  for (size_t i = 1; i != 4; ++i)
    d.use(d.operand(i), Type::B32);
  d.inst.a = uint32_t(d.constant(d.operand(4))) & 0xff;
  d.inst.fn = lop3Handler;
}
void decodeDp4a(Decoder &d) {
  Type a = d.type(), b = d.type();
  d.inst.a = isSigned(a);
  d.inst.b = isSigned(b);
  d.inst.fn = dp4aHandler;
  d.defUse(Type::B32, {Type::B32, Type::B32, Type::B32});
}

} // namespace

void fa3::emulator::addIntegerOpcodes(OpcodeTable &t) {
  t["add"] = decodeAdd;
  t["sub"] = decodeSub;
  t["addc"] = decodeWithCarry<false>;
  t["subc"] = decodeWithCarry<true>;
  t["mul"] = decodeMul;
  t["mad"] = decodeMad;
  t["div"] = decodeDiv;
  t["rem"] = decodeRem;
  t["min"] = decodeMin;
  t["max"] = decodeMax;
  t["neg"] = decodeNeg;
  t["abs"] = decodeAbs;
  t["and"] = decodeLogic<And, PredAnd>;
  t["or"] = decodeLogic<Or, PredOr>;
  t["xor"] = decodeLogic<Xor, PredXor>;
  t["not"] = decodeNot;
  t["cnot"] = decodeCnot;
  t["shl"] = decodeShift<Shl>;
  t["shr"] = decodeShift<Shr>;
  t["shf"] = decodeShf;
  t["popc"] = decodeCount<Popc>;
  t["clz"] = decodeCount<Clz>;
  t["brev"] = decodeBrev;
  t["bfind"] = decodeBfind;
  t["bfe"] = decodeBfe;
  t["bfi"] = decodeBfi;
  t["bmsk"] = decodeBmsk;
  t["sad"] = decodeSad;
  t["prmt"] = decodePrmt;
  t["lop3"] = decodeLop3;
  t["dp4a"] = decodeDp4a;
}
