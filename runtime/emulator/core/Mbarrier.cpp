//===- Mbarrier.cpp - mbarrier objects ------------------------------------===//
//
// PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier".
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "Decoder.h"
#include "Elementwise.h"
#include "Memory.h"

using namespace fa3::emulator;

namespace {
constexpr int64_t kMaxCount = (1 << 20) - 1;
}

/// Completes the current phase if nothing is outstanding.
static void settle(Mbarrier &b) {
  if (b.pending != 0 || b.tx != 0)
    return;
  ++b.phase;
  b.pending = b.nextExpected;
  b.expected = uint32_t(b.nextExpected);
  // The clock stays cumulative: an arrival of a later phase is after the
  // completion of this one.
  b.releasedClock = b.pendingClock;
  b.lastTime = b.pendingTime;
}

Mbarrier *fa3::emulator::useMbarrier(Warp &w, const Inst &i, int lane, Cta &cta,
                                     uint32_t offset) {
  Mbarrier *b = cta.findBarrier(offset);
  if (!b) {
    fault(w, i, lane, DiagnosticKind::InvalidBarrier,
          "no mbarrier was initialised at shared-memory address " + hex(offset),
          offset);
    return nullptr;
  }
  if (!b->isInitSeen(w.clock)) {
    Location other;
    other.line = b->initLine;
    other.cta = cta.id;
    w.cta->cluster->launch->sink.report(
        {DiagnosticKind::SharedRace,
         "mbarrier at " + hex(offset) +
             " is used without synchronisation after its init",
         w.cta->cluster->launch->kernel.info.name, locate(w, i, lane), other,
         offset});
  }
  return b;
}

void fa3::emulator::completeTx(Cluster &cluster, Cta &cta, uint32_t offset,
                               uint32_t bytes, uint32_t phase,
                               const Location &where, uint64_t time) {
  auto report = [&](DiagnosticKind kind, std::string message) {
    cluster.launch->sink.report({kind,
                                 std::move(message),
                                 cluster.launch->kernel.info.name,
                                 where,
                                 {},
                                 offset});
  };
  Mbarrier *b = cta.findBarrier(offset);
  if (!b)
    return report(
        DiagnosticKind::InvalidBarrier,
        "an asynchronous copy completes on an mbarrier that was invalidated");
  if (b->phase != phase)
    report(DiagnosticKind::BarrierOverflow,
           "the bytes of this copy arrive at the mbarrier at " + hex(offset) +
               " after the phase it was issued in: more bytes are copied than "
               "expected");
  b->tx -= bytes;
  if (b->tx < -kMaxCount)
    report(DiagnosticKind::BarrierOverflow,
           "the transaction count of the mbarrier underflows");
  b->pendingTime = std::max(b->pendingTime, time);
  settle(*b);
}

void fa3::emulator::arriveForCopies(Cluster &cluster, Cta &cta, uint32_t offset,
                                    const SyncClock &clock,
                                    const Location &where) {
  Mbarrier *b = cta.findBarrier(offset);
  if (!b || b->pending <= 0) {
    cluster.launch->sink.report(
        {DiagnosticKind::BarrierOverflow,
         "an asynchronous arrival finds no mbarrier that expects it",
         cluster.launch->kernel.info.name,
         where,
         {},
         offset});
    return;
  }
  --b->pending;
  b->pendingClock.join(clock);
  settle(*b);
}

namespace {

/// Resolves the mbarrier operand of lane \p l; inst.imm is the offset, inst.d
/// whether the address is generic.
Mbarrier *barrierOf(Warp &w, const Inst &i, const Operand &op, uint32_t l,
                    Cta *&cta, bool initialise = false) {
  uint64_t address = laneAddress(w, op, int64_t(i.imm), l);
  if (i.d && (address & kWindowMask) != kSharedWindow) {
    fault(w, i, int(l), DiagnosticKind::InvalidBarrier,
          "an mbarrier has to be in shared memory, not at " + hex(address),
          address);
    return nullptr;
  }
  MemoryRef ref;
  if (!resolve(w, i, int(l), Space::Shared, uint32_t(address), 8, 8,
               Intent::Sync, ref))
    return nullptr;
  cta = ref.shared;
  if (initialise) {
    Mbarrier &b = cta->mbarriers[ref.offset];
    b.offset = ref.offset;
    return &b;
  }
  return useMbarrier(w, i, int(l), *cta, ref.offset);
}

void setBit(Cta &cta, uint32_t offset, bool on) {
  uint64_t bit = uint64_t(1) << (offset / 8 % 64);
  uint64_t &word = cta.barrierBits[offset / 8 / 64];
  word = on ? word | bit : word & ~bit;
}

Step initHandler(Warp &w, const Inst &i, Mask m) {
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    Cta *cta = nullptr;
    Mbarrier *b = barrierOf(w, i, i.ops[0], l, cta, true);
    if (!b)
      return Step::Fault;
    if (b->expected)
      warn(w, i, int(l), DiagnosticKind::InvalidBarrier,
           "mbarrier.init of a valid mbarrier: it needs mbarrier.inval first",
           b->offset);
    uint32_t count = w.in(i.ops[1])[l];
    if (count == 0 || count > kMaxCount)
      return fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
                   "mbarrier count " + std::to_string(count) +
                       " is out of range");
    uint32_t offset = b->offset;
    *b = Mbarrier();
    b->offset = offset;
    // An agent of its own: that of an earlier object here has other phases.
    b->agent = w.cta->cluster->newAgent();
    b->expected = count;
    b->pending = b->nextExpected = count;
    b->initWarp = uint16_t(w.agent);
    b->initLane = uint8_t(l);
    b->initClock = w.clock.own;
    b->initLine = i.line;
    setBit(*cta, offset, true);
  }
  w.clock.step(w.agent);
  return Step::Next;
}

Step invalHandler(Warp &w, const Inst &i, Mask m) {
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    Cta *cta = nullptr;
    Mbarrier *b = barrierOf(w, i, i.ops[0], l, cta);
    if (!b)
      return Step::Fault;
    if (b->tx != 0)
      warn(w, i, int(l), DiagnosticKind::InvalidBarrier,
           "mbarrier.inval while " + std::to_string(b->tx) +
               " bytes are expected",
           b->offset);
    uint32_t offset = b->offset;
    setBit(*cta, offset, false);
    cta->mbarriers.erase(offset);
  }
  return Step::Next;
}

enum ArriveFlags : uint32_t {
  Drop = 1,
  ExpectTx = 2,
  HasCount = 4,
  Relaxed = 8,
  NoArrive = 16,
  Complete = 32
};

/// ops: [state,] address [, tx bytes] [, count]. inst.a flags, inst.b whether a
/// state is returned.
Step arriveHandler(Warp &w, const Inst &i, Mask m) {
  const Operand *ops = i.ops + i.b;
  uint64_t states[kLanes];
  bool released = false;
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    Cta *cta = nullptr;
    Mbarrier *b = barrierOf(w, i, ops[0], l, cta);
    if (!b)
      return Step::Fault;
    states[l] = uint64_t(b->phase) << 1 | 1;
    if (i.a & (ExpectTx | Complete)) {
      uint32_t bytes = w.in(ops[1])[l];
      b->tx += i.a & Complete ? -int64_t(bytes) : int64_t(bytes);
      if (bytes > kMaxCount || b->tx > kMaxCount || b->tx < -kMaxCount)
        return fault(w, i, int(l), DiagnosticKind::BarrierOverflow,
                     "the transaction count of the mbarrier exceeds 2^20 - 1",
                     b->offset);
    }
    if (i.a & NoArrive) {
      if (i.a & Complete)
        settle(*b);
      continue;
    }
    uint32_t count = i.a & HasCount ? w.in(ops[i.a & ExpectTx ? 2 : 1])[l] : 1;
    if (count == 0 || int64_t(count) > b->pending)
      return fault(w, i, int(l), DiagnosticKind::BarrierOverflow,
                   "arrival of " + std::to_string(count) +
                       " at the mbarrier at " + hex(b->offset) +
                       ", whose phase takes only " +
                       std::to_string(b->pending) + " more of " +
                       std::to_string(b->expected),
                   b->offset);
    b->pending -= count;
    if (i.a & Drop)
      b->nextExpected -= count;
    if (i.a & Relaxed)
      w.clock.releaseLaneAtFence(b->pendingClock, w.agent, l);
    else
      w.clock.releaseLane(b->pendingClock, w.agent, l);
    released = true;
    b->pendingTime = std::max(b->pendingTime, w.time);
    settle(*b);
  }
  if (released)
    w.clock.step(w.agent);
  if (i.b && i.ops[0].kind == Operand::Register)
    forLanes(m, [&](uint32_t l) {
      setLane<uint64_t>(w.out(i.ops[0]), l, states[l]);
    });
  return Step::Next;
}

enum WaitFlags : uint32_t { Parity = 1, Test = 2, RelaxedWait = 4 };

/// ops: p, address, state or parity. try_wait may suspend the thread: a first
/// failure is returned, so that a missing loop shows; the next at the same
/// place waits until the barrier changes.
Step waitHandler(Warp &w, const Inst &i, Mask m) {
  Mask done = 0;
  Split &s = w.split();
  Mbarrier *barriers[kLanes];
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    Cta *cta = nullptr;
    Mbarrier *b = barrierOf(w, i, i.ops[1], l, cta);
    if (!b)
      return Step::Fault;
    barriers[l] = b;
    bool complete;
    if (i.a & Parity) {
      uint32_t parity = w.in(i.ops[2])[l];
      if (parity > 1)
        return fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
                     "phase parity " + std::to_string(parity) +
                         " is neither 0 nor 1");
      complete = (b->phase & 1) != parity;
    } else {
      complete =
          b->phase != uint32_t(getLane<uint64_t>(w.in(i.ops[2]), l) >> 1);
    }
    if (complete)
      done |= 1u << l;
  }
  if (!done && s.pollPc == s.pc && !s.resumed) {
    s.wait.kind = WaitKind::Mbarrier;
    s.wait.nonBlocking = i.a & Test;
    s.wait.barriers.clear();
    forLanes(m, [&](uint32_t l) {
      for (auto &known : s.wait.barriers)
        if (known.first == barriers[l])
          return;
      s.wait.barriers.push_back({barriers[l], barriers[l]->phase});
    });
    return Step::Wait;
  }
  forLanes(done, [&](uint32_t l) {
    Mbarrier &b = *barriers[l];
    if (i.a & RelaxedWait)
      return;
    w.clock.acquireFrom(b.releasedClock, w.agent);
    w.clock.seen.raise(b.agent, b.phase);
    w.time = std::max(w.time, b.lastTime);
  });
  setPredicate(w, i.ops[0], m, done);
  if (done == m) {
    s.pollPc = ~0u;
    return Step::Next;
  }
  s.pollPc = s.pc;
  return Step::Yield;
}

Step pendingCountHandler(Warp &w, const Inst &i, Mask m) {
  return fault(
      w, i, std::countr_zero(m), DiagnosticKind::InvalidInstruction,
      "mbarrier.pending_count needs a state made by arrive.noComplete");
}

void takeSpace(Decoder &d) {
  d.inst.d = d.oneOf({"shared", "shared::cta", "shared::cluster"}) < 0;
  if (!d.has("b64"))
    d.fail("missing .b64");
}
void takeScope(Decoder &d) {
  if (d.has("relaxed"))
    d.inst.a |= Relaxed;
  d.oneOf({"release", "acquire"});
  d.oneOf({"cta", "cluster"});
}

void decodeArrive(Decoder &d, uint32_t flags) {
  d.inst.a = flags;
  if (d.has("noComplete"))
    d.unsupported("form");
  if (!(flags & NoArrive) && d.has("expect_tx"))
    d.inst.a |= ExpectTx;
  takeScope(d);
  takeSpace(d);
  size_t next = 0;
  if (!(flags & NoArrive)) {
    // arrive on a remote barrier returns no state and may leave the sink out.
    if (d.operand(0).kind != ParsedOperand::Address) {
      d.defOrSink(d.operand(0), 8);
      d.inst.b = 1;
      next = 1;
    }
  }
  d.inst.imm = uint64_t(d.useAddress(d.operand(next++)));
  if (d.inst.a & (ExpectTx | Complete))
    d.use(d.operand(next++), Type::U32);
  if (!(flags & NoArrive) && next < d.operandCount()) {
    d.inst.a |= HasCount;
    d.use(d.operand(next++), Type::U32);
  }
  d.expectOperands(next, next);
  d.inst.fn = arriveHandler;
}

void decodeWait(Decoder &d, bool test) {
  d.inst.a = test ? Test : 0;
  if (d.has("parity"))
    d.inst.a |= Parity;
  if (d.has("relaxed"))
    d.inst.a |= RelaxedWait;
  d.has("acquire");
  d.oneOf({"cta", "cluster"});
  takeSpace(d);
  d.expectOperands(3, 4);
  d.defPred(d.operand(0));
  d.inst.imm = uint64_t(d.useAddress(d.operand(1)));
  d.use(d.operand(2), d.inst.a & Parity ? Type::U32 : Type::U64);
  if (d.operandCount() == 4)
    d.use(d.operand(3), Type::U32);
  d.inst.fn = waitHandler;
}

void decodeMbarrier(Decoder &d) {
  int action =
      d.oneOf({"init", "inval", "arrive", "arrive_drop", "test_wait",
               "try_wait", "expect_tx", "complete_tx", "pending_count"});
  d.inst.cost = 4;
  switch (action) {
  case 0:
    takeSpace(d);
    d.expectOperands(2, 2);
    d.inst.imm = uint64_t(d.useAddress(d.operand(0)));
    d.use(d.operand(1), Type::U32);
    d.inst.fn = initHandler;
    return;
  case 1:
    takeSpace(d);
    d.expectOperands(1, 1);
    d.inst.imm = uint64_t(d.useAddress(d.operand(0)));
    d.inst.fn = invalHandler;
    return;
  case 2:
    return decodeArrive(d, 0);
  case 3:
    return decodeArrive(d, Drop);
  case 4:
  case 5:
    return decodeWait(d, action == 4);
  case 6:
    return decodeArrive(d, NoArrive | ExpectTx);
  case 7:
    return decodeArrive(d, NoArrive | Complete);
  case 8:
    d.has("b64");
    d.expectOperands(2, 2);
    d.def(d.operand(0), 4);
    d.use(d.operand(1), Type::B64);
    d.inst.fn = pendingCountHandler;
    return;
  default:
    d.fail("missing action");
  }
}

} // namespace

void fa3::emulator::addMbarrierOpcodes(OpcodeTable &t) {
  t["mbarrier"] = decodeMbarrier;
}
