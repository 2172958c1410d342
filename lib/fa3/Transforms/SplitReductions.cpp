//===- SplitReductions.cpp - Products that are only added to memory -------===//
//
// A product's result that goes to memory need not be in registers as a whole:
// its blocks of rows are computed and added one after another.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Fragment.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-split-reductions"

namespace fa3 {
#define GEN_PASS_DEF_SPLITREDUCTIONSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

struct SplitReductionsPass
    : fa3::impl::SplitReductionsPassBase<SplitReductionsPass> {
  void runOnOperation() override {
    SmallVector<tile::ReduceStoreOp> stores;
    getOperation().walk(
        [&](tile::ReduceStoreOp store) { stores.push_back(store); });
    for (tile::ReduceStoreOp store : stores)
      split(store);
  }

private:
  void split(tile::ReduceStoreOp store) {
    auto wait = store.getValue().getDefiningOp<hopper::WaitOp>();
    // Who is the first is known of a tile as a whole.
    if (store.getBegun())
      return;
    if (!wait || !wait->hasOneUse() || wait->getBlock() != store->getBlock())
      return;
    auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
    VectorType type = wait.getResult().getType();
    int64_t blocks = type.getDimSize(0) / Fragment::kBlockRows;
    if (!wgmma || !wgmma->hasOneUse() || wgmma.getAcc() || blocks < 2 ||
        !isa<hopper::BufferType>(wgmma.getA().getType()))
      return;
    for (int64_t block = 0; block < blocks; ++block) {
      // The first one is issued where the whole was, the others when the one
      // before has left its registers.
      OpBuilder builder(block == 0 ? wgmma.getOperation()
                                   : store.getOperation());
      Value part = computePart(builder, wgmma, block);
      builder.setInsertionPoint(store);
      addPart(builder, store, part, block);
    }
    remark::passed(store.getLoc(),
                   remark::RemarkOpts::name(DEBUG_TYPE).category("fa3"))
        << remark::add("a product is added to memory in {0} parts", blocks);
    store.erase();
    wait.erase();
    wgmma.erase();
  }

  static VectorType partOf(VectorType type) {
    return VectorType::get({Fragment::kBlockRows, type.getDimSize(1)},
                           type.getElementType());
  }

  Value computePart(OpBuilder &builder, hopper::WgmmaOp wgmma, int64_t block) {
    Location loc = wgmma.getLoc();
    auto whole = cast<hopper::BufferType>(wgmma.getA().getType());
    SmallVector<int64_t> shape(whole.getTile().getShape());
    int64_t kept = 1 - wgmma.getContractA();
    shape[kept] = Fragment::kBlockRows;
    auto share = hopper::BufferType::get(
        &getContext(), VectorType::get(shape, whole.getTile().getElementType()),
        whole.getPanelRows());
    Value first = arith::ConstantIntOp::create(
        builder, loc, block * Fragment::kBlockRows, 32);
    Value a = wgmma.getA();
    if (kept == 0)
      a = hopper::RowsOp::create(builder, loc, share, a, first);
    else
      a = hopper::ColumnsOp::create(builder, loc, share, a, first);
    VectorType type = partOf(wgmma.getResult().getType().getTile());
    Value pending = hopper::WgmmaOp::create(
        builder, loc, hopper::PendingType::get(&getContext(), type), a,
        wgmma.getB(), Value(), wgmma.getContractA(), wgmma.getContractB());
    return hopper::WaitOp::create(builder, loc, type, pending, /*younger=*/0);
  }

  static void addPart(OpBuilder &builder, tile::ReduceStoreOp store, Value part,
                      int64_t block) {
    Location loc = store.getLoc();
    SmallVector<Value> indices(store.getIndices());
    Value offset = arith::ConstantIndexOp::create(
        builder, loc,
        block * cast<VectorType>(part.getType()).getNumElements());
    indices.back() =
        arith::AddIOp::create(builder, loc, indices.back(), offset);
    tile::ReduceStoreOp::create(builder, loc, part, store.getTarget(), indices);
  }
};

} // namespace
