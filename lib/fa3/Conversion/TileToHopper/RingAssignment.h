//===- RingAssignment.h - Which loads share a ring --------------*- C++ -*-===//
//
// Loads of equal tiles of a tensor share a ring of buffers, so that a loop's
// prologue, body and epilogue are one sequence. The n-th load of a ring uses
// buffer n mod stages, so a ring must not be asked for more buffers at once
// than it has: producer and consumers would wait for each other.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_TILETOHOPPER_RINGASSIGNMENT_H
#define FA3_CONVERSION_TILETOHOPPER_RINGASSIGNMENT_H

#include "fa3/Tile/TileOps.h"

namespace fa3 {

/// Loads that share a ring.
struct LoadGroup {
  llvm::SmallVector<tile::LoadOp> loads;
  /// Whether a loop uses up one of the tiles in each iteration.
  bool streamed = false;
  /// Smallest number of buffers with which the ring makes progress.
  int64_t buffers = 1;
};

/// Whether a load is repeated and used up by each iteration of its loop.
bool isStreamed(tile::LoadOp load);

/// The transposition of what is loaded, or null.
tile::TransposeOp getTranspose(tile::LoadOp load);

/// What products use of a load: its tile, or what that is transposed to.
mlir::Operation *getProductOperand(tile::LoadOp load);

/// The operation of the load's block after which its tile is not used, nor what
/// that is transposed to.
mlir::Operation *lastUse(tile::LoadOp load);

/// The operation of `block` that is or contains the last use of `operand` in
/// it; null if there is none.
mlir::Operation *lastUseIn(mlir::Block &block, mlir::Value operand);

/// Divides the loads, which are in program order, into groups.
llvm::SmallVector<LoadGroup> assignRings(llvm::ArrayRef<tile::LoadOp> loads);

} // namespace fa3

#endif // FA3_CONVERSION_TILETOHOPPER_RINGASSIGNMENT_H
