//===- ExpandRings.cpp - Rings become mbarriers, addresses and TMA --------===//
//
// The n-th put and the n-th get of a ring meet in buffer n mod stages, in the
// phase whose parity is (n / stages) mod 2. This pass counts puts and gets
// through the control flow and spells the protocol out.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "fa3-expand-rings"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDRINGSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kBarrierBytes = 8;
constexpr int64_t kThreadsPerWarpgroup = 128;
/// TMA's largest box dimension.
constexpr int64_t kMaxBox = 256;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

/// Hands every event of a block, in program order, the number of events before
/// it, as a value carried through loops and conditionals.
class EventCounter {
public:
  using IsEvent = function_ref<bool(Operation *)>;
  using OnEvent = function_ref<void(Operation *, Value)>;

  EventCounter(IsEvent isEvent, OnEvent onEvent)
      : isEvent(isEvent), onEvent(onEvent) {}

  Value count(Block &block, Value number) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isEvent(&op)) {
        OpBuilder builder(&op);
        builder.setInsertionPointAfter(&op);
        Value one = constant(builder, op.getLoc(), 1);
        Value next = arith::AddIOp::create(builder, op.getLoc(), number, one);
        onEvent(&op, number);
        number = next;
        continue;
      }
      if (!containsEvent(op))
        continue;
      if (auto loop = dyn_cast<scf::ForOp>(op))
        number = countLoop(loop, number);
      else if (auto ifOp = dyn_cast<scf::IfOp>(op))
        number = countIf(ifOp, number);
    }
    return number;
  }

private:
  bool containsEvent(Operation &op) {
    return op
        .walk([&](Operation *nested) {
          return isEvent(nested) ? WalkResult::interrupt()
                                 : WalkResult::advance();
        })
        .wasInterrupted();
  }

  Value countLoop(scf::ForOp loop, Value number) {
    IRRewriter rewriter(loop);
    auto counted = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
        rewriter, number, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &, Location, ArrayRef<BlockArgument> added) {
          return SmallVector<Value>{added.front()};
        }));
    Value last = count(*counted.getBody(), counted.getRegionIterArgs().back());
    auto yield = counted.getBody()->getTerminator();
    yield->setOperand(yield->getNumOperands() - 1, last);
    return counted.getResults().back();
  }

  Value countIf(scf::IfOp ifOp, Value number) {
    OpBuilder builder(ifOp);
    SmallVector<Type> types(ifOp.getResultTypes());
    types.push_back(number.getType());
    auto counted =
        scf::IfOp::create(builder, ifOp.getLoc(), types, ifOp.getCondition(),
                          /*addThenBlock=*/false, /*addElseBlock=*/false);
    counted.getThenRegion().takeBody(ifOp.getThenRegion());
    if (ifOp.getElseRegion().empty()) {
      builder.setInsertionPointToEnd(&counted.getElseRegion().emplaceBlock());
      scf::YieldOp::create(builder, ifOp.getLoc());
    } else {
      counted.getElseRegion().takeBody(ifOp.getElseRegion());
    }
    for (Region *region :
         {&counted.getThenRegion(), &counted.getElseRegion()}) {
      Value last = count(region->front(), number);
      Operation *yield = region->front().getTerminator();
      yield->insertOperands(yield->getNumOperands(), last);
    }
    ifOp.replaceAllUsesWith(counted.getResults().drop_back());
    ifOp.erase();
    return counted.getResults().back();
  }

  IsEvent isEvent;
  OnEvent onEvent;
};

/// Expands the puts, gets and releases of one ring.
class RingExpander {
public:
  RingExpander(tile::KernelOp kernel, hopper::RingAllocOp ring)
      : kernel(kernel), ring(ring), type(ring.getRing().getType()) {
    bool reused = false;
    int64_t puts = 0;
    for (Operation *user : ring->getUsers())
      if (isa<hopper::RingPutOp>(user)) {
        ++puts;
        reused |= user->getParentOfType<scf::ForOp>() != nullptr;
      }
    // A ring that is filled no more often than it has buffers needs no
    // handshake in the other direction.
    reusesBuffers = reused || puts > type.getStages();
  }

  void expand(Block &entry) {
    SmallVector<Block *> roots = rootsOf(entry);
    for (Block *root : roots) {
      countEvents<hopper::RingPutOp>(*root, [&](Operation *op, Value number) {
        expandPut(cast<hopper::RingPutOp>(op), number);
      });
      countEvents<hopper::RingGetOp>(*root, [&](Operation *op, Value number) {
        expandGet(cast<hopper::RingGetOp>(op), number);
      });
    }
    for (Operation *user : llvm::make_early_inc_range(ring->getUsers()))
      expandRelease(cast<hopper::RingReleaseOp>(user));
  }

  /// Initialises the ring's mbarriers; executed by one thread.
  void initialise(OpBuilder &builder) {
    for (int64_t stage = 0; stage < type.getStages(); ++stage) {
      initialise(builder, stage, /*count=*/1);
      if (reusesBuffers)
        initialise(builder, type.getStages() + stage, ring.getConsumers());
    }
  }

private:
  /// The blocks in which puts and gets are counted: one for each role.
  static SmallVector<Block *> rootsOf(Block &entry) {
    for (Operation &op : entry)
      if (auto roles = dyn_cast<hopper::SpecializeOp>(op))
        return {&roles.getProducer().front(), &roles.getConsumer().front()};
    return {&entry};
  }

  template <typename EventOp>
  void countEvents(Block &root, EventCounter::OnEvent onEvent) {
    auto isEvent = [&](Operation *op) {
      auto event = dyn_cast<EventOp>(op);
      return event && event.getRing() == ring.getRing();
    };
    if (!root.walk([&](Operation *op) {
               return isEvent(op) ? WalkResult::interrupt()
                                  : WalkResult::advance();
             })
             .wasInterrupted())
      return;
    OpBuilder builder = OpBuilder::atBlockBegin(&root);
    // After the ring itself, where it is in the same block.
    if (ring->getBlock() == &root)
      builder.setInsertionPointAfter(ring);
    EventCounter(isEvent, onEvent)
        .count(root, constant(builder, ring.getLoc(), 0));
  }

  void initialise(OpBuilder &builder, int64_t index, int64_t count) {
    Value address = hopper::SharedAddressOp::create(
        builder, ring.getLoc(), builder.getI32Type(),
        *ring.getBarriers() + index * kBarrierBytes);
    hopper::MbarrierInitOp::create(builder, ring.getLoc(), address, count);
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
    return addressOf(builder, loc, *ring.getBarriers(), kBarrierBytes, slot);
  }
  Value emptyBarrier(OpBuilder &builder, Location loc, Value slot) {
    return addressOf(builder, loc,
                     *ring.getBarriers() + type.getStages() * kBarrierBytes,
                     kBarrierBytes, slot);
  }
  Value bufferAddress(OpBuilder &builder, Location loc, Value slot) {
    return addressOf(builder, loc, *ring.getOffset(),
                     llvm::alignTo(type.getStageBytes(), 1024), slot);
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
    if (reusesBuffers) {
      // The first round passes at once: a fresh mbarrier is in phase 0, so
      // the phase before it counts as complete.
      Value parity =
          arith::XOrIOp::create(builder, loc, parityOf(builder, loc, number),
                                constant(builder, loc, 1));
      hopper::MbarrierWaitOp::create(builder, loc,
                                     emptyBarrier(builder, loc, slot), parity);
    }
    Value full = fullBarrier(builder, loc, slot);
    hopper::MbarrierExpectOp::create(builder, loc, full, type.getStageBytes(),
                                     /*predicate=*/nullptr);
    copyPanels(builder, put, map, bufferAddress(builder, loc, slot), full);
    put.erase();
  }

  /// One copy for each panel and each run of rows that fits a TMA box.
  void copyPanels(OpBuilder &builder, hopper::RingPutOp put, Value map,
                  Value buffer, Value full) {
    Location loc = put.getLoc();
    VectorType tile = type.getTile();
    int64_t rows = tile.getDimSize(0);
    int64_t boxRows = std::min(rows, kMaxBox);
    SmallVector<Value> base;
    for (Value index : put.getIndices())
      base.push_back(arith::IndexCastOp::create(builder, loc,
                                                builder.getI32Type(), index));
    for (int64_t column = 0, panel = 0; column < tile.getDimSize(1);
         column += type.getPanelColumns(), ++panel)
      for (int64_t row = 0; row < rows; row += boxRows) {
        SmallVector<Value> coordinates = base;
        shift(builder, loc, coordinates[put.getDims()[0]], row);
        shift(builder, loc, coordinates[put.getDims()[1]], column);
        Value address = arith::AddIOp::create(
            builder, loc, buffer,
            constant(builder, loc, (panel * rows + row) * 128));
        hopper::TmaLoadOp::create(builder, loc, map, address, full, coordinates,
                                  /*predicate=*/nullptr);
      }
  }

  void shift(OpBuilder &builder, Location loc, Value &value, int64_t by) {
    if (by != 0)
      value = arith::AddIOp::create(builder, loc, value,
                                    constant(builder, loc, by));
  }

  /// The kernel argument that describes the put's tensor and box.
  Value tensorMap(hopper::RingPutOp put) {
    auto source = cast<BlockArgument>(put.getSource());
    VectorType tile = type.getTile();
    SmallVector<int64_t> box(cast<MemRefType>(source.getType()).getRank(), 1);
    box[put.getDims()[0]] = std::min(tile.getDimSize(0), kMaxBox);
    box[put.getDims()[1]] =
        std::min(tile.getDimSize(1), type.getPanelColumns());
    auto mapType = hopper::TensorMapType::get(put.getContext(),
                                              source.getArgNumber(), box);
    for (BlockArgument argument : kernel.getArguments())
      if (argument.getType() == mapType)
        return argument;
    unsigned position = kernel.getNumArguments();
    (void)kernel.insertArgument(position, mapType, DictionaryAttr(),
                                put.getLoc());
    return kernel.getArgument(position);
  }

  void expandGet(hopper::RingGetOp get, Value number) {
    OpBuilder builder(get);
    Location loc = get.getLoc();
    Value slot = slotOf(builder, loc, number);
    slots[get.getBuffer()] = slot;
    hopper::MbarrierWaitOp::create(builder, loc,
                                   fullBarrier(builder, loc, slot),
                                   parityOf(builder, loc, number));
    Value view = hopper::ViewOp::create(builder, loc, get.getBuffer().getType(),
                                        bufferAddress(builder, loc, slot));
    slots[view] = slot;
    get.getBuffer().replaceAllUsesWith(view);
    get.erase();
  }

  /// One thread of each warpgroup arrives at the buffer's empty mbarrier.
  void expandRelease(hopper::RingReleaseOp release) {
    if (reusesBuffers) {
      OpBuilder builder(release);
      Location loc = release.getLoc();
      Value thread =
          hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
      Value inGroup = arith::AndIOp::create(
          builder, loc, thread,
          constant(builder, loc, kThreadsPerWarpgroup - 1));
      Value elected =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, inGroup,
                                constant(builder, loc, 0));
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
  bool reusesBuffers;
  DenseMap<Value, Value> slots;
};

struct ExpandRingsPass : fa3::impl::ExpandRingsPassBase<ExpandRingsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    Block &entry = kernel.getBody().front();
    SmallVector<hopper::RingAllocOp> rings(entry.getOps<hopper::RingAllocOp>());
    if (rings.empty())
      return;
    for (hopper::RingAllocOp ring : rings) {
      if (!ring.getOffset() || !ring.getBarriers()) {
        ring.emitError("the ring has no place in shared memory: run "
                       "fa3-allocate-shared-memory first");
        return signalPassFailure();
      }
      for (Operation *user : ring->getUsers())
        if (auto put = dyn_cast<hopper::RingPutOp>(user);
            put && !isa<BlockArgument>(put.getSource())) {
          put.emitError("TMA loads from an argument of the kernel only");
          return signalPassFailure();
        }
    }

    OpBuilder builder = OpBuilder::atBlockBegin(&entry);
    Location loc = kernel.getLoc();
    Value thread =
        hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
    Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        thread, constant(builder, loc, 0));
    auto once = scf::IfOp::create(builder, loc, first);
    hopper::CtaSyncOp::create(builder, loc);
    for (hopper::RingAllocOp ring : rings) {
      RingExpander expander(kernel, ring);
      expander.expand(entry);
      builder.setInsertionPoint(once.thenBlock()->getTerminator());
      expander.initialise(builder);
      ring.erase();
    }
    builder.setInsertionPoint(once.thenBlock()->getTerminator());
    hopper::FenceMbarrierInitOp::create(builder, loc);
  }
};

} // namespace
