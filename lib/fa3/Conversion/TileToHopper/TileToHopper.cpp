//===- TileToHopper.cpp - Rings for product operands, wgmma for products --===//
//
// Tiles that feed products are loaded by TMA into rings of shared-memory
// buffers; products become wgmma groups, each waited for at once.
//
//===----------------------------------------------------------------------===//

#include "fa3/Conversion/Passes.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-tile-to-hopper"

namespace fa3 {
#define GEN_PASS_DEF_TILETOHOPPERPASS
#include "fa3/Conversion/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// Loads that share a ring: the same tensor cut into the same tiles.
using RingKey = std::pair<Value, VectorType>;

struct TileToHopperPass : fa3::impl::TileToHopperPassBase<TileToHopperPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    SmallVector<tile::DotOp> dots;
    kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
    SetVector<tile::LoadOp> loads;
    for (tile::DotOp dot : dots)
      for (Value operand : {dot.getA(), dot.getB()})
        if (auto load = operand.getDefiningOp<tile::LoadOp>())
          loads.insert(load);
    createRings(kernel, loads.getArrayRef());
    for (tile::LoadOp load : loads)
      if (failed(stage(load)))
        return signalPassFailure();
    for (tile::DotOp dot : dots)
      if (failed(convert(dot)))
        return signalPassFailure();
  }

  /// Whether a load is repeated and used up by each iteration of its loop. A
  /// tile that a nested loop uses throughout needs no second buffer: loading
  /// the next one ahead would only save the start of that loop.
  static bool isStreamed(tile::LoadOp load) {
    return load->getParentOfType<scf::ForOp>() &&
           llvm::all_of(load->getUsers(), [&](Operation *user) {
             return user->getBlock() == load->getBlock();
           });
  }

  /// One ring for each kind of load, at the start of the kernel. A tile that is
  /// streamed through a loop gets as many buffers as the schedule has stages.
  void createRings(tile::KernelOp kernel, ArrayRef<tile::LoadOp> loads) {
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    llvm::MapVector<RingKey, bool> streams;
    for (tile::LoadOp load : loads)
      streams[{load.getSource(), load.getResult().getType()}] |=
          isStreamed(load);
    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    for (auto [key, streamed] : streams) {
      int64_t stages = streamed && schedule ? schedule.getStages() : 1;
      auto type =
          hopper::RingType::get(builder.getContext(), stages, key.second);
      rings[key] =
          hopper::RingAllocOp::create(builder, kernel.getLoc(), type,
                                      schedule ? schedule.getWarpgroups() : 1,
                                      /*offset=*/nullptr, /*barriers=*/nullptr);
      remark::passed(kernel.getLoc(), kRemark)
          << "a ring of " << std::to_string(stages) << " buffers of "
          << std::to_string(type.getStageBytes()) << " bytes";
    }
  }

  /// Replaces a load by a put and a get of its ring; the buffer is released
  /// after its last use.
  LogicalResult stage(tile::LoadOp load) {
    auto isProduct = [](Operation *user) { return isa<tile::DotOp>(user); };
    if (!llvm::all_of(load->getUsers(), isProduct))
      return load.emitError("a tile that feeds a product must have no other "
                            "use: it is only in shared memory");
    OpBuilder builder(load);
    Location loc = load.getLoc();
    VectorType tile = load.getResult().getType();
    Value ring = rings.lookup({load.getSource(), tile});
    hopper::RingPutOp::create(builder, loc, ring, load.getSource(),
                              load.getIndices(), load.getDims());
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::RingGetOp::create(builder, loc, type, ring);
    buffers[load.getResult()] = buffer;
    release(load, *load->getBlock(), load, ring, buffer);
    return success();
  }

  /// Releases a buffer after the load's last use in `block`, on every path: a
  /// conditional with the last use releases it in both of its arms.
  void release(tile::LoadOp load, Block &block, Operation *last, Value ring,
               Value buffer) {
    for (Operation *user : load->getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (ancestor && (!last || last->isBeforeInBlock(ancestor)))
        last = ancestor;
    }
    auto conditional = dyn_cast_if_present<scf::IfOp>(last);
    if (conditional && conditional.elseBlock()) {
      release(load, *conditional.thenBlock(), nullptr, ring, buffer);
      release(load, *conditional.elseBlock(), nullptr, ring, buffer);
      return;
    }
    OpBuilder builder = OpBuilder::atBlockBegin(&block);
    if (last)
      builder.setInsertionPointAfter(last);
    hopper::RingReleaseOp::create(builder, load.getLoc(), ring, buffer);
  }

  LogicalResult convert(tile::DotOp dot) {
    Value a = buffers.lookup(dot.getA());
    Value b = buffers.lookup(dot.getB());
    if (!b)
      return dot.emitError("the second operand of a product must be a tile "
                           "loaded from memory: wgmma reads it from shared "
                           "memory");
    OpBuilder builder(dot);
    VectorType type = dot.getResult().getType();
    Value pending = hopper::WgmmaOp::create(
        builder, dot.getLoc(),
        hopper::PendingType::get(builder.getContext(), type),
        a ? a : dot.getA(), b, dot.getAcc(), dot.getContractA(),
        dot.getContractB());
    Value result = hopper::WaitOp::create(builder, dot.getLoc(), type, pending,
                                          /*younger=*/0);
    dot.getResult().replaceAllUsesWith(result);
    SmallVector<Value> operands{dot.getA(), dot.getB()};
    dot.erase();
    for (Value operand : operands)
      if (auto load = operand.getDefiningOp<tile::LoadOp>())
        if (load->use_empty())
          load.erase();
    return success();
  }

  llvm::MapVector<RingKey, Value> rings;
  DenseMap<Value, Value> buffers;
};

} // namespace
