//===- Copy.cpp - Asynchronous copies -------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Asynchronous copy":
// cp.async.bulk, cp.reduce.async.bulk, their tensor forms, and cp.async.
//
// A copy is decoded at issue into runs of contiguous bytes. Into shared memory:
// the destination is poisoned at once and written when the copy completes. Out
// of it: the source is read at any time up to the wait for reading, the
// destination written at any time up to the full wait.
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "Decoder.h"
#include "Memory.h"
#include "Numerics.h"
#include "Reduce.h"
#include "Wgmma.h"

#include <charconv>

using namespace fa3::emulator;

namespace {

constexpr unsigned char kPoison = 0xff; ///< A NaN in every float format.

/// A contiguous piece: where in global memory (0: out of bounds, filled) and
/// where in the box.
struct Run {
  uint64_t global;
  uint32_t box;
  uint32_t bytes;
};

/// One box of a tensor, or one linear range.
struct Transfer {
  std::vector<Run> runs;
  uint32_t bytes = 0;
  uint32_t span = 0;               ///< Swizzle.
  std::vector<unsigned char> fill; ///< What out-of-bounds elements become.
};

/// Host address of byte \p box of a transfer at shared offset \p base. Only 16
/// bytes are contiguous under a swizzle.
unsigned char *sharedByte(Cta &cta, uint32_t base, uint32_t box,
                          uint32_t span) {
  return cta.shared.data() + (swizzleAddress(base + box, span) - kSharedBase);
}

void readGlobal(const Transfer &t, std::vector<unsigned char> &buffer) {
  for (const Run &r : t.runs)
    if (r.global)
      std::memcpy(buffer.data() + r.box,
                  reinterpret_cast<const void *>(r.global), r.bytes);
}
void writeShared(Cta &cta, uint32_t base, const Transfer &t,
                 const std::vector<unsigned char> &buffer) {
  for (uint32_t at = 0; at < t.bytes; at += 16)
    std::memcpy(sharedByte(cta, base, at, t.span), buffer.data() + at,
                std::min(16u, t.bytes - at));
}
void readShared(Cta &cta, uint32_t base, const Transfer &t,
                std::vector<unsigned char> &buffer) {
  for (uint32_t at = 0; at < t.bytes; at += 16)
    std::memcpy(buffer.data() + at, sharedByte(cta, base, at, t.span),
                std::min(16u, t.bytes - at));
}

/// Global (or another CTA's shared) memory into shared memory, completing on an
/// mbarrier in each destination CTA.
struct CopyIn final : AsyncOp {
  Transfer transfer;
  std::vector<unsigned char> buffer;
  bool haveData = false;
  uint64_t time = 0;
  struct Target {
    uint32_t rank, offset, barrier, phase;
  };
  std::vector<Target> targets;
  Cta *source = nullptr; ///< Shared-memory source, at sourceOffset.
  uint32_t sourceOffset = 0;

  bool usesShared(uint32_t r) const override {
    if (source && !haveData && source->rank == r)
      return true;
    for (const Target &t : targets)
      if (t.rank == r)
        return true;
    return false;
  }
  void fetch() {
    buffer.assign(transfer.bytes, 0);
    if (!transfer.fill.empty())
      for (size_t i = 0; i != buffer.size(); ++i)
        buffer[i] = transfer.fill[i % transfer.fill.size()];
    if (source)
      readShared(*source, sourceOffset, transfer, buffer);
    else
      readGlobal(transfer, buffer);
    haveData = true;
  }
  bool advance(Cluster &cluster) override {
    if (!haveData)
      fetch();
    for (const Target &t : targets) {
      Cta &cta = *cluster.ctas[t.rank];
      writeShared(cta, t.offset, transfer, buffer);
      completeTx(cluster, cta, t.barrier, transfer.bytes, t.phase, where, time);
    }
    return true;
  }
};

/// Shared memory to global, plain or with a reduction, in a bulk group.
struct CopyOut final : AsyncOp {
  Transfer transfer;
  uint32_t offset = 0;
  std::vector<unsigned char> buffer;
  bool haveData = false;
  std::shared_ptr<CopyGroup> group;
  ReduceFn reduce = nullptr;
  uint32_t elementBytes = 0;

  bool usesShared(uint32_t r) const override { return !haveData && r == rank; }
  bool advance(Cluster &cluster) override {
    if (!haveData) {
      buffer.resize(transfer.bytes);
      readShared(*cluster.ctas[rank], offset, transfer, buffer);
      haveData = true;
      --group->reading;
      return false;
    }
    for (const Run &r : transfer.runs) {
      if (!r.global)
        continue;
      if (reduce)
        reduce(reinterpret_cast<unsigned char *>(r.global),
               buffer.data() + r.box, r.bytes / elementBytes);
      else
        std::memcpy(reinterpret_cast<void *>(r.global), buffer.data() + r.box,
                    r.bytes);
    }
    --group->writing;
    return true;
  }
};

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

//===----------------------------------------------------------------------===//
// Decoded form and common checks
//===----------------------------------------------------------------------===//

enum class Direction : uint32_t {
  GlobalToShared,
  SharedToGlobal,
  SharedToShared
};
enum CopyFlags : uint32_t { Multicast = 1, Tensor = 2, Reduction = 4 };

/// inst.a direction, .b flags, .c rank of the tensor, .d reduction (index into
/// the table of Reduce.h), .imm offsets of destination and source (32 bits
/// each). ops depend on the form; see the decoders.
int64_t low(const Inst &i) { return int32_t(uint32_t(i.imm)); }
int64_t high(const Inst &i) { return int32_t(uint32_t(i.imm >> 32)); }

bool sharedAt(Warp &w, const Inst &i, uint32_t l, uint64_t address,
              uint32_t bytes, uint32_t align, Cta *&cta, uint32_t &offset) {
  if (uint32_t(address) % align) {
    fault(w, i, int(l), DiagnosticKind::Misaligned,
          "shared-memory address " + hex(uint32_t(address)) +
              " of the copy is not a multiple of " + std::to_string(align),
          address);
    return false;
  }
  cta = resolveShared(w, i, int(l), address, bytes, offset);
  return cta != nullptr;
}

/// Cuts the box at \p coordinates of \p map into runs and checks them.
bool boxRuns(Warp &w, const Inst &i, uint32_t l, const TensorMapFields &map,
             const int32_t *coordinates, bool write, Transfer &t) {
  uint32_t size = tensorTypeSize(map.type);
  uint32_t counts[5] = {1, 1, 1, 1, 1};
  uint64_t total = size;
  for (uint32_t d = 0; d != map.rank; ++d) {
    uint32_t step = d ? map.elementStrides[d] : 1;
    counts[d] = (map.box[d] + step - 1) / step;
    total *= counts[d];
  }
  t.bytes = uint32_t(total);
  t.span = swizzleSpan(map.swizzle);
  if (map.fill == TensorFill::NaN && !write)
    t.fill.assign(1, kPoison);
  uint32_t inner = counts[0] * size;
  // The part of the innermost row that lies inside the tensor.
  int64_t first = coordinates[0], last = first + counts[0];
  int64_t begin = std::max<int64_t>(first, 0),
          end = std::min<int64_t>(last, int64_t(map.dims[0]));
  uint32_t box = 0;
  for (uint32_t c4 = 0; c4 != counts[4]; ++c4)
    for (uint32_t c3 = 0; c3 != counts[3]; ++c3)
      for (uint32_t c2 = 0; c2 != counts[2]; ++c2)
        for (uint32_t c1 = 0; c1 != counts[1]; ++c1, box += inner) {
          uint32_t c[5] = {0, c1, c2, c3, c4};
          uint64_t address = map.address;
          bool inside = begin < end;
          for (uint32_t d = 1; d < map.rank; ++d) {
            int64_t x =
                int64_t(coordinates[d]) + int64_t(c[d]) * map.elementStrides[d];
            inside &= x >= 0 && uint64_t(x) < map.dims[d];
            address += uint64_t(x) * map.strides[d - 1];
          }
          if (!inside)
            continue;
          Run run{address + uint64_t(begin) * size,
                  box + uint32_t(begin - first) * size,
                  uint32_t(end - begin) * size};
          if (!checkGlobal(w, i, int(l), run.global, run.bytes, write))
            return false;
          t.runs.push_back(run);
        }
  return true;
}

/// Reads the tensor map that lane \p l names.
bool tensorMapAt(Warp &w, const Inst &i, uint32_t l, uint64_t address,
                 TensorMapFields &map) {
  MemoryRef ref;
  if (!resolve(w, i, int(l), Space::Generic, address, 128, 64, Intent::Read,
               ref))
    return false;
  if (ref.shared || !decodeTensorMap(ref.host, map)) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "no tensor map was encoded at " + hex(address), address);
    return false;
  }
  if (map.rank != i.c) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "a copy of " + std::to_string(i.c) +
              " dimensions uses a tensor map of " + std::to_string(map.rank),
          address);
    return false;
  }
  if (map.interleave != TensorInterleave::None) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "interleaved tensor maps are not supported", address);
    return false;
  }
  return true;
}

void setDue(Cluster &cluster, AsyncOp &op) {
  switch (cluster.random.below(3)) {
  case 0:
    op.due = cluster.tick;
    break;
  case 1:
    op.due = cluster.tick + cluster.random.below(64);
    break;
  default:
    op.due = ~uint64_t(0);
    break;
  }
}

CopyState &bulkState(Warp &w, uint32_t lane) { return w.bulk[lane]; }

/// Logical time at which a copy issued now is complete: a latency, and the
/// bandwidth that the CTA's copies share.
uint64_t copyTime(Warp &w, const Inst &i, uint32_t bytes, uint32_t offset) {
  Cta &cta = *w.cta;
  cta.copyBusy = std::max(cta.copyBusy, w.time) + bytes / 48;
  uint64_t end = cta.copyBusy + 500;
  traceSpan(w, TraceCategory::Tma,
            i.b & Tensor ? "cp.async.bulk.tensor" : "cp.async.bulk", i.line,
            w.time, end, bytes, offset);
  return end;
}

/// Issues a copy into shared memory of the CTAs in \p ranks.
bool issueIn(Warp &w, const Inst &i, uint32_t l, std::unique_ptr<CopyIn> op,
             uint32_t rank, uint32_t offset, uint64_t barrierAddress,
             uint32_t multicast, bool isMulticast) {
  Cluster &cluster = *w.cta->cluster;
  uint32_t barrierOffset = 0;
  Cta *barrierCta = nullptr;
  if (!sharedAt(w, i, l, barrierAddress, 8, 8, barrierCta, barrierOffset))
    return false;
  if (!isMulticast && barrierCta->rank != rank) {
    fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
          "the mbarrier of a copy has to be in the CTA of its destination");
    return false;
  }
  if (isMulticast && (!multicast || multicast >> cluster.ctas.size())) {
    fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
          "multicast mask " + hex(multicast) +
              " names CTAs outside the cluster");
    return false;
  }
  Location where = locate(w, i, int(l));
  op->where = where;
  op->name = i.name;
  op->rank = w.cta->rank;
  Transfer &t = op->transfer;
  for (uint32_t r = 0; r != cluster.ctas.size(); ++r) {
    if (isMulticast ? !(multicast >> r & 1) : r != rank)
      continue;
    Cta &target = *cluster.ctas[r];
    if (target.exited) {
      fault(w, i, int(l), DiagnosticKind::OutOfBounds,
            "copy into the shared memory of a CTA that has exited");
      return false;
    }
    Mbarrier *b = useMbarrier(w, i, int(l), target, barrierOffset);
    if (!b)
      return false;
    if (!b->asyncVisible)
      warn(w, i, int(l), DiagnosticKind::MissingFence,
           "the init of the mbarrier at " + hex(barrierOffset) +
               " was not made visible by fence.mbarrier_init or "
               "fence.proxy.async",
           barrierOffset);
    if (target.overlapsBarrier(offset, t.bytes)) {
      fault(w, i, int(l), DiagnosticKind::InvalidBarrier,
            "the copy overwrites an mbarrier object", offset);
      return false;
    }
    op->targets.push_back({r, offset, barrierOffset, b->phase});
    recordAsync(w, i, uint8_t(l), target, offset, t.bytes, true, b->agent,
                b->phase + 1);
  }
  // Read early or late; meanwhile the destination holds garbage.
  if (cluster.random.below(2))
    op->fetch();
  for (const CopyIn::Target &target : op->targets)
    std::memset(cluster.ctas[target.rank]->shared.data() +
                    (offset - kSharedBase),
                kPoison, t.bytes);
  op->time = copyTime(w, i, t.bytes, offset);
  cluster.launch->bytes += t.bytes;
  setDue(cluster, *op);
  cluster.enqueue(std::move(op));
  return true;
}

bool issueOut(Warp &w, const Inst &i, uint32_t l, std::unique_ptr<CopyOut> op,
              uint32_t offset) {
  Cluster &cluster = *w.cta->cluster;
  Location where = locate(w, i, int(l));
  op->where = where;
  op->name = i.name;
  op->rank = w.cta->rank;
  op->offset = offset;
  CopyState &state = bulkState(w, l);
  op->group = state.open;
  ++op->group->reading;
  ++op->group->writing;
  recordAsync(w, i, uint8_t(l), *w.cta, offset, op->transfer.bytes, false,
              w.bulkAgent, state.committed + 1);
  cluster.launch->bytes += op->transfer.bytes;
  copyTime(w, i, op->transfer.bytes, offset);
  setDue(cluster, *op);
  cluster.enqueue(std::move(op));
  return true;
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

/// Tensor copies. ops: into shared: dst, map, barrier, [mask,] coordinates...;
/// out of it: map, src, coordinates...
Step tensorHandler(Warp &w, const Inst &i, Mask m) {
  bool in = Direction(i.a) == Direction::GlobalToShared;
  bool multicast = i.b & Multicast;
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    const Operand *coordinateOps = i.ops + (in ? 3 + multicast : 2);
    int32_t coordinates[5] = {};
    for (uint32_t d = 0; d != i.c; ++d)
      coordinates[d] = getLane<int32_t>(w.in(coordinateOps[d]), l);
    TensorMapFields map;
    if (!tensorMapAt(w, i, l, laneAddress(w, i.ops[in ? 1 : 0], 0, l), map))
      return Step::Fault;
    Transfer t;
    if (!boxRuns(w, i, l, map, coordinates, !in, t))
      return Step::Fault;
    uint64_t address = laneAddress(w, i.ops[in ? 0 : 1], low(i), l);
    Cta *cta = nullptr;
    uint32_t offset = 0;
    uint32_t align = t.span ? 128 : 128;
    if (!sharedAt(w, i, l, address, t.bytes, align, cta, offset))
      return Step::Fault;
    if (in) {
      auto op = std::make_unique<CopyIn>();
      op->transfer = std::move(t);
      uint32_t mask = multicast ? w.in(i.ops[3])[l] & 0xffff : 0;
      if (!issueIn(w, i, l, std::move(op), cta->rank, offset,
                   laneAddress(w, i.ops[2], high(i), l), mask, multicast))
        return Step::Fault;
    } else {
      if (cta != w.cta)
        return fault(
            w, i, int(l), DiagnosticKind::InvalidInstruction,
            "the source has to be in the executing CTA's shared memory");
      auto op = std::make_unique<CopyOut>();
      op->transfer = std::move(t);
      if (i.b & Reduction) {
        op->elementBytes = tensorTypeSize(map.type);
        op->reduce = reductionFor(ReduceOp(i.d), map.type);
        if (!op->reduce)
          return fault(
              w, i, int(l), DiagnosticKind::InvalidTensorMap,
              "the reduction does not exist for the tensor map's type");
      }
      if (!issueOut(w, i, l, std::move(op), offset))
        return Step::Fault;
    }
  }
  return Step::Next;
}

/// Linear copies. ops: dst, src, size [, barrier] [, mask].
Step linearHandler(Warp &w, const Inst &i, Mask m) {
  Direction direction = Direction(i.a);
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    uint64_t dst = laneAddress(w, i.ops[0], low(i), l),
             src = laneAddress(w, i.ops[1], high(i), l);
    uint32_t size = w.in(i.ops[2])[l];
    if (size % 16)
      return fault(w, i, int(l), DiagnosticKind::Misaligned,
                   "the size " + std::to_string(size) +
                       " is not a multiple of 16");
    if (!size)
      continue;
    uint64_t global = direction == Direction::GlobalToShared ? src : dst;
    Transfer t;
    t.bytes = size;
    if (direction != Direction::SharedToShared) {
      if (global % 16)
        return fault(w, i, int(l), DiagnosticKind::Misaligned,
                     "global address " + hex(global) +
                         " of the copy is not a multiple of 16",
                     global);
      if (!checkGlobal(w, i, int(l), global, size,
                       direction == Direction::SharedToGlobal))
        return Step::Fault;
      t.runs.push_back({global, 0, size});
    }
    Cta *cta = nullptr;
    uint32_t offset = 0;
    if (direction == Direction::SharedToGlobal) {
      if (!sharedAt(w, i, l, src, size, 16, cta, offset))
        return Step::Fault;
      if (cta != w.cta)
        return fault(
            w, i, int(l), DiagnosticKind::InvalidInstruction,
            "the source has to be in the executing CTA's shared memory");
      auto op = std::make_unique<CopyOut>();
      op->transfer = std::move(t);
      if (i.b & Reduction) {
        op->elementBytes = i.c;
        op->reduce = reductionNumber(i.d);
      }
      if (!issueOut(w, i, l, std::move(op), offset))
        return Step::Fault;
      continue;
    }
    if (!sharedAt(w, i, l, dst, size, 16, cta, offset))
      return Step::Fault;
    auto op = std::make_unique<CopyIn>();
    op->transfer = std::move(t);
    if (direction == Direction::SharedToShared) {
      Cta *source = nullptr;
      if (!sharedAt(w, i, l, src, size, 16, source, op->sourceOffset))
        return Step::Fault;
      op->source = source;
      // Remembered under the barrier on which it completes, as the write is.
      uint32_t barrierOffset =
          uint32_t(laneAddress(w, i.ops[3], 0, l)) & ((1u << kRankShift) - 1);
      if (Mbarrier *b = cta->findBarrier(barrierOffset))
        recordAsync(w, i, uint8_t(l), *source, op->sourceOffset, size, false,
                    b->agent, b->phase + 1);
    }
    bool multicast = i.b & Multicast;
    uint32_t mask = multicast ? w.in(i.ops[4])[l] & 0xffff : 0;
    if (!issueIn(w, i, l, std::move(op), cta->rank, offset,
                 laneAddress(w, i.ops[3], 0, l), mask, multicast))
      return Step::Fault;
  }
  return Step::Next;
}

Step commitBulkHandler(Warp &w, const Inst &, Mask m) {
  forLanes(m, [&](uint32_t l) {
    CopyState &s = bulkState(w, l);
    s.groups.push_back(s.open);
    s.open = std::make_shared<CopyGroup>();
    ++s.committed;
  });
  return Step::Next;
}

/// inst.a: groups that may stay pending; inst.b: only reading.
Step waitBulkHandler(Warp &w, const Inst &i, Mask m) {
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    CopyState &s = bulkState(w, l);
    size_t keep = i.a;
    for (size_t g = 0; g + keep < s.groups.size(); ++g) {
      CopyGroup &group = *s.groups[g];
      if (i.b ? group.reading : group.writing) {
        Wait &wait = w.split().wait;
        wait.kind = WaitKind::Bulk;
        wait.group = s.groups[g];
        wait.readOnly = i.b;
        return Step::Wait;
      }
    }
    if (s.groups.size() > keep) {
      uint32_t done = s.committed - uint32_t(keep);
      w.clock.seen.raise(w.bulkAgent, done);
    }
    while (!s.groups.empty() && !s.groups.front()->writing &&
           s.groups.size() > keep)
      s.groups.pop_front();
  }
  return Step::Next;
}

/// cp.async. ops: dst, src [, source size]. inst.a bytes.
Step smallCopyHandler(Warp &w, const Inst &i, Mask m) {
  Cluster &cluster = *w.cta->cluster;
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    uint64_t src = laneAddress(w, i.ops[1], high(i), l);
    uint32_t sourceBytes = i.count > 2 ? std::min(w.in(i.ops[2])[l], i.a) : i.a;
    MemoryRef dst, from;
    if (!resolve(w, i, int(l), Space::Shared,
                 uint32_t(laneAddress(w, i.ops[0], low(i), l)), i.a, i.a,
                 Intent::Write, dst))
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
    if (!sharedAt(w, i, l, laneAddress(w, i.ops[0], low(i), l), 8, 8, cta,
                  op->barrier))
      return Step::Fault;
    Mbarrier *b = useMbarrier(w, i, int(l), *cta, op->barrier);
    if (!b)
      return Step::Fault;
    if (!i.b)
      ++b->pending;
    CopyState &state = w.cpAsync[l];
    op->groups.assign(state.groups.begin(), state.groups.end());
    op->groups.push_back(state.open);
    op->rank = cta->rank;
    op->clock = w.clock;
    op->where = locate(w, i, int(l));
    op->name = i.name;
    setDue(*w.cta->cluster, *op);
    w.cta->cluster->enqueue(std::move(op));
    // Copies that follow are not part of what the arrival waits for.
    if (state.open->writing) {
      state.groups.push_back(state.open);
      state.open = std::make_shared<CopyGroup>();
    }
  }
  w.clock.step(w.agent);
  return Step::Next;
}

Step nothing(Warp &, const Inst &, Mask) { return Step::Next; }

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

const char *kShared[] = {"shared::cluster", "shared::cta"};

/// "4d" -> 4.
uint32_t takeRank(Decoder &d) {
  static constexpr std::string_view kRanks[] = {"1d", "2d", "3d", "4d", "5d"};
  for (uint32_t i = 0; i != 5; ++i)
    if (d.has(kRanks[i]))
      return i + 1;
  d.fail("missing dimension");
}

uint64_t packOffsets(int64_t first, int64_t second) {
  return uint64_t(uint32_t(first)) | uint64_t(uint32_t(second)) << 32;
}

/// Destination and source spaces, in the order written.
Direction takeDirection(Decoder &d) {
  std::string_view to = d.nextModifier(), from = d.nextModifier();
  bool toShared = to == kShared[0] || to == kShared[1];
  bool fromShared = from == kShared[1];
  if (toShared && from == "global")
    return Direction::GlobalToShared;
  if (to == "global" && fromShared)
    return Direction::SharedToGlobal;
  if (toShared && fromShared)
    return Direction::SharedToShared;
  d.fail("malformed state spaces");
}

void takeReduction(Decoder &d, bool tensor) {
  int op = d.oneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  if (op < 0)
    d.fail("missing reduction");
  d.inst.b |= Reduction;
  d.inst.d = uint32_t(op);
  if (tensor)
    return;
  d.has("noftz");
  Type type = d.type();
  int number = reductionIndex(ReduceOp(op), type);
  if (number < 0)
    d.unsupported("reduction");
  d.inst.c = typeBytes(type);
  d.inst.d = uint32_t(number);
}

void decodeBulk(Decoder &d, bool reduction) {
  d.inst.cost = 8;
  if (d.has("commit_group")) {
    d.expectOperands(0, 0);
    d.inst.fn = commitBulkHandler;
    return;
  }
  if (d.has("wait_group")) {
    d.inst.b = d.has("read");
    d.expectOperands(1, 1);
    d.inst.a = uint32_t(std::min<uint64_t>(d.constant(d.operand(0)), 1u << 20));
    d.inst.fn = waitBulkHandler;
    return;
  }
  if (d.has("prefetch")) {
    while (!d.nextModifier().empty()) {
    }
    d.inst.fn = nothing;
    return;
  }
  bool tensor = d.has("tensor");
  if (tensor)
    d.inst.c = takeRank(d);
  bool multicast = d.has("multicast::cluster"), hint = d.has("L2::cache_hint");
  d.has("tile");
  if (d.has("im2col") || d.has("im2col_no_offs") || d.has("cp_mask"))
    d.unsupported("mode");
  bool barrier = d.has("mbarrier::complete_tx::bytes"),
       group = d.has("bulk_group");
  if (reduction)
    takeReduction(d, tensor);
  Direction direction = takeDirection(d);
  d.inst.a = uint32_t(direction);
  d.inst.b |= (multicast ? Multicast : 0) | (tensor ? Tensor : 0);
  bool in = direction != Direction::SharedToGlobal;
  if (in != barrier || in == group ||
      (multicast && direction != Direction::GlobalToShared))
    d.fail("malformed completion mechanism");
  if (reduction && in)
    d.unsupported("destination of the reduction");
  size_t next = 0;
  if (tensor) {
    const ParsedOperand &map = d.operand(in ? 1 : 0);
    if (map.kind != ParsedOperand::Address || map.elements.size() != 2)
      d.fail("expected [tensor map, {coordinates}]");
    auto coordinates = Decoder::elements(map.elements[1]);
    if (coordinates.size() != d.inst.c)
      d.fail("wrong number of coordinates");
    int64_t first = 0, second = 0;
    if (in) {
      first = d.useAddress(d.operand(0));
      if (d.useAddress(map))
        d.unsupported("offset of a tensor map");
      second = d.useAddress(d.operand(2));
      next = 3;
      if (multicast)
        d.use(d.operand(next++), Type::B16, true);
    } else {
      if (d.useAddress(map))
        d.unsupported("offset of a tensor map");
      first = d.useAddress(d.operand(1));
      next = 2;
    }
    for (const ParsedOperand *c : coordinates)
      d.use(*c, Type::S32);
    d.inst.imm = packOffsets(first, second);
    d.inst.fn = tensorHandler;
  } else {
    int64_t dst = d.useAddress(d.operand(0));
    int64_t src = d.useAddress(d.operand(1));
    d.use(d.operand(2), Type::U32);
    next = 3;
    if (in) {
      if (d.useAddress(d.operand(next++)))
        d.unsupported("offset of the mbarrier");
      if (multicast)
        d.use(d.operand(next++), Type::B16, true);
    }
    d.inst.imm = packOffsets(dst, src);
    d.inst.fn = linearHandler;
  }
  d.expectOperands(next + hint, next + hint);
}

void decodeCp(Decoder &d) {
  bool reduction = d.has("reduce");
  if (!d.has("async"))
    d.fail("missing .async");
  if (d.has("bulk"))
    return decodeBulk(d, reduction);
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

} // namespace

void fa3::emulator::addCopyOpcodes(OpcodeTable &t) { t["cp"] = decodeCp; }
