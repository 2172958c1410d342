//===- LazyRescale.cpp - Rescales accumulators only when it matters -------===//
//
// An online softmax keeps its sums relative to the row maximum, and so do sums
// of rows that are scaled by the exponent of their largest element. Any
// reference near the maximum does: keeping the old one saves the multiplication
// of all accumulators.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-lazy-rescale"

namespace fa3 {
#define GEN_PASS_DEF_LAZYRESCALEPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

static constexpr auto kRemark =
    remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// Wider tiles than a row sum's are worth a branch.
static constexpr int64_t kNarrowColumns = 8;

namespace {

/// factor = exp2((previous - reference(maximum)) * scale), or without scale
struct Recurrence {
  /// The row maximum that the loop carries, and its next value.
  BlockArgument previous;
  arith::MaxNumFOp maximum;
  /// By how much sums shrink when the maximum grows.
  math::Exp2Op factor;
  /// Null where there is none.
  Value scale;
};

} // namespace

/// The value of a splat constant.
static FloatAttr matchSplat(Value value) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return nullptr;
  return elements.getSplatValue<FloatAttr>();
}

/// Whether `value` is `maximum`, or `maximum` with another value in place of
/// -inf.
static bool isReference(Value value, Value maximum) {
  if (value == maximum)
    return true;
  auto select = value.getDefiningOp<arith::SelectOp>();
  if (!select || select.getFalseValue() != maximum)
    return false;
  auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
  if (!compare || compare.getPredicate() != arith::CmpFPredicate::OEQ ||
      compare.getLhs() != maximum)
    return false;
  FloatAttr lowest = matchSplat(compare.getRhs());
  return lowest && lowest.getValue().isNegInfinity();
}

static scf::ForOp loopOf(BlockArgument carried) {
  return cast<scf::ForOp>(carried.getOwner()->getParentOp());
}

/// Whether `scale` is one positive number for all rows: a constant, or, as
/// specs promise of theirs, one from outside of the loop.
static bool isPositiveScale(Value scale, scf::ForOp loop) {
  if (FloatAttr constant = matchSplat(scale))
    return constant.getValue().isFiniteNonZero() &&
           !constant.getValue().isNegative();
  auto broadcast = scale.getDefiningOp<vector::BroadcastOp>();
  if (!broadcast)
    return false;
  auto source = dyn_cast<VectorType>(broadcast.getSourceType());
  return (!source || source.getNumElements() == 1) &&
         loop.isDefinedOutsideOfLoop(broadcast.getSource());
}

/// Matches the factor of a recurrence; null if `difference` is not one.
static std::optional<Recurrence> matchFactor(BlockArgument previous,
                                             arith::MaxNumFOp maximum,
                                             arith::SubFOp difference) {
  if (difference.getLhs() != previous ||
      !isReference(difference.getRhs(), maximum))
    return std::nullopt;
  for (Operation *user : difference->getUsers()) {
    if (auto factor = dyn_cast<math::Exp2Op>(user))
      return Recurrence{previous, maximum, factor, Value()};
    auto product = dyn_cast<arith::MulFOp>(user);
    if (!product)
      continue;
    bool first = product.getLhs() == difference;
    Value scale = first ? product.getRhs() : product.getLhs();
    if (!isPositiveScale(scale, loopOf(previous)))
      continue;
    for (Operation *next : product->getUsers())
      if (auto factor = dyn_cast<math::Exp2Op>(next))
        return Recurrence{previous, maximum, factor, scale};
  }
  return std::nullopt;
}

/// Finds the recurrence of a value that `loop` carries.
static std::optional<Recurrence> matchRecurrence(scf::ForOp loop,
                                                 BlockArgument previous) {
  OpOperand *yielded = loop.getTiedLoopYieldedValue(previous);
  auto maximum = yielded->get().getDefiningOp<arith::MaxNumFOp>();
  auto type = dyn_cast<VectorType>(previous.getType());
  if (!maximum || !type || type.getRank() != 2 || type.getDimSize(1) != 1 ||
      (maximum.getLhs() != previous && maximum.getRhs() != previous))
    return std::nullopt;
  for (Operation *user : previous.getUsers())
    if (auto difference = dyn_cast<arith::SubFOp>(user))
      if (auto match = matchFactor(previous, maximum, difference))
        return match;
  return std::nullopt;
}

/// Whether `value` is the factor of every row, for each column.
static bool isBroadcastFactor(Value value, Recurrence recurrence) {
  if (value == recurrence.factor.getResult())
    return true;
  auto broadcast = value.getDefiningOp<vector::BroadcastOp>();
  return broadcast && broadcast.getSource() == recurrence.factor.getResult();
}

/// Whether `op` multiplies `value` by the factor (and adds something).
static bool isRescaling(Operation *op, Value value, Recurrence recurrence) {
  if (!isa<arith::MulFOp, math::FmaOp>(op))
    return false;
  if (isa<math::FmaOp>(op) && op->getOperand(2) == value)
    return false;
  Value other = op->getOperand(op->getOperand(0) == value ? 1 : 0);
  return isBroadcastFactor(other, recurrence);
}

/// Whether the loop carries zeros (or NaN, which stays NaN).
static bool isCleared(scf::ForOp loop, BlockArgument carried) {
  auto product = loop.getTiedLoopYieldedValue(carried)
                     ->get()
                     .getDefiningOp<arith::MulFOp>();
  FloatAttr factor = product ? matchSplat(product.getRhs()) : FloatAttr();
  return factor && factor.getValue().isZero();
}

/// All values in `loop` that depend on the recurrence's reference, through
/// regions and from one iteration to the next, too.
static DenseSet<Value> dependentsOfReference(scf::ForOp loop,
                                             Recurrence recurrence) {
  SmallVector<Value> left = {recurrence.previous, recurrence.maximum};
  DenseSet<Value> dependents(left.begin(), left.end());
  auto add = [&](ValueRange values) {
    for (Value value : values)
      if (dependents.insert(value).second)
        left.push_back(value);
  };
  while (!left.empty()) {
    for (OpOperand &use : left.pop_back_val().getUses()) {
      Operation *user = use.getOwner();
      if (user == loop.getBody()->getTerminator()) {
        add(loop.getRegionIterArg(use.getOperandNumber()));
        continue;
      }
      if (user->hasTrait<OpTrait::IsTerminator>())
        user = user->getParentOp();
      add(user->getResults());
      for (Region &region : user->getRegions())
        for (Block &block : region)
          add(block.getArguments());
    }
  }
  return dependents;
}

/// A sum that the loop carries without rescaling it would mix references.
static bool rescalesAllSums(scf::ForOp loop, Recurrence recurrence) {
  int64_t rows = cast<VectorType>(recurrence.previous.getType()).getDimSize(0);
  DenseSet<Value> dependents = dependentsOfReference(loop, recurrence);
  for (BlockArgument carried : loop.getRegionIterArgs()) {
    auto type = dyn_cast<VectorType>(carried.getType());
    if (carried == recurrence.previous || isCleared(loop, carried) || !type ||
        !isa<FloatType>(type.getElementType()) || type.getRank() != 2 ||
        type.getDimSize(0) != rows ||
        !dependents.contains(loop.getTiedLoopYieldedValue(carried)->get()))
      continue;
    if (!llvm::all_of(carried.getUsers(), [&](Operation *user) {
          return isRescaling(user, carried, recurrence);
        }))
      return false;
  }
  return true;
}

namespace {

struct LazyRescalePass : fa3::impl::LazyRescalePassBase<LazyRescalePass> {
  void runOnOperation() override {
    tile::ScheduleAttr schedule = getOperation().getScheduleAttr();
    if (!schedule || schedule.getLazyRescale() == 0)
      return;
    getOperation().walk([&](scf::ForOp loop) {
      for (BlockArgument carried : loop.getRegionIterArgs()) {
        std::optional<Recurrence> recurrence = matchRecurrence(loop, carried);
        if (!recurrence)
          continue;
        if (!rescalesAllSums(loop, *recurrence)) {
          remark::missed(recurrence->maximum.getLoc(), kRemark)
              << "rescaling stays: the loop carries a value that the row "
                 "maximum's factor does not multiply";
          continue;
        }
        rewrite(*recurrence, schedule.getLazyRescale());
      }
    });
  }

  void rewrite(Recurrence recurrence, int64_t powers) {
    Location loc = recurrence.maximum.getLoc();
    OpBuilder builder(recurrence.maximum->getContext());
    builder.setInsertionPointAfter(recurrence.maximum);
    Value previous = recurrence.previous;
    Value maximum = recurrence.maximum.getResult();
    auto type = cast<VectorType>(maximum.getType());
    auto splat = [&](Attribute value) -> Value {
      return arith::ConstantOp::create(builder, loc,
                                       DenseElementsAttr::get(type, value));
    };

    // Unordered: a row that has seen nothing (-inf - -inf) counts as grown, so
    // that where nothing has grown the factor is exactly 1.
    Value growth = arith::SubFOp::create(builder, loc, maximum, previous);
    Value scaled = growth;
    if (recurrence.scale)
      scaled = arith::MulFOp::create(builder, loc, growth,
                                     rebuild(builder, recurrence.scale));
    Value threshold = splat(builder.getFloatAttr(type.getElementType(),
                                                 static_cast<double>(powers)));
    Value grown = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UGT,
                                        scaled, threshold);
    Value vote = tile::VoteOp::create(builder, loc, grown);
    auto reference =
        arith::SelectOp::create(builder, loc, vote, maximum, previous);
    maximum.replaceUsesWithIf(reference, [&](OpOperand &use) {
      return use.getOwner() != growth.getDefiningOp() &&
             use.getOwner() != reference;
    });

    unsigned count = 0;
    SmallVector<Operation *> users(recurrence.factor->getUsers());
    for (Operation *user : users) {
      auto broadcast = dyn_cast<vector::BroadcastOp>(user);
      if (!broadcast ||
          broadcast.getResultVectorType().getShape().back() <= kNarrowColumns)
        continue;
      for (Operation *next : llvm::make_early_inc_range(broadcast->getUsers()))
        if (auto product = dyn_cast<arith::MulFOp>(next))
          count += makeConditional(product, broadcast, vote);
    }
    remark::passed(loc, kRemark) << remark::add(
        "sums keep their reference until it is exceeded by a factor of 2^{0}; "
        "products made conditional: {1}",
        powers, count);
  }

  /// The scale, which may be defined further down.
  static Value rebuild(OpBuilder &builder, Value scale) {
    return builder.clone(*scale.getDefiningOp())->getResult(0);
  }

  /// Multiplies only the rows whose group has grown.
  bool makeConditional(arith::MulFOp product, Value factor, Value vote) {
    bool first = product.getLhs() == factor;
    Value source = first ? product.getRhs() : product.getLhs();
    if (source == factor)
      return false;
    OpBuilder builder(product);
    Location loc = product.getLoc();
    auto branch =
        tile::UniformIfOp::create(builder, loc, source.getType(), vote, source);
    product.getResult().replaceAllUsesWith(branch.getResult());
    Block &body = branch.getBody().emplaceBlock();
    builder.setInsertionPointToEnd(&body);
    auto yield = tile::YieldOp::create(builder, loc, product.getResult());
    product->moveBefore(yield);
    return true;
  }
};

} // namespace
