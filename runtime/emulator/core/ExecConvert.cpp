//===- ExecConvert.cpp - Moves, comparisons and conversions ---------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions" (mov, cvt, cvta,
// isspacep) and "Comparison and Selection Instructions".
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"
#include "Numerics.h"
#include "SpecialRegisters.h"

#include <limits>

using namespace fa3::emulator;

namespace {

struct Copy {
  template <class T> T operator()(T a) const { return a; }
};

//===----------------------------------------------------------------------===//
// mov
//===----------------------------------------------------------------------===//

/// mov.b64 {a, b}, c and mov.b64 c, {a, b}: inst.a is the bytes of a part.
Step packHandler(Warp &w, const Inst &i, Mask m) {
  uint32_t parts = i.count - 1, partBytes = i.a;
  uint32_t whole = parts * partBytes;
  unsigned char buffer[kLanes][16];
  forLanes(m, [&](uint32_t l) {
    for (uint32_t p = 0; p != parts; ++p) {
      const uint32_t *cell = w.in(i.ops[1 + p]);
      uint32_t stride = partBytes <= 4 ? 4 : partBytes;
      std::memcpy(buffer[l] + p * partBytes,
                  reinterpret_cast<const unsigned char *>(cell) + l * stride,
                  partBytes);
    }
  });
  uint32_t *out = w.out(i.ops[0]);
  uint32_t stride = whole <= 4 ? 4 : whole;
  forLanes(m, [&](uint32_t l) {
    unsigned char *to = reinterpret_cast<unsigned char *>(out) + l * stride;
    if (whole == 2)
      std::memset(to, 0, 4);
    std::memcpy(to, buffer[l], whole);
  });
  return Step::Next;
}
Step unpackHandler(Warp &w, const Inst &i, Mask m) {
  uint32_t parts = i.count - 1, partBytes = i.a, whole = parts * partBytes;
  const unsigned char *in =
      reinterpret_cast<const unsigned char *>(w.in(i.ops[parts]));
  uint32_t stride = whole <= 4 ? 4 : whole;
  unsigned char buffer[kLanes][16];
  forLanes(m,
           [&](uint32_t l) { std::memcpy(buffer[l], in + l * stride, whole); });
  for (uint32_t p = 0; p != parts; ++p) {
    if (i.ops[p].kind == Operand::Sink)
      continue;
    unsigned char *out = reinterpret_cast<unsigned char *>(w.out(i.ops[p]));
    uint32_t partStride = partBytes <= 4 ? 4 : partBytes;
    forLanes(m, [&](uint32_t l) {
      std::memset(out + l * partStride, 0, partStride);
      std::memcpy(out + l * partStride, buffer[l] + p * partBytes, partBytes);
    });
  }
  return Step::Next;
}
Step wideCopyHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  uint32_t *out = w.out(i.ops[0]);
  forLanes(m, [&](uint32_t l) { std::memmove(out + 4 * l, a + 4 * l, 16); });
  return Step::Next;
}
Step movPredicateHandler(Warp &w, const Inst &i, Mask m) {
  setPredicate(w, i.ops[0], m, predicateMask(w, i.ops[1]));
  return Step::Next;
}

uint64_t specialValue(const Warp &w, Special special, uint32_t lane) {
  const Cta &cta = *w.cta;
  const LaunchConfig &config = cta.cluster->launch->config;
  const Dim3 &b = config.block, &g = config.grid, &c = config.cluster;
  uint32_t thread = w.index * kLanes + lane;
  uint32_t blockDims[3] = {b.x, b.y, b.z}, gridDims[3] = {g.x, g.y, g.z},
           clusterDims[3] = {c.x, c.y, c.z};
  auto component = [&](Special first) {
    return uint32_t(special) - uint32_t(first);
  };
  switch (special) {
  case Special::TidX:
    return thread % b.x;
  case Special::TidY:
    return thread / b.x % b.y;
  case Special::TidZ:
    return thread / b.x / b.y;
  case Special::NtidX:
  case Special::NtidY:
  case Special::NtidZ:
    return blockDims[component(Special::NtidX)];
  case Special::CtaidX:
  case Special::CtaidY:
  case Special::CtaidZ:
    return cta.id[component(Special::CtaidX)];
  case Special::NctaidX:
  case Special::NctaidY:
  case Special::NctaidZ:
    return gridDims[component(Special::NctaidX)];
  case Special::ClusteridX:
  case Special::ClusteridY:
  case Special::ClusteridZ:
    return cta.cluster->id[component(Special::ClusteridX)];
  case Special::NclusteridX:
  case Special::NclusteridY:
  case Special::NclusteridZ: {
    uint32_t k = component(Special::NclusteridX);
    return gridDims[k] / clusterDims[k];
  }
  case Special::ClusterCtaidX:
  case Special::ClusterCtaidY:
  case Special::ClusterCtaidZ:
    return cta.idInCluster[component(Special::ClusterCtaidX)];
  case Special::ClusterNctaidX:
  case Special::ClusterNctaidY:
  case Special::ClusterNctaidZ:
    return clusterDims[component(Special::ClusterNctaidX)];
  case Special::ClusterCtarank:
    return cta.rank;
  case Special::ClusterNctarank:
    return cta.cluster->ctas.size();
  case Special::IsExplicitCluster:
    return cta.cluster->ctas.size() > 1;
  case Special::Laneid:
    return lane;
  case Special::Warpid:
    return w.index;
  case Special::Nwarpid:
    return cta.warps.size();
  case Special::Smid:
    return (cta.id[0] + cta.id[1] * uint64_t(g.x)) % 132;
  case Special::Nsmid:
    return 132;
  case Special::Gridid:
    return 1;
  case Special::LanemaskEq:
    return 1u << lane;
  case Special::LanemaskLe:
    return (2u << lane) - 1;
  case Special::LanemaskLt:
    return (1u << lane) - 1;
  case Special::LanemaskGe:
    return ~((1u << lane) - 1);
  case Special::LanemaskGt:
    return ~((2u << lane) - 1);
  case Special::Clock:
    return uint32_t(w.time);
  case Special::ClockHi:
    return w.time >> 32;
  case Special::Clock64:
  case Special::Globaltimer:
    return w.time;
  case Special::GlobaltimerLo:
    return uint32_t(w.time);
  case Special::GlobaltimerHi:
    return w.time >> 32;
  case Special::DynamicSmemSize:
    return config.dynamicSharedBytes;
  case Special::TotalSmemSize:
  case Special::AggrSmemSize:
    return cta.cluster->launch->sharedBytes - kSharedBase;
  }
  return 0;
}

Step movSpecialHandler(Warp &w, const Inst &i, Mask m) {
  uint32_t *out = w.out(i.ops[0]);
  bool wide = i.ops[0].bytes == 8;
  forLanes(m, [&](uint32_t l) {
    uint64_t value = specialValue(w, Special(i.a), l);
    if (wide)
      setLane<uint64_t>(out, l, value);
    else
      out[l] = uint32_t(value);
  });
  return Step::Next;
}
Step movSpecialPredicateHandler(Warp &w, const Inst &i, Mask m) {
  setPredicate(w, i.ops[0], m,
               specialValue(w, Special(i.a), 0) ? kFullMask : 0);
  return Step::Next;
}

void decodeMov(Decoder &d) {
  Type type = d.type();
  d.expectOperands(2, 2);
  const ParsedOperand &to = d.operand(0), &from = d.operand(1);
  if (from.kind == ParsedOperand::Name && from.ref == RefKind::Special) {
    d.inst.a = from.index;
    if (type == Type::Pred) {
      d.defPred(to);
      d.inst.fn = movSpecialPredicateHandler;
      return;
    }
    d.def(to, typeBytes(type));
    d.inst.fn = movSpecialHandler;
    return;
  }
  if (type == Type::Pred) {
    d.defPred(to);
    d.usePred(from);
    d.inst.fn = movPredicateHandler;
    return;
  }
  uint32_t bytes = typeBytes(type);
  if (from.kind == ParsedOperand::Vector || to.kind == ParsedOperand::Vector) {
    bool pack = from.kind == ParsedOperand::Vector;
    auto parts = Decoder::elements(pack ? from : to);
    if (parts.empty() || bytes % parts.size())
      d.fail("vector does not fill the type");
    uint32_t part = bytes / uint32_t(parts.size());
    Type partType = part == 1   ? Type::B8
                    : part == 2 ? Type::B16
                    : part == 4 ? Type::B32
                                : Type::B64;
    if (part > 8 || parts.size() > 4)
      d.fail("malformed vector");
    d.inst.a = part;
    if (pack) {
      d.def(to, bytes);
      for (const ParsedOperand *p : parts)
        d.use(*p, partType);
      d.inst.fn = packHandler;
    } else {
      for (const ParsedOperand *p : parts)
        d.defOrSink(*p, part);
      d.use(from, type);
      d.inst.fn = unpackHandler;
    }
    return;
  }
  d.def(to, bytes);
  d.use(from, type);
  switch (bytes) {
  case 2:
    d.inst.fn = unaryHandler<Copy, uint16_t, uint16_t>;
    break;
  case 4:
    d.inst.fn = unaryHandler<Copy, uint32_t, uint32_t>;
    break;
  case 8:
    d.inst.fn = unaryHandler<Copy, uint64_t, uint64_t>;
    break;
  case 16:
    d.inst.fn = wideCopyHandler;
    break;
  default:
    d.unsupported("type");
  }
}

//===----------------------------------------------------------------------===//
// cvta, isspacep, mapa
//===----------------------------------------------------------------------===//

uint64_t addressLane(const Warp &w, const Operand &op, uint32_t lane) {
  const uint32_t *cell = w.in(op);
  return op.bytes == 8 ? getLane<uint64_t>(cell, lane) : cell[lane];
}

/// inst.imm: window to add; inst.a: convert to the space instead.
Step cvtaHandler(Warp &w, const Inst &i, Mask m) {
  storeLanes<uint64_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    uint64_t a = addressLane(w, i.ops[1], l);
    if (i.a)
      return i.imm == kSharedWindow ? a & 0xffffffff
             : i.imm                ? a & ~kWindowMask
                                    : a;
    return i.imm ? (i.imm == kSharedWindow ? a & 0xffffffff : a) | i.imm : a;
  });
  return Step::Next;
}
uint64_t windowOf(Decoder &d) {
  int space = d.oneOf({"shared", "shared::cta", "shared::cluster", "local",
                       "param", "param::entry", "global", "const"});
  if (space < 0)
    d.fail("missing state space");
  return space < 3    ? kSharedWindow
         : space == 3 ? kLocalWindow
         : space < 6  ? kParamWindow
                      : 0;
}
void decodeCvta(Decoder &d) {
  d.inst.a = d.has("to");
  d.inst.imm = windowOf(d);
  Type type = d.type();
  if (typeBytes(type) != 8)
    d.unsupported("type");
  d.inst.fn = cvtaHandler;
  d.defUse(type, {type});
}

Step isspacepHandler(Warp &w, const Inst &i, Mask m) {
  Mask bits = 0;
  forLanes(m, [&](uint32_t l) {
    uint64_t window = getLane<uint64_t>(w.in(i.ops[1]), l) & kWindowMask;
    bits |= Mask(window == i.imm) << l;
  });
  setPredicate(w, i.ops[0], m, bits);
  return Step::Next;
}
void decodeIsspacep(Decoder &d) {
  d.inst.imm = windowOf(d);
  d.expectOperands(2, 2);
  d.defPred(d.operand(0));
  d.use(d.operand(1), Type::B64);
  d.inst.fn = isspacepHandler;
}

/// mapa: the same place in the shared memory of CTA b of the cluster.
Step mapaHandler(Warp &w, const Inst &i, Mask m) {
  uint32_t *out = w.out(i.ops[0]);
  const uint32_t *rank = w.in(i.ops[2]);
  bool bad = false;
  forLanes(m, [&](uint32_t l) {
    uint64_t a = addressLane(w, i.ops[1], l);
    bad |= rank[l] >= w.cta->cluster->ctas.size();
    uint32_t offset = uint32_t(a) & ((1u << kRankShift) - 1);
    uint32_t mapped = offset | (rank[l] + 1) << kRankShift;
    if (i.ops[0].bytes == 8)
      setLane<uint64_t>(out, l, mapped | (i.a ? 0 : kSharedWindow));
    else
      out[l] = mapped;
  });
  if (bad)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "mapa names a CTA outside the cluster");
  return Step::Next;
}
void decodeMapa(Decoder &d) {
  d.inst.a = d.has("shared::cluster");
  Type type = d.type();
  d.expectOperands(3, 3);
  d.def(d.operand(0), typeBytes(type));
  d.inst.imm = uint64_t(d.useAddress(d.operand(1)));
  d.use(d.operand(2), Type::U32);
  d.inst.fn = mapaHandler;
}
Step getctarankHandler(Warp &w, const Inst &i, Mask m) {
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    uint32_t tag = uint32_t(addressLane(w, i.ops[1], l)) >> kRankShift;
    return tag ? tag - 1 : w.cta->rank;
  });
  return Step::Next;
}
void decodeGetctarank(Decoder &d) {
  d.has("shared::cluster");
  d.type();
  d.expectOperands(2, 2);
  d.def(d.operand(0), 4);
  d.useAddress(d.operand(1));
  d.inst.fn = getctarankHandler;
}

//===----------------------------------------------------------------------===//
// setp, set, selp, slct
//===----------------------------------------------------------------------===//

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
    break;
  switch (op) {
    CASE(Eq)
    CASE(Ne)
    CASE(Lt)
    CASE(Le)
    CASE(Gt)
    CASE(Ge)
    CASE(Equ)
    CASE(Neu) CASE(Ltu) CASE(Leu) CASE(Gtu) CASE(Geu) CASE(Num) CASE(Nan)
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

//===----------------------------------------------------------------------===//
// cvt
//===----------------------------------------------------------------------===//

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
    if (relu && x < 0)
      x = 0;
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
      if (i.d & 2 && x < 0)
        x = 0;
      return uint32_t(toF16(x));
    };
    return half(a[l] >> 8) << 16 | half(a[l]);
  });
  return Step::Next;
}
Step cvtTF32Handler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t l) {
    float x = getLane<float>(a, l);
    if (i.d & 2 && x < 0)
      x = 0;
    return toTF32(x, formatRound(CvtRound(i.c)));
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

void fa3::emulator::addConvertOpcodes(OpcodeTable &t) {
  t["mov"] = decodeMov;
  t["cvta"] = decodeCvta;
  t["isspacep"] = decodeIsspacep;
  t["mapa"] = decodeMapa;
  t["getctarank"] = decodeGetctarank;
  t["setp"] = decodeSetp;
  t["set"] = decodeSet;
  t["selp"] = decodeSelp;
  t["slct"] = decodeSlct;
  t["cvt"] = decodeCvt;
}
