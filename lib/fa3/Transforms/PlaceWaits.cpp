//===- PlaceWaits.cpp - Wait for products as late as is legal -------------===//
//
// A product's wait moves down to the first use of its value, so that later
// products are issued and elementwise work is done while it runs.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

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

/// The operation of `block` before which a value must be known: its first use,
/// the end of the block, or a nested loop with products of its own (groups
/// are counted in straight lines only).
Operation *firstNeed(Value value, Operation *from) {
  Block *block = from->getBlock();
  Operation *need = block->getTerminator();
  for (Operation *user : value.getUsers()) {
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    if (ancestor && ancestor->isBeforeInBlock(need))
      need = ancestor;
  }
  for (Operation *op = from->getNextNode(); op && op != need;
       op = op->getNextNode())
    if (containsProduct(*op))
      return op;
  return need;
}

/// The buffer of a ring that `operand` is part of.
Value bufferOf(Value operand) {
  while (auto rows = operand.getDefiningOp<hopper::RowsOp>())
    operand = rows.getSource();
  return operand;
}

struct PlaceWaitsPass : fa3::impl::PlaceWaitsPassBase<PlaceWaitsPass> {
  void runOnOperation() override {
    SmallVector<hopper::WaitOp> waits;
    getOperation().walk([&](hopper::WaitOp wait) { waits.push_back(wait); });
    for (hopper::WaitOp wait : waits)
      wait->moveBefore(firstNeed(wait.getResult(), wait));
    for (hopper::WaitOp wait : waits)
      countYounger(wait);
    getOperation().walk(
        [&](hopper::RingReleaseOp release) { delayRelease(release); });
    for (hopper::WaitOp wait : waits)
      delayNextOperand(wait);
  }

  /// Products that were issued between the waited-for one and its wait may
  /// still be running.
  void countYounger(hopper::WaitOp wait) {
    int64_t younger = 0;
    for (Operation *op = wait.getPending().getDefiningOp()->getNextNode();
         op != wait; op = op->getNextNode())
      younger += isa<hopper::WgmmaOp>(op);
    wait.setYounger(younger);
  }

  /// A buffer is released after the waits of the products that read it.
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
    if (last != release)
      release->moveAfter(last);
  }

  /// The registers of a running product's first operand are busy until its
  /// wait. Where the loop computes the next iteration's operand, do so after
  /// the wait: its registers can then be the same.
  void delayNextOperand(hopper::WaitOp wait) {
    auto wgmma = wait.getPending().getDefiningOp<hopper::WgmmaOp>();
    auto carried = dyn_cast<BlockArgument>(wgmma.getA());
    auto loop = dyn_cast<scf::ForOp>(wgmma->getParentOp());
    if (!carried || !loop || carried.getOwner() != loop.getBody())
      return;
    OpOperand *next = loop.getTiedLoopYieldedValue(carried);
    Operation *def = next ? next->get().getDefiningOp() : nullptr;
    if (!def || def->getBlock() != loop.getBody() || !isPure(def) ||
        !def->isBeforeInBlock(wait) || !def->hasOneUse())
      return;
    def->moveBefore(loop.getBody()->getTerminator());
  }
};

} // namespace
