//===- ScheduleModel.cpp - What a schedule costs --------------------------===//

#include "fa3/Analysis/ScheduleModel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fa3;

/// A full and an empty mbarrier.
static constexpr int64_t kBarrierPairBytes = 16;

/// Registers next to the fragments. ptxas places accumulators from R24 on.
static constexpr int64_t kOverheadRegisters = 24;

int64_t fa3::getTileColumns(attn::AttentionOpInterface attention) {
  // Forward, a product contracts them, 32 bytes at a time. Backward, they may
  // be the rows of a result.
  int64_t step = 256 / attention.getElementType().getIntOrFloatBitWidth();
  auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation());
  if (!backward)
    return llvm::alignTo(attention.getHeadDim(), step);
  // Two warpgroups divide columns of 16 bits by panels.
  bool dividesPanels =
      backward.getDsPrecision() && attention.getHeadDim() > 128;
  return llvm::alignTo(attention.getHeadDim(), dividesPanels ? 128 : 64);
}

/// Bytes of a tile's row in shared memory: whole panels of swizzled copies.
static int64_t rowBytesOf(int64_t columns, int64_t elementBytes) {
  return llvm::alignTo(columns * elementBytes, 128);
}

/// The 32-bit values that each thread of the consumer warpgroups has of a tile.
static int64_t fragmentOf(tile::ScheduleAttr schedule, int64_t rows,
                          int64_t columns) {
  return rows * columns / (128 * schedule.getWarpgroups());
}

static ScheduleCost estimateForward(tile::ScheduleAttr schedule,
                                    int64_t columns, int64_t elementBytes,
                                    attn::ForwardOp forward) {
  int64_t queries = schedule.getBlockQ(), keys = schedule.getBlockKv();
  int64_t rowBytes = rowBytesOf(columns, elementBytes);
  int64_t outputColumns = columns + (schedule.getProductSums() ? 8 : 0);
  // In 8 bits, values are (head dim, keys).
  int64_t valueBytes = elementBytes == 1
                           ? outputColumns * rowBytesOf(keys, elementBytes)
                           : keys * rowBytes;
  // Transposed, they are there twice.
  if (schedule.getTransposeV() != 0)
    valueBytes += keys * rowBytes + kBarrierPairBytes;
  int64_t rings = schedule.getStages() *
                  (keys * rowBytes + valueBytes + 2 * kBarrierPairBytes);
  int64_t scores = fragmentOf(schedule, queries, keys);
  int64_t output = fragmentOf(schedule, queries, outputColumns);
  // What a product adds is in registers of its own.
  if (forward.getTwoLevel())
    output += fragmentOf(schedule, queries,
                         std::min(outputColumns, kTwoLevelColumns + 8));
  // Without overlap the probabilities take the place of their scores.
  int64_t probabilities = schedule.getOverlap() ? scores * elementBytes / 4 : 0;
  return {queries * rowBytes + kBarrierPairBytes + rings,
          scores + output + probabilities + kOverheadRegisters};
}

/// Bytes of the tiles that one step of a backward kernel loads, and of those
/// that stay.
struct BackwardTiles {
  /// The one that the step's last product reads, and the others.
  int64_t last, others;
  int64_t keys;
};

static BackwardTiles getBackwardTiles(attn::BackwardOp backward,
                                      tile::ScheduleAttr schedule,
                                      int64_t columns, int64_t elementBytes) {
  int64_t queries = schedule.getBlockQ(), keys = schedule.getBlockKv();
  int64_t rowBytes = rowBytesOf(columns, elementBytes);
  int64_t step = queries * rowBytes;
  int64_t own = 2 * (keys * rowBytes + kBarrierPairBytes);
  if (!backward.isNarrow())
    return {step, step, own};
  // Products that contract queries or keys have operands of their own.
  auto operandBytes = [&](int64_t rows, bool isNarrow) {
    return isNarrow ? columns * rowBytesOf(rows, 1)
                    : rows * rowBytesOf(columns, 2);
  };
  if (backward.sumsDq(schedule))
    own += operandBytes(keys, backward.hasNarrowDs()) + kBarrierPairBytes;
  return {operandBytes(queries, backward.hasNarrowDs()),
          2 * step + operandBytes(queries, /*isNarrow=*/true), own};
}

static ScheduleCost estimateBackward(attn::BackwardOp backward,
                                     tile::ScheduleAttr schedule,
                                     int64_t columns, int64_t elementBytes) {
  int64_t queries = schedule.getBlockQ(), keys = schedule.getBlockKv();
  bool hasAccumulator = backward.sumsDq(schedule);
  BackwardTiles tiles =
      getBackwardTiles(backward, schedule, columns, elementBytes);
  // Beside either of two tiles passes a statistic.
  int64_t statistic =
      queries * static_cast<int64_t>(sizeof(float)) + 2 * kBarrierPairBytes;
  int64_t stages = schedule.getStages();
  int64_t earlyStages =
      schedule.getEarlyStages() ? schedule.getEarlyStages() : stages;
  int64_t bytes = tiles.keys + stages * (tiles.last + statistic) +
                  earlyStages * (tiles.others + statistic);
  // Tiles like the scores are first operands in registers where they can be.
  // Shared ones have two buffers if anything has.
  int64_t tileElements = std::min<int64_t>(stages, 2) * queries * keys;
  int64_t dsBytes = backward.getDsPrecision() ? 2 : elementBytes;
  bool registerOperands = schedule.getTransposeS() &&
                          !schedule.getTransposeDkv() &&
                          !schedule.getShareOperands();
  if (!registerOperands)
    bytes += tileElements * (elementBytes + dsBytes);
  else if (hasAccumulator)
    bytes += tileElements * dsBytes;
  bool isStaged = hasAccumulator && schedule.getBulkReduce();
  if (isStaged)
    bytes += queries * columns * static_cast<int64_t>(sizeof(float));

  int64_t scores = fragmentOf(schedule, queries, keys);
  int64_t sums = 2 * fragmentOf(schedule, keys, columns);
  int64_t narrow = scores * dsBytes / 4;
  // Scores and dP are dead when the block's part of dQ is computed. What is not
  // staged is computed 64 rows at a time.
  int64_t queryGradient =
      isStaged ? fragmentOf(schedule, queries, columns)
      : hasAccumulator
          ? 64 * (schedule.getTransposeDq() ? queries : columns) / 128
          : 0;
  int64_t moving = std::max(2 * scores, narrow + queryGradient);
  return {bytes, sums + moving + kOverheadRegisters};
}

ScheduleCost fa3::estimateCost(attn::AttentionOpInterface attention,
                               tile::ScheduleAttr schedule) {
  int64_t columns = getTileColumns(attention);
  int64_t elementBytes = attention.getElementType().getIntOrFloatBitWidth() / 8;
  auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation());
  if (!backward)
    return estimateForward(schedule, columns, elementBytes,
                           cast<attn::ForwardOp>(attention.getOperation()));
  return estimateBackward(backward, schedule, columns, elementBytes);
}
