//===- SplitLoops.cpp - Splits loops where a condition changes ------------===//
//
// A condition that compares the loop's index with a threshold is true on one
// side of it and false on the other: two loops, in which it is a constant.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/LoopExpressions.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-split-loops"

namespace fa3 {
#define GEN_PASS_DEF_SPLITLOOPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

static constexpr auto kRemark =
    remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// Every split copies the loop's body; more conditions than this stay.
static constexpr unsigned kMaxSplits = 3;

namespace {

/// Where in a loop a condition changes.
struct Split {
  Value condition;
  LoopExpressions::Crossing crossing;
};

} // namespace

/// Where `compare` is true, as a crossing.
static FailureOr<LoopExpressions::Crossing>
solveComparison(LoopExpressions &expressions, arith::CmpIOp compare) {
  AffineExpr lhs = expressions.scalar(compare.getLhs());
  AffineExpr rhs = expressions.scalar(compare.getRhs());
  AffineExpr one = getAffineConstantExpr(1, compare.getContext());
  AffineExpr excess;
  switch (compare.getPredicate()) {
  case arith::CmpIPredicate::slt:
    excess = expressions.combine(rhs, lhs, -1);
    break;
  case arith::CmpIPredicate::sgt:
    excess = expressions.combine(lhs, rhs, -1);
    break;
  case arith::CmpIPredicate::sle:
    excess = expressions.combine(expressions.combine(rhs, lhs, -1), one, 1);
    break;
  case arith::CmpIPredicate::sge:
    excess = expressions.combine(expressions.combine(lhs, rhs, -1), one, 1);
    break;
  default:
    break;
  }
  if (!excess)
    return failure();
  return expressions.solvePositive(excess);
}

namespace {

struct SplitLoopsPass : fa3::impl::SplitLoopsPassBase<SplitLoopsPass> {
  void runOnOperation() override {
    tile::ScheduleAttr schedule = getOperation().getScheduleAttr();
    if (!schedule || !schedule.getSplitLoops())
      return;
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      splitLoop(loop, /*splits=*/0);
  }

  /// Splits `loop`, and both parts where they have other conditions.
  void splitLoop(scf::ForOp loop, unsigned splits) {
    LoopExpressions expressions(&getContext(), loop);
    std::optional<Split> split = findSplit(loop, expressions);
    if (!split)
      return;
    auto missed = [&](StringRef why) {
      remark::missed(loop.getLoc(), kRemark)
          << remark::add("not split: {0}", why);
    };
    // Where one part never runs, nothing is copied.
    if (std::optional<bool> below = getOnlySide(loop, expressions, *split)) {
      remark::passed(loop.getLoc(), kRemark)
          << "a condition of its index is the same in every iteration";
      fold(loop, split->condition, *below == split->crossing.below);
      return splitLoop(loop, splits);
    }
    if (!matchPattern(loop.getStep(), m_One()))
      return missed("the loop's step is not 1");
    if (splits == kMaxSplits)
      return missed("the loop has too many conditions");
    remark::passed(loop.getLoc(), kRemark)
        << "split where a condition of its index changes";

    OpBuilder builder(loop);
    Location loc = loop.getLoc();
    Value lower = loop.getLowerBound(), upper = loop.getUpperBound();
    Value middle =
        expressions.materialize(builder, loc, split->crossing.threshold);
    if (middle.getType() != lower.getType())
      middle =
          arith::IndexCastOp::create(builder, loc, lower.getType(), middle);
    middle = arith::MaxSIOp::create(builder, loc, middle, lower);
    middle = arith::MinSIOp::create(builder, loc, middle, upper);

    IRMapping mapping;
    auto first = cast<scf::ForOp>(builder.clone(*loop, mapping));
    first.setUpperBound(middle);
    loop.setLowerBound(middle);
    loop.getInitArgsMutable().assign(first.getResults());

    bool below = split->crossing.below;
    fold(first, mapping.lookup(split->condition), below);
    fold(loop, split->condition, !below);
    splitLoop(first, splits + 1);
    splitLoop(loop, splits + 1);
  }

  /// Whether all of the loop's indices are below the threshold (true) or none
  /// is (false), if either can be proved.
  static std::optional<bool> getOnlySide(scf::ForOp loop,
                                         LoopExpressions &expressions,
                                         const Split &split) {
    AffineExpr threshold = split.crossing.threshold;
    auto isAtMost = [&](AffineExpr a, AffineExpr b) {
      AffineExpr excess = expressions.combine(a, b, -1);
      return excess && expressions.provesAtMost(excess, 0);
    };
    if (isAtMost(threshold, expressions.scalar(loop.getLowerBound())))
      return false;
    if (isAtMost(expressions.scalar(loop.getUpperBound()), threshold))
      return true;
    return std::nullopt;
  }

  /// A branch of the loop on a condition that changes once in its course.
  std::optional<Split> findSplit(scf::ForOp loop,
                                 LoopExpressions &expressions) {
    std::optional<Split> split;
    loop.getBody()->walk([&](scf::IfOp branch) {
      if (branch->getParentOfType<scf::ForOp>() != loop)
        return WalkResult::advance();
      Value condition = branch.getCondition();
      if (loop.isDefinedOutsideOfLoop(condition))
        return WalkResult::advance();
      auto compare = condition.getDefiningOp<arith::CmpIOp>();
      FailureOr<LoopExpressions::Crossing> crossing = failure();
      if (compare)
        crossing = solveComparison(expressions, compare);
      if (failed(crossing)) {
        remark::missed(branch.getLoc(), kRemark)
            << "no split: the condition is not a signed comparison that is "
               "affine in the loop's index";
        return WalkResult::advance();
      }
      split = Split{condition, *crossing};
      return WalkResult::interrupt();
    });
    return split;
  }

  /// Replaces the condition by what it is in all of `loop`, and its branches by
  /// the region that is taken.
  void fold(scf::ForOp loop, Value condition, bool value) {
    IRRewriter rewriter(&getContext());
    SmallVector<scf::IfOp> branches;
    for (Operation *user : condition.getUsers())
      if (auto branch = dyn_cast<scf::IfOp>(user))
        branches.push_back(branch);
    for (scf::IfOp branch : branches) {
      Region &taken = value ? branch.getThenRegion() : branch.getElseRegion();
      if (taken.empty()) {
        rewriter.eraseOp(branch);
        continue;
      }
      Operation *yield = taken.front().getTerminator();
      SmallVector<Value> results(yield->getOperands());
      rewriter.eraseOp(yield);
      rewriter.inlineBlockBefore(&taken.front(), branch);
      rewriter.replaceOp(branch, results);
    }
    rewriter.setInsertionPointToStart(loop.getBody());
    Value constant =
        arith::ConstantIntOp::create(rewriter, loop.getLoc(), value, 1);
    rewriter.replaceAllUsesWith(condition, constant);
    rewriter.eraseOp(condition.getDefiningOp());
    if (constant.use_empty())
      rewriter.eraseOp(constant.getDefiningOp());
  }
};

} // namespace
