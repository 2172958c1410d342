//===- ExpandRings.cpp - Rings become mbarriers, addresses and TMA --------===//
//
// The n-th put and the n-th get of a ring meet in buffer n mod stages, in the
// phase whose parity is (n / stages) mod 2. This pass counts puts and gets
// through the control flow and spells the protocol out.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/EventCounter.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/RingOnes.h"
#include "fa3/Transforms/ShareExpander.h"
#include "fa3/Transforms/TensorMaps.h"
#include "fa3/Transforms/Threads.h"

#include <deque>

#define DEBUG_TYPE "fa3-expand-rings"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDRINGSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kBarrierBytes = 8;
/// Ranks of tensors that tensor maps describe, and TMA's largest box dimension.
constexpr int64_t kMinRank = 2, kMaxRank = 5;
constexpr int64_t kMaxBox = 256;
/// Rows after which the 128-byte swizzle repeats.
constexpr int64_t kAtomRows = 8;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

/// Expands the puts, gets and releases of one ring.
class RingExpander {
public:
  RingExpander(tile::KernelOp kernel, hopper::RingAllocOp ring, Value active)
      : kernel(kernel), ring(ring), type(ring.getRing().getType()),
        active(active) {
    bool reused = false;
    int64_t puts = 0;
    for (Operation *user : ring->getUsers()) {
      auto transpose = dyn_cast<hopper::RingTransposeOp>(user);
      if (isa<hopper::RingPutOp>(user) ||
          (transpose && transpose.getTo() == ring.getRing())) {
        ++puts;
        reused |= user->getParentOfType<scf::ForOp>() != nullptr;
      }
      if (transpose) {
        (transpose.getTo() == ring.getRing() ? isTransposed : isSource) = true;
        transposeWarps = transpose->getParentOfType<hopper::SpecializeOp>()
                             .getTransposeWarps();
      }
    }
    // A ring that is filled no more often than it has buffers needs no
    // handshake in the other direction.
    reusesBuffers = reused || puts > type.getStages();
  }

  /// Lets the buffers ride on the mbarriers of `other`, which is put and got
  /// just before this ring each time: a few bytes need none of their own.
  void ride(RingExpander &other) {
    leader = &other;
    other.riders.push_back(this);
    isReleasedByLeader =
        llvm::all_of(releases(), [&](hopper::RingReleaseOp release) {
          return llvm::any_of(other.releases(),
                              [&](hopper::RingReleaseOp later) {
                                return isShareBetween(release, later);
                              });
        });
  }

  /// Whether the ring's buffers are so small, and go side by side with those of
  /// `other`.
  bool canRide(RingExpander &other, ArrayRef<Block *> roots) {
    if (type.hasPanels() || !other.type.hasPanels() ||
        type.getStages() != other.type.getStages() ||
        reusesBuffers != other.reusesBuffers)
      return false;
    return llvm::all_of(roots, [&](Block *root) {
      return follow<hopper::RingPutOp>(other, *root) &&
             follow<hopper::RingGetOp>(other, *root);
    });
  }

  /// Enters the ring's puts or gets in `root`, one of the roles.
  void count(EventCounter &counter, Block &root) {
    counter.add(eventsIn<hopper::RingPutOp>(root),
                [this](Operation *op, Value number) {
                  expandPut(cast<hopper::RingPutOp>(op), number);
                });
    counter.add(eventsIn<hopper::RingGetOp>(root),
                [this](Operation *op, Value number) {
                  expandGet(cast<hopper::RingGetOp>(op), number);
                });
  }

  void expandReleases() {
    for (hopper::RingReleaseOp release : releases())
      expandRelease(release);
  }

  /// The ring that `to` is filled from, or null.
  static Value sourceOf(hopper::RingAllocOp to) {
    for (Operation *user : to->getUsers())
      if (auto transpose = dyn_cast<hopper::RingTransposeOp>(user);
          transpose && transpose.getTo() == to.getRing())
        return transpose.getFrom();
    return {};
  }

  bool isOf(Value value) { return ring.getRing() == value; }

  /// Enters the transpositions to this ring's buffers in `root`. Those of
  /// `source` are the next ones each time, too.
  void countTransposes(EventCounter &counter, Block &root,
                       RingExpander &source) {
    SmallVector<Operation *> events;
    root.walk<WalkOrder::PreOrder>([&](hopper::RingTransposeOp op) {
      if (op.getTo() == ring.getRing())
        events.push_back(op);
    });
    counter.add(events, [this, &source](Operation *op, Value number) {
      expandTranspose(cast<hopper::RingTransposeOp>(op), number, source);
    });
  }

  /// Initialises the ring's mbarriers; executed by one thread.
  void initialise(OpBuilder &builder) {
    if (leader)
      return;
    int64_t releases = releasesPerWarpgroup();
    for (RingExpander *rider : riders)
      releases += rider->releasesPerWarpgroup();
    for (int64_t stage = 0; stage < type.getStages(); ++stage) {
      initialise(builder, stage, isTransposed ? transposeWarps : 1);
      if (reusesBuffers && isSource)
        initialise(builder, type.getStages() + stage, transposeWarps);
      else if (reusesBuffers)
        initialise(builder, type.getStages() + stage,
                   ring.getConsumers() * releases,
                   countReleases(builder, releases));
    }
  }

private:
  SmallVector<hopper::RingReleaseOp> releases() {
    SmallVector<hopper::RingReleaseOp> result;
    for (Operation *user : ring->getUsers())
      if (auto release = dyn_cast<hopper::RingReleaseOp>(user))
        result.push_back(release);
    return result;
  }

  /// A share in between orders all threads' reads before the leader's release,
  /// which then stands for both: it has a fence and a barrier.
  static bool isShareBetween(Operation *release, Operation *later) {
    if (release->getBlock() != later->getBlock() ||
        !release->isBeforeInBlock(later))
      return false;
    for (Operation *op = release; op != later; op = op->getNextNode())
      if (isa<hopper::ShareOp>(op))
        return true;
    return false;
  }

  template <typename EventOp> SmallVector<Operation *> eventsIn(Block &root) {
    SmallVector<Operation *> events;
    root.walk<WalkOrder::PreOrder>([&](EventOp event) {
      if (event.getRing().getDefiningOp() == ring.getOperation())
        events.push_back(event);
    });
    return events;
  }

  void initialise(OpBuilder &builder, int64_t index, int64_t count,
                  Value active = {}) {
    Value address = hopper::SharedAddressOp::create(
        builder, ring.getLoc(), builder.getI32Type(),
        *ring.getBarriers() + index * kBarrierBytes);
    hopper::MbarrierInitOp::create(builder, ring.getLoc(), address, count,
                                   active);
  }

  /// A warpgroup's products are done together; its threads' reads are not, so
  /// that each warp releases what threads read.
  int64_t releasesPerWarpgroup() {
    return type.hasPanels() ? 1 : isReleasedByLeader ? 0 : kWarpsPerWarpgroup;
  }

  /// Arrivals that release a buffer, where not all warpgroups work.
  Value countReleases(OpBuilder &builder, int64_t perWarpgroup) {
    if (!active || perWarpgroup == 1)
      return active;
    Value count = constant(builder, ring.getLoc(), perWarpgroup);
    return arith::MulIOp::create(builder, ring.getLoc(), active, count);
  }

  /// Whether each of the ring's events comes right behind one of `other`.
  template <typename EventOp> bool follow(RingExpander &other, Block &root) {
    SmallVector<Operation *> first = other.eventsIn<EventOp>(root);
    SmallVector<Operation *> then = eventsIn<EventOp>(root);
    return EventCounter::advanceTogether(first, then) &&
           llvm::all_of(llvm::zip(first, then), [](auto pair) {
             return std::get<0>(pair)->isBeforeInBlock(std::get<1>(pair));
           });
  }

  Value slotOf(OpBuilder &builder, Location loc, Value number) {
    return arith::RemUIOp::create(builder, loc, number,
                                  constant(builder, loc, type.getStages()));
  }

  /// Parity of the phase that the number-th use of a buffer completes.
  Value parityOf(OpBuilder &builder, Location loc, Value number) {
    Value round = arith::DivUIOp::create(
        builder, loc, number, constant(builder, loc, type.getStages()));
    return arith::AndIOp::create(builder, loc, round,
                                 constant(builder, loc, 1));
  }

  Value addressOf(OpBuilder &builder, Location loc, int64_t offset,
                  int64_t bytes, Value slot) {
    Value base = hopper::SharedAddressOp::create(builder, loc,
                                                 builder.getI32Type(), offset);
    Value distance = arith::MulIOp::create(builder, loc, slot,
                                           constant(builder, loc, bytes));
    return arith::AddIOp::create(builder, loc, base, distance);
  }

  Value fullBarrier(OpBuilder &builder, Location loc, Value slot) {
    if (leader)
      return leader->fullBarrier(builder, loc, slot);
    return addressOf(builder, loc, *ring.getBarriers(), kBarrierBytes, slot);
  }
  Value emptyBarrier(OpBuilder &builder, Location loc, Value slot) {
    if (leader)
      return leader->emptyBarrier(builder, loc, slot);
    return addressOf(builder, loc,
                     *ring.getBarriers() + type.getStages() * kBarrierBytes,
                     kBarrierBytes, slot);
  }
  Value bufferAddress(OpBuilder &builder, Location loc, Value slot) {
    return addressOf(builder, loc, *ring.getOffset(), bufferStride(type), slot);
  }

  void awaitEmpty(OpBuilder &builder, Location loc, Value number, Value slot) {
    if (!reusesBuffers)
      return;
    // The first round passes at once: a fresh mbarrier is in phase 0, so the
    // phase before it counts as complete.
    Value parity =
        arith::XOrIOp::create(builder, loc, parityOf(builder, loc, number),
                              constant(builder, loc, 1));
    hopper::MbarrierWaitOp::create(builder, loc,
                                   emptyBarrier(builder, loc, slot), parity);
  }

  void awaitFull(OpBuilder &builder, Location loc, Value number, Value slot) {
    hopper::MbarrierWaitOp::create(builder, loc,
                                   fullBarrier(builder, loc, slot),
                                   parityOf(builder, loc, number));
  }

  Value bufferView(OpBuilder &builder, Location loc, Value slot) {
    auto view = hopper::BufferType::get(builder.getContext(), type.getTile(),
                                        type.getTile().getDimSize(0));
    return hopper::ViewOp::create(builder, loc, view,
                                  bufferAddress(builder, loc, slot));
  }

  /// Each of the role's warps has a part of the tile. Its reads of the one
  /// buffer come before the async proxy's next write, its writes to the other
  /// one before the async proxy's reads.
  void expandTranspose(hopper::RingTransposeOp op, Value number,
                       RingExpander &source) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value from = source.slotOf(builder, loc, number);
    Value to = slotOf(builder, loc, number);
    source.awaitFull(builder, loc, number, from);
    awaitEmpty(builder, loc, number, to);
    hopper::BufferTransposeOp::create(builder, loc,
                                      source.bufferView(builder, loc, from),
                                      bufferView(builder, loc, to));
    hopper::FenceProxyAsyncOp::create(builder, loc);
    hopper::WarpSyncOp::create(builder, loc);
    Value elected = isFirstOf(builder, loc, kThreadsPerWarp);
    hopper::MbarrierArriveOp::create(builder, loc,
                                     fullBarrier(builder, loc, to), elected);
    if (source.reusesBuffers)
      hopper::MbarrierArriveOp::create(
          builder, loc, source.emptyBarrier(builder, loc, from), elected);
    op.erase();
  }

  void expandPut(hopper::RingPutOp put, Value number) {
    OpBuilder builder(put);
    Location loc = put.getLoc();
    Value map = tensorMap(put);
    // Without roles, one thread of the consumers does the producer's work.
    if (!put->getParentOfType<hopper::SpecializeOp>()) {
      Value thread =
          hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
      Value elected =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, thread,
                                constant(builder, loc, 0));
      auto ifOp = scf::IfOp::create(builder, loc, elected);
      builder.setInsertionPointToStart(ifOp.thenBlock());
    }
    Value slot = slotOf(builder, loc, number);
    if (!leader)
      awaitEmpty(builder, loc, number, slot);
    Value full = fullBarrier(builder, loc, slot);
    if (!leader) {
      int64_t bytes = loadedBytes(ring);
      for (RingExpander *rider : riders)
        bytes += rider->type.getStageBytes();
      hopper::MbarrierExpectOp::create(builder, loc, full, bytes,
                                       /*predicate=*/nullptr);
    }
    Value buffer = bufferAddress(builder, loc, slot);
    if (type.hasPanels())
      copyPanels(builder, put, map, buffer, full);
    else
      hopper::TmaLoadOp::create(builder, loc, map, buffer, full,
                                castIndices(builder, put),
                                /*predicate=*/nullptr);
    put.erase();
  }

  SmallVector<Value> castIndices(OpBuilder &builder, hopper::RingPutOp put) {
    return llvm::map_to_vector(put.getIndices(), [&](Value index) -> Value {
      return arith::IndexCastOp::create(builder, put.getLoc(),
                                        builder.getI32Type(), index);
    });
  }

  /// One copy for each panel and each run of rows that fits a TMA box.
  void copyPanels(OpBuilder &builder, hopper::RingPutOp put, Value map,
                  Value buffer, Value full) {
    Location loc = put.getLoc();
    VectorType tile = type.getTile();
    int64_t rows = tile.getDimSize(0);
    int64_t boxRows = getBoxRows();
    SmallVector<Value> base = castIndices(builder, put);
    for (int64_t column = 0, panel = 0; column < tile.getDimSize(1);
         column += type.getPanelColumns(), ++panel)
      for (int64_t row = 0; row < loadedRows(ring); row += boxRows) {
        SmallVector<Value> coordinates = base;
        shift(builder, loc, coordinates[put.getDims()[0]], row);
        shift(builder, loc, coordinates[put.getDims()[1]], column);
        Value address = arith::AddIOp::create(
            builder, loc, buffer,
            constant(builder, loc, (panel * rows + row) * kPanelBytes));
        hopper::TmaLoadOp::create(builder, loc, map, address, full, coordinates,
                                  /*predicate=*/nullptr);
      }
  }

  /// Rows of one copy: all of the tile's or an equal part of them that starts
  /// on a swizzle atom.
  int64_t getBoxRows() {
    int64_t rows = loadedRows(ring);
    int64_t boxRows = rows;
    for (int64_t parts = 2; boxRows > kMaxBox; ++parts)
      if (rows % (parts * kAtomRows) == 0)
        boxRows = rows / parts;
    return boxRows;
  }

  void shift(OpBuilder &builder, Location loc, Value &value, int64_t by) {
    if (by != 0)
      value = arith::AddIOp::create(builder, loc, value,
                                    constant(builder, loc, by));
  }

  /// The kernel argument that describes the put's tensor and box.
  Value tensorMap(hopper::RingPutOp put) {
    auto source = cast<BlockArgument>(put.getSource());
    SmallVector<int64_t> box(cast<MemRefType>(source.getType()).getRank(), 1);
    if (type.hasPanels()) {
      box[put.getDims()[0]] = getBoxRows();
      box[put.getDims()[1]] = type.getPanelColumns();
    } else {
      box.back() = type.getTile().getNumElements();
    }
    auto mapType = hopper::TensorMapType::get(
        put.getContext(), source.getArgNumber(), box, type.hasPanels());
    return getTensorMap(kernel, mapType, put.getLoc());
  }

  void expandGet(hopper::RingGetOp get, Value number) {
    OpBuilder builder(get);
    Location loc = get.getLoc();
    Value slot = slotOf(builder, loc, number);
    slots[get.getBuffer()] = slot;
    if (!leader)
      awaitFull(builder, loc, number, slot);
    Value view = bufferView(builder, loc, slot);
    slots[view] = slot;
    get.getBuffer().replaceAllUsesWith(view);
    get.erase();
  }

  /// One thread of each warpgroup, or of each warp, arrives at the buffer's
  /// empty mbarrier.
  void expandRelease(hopper::RingReleaseOp release) {
    if (reusesBuffers && !isReleasedByLeader) {
      OpBuilder builder(release);
      Location loc = release.getLoc();
      if (!type.hasPanels()) {
        // Threads' reads come before the async proxy's next write.
        hopper::FenceProxyAsyncOp::create(builder, loc);
        hopper::WarpSyncOp::create(builder, loc);
      }
      Value elected =
          isFirstOf(builder, loc,
                    type.hasPanels() ? kThreadsPerWarpgroup : kThreadsPerWarp);
      hopper::MbarrierArriveOp::create(
          builder, loc,
          emptyBarrier(builder, loc, slots.lookup(release.getBuffer())),
          elected);
    }
    release.erase();
  }

  tile::KernelOp kernel;
  hopper::RingAllocOp ring;
  hopper::RingType type;
  /// Number of warpgroups that release a buffer, where it is not known before
  /// the kernel runs.
  Value active;
  bool reusesBuffers;
  /// Whether buffers are transposed from another ring's, or to another ring's.
  bool isTransposed = false, isSource = false;
  int64_t transposeWarps = 0;
  /// The ring whose mbarriers are this one's, and those that use this one's.
  RingExpander *leader = nullptr;
  SmallVector<RingExpander *> riders;
  bool isReleasedByLeader = false;
  DenseMap<Value, Value> slots;
};

/// Whether the ring's uses can be counted and expanded.
LogicalResult check(hopper::RingAllocOp ring) {
  if (!ring.getOffset() || (isLoaded(ring) && !ring.getBarriers()))
    return ring.emitError("the ring has no place in shared memory: run "
                          "fa3-allocate-shared-memory first");
  for (Operation *user : ring->getUsers()) {
    for (Operation *op = user->getParentOp(); !isa<tile::KernelOp>(op);
         op = op->getParentOp())
      if (!isa<scf::ForOp, scf::IfOp, hopper::SpecializeOp>(op)) {
        InFlightDiagnostic diagnostic = user->emitError(
            "a ring must be used in scf.for and scf.if only: its puts and gets "
            "are counted through them");
        diagnostic.attachNote(op->getLoc()) << "enclosed by this operation";
        return diagnostic;
      }
    if (isa<hopper::RingTransposeOp>(user) &&
        !user->getParentOfType<hopper::SpecializeOp>())
      return user->emitError("a ring is transposed by a role of its own: run "
                             "fa3-specialize-warps first");
    auto put = dyn_cast<hopper::RingPutOp>(user);
    if (!put)
      continue;
    auto source = dyn_cast<BlockArgument>(put.getSource());
    if (!source || !isa<tile::KernelOp>(source.getOwner()->getParentOp()))
      return put.emitError("TMA loads from an argument of the kernel only");
    int64_t rank = cast<MemRefType>(source.getType()).getRank();
    if (rank < kMinRank || rank > kMaxRank)
      return put.emitError("TMA loads from tensors of rank 2 to 5 only, not ")
             << rank;
    int64_t last = rank - 1;
    ArrayRef<int64_t> dims = put.getDims();
    VectorType tile = ring.getRing().getType().getTile();
    if (ring.getRing().getType().hasPanels()) {
      if (dims[0] < 0 || dims[1] != last)
        return put.emitError("TMA loads rows of a tensor whose columns run "
                             "along its last dimension only");
    } else if (tile.getDimSize(0) == 1
                   ? dims[1] != last
                   : tile.getDimSize(1) != 1 || dims[0] != last) {
      return put.emitError("TMA loads a row or a column of f32 along the "
                           "tensor's last dimension only");
    }
  }
  return success();
}

struct ExpandRingsPass : fa3::impl::ExpandRingsPassBase<ExpandRingsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    Block &entry = kernel.getBody().front();
    SmallVector<hopper::RingAllocOp> rings, shared;
    for (auto ring : entry.getOps<hopper::RingAllocOp>())
      (isLoaded(ring) ? rings : shared).push_back(ring);
    llvm::erase_if(shared, [](hopper::RingAllocOp ring) {
      return !llvm::all_of(ring->getUsers(), llvm::IsaPred<hopper::ShareOp>);
    });
    if (rings.empty() && shared.empty())
      return;
    for (hopper::RingAllocOp ring :
         llvm::concat<hopper::RingAllocOp>(rings, shared))
      if (failed(check(ring)))
        return signalPassFailure();

    // Before the roles part, when the number of working warpgroups is known.
    auto roles = entry.getOps<hopper::SpecializeOp>();
    OpBuilder builder = OpBuilder::atBlockBegin(&entry);
    if (!roles.empty())
      builder.setInsertionPoint(*roles.begin());
    Location loc = kernel.getLoc();
    Value thread =
        hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
    Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        thread, constant(builder, loc, 0));
    auto once = scf::IfOp::create(builder, loc, first);
    auto sync = hopper::CtaSyncOp::create(builder, loc);
    Value active;
    SmallVector<Block *> roots{&entry};
    if (!roles.empty()) {
      hopper::SpecializeOp specialize = *roles.begin();
      active = specialize.getActive();
      roots = {&specialize.getProducer().front(),
               &specialize.getConsumer().front()};
      if (!specialize.getTranspose().empty())
        roots.push_back(&specialize.getTranspose().front());
    }
    std::deque<RingExpander> expanders;
    for (hopper::RingAllocOp ring : rings)
      expanders.emplace_back(kernel, ring, active);
    for (RingExpander &rider : expanders)
      for (RingExpander &other : llvm::reverse(expanders))
        if (rider.canRide(other, roots)) {
          rider.ride(other);
          break;
        }
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    std::deque<ShareExpander> shareExpanders;
    for (hopper::RingAllocOp ring : shared)
      shareExpanders.emplace_back(ring,
                                  schedule ? schedule.getWarpgroups() : 1);
    for (Block *root : roots) {
      EventCounter counter(*root);
      for (auto [ring, expander] : llvm::zip_equal(rings, expanders)) {
        expander.count(counter, *root);
        if (Value source = RingExpander::sourceOf(ring))
          expander.countTransposes(
              counter, *root,
              *llvm::find_if(expanders, [&](RingExpander &other) {
                return other.isOf(source);
              }));
      }
      for (ShareExpander &expander : shareExpanders)
        expander.count(counter, *root);
      counter.count();
    }
    for (RingExpander &expander : expanders) {
      expander.expandReleases();
      builder.setInsertionPoint(once.thenBlock()->getTerminator());
      expander.initialise(builder);
    }
    builder.setInsertionPoint(sync);
    writeOnes(builder, thread, rings);
    for (hopper::RingAllocOp ring :
         llvm::concat<hopper::RingAllocOp>(rings, shared))
      ring.erase();
    builder.setInsertionPoint(once.thenBlock()->getTerminator());
    hopper::FenceMbarrierInitOp::create(builder, loc);
  }
};

} // namespace
