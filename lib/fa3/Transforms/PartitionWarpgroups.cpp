//===- PartitionWarpgroups.cpp - Divide tiles among warpgroups ------------===//
//
// Turns the program of a CTA into that of one of its consumer warpgroups: every
// tile keeps its share of dimension 0.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-partition-warpgroups"

namespace fa3 {
#define GEN_PASS_DEF_PARTITIONWARPGROUPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// Rows of the smallest share: wgmma's m.
constexpr int64_t kRowsPerProduct = 64;

struct PartitionWarpgroupsPass
    : fa3::impl::PartitionWarpgroupsPassBase<PartitionWarpgroupsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    warpgroups = schedule ? schedule.getWarpgroups() : 1;
    if (failed(checkShares(kernel)))
      return signalPassFailure();
    if (warpgroups == 1)
      return;

    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    warpgroup = hopper::WarpgroupOp::create(builder, kernel.getLoc(),
                                            builder.getI32Type());
    SmallVector<Operation *> ops;
    kernel.getBody().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      if (failed(divide(op)))
        return signalPassFailure();
    remark::passed(kernel.getLoc(), kRemark)
        << "dimension 0 of every tile is divided among "
        << std::to_string(warpgroups) << " warpgroups";
  }

  /// Every tile's dimension 0 must be 1 or a multiple of a share.
  LogicalResult checkShares(tile::KernelOp kernel) {
    WalkResult result = kernel.getBody().walk([&](Operation *op) {
      for (Type type : op->getResultTypes()) {
        auto tile = dyn_cast<VectorType>(type);
        if (!tile || tile.getRank() != 2 || tile.getDimSize(0) == 1 ||
            tile.getDimSize(0) % (warpgroups * kRowsPerProduct) == 0)
          continue;
        op->emitError("a tile of ")
            << tile.getDimSize(0) << " rows cannot be divided among "
            << warpgroups << " warpgroups: each needs a multiple of "
            << kRowsPerProduct << " rows";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// The share of a tile that one warpgroup holds.
  VectorType shareOf(VectorType type) {
    if (type.getRank() != 2 || type.getDimSize(0) == 1)
      return type;
    return VectorType::get(
        {type.getDimSize(0) / warpgroups, type.getDimSize(1)},
        type.getElementType());
  }

  Type shareOf(Type type) {
    if (auto tile = dyn_cast<VectorType>(type))
      return shareOf(tile);
    if (auto pending = dyn_cast<hopper::PendingType>(type))
      return hopper::PendingType::get(type.getContext(),
                                      shareOf(pending.getTile()));
    return type;
  }

  /// First row of this warpgroup's share of a tile whose share has `rows` rows.
  Value firstRow(OpBuilder &builder, Location loc, int64_t rows) {
    Value size = arith::ConstantIntOp::create(builder, loc, rows, 32);
    return arith::MulIOp::create(builder, loc, warpgroup, size);
  }

  LogicalResult divide(Operation *op) {
    OpBuilder builder(op);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(shareOf(argument.getType()));
    // What depends on the rows' position in the CTA's tile.
    if (auto store = dyn_cast<tile::StoreOp>(op))
      shiftRows(builder, op, store.getIndicesMutable(), store.getDims(),
                store.getValue().getType());
    if (auto load = dyn_cast<tile::LoadOp>(op))
      shiftRows(builder, op, load.getIndicesMutable(), load.getDims(),
                shareOf(load.getResult().getType()));
    if (auto wgmma = dyn_cast<hopper::WgmmaOp>(op))
      if (failed(takeRows(builder, wgmma)))
        return failure();

    for (OpResult result : op->getResults())
      result.setType(shareOf(result.getType()));

    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue())) {
        auto share = cast<VectorType>(op->getResult(0).getType());
        if (share != elements.getType()) {
          if (!elements.isSplat())
            return op->emitError("a constant tile must be a splat to be "
                                 "divided among warpgroups");
          constant.setValueAttr(elements.resizeSplat(share));
        }
      }
    if (auto iota = dyn_cast<tile::IotaOp>(op))
      shiftIota(builder, iota);
    return success();
  }

  /// Adds the share's first row to the index that dimension 0 runs along.
  void shiftRows(OpBuilder &builder, Operation *op, MutableOperandRange indices,
                 ArrayRef<int64_t> dims, VectorType share) {
    if (share.getDimSize(0) == 1 || dims[0] < 0)
      return;
    Value first = arith::IndexCastOp::create(
        builder, op->getLoc(), builder.getIndexType(),
        firstRow(builder, op->getLoc(), share.getDimSize(0)));
    OpOperand &index = indices[dims[0]];
    index.set(arith::AddIOp::create(builder, op->getLoc(), index.get(), first));
  }

  /// A product's first operand in shared memory is the CTA's: take the share's
  /// rows of it.
  LogicalResult takeRows(OpBuilder &builder, hopper::WgmmaOp wgmma) {
    auto whole = dyn_cast<hopper::BufferType>(wgmma.getA().getType());
    if (!whole)
      return success();
    if (wgmma.getContractA() != 1)
      return wgmma.emitError("the rows of a product must be rows of its first "
                             "operand in shared memory to be divided among "
                             "warpgroups");
    auto share = hopper::BufferType::get(
        &getContext(), shareOf(whole.getTile()), whole.getPanelRows());
    Value first =
        firstRow(builder, wgmma.getLoc(), share.getTile().getDimSize(0));
    Value rows = hopper::RowsOp::create(builder, wgmma.getLoc(), share,
                                        wgmma.getA(), first);
    wgmma.getAMutable().assign(rows);
    return success();
  }

  void shiftIota(OpBuilder &builder, tile::IotaOp iota) {
    VectorType type = iota.getResult().getType();
    if (iota.getDim() != 0 || type.getDimSize(0) == 1)
      return;
    builder.setInsertionPointAfter(iota);
    Value first = firstRow(builder, iota.getLoc(), type.getDimSize(0));
    Value splat =
        vector::BroadcastOp::create(builder, iota.getLoc(), type, first);
    auto shifted =
        arith::AddIOp::create(builder, iota.getLoc(), iota.getResult(), splat);
    iota.getResult().replaceAllUsesExcept(shifted, shifted);
  }

  int64_t warpgroups = 1;
  Value warpgroup;
};

} // namespace
