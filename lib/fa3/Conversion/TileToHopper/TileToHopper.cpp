//===- TileToHopper.cpp - Rings for tiles, wgmma for products -------------===//
//
// Tiles that feed products are loaded by TMA into rings of shared-memory
// buffers, or, where they are computed and registers cannot hold them, shared
// through such rings; products become wgmma groups, each waited for at once.
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
/// Ranks of tensors that tensor maps describe, TMA's largest box dimension, and
/// the granularity of its bytes in f32.
constexpr int64_t kMinRank = 2, kMaxRank = 5;
constexpr int64_t kMaxBox = 256;
constexpr int64_t kStatisticGranularity = 4;
/// Buffers of a shared tile: the last one may be read while the next is filled.
constexpr int64_t kShareStages = 2;

struct TileToHopperPass : fa3::impl::TileToHopperPassBase<TileToHopperPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    lastRing = nullptr;
    shareRings.clear();
    outRings.clear();
    buffers.clear();
    schedule = kernel.getScheduleAttr();
    SmallVector<tile::DotOp> dots;
    kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
    DenseSet<tile::LoadOp> operands;
    for (tile::DotOp dot : dots) {
      if (failed(checkProduct(dot)))
        return signalPassFailure();
      for (Value operand : {dot.getA(), dot.getB()})
        if (tile::LoadOp load = getLoad(operand))
          operands.insert(load);
    }
    SmallVector<tile::LoadOp> loads;
    kernel.walk<WalkOrder::PreOrder>([&](tile::LoadOp load) {
      if (operands.contains(load) || isStreamedStatistic(load))
        loads.push_back(load);
    });
    for (tile::LoadOp load : loads)
      if (operands.contains(load) && failed(checkLoad(load)))
        return signalPassFailure();
    for (const LoadGroup &group : assignRings(loads)) {
      Value ring = createRing(kernel, group);
      Value transposed;
      if (tile::TransposeOp transpose = getTranspose(group.loads.front()))
        transposed = createRing(kernel, transpose,
                                cast<hopper::RingType>(ring.getType()));
      for (tile::LoadOp load : group.loads)
        operands.contains(load) ? stage(load, ring, transposed)
                                : stageStatistic(load, ring);
    }
    for (tile::DotOp dot : dots)
      for (OpOperand *operand : sharedOperands(dot))
        share(kernel, *operand);
    for (tile::DotOp dot : dots)
      convert(dot);
    for (tile::LoadOp load : loads) {
      if (tile::TransposeOp transpose = getTranspose(load))
        transpose.erase();
      load.erase();
    }
    if (schedule && schedule.getBulkReduce())
      kernel.walk([&](tile::ReduceStoreOp store) { stageOut(kernel, store); });
  }

private:
  /// The load of a product's operand, which may be transposed behind it.
  static tile::LoadOp getLoad(Value operand) {
    if (auto transpose = operand.getDefiningOp<tile::TransposeOp>())
      operand = transpose.getSource();
    return operand.getDefiningOp<tile::LoadOp>();
  }

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
    bool narrow = isa<Float8E4M3FNType, Float8E5M2Type>(element);
    if (!element.isF16() && !element.isBF16() && !narrow)
      return dot.emitError("the operands of a product must be f16, bf16 or "
                           "8-bit floats, not ")
             << element;
    if (narrow && failed(checkNarrowOperands(dot)))
      return failure();
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
    return success();
  }

  /// wgmma takes 8-bit operands along the contraction only: columns of what is
  /// loaded, and columns or, where they are shared transposed, rows of what is
  /// computed.
  LogicalResult checkNarrowOperands(tile::DotOp dot) {
    for (auto [operand, contracted] :
         {std::pair(dot.getA(), dot.getContractA()),
          {dot.getB(), dot.getContractB()}}) {
      bool isLoaded = getLoad(operand) != nullptr;
      bool isPaired = operand.getDefiningOp<tile::PairRowsOp>() != nullptr;
      if (contracted != (isPaired ? 0 : 1))
        return dot.emitError("a product of 8-bit floats must contract the "
                             "columns of both operands, or the rows of a "
                             "result of tile.pair_rows");
      if (operand == dot.getB() && !isLoaded && !isPaired)
        return dot.emitError("the second operand of a product of 8-bit floats "
                             "must be loaded, or a result of tile.pair_rows");
    }
    return success();
  }

  static bool isKernelArgument(Value source) {
    auto argument = dyn_cast<BlockArgument>(source);
    return argument && isa<tile::KernelOp>(argument.getOwner()->getParentOp());
  }

  /// Whether TMA can load the tile to a ring.
  LogicalResult checkLoad(tile::LoadOp load) {
    auto isProduct = [](Operation *user) { return isa<tile::DotOp>(user); };
    tile::TransposeOp transpose = getTranspose(load);
    bool isElsewhere = transpose && (!load->hasOneUse() ||
                                     transpose->getBlock() != load->getBlock());
    if (isElsewhere ||
        !llvm::all_of(getProductOperand(load)->getUsers(), isProduct))
      return load.emitError("a tile that feeds a product must have no other "
                            "use: it is only in shared memory");
    auto memory = cast<MemRefType>(load.getSource().getType());
    if (!isKernelArgument(load.getSource()))
      return load.emitError("a tile that feeds a product must be loaded from "
                            "an argument of the kernel: TMA needs a tensor "
                            "map of it");
    if (load.getDims()[1] != memory.getRank() - 1)
      return load.emitError("columns of a tile that feeds a product must run "
                            "along the tensor's last dimension: contract the "
                            "product's other dimension instead");
    return success();
  }

  /// Whether the load is of a row or column of f32 that each iteration of a
  /// loop needs another one of: the producer can load it ahead.
  bool isStreamedStatistic(tile::LoadOp load) {
    VectorType tile = load.getResult().getType();
    auto memory = cast<MemRefType>(load.getSource().getType());
    ArrayRef<int64_t> dims = load.getDims();
    if (!schedule || !schedule.getSpecialize() || dims.empty() ||
        memory.getRank() < kMinRank || memory.getRank() > kMaxRank ||
        !isKernelArgument(load.getSource()) || !isStreamed(load) ||
        !tile.getElementType().isF32() || load->use_empty())
      return false;
    int64_t along = tile.getDimSize(0) == 1 ? 1 : 0;
    return tile.getDimSize(1 - along) == 1 &&
           dims[along] == memory.getRank() - 1 &&
           tile.getNumElements() <= kMaxBox &&
           tile.getNumElements() % kStatisticGranularity == 0;
  }

  /// Whether products follow the last one that reads the tile. What threads
  /// read keeps step with the tile in front of it, whose mbarrier it can use.
  bool isReleasedEarly(tile::LoadOp load) {
    if (isStreamedStatistic(load)) {
      for (Operation *op = load->getPrevNode(); op; op = op->getPrevNode())
        if (auto other = dyn_cast<tile::LoadOp>(op))
          return isReleasedEarly(other);
      return false;
    }
    for (Operation *op = lastUse(load)->getNextNode(); op;
         op = op->getNextNode())
      if (isa<tile::DotOp>(op))
        return true;
    return false;
  }

  /// A ring at the start of the kernel for loads. Tiles that are streamed
  /// through a loop get as many buffers as the schedule has stages.
  Value createRing(tile::KernelOp kernel, const LoadGroup &group) {
    tile::LoadOp first = group.loads.front();
    int64_t stages = group.streamed && schedule ? schedule.getStages() : 1;
    if (group.streamed && schedule && schedule.getEarlyStages() != 0 &&
        llvm::all_of(group.loads,
                     [&](tile::LoadOp load) { return isReleasedEarly(load); }))
      stages = schedule.getEarlyStages();
    if (group.buffers > stages) {
      remark::analysis(first.getLoc(), kRemark)
          << llvm::formatv(
                 "{0} buffers would block: the program uses {1} tiles "
                 "of this ring at once",
                 stages, group.buffers)
                 .str();
      stages = group.buffers;
    }
    Value ring = createRing(kernel, stages, first.getResult().getType());
    lastRing.setOnes(first.getOnes());
    return ring;
  }

  /// The ring that buffers of `ring` are transposed to.
  Value createRing(tile::KernelOp kernel, tile::TransposeOp transpose,
                   hopper::RingType ring) {
    auto tile = cast<VectorType>(transpose.getResult().getType());
    Value transposed = createRing(kernel, ring.getStages(), tile);
    lastRing.setOnes(transpose.getOnes());
    return transposed;
  }

  Value createRing(tile::KernelOp kernel, int64_t stages, VectorType tile) {
    OpBuilder builder(&getContext());
    if (lastRing)
      builder.setInsertionPointAfter(lastRing);
    else
      builder.setInsertionPointToStart(&kernel.getBody().front());
    auto type = hopper::RingType::get(builder.getContext(), stages, tile);
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
  /// released after its last use. What is transposed is got from the ring of
  /// transposed tiles.
  void stage(tile::LoadOp load, Value ring, Value transposed) {
    OpBuilder builder(load);
    Location loc = load.getLoc();
    hopper::RingPutOp::create(builder, loc, ring, load.getSource(),
                              load.getIndices(), load.getDims());
    Value operand = getProductOperand(load)->getResult(0);
    if (transposed) {
      hopper::RingTransposeOp::create(builder, loc, ring, transposed);
      ring = transposed;
    }
    auto tile = cast<VectorType>(operand.getType());
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::RingGetOp::create(builder, loc, type, ring);
    buffers[operand] = buffer;
    release(ring, buffer, operand, lastUse(load));
  }

  /// Releases the buffer of `operand` behind `last`, its last use: on every
  /// path through a conditional of its own, because the producer may wait.
  static void release(Value ring, Value buffer, Value operand,
                      Operation *last) {
    OpBuilder builder(last->getContext());
    auto branches = dyn_cast<scf::IfOp>(last);
    if (!branches || !branches.elseBlock()) {
      builder.setInsertionPointAfter(last);
      hopper::RingReleaseOp::create(builder, operand.getLoc(), ring, buffer);
      return;
    }
    for (Block *block : {branches.thenBlock(), branches.elseBlock()}) {
      if (Operation *use = lastUseIn(*block, operand)) {
        release(ring, buffer, operand, use);
        continue;
      }
      builder.setInsertionPointToStart(block);
      hopper::RingReleaseOp::create(builder, operand.getLoc(), ring, buffer);
    }
  }

  /// The same for a tile that threads read: they copy it to registers.
  void stageStatistic(tile::LoadOp load, Value ring) {
    OpBuilder builder(load);
    Location loc = load.getLoc();
    VectorType tile = load.getResult().getType();
    hopper::RingPutOp::create(builder, loc, ring, load.getSource(),
                              load.getIndices(), load.getDims());
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    Value buffer = hopper::RingGetOp::create(builder, loc, type, ring);
    Value registers = hopper::BufferLoadOp::create(builder, loc, tile, buffer);
    hopper::RingReleaseOp::create(builder, loc, ring, buffer);
    load.getResult().replaceAllUsesWith(registers);
  }

  /// Computed operands that a product can only read from shared memory.
  SmallVector<OpOperand *> sharedOperands(tile::DotOp dot) {
    SmallVector<OpOperand *> shared;
    auto isComputed = [](Value operand) { return !getLoad(operand); };
    if (isComputed(dot.getA()) &&
        (dot.getContractA() != 1 || (schedule && schedule.getShareOperands())))
      shared.push_back(&dot.getAMutable());
    if (isComputed(dot.getB()))
      shared.push_back(&dot.getBMutable());
    return shared;
  }

  /// Shares a computed tile in front of the first product that needs it. A
  /// second buffer saves the wait until the last product has read the first.
  void share(tile::KernelOp kernel, OpOperand &operand) {
    Value value = operand.get();
    Operation *product = operand.getOwner();
    Value &buffer = buffers[value];
    if (buffer)
      return;
    VectorType tile = transpose(cast<VectorType>(value.getType()));
    bool repeated = product->getParentOfType<scf::ForOp>() != nullptr;
    int64_t stages = schedule ? schedule.getStages() : 1;
    Block *block = product->getBlock();
    ShareRing *known = llvm::find_if(shareRings, [&](const ShareRing &ring) {
      return ring.tile == tile && llvm::none_of(ring.blocks, [&](Block *other) {
               return isNested(block, other) || isNested(other, block);
             });
    });
    if (known == shareRings.end()) {
      Value ring = createRing(
          kernel, repeated ? std::min<int64_t>(stages, kShareStages) : 1, tile);
      known = &shareRings.emplace_back(ShareRing{tile, ring, {}});
    }
    known->blocks.push_back(block);
    OpBuilder builder(product);
    // Where other blocks need it, too, it is shared at once.
    if (llvm::any_of(value.getUsers(), [&](Operation *user) {
          return user->getBlock() != product->getBlock();
        }))
      builder.setInsertionPointAfterValue(value);
    auto type =
        hopper::BufferType::get(builder.getContext(), tile, tile.getDimSize(0));
    buffer = hopper::ShareOp::create(builder, product->getLoc(), type, value,
                                     known->ring);
  }

  /// Tiles are shared transposed.
  static VectorType transpose(VectorType tile) {
    return VectorType::get({tile.getDimSize(1), tile.getDimSize(0)},
                           tile.getElementType());
  }

  /// Whether `inner` is `outer` or lies in one of its operations.
  static bool isNested(Block *inner, Block *outer) {
    return outer == inner ||
           outer->findAncestorOpInBlock(*inner->getParentOp());
  }

  /// Sends a tile that is added to memory through a buffer of its own.
  void stageOut(tile::KernelOp kernel, tile::ReduceStoreOp store) {
    auto tile = cast<VectorType>(store.getValue().getType());
    Value &ring = outRings[tile];
    if (!ring)
      ring = createRing(kernel, /*stages=*/1, tile);
    OpBuilder builder(store);
    hopper::OutPutOp::create(builder, store.getLoc(), store.getValue(), ring);
    hopper::OutReduceOp::create(builder, store.getLoc(), ring,
                                store.getTarget(), store.getIndices(),
                                store.getBegun());
    store.erase();
  }

  void convert(tile::DotOp dot) {
    Value a = operandOf(dot.getAMutable()), b = buffers.lookup(dot.getB());
    OpBuilder builder(dot);
    VectorType type = dot.getResult().getType();
    Value pending = hopper::WgmmaOp::create(
        builder, dot.getLoc(),
        hopper::PendingType::get(builder.getContext(), type), a, b,
        dot.getAcc(), contracted(a, dot.getContractA()),
        contracted(b, dot.getContractB()));
    Value result = hopper::WaitOp::create(builder, dot.getLoc(), type, pending,
                                          /*younger=*/0);
    dot.getResult().replaceAllUsesWith(result);
    dot.erase();
  }

  /// The dimension of an operand that is contracted over, after it was shared.
  static int64_t contracted(Value operand, int64_t dim) {
    return operand.getDefiningOp<hopper::ShareOp>() ? 1 - dim : dim;
  }

  /// The first operand of a product: a buffer if it is loaded or has to be
  /// shared for this product, else registers.
  Value operandOf(OpOperand &operand) {
    auto dot = cast<tile::DotOp>(operand.getOwner());
    bool shared = getLoad(operand.get()) ||
                  llvm::is_contained(sharedOperands(dot), &operand);
    return shared ? buffers.lookup(operand.get()) : operand.get();
  }

  /// A ring of shared tiles, and the blocks that share them: one after another,
  /// so that no tile of one is in use while another one is shared.
  struct ShareRing {
    VectorType tile;
    Value ring;
    SmallVector<Block *> blocks;
  };

  tile::ScheduleAttr schedule;
  hopper::RingAllocOp lastRing;
  SmallVector<ShareRing> shareRings;
  DenseMap<Type, Value> outRings;
  DenseMap<Value, Value> buffers;
};

} // namespace
