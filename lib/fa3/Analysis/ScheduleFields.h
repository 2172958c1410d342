//===- ScheduleFields.h - A schedule, to be changed -------------*- C++ -*-===//

#ifndef FA3_ANALYSIS_SCHEDULEFIELDS_H
#define FA3_ANALYSIS_SCHEDULEFIELDS_H

#include "fa3/Tile/TileOps.h"

namespace fa3 {

/// The fields of a #tile.schedule, to be changed one by one.
struct ScheduleFields {
  int64_t blockQ = 0;
  int64_t blockKv = 0;
  int64_t warpgroups = 2;
  int64_t stages = 2;
  int64_t earlyStages = 0;
  bool overlap = true;
  bool specialize = true;
  bool pingpong = true;
  bool splitLoops = true;
  bool lateWaits = false;
  int64_t lazyRescale = 0;
  int64_t chains = 4;
  bool productSums = false;
  int64_t transposeV = 0;
  bool longestFirst = false;
  int64_t groupTiles = 0;
  int64_t persistent = 0;
  bool transposeS = false;
  bool transposeDkv = false;
  bool transposeDq = false;
  bool shareOperands = false;
  bool separateDq = false;
  bool bulkReduce = true;
  int64_t storeFirst = 0;
  int64_t producerRegisters = 24;
  int64_t consumerRegisters = 240;

  static ScheduleFields of(tile::ScheduleAttr schedule);

  /// The schedule with these fields; null, with an error, if there is none.
  tile::ScheduleAttr
  get(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
      mlir::MLIRContext *context) const;

  /// Gives the producer and the consumers all registers that a CTA of this many
  /// warpgroups can have.
  void splitRegisters();
};

} // namespace fa3

#endif // FA3_ANALYSIS_SCHEDULEFIELDS_H
