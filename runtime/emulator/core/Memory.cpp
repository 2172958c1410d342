//===- Memory.cpp - Checked access to every state space -------------------===//

#include "Memory.h"

using namespace fa3::emulator;

static DiagnosticKind kindOf(const AddressLookup &found) {
  return found.kind == AddressLookup::Kind::Freed ? DiagnosticKind::UseAfterFree
                                                  : DiagnosticKind::OutOfBounds;
}
static std::string describe(const AddressLookup &found, uint64_t address,
                            uint64_t size, const char *what) {
  std::string text = std::string(what) + " of " + std::to_string(size) +
                     " bytes at " + hex(address);
  switch (found.kind) {
  case AddressLookup::Kind::Freed:
    return text + " touches freed memory at " + hex(found.base);
  case AddressLookup::Kind::OutOfBounds:
    return text + " leaves the allocation of " + std::to_string(found.size) +
           " bytes at " + hex(found.base);
  default:
    return text + " is outside any allocation";
  }
}

/// Looks the range up, remembering the allocation in \p cache.
static bool inGlobal(Launch &launch, uint64_t address, uint64_t size,
                     AddressLookup &cache, AddressLookup &found) {
  if (cache.kind == AddressLookup::Kind::Live && address >= cache.base &&
      size <= cache.size && address - cache.base <= cache.size - size)
    return true;
  found = launch.memory.find(address, size);
  if (found.kind == AddressLookup::Kind::Live) {
    cache = found;
    return true;
  }
  return launch.program.contains(address, size);
}

bool fa3::emulator::checkGlobal(Warp &w, const Inst &i, int lane,
                                uint64_t address, uint64_t size, bool write) {
  AddressLookup found;
  if (inGlobal(*w.cta->cluster->launch, address, size, w.cachedRange, found))
    return true;
  fault(w, i, lane, kindOf(found),
        describe(found, address, size, write ? "write" : "read"), address);
  return false;
}

bool fa3::emulator::checkGlobal(Cluster &cluster, const Location &where,
                                uint64_t address, uint64_t size,
                                AddressLookup &cache, const char *what) {
  AddressLookup found;
  if (inGlobal(*cluster.launch, address, size, cache, found))
    return true;
  cluster.launch->sink.report({kindOf(found),
                               describe(found, address, size, what),
                               cluster.launch->kernel.info.name,
                               where,
                               {},
                               address});
  cluster.launch->stop = true;
  return false;
}

Cta *fa3::emulator::resolveShared(Warp &w, const Inst &i, int lane,
                                  uint64_t address, uint32_t size,
                                  uint32_t &offset) {
  uint32_t a = uint32_t(address), tag = a >> kRankShift;
  offset = a & ((1u << kRankShift) - 1);
  Cluster &cluster = *w.cta->cluster;
  if (tag > cluster.ctas.size()) {
    fault(w, i, lane, DiagnosticKind::OutOfBounds,
          "shared-memory address " + hex(a) + " is of no CTA of the cluster",
          a);
    return nullptr;
  }
  Cta *target = tag ? cluster.ctas[tag - 1].get() : w.cta;
  if (offset < kSharedBase ||
      uint64_t(offset) + size > cluster.launch->sharedBytes) {
    fault(w, i, lane, DiagnosticKind::OutOfBounds,
          "access of " + std::to_string(size) +
              " bytes at shared-memory address " + hex(offset) +
              " is outside [" + hex(kSharedBase) + ", " +
              hex(cluster.launch->sharedBytes) + ")",
          a);
    return nullptr;
  }
  if (target->exited) {
    fault(w, i, lane, DiagnosticKind::OutOfBounds,
          "access to the shared memory of a CTA that has exited", a);
    return nullptr;
  }
  return target;
}

bool fa3::emulator::resolve(Warp &w, const Inst &i, int lane, Space space,
                            uint64_t address, uint32_t size, uint32_t align,
                            Intent intent, MemoryRef &ref) {
  Launch &launch = *w.cta->cluster->launch;
  if (address & (align - 1)) {
    fault(w, i, lane, DiagnosticKind::Misaligned,
          "address " + hex(address) + " is not a multiple of " +
              std::to_string(align),
          address);
    return false;
  }
  if (space == Space::Generic) {
    switch (address & kWindowMask) {
    case kSharedWindow:
      space = Space::Shared;
      break;
    case kLocalWindow:
      space = Space::Local;
      break;
    case kParamWindow:
      space = Space::Param;
      break;
    default:
      space = Space::Global;
      break;
    }
  }
  switch (space) {
  case Space::Shared: {
    ref.shared = resolveShared(w, i, lane, address, size, ref.offset);
    if (!ref.shared)
      return false;
    if (intent == Intent::Write &&
        ref.shared->overlapsBarrier(ref.offset, size)) {
      fault(w, i, lane, DiagnosticKind::InvalidBarrier,
            "store overwrites an mbarrier object", address);
      return false;
    }
    ref.host = ref.shared->shared.data() + (ref.offset - kSharedBase);
    return true;
  }
  case Space::Local: {
    uint64_t a = address & ~kWindowMask;
    uint32_t bytes = launch.kernel.info.localBytes;
    if (a + size > bytes || a + size < a) {
      fault(w, i, lane, DiagnosticKind::OutOfBounds,
            "local-memory address " + hex(a) + " is outside the frame of " +
                std::to_string(bytes) + " bytes",
            address);
      return false;
    }
    ref.host = w.local.data() + uint64_t(uint32_t(lane)) * bytes + a;
    return true;
  }
  case Space::Param: {
    uint64_t a = address & ~kWindowMask;
    if (intent != Intent::Read || a + size > launch.params.size() ||
        a + size < a) {
      fault(w, i, lane, DiagnosticKind::OutOfBounds,
            "parameter address " + hex(a) + " is outside the " +
                std::to_string(launch.params.size()) +
                " bytes of parameters or is written",
            address);
      return false;
    }
    ref.host = launch.params.data() + a;
    return true;
  }
  default:
    if (!checkGlobal(w, i, lane, address, size, intent != Intent::Read))
      return false;
    ref.global = true;
    ref.host = reinterpret_cast<unsigned char *>(address);
    return true;
  }
}

static const char *accessName(AccessKind kind) {
  switch (kind) {
  case AccessKind::Read:
    return "read";
  case AccessKind::Write:
    return "write";
  case AccessKind::AsyncRead:
    return "asynchronous read";
  case AccessKind::AsyncWrite:
    return "asynchronous write";
  }
  return "access";
}

void fa3::emulator::recordAccess(Cluster &cluster, Cta &target, uint32_t offset,
                                 uint32_t size, Access access,
                                 const Viewer &viewer, const Location &where,
                                 uint32_t rank) {
  if (!target.shadow.enabled())
    return;
  access.line = where.line;
  access.warp = uint16_t(rank * 64 + uint32_t(where.warp));
  AccessKind kind = access.kind;
  Access other;
  uint32_t at = 0;
  Conflict conflict = target.shadow.record(offset - kSharedBase, size, access,
                                           viewer, other, at);
  if (conflict == Conflict::None)
    return;
  Location second;
  second.line = other.line;
  second.cta = cluster.ctas[other.warp / 64]->id;
  second.warp = other.warp % 64;
  at += kSharedBase;
  if (conflict == Conflict::Unfenced) {
    cluster.launch->sink.report(
        {DiagnosticKind::MissingFence,
         std::string(accessName(kind)) + " of shared memory at " + hex(at) +
             (other.isWrite()
                  ? " follows an ordinary write without fence.proxy.async "
                    "between them"
                  : " follows an ordinary read without fence.proxy.async of "
                    "the reading thread between them"),
         cluster.launch->kernel.info.name, where, second, at});
    return;
  }
  cluster.launch->sink.report(
      {DiagnosticKind::SharedRace,
       std::string(accessName(kind)) + " of shared memory at " + hex(at) +
           " is not ordered after an earlier " + accessName(other.kind),
       cluster.launch->kernel.info.name, where, second, at});
}

void fa3::emulator::recordGeneric(Warp &w, const Inst &i, uint8_t lane,
                                  uint32_t laneBytes, Cta &target,
                                  uint32_t offset, uint32_t size, bool write) {
  Access access;
  access.agent = uint16_t(w.agent);
  access.clock = w.clock.own;
  access.kind = write ? AccessKind::Write : AccessKind::Read;
  access.lane = lane;
  access.laneBytes = uint8_t(laneBytes);
  if (lane == Access::kLanesTogether)
    access.lanes = w.live;
  recordAccess(*w.cta->cluster, target, offset, size, access, viewOf(w),
               locate(w, i, lane < kLanes ? int(lane) : -1), w.cta->rank);
}

void fa3::emulator::recordAsync(Warp &w, const Inst &i, uint8_t lane,
                                Cta &target, uint32_t offset, uint32_t size,
                                bool write, uint16_t agent, uint32_t clock) {
  Access access;
  access.agent = agent;
  access.clock = clock;
  access.kind = write ? AccessKind::AsyncWrite : AccessKind::AsyncRead;
  access.lane = lane;
  recordAccess(*w.cta->cluster, target, offset, size, access, viewOf(w),
               locate(w, i, int(lane)), w.cta->rank);
}

void fa3::emulator::syncOnAddress(Warp &w, uint32_t lane, const MemoryRef &ref,
                                  bool acquire, bool release) {
  if (!ref.shared)
    return;
  SyncClock &lock =
      w.cta->cluster->locks[uint64_t(ref.shared->rank) << 32 | ref.offset];
  if (acquire)
    w.clock.acquireFrom(lock, w.agent);
  if (release) {
    w.clock.releaseLane(lock, w.agent, lane);
    w.clock.step(w.agent);
  }
}

Step fa3::emulator::pollStep(Warp &w) {
  ++w.cta->cluster->polls;
  return ++w.split().polls % 16 ? Step::Next : Step::Yield;
}
