//===- ScheduleModel.h - What a schedule costs ------------------*- C++ -*-===//

#ifndef FA3_ANALYSIS_SCHEDULEMODEL_H
#define FA3_ANALYSIS_SCHEDULEMODEL_H

#include "fa3/Tile/TileOps.h"

namespace fa3 {

/// Bytes of shared memory that one CTA can have on sm_90.
inline constexpr int64_t kSharedMemoryLimit = 232448;

/// Columns of forward attention's tiles of queries, keys, values and output:
/// the head dim, rounded up to what a 16-bit product takes at once. What they
/// have beyond the tensors' is read as zero and not stored.
int64_t forwardTileColumns(int64_t headDim);

/// Bytes of shared memory that forward attention takes: the query tile, the
/// rings of key and value tiles, and an mbarrier pair for each of them.
int64_t forwardSharedMemory(tile::ScheduleAttr schedule, int64_t headDim,
                            int64_t elementBytes);

/// Registers that a thread of a consumer warpgroup needs in forward attention:
/// the fragments of scores, output and probabilities, and what addresses,
/// statistics and ptxas itself take.
int64_t forwardRegisters(tile::ScheduleAttr schedule, int64_t headDim,
                         int64_t elementBytes);

} // namespace fa3

#endif // FA3_ANALYSIS_SCHEDULEMODEL_H
