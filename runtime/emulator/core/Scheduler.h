//===- Scheduler.h - Runs the warps of a cluster ----------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_SCHEDULER_H
#define FA3_EMULATOR_CORE_SCHEDULER_H

#include "State.h"

namespace fa3::emulator {

/// A cluster from launch to exit. Warps run cooperatively on one host thread,
/// in an order that the seed chooses.
class ClusterRun {
public:
  ClusterRun(Launch &launch, uint64_t index);

  /// Runs until the cluster is done (true), or until it has polled global
  /// memory for a while and other clusters should have a turn (false).
  bool run();

private:
  bool runSomeWarp();
  bool runWarp(Warp &w, uint32_t budget);
  /// Chooses the lanes to run next; false if all wait.
  bool pick(Warp &w);
  bool waitOver(Warp &w, const Split &s);
  void finishWarp(Warp &w);
  void finishCta(Cta &cta);
  void advanceDue();
  bool advanceAny();
  bool wakeTesters();
  void reportDeadlock();

  Launch &launch;
  Cluster cluster;
  uint32_t liveCtas = 0;
  uint32_t idleWakes = 0;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_SCHEDULER_H
