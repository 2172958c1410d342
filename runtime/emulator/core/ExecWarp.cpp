//===- ExecWarp.cpp - Instructions among the lanes of a warp --------------===//
//
// PTX ISA, shfl.sync, vote.sync, match.sync, redux.sync, elect.sync,
// activemask, bar.warp.sync. Each waits until the lanes of its member mask have
// come to it; lanes that have exited are not waited for.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elementwise.h"

using namespace fa3::emulator;

namespace {

/// Checks the member mask in operand \p op and waits for its lanes. Returns
/// Step::Next when the instruction may execute.
Step gather(Warp &w, const Inst &i, Mask m, const Operand &op, Mask &members) {
  const uint32_t *masks = w.in(op);
  if (!m)
    return Step::Next;
  members = masks[std::countr_zero(m)];
  Mask named = members & w.live;
  if ((w.split().mask & named) != named && !converged(w, named))
    return Step::Wait;
  bool ok = true;
  forLanes(
      m, [&](uint32_t l) { ok &= masks[l] == members && (members >> l & 1); });
  if (!ok)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 std::string(i.name) + ": a thread is not in its member mask " +
                     hex(members) + ", or the masks of the threads differ");
  if (named & ~m)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 std::string(i.name) + ": the member mask " + hex(members) +
                     " names threads that do not execute it");
  return Step::Next;
}

enum ShflMode : uint32_t { Up, Down, Bfly, Idx };

/// ops: d, p, a, b, c, mask. Pseudo-code of PTX ISA "shfl.sync".
Step shflHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = 0;
  if (Step s = gather(w, i, m, i.ops[5], members); s != Step::Next)
    return s;
  const uint32_t *a = w.in(i.ops[2]), *b = w.in(i.ops[3]), *c = w.in(i.ops[4]);
  uint32_t result[kLanes];
  Mask valid = 0, outside = 0;
  forLanes(m, [&](uint32_t l) {
    uint32_t amount = b[l] & 31, clamp = c[l] & 31, segment = c[l] >> 8 & 31;
    int32_t maxLane = int32_t((l & segment) | (clamp & ~segment));
    int32_t minLane = int32_t(l & segment);
    int32_t j = 0;
    bool inRange = false;
    switch (i.a) {
    case Up:
      j = int32_t(l) - int32_t(amount);
      inRange = j >= maxLane;
      break;
    case Down:
      j = int32_t(l + amount);
      inRange = j <= maxLane;
      break;
    case Bfly:
      j = int32_t(l ^ amount);
      inRange = j <= maxLane;
      break;
    default:
      j = minLane | int32_t(amount & ~segment);
      inRange = j <= maxLane;
      break;
    }
    if (!inRange)
      j = int32_t(l);
    valid |= Mask(inRange) << l;
    if (!(m >> j & 1))
      outside |= 1u << l;
    result[l] = a[j];
  });
  if (outside)
    return fault(w, i, std::countr_zero(outside),
                 DiagnosticKind::InvalidInstruction,
                 "shfl.sync reads from a thread that does not take part");
  if (i.ops[0].kind != Operand::Sink) {
    uint32_t *out = w.out(i.ops[0]);
    forLanes(m, [&](uint32_t l) { out[l] = result[l]; });
  }
  setPredicate(w, i.ops[1], m, valid);
  return Step::Next;
}

enum VoteMode : uint32_t { All, Any, Uni, Ballot };

/// ops: d, a, mask.
Step voteHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = 0;
  if (Step s = gather(w, i, m, i.ops[2], members); s != Step::Next)
    return s;
  Mask p = predicateMask(w, i.ops[1]) & m;
  if (i.a == Ballot) {
    storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t) { return p; });
    return Step::Next;
  }
  bool r = i.a == All ? p == m : i.a == Any ? p != 0 : p == 0 || p == m;
  setPredicate(w, i.ops[0], m, r ? kFullMask : 0);
  return Step::Next;
}

/// ops: d, p, a, mask; inst.a: all (else any); inst.b: 64-bit.
Step matchHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = 0;
  if (Step s = gather(w, i, m, i.ops[3], members); s != Step::Next)
    return s;
  const uint32_t *a = w.in(i.ops[2]);
  uint64_t values[kLanes];
  forLanes(
      m, [&](uint32_t l) { values[l] = i.b ? getLane<uint64_t>(a, l) : a[l]; });
  uint32_t result[kLanes];
  Mask all = 0;
  forLanes(m, [&](uint32_t l) {
    Mask same = 0;
    forLanes(m, [&](uint32_t k) { same |= Mask(values[k] == values[l]) << k; });
    result[l] = i.a ? (same == m ? m : 0) : same;
    all |= Mask(same == m) << l;
  });
  if (i.ops[0].kind != Operand::Sink) {
    uint32_t *out = w.out(i.ops[0]);
    forLanes(m, [&](uint32_t l) { out[l] = result[l]; });
  }
  setPredicate(w, i.ops[1], m, all);
  return Step::Next;
}

enum ReduxOp : uint32_t { RAdd, RMin, RMax, RAnd, ROr, RXor };

/// ops: d, a, mask; inst.b: signed.
Step reduxHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = 0;
  if (Step s = gather(w, i, m, i.ops[2], members); s != Step::Next)
    return s;
  const uint32_t *a = w.in(i.ops[1]);
  bool first = true;
  uint32_t r = 0;
  forLanes(m, [&](uint32_t l) {
    uint32_t x = a[l];
    if (first) {
      r = x;
      first = false;
      return;
    }
    bool less = i.b ? int32_t(x) < int32_t(r) : x < r;
    switch (i.a) {
    case RAdd:
      r += x;
      break;
    case RMin:
      r = less ? x : r;
      break;
    case RMax:
      r = less ? r : x;
      break;
    case RAnd:
      r &= x;
      break;
    case ROr:
      r |= x;
      break;
    default:
      r ^= x;
      break;
    }
  });
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t) { return r; });
  return Step::Next;
}

/// ops: d, p, mask. The leader is the lowest lane of the mask.
Step electHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = 0;
  if (Step s = gather(w, i, m, i.ops[2], members); s != Step::Next)
    return s;
  uint32_t leader = uint32_t(std::countr_zero(m));
  if (i.ops[0].kind != Operand::Sink)
    storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t) { return leader; });
  setPredicate(w, i.ops[1], m, 1u << leader);
  return Step::Next;
}

Step activemaskHandler(Warp &w, const Inst &i, Mask m) {
  storeLanes<uint32_t>(w.out(i.ops[0]), m, [&](uint32_t) { return m; });
  return Step::Next;
}

void destinations(Decoder &d, bool predOptional) {
  const ParsedOperand &to = d.operand(0);
  ParsedOperand sink;
  if (to.kind == ParsedOperand::Pair) {
    d.defOrSink(to.elements[0], 4);
    d.defPred(to.elements[1]);
  } else if (predOptional) {
    d.defOrSink(to, 4);
    d.defPred(sink);
  } else {
    d.fail("expected two destinations");
  }
}

void decodeShfl(Decoder &d) {
  if (!d.has("sync"))
    d.unsupported("form without .sync");
  int mode = d.oneOf({"up", "down", "bfly", "idx"});
  if (mode < 0)
    d.fail("missing mode");
  d.type();
  d.inst.a = uint32_t(mode);
  d.expectOperands(5, 5);
  destinations(d, true);
  for (size_t i = 1; i != 5; ++i)
    d.use(d.operand(i), Type::B32);
  d.inst.fn = shflHandler;
  d.inst.cost = 2;
}
void decodeVote(Decoder &d) {
  if (!d.has("sync"))
    d.unsupported("form without .sync");
  int mode = d.oneOf({"all", "any", "uni", "ballot"});
  if (mode < 0)
    d.fail("missing mode");
  d.type();
  d.inst.a = uint32_t(mode);
  d.expectOperands(3, 3);
  if (mode == Ballot)
    d.def(d.operand(0), 4);
  else
    d.defPred(d.operand(0));
  d.usePred(d.operand(1));
  d.use(d.operand(2), Type::B32);
  d.inst.fn = voteHandler;
}
void decodeMatch(Decoder &d) {
  int mode = d.oneOf({"any", "all"});
  if (mode < 0 || !d.has("sync"))
    d.fail("malformed match");
  Type type = d.type();
  d.inst.a = uint32_t(mode);
  d.inst.b = typeBytes(type) == 8;
  d.expectOperands(3, 3);
  destinations(d, true);
  d.use(d.operand(1), type);
  d.use(d.operand(2), Type::B32);
  d.inst.fn = matchHandler;
}
void decodeRedux(Decoder &d) {
  if (!d.has("sync"))
    d.fail("missing .sync");
  int op = d.oneOf({"add", "min", "max", "and", "or", "xor"});
  if (op < 0)
    d.fail("missing operation");
  Type type = d.type();
  if (typeBytes(type) != 4 || isFloat(type))
    d.unsupported("type");
  d.inst.a = uint32_t(op);
  d.inst.b = isSigned(type);
  d.defUse(type, {type, Type::B32});
  d.inst.fn = reduxHandler;
}
void decodeElect(Decoder &d) {
  if (!d.has("sync"))
    d.fail("missing .sync");
  d.expectOperands(2, 2);
  destinations(d, false);
  d.use(d.operand(1), Type::B32);
  d.inst.fn = electHandler;
}
void decodeActivemask(Decoder &d) {
  d.type();
  d.expectOperands(1, 1);
  d.def(d.operand(0), 4);
  d.inst.fn = activemaskHandler;
}

} // namespace

void fa3::emulator::addWarpOpcodes(OpcodeTable &t) {
  t["shfl"] = decodeShfl;
  t["vote"] = decodeVote;
  t["match"] = decodeMatch;
  t["redux"] = decodeRedux;
  t["elect"] = decodeElect;
  t["activemask"] = decodeActivemask;
}
