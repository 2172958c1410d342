//===- StageStores.cpp - Tiles are stored through shared memory -----------===//
//
// A thread has two neighbouring elements of a row: stored from registers, a
// tile leaves in pieces of 16 bytes. TMA writes whole rows, from shared memory:
// at a kernel's end that of its rings is free; a loop over tiles needs some of
// its own, from which it copies while it computes the next tile.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/ScheduleModel.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Fragment.h"
#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/TensorMaps.h"
#include "fa3/Transforms/Threads.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

#define DEBUG_TYPE "fa3-stage-stores"

namespace fa3 {
#define GEN_PASS_DEF_STAGESTORESPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// Ranks of tensors that tensor maps describe, and TMA's largest box dimension.
constexpr int64_t kMinRank = 2, kMaxRank = 5;
constexpr int64_t kMaxBox = 256;
/// The pattern of swizzled copies repeats after so many bytes.
constexpr int64_t kSwizzleBytes = 1024;

/// A part of shared memory.
struct Interval {
  int64_t begin, end;
  bool overlaps(Interval other) const {
    return begin < other.end && other.begin < end;
  }
};

Interval placeOf(hopper::RingAllocOp ring) {
  hopper::RingType type = ring.getRing().getType();
  int64_t begin = *ring.getOffset();
  return {begin, begin + type.getStages() * bufferStride(type)};
}

/// A store of each warpgroup's tile.
struct Store {
  tile::StoreOp op;
  /// It is executed again and again, beside loads of what follows.
  bool repeated;
  /// The tile's rows run along the tensor's last dimension.
  bool transposed;
  /// All warpgroups' tiles, as shared memory has them: their rows, or, of
  /// transposed ones, their columns, one warpgroup's behind another's.
  VectorType buffer;
  int64_t offset = 0;
  /// What is overwritten may still be read by copies.
  bool awaitsCopies = false;

  int64_t bytes(MLIRContext *context) const {
    return hopper::RingType::get(context, /*stages=*/1, buffer).getStageBytes();
  }
};

/// Whether `value` is the warpgroup's index times `share`.
bool isShareOfWarpgroup(Value value, int64_t share) {
  APInt factor;
  auto product = value.getDefiningOp<arith::MulIOp>();
  return product && product.getLhs().getDefiningOp<hopper::WarpgroupOp>() &&
         matchPattern(product.getRhs(), m_ConstantInt(&factor)) &&
         factor.getSExtValue() == share;
}

/// Stages the stores of one block, which all consumer warpgroups execute.
class Stager {
public:
  Stager(tile::KernelOp kernel, Block &block, int64_t warpgroups,
         bool allWarpgroupsWork)
      : kernel(kernel), block(block), warpgroups(warpgroups),
        allWarpgroupsWork(allWarpgroupsWork) {
    kernel.walk([&](hopper::RingAllocOp ring) { rings.push_back(ring); });
    if (auto bytes =
            kernel->getAttrOfType<IntegerAttr>(hopper::kSharedMemoryAttrName))
      memory = bytes.getInt();
  }

  void run() {
    collect(block, /*repeated=*/false);
    llvm::erase_if(stores, [&](Store &store) { return !place(store); });
    if (stores.empty())
      return;
    kernel->setAttr(hopper::kSharedMemoryAttrName,
                    Builder(kernel.getContext()).getI64IntegerAttr(memory));
    if (needsAll) {
      // In front of the first that takes the place of a ring.
      OpBuilder builder(llvm::find_if(stores, [](const Store &store) {
                          return !store.repeated;
                        })->op);
      hopper::NamedSyncOp::create(builder, kernel.getLoc(),
                                  constant(builder, kStoreBarrier),
                                  warpgroups * kThreadsPerWarpgroup);
    }
    for (Store &store : stores)
      expand(store);
    awaitCopies();
    remark::passed(kernel.getLoc(), kRemark)
        << llvm::formatv("{0} stores go through shared memory{1}",
                         stores.size(),
                         needsAll ? ", behind a barrier of all warpgroups" : "")
               .str();
  }

private:
  /// The stores of `block`, and of loops in it.
  void collect(Block &block, bool repeated) {
    for (Operation &op : block) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        collect(*loop.getBody(), /*repeated=*/true);
      auto tileStore = dyn_cast<tile::StoreOp>(op);
      if (!tileStore)
        continue;
      if (std::optional<Store> store = match(tileStore, repeated))
        stores.push_back(*store);
    }
  }

  /// Whether TMA can store the tile, behind everything that uses rings or from
  /// memory of its own.
  std::optional<Store> match(tile::StoreOp op, bool repeated) {
    VectorType tile = op.getValue().getType();
    MemRefType memory = op.getTarget().getType();
    int64_t rank = memory.getRank();
    if (op.getDims().empty() || !isa<BlockArgument>(op.getTarget()) ||
        rank < kMinRank || rank > kMaxRank ||
        Fragment::perRegister(tile.getElementType()) != 2 ||
        !Fragment::isSupported(tile) || tile.getDimSize(0) == 1)
      return std::nullopt;
    int64_t rowDim = op.getDims()[0], columnDim = op.getDims()[1];
    if (rowDim < 0 || columnDim < 0 || (!repeated && !isBehindRings(op)))
      return std::nullopt;
    int64_t rows = tile.getDimSize(0), columns = tile.getDimSize(1);
    bool transposed = rowDim == rank - 1;
    if ((!transposed && columnDim != rank - 1) ||
        (transposed ? columns : rows) > kMaxBox)
      return std::nullopt;
    // A panel is copied as a whole: what it has beyond the tile must be outside
    // of the tensor.
    int64_t along = transposed ? rows : columns;
    if (along * tile.getElementType().getIntOrFloatBitWidth() %
                (kPanelBytes * 8) !=
            0 &&
        (memory.isDynamicDim(rank - 1) ||
         !isConstantIntValue(op.getIndices().back(), 0) ||
         memory.getDimSize(rank - 1) > along))
      return std::nullopt;
    int64_t all = rows * warpgroups;
    auto buffer = VectorType::get(transposed ? ArrayRef<int64_t>{columns, all}
                                             : ArrayRef<int64_t>{all, columns},
                                  tile.getElementType());
    return Store{op, repeated, transposed, buffer};
  }

  /// Shared memory must live until the copies have read it. Threads that add
  /// tiles to memory wait for all of their copies anyway.
  void awaitCopies() {
    WalkResult reduces =
        block.walk([](hopper::OutReduceOp) { return WalkResult::interrupt(); });
    if (reduces.wasInterrupted())
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(&block);
    if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>())
      builder.setInsertionPoint(&block.back());
    hopper::BulkWaitOp::create(builder, kernel.getLoc());
  }

  bool isBehindRings(tile::StoreOp store) {
    for (Operation *op = store->getNextNode(); op; op = op->getNextNode()) {
      WalkResult result = op->walk([](Operation *nested) {
        bool isUse =
            isa<hopper::RingPutOp, hopper::RingGetOp, hopper::ShareOp,
                hopper::OutPutOp, hopper::OutReduceOp, hopper::WgmmaOp>(nested);
        return isUse ? WalkResult::interrupt() : WalkResult::advance();
      });
      if (result.wasInterrupted())
        return false;
    }
    return true;
  }

  /// Finds a place for the store's tile.
  bool place(Store &store) {
    int64_t bytes = store.bytes(kernel.getContext());
    auto take = [&](int64_t offset) {
      store.offset = offset;
      taken.push_back({offset, offset + bytes});
      memory = std::max(memory, offset + bytes);
      return true;
    };
    auto isTaken = [&](int64_t offset) {
      return llvm::any_of(taken, [&](Interval other) {
        return other.overlaps({offset, offset + bytes});
      });
    };
    if (store.repeated)
      return placeRepeated(store, bytes);
    for (hopper::RingAllocOp ring : rings)
      if (isOwn(ring, store) && !isTaken(*ring.getOffset()))
        return take(*ring.getOffset());
    int64_t behind = behindAll();
    if (allWarpgroupsWork) {
      for (hopper::RingAllocOp ring : rings) {
        int64_t offset = *ring.getOffset();
        if (!ring.getRing().getType().hasPanels() || isTaken(offset) ||
            !isFree({offset, offset + bytes}))
          continue;
        needsAll |= warpgroups > 1;
        return take(offset);
      }
    }
    return behind + bytes <= kSharedMemoryLimit && take(behind);
  }

  /// The first place behind everything in shared memory.
  int64_t behindAll() const {
    return llvm::alignTo(memory, int64_t(kSwizzleBytes));
  }

  /// Finds a place beside the rings or, where there is none, that of another
  /// store of the same loop: each warpgroup writes where it has stored from,
  /// once its copies have read that.
  bool placeRepeated(Store &store, int64_t bytes) {
    auto isOfLoop = [&](const Store &other) {
      return other.op->getBlock() == store.op->getBlock();
    };
    int64_t behind = behindAll();
    if (behind + bytes <= kSharedMemoryLimit) {
      store.offset = behind;
      store.awaitsCopies = llvm::none_of(repeated, isOfLoop);
      memory = behind + bytes;
      repeated.push_back(store);
      return true;
    }
    const auto *other = llvm::find_if(repeated, [&](const Store &candidate) {
      return isOfLoop(candidate) && candidate.buffer == store.buffer &&
             candidate.transposed == store.transposed;
    });
    if (other == repeated.end())
      return false;
    store.offset = other->offset;
    store.awaitsCopies = true;
    return true;
  }

  /// Whether a warpgroup's tile takes the place of rows that only this
  /// warpgroup has used.
  bool isOwn(hopper::RingAllocOp ring, Store &store) {
    hopper::RingType type = ring.getRing().getType();
    if (store.transposed || type.getStages() != 1 ||
        type.getTile() != store.buffer)
      return false;
    int64_t rows = store.op.getValue().getType().getDimSize(0);
    return llvm::all_of(ring->getUsers(), [&](Operation *user) {
      if (isa<hopper::RingPutOp, hopper::RingReleaseOp>(user))
        return true;
      auto get = dyn_cast<hopper::RingGetOp>(user);
      return get && llvm::all_of(get->getUsers(), [&](Operation *use) {
               auto part = dyn_cast<hopper::RowsOp>(use);
               return warpgroups == 1 || isa<hopper::RingReleaseOp>(use) ||
                      (part && isShareOfWarpgroup(part.getOffset(), rows) &&
                       part.getType().getTile().getDimSize(0) == rows);
             });
    });
  }

  /// Whether consumers alone use this part of shared memory, and have stopped
  /// doing so behind a barrier.
  bool isFree(Interval part) {
    int64_t end = 0;
    for (hopper::RingAllocOp ring : rings) {
      end = std::max(end, placeOf(ring).end);
      if (placeOf(ring).overlaps(part) &&
          llvm::any_of(ring->getUsers(),
                       llvm::IsaPred<hopper::OutPutOp, hopper::OutReduceOp>))
        return false;
    }
    return part.end <= end;
  }

  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIntOp::create(builder, kernel.getLoc(), value, 32);
  }

  /// Writes the tile to its place and starts a copy for each panel of it.
  void expand(Store &store) {
    tile::StoreOp op = store.op;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    auto add = [&](Value a, Value b) -> Value {
      return arith::AddIOp::create(builder, loc, a, b);
    };
    auto multiply = [&](Value a, int64_t b) -> Value {
      return arith::MulIOp::create(builder, loc, a, constant(builder, b));
    };
    VectorType tile = op.getValue().getType();
    int64_t rows = tile.getDimSize(0);
    int64_t bufferRows = store.buffer.getDimSize(0);
    Value warpgroup =
        hopper::WarpgroupOp::create(builder, loc, builder.getI32Type());
    Value zero = constant(builder, 0), first = multiply(warpgroup, rows);
    Value base = hopper::SharedAddressOp::create(
        builder, loc, builder.getI32Type(), store.offset);
    auto type =
        hopper::BufferType::get(builder.getContext(), store.buffer, bufferRows);
    Value view = hopper::ViewOp::create(builder, loc, type, base);
    auto syncWarpgroup = [&] {
      hopper::NamedSyncOp::create(
          builder, loc,
          add(warpgroup, constant(builder, kFirstWarpgroupBarrier)),
          kThreadsPerWarpgroup);
    };
    if (store.awaitsCopies) {
      hopper::BulkWaitOp::create(builder, loc);
      syncWarpgroup();
    }
    hopper::BufferStoreOp::create(
        builder, loc, op.getValue(), view, store.transposed ? zero : first,
        store.transposed ? first : zero, /*straight=*/!store.transposed);
    hopper::FenceProxyAsyncOp::create(builder, loc);
    syncWarpgroup();

    // Rows of the buffer are along `down`, its columns along the tensor's last
    // dimension.
    int64_t down = op.getDims()[store.transposed ? 1 : 0];
    int64_t across = op.getDims()[store.transposed ? 0 : 1];
    int64_t height = tile.getDimSize(store.transposed ? 1 : 0);
    int64_t width = tile.getDimSize(store.transposed ? 0 : 1);
    int64_t panelColumns =
        kPanelBytes * 8 / tile.getElementType().getIntOrFloatBitWidth();
    SmallVector<int64_t> box(op.getIndices().size(), 1);
    box[down] = height;
    box[across] = panelColumns;
    Value map = getTensorMap(
        kernel,
        hopper::TensorMapType::get(
            builder.getContext(),
            cast<BlockArgument>(op.getTarget()).getArgNumber(), box),
        loc);
    SmallVector<Value> coordinates =
        llvm::map_to_vector(op.getIndices(), [&](Value index) -> Value {
          return arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                            index);
        });
    // A transposed tile's rows are whole panels.
    int64_t panelBytes = bufferRows * kPanelBytes;
    Value address =
        add(base, multiply(warpgroup, store.transposed
                                          ? rows / panelColumns * panelBytes
                                          : rows * kPanelBytes));
    Value elected = isFirstOf(builder, loc, kThreadsPerWarpgroup);
    Value column = coordinates[across];
    for (int64_t panel = 0; panel * panelColumns < width; ++panel) {
      coordinates[across] =
          add(column, constant(builder, panel * panelColumns));
      hopper::TmaStoreOp::create(
          builder, loc, map,
          add(address, constant(builder, panel * panelBytes)), coordinates,
          elected);
    }
    op.erase();
  }

  tile::KernelOp kernel;
  Block &block;
  int64_t warpgroups;
  bool allWarpgroupsWork;
  SmallVector<hopper::RingAllocOp> rings;
  SmallVector<Store> stores;
  SmallVector<Interval> taken;
  /// Those that have a place of their own in a loop.
  SmallVector<Store> repeated;
  /// Bytes of shared memory.
  int64_t memory = 0;
  /// Whether a tile overwrites what other warpgroups may still read.
  bool needsAll = false;
};

struct StageStoresPass : fa3::impl::StageStoresPassBase<StageStoresPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    int64_t warpgroups = schedule ? schedule.getWarpgroups() : 1;
    Block &entry = kernel.getBody().front();
    auto roles = entry.getOps<hopper::SpecializeOp>();
    if (roles.empty())
      return Stager(kernel, entry, warpgroups, /*allWarpgroupsWork=*/true)
          .run();
    hopper::SpecializeOp specialize = *roles.begin();
    Stager(kernel, specialize.getConsumer().front(), warpgroups,
           /*allWarpgroupsWork=*/!specialize.getActive())
        .run();
  }
};

} // namespace
