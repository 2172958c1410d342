//===- Barriers.h - Barriers as the scheduler sees them ---------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_BARRIERS_H
#define FA3_EMULATOR_CORE_BARRIERS_H

#include "State.h"

namespace fa3::emulator {

class Decoder;

/// A warp of \p cta has exited: barriers of all threads expect fewer.
void warpLeavesBarriers(Cta &cta);
void warpLeavesCluster(Cluster &cluster);

void decodeClusterBarrier(Decoder &d);

/// The mbarrier object at \p offset, checked to be initialised and visible to
/// \p w; null after reporting.
Mbarrier *useMbarrier(Warp &w, const Inst &i, int lane, Cta &cta,
                      uint32_t offset);

/// Lowers the transaction count by \p bytes, for a copy that was issued while
/// \p phase was current.
void completeTx(Cluster &cluster, Cta &cta, uint32_t offset, uint32_t bytes,
                uint32_t phase, const Location &where, uint64_t time);

/// The arrival of cp.async.mbarrier.arrive.
void arriveForCopies(Cluster &cluster, Cta &cta, uint32_t offset,
                     const SyncClock &clock, const Location &where);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_BARRIERS_H
