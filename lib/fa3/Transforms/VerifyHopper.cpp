//===- VerifyHopper.cpp - Proofs about a warpgroup-level program ----------===//
//
// Products: waits, their counts, and the registers and buffers that a running
// product reads. Rings: see VerifyRings.cpp.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/VerifyHopper.h"

#define DEBUG_TYPE "fa3-verify-hopper"

namespace fa3 {
#define GEN_PASS_DEF_VERIFYHOPPERPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

Value fa3::bufferOf(Value operand) {
  while (Operation *part = operand.getDefiningOp()) {
    if (!isa<hopper::RowsOp, hopper::ColumnsOp>(part))
      break;
    operand = part->getOperand(0);
  }
  return operand;
}

namespace {

bool containsProduct(Operation &op) {
  return op.getNumRegions() != 0 && op.walk([](hopper::WgmmaOp) {
                                        return WalkResult::interrupt();
                                      }).wasInterrupted();
}

/// The wait of a product, in its block and with a count that covers it.
LogicalResult verifyWaits(hopper::WgmmaOp wgmma) {
  if (wgmma->use_empty())
    return wgmma.emitError("nobody waits for the product");
  for (Operation *user : wgmma->getUsers()) {
    auto wait = dyn_cast<hopper::WaitOp>(user);
    if (!wait)
      return user->emitError("uses a product that has not been waited for");
    if (wait->getBlock() != wgmma->getBlock())
      return wait.emitError("a wait must be in the block of its product: "
                            "groups are counted in straight lines");
    int64_t younger = 0;
    for (Operation *op = wgmma->getNextNode(); op != wait;
         op = op->getNextNode()) {
      younger += isa<hopper::WgmmaOp>(op);
      if (containsProduct(*op))
        return wait.emitError("a region with products of its own must not be "
                              "between a product and its wait");
    }
    if (static_cast<int64_t>(wait.getYounger()) > younger)
      return wait.emitError("allows ")
             << wait.getYounger() << " younger products to run, but only "
             << younger
             << " are issued after this one: it may still be running";
  }
  return success();
}

/// A loop's next operand must not be computed, possibly into the same
/// registers, while a product reads the last one.
LogicalResult verifyRegisters(hopper::WgmmaOp wgmma) {
  auto carried = dyn_cast<BlockArgument>(wgmma.getA());
  auto loop = dyn_cast<scf::ForOp>(wgmma->getParentOp());
  if (!carried || !loop || carried.getOwner() != loop.getBody() ||
      carried == loop.getInductionVar())
    return success();
  Operation *next =
      loop.getTiedLoopYieldedValue(carried)->get().getDefiningOp();
  if (!next || next->getBlock() != loop.getBody() ||
      next->isBeforeInBlock(wgmma))
    return success();
  for (Operation *wait : wgmma->getUsers())
    if (wait->isBeforeInBlock(next))
      return success();
  InFlightDiagnostic diagnostic = next->emitError(
      "computes the next iteration's operand before the wait for the product "
      "that reads this iteration's one in registers");
  diagnostic.attachNote(wgmma.getLoc()) << "the product";
  return diagnostic;
}

/// A shared tile is read in the block that shares it, and every read is waited
/// for before the ring's next share: its barrier tells the other warpgroups
/// that the buffer is free.
LogicalResult verifyShare(hopper::ShareOp share) {
  auto sharesNext = [&](Operation *op) {
    return op
        ->walk([&](hopper::ShareOp other) {
          return other.getRing() == share.getRing() ? WalkResult::interrupt()
                                                    : WalkResult::advance();
        })
        .wasInterrupted();
  };
  Operation *next = share->getNextNode();
  while (next && !sharesNext(next))
    next = next->getNextNode();
  SmallVector<Operation *> readers(share->getUsers());
  for (size_t i = 0; i < readers.size(); ++i) {
    if (isa<hopper::RowsOp, hopper::ColumnsOp>(readers[i])) {
      llvm::append_range(readers, readers[i]->getUsers());
      continue;
    }
    if (readers[i]->getBlock() != share->getBlock())
      return readers[i]->emitError("reads a shared tile in another block than "
                                   "that which shares it");
    for (Operation *wait : readers[i]->getUsers())
      if (next && next->isBeforeInBlock(wait))
        return next->emitError("shares the ring's next tile before the wait "
                               "for a product that reads this one");
  }
  return success();
}

/// A turn is waited for and passed alternately on every path, and nobody waits
/// for other warpgroups in between. Gives whether the warpgroup has the turn
/// after the block.
FailureOr<bool> verifyTurns(Block &block, bool mine) {
  for (Operation &op : block) {
    if (isa<hopper::TurnWaitOp, hopper::TurnPassOp>(op)) {
      bool takes = isa<hopper::TurnWaitOp>(op);
      if (takes == mine)
        return op.emitError(takes ? "waits for a turn that it has"
                                  : "passes a turn that it does not have");
      mine = takes;
      continue;
    }
    if (mine && isa<hopper::ShareOp>(op))
      return op.emitError("waits for all warpgroups with a turn that another "
                          "one may be waiting for");
    for (Region &region : op.getRegions())
      for (Block &nested : region) {
        FailureOr<bool> end = verifyTurns(nested, mine);
        if (failed(end))
          return failure();
        if (*end != mine)
          return op.emitError("a region must end as it starts: with the turn "
                              "or without it");
      }
  }
  return mine;
}

struct VerifyHopperPass : fa3::impl::VerifyHopperPassBase<VerifyHopperPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    auto wgmmas = kernel.walk([](hopper::WgmmaOp wgmma) {
      if (failed(verifyWaits(wgmma)) || failed(verifyRegisters(wgmma)))
        return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (wgmmas.wasInterrupted())
      return signalPassFailure();
    auto shares = kernel.walk([](hopper::ShareOp share) {
      return failed(verifyShare(share)) ? WalkResult::interrupt()
                                        : WalkResult::advance();
    });
    if (shares.wasInterrupted() || failed(verifyRings(kernel)))
      return signalPassFailure();
    FailureOr<bool> turn = verifyTurns(kernel.getBody().front(), false);
    if (failed(turn))
      return signalPassFailure();
    if (*turn) {
      kernel.emitError("ends without passing its turn");
      return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

} // namespace
