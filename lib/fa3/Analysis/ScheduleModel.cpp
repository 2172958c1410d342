//===- ScheduleModel.cpp - What a schedule costs --------------------------===//

#include "fa3/Analysis/ScheduleModel.h"

#include "llvm/Support/MathExtras.h"

using namespace fa3;

/// A full and an empty mbarrier.
static constexpr int64_t kBarrierPairBytes = 16;

/// A tile's rows are in shared memory in parts of this size.
static constexpr int64_t kPanelBytes = 128;

/// Values of a 16-bit type that a product contracts in one step.
static constexpr int64_t kContraction = 16;

/// Registers next to the fragments. ptxas places accumulators from R24 on.
static constexpr int64_t kOverheadRegisters = 24;

int64_t fa3::forwardTileColumns(int64_t headDim) {
  return llvm::alignTo(headDim, kContraction);
}

int64_t fa3::forwardSharedMemory(tile::ScheduleAttr schedule, int64_t headDim,
                                 int64_t elementBytes) {
  int64_t rowBytes = llvm::alignTo(headDim * elementBytes, kPanelBytes);
  int64_t ring = schedule.getStages() *
                 (schedule.getBlockKv() * rowBytes + kBarrierPairBytes);
  return schedule.getBlockQ() * rowBytes + kBarrierPairBytes + 2 * ring;
}

int64_t fa3::forwardRegisters(tile::ScheduleAttr schedule, int64_t headDim,
                              int64_t elementBytes) {
  // A warpgroup's fragment of 64 rows has columns / 2 values in each thread.
  int64_t fragments = schedule.getBlockQ() / schedule.getWarpgroups() / 64;
  int64_t scores = schedule.getBlockKv() / 2;
  int64_t output = forwardTileColumns(headDim) / 2;
  // Without overlap the probabilities take the place of their scores.
  int64_t probabilities = schedule.getOverlap() ? scores * elementBytes / 4 : 0;
  return fragments * (scores + output + probabilities) + kOverheadRegisters;
}
