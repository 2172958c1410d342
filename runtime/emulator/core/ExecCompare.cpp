//===- ExecCompare.cpp - Comparison and selection -------------------------===//
//
// PTX ISA, "Comparison and Selection Instructions": setp, set, selp, slct.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"
#include "Numerics.h"

using namespace fa3::emulator;

namespace {

enum Compare : uint32_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan
};

template <Compare C, class T> inline bool compareValues(T a, T b) {
  bool unordered = a != a || b != b;
  switch (C) {
  case Eq:
    return a == b;
  case Ne:
    return !unordered && a != b;
  case Lt:
    return a < b;
  case Le:
    return a <= b;
  case Gt:
    return a > b;
  case Ge:
    return a >= b;
  case Equ:
    return unordered || a == b;
  case Neu:
    return unordered || a != b;
  case Ltu:
    return unordered || a < b;
  case Leu:
    return unordered || a <= b;
  case Gtu:
    return unordered || a > b;
  case Geu:
    return unordered || a >= b;
  case Num:
    return !unordered;
  case Nan:
    return unordered;
  }
  return false;
}

template <class T, class Load>
Mask compareLanes(uint32_t op, Mask m, Load load) {
  Mask bits = 0;
  auto loop = [&](auto compare) {
    forLanes(m, [&](uint32_t l) {
      auto [a, b] = load(l);
      bits |= Mask(compare(T(a), T(b))) << l;
    });
  };
#define CASE(C)                                                                \
  case C:                                                                      \
    loop([](T a, T b) { return compareValues<C, T>(a, b); });                  \
    break
  switch (op) {
    CASE(Eq);
    CASE(Ne);
    CASE(Lt);
    CASE(Le);
    CASE(Gt);
    CASE(Ge);
    CASE(Equ);
    CASE(Neu);
    CASE(Ltu);
    CASE(Leu);
    CASE(Gtu);
    CASE(Geu);
    CASE(Num);
    CASE(Nan);
  }
#undef CASE
  return bits;
}

using CompareFn = Mask (*)(const uint32_t *, const uint32_t *, uint32_t, bool,
                           Mask);
template <class T>
Mask compareAs(const uint32_t *a, const uint32_t *b, uint32_t op, bool ftz,
               Mask m) {
  return compareLanes<T>(op, m, [&](uint32_t l) {
    T x = getLane<T>(a, l), y = getLane<T>(b, l);
    if constexpr (std::is_same_v<T, float>)
      if (ftz)
        x = flush(x), y = flush(y);
    return std::pair(x, y);
  });
}
template <float (*Load)(uint16_t)>
Mask compareHalf(const uint32_t *a, const uint32_t *b, uint32_t op, bool,
                 Mask m) {
  return compareLanes<float>(op, m, [&](uint32_t l) {
    return std::pair(Load(uint16_t(a[l])), Load(uint16_t(b[l])));
  });
}

CompareFn compareFor(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return compareAs<uint16_t>;
  case Type::S16:
    return compareAs<int16_t>;
  case Type::B32:
  case Type::U32:
    return compareAs<uint32_t>;
  case Type::S32:
    return compareAs<int32_t>;
  case Type::B64:
  case Type::U64:
    return compareAs<uint64_t>;
  case Type::S64:
    return compareAs<int64_t>;
  case Type::F32:
    return compareAs<float>;
  case Type::F64:
    return compareAs<double>;
  case Type::F16:
    return compareHalf<fromF16>;
  case Type::BF16:
    return compareHalf<fromBF16>;
  default:
    return nullptr;
  }
}

/// The function is chosen by type at decode time and kept as a number.
constexpr Type kCompareTypes[] = {Type::U16, Type::S16, Type::U32, Type::S32,
                                  Type::U64, Type::S64, Type::F32, Type::F64,
                                  Type::F16, Type::BF16};

/// setp: ops p, q, a, b [, c]; inst.a comparison, .b boolean operation (1 and,
/// 2 or, 3 xor), .c ftz, .d whether there is a second destination.
template <size_t T> Step setpHandler(Warp &w, const Inst &i, Mask m) {
  static const CompareFn kCompare = compareFor(kCompareTypes[T]);
  const Operand *ops = i.ops + i.d;
  Mask bits = kCompare(w.in(ops[1]), w.in(ops[2]), i.a, i.c, m);
  Mask first = bits, second = ~bits;
  if (i.b) {
    Mask c = predicateMask(w, ops[3]);
    auto combine = [&](Mask x) {
      return i.b == 1 ? x & c : i.b == 2 ? x | c : x ^ c;
    };
    first = combine(first);
    second = combine(second);
  }
  setPredicate(w, i.ops[0], m, first);
  if (i.d)
    setPredicate(w, i.ops[1], m, second);
  return Step::Next;
}
/// setp of packed pairs: p from the low half, q from the high half.
template <float (*Load)(uint16_t)>
Step setpPairHandler(Warp &w, const Inst &i, Mask m) {
  const Operand *ops = i.ops + i.d;
  const uint32_t *a = w.in(ops[1]), *b = w.in(ops[2]);
  for (uint32_t half = 0; half <= i.d; ++half) {
    Mask bits = compareLanes<float>(i.a, m, [&](uint32_t l) {
      return std::pair(Load(uint16_t(a[l] >> (16 * half))),
                       Load(uint16_t(b[l] >> (16 * half))));
    });
    if (i.b) {
      Mask c = predicateMask(w, ops[3]);
      bits = i.b == 1 ? bits & c : i.b == 2 ? bits | c : bits ^ c;
    }
    setPredicate(w, i.ops[half], m, bits);
  }
  return Step::Next;
}
/// set: d is all ones (or 1.0 for a float type, inst.d) where true.
template <size_t T> Step setHandler(Warp &w, const Inst &i, Mask m) {
  static const CompareFn kCompare = compareFor(kCompareTypes[T]);
  Mask bits = kCompare(w.in(i.ops[1]), w.in(i.ops[2]), i.a, i.c, m);
  if (i.b) {
    Mask c = predicateMask(w, i.ops[3]);
    bits = i.b == 1 ? bits & c : i.b == 2 ? bits | c : bits ^ c;
  }
  uint32_t truth = i.d ? 0x3f800000u : ~0u;
  storeLanes<uint32_t>(w.out(i.ops[0]), m,
                       [&](uint32_t l) { return bits >> l & 1 ? truth : 0u; });
  return Step::Next;
}

template <template <size_t> class Select, size_t... I>
Handler pick(Type type, std::index_sequence<I...>) {
  Handler found = nullptr;
  ((kCompareTypes[I] == type ? void(found = Select<I>::handler) : void()), ...);
  return found;
}
template <size_t T> struct SetpSelect {
  static constexpr Handler handler = setpHandler<T>;
};
template <size_t T> struct SetSelect {
  static constexpr Handler handler = setHandler<T>;
};

uint32_t takeCompare(Decoder &d, bool &isUnsignedName) {
  static constexpr std::string_view kNames[] = {
      "eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ",
      "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
  for (uint32_t i = 0; i != std::size(kNames); ++i)
    if (d.has(kNames[i]))
      return i;
  // lo, ls, hi, hs: unsigned order.
  int u = d.oneOf({"lo", "ls", "hi", "hs"});
  if (u >= 0) {
    isUnsignedName = true;
    return uint32_t(Lt) + uint32_t(u);
  }
  d.fail("missing comparison");
}

Type compareType(Type type, bool isUnsignedName) {
  return isUnsignedName || type == Type::B16 || type == Type::B32 ||
                 type == Type::B64
             ? asUnsigned(type)
             : type;
}

void decodeSetp(Decoder &d) {
  bool isUnsignedName = false;
  d.inst.a = takeCompare(d, isUnsignedName);
  d.inst.b = uint32_t(d.oneOf({"and", "or", "xor"}) + 1);
  d.inst.c = d.has("ftz");
  Type type = d.type();
  d.expectOperands(d.inst.b ? 4 : 3, d.inst.b ? 4 : 3);
  const ParsedOperand &to = d.operand(0);
  if (to.kind == ParsedOperand::Pair) {
    d.inst.d = 1;
    d.defPred(to.elements[0]);
    d.defPred(to.elements[1]);
  } else {
    d.defPred(to);
  }
  d.use(d.operand(1), type);
  d.use(d.operand(2), type);
  if (d.inst.b)
    d.usePred(d.operand(3));
  if (type == Type::F16x2)
    d.inst.fn = setpPairHandler<fromF16>;
  else if (type == Type::BF16x2)
    d.inst.fn = setpPairHandler<fromBF16>;
  else
    d.inst.fn =
        pick<SetpSelect>(compareType(type, isUnsignedName),
                         std::make_index_sequence<std::size(kCompareTypes)>());
  if (!d.inst.fn)
    d.unsupported("type");
}

void decodeSet(Decoder &d) {
  bool isUnsignedName = false;
  d.inst.a = takeCompare(d, isUnsignedName);
  d.inst.b = uint32_t(d.oneOf({"and", "or", "xor"}) + 1);
  d.inst.c = d.has("ftz");
  Type result = d.type(), type = d.type();
  if (typeBytes(result) != 4 || result == Type::F16x2 || result == Type::BF16x2)
    d.unsupported("result type");
  d.inst.d = result == Type::F32;
  d.expectOperands(d.inst.b ? 4 : 3, d.inst.b ? 4 : 3);
  d.def(d.operand(0), 4);
  d.use(d.operand(1), type);
  d.use(d.operand(2), type);
  if (d.inst.b)
    d.usePred(d.operand(3));
  d.inst.fn =
      pick<SetSelect>(compareType(type, isUnsignedName),
                      std::make_index_sequence<std::size(kCompareTypes)>());
  if (!d.inst.fn)
    d.unsupported("type");
}

template <class T> Step selpHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  Mask p = predicateMask(w, i.ops[3]);
  storeLanes<T>(w.out(i.ops[0]), m, [&](uint32_t l) {
    T x = getLane<T>(a, l), y = getLane<T>(b, l);
    return p >> l & 1 ? x : y;
  });
  return Step::Next;
}
void decodeSelp(Decoder &d) {
  Type type = d.type();
  d.expectOperands(4, 4);
  d.def(d.operand(0), typeBytes(type));
  d.use(d.operand(1), type);
  d.use(d.operand(2), type);
  d.usePred(d.operand(3));
  uint32_t bytes = typeBytes(type);
  d.inst.fn = bytes == 2   ? selpHandler<uint16_t>
              : bytes == 4 ? selpHandler<uint32_t>
                           : selpHandler<uint64_t>;
  if (bytes < 2 || bytes > 8)
    d.unsupported("type");
}

template <class T, class C> Step slctHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  storeLanes<T>(w.out(i.ops[0]), m, [&](uint32_t l) {
    return getLane<C>(c, l) >= 0 ? getLane<T>(a, l) : getLane<T>(b, l);
  });
  return Step::Next;
}
void decodeSlct(Decoder &d) {
  d.has("ftz");
  Type type = d.type(), selector = d.type();
  bool wide = typeBytes(type) == 8;
  if (selector == Type::S32)
    d.inst.fn =
        wide ? slctHandler<uint64_t, int32_t> : slctHandler<uint32_t, int32_t>;
  else if (selector == Type::F32)
    d.inst.fn =
        wide ? slctHandler<uint64_t, float> : slctHandler<uint32_t, float>;
  else
    d.unsupported("selector");
  if (typeBytes(type) < 4)
    d.unsupported("type");
  d.defUse(type, {type, type, selector});
}

} // namespace

void fa3::emulator::addCompareOpcodes(OpcodeTable &t) {
  t["setp"] = decodeSetp;
  t["set"] = decodeSet;
  t["selp"] = decodeSelp;
  t["slct"] = decodeSlct;
}
