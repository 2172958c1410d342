//===- PlaceWaits.cpp - Wait for products as late as is legal -------------===//
//
// A product's wait moves down to the first use of its value, so that later
// products are issued and elementwise work is done while it runs.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/VerifyHopper.h"

#define DEBUG_TYPE "fa3-place-waits"

namespace fa3 {
#define GEN_PASS_DEF_PLACEWAITSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

bool containsProduct(Operation &op) {
  return op.getNumRegions() != 0 && op.walk([](hopper::WgmmaOp) {
                                        return WalkResult::interrupt();
                                      }).wasInterrupted();
}

/// Puts of a ring that `op` may execute.
int64_t countPuts(Operation &op, Value ring) {
  int64_t puts = 0;
  op.walk([&](hopper::RingPutOp put) { puts += put.getRing() == ring; });
  return puts;
}

/// A buffer that a product reads, and the puts that its ring can still take
/// before the buffer must be released.
struct Held {
  Held(hopper::RingGetOp get, Operation *now) : ring(get.getRing()) {
    budget = get.getRing().getType().getStages() - 1;
    for (Operation *end = now;; end = end->getParentOp()) {
      bool whole = end->getBlock() == get->getBlock();
      for (Operation *op = whole ? get->getNextNode()
                                 : &end->getBlock()->front();
           op != end; op = op->getNextNode())
        budget -= countPuts(*op, ring);
      if (whole)
        return;
    }
  }

  Value ring;
  int64_t budget;
};

/// The operation before which the product's value must be known or its buffers
/// be free: the value's first use, the end of the block, a region with products
/// of its own (groups are counted in straight lines only), a put that would
/// wait for one of the buffers, or the next share of one of their rings.
Operation *firstNeed(hopper::WaitOp wait) {
  Block *block = wait->getBlock();
  Operation *need = block->getTerminator();
  for (Operation *user : wait->getUsers()) {
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    if (ancestor && ancestor->isBeforeInBlock(need))
      need = ancestor;
  }
  auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
  SmallVector<Held> buffers;
  SmallVector<Value> shareRings;
  for (Value operand : {wgmma.getA(), Value(wgmma.getB())}) {
    Operation *source = bufferOf(operand).getDefiningOp();
    if (auto get = dyn_cast_if_present<hopper::RingGetOp>(source))
      buffers.emplace_back(get, wait);
    if (auto share = dyn_cast_if_present<hopper::ShareOp>(source))
      shareRings.push_back(share.getRing());
  }
  for (Operation *op = wait->getNextNode(); op != need;
       op = op->getNextNode()) {
    if (containsProduct(*op))
      return op;
    if (auto share = dyn_cast<hopper::ShareOp>(op);
        share && llvm::is_contained(shareRings, share.getRing()))
      return op;
    for (Held &held : buffers) {
      held.budget -= countPuts(*op, held.ring);
      if (held.budget < 0)
        return op;
    }
  }
  return need;
}

struct PlaceWaitsPass : fa3::impl::PlaceWaitsPassBase<PlaceWaitsPass> {
  void runOnOperation() override {
    SmallVector<hopper::WaitOp> waits;
    getOperation().walk([&](hopper::WaitOp wait) { waits.push_back(wait); });
    for (hopper::WaitOp wait : waits)
      if (failed(check(wait)))
        return signalPassFailure();
    for (hopper::WaitOp wait : waits)
      sinkUses(wait);
    for (hopper::WaitOp wait : waits) {
      Operation *need = firstNeed(wait);
      if (need != wait->getNextNode())
        wait->moveBefore(need);
    }
    for (hopper::WaitOp wait : waits)
      separateFromNextOperand(wait);
    for (hopper::WaitOp wait : waits)
      joinYounger(wait);
    for (hopper::WaitOp wait : waits)
      countYounger(wait);
    SmallVector<hopper::BufferLoadOp> loads;
    getOperation().walk(
        [&](hopper::BufferLoadOp load) { loads.push_back(load); });
    for (hopper::BufferLoadOp load : loads)
      delayLoad(load);
    SmallVector<hopper::RingReleaseOp> releases;
    getOperation().walk(
        [&](hopper::RingReleaseOp release) { releases.push_back(release); });
    for (hopper::RingReleaseOp release : releases)
      delayRelease(release);
  }

  LogicalResult check(hopper::WaitOp wait) {
    auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
    if (!wgmma || wgmma->getBlock() != wait->getBlock())
      return wait.emitError("a wait must be in the block of its product: "
                            "groups are counted in straight lines");
    return success();
  }

  /// Moves pure operations that need the value of a block's last product down
  /// to where theirs is needed first. In front of another product they stay,
  /// and those of a product that adds to nothing: both values would take
  /// registers at the same time.
  static void sinkUses(hopper::WaitOp wait) {
    if (!wait.getPending().getDefiningOp<hopper::WgmmaOp>().getAcc())
      return;
    Block *block = wait->getBlock();
    Operation *end = block->getTerminator();
    SmallVector<Operation *> dependent;
    for (Operation *op = wait->getNextNode(); op != end;
         op = op->getNextNode()) {
      if (isa<hopper::WgmmaOp>(op) || containsProduct(*op))
        return;
      bool depends = llvm::any_of(op->getOperands(), [&](Value operand) {
        return operand == wait.getResult() ||
               llvm::is_contained(dependent, operand.getDefiningOp());
      });
      if (depends && op->getNumRegions() == 0 && isPure(op))
        dependent.push_back(op);
    }
    for (Operation *op : llvm::reverse(dependent)) {
      Operation *use = end;
      for (Operation *user : op->getUsers()) {
        Operation *ancestor = block->findAncestorOpInBlock(*user);
        if (ancestor && ancestor->isBeforeInBlock(use))
          use = ancestor;
      }
      op->moveBefore(use);
    }
  }

  /// Products complete in order: behind the wait for a younger one this wait
  /// costs nothing, and lets go of the buffers.
  static void joinYounger(hopper::WaitOp wait) {
    for (Operation *op = wait.getPending().getDefiningOp()->getNextNode();
         op != wait; op = op->getNextNode())
      if (auto younger = dyn_cast<hopper::WaitOp>(op))
        if (wait.getPending().getDefiningOp()->isBeforeInBlock(
                younger.getPending().getDefiningOp())) {
          wait->moveAfter(younger);
          return;
        }
  }

  /// Products that were issued and not waited for in front of `op`.
  static bool hasRunningProducts(Operation *op) {
    for (hopper::WaitOp wait : op->getBlock()->getOps<hopper::WaitOp>())
      if (!wait->isBeforeInBlock(op) &&
          wait.getPending().getDefiningOp()->isBeforeInBlock(op))
        return true;
    return false;
  }

  /// Whether a put between `first` and `last` waits for the buffer.
  static bool isNeeded(Value buffer, Operation *first, Operation *last) {
    auto get = buffer.getDefiningOp<hopper::RingGetOp>();
    if (!get)
      return false;
    Held held(get, first);
    for (Operation *op = first; op != last; op = op->getNextNode())
      held.budget -= countPuts(*op, held.ring);
    return held.budget < 0;
  }

  /// A thread's read of shared memory queues behind the products that its warp
  /// has issued. It is done when none runs, if neither its value nor its buffer
  /// is needed before.
  static void delayLoad(hopper::BufferLoadOp load) {
    if (!hasRunningProducts(load))
      return;
    Block *block = load->getBlock();
    // What only spreads the value moves with it.
    SmallVector<Operation *> moved{load};
    Operation *use = block->getTerminator();
    for (size_t i = 0; i < moved.size(); ++i)
      for (Operation *user : moved[i]->getUsers()) {
        if (isa<vector::BroadcastOp>(user) && user->getBlock() == block) {
          moved.push_back(user);
          continue;
        }
        Operation *ancestor = block->findAncestorOpInBlock(*user);
        if (ancestor && ancestor->isBeforeInBlock(use))
          use = ancestor;
      }
    Operation *target = load->getNextNode();
    while (target != use && hasRunningProducts(target))
      target = target->getNextNode();
    Value buffer = bufferOf(load.getSource());
    if (hasRunningProducts(target) || isNeeded(buffer, load, target))
      return;
    for (Operation *user : buffer.getUsers())
      if (isa<hopper::RingReleaseOp>(user) && user->getBlock() == block)
        moved.insert(std::next(moved.begin()), user);
    for (Operation *op : moved)
      op->moveBefore(target);
  }

  /// Products that were issued between the waited-for one and its wait may
  /// still be running, but none that is older than one that has been waited
  /// for.
  static void countYounger(hopper::WaitOp wait) {
    Operation *youngest = wait.getPending().getDefiningOp();
    for (Operation *op = youngest->getNextNode(); op != wait;
         op = op->getNextNode())
      if (auto other = dyn_cast<hopper::WaitOp>(op))
        if (youngest->isBeforeInBlock(other.getPending().getDefiningOp()))
          youngest = other.getPending().getDefiningOp();
    int64_t younger = 0;
    for (Operation *op = youngest->getNextNode(); op != wait;
         op = op->getNextNode())
      younger += isa<hopper::WgmmaOp>(op);
    wait.setYounger(younger);
  }

  /// A buffer is released after the waits of the products that read it, and
  /// those right behind them that wait for nothing more: these are one
  /// instruction.
  void delayRelease(hopper::RingReleaseOp release) {
    Operation *last = release;
    getOperation().walk([&](hopper::WaitOp wait) {
      auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
      if (bufferOf(wgmma.getA()) != release.getBuffer() &&
          bufferOf(wgmma.getB()) != release.getBuffer())
        return;
      Operation *ancestor = release->getBlock()->findAncestorOpInBlock(*wait);
      if (ancestor && last->isBeforeInBlock(ancestor))
        last = ancestor;
    });
    if (last == release)
      return;
    while (auto wait = dyn_cast<hopper::WaitOp>(last)) {
      auto next = dyn_cast<hopper::WaitOp>(wait->getNextNode());
      if (!next || next.getYounger() < wait.getYounger())
        break;
      last = next;
    }
    release->moveAfter(last);
  }

  /// The registers of a running product's first operand are busy until its
  /// wait. Where the loop computes the next iteration's operand meanwhile, it
  /// must not be in the same registers: it is computed after the wait, or, if
  /// it is needed earlier, the wait comes first.
  void separateFromNextOperand(hopper::WaitOp wait) {
    auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
    auto carried = dyn_cast<BlockArgument>(wgmma.getA());
    auto loop = dyn_cast<scf::ForOp>(wgmma->getParentOp());
    if (!carried || !loop || carried.getOwner() != loop.getBody())
      return;
    OpOperand *next = loop.getTiedLoopYieldedValue(carried);
    Operation *def = next ? next->get().getDefiningOp() : nullptr;
    // Computed before the product is issued, it has other registers.
    if (!def || def->getBlock() != loop.getBody() ||
        def->isBeforeInBlock(wgmma) || wait->isBeforeInBlock(def))
      return;
    if (isPure(def) && def->hasOneUse())
      def->moveBefore(loop.getBody()->getTerminator());
    else
      wait->moveBefore(def);
  }
};

} // namespace
