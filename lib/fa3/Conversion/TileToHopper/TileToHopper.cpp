//===- TileToHopper.cpp - Rings for product operands, wgmma for products --===//
//
// Tiles that feed products are loaded by TMA into rings of shared-memory
// buffers; products become wgmma groups, each waited for at once.
//
//===----------------------------------------------------------------------===//

#include "RingAssignment.h"

#include "fa3/Conversion/Passes.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

#define DEBUG_TYPE "fa3-tile-to-hopper"

namespace fa3 {
#define GEN_PASS_DEF_TILETOHOPPERPASS
#include "fa3/Conversion/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// wgmma's largest n.
constexpr int64_t kMaxColumns = 256;
/// Rows of wgmma's m and the granularity of its n.
constexpr int64_t kRowGranularity = 64;
constexpr int64_t kColumnGranularity = 8;
/// Bytes of the contraction that one wgmma instruction takes.
constexpr int64_t kStepBytes = 32;

struct TileToHopperPass : fa3::impl::TileToHopperPassBase<TileToHopperPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    lastRing = nullptr;
    buffers.clear();
    SmallVector<tile::DotOp> dots;
    kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
    DenseSet<tile::LoadOp> operands;
    for (tile::DotOp dot : dots) {
      if (failed(checkProduct(dot)))
        return signalPassFailure();
      for (Value operand : {dot.getA(), dot.getB()})
        if (auto load = operand.getDefiningOp<tile::LoadOp>())
          operands.insert(load);
    }
    SmallVector<tile::LoadOp> loads;
    kernel.walk<WalkOrder::PreOrder>([&](tile::LoadOp load) {
      if (operands.contains(load))
        loads.push_back(load);
    });
    for (tile::LoadOp load : loads)
      if (failed(checkLoad(load)))
        return signalPassFailure();
    for (const LoadGroup &group : assignRings(loads)) {
      Value ring = createRing(kernel, group);
      for (tile::LoadOp load : group.loads)
        stage(load, ring);
    }
    for (tile::DotOp dot : dots)
      convert(dot);
    for (tile::LoadOp load : loads)
      load.erase();
  }

private:
  /// Whether wgmma has the product, and every thread of a warpgroup executes
  /// it.
  LogicalResult checkProduct(tile::DotOp dot) {
    for (Operation *op = dot->getParentOp(); !isa<tile::KernelOp>(op);
         op = op->getParentOp())
      if (!isa<scf::ForOp, scf::IfOp>(op)) {
        InFlightDiagnostic diagnostic = dot.emitError(
            "a product must be in scf.for and scf.if only: all threads of a "
            "warpgroup execute it together");
        diagnostic.attachNote(op->getLoc()) << "enclosed by this operation";
        return diagnostic;
      }
    auto a = cast<VectorType>(dot.getA().getType());
    Type element = a.getElementType();
    if (!element.isF16() && !element.isBF16())
      return dot.emitError(
                 "the operands of a product must be f16 or bf16, not ")
             << element;
    auto result = cast<VectorType>(dot.getResult().getType());
    if (!result.getElementType().isF32())
      return dot.emitError("the result of a product must be f32, not ")
             << result.getElementType();
    if (result.getDimSize(0) % kRowGranularity != 0)
      return dot.emitError("the result of a product must have a multiple of ")
             << kRowGranularity << " rows, not " << result.getDimSize(0);
    if (result.getDimSize(1) % kColumnGranularity != 0 ||
        result.getDimSize(1) > kMaxColumns)
      return dot.emitError("the result of a product must have a multiple of ")
             << kColumnGranularity << " columns, " << kMaxColumns
             << " at most, not " << result.getDimSize(1);
    int64_t contraction = a.getDimSize(dot.getContractA());
    int64_t step = kStepBytes * 8 / element.getIntOrFloatBitWidth();
    if (contraction % step != 0)
      return dot.emitError("a product of ")
             << element << " must contract a multiple of " << step
             << " elements, not " << contraction;
    if (!dot.getB().getDefiningOp<tile::LoadOp>())
      return dot.emitError("the second operand of a product must be a tile "
                           "loaded from memory: wgmma reads it from shared "
                           "memory");
    if (!dot.getA().getDefiningOp<tile::LoadOp>() && dot.getContractA() != 1)
      return dot.emitError("the first operand of a product must be contracted "
                           "over its columns or be loaded from memory: wgmma "
                           "takes no transposed operand from registers");
    return success();
  }

  /// Whether TMA can load the tile to a ring.
  LogicalResult checkLoad(tile::LoadOp load) {
    auto isProduct = [](Operation *user) { return isa<tile::DotOp>(user); };
    if (!llvm::all_of(load->getUsers(), isProduct))
      return load.emitError("a tile that feeds a product must have no other "
                            "use: it is only in shared memory");
    auto memory = cast<MemRefType>(load.getSource().getType());
    auto argument = dyn_cast<BlockArgument>(load.getSource());
    if (!argument || !isa<tile::KernelOp>(argument.getOwner()->getParentOp()))
      return load.emitError("a tile that feeds a product must be loaded from "
                            "an argument of the kernel: TMA needs a tensor "
                            "map of it");
    if (load.getDims()[1] != memory.getRank() - 1)
      return load.emitError("columns of a tile that feeds a product must run "
                            "along the tensor's last dimension: contract the "
                            "product's other dimension instead");
    return success();
  }

  /// A ring at the start of the kernel. Tiles that are streamed through a loop
  /// get as many buffers as the schedule has stages.
  Value createRing(tile::KernelOp kernel, const LoadGroup &group) {
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    tile::LoadOp first = group.loads.front();
    int64_t stages = group.streamed && schedule ? schedule.getStages() : 1;
    if (group.buffers > stages) {
      remark::analysis(first.getLoc(), kRemark)
          << llvm::formatv(
                 "{0} buffers would block: the program uses {1} tiles "
                 "of this ring at once",
                 stages, group.buffers)
                 .str();
      stages = group.buffers;
    }
    OpBuilder builder(&getContext());
    if (lastRing)
      builder.setInsertionPointAfter(lastRing);
    else
      builder.setInsertionPointToStart(&kernel.getBody().front());
    auto type = hopper::RingType::get(builder.getContext(), stages,
                                      first.getResult().getType());
    lastRing = hopper::RingAllocOp::create(
        builder, kernel.getLoc(), type, schedule ? schedule.getWarpgroups() : 1,
        /*offset=*/nullptr, /*barriers=*/nullptr);
    remark::passed(kernel.getLoc(), kRemark)
        << llvm::formatv("a ring of {0} buffers of {1} bytes", stages,
                         type.getStageBytes())
               .str();
    return lastRing.getRing();
  }

  /// Adds a put and a get of the ring in place of a load; the buffer is
  /// released after its last use.
  void stage(tile::LoadOp load, Value ring) {
    OpBuilder builder(load);
    Location loc = load.getLoc();
    VectorType tile = load.getResult().getType();
    hopper::RingPutOp::create(builder, loc, ring, load.getSource(),
                              load.getIndices(), load.getDims());
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::RingGetOp::create(builder, loc, type, ring);
    buffers[load.getResult()] = buffer;
    builder.setInsertionPointAfter(lastUse(load));
    hopper::RingReleaseOp::create(builder, loc, ring, buffer);
  }

  void convert(tile::DotOp dot) {
    Value a = buffers.lookup(dot.getA());
    OpBuilder builder(dot);
    VectorType type = dot.getResult().getType();
    Value pending = hopper::WgmmaOp::create(
        builder, dot.getLoc(),
        hopper::PendingType::get(builder.getContext(), type),
        a ? a : dot.getA(), buffers.lookup(dot.getB()), dot.getAcc(),
        dot.getContractA(), dot.getContractB());
    Value result = hopper::WaitOp::create(builder, dot.getLoc(), type, pending,
                                          /*younger=*/0);
    dot.getResult().replaceAllUsesWith(result);
    dot.erase();
  }

  hopper::RingAllocOp lastRing;
  DenseMap<Value, Value> buffers;
};

} // namespace
