//===- ExpandShares.cpp - Shared tiles become stores and barriers ---------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/EventCounter.h"
#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"

#define DEBUG_TYPE "fa3-expand-shares"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDSHARESPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kThreadsPerWarpgroup = 128;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

struct ExpandSharesPass : fa3::impl::ExpandSharesPassBase<ExpandSharesPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    warpgroups = schedule ? schedule.getWarpgroups() : 1;
    SmallVector<hopper::RingAllocOp> rings;
    kernel.walk([&](hopper::RingAllocOp ring) {
      if (!ring->use_empty() && llvm::all_of(ring->getUsers(), [](auto *user) {
            return isa<hopper::ShareOp>(user);
          }))
        rings.push_back(ring);
    });
    for (hopper::RingAllocOp ring : rings) {
      if (!ring.getOffset()) {
        ring.emitError("the ring has no place in shared memory: run "
                       "fa3-allocate-shared-memory first");
        return signalPassFailure();
      }
      expand(ring);
      ring.erase();
    }
  }

private:
  /// The block that the ring's shares are counted in: the consumers'.
  static Block *rootOf(hopper::RingAllocOp ring) {
    Operation *user = *ring->getUsers().begin();
    if (auto roles = user->getParentOfType<hopper::SpecializeOp>())
      return &roles.getConsumer().front();
    return ring->getBlock();
  }

  void expand(hopper::RingAllocOp ring) {
    Block *root = rootOf(ring);
    OpBuilder builder = OpBuilder::atBlockBegin(root);
    if (ring->getBlock() == root)
      builder.setInsertionPointAfter(ring);
    auto isShare = [&](Operation *op) {
      auto share = dyn_cast<hopper::ShareOp>(op);
      return share && share.getRing() == ring.getRing();
    };
    EventCounter(isShare, [&](Operation *op, Value number) {
      expand(ring, cast<hopper::ShareOp>(op), number);
    }).count(*root, constant(builder, ring.getLoc(), 0));
  }

  void expand(hopper::RingAllocOp ring, hopper::ShareOp share, Value number) {
    OpBuilder builder(share);
    Location loc = share.getLoc();
    hopper::RingType type = ring.getRing().getType();
    // The barrier of a share tells that all have read the tile before it: with
    // two buffers that is enough.
    if (type.getStages() == 1)
      synchronize(builder, loc);
    Value slot = arith::RemUIOp::create(
        builder, loc, number, constant(builder, loc, type.getStages()));
    Value base = hopper::SharedAddressOp::create(
        builder, loc, builder.getI32Type(), *ring.getOffset());
    Value distance = arith::MulIOp::create(
        builder, loc, slot, constant(builder, loc, bufferStride(type)));
    Value address = arith::AddIOp::create(builder, loc, base, distance);
    Value buffer = hopper::ViewOp::create(
        builder, loc, share.getBuffer().getType(), address);
    auto part = cast<VectorType>(share.getValue().getType());
    hopper::BufferStoreOp::create(builder, loc, share.getValue(), buffer,
                                  first(builder, loc, part, type.getTile(), 0),
                                  first(builder, loc, part, type.getTile(), 1));
    hopper::FenceProxyAsyncOp::create(builder, loc);
    synchronize(builder, loc);
    share.getBuffer().replaceAllUsesWith(buffer);
    share.erase();
  }

  /// First row or column of this warpgroup's part.
  Value first(OpBuilder &builder, Location loc, VectorType part,
              VectorType whole, int64_t dim) {
    int64_t size = part.getDimSize(dim);
    if (size == whole.getDimSize(dim))
      return constant(builder, loc, 0);
    Value warpgroup =
        hopper::WarpgroupOp::create(builder, loc, builder.getI32Type());
    return arith::MulIOp::create(builder, loc, warpgroup,
                                 constant(builder, loc, size));
  }

  /// Waits for all consumers.
  void synchronize(OpBuilder &builder, Location loc) {
    hopper::NamedSyncOp::create(builder, loc,
                                constant(builder, loc, kShareBarrier),
                                warpgroups * kThreadsPerWarpgroup);
  }

  int64_t warpgroups = 1;
};

} // namespace
