//===- Scheduler.cpp - Runs the warps of a cluster ------------------------===//
//
// A warp's lanes that stand at the same instruction run together. When they
// diverge, the group with the lowest program counter runs first, which brings
// structured control flow back together; a group that waits does not hold up
// the others, as independent thread scheduling promises.
//
//===----------------------------------------------------------------------===//

#include "Scheduler.h"
#include "Barriers.h"
#include "Wgmma.h"

#include <algorithm>
#include <string_view>

using namespace fa3::emulator;

//===----------------------------------------------------------------------===//
// Helpers of the handlers
//===----------------------------------------------------------------------===//

std::string fa3::emulator::hex(uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), kDigits[value & 15]);
  while (value >>= 4);
  return "0x" + text;
}

Location fa3::emulator::locate(const Warp &w, const Inst &i, int lane) {
  Location where;
  where.line = i.line;
  where.cta = w.cta->id;
  where.warp = int32_t(w.index);
  where.thread = lane < 0 ? -1 : int32_t(w.index * kLanes) + lane;
  return where;
}

void fa3::emulator::warn(Warp &w, const Inst &i, int lane, DiagnosticKind kind,
                         std::string message, uint64_t address) {
  Launch &launch = *w.cta->cluster->launch;
  launch.sink.report({kind,
                      std::move(message),
                      launch.kernel.info.name,
                      locate(w, i, lane),
                      {},
                      address});
}

Step fa3::emulator::fault(Warp &w, const Inst &i, int lane, DiagnosticKind kind,
                          std::string message, uint64_t address) {
  warn(w, i, lane, kind, std::move(message), address);
  w.cta->cluster->launch->stop = true;
  return Step::Fault;
}

void fa3::emulator::traceSpan(const Warp &w, TraceCategory category,
                              const char *name, uint32_t line, uint64_t begin,
                              uint64_t end, uint64_t value, uint64_t address) {
  TraceSink *sink = w.cta->cluster->launch->options.trace;
  if (sink && begin < end)
    sink->event({category, name, w.cta->id, int32_t(w.index), line, begin, end,
                 value, address});
}

/// The end of a wait that began at \p s.since: a span of instructions before
/// it, and the wait.
static void traceWait(Warp &w, const Inst &i, Split &s) {
  TraceCategory category;
  switch (s.waited) {
  case WaitKind::Mbarrier:
    category = TraceCategory::Wait;
    break;
  case WaitKind::Named:
  case WaitKind::ClusterBar:
  case WaitKind::Registers:
    category = TraceCategory::Barrier;
    break;
  case WaitKind::Bulk:
  case WaitKind::CpAsync:
    category = TraceCategory::BulkWait;
    break;
  default:
    return;
  }
  if (w.time <= s.since)
    return;
  traceSpan(w, TraceCategory::Issue, "instructions", i.line, w.spanBegin,
            s.since);
  traceSpan(w, category, i.name, i.line, s.since, w.time, 0, s.waitedOn);
  w.spanBegin = w.time;
}

/// A wait that was over when the warp's turn came, but in logical time only
/// some clocks after \p since.
static void traceDelay(Warp &w, const Inst &i, uint64_t since) {
  if (w.spanBegin > since) // The instruction has reported it itself.
    return;
  const bool mbarrier = std::string_view(i.name).starts_with("mbarrier");
  traceSpan(w, TraceCategory::Issue, "instructions", i.line, w.spanBegin,
            since);
  traceSpan(w, mbarrier ? TraceCategory::Wait : TraceCategory::Barrier, i.name,
            i.line, since, w.time);
  w.spanBegin = w.time;
}

bool fa3::emulator::converged(Warp &w, Mask needed) {
  Split &s = w.split();
  if ((s.mask & needed) == needed)
    return true;
  s.wait.kind = WaitKind::Converge;
  s.wait.id = needed;
  return false;
}

void Cluster::enqueue(std::unique_ptr<AsyncOp> op) {
  pending.push_back(std::move(op));
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

ClusterRun::ClusterRun(Launch &launch, uint64_t index) : launch(launch) {
  const LaunchConfig &config = launch.config;
  const Dim3 &c = config.cluster, &g = config.grid;
  uint32_t cx = g.x / c.x, cy = g.y / c.y;
  cluster.launch = &launch;
  cluster.id = {uint32_t(index % cx), uint32_t(index / cx % cy),
                uint32_t(index / cx / cy)};
  cluster.random = Random(launch.options.seed * 0x9e3779b97f4a7c15u + index);
  cluster.policy = cluster.random.below(4);
  uint32_t threads = uint32_t(config.block.count());
  uint32_t warps = (threads + kLanes - 1) / kLanes;
  uint32_t count = uint32_t(c.count());
  liveCtas = count;
  const Kernel &k = launch.kernel;
  for (uint32_t rank = 0; rank != count; ++rank) {
    auto cta = std::make_unique<Cta>();
    cta->cluster = &cluster;
    cta->rank = rank;
    cta->idInCluster = {rank % c.x, rank / c.x % c.y, rank / c.x / c.y};
    cta->id = {cluster.id[0] * c.x + cta->idInCluster[0],
               cluster.id[1] * c.y + cta->idInCluster[1],
               cluster.id[2] * c.z + cta->idInCluster[2]};
    uint32_t bytes = launch.sharedBytes - kSharedBase;
    cta->shared.assign(bytes, 0xff);
    cta->barrierBits.assign(launch.sharedBytes / 512 + 2, 0);
    if (launch.options.detectRaces)
      cta->shadow.resize(bytes);
    cta->liveWarps = warps;
    cta->warps.resize(warps);
    cta->freeRegisters = 0;
    for (uint32_t i = 0; i != warps; ++i) {
      Warp &w = cta->warps[i];
      w.cta = cta.get();
      w.index = i;
      w.agent = cluster.newAgent();
      w.clock.start(w.agent);
      uint32_t lanes = std::min(kLanes, threads - i * kLanes);
      w.live = lanes == kLanes ? kFullMask : (1u << lanes) - 1;
      Split s;
      s.mask = w.live;
      w.splits.push_back(std::move(s));
      w.storage = std::make_unique<uint32_t[]>(k.laneWords + 16);
      std::memset(w.storage.get(), 0xff, size_t(k.laneWords) * 4);
      w.bases[0] = w.storage.get();
      w.bases[1] = const_cast<uint32_t *>(k.pool.data());
      w.preds.assign(k.predicateCount, 0);
      w.local.assign(size_t(k.info.localBytes) * kLanes, 0xff);
      w.touched.assign(k.registerCount, 0);
      w.accumulatorOf.assign(k.registerCount, 0);
      w.fragmentOf.assign(k.registerCount, 0);
      w.registers = launch.initialRegisters;
    }
    cta->groups.resize((warps + 3) / 4);
    cluster.ctas.push_back(std::move(cta));
  }
  for (auto &cta : cluster.ctas) {
    for (Warpgroup &group : cta->groups)
      group.agent = cluster.newAgent();
    for (Warp &w : cta->warps)
      w.bulkAgent = cluster.newAgent();
  }
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

bool ClusterRun::waitOver(Warp &w, const Split &s) {
  const Wait &wait = s.wait;
  switch (wait.kind) {
  case WaitKind::None:
    return true;
  case WaitKind::Converge: {
    Mask there = 0;
    for (const Split &other : w.splits)
      if (other.pc == s.pc && (other.wait.kind == WaitKind::None ||
                               other.wait.kind == WaitKind::Converge))
        there |= other.mask;
    Mask needed = wait.id & w.live;
    return (there & needed) == needed;
  }
  case WaitKind::Mbarrier:
    for (const auto &[barrier, phase] : wait.barriers)
      if (barrier->phase != phase)
        return true;
    return false;
  case WaitKind::Named:
    return w.cta->named[wait.id].generation != wait.generation;
  case WaitKind::ClusterBar:
    return cluster.barrier.generation != wait.generation;
  case WaitKind::Bulk:
    return !(wait.readOnly ? wait.group->reading : wait.group->writing);
  case WaitKind::CpAsync:
    return !wait.group->writing;
  case WaitKind::Registers:
    return wait.id <= w.cta->freeRegisters;
  case WaitKind::WgmmaPeers:
    return wgmmaIssued(w.cta->groups[w.index / 4], wait.generation);
  }
  return true;
}

bool ClusterRun::pick(Warp &w) {
  std::erase_if(w.splits, [](const Split &s) { return !s.mask; });
  if (w.splits.empty())
    return false;
  size_t best = w.splits.size();
  for (size_t i = 0; i != w.splits.size(); ++i)
    if ((best == w.splits.size() || w.splits[i].pc < w.splits[best].pc) &&
        waitOver(w, w.splits[i]))
      best = i;
  if (best == w.splits.size())
    return false;
  Split &s = w.splits[best];
  bool mergeable = !s.resumed;
  if (s.wait.kind != WaitKind::None) {
    mergeable = s.wait.kind == WaitKind::Converge;
    s.resumed = !mergeable;
    s.waited = s.wait.kind;
    s.since = s.wait.since;
    s.waitedOn =
        s.wait.barriers.empty() ? s.wait.id : s.wait.barriers[0].first->offset;
    s.wait = Wait();
  }
  if (mergeable && w.splits.size() > 1)
    for (Split &other : w.splits)
      if (&other != &s && other.pc == s.pc && !other.resumed &&
          (other.wait.kind == WaitKind::None ||
           other.wait.kind == WaitKind::Converge)) {
        s.mask |= other.mask;
        other.mask = 0;
      }
  w.current = uint32_t(best);
  return true;
}

/// Registers of an unfinished wgmma must not be touched; remembers accesses for
/// the wgmma.fence rule. False after reporting.
static bool trackRegisters(Warp &w, const Inst &i) {
  bool busy = w.issuedSeq > w.waitedSeq;
  uint32_t epoch = w.fenceEpoch, waited = w.waitedSeq;
  for (uint32_t k = 0; k != i.count; ++k) {
    uint32_t reg = i.ops[k].reg;
    if (reg == ~0u)
      continue;
    bool written = k < i.defCount;
    if (busy) {
      if (w.accumulatorOf[reg] > waited) {
        fault(
            w, i, -1, DiagnosticKind::InFlightRegister,
            std::string("an accumulator register of an unfinished wgmma is ") +
                (written ? "written" : "read") + " before wgmma.wait_group");
        return false;
      }
      if (written && w.fragmentOf[reg] > waited) {
        fault(w, i, -1, DiagnosticKind::InFlightRegister,
              "a register that an unfinished wgmma reads as matrix A is "
              "written before "
              "wgmma.wait_group");
        return false;
      }
    }
    if (written || w.touched[reg])
      w.touched[reg] = epoch;
  }
  return true;
}

bool ClusterRun::runWarp(Warp &w, uint32_t budget) {
  const Inst *code = launch.kernel.code.data();
  bool progress = false;
  while (budget) {
    if (!pick(w))
      break;
    // Stop where another group stands, to join it.
    uint32_t limit = ~0u;
    for (size_t i = 0; i != w.splits.size(); ++i)
      if (i != w.current && w.splits[i].mask &&
          (w.splits[i].wait.kind == WaitKind::None ||
           w.splits[i].wait.kind == WaitKind::Converge))
        limit = std::min(limit, std::max(w.splits[i].pc, w.split().pc + 1));
    bool again = true;
    while (again && budget) {
      Split *s = &w.split();
      if (s->pc >= limit)
        break;
      const Inst &i = code[s->pc];
      Mask mask = s->mask;
      if (i.guard >= 0) {
        Mask p = w.preds[size_t(i.guard)];
        mask &= i.guardNegated ? ~p : p;
        if (!w.touched[i.guardReg]) {
          fault(w, i, -1, DiagnosticKind::UninitializedUse,
                "the guard is a predicate that was never written");
          return false;
        }
      }
      --budget;
      ++w.executed;
      if (!mask) {
        ++s->pc;
        progress = true;
        continue;
      }
      if (launch.executed)
        launch.executed[s->pc].store(true, std::memory_order_relaxed);
      const uint64_t before = w.time;
      Step step = i.tracksRegisters && !trackRegisters(w, i) ? Step::Fault
                                                             : i.fn(w, i, mask);
      s = &w.split();
      switch (step) {
      case Step::Next:
        ++s->pc;
        if (s->resumed)
          traceWait(w, i, *s);
        else if (w.time > before)
          traceDelay(w, i, before);
        s->resumed = false;
        w.time += i.cost;
        progress = true;
        break;
      case Step::Jump:
        s->resumed = false;
        w.time += i.cost;
        progress = true;
        // Diverged, exited, or a branch among several groups: choose anew.
        again = s->mask && w.splits.size() == 1;
        break;
      case Step::Wait:
        s->wait.since = w.time;
        s->resumed = false;
        again = false;
        break;
      case Step::Yield:
        ++s->pc;
        s->resumed = false;
        w.time += i.cost;
        return true;
      case Step::Fault:
        launch.stop = true;
        return false;
      }
    }
  }
  if (w.executed > launch.options.warpInstructionLimit && !w.splits.empty()) {
    fault(w, code[w.splits[0].pc], -1, DiagnosticKind::Timeout,
          "the warp executed " + std::to_string(w.executed) +
              " instructions without ending");
    return false;
  }
  std::erase_if(w.splits, [](const Split &s) { return !s.mask; });
  if (w.splits.empty()) {
    finishWarp(w);
    return true;
  }
  return progress;
}

void ClusterRun::finishWarp(Warp &w) {
  Cta &cta = *w.cta;
  // Its registers do not return to the pool: PTX promises that only of
  // setmaxnreg.dec.
  --cta.liveWarps;
  launch.instructions += w.executed;
  uint32_t lastLine = launch.kernel.code.back().line;
  traceSpan(w, TraceCategory::Issue, "instructions", lastLine, w.spanBegin,
            w.time);
  traceSpan(w, TraceCategory::Warp, "warp", lastLine, 0, w.time);
  uint64_t longest = launch.clocks;
  while (longest < w.time &&
         !launch.clocks.compare_exchange_weak(longest, w.time)) {
  }
  warpLeavesBarriers(cta);
  warpLeavesCluster(cluster);
  if (!cta.liveWarps)
    finishCta(cta);
}

void ClusterRun::finishCta(Cta &cta) {
  cta.exited = true;
  --liveCtas;
  for (const auto &op : cluster.pending)
    if (op->usesShared(cta.rank))
      launch.sink.report({DiagnosticKind::UnfinishedAsync,
                          "the CTA exits while this asynchronous copy still "
                          "uses its shared memory",
                          launch.kernel.info.name,
                          op->where,
                          {},
                          0});
  for (const auto &[offset, barrier] : cta.mbarriers)
    if (barrier.tx != 0) {
      Location where;
      where.line = barrier.initLine;
      where.cta = cta.id;
      launch.sink.report({DiagnosticKind::UnfinishedAsync,
                          "the CTA exits while the mbarrier at " + hex(offset) +
                              " has a transaction count of " +
                              std::to_string(barrier.tx),
                          launch.kernel.info.name,
                          where,
                          {},
                          offset});
    }
}

//===----------------------------------------------------------------------===//
// The cluster
//===----------------------------------------------------------------------===//

void ClusterRun::advanceDue() {
  for (size_t i = 0; i < cluster.pending.size();) {
    if (cluster.pending[i]->due > cluster.tick) {
      ++i;
      continue;
    }
    if (cluster.pending[i]->advance(cluster)) {
      cluster.pending[i] = std::move(cluster.pending.back());
      cluster.pending.pop_back();
    } else {
      // The next stage has a time of its own.
      cluster.pending[i]->due = cluster.random.below(2)
                                    ? ~uint64_t(0)
                                    : cluster.tick + cluster.random.below(64);
      ++i;
    }
  }
  for (auto &cta : cluster.ctas)
    if (!cta->exited)
      advanceWgmma(*cta);
}

bool ClusterRun::advanceAny() {
  if (cluster.pending.empty())
    return false;
  size_t i = cluster.random.below(uint32_t(cluster.pending.size()));
  if (cluster.pending[i]->advance(cluster)) {
    cluster.pending[i] = std::move(cluster.pending.back());
    cluster.pending.pop_back();
  }
  return true;
}

bool ClusterRun::wakeTesters() {
  bool woken = false;
  for (auto &cta : cluster.ctas)
    for (Warp &w : cta->warps)
      for (Split &s : w.splits)
        if (s.wait.kind == WaitKind::Mbarrier && s.wait.nonBlocking) {
          s.wait = Wait();
          s.resumed = true;
          woken = true;
        }
  // Programs that only test may test for ever; a bounded number of rounds tells
  // a loop with something else to do from one without.
  return woken && ++idleWakes < 4096;
}

bool ClusterRun::runSomeWarp() {
  uint32_t total = 0;
  for (auto &cta : cluster.ctas)
    total += uint32_t(cta->warps.size());
  uint32_t perCta = total / uint32_t(cluster.ctas.size());
  static constexpr uint32_t kSlices[] = {16, 128, 1024, 8192};
  uint32_t budget = 1 + cluster.random.below(kSlices[cluster.random.below(4)]);
  uint32_t start = cluster.random.below(total);
  for (uint32_t k = 0; k != total; ++k) {
    // Random, round robin from a random start, or a standing preference.
    uint32_t index = cluster.policy == 0   ? k
                     : cluster.policy == 1 ? total - 1 - k
                                           : (start + k) % total;
    Warp &w = cluster.ctas[index / perCta]->warps[index % perCta];
    if (w.done())
      continue;
    if (runWarp(w, budget))
      return true;
    if (launch.stop)
      return true;
  }
  return false;
}

bool ClusterRun::run() {
  uint64_t pollsBefore = cluster.polls;
  while (liveCtas) {
    if (launch.stop)
      return true;
    ++cluster.tick;
    advanceDue();
    if (runSomeWarp()) {
      if (cluster.polls - pollsBefore > 4096)
        return false;
      continue;
    }
    if (advanceAny() || wakeTesters())
      continue;
    reportDeadlock();
    launch.stop = true;
    return true;
  }
  while (advanceAny()) {
  }
  return true;
}

static std::string describeWait(const Cluster &cluster, const Warp &w,
                                const Split &s) {
  const Wait &wait = s.wait;
  switch (wait.kind) {
  case WaitKind::None:
    return "is ready";
  case WaitKind::Converge:
    return "waits for threads " + hex(wait.id & w.live & ~s.mask) +
           " of its warp";
  case WaitKind::Mbarrier: {
    std::string text = "waits on";
    for (const auto &[b, phase] : wait.barriers)
      text += " mbarrier " + hex(b->offset) + " (phase " +
              std::to_string(b->phase) + ", " + std::to_string(b->pending) +
              " of " + std::to_string(b->expected) + " arrivals and " +
              std::to_string(b->tx) + " bytes outstanding)";
    return text;
  }
  case WaitKind::Named: {
    const NamedBarrier &b = w.cta->named[wait.id];
    return "waits at barrier " + std::to_string(wait.id) + " (" +
           std::to_string(b.arrived) + " of " +
           std::to_string(b.whole ? w.cta->liveWarps * kLanes : b.expected) +
           " threads have come)";
  }
  case WaitKind::ClusterBar:
    return "waits at barrier.cluster (" +
           std::to_string(cluster.barrier.arrived) + " threads have come)";
  case WaitKind::Bulk:
  case WaitKind::CpAsync:
    return "waits for its asynchronous copies";
  case WaitKind::Registers:
    return "waits in setmaxnreg for " + std::to_string(wait.id) +
           " registers of which " + std::to_string(w.cta->freeRegisters) +
           " are free";
  case WaitKind::WgmmaPeers:
    return "waits for the other warps of its warpgroup to issue their wgmma";
  }
  return "waits";
}

void ClusterRun::reportDeadlock() {
  Diagnostic d;
  d.kind = DiagnosticKind::Deadlock;
  d.kernel = launch.kernel.info.name;
  d.message = "no warp can make progress";
  for (auto &cta : cluster.ctas)
    for (Warp &w : cta->warps)
      for (Split &s : w.splits) {
        const Inst &i = launch.kernel.code[s.pc];
        if (!d.where.line)
          d.where = locate(w, i);
        d.message +=
            "\n  CTA (" + std::to_string(cta->id[0]) + "," +
            std::to_string(cta->id[1]) + "," + std::to_string(cta->id[2]) +
            ") warp " + std::to_string(w.index) +
            (s.mask == kFullMask ? std::string() : " threads " + hex(s.mask)) +
            " at line " + std::to_string(i.line) + " " +
            describeWait(cluster, w, s);
      }
  launch.sink.report(std::move(d));
}
