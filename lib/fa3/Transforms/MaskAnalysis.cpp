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
  Visible visible;
  /// The select's operand where nothing is hidden.
  Value source;
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
  return Mask{*visible,
              inverted ? select.getFalseValue() : select.getTrueValue()};
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
      auto known = dyn_cast<AffineConstantExpr>(excess);
      if (!known || known.getValue() > 0)
        violations.push_back(excess);
    }
  }
  return violations;
}

/// The condition as one comparison of the induction variable with a threshold
/// computed in front of the loop; null if it has no such form.
static Value createThreshold(OpBuilder &builder, Location loc,
                             LoopExpressions &expressions, scf::ForOp loop,
                             ArrayRef<AffineExpr> violations) {
  if (!loop)
    return nullptr;
  SmallVector<AffineExpr> thresholds;
  bool below = false;
  for (AffineExpr violation : violations) {
    FailureOr<LoopExpressions::Crossing> crossing =
        expressions.solvePositive(violation);
    if (failed(crossing) || (!thresholds.empty() && crossing->below != below))
      return nullptr;
    below = crossing->below;
    thresholds.push_back(crossing->threshold);
  }
  Value threshold;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(loop);
    for (AffineExpr expr : thresholds) {
      Value next = expressions.materialize(builder, loc, expr);
      if (!threshold)
        threshold = next;
      else if (below)
        threshold = arith::MaxSIOp::create(builder, loc, threshold, next);
      else
        threshold = arith::MinSIOp::create(builder, loc, threshold, next);
    }
    Type type = loop.getInductionVar().getType();
    if (threshold.getType() != type)
      threshold = arith::IndexCastOp::create(builder, loc, type, threshold);
  }
  return arith::CmpIOp::create(builder, loc,
                               below ? arith::CmpIPredicate::slt
                                     : arith::CmpIPredicate::sge,
                               loop.getInductionVar(), threshold);
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
    for (arith::SelectOp select : selects)
      analyze(select);
  }

  void analyze(arith::SelectOp select) {
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
    LoopExpressions expressions(&getContext(), loop);
    FailureOr<SmallVector<AffineExpr>> violations =
        findViolations(expressions, mask->visible);
    if (failed(violations))
      return missed("its coordinates are not affine in the loop's index");
    if (violations->empty()) {
      remark::passed(select.getLoc(), kRemark)
          << "the mask hides nothing and is dropped";
      select.getResult().replaceAllUsesWith(mask->source);
      select.erase();
      return;
    }
    if (llvm::any_of(*violations, llvm::IsaPred<AffineConstantExpr>))
      return missed("it hides part of every tile");
    restrict(select, *mask, expressions, loop, *violations);
  }

  void restrict(arith::SelectOp select, const Mask &mask,
                LoopExpressions &expressions, scf::ForOp loop,
                ArrayRef<AffineExpr> violations) {
    OpBuilder builder(select);
    Location loc = select.getLoc();
    Value mixed = createThreshold(builder, loc, expressions, loop, violations);
    remark::passed(loc, kRemark)
        << (mixed ? "the mask is applied on one side of a threshold of the "
                    "loop's index"
                  : "the mask is applied where a scalar condition holds");
    if (!mixed)
      mixed = createDisjunction(builder, loc, expressions, violations);
    auto branch = scf::IfOp::create(builder, loc, select.getType(), mixed,
                                    /*withElseRegion=*/true);
    select.getResult().replaceAllUsesWith(branch.getResult(0));
    builder.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(builder, loc, mask.source);
    builder.setInsertionPointToEnd(branch.thenBlock());
    auto yield = scf::YieldOp::create(builder, loc, select.getResult());
    select->moveBefore(yield);
    sinkCoordinates(branch);
  }
};

} // namespace
