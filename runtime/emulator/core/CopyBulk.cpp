//===- CopyBulk.cpp - Bulk asynchronous copies ----------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Asynchronous copy":
// cp.async.bulk, cp.reduce.async.bulk and their tensor forms.
//
// Into shared memory: the destination is poisoned at once and written when the
// copy completes. Out of it: the source is read at any time up to the wait for
// reading, the destination written at any time up to the full wait.
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "Copy.h"
#include "Memory.h"
#include "Reduce.h"

#include <algorithm>

using namespace fa3::emulator;

namespace {

/// What a tensor map with NaN fill gives outside of the tensor, whatever the
/// type.
constexpr uint16_t kFillNaN = 0x7ff7;

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
    if (transfer.fillNaN)
      for (uint32_t at = 0; at != transfer.bytes; at += 2)
        std::memcpy(&buffer[at], &kFillNaN, 2);
    if (source)
      transfer.readShared(*source, sourceOffset, buffer);
    else
      transfer.readGlobal(buffer);
    haveData = true;
  }
  bool advance(Cluster &cluster) override {
    if (!haveData)
      fetch();
    for (const Target &t : targets) {
      Cta &cta = *cluster.ctas[t.rank];
      transfer.writeShared(cta, t.offset, buffer);
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
      transfer.readShared(*cluster.ctas[rank], offset, buffer);
      haveData = true;
      --group->reading;
      return false;
    }
    for (const Run &r : transfer.runs) {
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
    if (!tensorMapAt(w, i, l, laneAddress(w, i.ops[in ? 1 : 0], 0, l), i.c,
                     map))
      return Step::Fault;
    Transfer t;
    if (!boxRuns(w, i, l, map, coordinates, !in, t))
      return Step::Fault;
    uint64_t address = laneAddress(w, i.ops[in ? 0 : 1], firstOffset(i), l);
    Cta *cta = nullptr;
    uint32_t offset = 0;
    if (!sharedAt(w, i, l, address, t.bytes, 128, cta, offset))
      return Step::Fault;
    if (in) {
      auto op = std::make_unique<CopyIn>();
      op->transfer = std::move(t);
      uint32_t mask = multicast ? w.in(i.ops[3])[l] & 0xffff : 0;
      if (!issueIn(w, i, l, std::move(op), cta->rank, offset,
                   laneAddress(w, i.ops[2], secondOffset(i), l), mask,
                   multicast))
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
    uint64_t dst = laneAddress(w, i.ops[0], firstOffset(i), l),
             src = laneAddress(w, i.ops[1], secondOffset(i), l);
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

} // namespace

void fa3::emulator::decodeBulkCopy(Decoder &d, bool reduction) {
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

static void decodeCp(Decoder &d) {
  bool reduction = d.has("reduce");
  if (!d.has("async"))
    d.fail("missing .async");
  if (d.has("bulk"))
    decodeBulkCopy(d, reduction);
  else
    decodeSmallCopy(d);
}

void fa3::emulator::addCopyOpcodes(OpcodeTable &t) { t["cp"] = decodeCp; }
