//===- EventCounter.h - Counts operations through control flow --*- C++ -*-===//

#ifndef FA3_TRANSFORMS_EVENTCOUNTER_H
#define FA3_TRANSFORMS_EVENTCOUNTER_H

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include <functional>

namespace fa3 {

/// Hands the operations of several sequences their numbers: how many operations
/// of the sequence are executed before, as a value carried through loops and
/// conditionals. Sequences that advance together share one such value, because
/// every value that is carried through a loop takes a register.
class EventCounter {
public:
  using OnEvent = std::function<void(mlir::Operation *, mlir::Value)>;

  /// Sequences of operations in `root`, or in scf.for and scf.if there.
  explicit EventCounter(mlir::Block &root) : root(root) {}

  /// Whether the n-th operations of both sequences stand side by side: in the
  /// same block, with nothing between them that has regions, and alone there,
  /// so that the number in front of both is the block's.
  static bool advanceTogether(llvm::ArrayRef<mlir::Operation *> a,
                              llvm::ArrayRef<mlir::Operation *> b);

  /// Adds a sequence, in program order. `onEvent` may erase the operation.
  void add(llvm::ArrayRef<mlir::Operation *> events, OnEvent onEvent);

  /// Counts all sequences, from 0 at the start of the root, and hands out the
  /// numbers.
  void count();

private:
  struct Sequence {
    llvm::SmallVector<mlir::Operation *> events;
    OnEvent onEvent;
  };

  bool isEvent(mlir::Operation *op) const { return numbers.contains(op); }
  bool containsEvent(mlir::Operation &op) const;
  mlir::Value countBlock(mlir::Block &block, mlir::Value number);
  mlir::Value countLoop(mlir::scf::ForOp loop, mlir::Value number);
  mlir::Value countIf(mlir::scf::IfOp ifOp, mlir::Value number);

  mlir::Block &root;
  llvm::SmallVector<Sequence> sequences;
  /// The events that are being counted, and their numbers.
  llvm::DenseMap<mlir::Operation *, mlir::Value> numbers;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_EVENTCOUNTER_H
