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
struct SequenceErrors {
  StringLiteral oddPut, oddGet, order, next;
};

constexpr SequenceErrors kLoadErrors = {
    "puts a buffer that no consumer gets",
    "gets a buffer that the producer does not put",
    "puts buffers in another order than consumers get them",
    "the consumers' next gets"};
constexpr SequenceErrors kReductionErrors = {
    "puts a tile that is not added to memory",
    "adds a tile to memory that consumers do not put",
    "puts tiles in another order than they are added to memory",
    "the next additions"};

/// Whether an operation puts a buffer into a ring, or gets one from it.
using IsEvent = function_ref<bool(Operation *)>;

/// Compares the puts of a ring in one block with the gets in another one, or
/// the puts of outgoing tiles with their reductions: through loops and
/// conditionals with the same bounds and conditions.
class SameSequence {
public:
  SameSequence(IsEvent isPut, IsEvent isGet, const SequenceErrors &errors)
      : isPut(isPut), isGet(isGet), errors(errors) {}

  LogicalResult verify(Block &puts, Block &gets) {
    SmallVector<Operation *> producer = events(puts, isPut);
    SmallVector<Operation *> consumer = events(gets, isGet);
    for (auto [put, get] : llvm::zip(producer, consumer))
      if (failed(verify(put, get)))
        return failure();
    if (producer.size() == consumer.size())
      return success();
    Operation *odd = producer.size() > consumer.size()
                         ? producer[consumer.size()]
                         : consumer[producer.size()];
    return odd->emitError(producer.size() > consumer.size() ? errors.oddPut
                                                            : errors.oddGet);
  }

private:
  static SmallVector<Operation *> events(Block &block, IsEvent isEvent) {
    SmallVector<Operation *> result;
    for (Operation &op : block)
      if (op.walk([&](Operation *event) {
              return isEvent(event) ? WalkResult::interrupt()
                                    : WalkResult::advance();
            }).wasInterrupted())
        result.push_back(&op);
    return result;
  }

  LogicalResult verify(Operation *put, Operation *get) {
    if (isPut(put) && isGet(get))
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
    return (puts && !events(*puts, isPut).empty()) ||
           (gets && !events(*gets, isGet).empty());
  }

  LogicalResult differ(Operation *put, Operation *get) {
    InFlightDiagnostic diagnostic = put->emitError(errors.order);
    diagnostic.attachNote(get->getLoc()) << errors.next;
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

  IsEvent isPut, isGet;
  SequenceErrors errors;
  DenseSet<std::pair<Value, Value>> same;
};

/// The blocks of the roles; without roles, all of them are the kernel's.
struct RoleBlocks {
  Block *producer, *consumer, *drain, *transpose;
};

/// What fills and empties the ring's buffers does so in the same order.
LogicalResult verifyOrder(hopper::RingAllocOp alloc, const RoleBlocks &blocks) {
  Value ring = alloc.getRing();
  auto isOf = [&](auto event) { return event && event.getRing() == ring; };
  auto isTranspose = [&](Operation *op, bool to) {
    auto transpose = dyn_cast<hopper::RingTransposeOp>(op);
    return transpose && (to ? transpose.getTo() : transpose.getFrom()) == ring;
  };
  Value source, target;
  for (Operation *user : ring.getUsers()) {
    auto transpose = dyn_cast<hopper::RingTransposeOp>(user);
    if (!transpose)
      continue;
    bool isTo = transpose.getTo() == ring;
    Value &other = isTo ? source : target;
    Value found = isTo ? transpose.getFrom() : transpose.getTo();
    if (other && other != found)
      return transpose.emitError("a ring is transposed to one other ring, and "
                                 "from one");
    other = found;
  }
  for (Operation *user : ring.getUsers()) {
    if (target && isa<hopper::RingGetOp>(user))
      return user->emitError("gets a buffer that is transposed: those of the "
                             "other ring are for consumers");
    if ((source || target) &&
        isa<hopper::ShareOp, hopper::OutPutOp, hopper::OutReduceOp>(user))
      return user->emitError("uses a ring of what is loaded and transposed");
    if (source && isa<hopper::RingPutOp>(user))
      return user->emitError("puts a buffer into a ring that is filled by "
                             "transposing another one's");
  }
  auto isPut = [&](Operation *op) {
    return isTranspose(op, /*to=*/true) ||
           isOf(dyn_cast<hopper::RingPutOp>(op));
  };
  auto isGet = [&](Operation *op) {
    return isTranspose(op, /*to=*/false) ||
           isOf(dyn_cast<hopper::RingGetOp>(op));
  };
  auto isOutPut = [&](Operation *op) {
    return isOf(dyn_cast<hopper::OutPutOp>(op));
  };
  auto isReduce = [&](Operation *op) {
    return isOf(dyn_cast<hopper::OutReduceOp>(op));
  };
  Block *puts = source ? blocks.transpose : blocks.producer;
  Block *gets = target ? blocks.transpose : blocks.consumer;
  return failure(
      failed(SameSequence(isPut, isGet, kLoadErrors).verify(*puts, *gets)) ||
      failed(SameSequence(isOutPut, isReduce, kReductionErrors)
                 .verify(*blocks.consumer, *blocks.drain)));
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

/// All roles but the consumers move data: they have no tiles and do not get
/// buffers, and each has its own operations on rings.
LogicalResult verifyRole(Region &role, IsEvent isForeign, StringRef error) {
  auto isTile = [](Type type) {
    return isa<VectorType, hopper::BufferType, hopper::PendingType>(type);
  };
  WalkResult result = role.walk([&](Operation *op) {
    if (!isForeign(op) && llvm::none_of(op->getResultTypes(), isTile) &&
        llvm::none_of(op->getOperandTypes(), isTile))
      return WalkResult::advance();
    op->emitError(error);
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult verifyRoles(hopper::SpecializeOp roles) {
  auto isTransposeOrGet =
      llvm::IsaPred<hopper::RingTransposeOp, hopper::RingGetOp,
                    hopper::RingReleaseOp>;
  auto isTransposeOrPut =
      llvm::IsaPred<hopper::RingTransposeOp, hopper::RingPutOp>;
  auto isNoTranspose = [](Operation *op) {
    return isa_and_present<hopper::HopperDialect>(op->getDialect()) &&
           !isa<hopper::RingTransposeOp>(op) && !isPure(op);
  };
  if (failed(verifyRole(roles.getProducer(), isTransposeOrGet,
                        "belongs to another role: the producer has neither "
                        "tiles nor buffers")) ||
      failed(verifyRole(roles.getDrain(), isTransposeOrPut,
                        "belongs to another role: the drain has neither tiles "
                        "nor loads")) ||
      failed(verifyRole(roles.getTranspose(), isNoTranspose,
                        "belongs to another role: this one only transposes")))
    return failure();
  WalkResult consumer = roles.getConsumer().walk([&](Operation *op) {
    if (!isTransposeOrPut(op))
      return WalkResult::advance();
    op->emitError(isa<hopper::RingPutOp>(op)
                      ? "belongs to the producer"
                      : "belongs to the role that transposes");
    return WalkResult::interrupt();
  });
  return failure(consumer.wasInterrupted());
}

} // namespace

LogicalResult fa3::verifyRings(tile::KernelOp kernel) {
  Block *entry = &kernel.getBody().front();
  RoleBlocks blocks{entry, entry, entry, entry};
  for (auto roles : entry->getOps<hopper::SpecializeOp>()) {
    if (failed(verifyRoles(roles)))
      return failure();
    Block *consumer = &roles.getConsumer().front();
    auto blockOf = [&](Region &role) {
      return role.empty() ? consumer : &role.front();
    };
    blocks = {&roles.getProducer().front(), consumer, blockOf(roles.getDrain()),
              blockOf(roles.getTranspose())};
    break;
  }
  WalkResult buffers = kernel.walk([](hopper::RingGetOp get) {
    return failed(BufferPath(get).verify()) ? WalkResult::interrupt()
                                            : WalkResult::advance();
  });
  if (buffers.wasInterrupted())
    return failure();
  WalkResult rings = kernel.walk([&](hopper::RingAllocOp ring) {
    return failed(verifyOrder(ring, blocks)) ? WalkResult::interrupt()
                                             : WalkResult::advance();
  });
  return failure(rings.wasInterrupted());
}
