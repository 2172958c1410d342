//===- ExpandReductions.cpp - Tiles that are added to global memory -------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"

#define DEBUG_TYPE "fa3-expand-reductions"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDREDUCTIONSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kThreadsPerWarpgroup = 128;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

struct ExpandReductionsPass
    : fa3::impl::ExpandReductionsPassBase<ExpandReductionsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    SmallVector<hopper::ReduceOutOp> reductions;
    kernel.walk(
        [&](hopper::ReduceOutOp reduce) { reductions.push_back(reduce); });
    if (reductions.empty())
      return;
    SmallVector<hopper::RingAllocOp> rings;
    for (hopper::ReduceOutOp reduce : reductions) {
      auto ring = reduce.getRing().getDefiningOp<hopper::RingAllocOp>();
      if (!ring || !ring.getOffset()) {
        reduce.emitError("its buffer has no place in shared memory: run "
                         "fa3-allocate-shared-memory first");
        return signalPassFailure();
      }
      if (!llvm::is_contained(rings, ring))
        rings.push_back(ring);
    }
    Block *root = &kernel.getBody().front();
    if (auto roles =
            reductions.front()->getParentOfType<hopper::SpecializeOp>())
      root = &roles.getConsumer().front();
    for (hopper::ReduceOutOp reduce : reductions)
      expand(reduce);
    for (hopper::RingAllocOp ring : rings)
      ring.erase();
    // Shared memory must live until the last bulk copy has read it.
    OpBuilder builder(kernel.getContext());
    if (root->mightHaveTerminator())
      builder.setInsertionPoint(root->getTerminator());
    else
      builder.setInsertionPointToEnd(root);
    hopper::BulkWaitOp::create(builder, kernel.getLoc(), /*written=*/true);
  }

private:
  void expand(hopper::ReduceOutOp reduce) {
    OpBuilder builder(reduce);
    Location loc = reduce.getLoc();
    Type i32 = builder.getI32Type();
    auto ring = reduce.getRing().getDefiningOp<hopper::RingAllocOp>();
    auto part = cast<VectorType>(reduce.getValue().getType());
    int64_t bytes = part.getNumElements() * part.getElementTypeBitWidth() / 8;
    Value warpgroup = hopper::WarpgroupOp::create(builder, loc, i32);
    Value barrier = arith::AddIOp::create(
        builder, loc, warpgroup, constant(builder, loc, kFirstOutBarrier));
    auto synchronize = [&] {
      hopper::NamedSyncOp::create(builder, loc, barrier, kThreadsPerWarpgroup);
    };

    // The thread that started the last copy knows when it has read the buffer.
    hopper::BulkWaitOp::create(builder, loc, /*written=*/false);
    synchronize();
    Value base =
        hopper::SharedAddressOp::create(builder, loc, i32, *ring.getOffset());
    Value row = arith::MulIOp::create(
        builder, loc, warpgroup, constant(builder, loc, part.getDimSize(0)));
    VectorType tile = ring.getRing().getType().getTile();
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::ViewOp::create(builder, loc, type, base);
    hopper::BufferStoreOp::create(builder, loc, reduce.getValue(), buffer, row,
                                  constant(builder, loc, 0));
    hopper::FenceProxyAsyncOp::create(builder, loc);
    synchronize();

    Value thread = hopper::ThreadIdOp::create(builder, loc, i32);
    Value inGroup = arith::AndIOp::create(
        builder, loc, thread, constant(builder, loc, kThreadsPerWarpgroup - 1));
    Value elected =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, inGroup,
                              constant(builder, loc, 0));
    Value offset = arith::MulIOp::create(builder, loc, warpgroup,
                                         constant(builder, loc, bytes));
    Value address = arith::AddIOp::create(builder, loc, base, offset);
    SmallVector<Value> indices =
        llvm::map_to_vector(reduce.getIndices(), [&](Value index) -> Value {
          return arith::IndexCastOp::create(builder, loc, i32, index);
        });
    hopper::BulkReduceOp::create(builder, loc, address, reduce.getTarget(),
                                 indices, bytes, elected);
    reduce.erase();
  }
};

} // namespace
