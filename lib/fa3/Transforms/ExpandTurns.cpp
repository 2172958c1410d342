//===- ExpandTurns.cpp - Turns become named barriers ----------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/NamedBarriers.h"
#include "fa3/Transforms/Passes.h"

#define DEBUG_TYPE "fa3-expand-turns"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDTURNSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

/// The warpgroup that waits and the one that passes its turn on.
constexpr int64_t kThreads = 2 * 128;

struct ExpandTurnsPass : fa3::impl::ExpandTurnsPassBase<ExpandTurnsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    SmallVector<Operation *> turns;
    kernel.walk([&](Operation *op) {
      if (isa<hopper::TurnWaitOp, hopper::TurnPassOp>(op))
        turns.push_back(op);
    });
    if (turns.empty())
      return;
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    if (!schedule || schedule.getWarpgroups() < 2) {
      turns.front()->emitError("needs a kernel with a schedule of two "
                               "warpgroups or more");
      return signalPassFailure();
    }
    int64_t warpgroups = schedule.getWarpgroups();

    Block *role = &kernel.getBody().front();
    Value active;
    if (auto roles = turns.front()->getParentOfType<hopper::SpecializeOp>()) {
      role = &roles.getConsumer().front();
      active = roles.getActive();
    }
    OpBuilder builder = OpBuilder::atBlockBegin(role);
    Location loc = kernel.getLoc();
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIntOp::create(builder, loc, value, 32);
    };
    Value mine =
        hopper::WarpgroupOp::create(builder, loc, builder.getI32Type());
    Value mineBarrier =
        arith::AddIOp::create(builder, loc, mine, number(kFirstTurnBarrier));
    Value last = active ? arith::SubIOp::create(builder, loc, active, number(1))
                        : number(warpgroups - 1);
    Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                         mine, last);
    Value following =
        arith::AddIOp::create(builder, loc, mineBarrier, number(1));
    Value nextBarrier = arith::SelectOp::create(
        builder, loc, isLast, number(kFirstTurnBarrier), following);
    // Warpgroup 0 starts: nobody passes it the first turn, so the last
    // warpgroup does, as if it had just ended one.
    auto start = scf::IfOp::create(builder, loc, isLast);
    builder.setInsertionPointToStart(start.thenBlock());
    hopper::NamedArriveOp::create(builder, loc, number(kFirstTurnBarrier),
                                  kThreads);
    for (Operation *turn : turns) {
      builder.setInsertionPoint(turn);
      if (isa<hopper::TurnWaitOp>(turn))
        hopper::NamedSyncOp::create(builder, turn->getLoc(), mineBarrier,
                                    kThreads);
      else
        hopper::NamedArriveOp::create(builder, turn->getLoc(), nextBarrier,
                                      kThreads);
      turn->erase();
    }
  }
};

} // namespace
