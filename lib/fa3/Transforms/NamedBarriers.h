//===- NamedBarriers.h - Who uses which named barrier -----------*- C++ -*-===//
//
// A CTA has 16 named barriers. Barrier 0 is the whole CTA's.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TRANSFORMS_NAMEDBARRIERS_H
#define FA3_TRANSFORMS_NAMEDBARRIERS_H

#include <cstdint>

namespace fa3 {

/// Turns: one for each consumer warpgroup, three at most.
inline constexpr int64_t kFirstTurnBarrier = 1;
/// Shared tiles: all consumer warpgroups.
inline constexpr int64_t kShareBarrier = 4;
/// Tiles on their way out: whether the part of each consumer warpgroup, three
/// at most, has been put into its buffer, and whether it has been read.
inline constexpr int64_t kFirstOutFullBarrier = 5;
inline constexpr int64_t kFirstOutEmptyBarrier = 8;
/// The threads of a consumer warpgroup: one for each of three at most.
inline constexpr int64_t kFirstWarpgroupBarrier = 11;
/// Stored tiles in shared memory: all consumer warpgroups.
inline constexpr int64_t kStoreBarrier = 14;

} // namespace fa3

#endif // FA3_TRANSFORMS_NAMEDBARRIERS_H
