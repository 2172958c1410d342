//===- ExecMemory.cpp - Loads, stores and fences --------------------------===//
//
// PTX ISA, ld, ld.global.nc, ldu, st, prefetch, membar, fence.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Memory.h"

#include <algorithm>

using namespace fa3::emulator;

namespace {

enum MemoryFlags : uint32_t {
  Signed = 1,
  Strong = 2, ///< volatile, relaxed, acquire, release: orders, does not race.
};

/// Consecutive lanes often touch consecutive bytes; they are recorded as one
/// access, so that the shadow does less work.
class Recorder {
public:
  Recorder(Warp &w, const Inst &i, bool write) : w(w), i(i), write(write) {}
  ~Recorder() { flush(); }
  void add(const MemoryRef &ref, uint32_t lane, uint32_t size) {
    if (target == ref.shared && ref.offset == offset + length &&
        lane == first + length / each) {
      length += size;
      return;
    }
    flush();
    target = ref.shared;
    offset = ref.offset;
    length = each = size;
    first = lane;
  }

private:
  void flush() {
    if (target)
      recordGeneric(w, i, uint8_t(first), each, *target, offset, length, write);
    target = nullptr;
  }
  Warp &w;
  const Inst &i;
  bool write;
  Cta *target = nullptr;
  uint32_t offset = 0, length = 0, each = 1, first = 0;
};

bool addressReady(Warp &w, const Inst &i, const Operand &op) {
  if (op.kind != Operand::Register || w.touched[op.reg])
    return true;
  fault(w, i, -1, DiagnosticKind::UninitializedUse,
        "the address is in a register that was never written");
  return false;
}

void storeCell(uint32_t *cell, uint32_t cellBytes, uint32_t lane,
               const unsigned char *bytes, uint32_t size, bool sign) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, std::min(size, 8u));
  if (sign && size < 8) {
    uint32_t shift = 64 - 8 * size;
    value = uint64_t(int64_t(value << shift) >> shift);
  }
  if (cellBytes == 16)
    std::memcpy(cell + 4 * lane, bytes, 16);
  else if (cellBytes == 8)
    setLane<uint64_t>(cell, lane, value);
  else
    cell[lane] = cellBytes == 2 ? uint16_t(value) : uint32_t(value);
}

/// ops: d..., address. inst.a space, .b bytes of an element, .c elements,
/// .d flags, imm offset.
Step loadHandler(Warp &w, const Inst &i, Mask m) {
  const Operand &address = i.ops[i.c];
  if (!addressReady(w, i, address))
    return Step::Fault;
  uint32_t size = i.b * i.c;
  Recorder recorder(w, i, false);
  bool ok = true;
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    MemoryRef ref;
    ok = resolve(w, i, int(l), Space(i.a),
                 laneAddress(w, address, int64_t(i.imm), l), size, size,
                 Intent::Read, ref);
    if (!ok)
      return Step::Fault;
    if (ref.shared) {
      if (i.d & Strong)
        syncOnAddress(w, l, ref, true, false);
      else
        recorder.add(ref, l, size);
    }
    unsigned char bytes[64];
    if (ref.global && (i.d & Strong) && (size == 4 || size == 8)) {
      // Another CTA may be writing on another host thread.
      if (size == 4) {
        uint32_t v = __atomic_load_n(reinterpret_cast<uint32_t *>(ref.host),
                                     __ATOMIC_ACQUIRE);
        std::memcpy(bytes, &v, 4);
      } else {
        uint64_t v = __atomic_load_n(reinterpret_cast<uint64_t *>(ref.host),
                                     __ATOMIC_ACQUIRE);
        std::memcpy(bytes, &v, 8);
      }
    } else {
      std::memcpy(bytes, ref.host, size);
    }
    for (uint32_t k = 0; k != i.c; ++k)
      if (i.ops[k].kind == Operand::Register)
        storeCell(w.out(i.ops[k]), i.ops[k].bytes, l, bytes + k * i.b, i.b,
                  i.d & Signed);
  }
  return i.d & Strong ? pollStep(w) : Step::Next;
}

/// ops: address, values...
Step storeHandler(Warp &w, const Inst &i, Mask m) {
  const Operand &address = i.ops[0];
  if (!addressReady(w, i, address))
    return Step::Fault;
  uint32_t size = i.b * i.c;
  Recorder recorder(w, i, true);
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    MemoryRef ref;
    if (!resolve(w, i, int(l), Space(i.a),
                 laneAddress(w, address, int64_t(i.imm), l), size, size,
                 Intent::Write, ref))
      return Step::Fault;
    if (ref.shared) {
      if (i.d & Strong)
        syncOnAddress(w, l, ref, false, true);
      else
        recorder.add(ref, l, size);
    }
    unsigned char bytes[64];
    for (uint32_t k = 0; k != i.c; ++k) {
      const Operand &op = i.ops[1 + k];
      uint32_t stride = std::max<uint32_t>(op.bytes, 4);
      std::memcpy(
          bytes + k * i.b,
          reinterpret_cast<const unsigned char *>(w.in(op)) + l * stride, i.b);
    }
    if (ref.global && (i.d & Strong) && size == 4) {
      uint32_t v;
      std::memcpy(&v, bytes, 4);
      __atomic_store_n(reinterpret_cast<uint32_t *>(ref.host), v,
                       __ATOMIC_RELEASE);
    } else {
      std::memcpy(ref.host, bytes, size);
    }
  }
  return Step::Next;
}

/// The common case of one parameter read by all lanes.
Step loadParamHandler(Warp &w, const Inst &i, Mask m) {
  const unsigned char *from = w.cta->cluster->launch->params.data() + i.imm;
  for (uint32_t k = 0; k != i.c; ++k)
    if (i.ops[k].kind == Operand::Register)
      forLanes(m, [&](uint32_t l) {
        storeCell(w.out(i.ops[k]), i.ops[k].bytes, l, from + k * i.b, i.b,
                  i.d & Signed);
      });
  return Step::Next;
}

Space takeSpace(Decoder &d) {
  int s = d.oneOf({"global", "shared", "shared::cta", "shared::cluster",
                   "local", "param", "param::entry", "const"});
  static constexpr Space kSpaces[] = {
      Space::Global, Space::Shared, Space::Shared, Space::Shared,
      Space::Local,  Space::Param,  Space::Param,  Space::Const};
  return s < 0 ? Space::Generic : kSpaces[s];
}

/// Caching, prefetching and scope modifiers have no effect here.
void takeHints(Decoder &d) {
  while (d.oneOf({"nc",
                  "ca",
                  "cg",
                  "cs",
                  "lu",
                  "cv",
                  "wb",
                  "wt",
                  "L1::evict_normal",
                  "L1::evict_unchanged",
                  "L1::evict_first",
                  "L1::evict_last",
                  "L1::no_allocate",
                  "L2::evict_normal",
                  "L2::evict_first",
                  "L2::evict_last",
                  "L2::64B",
                  "L2::128B",
                  "L2::256B",
                  "L2::cache_hint",
                  "weak",
                  "cta",
                  "cluster",
                  "gpu",
                  "sys"}) >= 0) {
  }
}

bool takeStrong(Decoder &d) {
  bool strong = false;
  while (d.oneOf({"volatile", "relaxed", "acquire", "release", "mmio"}) >= 0)
    strong = true;
  return strong;
}

uint32_t takeVector(Decoder &d) {
  int v = d.oneOf({"v2", "v4", "v8"});
  return v < 0 ? 1 : 2u << v;
}

void memoryType(Decoder &d) {
  Type type = d.type();
  uint32_t bytes = typeBytes(type);
  if (type == Type::Pred || bytes * d.inst.c > 32)
    d.unsupported("type");
  d.inst.b = bytes;
  if (isSigned(type))
    d.inst.d |= Signed;
}

void decodeLoad(Decoder &d) {
  d.inst.d = takeStrong(d) ? Strong : 0;
  Space space = takeSpace(d);
  takeHints(d);
  d.inst.a = uint32_t(space);
  d.inst.c = takeVector(d);
  memoryType(d);
  d.expectOperands(2, 3);
  auto to = Decoder::elements(d.operand(0));
  if (to.size() != d.inst.c)
    d.fail("vector has the wrong number of elements");
  for (const ParsedOperand *p : to)
    d.defOrSink(*p, d.inst.b, true);
  d.inst.cost = 4;
  const ParsedOperand &from = d.operand(1);
  const ParsedOperand *base =
      from.kind == ParsedOperand::Address ? &from.elements[0] : &from;
  d.inst.imm = uint64_t(d.useAddress(from));
  d.inst.fn = loadHandler;
  if (space == Space::Param && base->ref == RefKind::Param) {
    uint64_t at = d.symbolValue(*base) + d.inst.imm, size = d.inst.b * d.inst.c;
    if (at + size > d.kernel.info.paramBytes || at % size)
      d.fail("parameter access is out of bounds or misaligned");
    d.inst.imm = at;
    d.inst.fn = loadParamHandler;
  }
}

void decodeStore(Decoder &d) {
  d.inst.d = takeStrong(d) ? Strong : 0;
  Space space = takeSpace(d);
  if (space == Space::Param || space == Space::Const)
    d.unsupported("state space");
  takeHints(d);
  d.inst.a = uint32_t(space);
  d.inst.c = takeVector(d);
  Type type = d.type();
  d.inst.b = typeBytes(type);
  if (type == Type::Pred || d.inst.b * d.inst.c > 32)
    d.unsupported("type");
  d.expectOperands(2, 3);
  d.inst.imm = uint64_t(d.useAddress(d.operand(0)));
  auto from = Decoder::elements(d.operand(1));
  if (from.size() != d.inst.c)
    d.fail("vector has the wrong number of elements");
  for (const ParsedOperand *p : from)
    d.use(*p, type, true);
  d.inst.cost = 4;
  d.inst.fn = storeHandler;
}

//===----------------------------------------------------------------------===//
// Fences and hints
//===----------------------------------------------------------------------===//

/// fence.proxy.async: what these threads have seen becomes visible to
/// asynchronous operations that they or later acquirers issue, and what they
/// have read may be overwritten by them.
Step proxyFenceHandler(Warp &w, const Inst &, Mask m) {
  w.clock.proxyFence(w.agent, m);
  return Step::Next;
}

/// fence, membar: a later relaxed arrival releases what came before.
/// inst.a: also publishes mbarrier inits to the async proxy.
Step fenceHandler(Warp &w, const Inst &, Mask) {
  w.clock.fence(w.agent);
  return Step::Next;
}

/// Marks the inits that this warp made, or has seen, as visible to
/// asynchronous operations.
void publishInits(Warp &w) {
  for (auto &cta : w.cta->cluster->ctas)
    for (auto &[offset, barrier] : cta->mbarriers)
      if (barrier.isInitSeen(w.clock))
        barrier.asyncVisible = true;
}
Step initFenceHandler(Warp &w, const Inst &i, Mask m) {
  publishInits(w);
  return fenceHandler(w, i, m);
}
Step proxyAndInitFenceHandler(Warp &w, const Inst &i, Mask m) {
  publishInits(w);
  return proxyFenceHandler(w, i, m);
}
Step nothing(Warp &, const Inst &, Mask) { return Step::Next; }

void decodeFence(Decoder &d) {
  d.inst.cost = 4;
  bool mbarrierInit = d.has("mbarrier_init");
  bool proxy = d.has("proxy");
  int order = d.oneOf({"sc", "acq_rel", "acquire", "release"});
  d.oneOf({"cta", "cluster", "gpu", "sys"});
  // "fence.proxy.async" reads as the modifiers proxy, async.
  if (proxy) {
    int kind =
        d.oneOf({"async", "async::generic", "tensormap::generic", "alias"});
    d.oneOf({"global", "shared::cta", "shared::cluster"});
    d.oneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
    if (kind < 0)
      d.fail("unsupported proxy");
    if (d.operandCount() > 2)
      d.fail("wrong number of operands");
    d.inst.fn = kind <= 1 ? proxyAndInitFenceHandler : fenceHandler;
    return;
  }
  if (order < 0 && d.opcode() == "fence")
    d.fail("missing kind of fence");
  d.oneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
  d.expectOperands(0, 0);
  d.inst.fn = mbarrierInit ? initFenceHandler : fenceHandler;
}
void decodeMembar(Decoder &d) {
  if (d.has("proxy")) {
    if (!d.has("async"))
      d.unsupported("proxy");
    d.inst.fn = proxyAndInitFenceHandler;
    return;
  }
  if (d.oneOf({"cta", "gl", "sys"}) < 0)
    d.fail("missing level");
  d.expectOperands(0, 0);
  d.inst.fn = fenceHandler;
}
void decodePrefetch(Decoder &d) {
  while (!d.nextModifier().empty()) {
  }
  d.expectOperands(1, 2);
  d.inst.fn = nothing;
}
void decodeCreatepolicy(Decoder &d) {
  while (!d.nextModifier().empty()) {
  }
  d.expectOperands(1, 5);
  d.def(d.operand(0), 8);
  d.useConstant(0, 8);
  d.inst.fn = [](Warp &w, const Inst &i, Mask m) {
    forLanes(m, [&](uint32_t l) { setLane<uint64_t>(w.out(i.ops[0]), l, 0); });
    return Step::Next;
  };
}

} // namespace

void fa3::emulator::addMemoryOpcodes(OpcodeTable &t) {
  t["ld"] = decodeLoad;
  t["ldu"] = decodeLoad;
  t["st"] = decodeStore;
  t["fence"] = decodeFence;
  t["membar"] = decodeMembar;
  t["prefetch"] = decodePrefetch;
  t["prefetchu"] = decodePrefetch;
  t["applypriority"] = decodePrefetch;
  t["discard"] = decodePrefetch;
  t["createpolicy"] = decodeCreatepolicy;
}
