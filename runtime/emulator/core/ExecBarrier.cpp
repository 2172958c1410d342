//===- ExecBarrier.cpp - CTA and cluster barriers, setmaxnreg -------------===//
//
// PTX ISA, "bar, barrier", "bar.warp.sync", "barrier.cluster", "setmaxnreg".
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "Decoder.h"
#include "Elementwise.h"

using namespace fa3::emulator;

/// Whether all expected threads have come; completes the barrier if so.
static void tryComplete(Cta &cta, NamedBarrier &b) {
  if (!b.arrived)
    return;
  uint32_t needed = b.whole ? cta.liveWarps * kLanes : b.expected;
  if (b.arrived < needed)
    return;
  b.arrived = 0;
  b.expected = 0;
  b.whole = false;
  ++b.generation;
  b.releasedClock = std::move(b.pendingClock);
  b.pendingClock = SyncClock();
  b.lastArrivals.swap(b.arrivals);
  b.arrivals.clear();
  b.result = b.reduction;
  b.lastTime = b.time;
  b.time = 0;
}

void fa3::emulator::warpLeavesBarriers(Cta &cta) {
  for (NamedBarrier &b : cta.named)
    if (b.whole)
      tryComplete(cta, b);
}

namespace {

/// Reports a disagreement with the arrival of warp \p warp at \p line.
Step disagree(Warp &w, const Inst &i, std::string message, uint32_t line,
              int32_t warp) {
  Launch &launch = *w.cta->cluster->launch;
  Diagnostic d{DiagnosticKind::BarrierCount,
               std::move(message),
               launch.kernel.info.name,
               locate(w, i),
               {},
               0};
  d.other.line = line;
  d.other.cta = w.cta->id;
  d.other.warp = warp;
  launch.sink.report(std::move(d));
  return Step::Fault;
}

/// Whether the arrival \p a comes before what has this clock. A warp arrives as
/// a whole, so that any of its lanes can tell of it.
bool isBefore(const NamedBarrier::Arrival &a, const VectorClock &clock) {
  bool before = clock.covers(a.agent, a.clock);
  for (uint32_t lane = 0; !before && lane != kLanes; ++lane)
    before = clock.coversLanes(a.agent, a.clock, 1u << lane);
  return before;
}

/// An arrival of the last generation that \p w is not ordered after: it could
/// come later than this warp, which would then be counted in its place.
const NamedBarrier::Arrival *unordered(const Warp &w, const NamedBarrier &b) {
  for (const NamedBarrier::Arrival &a : b.lastArrivals)
    if (!isBefore(a, w.clock.seen))
      return &a;
  return nullptr;
}

enum BarrierKind : uint32_t { Sync, Arrive, RedPopc, RedAnd, RedOr };

/// ops: [d,] barrier [, count] [, predicate]. inst.a kind, .b bit 0: has a
/// count, bit 1: aligned.
Step barHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  Cta &cta = *w.cta;
  bool reduces = i.a >= RedPopc;
  const Operand *ops = i.ops + (reduces ? 1 : 0);
  uint32_t lane = uint32_t(std::countr_zero(m));
  uint32_t number = w.in(ops[0])[lane];
  bool hasCount = i.b & 1;
  uint32_t count = hasCount ? w.in(ops[1])[lane] : 0;
  bool uniform = true;
  forLanes(m, [&](uint32_t l) {
    uniform &=
        w.in(ops[0])[l] == number && (!hasCount || w.in(ops[1])[l] == count);
  });
  if (!uniform)
    return fault(w, i, int(lane), DiagnosticKind::InvalidInstruction,
                 "barrier operands differ among the threads of a warp");
  if (number >= 16)
    return fault(w, i, int(lane), DiagnosticKind::InvalidInstruction,
                 "barrier " + std::to_string(number) + " does not exist");
  NamedBarrier &b = cta.named[number];
  Split &s = w.split();
  if (!s.resumed) {
    if (hasCount &&
        (count % kLanes || count == 0 || count > cta.warps.size() * kLanes))
      return fault(w, i, int(lane), DiagnosticKind::BarrierCount,
                   "barrier " + std::to_string(number) + ": thread count " +
                       std::to_string(count) +
                       " is not a multiple of 32 within the CTA's " +
                       std::to_string(cta.warps.size() * kLanes));
    const std::string name = "barrier " + std::to_string(number);
    if (const NamedBarrier::Arrival *a = unordered(w, b))
      return disagree(w, i,
                      "this arrival at " + name +
                          " is not ordered after an earlier one, with whose "
                          "phase it may be counted",
                      a->line, a->warp);
    if (!b.arrived) {
      b.expected = count;
      b.whole = !hasCount;
      b.firstLine = i.line;
      b.firstWarp = int32_t(w.index);
      b.reduction = i.a == RedAnd ? 1 : 0;
    } else if (b.whole != !hasCount || b.expected != count) {
      return disagree(
          w, i,
          name + " expects " +
              (b.whole ? std::string("all") : std::to_string(b.expected)) +
              " threads, but this arrival names " +
              (hasCount ? std::to_string(count) : std::string("all")),
          b.firstLine, b.firstWarp);
    }
    b.arrived += kLanes;
    if (!b.whole && b.arrived > b.expected)
      return fault(w, i, -1, DiagnosticKind::BarrierCount,
                   "more threads arrive at barrier " + std::to_string(number) +
                       " than the " + std::to_string(b.expected) + " expected");
    if (reduces) {
      Mask p = predicateMask(w, ops[hasCount ? 2 : 1]) & m;
      if (i.a == RedPopc)
        b.reduction += uint32_t(std::popcount(p));
      else if (i.a == RedAnd)
        b.reduction &= p == m;
      else
        b.reduction |= p != 0;
    }
    b.arrivals.push_back({w.agent, w.clock.own, i.line, int32_t(w.index)});
    w.clock.releaseTo(b.pendingClock, w.agent);
    b.time = std::max(b.time, w.time);
    uint32_t generation = b.generation;
    tryComplete(cta, b);
    if (i.a == Arrive)
      return Step::Next;
    if (b.generation == generation) {
      s.wait.kind = WaitKind::Named;
      s.wait.id = number;
      s.wait.generation = generation;
      return Step::Wait;
    }
  }
  w.clock.acquireFrom(b.releasedClock, w.agent);
  w.time = std::max(w.time, b.lastTime);
  if (i.a == RedPopc)
    storeLanes<uint32_t>(w.out(i.ops[0]), m,
                         [&](uint32_t) { return b.result; });
  else if (reduces)
    setPredicate(w, i.ops[0], m, b.result ? kFullMask : 0);
  return Step::Next;
}

/// bar.warp.sync: ops: mask.
Step warpSyncHandler(Warp &w, const Inst &i, Mask m) {
  Mask members = w.in(i.ops[0])[std::countr_zero(m)];
  if (!converged(w, members & w.live))
    return Step::Wait;
  if (m & ~members)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "bar.warp.sync: a thread is not in its member mask " +
                     hex(members));
  w.clock.syncLanes(w.agent);
  return Step::Next;
}

void decodeBar(Decoder &d) {
  if (d.has("cluster")) {
    decodeClusterBarrier(d);
    return;
  }
  if (d.has("warp")) {
    if (!d.has("sync"))
      d.fail("missing .sync");
    d.expectOperands(1, 1);
    d.use(d.operand(0), Type::B32);
    d.inst.fn = warpSyncHandler;
    return;
  }
  d.has("cta");
  int action = d.oneOf({"sync", "arrive", "red"});
  if (action < 0)
    d.fail("missing action");
  d.has("aligned");
  d.inst.fn = barHandler;
  d.inst.cost = 8;
  if (action == 2) {
    int op = d.oneOf({"popc", "and", "or"});
    if (op < 0)
      d.fail("missing operation");
    d.inst.a = RedPopc + uint32_t(op);
    d.type();
    d.expectOperands(3, 4);
    if (op == 0)
      d.def(d.operand(0), 4);
    else
      d.defPred(d.operand(0));
    d.use(d.operand(1), Type::U32);
    d.inst.b = d.operandCount() == 4;
    if (d.inst.b)
      d.use(d.operand(2), Type::U32);
    d.usePred(d.operand(d.operandCount() - 1));
    return;
  }
  d.inst.a = uint32_t(action);
  d.expectOperands(action == 1 ? 2 : 1, 2);
  d.use(d.operand(0), Type::U32);
  d.inst.b = d.operandCount() == 2;
  if (d.inst.b)
    d.use(d.operand(1), Type::U32);
}

/// setmaxnreg: inst.a: inc; inst.b: count.
Step setmaxnregHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  Cta &cta = *w.cta;
  if (i.a) {
    if (i.b < w.registers)
      return fault(w, i, -1, DiagnosticKind::RegisterBudget,
                   "setmaxnreg.inc to " + std::to_string(i.b) +
                       " below the current " + std::to_string(w.registers));
    uint32_t more = (i.b - w.registers) * kLanes;
    if (more > cta.freeRegisters) {
      Wait &wait = w.split().wait;
      wait.kind = WaitKind::Registers;
      wait.id = more;
      return Step::Wait;
    }
    cta.freeRegisters -= more;
  } else {
    if (i.b > w.registers)
      return fault(w, i, -1, DiagnosticKind::RegisterBudget,
                   "setmaxnreg.dec to " + std::to_string(i.b) +
                       " above the current " + std::to_string(w.registers));
    cta.freeRegisters += (w.registers - i.b) * kLanes;
  }
  w.registers = i.b;
  return Step::Next;
}
void decodeSetmaxnreg(Decoder &d) {
  int action = d.oneOf({"dec", "inc"});
  if (action < 0 || !d.has("sync") || !d.has("aligned"))
    d.fail("malformed setmaxnreg");
  d.type();
  d.expectOperands(1, 1);
  uint64_t count = d.constant(d.operand(0));
  if (count < 24 || count > 256 || count % 8)
    d.fail("the register count " + std::to_string(count) +
           " is not a multiple of 8 from 24 to 256");
  d.inst.a = uint32_t(action);
  d.inst.b = uint32_t(count);
  d.inst.fn = setmaxnregHandler;
  d.inst.cost = 8;
}

//===----------------------------------------------------------------------===//
// barrier.cluster
//===----------------------------------------------------------------------===//

uint32_t liveThreads(const Cluster &cluster) {
  uint32_t n = 0;
  for (const auto &cta : cluster.ctas)
    for (const Warp &w : cta->warps)
      n += uint32_t(std::popcount(w.live));
  return n;
}

void tryCompleteCluster(Cluster &cluster) {
  ClusterBarrier &b = cluster.barrier;
  if (!b.arrived || b.arrived < liveThreads(cluster))
    return;
  b.arrived = 0;
  ++b.generation;
  b.releasedClock = std::move(b.pendingClock);
  b.pendingClock = SyncClock();
  b.lastTime = b.time;
}

Step clusterArriveHandler(Warp &w, const Inst &i, Mask m) {
  if (i.b)
    FA3_EMULATOR_ALIGNED(w, i, m);
  ClusterBarrier &b = w.cta->cluster->barrier;
  if (w.clusterArrived & m)
    return fault(w, i, -1, DiagnosticKind::BarrierOverflow,
                 "barrier.cluster.arrive twice without a wait");
  w.clusterArrived |= m;
  w.clusterGeneration = b.generation;
  if (i.a) { // .relaxed releases what the last fence covered.
    w.clock.releaseAtFence(b.pendingClock, w.agent);
  } else if (m == kFullMask) {
    w.clock.releaseTo(b.pendingClock, w.agent);
  } else {
    forLanes(m, [&](uint32_t l) {
      w.clock.releaseLane(b.pendingClock, w.agent, l);
    });
    w.clock.step(w.agent);
  }
  b.time = std::max(b.time, w.time);
  b.arrived += uint32_t(std::popcount(m));
  tryCompleteCluster(*w.cta->cluster);
  return Step::Next;
}
Step clusterWaitHandler(Warp &w, const Inst &i, Mask m) {
  if (i.b)
    FA3_EMULATOR_ALIGNED(w, i, m);
  ClusterBarrier &b = w.cta->cluster->barrier;
  if (m & ~w.clusterArrived)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "barrier.cluster.wait without an arrive");
  if (b.generation == w.clusterGeneration) {
    Wait &wait = w.split().wait;
    wait.kind = WaitKind::ClusterBar;
    wait.generation = w.clusterGeneration;
    return Step::Wait;
  }
  w.clusterArrived &= ~m;
  w.clock.acquireFrom(b.releasedClock, w.agent);
  w.time = std::max(w.time, b.lastTime);
  return Step::Next;
}

} // namespace

void fa3::emulator::warpLeavesCluster(Cluster &cluster) {
  tryCompleteCluster(cluster);
}

void fa3::emulator::decodeClusterBarrier(Decoder &d) {
  int action = d.oneOf({"arrive", "wait"});
  if (action < 0)
    d.fail("missing action");
  d.inst.a = d.has("relaxed");
  d.oneOf({"release", "acquire"});
  d.inst.b = d.has("aligned");
  d.expectOperands(0, 0);
  d.inst.fn = action ? clusterWaitHandler : clusterArriveHandler;
  d.inst.cost = 8;
}

void fa3::emulator::addBarrierOpcodes(OpcodeTable &t) {
  t["bar"] = decodeBar;
  t["barrier"] = decodeBar;
  t["setmaxnreg"] = decodeSetmaxnreg;
}
