//===- RingExpander.h - One ring in fa3-expand-rings ------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_RINGEXPANDER_H
#define FA3_TRANSFORMS_RINGEXPANDER_H

#include "fa3/Transforms/EventCounter.h"

namespace fa3 {

/// Expands the puts, gets and releases of one ring, and the transpositions that
/// fill it.
class RingExpander {
public:
  /// `active` is the number of warpgroups that release a buffer, where it is
  /// not known before the kernel runs, or null.
  RingExpander(tile::KernelOp kernel, hopper::RingAllocOp ring,
               mlir::Value active);

  /// Lets the buffers ride on the mbarriers of `other`, which is put and got
  /// just before this ring each time: a few bytes need none of their own.
  void ride(RingExpander &other);

  /// Whether the ring's buffers are so small, and go side by side with those of
  /// `other`.
  bool canRide(RingExpander &other, llvm::ArrayRef<mlir::Block *> roots);

  /// Whether transpositions fill the ring's buffers from those of `other`.
  bool isTransposedFrom(RingExpander &other);

  /// Expands these transpositions with the ring's other events. Their buffers
  /// of `other` are the next ones each time, too.
  void transposeFrom(RingExpander &other);

  /// Enters the ring's puts, gets and transpositions in `root`, one of the
  /// roles.
  void count(EventCounter &counter, mlir::Block &root);

  /// Expands the ring's releases, when its gets have their buffers.
  void expandReleases();

  /// Initialises the ring's mbarriers; executed by one thread.
  void initialise(mlir::OpBuilder &builder);

private:
  llvm::SmallVector<hopper::RingReleaseOp> releases();

  /// A share in between orders all threads' reads before the leader's release,
  /// which then stands for both: it has a fence and a barrier.
  static bool isShareBetween(mlir::Operation *release, mlir::Operation *later);

  template <typename EventOp>
  llvm::SmallVector<mlir::Operation *> eventsIn(mlir::Block &root);

  void initialise(mlir::OpBuilder &builder, int64_t index, int64_t count,
                  mlir::Value active = {});

  /// A warpgroup's products are done together; its threads' reads are not, so
  /// that each warp releases what threads read.
  int64_t releasesPerWarpgroup();

  /// Arrivals that release a buffer, where not all warpgroups work.
  mlir::Value countReleases(mlir::OpBuilder &builder, int64_t perWarpgroup);

  /// Whether each of the ring's events comes right behind one of `other`.
  template <typename EventOp>
  bool follow(RingExpander &other, mlir::Block &root);

  mlir::Value slotOf(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value number);

  /// Parity of the phase that the number-th use of a buffer completes.
  mlir::Value parityOf(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value number);

  mlir::Value addressOf(mlir::OpBuilder &builder, mlir::Location loc,
                        int64_t offset, int64_t bytes, mlir::Value slot);

  mlir::Value fullBarrier(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value slot);
  mlir::Value emptyBarrier(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value slot);
  mlir::Value bufferAddress(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value slot);

  void awaitEmpty(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Value number, mlir::Value slot);

  void awaitFull(mlir::OpBuilder &builder, mlir::Location loc,
                 mlir::Value number, mlir::Value slot);

  mlir::Value bufferView(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value slot);

  /// Each of the role's warps has a part of the tile. Its reads of the one
  /// buffer come before the async proxy's next write, its writes to the other
  /// one before the async proxy's reads.
  void expandTranspose(hopper::RingTransposeOp op, mlir::Value number);

  void expandPut(hopper::RingPutOp put, mlir::Value number);

  llvm::SmallVector<mlir::Value> castIndices(mlir::OpBuilder &builder,
                                             hopper::RingPutOp put);

  /// One copy for each panel and each run of rows that fits a TMA box.
  void copyPanels(mlir::OpBuilder &builder, hopper::RingPutOp put,
                  mlir::Value map, mlir::Value buffer, mlir::Value full);

  /// Rows of one copy: all of the tile's or an equal part of them that starts
  /// on a swizzle atom.
  int64_t getBoxRows();

  void shift(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value &value,
             int64_t by);

  /// The kernel argument that describes the put's tensor and box.
  mlir::Value tensorMap(hopper::RingPutOp put);

  void expandGet(hopper::RingGetOp get, mlir::Value number);

  /// One thread of each warpgroup, or of each warp, arrives at the buffer's
  /// empty mbarrier.
  void expandRelease(hopper::RingReleaseOp release);

  tile::KernelOp kernel;
  hopper::RingAllocOp ring;
  hopper::RingType type;
  mlir::Value active;
  bool reusesBuffers;
  /// The ring whose buffers are transposed to this one's, and whether this
  /// one's are to another's.
  RingExpander *source = nullptr;
  bool isSource = false;
  /// Warps that transpose.
  int64_t transposeWarps = 0;
  /// The ring whose mbarriers are this one's, and those that use this one's.
  RingExpander *leader = nullptr;
  llvm::SmallVector<RingExpander *> riders;
  bool isReleasedByLeader = false;
  llvm::DenseMap<mlir::Value, mlir::Value> slots;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_RINGEXPANDER_H
