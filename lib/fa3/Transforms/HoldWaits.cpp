//===- HoldWaits.cpp - Waits stay behind what runs under a product --------===//
//
// ptxas moves wgmma.wait_group up, above arithmetic that does not use the
// product. What a loop carries on from under a product holds the wait back.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-hold-waits"

namespace fa3 {
#define GEN_PASS_DEF_HOLDWAITSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

struct HoldWaitsPass : fa3::impl::HoldWaitsPassBase<HoldWaitsPass> {
  void runOnOperation() override {
    tile::ScheduleAttr schedule = getOperation().getScheduleAttr();
    if (!schedule || !schedule.getLateWaits())
      return;
    SmallVector<hopper::WgmmaWaitOp> waits;
    getOperation().walk([&](hopper::WgmmaWaitOp wait) {
      if (isa<scf::ForOp>(wait->getParentOp()))
        waits.push_back(wait);
    });
    for (hopper::WgmmaWaitOp wait : waits) {
      SmallVector<Value> values = computedUnderProducts(wait);
      if (values.empty())
        continue;
      OpBuilder builder(wait);
      hopper::HoldOp::create(builder, wait.getLoc(), values);
      remark::passed(wait.getLoc(), kRemark) << remark::add(
          "{0} values hold the wait for a product back", values.size());
    }
  }

  /// What the loop yields and computes between the youngest product and the
  /// wait.
  static SmallVector<Value> computedUnderProducts(hopper::WgmmaWaitOp wait) {
    DenseSet<Operation *> under;
    Operation *op = wait->getPrevNode();
    for (; op && !isa<hopper::WgmmaCommitOp>(op); op = op->getPrevNode())
      under.insert(op);
    if (!op)
      return {};
    SetVector<Value> values;
    for (Value value : wait->getBlock()->getTerminator()->getOperands())
      if (Operation *def = value.getDefiningOp();
          value.getType().isF32() && under.contains(def) &&
          !isa<hopper::WgmmaWaitOp>(def))
        values.insert(value);
    // What another one is computed from need not be named.
    DenseSet<Operation *> sources;
    BackwardSliceOptions options;
    options.filter = [&](Operation *op) { return under.contains(op); };
    options.omitUsesFromAbove = false;
    for (Value value : values) {
      // Without its root, which may be in the slice of another.
      SetVector<Operation *> slice;
      (void)getBackwardSlice(value.getDefiningOp(), &slice, options);
      sources.insert_range(slice);
    }
    values.remove_if(
        [&](Value value) { return sources.contains(value.getDefiningOp()); });
    return values.takeVector();
  }
};

} // namespace
