//===- ShareExpander.cpp - Shared tiles become stores and barriers --------===//

#include "fa3/Transforms/ShareExpander.h"

#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/Threads.h"

using namespace mlir;
using namespace fa3;

static Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

void ShareExpander::count(EventCounter &counter, Block &root) {
  SmallVector<Operation *> shares;
  root.walk<WalkOrder::PreOrder>([&](hopper::ShareOp share) {
    if (share.getRing() == ring.getRing())
      shares.push_back(share);
  });
  counter.add(shares, [this](Operation *op, Value number) {
    expand(cast<hopper::ShareOp>(op), number);
  });
}

void ShareExpander::expand(hopper::ShareOp share, Value number) {
  OpBuilder builder(share);
  Location loc = share.getLoc();
  hopper::RingType type = ring.getRing().getType();
  // The barrier of a share tells that all have read the tile before it: with
  // two buffers that is enough.
  if (type.getStages() == 1)
    synchronize(builder, loc);
  Value slot = arith::RemUIOp::create(builder, loc, number,
                                      constant(builder, loc, type.getStages()));
  Value base = hopper::SharedAddressOp::create(
      builder, loc, builder.getI32Type(), *ring.getOffset());
  Value distance = arith::MulIOp::create(
      builder, loc, slot, constant(builder, loc, bufferStride(type)));
  Value address = arith::AddIOp::create(builder, loc, base, distance);
  Value buffer = hopper::ViewOp::create(builder, loc,
                                        share.getBuffer().getType(), address);
  ArrayRef<int64_t> whole = type.getTile().getShape();
  ArrayRef<int64_t> part =
      cast<VectorType>(share.getValue().getType()).getShape();
  hopper::BufferStoreOp::create(builder, loc, share.getValue(), buffer,
                                first(builder, loc, part[1], whole[0]),
                                first(builder, loc, part[0], whole[1]));
  hopper::FenceProxyAsyncOp::create(builder, loc);
  synchronize(builder, loc);
  share.getBuffer().replaceAllUsesWith(buffer);
  share.erase();
}

/// First row or column of this warpgroup's part, which has `size` of `whole`.
Value ShareExpander::first(OpBuilder &builder, Location loc, int64_t size,
                           int64_t whole) {
  if (size == whole)
    return constant(builder, loc, 0);
  Value warpgroup =
      hopper::WarpgroupOp::create(builder, loc, builder.getI32Type());
  return arith::MulIOp::create(builder, loc, warpgroup,
                               constant(builder, loc, size));
}

/// Waits for all consumers.
void ShareExpander::synchronize(OpBuilder &builder, Location loc) {
  hopper::NamedSyncOp::create(builder, loc,
                              constant(builder, loc, kShareBarrier),
                              warpgroups * kThreadsPerWarpgroup);
}
