//===- MaskAnalysis.cpp - Finds out where a mask does nothing -------------===//
//
// A select on a comparison of coordinates hides part of a tile. Interval
// arithmetic over the coordinates tells in which iterations it hides nothing.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/LoopExpressions.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/ControlFlowSinkUtils.h"

#define DEBUG_TYPE "fa3-mask-analysis"

namespace fa3 {
#define GEN_PASS_DEF_MASKANALYSISPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

static constexpr auto kRemark =
    remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

namespace {

/// `low < high` (or `low <= high`), for all elements where nothing is hidden.
struct Visible {
  Value low, high;
  bool strict;
};

/// A select, seen as a mask.
struct Mask {
  arith::SelectOp select;
  Visible visible;
  /// Whether the select's true operand is what hides.
  bool inverted;

  /// What the mask hides a part of.
  Value getSource() {
    return inverted ? select.getFalseValue() : select.getTrueValue();
  }
};

/// Masks of a loop that are applied on the same side of one threshold.
struct Side {
  bool below;
  SmallVector<Mask> masks = {};
  /// Where each condition on the loop's index changes.
  SmallVector<AffineExpr> thresholds = {};
  /// Violations that are the same in all iterations.
  SmallVector<AffineExpr> invariants = {};
};

/// Masks of one loop.
struct LoopMasks {
  explicit LoopMasks(scf::ForOp loop)
      : loop(loop), expressions(loop.getContext(), loop) {}

  scf::ForOp loop;
  LoopExpressions expressions;
  Side below = {/*below=*/true};
  Side above = {/*below=*/false};
  /// Masks with no condition on the loop's index: any threshold will do.
  Side either = {/*below=*/true};
};

} // namespace

static std::optional<Visible> matchComparison(arith::CmpIOp compare,
                                              bool inverted) {
  arith::CmpIPredicate predicate = compare.getPredicate();
  if (inverted)
    predicate = arith::invertPredicate(predicate);
  Value lhs = compare.getLhs(), rhs = compare.getRhs();
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return Visible{lhs, rhs, true};
  case arith::CmpIPredicate::sle:
    return Visible{lhs, rhs, false};
  case arith::CmpIPredicate::sgt:
    return Visible{rhs, lhs, true};
  case arith::CmpIPredicate::sge:
    return Visible{rhs, lhs, false};
  default:
    return std::nullopt;
  }
}

/// The constant side is what hides; without one it is the false side.
static std::optional<Mask> matchMask(arith::SelectOp select) {
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!compare || !isa<VectorType>(compare.getLhs().getType()))
    return std::nullopt;
  bool inverted = matchPattern(select.getTrueValue(), m_Constant());
  std::optional<Visible> visible = matchComparison(compare, inverted);
  if (!visible)
    return std::nullopt;
  return Mask{select, *visible, inverted};
}

/// Expressions of which one at least is positive wherever something is hidden.
static FailureOr<SmallVector<AffineExpr>>
findViolations(LoopExpressions &expressions, const Visible &visible) {
  FailureOr<LoopExpressions::Bounds> low = expressions.tile(visible.low);
  FailureOr<LoopExpressions::Bounds> high = expressions.tile(visible.high);
  if (failed(low) || failed(high))
    return failure();
  SmallVector<AffineExpr> violations;
  for (AffineExpr left : low->high) {
    for (AffineExpr right : high->low) {
      AffineExpr excess = expressions.combine(left, right, -1);
      if (excess && visible.strict)
        excess = expressions.combine(
            excess, getAffineConstantExpr(1, excess.getContext()), 1);
      if (!excess)
        return failure();
      if (!expressions.provesAtMost(excess, 0))
        violations.push_back(excess);
    }
  }
  return violations;
}

/// Adds the mask to the side of a threshold on which it is applied; fails if
/// there is none.
static LogicalResult addMask(LoopMasks &masks, const Mask &mask,
                             ArrayRef<AffineExpr> violations) {
  Side side{/*below=*/true, /*masks=*/{mask}};
  for (AffineExpr violation : violations) {
    if (!LoopExpressions::dependsOnIndex(violation)) {
      side.invariants.push_back(violation);
      continue;
    }
    FailureOr<LoopExpressions::Crossing> crossing =
        masks.expressions.solvePositive(violation);
    if (failed(crossing) ||
        (!side.thresholds.empty() && crossing->below != side.below))
      return failure();
    side.below = crossing->below;
    side.thresholds.push_back(crossing->threshold);
  }
  Side &all = side.thresholds.empty() ? masks.either
              : side.below            ? masks.below
                                      : masks.above;
  all.masks.append(side.masks);
  all.thresholds.append(side.thresholds);
  all.invariants.append(side.invariants);
  return success();
}

/// The condition as a disjunction of all violations.
static Value createDisjunction(OpBuilder &builder, Location loc,
                               LoopExpressions &expressions,
                               ArrayRef<AffineExpr> violations) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value any;
  for (AffineExpr violation : violations) {
    Value excess = expressions.materialize(builder, loc, violation);
    Value positive = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::sgt, excess, zero);
    any = any ? arith::OrIOp::create(builder, loc, any, positive) : positive;
  }
  return any;
}

/// The threshold of a side, in front of the loop: the outermost of its
/// thresholds, the loop's far end where an invariant violation holds.
static Value createThreshold(OpBuilder &builder, LoopMasks &masks, Side &side) {
  scf::ForOp loop = masks.loop;
  Location loc = side.masks.front().select.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop);
  Value threshold;
  for (AffineExpr expr : side.thresholds) {
    Value next = masks.expressions.materialize(builder, loc, expr);
    if (!threshold)
      threshold = next;
    else if (side.below)
      threshold = arith::MaxSIOp::create(builder, loc, threshold, next);
    else
      threshold = arith::MinSIOp::create(builder, loc, threshold, next);
  }
  Value first = loop.getLowerBound(), last = loop.getUpperBound();
  if (threshold)
    threshold = builder.createOrFold<arith::IndexCastOp>(loc, first.getType(),
                                                         threshold);
  else
    threshold = side.below ? first : last;
  if (side.invariants.empty())
    return threshold;
  Value always =
      createDisjunction(builder, loc, masks.expressions, side.invariants);
  return arith::SelectOp::create(builder, loc, always,
                                 side.below ? last : first, threshold);
}

/// Moves what only the mask needs into the branch that masks.
static void sinkCoordinates(scf::IfOp branch) {
  DominanceInfo dominance(branch->getParentOp());
  controlFlowSink(
      branch->getRegions().take_front(), dominance,
      [](Operation *op, Region *) {
        return isPure(op) && op->getNumResults() == 1 &&
               getElementTypeOrSelf(op->getResult(0).getType()).isIntOrIndex();
      },
      [](Operation *op, Region *region) {
        op->moveBefore(&region->front(), region->front().begin());
      });
}

namespace {

struct MaskAnalysisPass : fa3::impl::MaskAnalysisPassBase<MaskAnalysisPass> {
  void runOnOperation() override {
    SmallVector<arith::SelectOp> selects;
    getOperation().walk([&](arith::SelectOp select) {
      if (isa<VectorType>(select.getType()))
        selects.push_back(select);
    });
    llvm::MapVector<Operation *, LoopMasks> loops;
    for (arith::SelectOp select : selects)
      analyze(select, loops);
    for (auto &[op, masks] : loops) {
      Side &invariant = masks.above.masks.empty() || !masks.below.masks.empty()
                            ? masks.below
                            : masks.above;
      invariant.masks.append(masks.either.masks);
      invariant.invariants.append(masks.either.invariants);
      restrictToSide(masks, masks.below);
      restrictToSide(masks, masks.above);
    }
  }

  void analyze(arith::SelectOp select,
               llvm::MapVector<Operation *, LoopMasks> &loops) {
    auto missed = [&](StringRef why) {
      remark::missed(select.getLoc(), kRemark)
          << remark::add("the mask stays in every iteration: {0}", why);
    };
    // Selects on data are no masks.
    auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!compare)
      return;
    std::optional<Mask> mask = matchMask(select);
    if (!mask)
      return missed("not a signed order of tiles of integers");
    auto loop = select->getParentOfType<scf::ForOp>();
    LoopExpressions outside(&getContext(), nullptr);
    LoopMasks *masks =
        loop ? &loops.try_emplace(loop, loop).first->second : nullptr;
    LoopExpressions &expressions = masks ? masks->expressions : outside;
    FailureOr<SmallVector<AffineExpr>> violations =
        findViolations(expressions, mask->visible);
    if (failed(violations))
      return missed("its coordinates are not affine in the loop's index");
    if (violations->empty()) {
      remark::passed(select.getLoc(), kRemark)
          << "the mask hides nothing and is dropped";
      select.getResult().replaceAllUsesWith(mask->getSource());
      select.erase();
      return;
    }
    if (llvm::any_of(*violations, llvm::IsaPred<AffineConstantExpr>))
      return missed("it hides part of every tile");
    if (masks && succeeded(addMask(*masks, *mask, *violations)))
      return;
    OpBuilder builder(select);
    remark::passed(select.getLoc(), kRemark)
        << "the mask is applied where a scalar condition holds";
    restrict(*mask, createDisjunction(builder, select.getLoc(), expressions,
                                      *violations));
  }

  /// Applies masks on one side of a threshold of the loop's index.
  void restrictToSide(LoopMasks &masks, Side &side) {
    if (side.masks.empty())
      return;
    Location loc = side.masks.front().select.getLoc();
    auto builder = OpBuilder::atBlockBegin(masks.loop.getBody());
    Value threshold = createThreshold(builder, masks, side);
    Value applies = arith::CmpIOp::create(
        builder, loc,
        side.below ? arith::CmpIPredicate::slt : arith::CmpIPredicate::sge,
        masks.loop.getInductionVar(), threshold);
    for (Mask &mask : side.masks) {
      remark::passed(mask.select.getLoc(), kRemark)
          << "the mask is applied on one side of a threshold of the loop's "
             "index";
      restrict(mask, applies);
    }
  }

  /// Applies the mask where a condition holds.
  void restrict(Mask mask, Value condition) {
    arith::SelectOp select = mask.select;
    OpBuilder builder(select);
    Location loc = select.getLoc();
    auto branch = scf::IfOp::create(builder, loc, select.getType(), condition,
                                    /*withElseRegion=*/true);
    select.getResult().replaceAllUsesWith(branch.getResult(0));
    builder.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(builder, loc, mask.getSource());
    builder.setInsertionPointToEnd(branch.thenBlock());
    auto yield = scf::YieldOp::create(builder, loc, select.getResult());
    select->moveBefore(yield);
    sinkCoordinates(branch);
  }
};

} // namespace
