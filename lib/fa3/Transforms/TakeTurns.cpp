//===- TakeTurns.cpp - Ping-pong scheduling of warpgroups -----------------===//
//
// Puts a named-barrier turn around every run of product issues, so that one
// warpgroup's softmax runs while another one has the tensor cores.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#define DEBUG_TYPE "fa3-take-turns"

namespace fa3 {
#define GEN_PASS_DEF_TAKETURNSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

/// Whether a run of issues ends before `op`: at a wait for a product, at a
/// share, which waits for warpgroups that have yet to get the turn, and at
/// anything that leaves the straight line.
bool endsRun(Operation &op) {
  return isa<hopper::WaitOp, hopper::ShareOp>(op) || op.getNumRegions() != 0 ||
         op.hasTrait<OpTrait::IsTerminator>();
}

struct TakeTurnsPass : fa3::impl::TakeTurnsPassBase<TakeTurnsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    if (!schedule || !schedule.getPingpong() || schedule.getWarpgroups() < 2)
      return;
    SmallVector<Block *> blocks;
    kernel.walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      placeTurns(*block);
  }

  void placeTurns(Block &block) {
    OpBuilder builder(&getContext());
    hopper::WgmmaOp last;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (last && endsRun(op)) {
        builder.setInsertionPointAfter(last);
        hopper::TurnPassOp::create(builder, last.getLoc());
        last = nullptr;
      }
      if (auto wgmma = dyn_cast<hopper::WgmmaOp>(op)) {
        if (!last) {
          builder.setInsertionPoint(&op);
          hopper::TurnWaitOp::create(builder, op.getLoc());
        }
        last = wgmma;
      }
    }
  }
};

} // namespace
