//===- VerifyRings.cpp - Proofs about rings of buffers --------------------===//
//
// A ring works when producer and consumers see the same sequence of buffers,
// every buffer is released exactly once, after the last read of it, and before
// the producer needs it again.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/VerifyHopper.h"

#include <limits>

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kUnbounded = std::numeric_limits<int32_t>::max();

/// Gets of a ring that `op` executes at most.
int64_t countGets(Operation &op, Value ring) {
  if (auto get = dyn_cast<hopper::RingGetOp>(op))
    return get.getRing() == ring;
  int64_t most = 0;
  for (Region &region : op.getRegions())
    for (Block &block : region) {
      int64_t gets = 0;
      for (Operation &nested : block)
        gets += countGets(nested, ring);
      most = std::max(most, gets);
    }
  return most != 0 && isa<LoopLikeOpInterface>(op) ? kUnbounded : most;
}

//===----------------------------------------------------------------------===//
// Releases
//===----------------------------------------------------------------------===//

/// Follows a buffer from its get along every path.
class BufferPath {
public:
  explicit BufferPath(hopper::RingGetOp get)
      : get(get), stages(get.getRing().getType().getStages()) {}

  LogicalResult verify() {
    State state;
    for (Operation *op = get->getNextNode(); op; op = op->getNextNode())
      if (failed(visit(*op, state)))
        return failure();
    if (!state.released)
      return get.emitError("the buffer is not released on every path");
    return success();
  }

private:
  struct State {
    bool released = false;
    /// Gets of the ring since this one.
    int64_t gets = 0;
    /// Products that read the buffer and have not been waited for.
    DenseSet<Operation *> reading;
  };

  LogicalResult visit(Operation &op, State &state) {
    if (auto release = dyn_cast<hopper::RingReleaseOp>(op);
        release && release.getBuffer() == get.getBuffer())
      return visitRelease(release, state);
    if (auto wgmma = dyn_cast<hopper::WgmmaOp>(op); wgmma && reads(wgmma)) {
      if (state.released)
        return wgmma.emitError("reads a buffer that has been released");
      state.reading.insert(wgmma);
    }
    if (auto load = dyn_cast<hopper::BufferLoadOp>(op);
        load && bufferOf(load.getSource()) == get.getBuffer() && state.released)
      return load.emitError("reads a buffer that has been released");
    if (auto wait = dyn_cast<hopper::WaitOp>(op))
      state.reading.erase(wait.getPending().getDefiningOp());
    if (op.getNumRegions() != 0)
      return visitRegions(op, state);
    state.gets += countGets(op, get.getRing());
    return success();
  }

  LogicalResult visitRelease(hopper::RingReleaseOp release, State &state) {
    if (release.getRing() != get.getRing())
      return release.emitError("the buffer is another ring's");
    if (state.released)
      return release.emitError("the buffer has been released before");
    if (!state.reading.empty()) {
      InFlightDiagnostic diagnostic = release.emitError(
          "releases a buffer before the wait for a product that reads it");
      diagnostic.attachNote((*state.reading.begin())->getLoc())
          << "the product";
      return diagnostic;
    }
    if (state.gets >= stages) {
      InFlightDiagnostic diagnostic =
          release.emitError("releases a buffer after the ring has come round "
                            "to it again: the producer waits forever");
      diagnostic.attachNote(get.getLoc())
          << "the buffer of a ring with " << stages << " stages";
      return diagnostic;
    }
    state.released = true;
    return success();
  }

  LogicalResult visitRegions(Operation &op, State &state) {
    SmallVector<State> ends;
    for (Region &region : op.getRegions()) {
      State &end = ends.emplace_back(state);
      if (isa<LoopLikeOpInterface>(op))
        end.gets += countGets(op, get.getRing());
      if (region.empty())
        continue;
      for (Operation &nested : region.front())
        if (failed(visit(nested, end)))
          return failure();
    }
    for (const State &end : ends)
      if (end.released != ends.front().released ||
          (end.released != state.released && !isa<scf::IfOp>(op)))
        return op.emitError(
            "a buffer must be released on every path through this operation or "
            "on none");
    if (!ends.empty())
      state.released = ends.front().released;
    for (State &end : ends) {
      state.gets = std::max(state.gets, end.gets);
      state.reading.insert(end.reading.begin(), end.reading.end());
    }
    return success();
  }

  bool reads(hopper::WgmmaOp wgmma) {
    return bufferOf(wgmma.getA()) == get.getBuffer() ||
           bufferOf(wgmma.getB()) == get.getBuffer();
  }

  hopper::RingGetOp get;
  int64_t stages;
};

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// What is wrong where two sequences differ.
template <typename PutOp> struct SequenceErrors;

template <> struct SequenceErrors<hopper::RingPutOp> {
  static constexpr StringRef kOddPut = "puts a buffer that no consumer gets";
  static constexpr StringRef kOddGet =
      "gets a buffer that the producer does not put";
  static constexpr StringRef kOrder =
      "puts buffers in another order than consumers get them";
  static constexpr StringRef kNext = "the consumers' next gets";
};

template <> struct SequenceErrors<hopper::OutPutOp> {
  static constexpr StringRef kOddPut =
      "puts a tile that is not added to memory";
  static constexpr StringRef kOddGet =
      "adds a tile to memory that consumers do not put";
  static constexpr StringRef kOrder =
      "puts tiles in another order than they are added to memory";
  static constexpr StringRef kNext = "the next additions";
};

/// Compares the puts of a ring in one block with the gets in another one, or
/// the puts of outgoing tiles with their reductions: through loops and
/// conditionals with the same bounds and conditions.
template <typename PutOp, typename GetOp> class SameSequence {
public:
  explicit SameSequence(Value ring) : ring(ring) {}

  LogicalResult verify(Block &puts, Block &gets) {
    SmallVector<Operation *> producer = events<PutOp>(puts);
    SmallVector<Operation *> consumer = events<GetOp>(gets);
    for (auto [put, get] : llvm::zip(producer, consumer))
      if (failed(verify(put, get)))
        return failure();
    if (producer.size() == consumer.size())
      return success();
    Operation *odd = producer.size() > consumer.size()
                         ? producer[consumer.size()]
                         : consumer[producer.size()];
    return odd->emitError(producer.size() > consumer.size() ? Errors::kOddPut
                                                            : Errors::kOddGet);
  }

private:
  using Errors = SequenceErrors<PutOp>;

  template <typename EventOp> SmallVector<Operation *> events(Block &block) {
    SmallVector<Operation *> result;
    for (Operation &op : block)
      if (op.walk([&](EventOp event) {
              return event.getRing() == ring ? WalkResult::interrupt()
                                             : WalkResult::advance();
            }).wasInterrupted())
        result.push_back(&op);
    return result;
  }

  LogicalResult verify(Operation *put, Operation *get) {
    if (isa<PutOp>(put) && isa<GetOp>(get))
      return success();
    auto putLoop = dyn_cast<scf::ForOp>(put);
    auto getLoop = dyn_cast<scf::ForOp>(get);
    if (putLoop && getLoop) {
      same.insert({putLoop.getInductionVar(), getLoop.getInductionVar()});
      if (!isSame(putLoop.getLowerBound(), getLoop.getLowerBound()) ||
          !isSame(putLoop.getUpperBound(), getLoop.getUpperBound()) ||
          !isSame(putLoop.getStep(), getLoop.getStep()))
        return differ(put, get);
      return verify(*putLoop.getBody(), *getLoop.getBody());
    }
    auto putIf = dyn_cast<scf::IfOp>(put);
    auto getIf = dyn_cast<scf::IfOp>(get);
    if (!putIf || !getIf || !isSame(putIf.getCondition(), getIf.getCondition()))
      return differ(put, get);
    if (failed(verify(*putIf.thenBlock(), *getIf.thenBlock())))
      return failure();
    if (putIf.elseBlock() && getIf.elseBlock())
      return verify(*putIf.elseBlock(), *getIf.elseBlock());
    if (hasEvents(putIf.elseBlock(), getIf.elseBlock()))
      return differ(put, get);
    return success();
  }

  bool hasEvents(Block *puts, Block *gets) {
    return (puts && !events<PutOp>(*puts).empty()) ||
           (gets && !events<GetOp>(*gets).empty());
  }

  LogicalResult differ(Operation *put, Operation *get) {
    InFlightDiagnostic diagnostic = put->emitError(Errors::kOrder);
    diagnostic.attachNote(get->getLoc()) << Errors::kNext;
    return diagnostic;
  }

  /// Whether both roles compute the same value. A pair that is being compared
  /// counts as the same, which makes the argument of a loop a proof by
  /// induction; a single difference ends the whole proof.
  bool isSame(Value a, Value b) {
    return a == b || !same.insert({a, b}).second || computesSame(a, b);
  }

  bool computesSame(Value a, Value b) {
    auto argumentA = dyn_cast<BlockArgument>(a);
    auto argumentB = dyn_cast<BlockArgument>(b);
    if (argumentA || argumentB) {
      auto loopA = argumentA ? loopOf(argumentA) : nullptr;
      auto loopB = argumentB ? loopOf(argumentB) : nullptr;
      return loopA && loopB && argumentA != loopA.getInductionVar() &&
             argumentB != loopB.getInductionVar() &&
             isSame(loopA.getTiedLoopInit(argumentA)->get(),
                    loopB.getTiedLoopInit(argumentB)->get()) &&
             isSame(loopA.getTiedLoopYieldedValue(argumentA)->get(),
                    loopB.getTiedLoopYieldedValue(argumentB)->get());
    }
    Operation *defA = a.getDefiningOp(), *defB = b.getDefiningOp();
    auto numberA = cast<OpResult>(a).getResultNumber();
    auto numberB = cast<OpResult>(b).getResultNumber();
    if (defA->getName() != defB->getName())
      return false;
    if (auto loopA = dyn_cast<scf::ForOp>(defA)) {
      auto loopB = cast<scf::ForOp>(defB);
      same.insert({loopA.getInductionVar(), loopB.getInductionVar()});
      return isSame(loopA.getLowerBound(), loopB.getLowerBound()) &&
             isSame(loopA.getUpperBound(), loopB.getUpperBound()) &&
             isSame(loopA.getStep(), loopB.getStep()) &&
             isSame(loopA.getRegionIterArg(numberA),
                    loopB.getRegionIterArg(numberB));
    }
    if (auto ifA = dyn_cast<scf::IfOp>(defA)) {
      auto ifB = cast<scf::IfOp>(defB);
      return isSame(ifA.getCondition(), ifB.getCondition()) &&
             isSame(ifA.thenYield().getOperand(numberA),
                    ifB.thenYield().getOperand(numberB)) &&
             isSame(ifA.elseYield().getOperand(numberA),
                    ifB.elseYield().getOperand(numberB));
    }
    return numberA == numberB && defA->getNumRegions() == 0 &&
           defB->getNumRegions() == 0 &&
           defA->getAttrDictionary() == defB->getAttrDictionary() &&
           defA->getNumOperands() == defB->getNumOperands() &&
           llvm::all_of(llvm::zip(defA->getOperands(), defB->getOperands()),
                        [&](auto pair) {
                          return isSame(std::get<0>(pair), std::get<1>(pair));
                        });
  }

  static scf::ForOp loopOf(BlockArgument argument) {
    return dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
  }

  Value ring;
  DenseSet<std::pair<Value, Value>> same;
};

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

/// The producer and the drain move data: they have no tiles and do not get
/// buffers.
LogicalResult verifyRoles(hopper::SpecializeOp roles) {
  auto isTile = [](Type type) {
    return isa<VectorType, hopper::BufferType, hopper::PendingType>(type);
  };
  WalkResult producer = roles.getProducer().walk([&](Operation *op) {
    if (!isa<hopper::RingGetOp, hopper::RingReleaseOp>(op) &&
        llvm::none_of(op->getResultTypes(), isTile) &&
        llvm::none_of(op->getOperandTypes(), isTile))
      return WalkResult::advance();
    op->emitError("belongs to consumers: the producer has neither tiles nor "
                  "buffers");
    return WalkResult::interrupt();
  });
  WalkResult consumer = roles.getConsumer().walk([&](hopper::RingPutOp put) {
    put.emitError("belongs to the producer");
    return WalkResult::interrupt();
  });
  WalkResult drain = roles.getDrain().walk([&](Operation *op) {
    if (!isa<hopper::RingPutOp>(op) &&
        llvm::none_of(op->getResultTypes(), isTile) &&
        llvm::none_of(op->getOperandTypes(), isTile))
      return WalkResult::advance();
    op->emitError("belongs to another role: the drain has neither tiles nor "
                  "loads");
    return WalkResult::interrupt();
  });
  return failure(producer.wasInterrupted() || consumer.wasInterrupted() ||
                 drain.wasInterrupted());
}

} // namespace

LogicalResult fa3::verifyRings(tile::KernelOp kernel) {
  Block *puts = &kernel.getBody().front();
  Block *gets = puts, *drain = puts;
  for (auto roles : puts->getOps<hopper::SpecializeOp>()) {
    if (failed(verifyRoles(roles)))
      return failure();
    puts = &roles.getProducer().front();
    gets = &roles.getConsumer().front();
    drain = roles.getDrain().empty() ? gets : &roles.getDrain().front();
    break;
  }
  WalkResult buffers = kernel.walk([](hopper::RingGetOp get) {
    return failed(BufferPath(get).verify()) ? WalkResult::interrupt()
                                            : WalkResult::advance();
  });
  if (buffers.wasInterrupted())
    return failure();
  WalkResult rings = kernel.walk([&](hopper::RingAllocOp ring) {
    using Loads = SameSequence<hopper::RingPutOp, hopper::RingGetOp>;
    using Reductions = SameSequence<hopper::OutPutOp, hopper::OutReduceOp>;
    return failed(Loads(ring.getRing()).verify(*puts, *gets)) ||
                   failed(Reductions(ring.getRing()).verify(*gets, *drain))
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  return failure(rings.wasInterrupted());
}
