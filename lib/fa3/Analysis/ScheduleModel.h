//===- ScheduleModel.h - What a schedule costs ------------------*- C++ -*-===//

#ifndef FA3_ANALYSIS_SCHEDULEMODEL_H
#define FA3_ANALYSIS_SCHEDULEMODEL_H

#include "fa3/Attn/AttnOps.h"

namespace fa3 {

/// Bytes of shared memory that one CTA can have on sm_90.
inline constexpr int64_t kSharedMemoryLimit = 232448;

/// Columns of the output that a product of its own computes where blocks of
/// keys are added outside of the tensor cores.
inline constexpr int64_t kTwoLevelColumns = 64;

/// Columns of the tiles that hold rows of the attention operation's tensors:
/// the head dim, rounded up to what its products handle. Columns outside of the
/// tensor read as 0, and nothing is written there.
int64_t getTileColumns(attn::AttentionOpInterface attention);

/// What the kernel that does most of an attention operation's work takes.
struct ScheduleCost {
  /// Bytes of a CTA: the tiles that stay, the rings of those that are loaded in
  /// the loop, computed tiles that pass through shared memory, mbarriers.
  int64_t sharedMemory;
  /// Registers of a thread of a consumer warpgroup: the fragments that are live
  /// at the same time, and what addresses, statistics and ptxas itself take.
  int64_t registers;
};

ScheduleCost estimateCost(attn::AttentionOpInterface attention,
                          tile::ScheduleAttr schedule);

} // namespace fa3

#endif // FA3_ANALYSIS_SCHEDULEMODEL_H
