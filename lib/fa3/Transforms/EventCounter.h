//===- EventCounter.h - Counts operations through control flow --*- C++ -*-===//

#ifndef FA3_TRANSFORMS_EVENTCOUNTER_H
#define FA3_TRANSFORMS_EVENTCOUNTER_H

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

namespace fa3 {

/// Hands every event of a block, in program order, the number of events before
/// it, as a value carried through loops and conditionals.
class EventCounter {
public:
  using IsEvent = llvm::function_ref<bool(mlir::Operation *)>;
  using OnEvent = llvm::function_ref<void(mlir::Operation *, mlir::Value)>;

  EventCounter(IsEvent isEvent, OnEvent onEvent)
      : isEvent(isEvent), onEvent(onEvent) {}

  /// `number` is the number of events in front of the block; gives that behind
  /// it.
  mlir::Value count(mlir::Block &block, mlir::Value number);

private:
  bool containsEvent(mlir::Operation &op);
  mlir::Value countLoop(mlir::scf::ForOp loop, mlir::Value number);
  mlir::Value countIf(mlir::scf::IfOp ifOp, mlir::Value number);

  IsEvent isEvent;
  OnEvent onEvent;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_EVENTCOUNTER_H
