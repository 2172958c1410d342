//===- ShareExpander.h - Shared tiles in fa3-expand-rings -------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_SHAREEXPANDER_H
#define FA3_TRANSFORMS_SHAREEXPANDER_H

#include "fa3/Transforms/EventCounter.h"

namespace fa3 {

/// Expands the shares of one ring: stores to shared memory, a fence, and a
/// barrier among all `warpgroups`.
class ShareExpander {
public:
  ShareExpander(hopper::RingAllocOp ring, int64_t warpgroups)
      : ring(ring), warpgroups(warpgroups) {}

  /// Enters the ring's shares in `root`, the consumers' role.
  void count(EventCounter &counter, mlir::Block &root);

private:
  void expand(hopper::ShareOp share, mlir::Value number);
  mlir::Value first(mlir::OpBuilder &builder, mlir::Location loc, int64_t size,
                    int64_t whole);
  void synchronize(mlir::OpBuilder &builder, mlir::Location loc);

  hopper::RingAllocOp ring;
  int64_t warpgroups;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_SHAREEXPANDER_H
