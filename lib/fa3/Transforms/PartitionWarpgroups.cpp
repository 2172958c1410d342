//===- PartitionWarpgroups.cpp - Divide tiles among warpgroups ------------===//
//
// Turns the program of a CTA into that of one of its consumer warpgroups: every
// tile keeps its share of rows or columns.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/TileDivision.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

#define DEBUG_TYPE "fa3-partition-warpgroups"

namespace fa3 {
#define GEN_PASS_DEF_PARTITIONWARPGROUPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

struct PartitionWarpgroupsPass
    : fa3::impl::PartitionWarpgroupsPassBase<PartitionWarpgroupsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    int64_t warpgroups = schedule ? schedule.getWarpgroups() : 1;
    separateConstants(kernel);
    FailureOr<TileDivision> computed =
        TileDivision::compute(kernel, warpgroups);
    if (failed(computed))
      return signalPassFailure();
    if (warpgroups == 1)
      return;
    division = &*computed;

    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    warpgroup = hopper::WarpgroupOp::create(builder, kernel.getLoc(),
                                            builder.getI32Type());
    SmallVector<Operation *> ops;
    kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op != warpgroup.getDefiningOp())
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(divide(op)))
        return signalPassFailure();
    for (Operation *op : ops)
      if (auto iota = dyn_cast<tile::IotaOp>(op))
        shiftIota(iota);
    for (Operation *op : ops)
      setTypes(op);
    remark::passed(kernel.getLoc(), kRemark)
        << llvm::formatv("tiles are divided among {0} warpgroups", warpgroups)
               .str();
  }

private:
  /// Tiles that only happen to have the same value may be divided in different
  /// ways: every use of a constant gets its own.
  static void separateConstants(tile::KernelOp kernel) {
    SmallVector<Operation *> constants;
    kernel.walk([&](Operation *op) {
      if (isa<arith::ConstantOp, tile::IotaOp>(op) &&
          getTileType(op->getResult(0).getType()))
        constants.push_back(op);
    });
    for (Operation *constant : constants)
      while (!constant->use_empty() && !constant->hasOneUse()) {
        OpBuilder builder(constant);
        constant->use_begin()->set(builder.clone(*constant)->getResult(0));
      }
  }

  /// The share of a value's tile.
  VectorType shareOf(Value value) {
    return division->shareOf(getTileType(value.getType()),
                             division->dimOf(value));
  }

  /// First row or column of this warpgroup's share, which has `size` of them.
  Value firstOf(OpBuilder &builder, Location loc, int64_t size) {
    Value count = arith::ConstantIntOp::create(builder, loc, size, 32);
    return arith::MulIOp::create(builder, loc, warpgroup, count);
  }

  /// Rewrites what depends on the share's position in the CTA's tile. Types
  /// are still those of whole tiles.
  LogicalResult divide(Operation *op) {
    OpBuilder builder(op);
    if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
      auto source = cast<VectorType>(reduce.getSource().getType());
      int64_t dim = division->dimOf(reduce.getSource());
      if (static_cast<int64_t>(reduce.getDim()) == dim &&
          source.getDimSize(dim) != 1)
        return reduce.emitError("a reduction along dimension ")
               << dim << " needs the " << (dim == 0 ? "rows" : "columns")
               << " of all warpgroups: choose one warpgroup";
    }
    if (auto store = dyn_cast<tile::StoreOp>(op))
      return shift(builder, op, store.getIndicesMutable(), store.getDims(),
                   store.getValue());
    if (auto load = dyn_cast<tile::LoadOp>(op))
      return shift(builder, op, load.getIndicesMutable(), load.getDims(),
                   load.getResult());
    if (auto reduce = dyn_cast<tile::ReduceStoreOp>(op))
      return shift(builder, op, reduce.getIndicesMutable(), /*dims=*/{},
                   reduce.getValue());
    if (auto load = dyn_cast<hopper::BufferLoadOp>(op)) {
      load.getSourceMutable().assign(part(builder, load, load.getSource(),
                                          division->dimOf(load),
                                          shareOf(load)));
      return success();
    }
    if (auto wgmma = dyn_cast<hopper::WgmmaOp>(op))
      return takePart(builder, wgmma);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (getTileType(constant.getType()) &&
          shareOf(constant) != constant.getType() &&
          !isa<SplatElementsAttr>(constant.getValue()))
        return op->emitError("a constant tile must be a splat to be divided "
                             "among warpgroups");
    return success();
  }

  /// Gives an operation's results and arguments the types of shares.
  void setTypes(Operation *op) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          setType(argument);
    for (OpResult result : op->getResults())
      setType(result);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue())) {
        auto share = cast<VectorType>(op->getResult(0).getType());
        if (share != elements.getType())
          constant.setValueAttr(elements.resizeSplat(share));
      }
  }

  void setType(Value value) {
    if (getTileType(value.getType()))
      value.setType(division->shareOf(value.getType(), division->dimOf(value)));
  }

  /// Moves an access to the share's place in memory.
  LogicalResult shift(OpBuilder &builder, Operation *op,
                      MutableOperandRange indices, ArrayRef<int64_t> dims,
                      Value tile) {
    VectorType share = shareOf(tile);
    if (share == getTileType(tile.getType()))
      return success();
    int64_t dim = division->dimOf(tile);
    int64_t size = share.getDimSize(dim);
    if (dims.empty()) {
      if (dim != 0)
        return op->emitError("a packed tile is divided by rows only");
      addTo(builder, op, indices[indices.size() - 1],
            size * share.getDimSize(1));
    } else {
      addTo(builder, op, indices[dims[dim]], size);
    }
    return success();
  }

  void addTo(OpBuilder &builder, Operation *op, OpOperand &index,
             int64_t size) {
    Value first = arith::IndexCastOp::create(
        builder, op->getLoc(), builder.getIndexType(),
        firstOf(builder, op->getLoc(), size));
    index.set(arith::AddIOp::create(builder, op->getLoc(), index.get(), first));
  }

  /// The share of a buffer that belongs to all warpgroups.
  Value part(OpBuilder &builder, Operation *op, Value whole, int64_t dim,
             VectorType share) {
    auto type = cast<hopper::BufferType>(whole.getType());
    if (share == type.getTile())
      return whole;
    auto result =
        hopper::BufferType::get(&getContext(), share, type.getPanelRows());
    Value first = firstOf(builder, op->getLoc(), share.getDimSize(dim));
    if (dim == 0)
      return hopper::RowsOp::create(builder, op->getLoc(), result, whole,
                                    first);
    return hopper::ColumnsOp::create(builder, op->getLoc(), result, whole,
                                     first);
  }

  /// The operand that has the product's rows (its columns) in shared memory is
  /// the CTA's: takes the share of it that has the share's rows (columns).
  LogicalResult takePart(OpBuilder &builder, hopper::WgmmaOp wgmma) {
    int64_t dim = division->dimOf(wgmma.getResult());
    OpOperand &operand = dim == 0 ? wgmma.getAMutable() : wgmma.getBMutable();
    auto whole = dyn_cast<hopper::BufferType>(operand.get().getType());
    if (!whole)
      return success();
    int64_t contracted = dim == 0 ? wgmma.getContractA() : wgmma.getContractB();
    int64_t kept = 1 - contracted;
    VectorType tile = whole.getTile();
    SmallVector<int64_t> shape(tile.getShape());
    shape[kept] = shareOf(wgmma.getResult()).getDimSize(dim);
    int64_t panel = kPanelBytes * 8 / tile.getElementTypeBitWidth();
    if (kept == 1 && shape[1] != tile.getDimSize(1) && shape[1] % panel != 0)
      return wgmma.emitError("a share of ")
             << shape[1] << " columns of an operand in shared memory must be a "
             << "multiple of a panel's " << panel;
    operand.set(part(builder, wgmma, operand.get(), kept,
                     VectorType::get(shape, tile.getElementType())));
    return success();
  }

  void shiftIota(tile::IotaOp iota) {
    VectorType type = iota.getResult().getType();
    int64_t dim = division->dimOf(iota.getResult());
    VectorType share = shareOf(iota.getResult());
    if (static_cast<int64_t>(iota.getDim()) != dim || share == type)
      return;
    OpBuilder builder(iota->getContext());
    builder.setInsertionPointAfter(iota);
    Value first = firstOf(builder, iota.getLoc(), share.getDimSize(dim));
    Value splat =
        vector::BroadcastOp::create(builder, iota.getLoc(), share, first);
    auto shifted = arith::AddIOp::create(builder, iota.getLoc(), share,
                                         iota.getResult(), splat);
    iota.getResult().replaceAllUsesExcept(shifted, shifted);
  }

  const TileDivision *division = nullptr;
  Value warpgroup;
};

} // namespace
