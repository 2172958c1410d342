//===- ExpandReductions.cpp - Tiles that are added to global memory -------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/Threads.h"

#define DEBUG_TYPE "fa3-expand-reductions"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDREDUCTIONSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

OpBuilder atEnd(Block &block) {
  if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>())
    return OpBuilder(&block.back());
  return OpBuilder::atBlockEnd(&block);
}

/// Expands the puts and reductions of one ring, whose buffer has a part for
/// each of `warpgroups`. With a drain, a warp of its own starts the copies; it
/// meets each warpgroup at two barriers. Without, a thread of each warpgroup
/// does.
class OutRing {
public:
  OutRing(hopper::RingAllocOp ring, int64_t warpgroups, bool hasDrain)
      : ring(ring), warpgroups(warpgroups), hasDrain(hasDrain),
        tile(ring.getRing().getType().getTile()),
        partBytes(ring.getRing().getType().getStageBytes() / warpgroups) {}

  LogicalResult expand() {
    for (Operation *user : llvm::make_early_inc_range(ring->getUsers())) {
      auto reduce = dyn_cast<hopper::OutReduceOp>(user);
      if (!reduce)
        expandPut(cast<hopper::OutPutOp>(user));
      else if (hasDrain)
        expandDrain(reduce);
      else if (reduce.getBegun())
        return reduce.emitError("that the first tile is stored needs a role "
                                "that drains: set specialize in the schedule");
      else
        expandOwn(reduce);
    }
    ring.erase();
    return success();
  }

  /// At the start of the drain: all parts are free.
  void freeAll(OpBuilder &builder) {
    for (int64_t part = 0; part < warpgroups; ++part)
      hopper::NamedArriveOp::create(builder, ring.getLoc(),
                                    emptyBarrier(builder, part), threads());
  }

  /// At the end of a consumer: the drain's last arrival has somebody to meet.
  void awaitFree(OpBuilder &builder) {
    hopper::NamedSyncOp::create(builder, ring.getLoc(),
                                barrier(builder, kFirstOutEmptyBarrier),
                                threads());
  }

private:
  Location loc() { return ring.getLoc(); }

  /// Threads that meet at a part's barriers.
  int64_t threads() {
    return kThreadsPerWarpgroup + (hasDrain ? kThreadsPerWarp : 0);
  }

  Value fullBarrier(OpBuilder &builder, int64_t part) {
    return constant(builder, loc(), kFirstOutFullBarrier + part);
  }
  Value emptyBarrier(OpBuilder &builder, int64_t part) {
    return constant(builder, loc(), kFirstOutEmptyBarrier + part);
  }

  Value warpgroup(OpBuilder &builder) {
    return hopper::WarpgroupOp::create(builder, loc(), builder.getI32Type());
  }

  /// This warpgroup's barrier.
  Value barrier(OpBuilder &builder, int64_t first) {
    return arith::AddIOp::create(builder, loc(), warpgroup(builder),
                                 constant(builder, loc(), first));
  }

  Value base(OpBuilder &builder) {
    return hopper::SharedAddressOp::create(builder, loc(), builder.getI32Type(),
                                           *ring.getOffset());
  }

  void expandPut(hopper::OutPutOp put) {
    OpBuilder builder(put);
    // The thread that started the last copy knows when it has read the buffer.
    if (!hasDrain)
      hopper::BulkWaitOp::create(builder, loc());
    hopper::NamedSyncOp::create(
        builder, loc(), barrier(builder, kFirstOutEmptyBarrier), threads());
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::ViewOp::create(builder, loc(), type, base(builder));
    int64_t rows = cast<VectorType>(put.getValue().getType()).getDimSize(0);
    Value row = arith::MulIOp::create(builder, loc(), warpgroup(builder),
                                      constant(builder, loc(), rows));
    hopper::BufferStoreOp::create(builder, loc(), put.getValue(), buffer, row,
                                  constant(builder, loc(), 0));
    hopper::FenceProxyAsyncOp::create(builder, loc());
    if (hasDrain)
      hopper::NamedArriveOp::create(
          builder, loc(), barrier(builder, kFirstOutFullBarrier), threads());
    put.erase();
  }

  SmallVector<Value> castIndices(OpBuilder &builder,
                                 hopper::OutReduceOp reduce) {
    return llvm::map_to_vector(reduce.getIndices(), [&](Value index) -> Value {
      return arith::IndexCastOp::create(builder, loc(), builder.getI32Type(),
                                        index);
    });
  }

  /// Adds the buffer's part, `bytes` from its start, to memory `bytes` from the
  /// tile's, or stores it where `first` holds, which may be null.
  void copy(OpBuilder &builder, hopper::OutReduceOp reduce,
            SmallVector<Value> indices, Value bytes, Value elected,
            Value first) {
    Value address = arith::AddIOp::create(builder, loc(), base(builder), bytes);
    Value elements = arith::ShRUIOp::create(builder, loc(), bytes,
                                            constant(builder, loc(), 2));
    indices.back() =
        arith::AddIOp::create(builder, loc(), indices.back(), elements);
    if (first) {
      hopper::BulkStoreOp::create(builder, loc(), address, reduce.getTarget(),
                                  indices, partBytes, first);
      Value isOther = arith::XOrIOp::create(
          builder, loc(), first,
          arith::ConstantIntOp::create(builder, loc(), 1, 1));
      elected = arith::AndIOp::create(builder, loc(), elected, isOther);
    }
    hopper::BulkReduceOp::create(builder, loc(), address, reduce.getTarget(),
                                 indices, partBytes, elected);
  }

  void expandDrain(hopper::OutReduceOp reduce) {
    OpBuilder builder(reduce);
    SmallVector<Value> indices = castIndices(builder, reduce);
    Value elected = isFirstOf(builder, loc(), kThreadsPerWarp);
    // While the warpgroups compute there is time to ask who has been here.
    Value begun = reduce.getBegun(), first;
    ArrayRef<Value> place = ArrayRef(indices).drop_back();
    if (begun)
      first = hopper::ClaimOp::create(builder, loc(), builder.getI1Type(),
                                      begun, place, elected);
    for (int64_t part = 0; part < warpgroups; ++part) {
      hopper::NamedSyncOp::create(builder, loc(), fullBarrier(builder, part),
                                  threads());
      copy(builder, reduce, indices, constant(builder, loc(), part * partBytes),
           elected, first);
    }
    for (int64_t part = 0; part < warpgroups; ++part) {
      hopper::BulkWaitOp::create(builder, loc(), warpgroups - 1 - part,
                                 /*written=*/false);
      hopper::NamedArriveOp::create(builder, loc(), emptyBarrier(builder, part),
                                    threads());
    }
    if (begun)
      hopper::PublishOp::create(builder, loc(), begun, place, first);
    reduce.erase();
  }

  void expandOwn(hopper::OutReduceOp reduce) {
    OpBuilder builder(reduce);
    hopper::NamedSyncOp::create(
        builder, loc(), barrier(builder, kFirstOutFullBarrier), threads());
    Value bytes = arith::MulIOp::create(builder, loc(), warpgroup(builder),
                                        constant(builder, loc(), partBytes));
    copy(builder, reduce, castIndices(builder, reduce), bytes,
         isFirstOf(builder, loc(), kThreadsPerWarpgroup), /*first=*/{});
    reduce.erase();
  }

  hopper::RingAllocOp ring;
  int64_t warpgroups;
  bool hasDrain;
  VectorType tile;
  int64_t partBytes;
};

struct ExpandReductionsPass
    : fa3::impl::ExpandReductionsPassBase<ExpandReductionsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    Block &entry = kernel.getBody().front();
    SmallVector<hopper::RingAllocOp> rings;
    for (auto ring : entry.getOps<hopper::RingAllocOp>())
      if (llvm::any_of(ring->getUsers(), llvm::IsaPred<hopper::OutPutOp>))
        rings.push_back(ring);
    if (rings.empty())
      return;
    if (rings.size() > 1) {
      rings[1].emitError("tiles of one type only can be on their way out: "
                         "named barriers are few");
      return signalPassFailure();
    }
    hopper::RingAllocOp ring = rings.front();
    if (!ring.getOffset()) {
      ring.emitError("the ring has no place in shared memory: run "
                     "fa3-allocate-shared-memory first");
      return signalPassFailure();
    }

    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    Block *consumer = &entry, *copying = &entry;
    bool hasDrain = false;
    for (auto roles : entry.getOps<hopper::SpecializeOp>()) {
      consumer = copying = &roles.getConsumer().front();
      hasDrain = !roles.getDrain().empty();
      if (hasDrain)
        copying = &roles.getDrain().front();
    }
    OutRing out(ring, schedule ? schedule.getWarpgroups() : 1, hasDrain);
    if (hasDrain) {
      OpBuilder start = OpBuilder::atBlockBegin(copying);
      out.freeAll(start);
      OpBuilder end = atEnd(*consumer);
      out.awaitFree(end);
    }
    // Shared memory must live until the last copy has read it.
    OpBuilder end = atEnd(*copying);
    hopper::BulkWaitOp::create(end, kernel.getLoc(), /*younger=*/0,
                               /*written=*/true);
    if (failed(out.expand()))
      return signalPassFailure();
  }
};

} // namespace
