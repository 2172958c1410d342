//===- CopySmall.cpp - cp.async -------------------------------------------===//
//
// PTX ISA, "Non-bulk copy": cp.async, its groups, cp.async.mbarrier.arrive.
// The destination is poisoned at issue and written at any time up to the wait.
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "Copy.h"
#include "Memory.h"

#include <algorithm>

using namespace fa3::emulator;

namespace {

/// cp.async: 4, 8 or 16 bytes of one thread.
struct SmallCopy final : AsyncOp {
  uint64_t global = 0;
  uint32_t bytes = 0, sourceBytes = 0, offset = 0;
  std::shared_ptr<CopyGroup> group;

  bool usesShared(uint32_t r) const override { return r == rank; }
  bool advance(Cluster &cluster) override {
    unsigned char data[16] = {};
    if (sourceBytes)
      std::memcpy(data, reinterpret_cast<const void *>(global), sourceBytes);
    std::memcpy(cluster.ctas[rank]->shared.data() + (offset - kSharedBase),
                data, bytes);
    --group->writing;
    return true;
  }
};

/// cp.async. ops: dst, src [, source size]. inst.a bytes.
Step smallCopyHandler(Warp &w, const Inst &i, Mask m) {
  Cluster &cluster = *w.cta->cluster;
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    uint64_t src = laneAddress(w, i.ops[1], secondOffset(i), l);
    uint32_t sourceBytes = i.count > 2 ? std::min(w.in(i.ops[2])[l], i.a) : i.a;
    MemoryRef dst, from;
    if (!resolve(w, i, int(l), Space::Shared,
                 uint32_t(laneAddress(w, i.ops[0], firstOffset(i), l)), i.a,
                 i.a, Intent::Write, dst))
      return Step::Fault;
    if (sourceBytes && !resolve(w, i, int(l), Space::Global, src, sourceBytes,
                                i.a, Intent::Read, from))
      return Step::Fault;
    auto op = std::make_unique<SmallCopy>();
    op->global = src;
    op->bytes = i.a;
    op->sourceBytes = sourceBytes;
    op->offset = dst.offset;
    op->rank = dst.shared->rank;
    op->where = locate(w, i, int(l));
    op->name = i.name;
    CopyState &state = w.cpAsync[l];
    op->group = state.open;
    ++op->group->writing;
    // cp.async is of the generic proxy; its write is the thread's own.
    recordGeneric(w, i, uint8_t(l), i.a, *dst.shared, dst.offset, i.a, true);
    std::memset(dst.host, kPoison, i.a);
    setDue(cluster, *op);
    cluster.enqueue(std::move(op));
  }
  return Step::Next;
}
Step commitSmallHandler(Warp &w, const Inst &, Mask m) {
  forLanes(m, [&](uint32_t l) {
    CopyState &s = w.cpAsync[l];
    s.groups.push_back(s.open);
    s.open = std::make_shared<CopyGroup>();
  });
  return Step::Next;
}
/// inst.b: wait_all, which needs no commit.
Step waitSmallHandler(Warp &w, const Inst &i, Mask m) {
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    CopyState &s = w.cpAsync[l];
    auto blocked = [&](const std::shared_ptr<CopyGroup> &group) {
      if (!group->writing)
        return false;
      Wait &wait = w.split().wait;
      wait.kind = WaitKind::CpAsync;
      wait.group = group;
      return true;
    };
    for (size_t g = 0; g + i.a < s.groups.size(); ++g)
      if (blocked(s.groups[g]))
        return Step::Wait;
    if (i.b && blocked(s.open))
      return Step::Wait;
    while (s.groups.size() > i.a)
      s.groups.pop_front();
  }
  return Step::Next;
}

/// cp.async.mbarrier.arrive: arrives when the thread's earlier cp.async copies
/// are complete.
struct CopyArrival final : AsyncOp {
  std::vector<std::shared_ptr<CopyGroup>> groups;
  uint32_t barrier = 0;
  SyncClock clock;

  bool usesShared(uint32_t r) const override { return r == rank; }
  bool advance(Cluster &cluster) override {
    for (const auto &group : groups)
      if (group->writing)
        return false;
    arriveForCopies(cluster, *cluster.ctas[rank], barrier, clock, where);
    return true;
  }
};

/// inst.b: .noinc, the count of the barrier includes this arrival.
Step copyArriveHandler(Warp &w, const Inst &i, Mask m) {
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    Cta *cta = nullptr;
    auto op = std::make_unique<CopyArrival>();
    if (!sharedAt(w, i, l, laneAddress(w, i.ops[0], firstOffset(i), l), 8, 8,
                  cta, op->barrier))
      return Step::Fault;
    Mbarrier *b = useMbarrier(w, i, int(l), *cta, op->barrier);
    if (!b)
      return Step::Fault;
    if (!i.b)
      ++b->pending;
    CopyState &state = w.cpAsync[l];
    op->groups.assign(state.groups.begin(), state.groups.end());
    // Copies that join the open group later only delay the arrival.
    op->groups.push_back(state.open);
    op->rank = cta->rank;
    w.clock.releaseLane(op->clock, w.agent, l);
    op->where = locate(w, i, int(l));
    op->name = i.name;
    setDue(*w.cta->cluster, *op);
    w.cta->cluster->enqueue(std::move(op));
  }
  w.clock.step(w.agent);
  return Step::Next;
}

} // namespace

void fa3::emulator::decodeSmallCopy(Decoder &d) {
  if (d.has("commit_group")) {
    d.expectOperands(0, 0);
    d.inst.fn = commitSmallHandler;
    return;
  }
  bool all = d.has("wait_all");
  if (all || d.has("wait_group")) {
    d.inst.b = all;
    d.expectOperands(all ? 0 : 1, all ? 0 : 1);
    d.inst.a =
        all ? 0
            : uint32_t(std::min<uint64_t>(d.constant(d.operand(0)), 1u << 20));
    d.inst.fn = waitSmallHandler;
    return;
  }
  if (d.has("mbarrier")) {
    if (!d.has("arrive"))
      d.fail("missing .arrive");
    d.inst.b = d.has("noinc");
    d.oneOf({"shared", "shared::cta"});
    d.has("b64");
    d.expectOperands(1, 1);
    d.inst.imm = packOffsets(d.useAddress(d.operand(0)), 0);
    d.inst.fn = copyArriveHandler;
    return;
  }
  if (d.oneOf({"ca", "cg"}) < 0)
    d.fail("missing cache operator");
  d.oneOf({"shared", "shared::cta"});
  d.has("global");
  while (d.oneOf({"L2::64B", "L2::128B", "L2::256B"}) >= 0) {
  }
  if (d.has("L2::cache_hint"))
    d.unsupported("cache hint");
  d.expectOperands(3, 4);
  int64_t dst = d.useAddress(d.operand(0)), src = d.useAddress(d.operand(1));
  uint64_t bytes = d.constant(d.operand(2));
  if (bytes != 4 && bytes != 8 && bytes != 16)
    d.fail("copies 4, 8 or 16 bytes");
  d.inst.a = uint32_t(bytes);
  if (d.operandCount() == 4)
    d.use(d.operand(3), Type::U32);
  d.inst.imm = packOffsets(dst, src);
  d.inst.fn = smallCopyHandler;
  d.inst.cost = 4;
}
