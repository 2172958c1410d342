//===- ExecMove.cpp - Moves and address conversions -----------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions": mov, cvta, isspacep,
// mapa, getctarank; and the special registers.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"
#include "SpecialRegisters.h"

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
    return (cta.id[0] + cta.id[1] * uint64_t(g.x)) %
           cta.cluster->launch->options.residentCtas;
  case Special::Nsmid:
    return cta.cluster->launch->options.residentCtas;
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
    // In units of allocation.
    return (cta.cluster->launch->sharedBytes - kSharedBase + 127) & ~127u;
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
    if ((typeBytes(type) == 8) != isWideSpecial(Special(from.index)))
      d.fail("the special register has another width");
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

} // namespace

void fa3::emulator::addMoveOpcodes(OpcodeTable &t) {
  t["mov"] = decodeMov;
  t["cvta"] = decodeCvta;
  t["isspacep"] = decodeIsspacep;
  t["mapa"] = decodeMapa;
  t["getctarank"] = decodeGetctarank;
}
