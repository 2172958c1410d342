//===- RingExpander.cpp - mbarriers, addresses and TMA of one ring --------===//

#include "fa3/Transforms/RingExpander.h"

#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/TensorMaps.h"
#include "fa3/Transforms/Threads.h"

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kBarrierBytes = 8;
/// TMA's largest box dimension.
constexpr int64_t kMaxBox = 256;
/// Rows after which the 128-byte swizzle repeats.
constexpr int64_t kAtomRows = 8;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

/// The ring whose buffers an event gets or fills.
template <typename EventOp> Value ringOf(EventOp event) {
  return event.getRing();
}
Value ringOf(hopper::RingTransposeOp event) { return event.getTo(); }

} // namespace

RingExpander::RingExpander(tile::KernelOp kernel, hopper::RingAllocOp ring,
                           Value active)
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
    if (transpose)
      transposeWarps = transpose->getParentOfType<hopper::SpecializeOp>()
                           .getTransposeWarps();
  }
  // A ring that is filled no more often than it has buffers needs no
  // handshake in the other direction.
  reusesBuffers = reused || puts > type.getStages();
}

template <typename EventOp>
SmallVector<Operation *> RingExpander::eventsIn(Block &root) {
  SmallVector<Operation *> events;
  root.walk<WalkOrder::PreOrder>([&](EventOp event) {
    if (ringOf(event) == ring.getRing())
      events.push_back(event);
  });
  return events;
}

template <typename EventOp>
bool RingExpander::follow(RingExpander &other, Block &root) {
  SmallVector<Operation *> first = other.eventsIn<EventOp>(root);
  SmallVector<Operation *> then = eventsIn<EventOp>(root);
  return EventCounter::advanceTogether(first, then) &&
         llvm::all_of(llvm::zip(first, then), [](auto pair) {
           return std::get<0>(pair)->isBeforeInBlock(std::get<1>(pair));
         });
}

void RingExpander::ride(RingExpander &other) {
  leader = &other;
  other.riders.push_back(this);
  isReleasedByLeader =
      llvm::all_of(releases(), [&](hopper::RingReleaseOp release) {
        return llvm::any_of(other.releases(), [&](hopper::RingReleaseOp later) {
          return isShareBetween(release, later);
        });
      });
}

bool RingExpander::canRide(RingExpander &other, ArrayRef<Block *> roots) {
  if (type.hasPanels() || !other.type.hasPanels() ||
      type.getStages() != other.type.getStages() ||
      reusesBuffers != other.reusesBuffers)
    return false;
  return llvm::all_of(roots, [&](Block *root) {
    return follow<hopper::RingPutOp>(other, *root) &&
           follow<hopper::RingGetOp>(other, *root);
  });
}

bool RingExpander::isTransposedFrom(RingExpander &other) {
  return llvm::any_of(ring->getUsers(), [&](Operation *user) {
    auto transpose = dyn_cast<hopper::RingTransposeOp>(user);
    return transpose && transpose.getTo() == ring.getRing() &&
           transpose.getFrom() == other.ring.getRing();
  });
}

void RingExpander::transposeFrom(RingExpander &other) {
  source = &other;
  other.isSource = true;
}

void RingExpander::count(EventCounter &counter, Block &root) {
  counter.add(eventsIn<hopper::RingPutOp>(root),
              [this](Operation *op, Value number) {
                expandPut(cast<hopper::RingPutOp>(op), number);
              });
  counter.add(eventsIn<hopper::RingGetOp>(root),
              [this](Operation *op, Value number) {
                expandGet(cast<hopper::RingGetOp>(op), number);
              });
  counter.add(eventsIn<hopper::RingTransposeOp>(root),
              [this](Operation *op, Value number) {
                expandTranspose(cast<hopper::RingTransposeOp>(op), number);
              });
}

void RingExpander::expandReleases() {
  for (hopper::RingReleaseOp release : releases())
    expandRelease(release);
}

void RingExpander::initialise(OpBuilder &builder) {
  if (leader)
    return;
  int64_t releases = releasesPerWarpgroup();
  for (RingExpander *rider : riders)
    releases += rider->releasesPerWarpgroup();
  for (int64_t stage = 0; stage < type.getStages(); ++stage) {
    initialise(builder, stage, source ? transposeWarps : 1);
    if (reusesBuffers && isSource)
      initialise(builder, type.getStages() + stage, transposeWarps);
    else if (reusesBuffers)
      initialise(builder, type.getStages() + stage,
                 ring.getConsumers() * releases,
                 countReleases(builder, releases));
  }
}

SmallVector<hopper::RingReleaseOp> RingExpander::releases() {
  SmallVector<hopper::RingReleaseOp> result;
  for (Operation *user : ring->getUsers())
    if (auto release = dyn_cast<hopper::RingReleaseOp>(user))
      result.push_back(release);
  return result;
}

bool RingExpander::isShareBetween(Operation *release, Operation *later) {
  if (release->getBlock() != later->getBlock() ||
      !release->isBeforeInBlock(later))
    return false;
  for (Operation *op = release; op != later; op = op->getNextNode())
    if (isa<hopper::ShareOp>(op))
      return true;
  return false;
}

void RingExpander::initialise(OpBuilder &builder, int64_t index, int64_t count,
                              Value active) {
  Value address = hopper::SharedAddressOp::create(
      builder, ring.getLoc(), builder.getI32Type(),
      *ring.getBarriers() + index * kBarrierBytes);
  hopper::MbarrierInitOp::create(builder, ring.getLoc(), address, count,
                                 active);
}

int64_t RingExpander::releasesPerWarpgroup() {
  return type.hasPanels() ? 1 : isReleasedByLeader ? 0 : kWarpsPerWarpgroup;
}

Value RingExpander::countReleases(OpBuilder &builder, int64_t perWarpgroup) {
  if (!active || perWarpgroup == 1)
    return active;
  Value count = constant(builder, ring.getLoc(), perWarpgroup);
  return arith::MulIOp::create(builder, ring.getLoc(), active, count);
}

Value RingExpander::slotOf(OpBuilder &builder, Location loc, Value number) {
  return arith::RemUIOp::create(builder, loc, number,
                                constant(builder, loc, type.getStages()));
}

Value RingExpander::parityOf(OpBuilder &builder, Location loc, Value number) {
  Value round = arith::DivUIOp::create(
      builder, loc, number, constant(builder, loc, type.getStages()));
  return arith::AndIOp::create(builder, loc, round, constant(builder, loc, 1));
}

Value RingExpander::addressOf(OpBuilder &builder, Location loc, int64_t offset,
                              int64_t bytes, Value slot) {
  Value base = hopper::SharedAddressOp::create(builder, loc,
                                               builder.getI32Type(), offset);
  Value distance =
      arith::MulIOp::create(builder, loc, slot, constant(builder, loc, bytes));
  return arith::AddIOp::create(builder, loc, base, distance);
}

Value RingExpander::fullBarrier(OpBuilder &builder, Location loc, Value slot) {
  if (leader)
    return leader->fullBarrier(builder, loc, slot);
  return addressOf(builder, loc, *ring.getBarriers(), kBarrierBytes, slot);
}

Value RingExpander::emptyBarrier(OpBuilder &builder, Location loc, Value slot) {
  if (leader)
    return leader->emptyBarrier(builder, loc, slot);
  return addressOf(builder, loc,
                   *ring.getBarriers() + type.getStages() * kBarrierBytes,
                   kBarrierBytes, slot);
}

Value RingExpander::bufferAddress(OpBuilder &builder, Location loc,
                                  Value slot) {
  return addressOf(builder, loc, *ring.getOffset(), bufferStride(type), slot);
}

void RingExpander::awaitEmpty(OpBuilder &builder, Location loc, Value number,
                              Value slot) {
  if (!reusesBuffers)
    return;
  // The first round passes at once: a fresh mbarrier is in phase 0, so the
  // phase before it counts as complete.
  Value parity = arith::XOrIOp::create(
      builder, loc, parityOf(builder, loc, number), constant(builder, loc, 1));
  hopper::MbarrierWaitOp::create(builder, loc, emptyBarrier(builder, loc, slot),
                                 parity);
}

void RingExpander::awaitFull(OpBuilder &builder, Location loc, Value number,
                             Value slot) {
  hopper::MbarrierWaitOp::create(builder, loc, fullBarrier(builder, loc, slot),
                                 parityOf(builder, loc, number));
}

Value RingExpander::bufferView(OpBuilder &builder, Location loc, Value slot) {
  auto view = hopper::BufferType::get(builder.getContext(), type.getTile(),
                                      type.getTile().getDimSize(0));
  return hopper::ViewOp::create(builder, loc, view,
                                bufferAddress(builder, loc, slot));
}

void RingExpander::expandTranspose(hopper::RingTransposeOp op, Value number) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value from = source->slotOf(builder, loc, number);
  Value to = slotOf(builder, loc, number);
  source->awaitFull(builder, loc, number, from);
  awaitEmpty(builder, loc, number, to);
  hopper::BufferTransposeOp::create(builder, loc,
                                    source->bufferView(builder, loc, from),
                                    bufferView(builder, loc, to));
  hopper::FenceProxyAsyncOp::create(builder, loc);
  hopper::WarpSyncOp::create(builder, loc);
  Value elected = isFirstOf(builder, loc, kThreadsPerWarp);
  hopper::MbarrierArriveOp::create(builder, loc, fullBarrier(builder, loc, to),
                                   elected);
  if (source->reusesBuffers)
    hopper::MbarrierArriveOp::create(
        builder, loc, source->emptyBarrier(builder, loc, from), elected);
  op.erase();
}

void RingExpander::expandPut(hopper::RingPutOp put, Value number) {
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

SmallVector<Value> RingExpander::castIndices(OpBuilder &builder,
                                             hopper::RingPutOp put) {
  return llvm::map_to_vector(put.getIndices(), [&](Value index) -> Value {
    return arith::IndexCastOp::create(builder, put.getLoc(),
                                      builder.getI32Type(), index);
  });
}

void RingExpander::copyPanels(OpBuilder &builder, hopper::RingPutOp put,
                              Value map, Value buffer, Value full) {
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

int64_t RingExpander::getBoxRows() {
  int64_t rows = loadedRows(ring);
  int64_t boxRows = rows;
  for (int64_t parts = 2; boxRows > kMaxBox; ++parts)
    if (rows % (parts * kAtomRows) == 0)
      boxRows = rows / parts;
  return boxRows;
}

void RingExpander::shift(OpBuilder &builder, Location loc, Value &value,
                         int64_t by) {
  if (by != 0)
    value =
        arith::AddIOp::create(builder, loc, value, constant(builder, loc, by));
}

Value RingExpander::tensorMap(hopper::RingPutOp put) {
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

void RingExpander::expandGet(hopper::RingGetOp get, Value number) {
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

/// Whether a product that was issued behind `get` has been waited for on every
/// path to `release`: all warps of the warpgroup have issued it, so they have
/// seen the buffer full.
static bool isBehindProduct(hopper::RingReleaseOp release, Operation *get) {
  auto isIssuedBehind = [get](hopper::WgmmaOp product) {
    Operation *ancestor =
        product ? get->getBlock()->findAncestorOpInBlock(*product) : nullptr;
    return ancestor && get->isBeforeInBlock(ancestor);
  };
  for (Operation *at = release; at; at = at->getParentOp()) {
    for (Operation *op = at->getPrevNode(); op && op != get;
         op = op->getPrevNode())
      if (auto wait = dyn_cast<hopper::WaitOp>(op))
        if (isIssuedBehind(wait.getPending().getDefiningOp<hopper::WgmmaOp>()))
          return true;
    if (at->getBlock() == get->getBlock())
      break;
  }
  return false;
}

void RingExpander::expandRelease(hopper::RingReleaseOp release) {
  if (reusesBuffers && !isReleasedByLeader) {
    OpBuilder builder(release);
    Location loc = release.getLoc();
    if (!type.hasPanels()) {
      // Threads' reads come before the async proxy's next write.
      hopper::FenceProxyAsyncOp::create(builder, loc);
      hopper::WarpSyncOp::create(builder, loc);
    } else if (!isBehindProduct(release, release.getBuffer().getDefiningOp())) {
      // One thread arrives for its warpgroup. A warp that still waits for the
      // buffer must not see it refilled: it would wait for that phase's end.
      Value warpgroup =
          hopper::WarpgroupOp::create(builder, loc, builder.getI32Type());
      Value barrier =
          arith::AddIOp::create(builder, loc, warpgroup,
                                constant(builder, loc, kFirstWarpgroupBarrier));
      hopper::NamedSyncOp::create(builder, loc, barrier, kThreadsPerWarpgroup);
    }
    Value elected =
        isFirstOf(builder, loc,
                  type.hasPanels() ? kThreadsPerWarpgroup : kThreadsPerWarp);
    hopper::MbarrierArriveOp::create(
        builder, loc,
        emptyBarrier(builder, loc, slots.lookup(release.getBuffer())), elected);
  }
  release.erase();
}
