//===- ScheduleFields.cpp - A schedule, to be changed ---------------------===//

#include "fa3/Analysis/ScheduleFields.h"

using namespace mlir;
using namespace fa3;

/// Registers of a producer and of a consumer thread for 1, 2 and 3 consumer
/// warpgroups: all that a CTA can have.
static constexpr std::pair<int64_t, int64_t> kRegisterSplit[] = {
    {56, 256}, {24, 240}, {32, 160}};

ScheduleFields ScheduleFields::of(tile::ScheduleAttr schedule) {
  return {schedule.getBlockQ(),
          schedule.getBlockKv(),
          schedule.getWarpgroups(),
          schedule.getStages(),
          schedule.getEarlyStages(),
          schedule.getOverlap(),
          schedule.getSpecialize(),
          schedule.getPingpong(),
          schedule.getSplitLoops(),
          schedule.getLateWaits(),
          schedule.getLazyRescale(),
          schedule.getChains(),
          schedule.getProductSums(),
          schedule.getTransposeV(),
          schedule.getLongestFirst(),
          schedule.getGroupTiles(),
          schedule.getPersistent(),
          schedule.getTransposeS(),
          schedule.getTransposeDkv(),
          schedule.getTransposeDq(),
          schedule.getShareOperands(),
          schedule.getSeparateDq(),
          schedule.getBulkReduce(),
          schedule.getStoreFirst(),
          schedule.getProducerRegisters(),
          schedule.getConsumerRegisters()};
}

tile::ScheduleAttr
ScheduleFields::get(function_ref<InFlightDiagnostic()> emitError,
                    MLIRContext *context) const {
  return tile::ScheduleAttr::getChecked(
      emitError, context, blockQ, blockKv, warpgroups, stages, earlyStages,
      overlap, specialize, pingpong, splitLoops, lateWaits, lazyRescale, chains,
      productSums, transposeV, longestFirst, groupTiles, persistent, transposeS,
      transposeDkv, transposeDq, shareOperands, separateDq, bulkReduce,
      storeFirst, producerRegisters, consumerRegisters);
}

void ScheduleFields::splitRegisters() {
  if (warpgroups >= 1 &&
      warpgroups <= static_cast<int64_t>(std::size(kRegisterSplit)))
    std::tie(producerRegisters, consumerRegisters) =
        kRegisterSplit[warpgroups - 1];
}
