//===- Memory.h - Checked access to every state space -----------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_MEMORY_H
#define FA3_EMULATOR_CORE_MEMORY_H

#include "State.h"

namespace fa3::emulator {

/// Where an address leads.
struct MemoryRef {
  unsigned char *host = nullptr;
  Cta *shared = nullptr; ///< Set for shared memory, with its offset.
  uint32_t offset = 0;
  bool global = false;
};

enum class Intent : uint8_t { Read, Write, Sync };

/// Resolves \p address of \p size bytes, which must be \p align-aligned, in
/// \p space. Reports what is wrong and returns false.
bool resolve(Warp &w, const Inst &i, int lane, Space space, uint64_t address,
             uint32_t size, uint32_t align, Intent intent, MemoryRef &ref);

/// Checks a range of global memory; \p what names the access in the report.
bool checkGlobal(Warp &w, const Inst &i, int lane, uint64_t address,
                 uint64_t size, bool write);
/// The same without a warp, for asynchronous work.
bool checkGlobal(Cluster &cluster, const Location &where, uint64_t address,
                 uint64_t size, AddressLookup &cache, const char *what);

/// The CTA and offset of a shared::cluster address; null after reporting.
Cta *resolveShared(Warp &w, const Inst &i, int lane, uint64_t address,
                   uint32_t size, uint32_t &offset);

/// The address in lane \p lane of operand \p op plus the constant offset.
inline uint64_t laneAddress(const Warp &w, const Operand &op, int64_t offset,
                            uint32_t lane) {
  const uint32_t *cell = w.in(op);
  uint64_t base = op.bytes == 8 ? getLane<uint64_t>(cell, lane) : cell[lane];
  return base + uint64_t(offset);
}

/// Records an access in the shadow and reports races. \p access has the agent
/// and clock under which it is remembered, its kind and its lanes; \p viewer is
/// who issues it.
void recordAccess(Cluster &cluster, Cta &target, uint32_t offset, uint32_t size,
                  Access access, const Viewer &viewer, const Location &where,
                  uint32_t rank);

/// What warp \p w has seen.
inline Viewer viewOf(const Warp &w) {
  return {w.clock, w.agent, w.clock.lanesSynced, &w.clock.laneFences};
}

/// An ordinary access: \p laneBytes by \p lane and as many by each lane after
/// it, or by all lanes together (Access::kLanesTogether).
void recordGeneric(Warp &w, const Inst &i, uint8_t lane, uint32_t laneBytes,
                   Cta &target, uint32_t offset, uint32_t size, bool write);

/// An asynchronous access that \p lane issues.
void recordAsync(Warp &w, const Inst &i, uint8_t lane, Cta &target,
                 uint32_t offset, uint32_t size, bool write, uint16_t agent,
                 uint32_t clock);

/// Adds to the cells of an address used as a lock what \p lane released, or
/// acquires it.
void syncOnAddress(Warp &w, uint32_t lane, const MemoryRef &ref, bool acquire,
                   bool release);

/// Counts a poll of memory: the split lets others run every so often.
Step pollStep(Warp &w);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_MEMORY_H
