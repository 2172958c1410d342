//===- LoopExpressions.cpp - Affine expressions of a loop's index ---------===//

#include "fa3/Analysis/LoopExpressions.h"

#include "fa3/Analysis/ValueConstraints.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

using Bounds = LoopExpressions::Bounds;

/// How long a chain of definitions is followed.
static constexpr unsigned kMaxDepth = 64;
/// How many alternatives a bound may have.
static constexpr size_t kMaxAlternatives = 8;
/// Coefficients up to this can be multiplied without overflow.
static constexpr int64_t kMaxCoefficient = int64_t(1) << 31;

AffineExpr LoopExpressions::constant(const APInt &value) {
  if (value.getSignificantBits() > 32)
    return nullptr;
  return getAffineConstantExpr(value.getSExtValue(), context);
}

AffineExpr LoopExpressions::symbol(Value value) {
  if (!value.getType().isIntOrIndex())
    return nullptr;
  auto *known = llvm::find(symbols, value);
  unsigned position = known - symbols.begin();
  if (known == symbols.end())
    symbols.push_back(value);
  return getAffineSymbolExpr(position, context);
}

AffineExpr LoopExpressions::combine(AffineExpr a, AffineExpr b,
                                    int64_t factor) {
  if (!a || !b || factor > kMaxCoefficient || factor < -kMaxCoefficient)
    return nullptr;
  // Simplification multiplies out, so that the check sees all coefficients.
  AffineExpr result = simplifyAffineExpr(a + b * factor, 1, symbols.size());
  bool small = true;
  result.walk([&](AffineExpr expr) {
    if (auto coefficient = dyn_cast<AffineConstantExpr>(expr))
      small &= coefficient.getValue() <= kMaxCoefficient &&
               coefficient.getValue() >= -kMaxCoefficient;
  });
  return small ? result : nullptr;
}

AffineExpr LoopExpressions::scaled(AffineExpr expr, Value factor) {
  APInt value;
  if (!matchPattern(factor, m_ConstantInt(&value)) ||
      value.getSignificantBits() > 32)
    return nullptr;
  return combine(getAffineConstantExpr(0, context), expr, value.getSExtValue());
}

AffineExpr LoopExpressions::divided(AffineExpr expr, Value divisor, bool up) {
  APInt value;
  if (!expr || !matchPattern(divisor, m_ConstantInt(&value)) ||
      !value.isStrictlyPositive() || value.getSignificantBits() > 32)
    return nullptr;
  int64_t number = value.getSExtValue();
  return simplifyAffineExpr(up ? expr.ceilDiv(number) : expr.floorDiv(number),
                            1, symbols.size());
}

AffineExpr LoopExpressions::scalar(Value value, unsigned depth) {
  if (depth > kMaxDepth)
    return nullptr;
  APInt constantValue;
  if (matchPattern(value, m_ConstantInt(&constantValue)))
    return constant(constantValue);
  if (loop && value == loop.getInductionVar())
    return getAffineDimExpr(0, context);
  if (auto known = scalars.find(value); known != scalars.end())
    return known->second;

  auto recurse = [&](Value operand) { return scalar(operand, depth + 1); };
  Operation *def = value.getDefiningOp();
  AffineExpr result;
  if (isa_and_present<arith::IndexCastOp, arith::ExtSIOp>(def))
    result = recurse(def->getOperand(0));
  else if (!loop || loop.isDefinedOutsideOfLoop(value))
    result = symbol(value);
  else if (isa_and_present<arith::AddIOp>(def))
    result =
        combine(recurse(def->getOperand(0)), recurse(def->getOperand(1)), 1);
  else if (isa_and_present<arith::SubIOp>(def))
    result =
        combine(recurse(def->getOperand(0)), recurse(def->getOperand(1)), -1);
  else if (isa_and_present<arith::MulIOp>(def))
    result = scaled(recurse(def->getOperand(0)), def->getOperand(1));
  else if (isa_and_present<arith::FloorDivSIOp, arith::CeilDivSIOp>(def))
    result = divided(recurse(def->getOperand(0)), def->getOperand(1),
                     isa<arith::CeilDivSIOp>(def));
  else if (isa_and_present<arith::DivSIOp, arith::DivUIOp, arith::CeilDivUIOp>(
               def)) {
    // These round a negative number in another way.
    AffineExpr dividend = recurse(def->getOperand(0));
    if (dividend && provesAtMost(-dividend, 0))
      result =
          divided(dividend, def->getOperand(1), isa<arith::CeilDivUIOp>(def));
  }
  scalars[value] = result;
  return result;
}

FailureOr<Bounds> LoopExpressions::tile(Value value, unsigned depth) {
  if (depth > kMaxDepth)
    return failure();
  if (auto known = tiles.find(value); known != tiles.end())
    return known->second;
  FailureOr<Bounds> result = computeTile(value, depth);
  if (succeeded(result)) {
    auto usable = [](ArrayRef<AffineExpr> alternatives) {
      return alternatives.size() <= kMaxAlternatives &&
             llvm::all_of(alternatives, [](AffineExpr e) { return bool(e); });
    };
    if (!usable(result->low) || !usable(result->high))
      result = failure();
  }
  tiles.try_emplace(value, result);
  return result;
}

FailureOr<Bounds> LoopExpressions::computeTile(Value value, unsigned depth) {
  auto recurse = [&](Value operand) { return tile(operand, depth + 1); };
  // Every alternative of `a` with every one of `b`.
  auto sums = [&](ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b,
                  int64_t factor) {
    SmallVector<AffineExpr, 2> result;
    for (AffineExpr left : a)
      for (AffineExpr right : b)
        result.push_back(combine(left, right, factor));
    return result;
  };
  auto joined = [](ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
    SmallVector<AffineExpr, 2> result(a);
    for (AffineExpr expr : b)
      if (!llvm::is_contained(result, expr))
        result.push_back(expr);
    return result;
  };
  auto binary =
      [&](Operation *op,
          function_ref<Bounds(const Bounds &, const Bounds &)> callback)
      -> FailureOr<Bounds> {
    FailureOr<Bounds> a = recurse(op->getOperand(0));
    FailureOr<Bounds> b = recurse(op->getOperand(1));
    if (failed(a) || failed(b))
      return failure();
    return callback(*a, *b);
  };

  if (!isa<VectorType>(value.getType()))
    if (AffineExpr expr = scalar(value, depth + 1))
      return Bounds{{expr}, {expr}};
  DenseIntElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)) && elements.isSplat()) {
    AffineExpr expr = constant(elements.getSplatValue<APInt>());
    return Bounds{{expr}, {expr}};
  }
  Operation *def = value.getDefiningOp();
  if (!def)
    return failure();
  return llvm::TypeSwitch<Operation *, FailureOr<Bounds>>(def)
      .Case([&](tile::IotaOp op) -> FailureOr<Bounds> {
        int64_t size =
            cast<VectorType>(op.getResult().getType()).getDimSize(op.getDim());
        return Bounds{{getAffineConstantExpr(0, context)},
                      {getAffineConstantExpr(size - 1, context)}};
      })
      .Case([&](vector::BroadcastOp op) { return recurse(op.getSource()); })
      .Case([&](arith::IndexCastOp op) { return recurse(op.getIn()); })
      .Case([&](arith::ExtSIOp op) { return recurse(op.getIn()); })
      .Case([&](arith::AddIOp op) {
        return binary(op, [&](const Bounds &a, const Bounds &b) {
          return Bounds{sums(a.low, b.low, 1), sums(a.high, b.high, 1)};
        });
      })
      .Case([&](arith::SubIOp op) {
        return binary(op, [&](const Bounds &a, const Bounds &b) {
          return Bounds{sums(a.low, b.high, -1), sums(a.high, b.low, -1)};
        });
      })
      .Case([&](arith::MulIOp op) -> FailureOr<Bounds> {
        APInt factor;
        FailureOr<Bounds> bounds = recurse(op.getLhs());
        if (failed(bounds) ||
            !matchPattern(op.getRhs(), m_ConstantInt(&factor)) ||
            factor.getSignificantBits() > 32)
          return failure();
        AffineExpr zero = getAffineConstantExpr(0, context);
        int64_t number = factor.getSExtValue();
        Bounds result{sums({zero}, bounds->low, number),
                      sums({zero}, bounds->high, number)};
        if (number < 0)
          std::swap(result.low, result.high);
        return result;
      })
      // The upper bound of either operand is one of the minimum.
      .Case([&](arith::MinSIOp op) {
        return binary(op, [&](const Bounds &a, const Bounds &b) {
          return Bounds{joined(a.low, b.low), a.high};
        });
      })
      .Case([&](arith::MaxSIOp op) {
        return binary(op, [&](const Bounds &a, const Bounds &b) {
          return Bounds{a.low, joined(a.high, b.high)};
        });
      })
      .Default([](Operation *) { return failure(); });
}

FailureOr<LoopExpressions::Crossing>
LoopExpressions::solvePositive(AffineExpr expr) {
  // expr = coefficient * iv + rest
  SmallVector<int64_t> flat;
  if (failed(getFlattenedAffineExpr(expr, 1, symbols.size(), &flat)))
    return failure();
  int64_t coefficient = flat[0];
  if (coefficient == 0)
    return failure();
  AffineExpr rest = simplifyAffineExpr(
      expr - getAffineDimExpr(0, context) * coefficient, 1, symbols.size());
  if (dependsOnIndex(rest))
    return failure();
  if (coefficient < 0)
    return Crossing{rest.ceilDiv(-coefficient), /*below=*/true};
  return Crossing{(-rest).floorDiv(coefficient) + 1, /*below=*/false};
}

bool LoopExpressions::provesAtMost(AffineExpr expr, int64_t limit) {
  SmallVector<Value, 1> dims;
  if (loop)
    dims.push_back(loop.getInductionVar());
  return ValueConstraints().provesAtMost(expr, dims, symbols, limit);
}

Value LoopExpressions::materialize(OpBuilder &builder, Location loc,
                                   AffineExpr expr) {
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  auto leaf = [&](Value value) {
    return builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(),
                                                    value);
  };
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return constant(number.getValue());
  if (isa<AffineDimExpr>(expr))
    return leaf(loop.getInductionVar());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return leaf(symbols[symbol.getPosition()]);

  auto binary = cast<AffineBinaryOpExpr>(expr);
  AffineExpr lhs = binary.getLHS(), rhs = binary.getRHS();
  Value left = materialize(builder, loc, lhs);
  if (expr.getKind() == AffineExprKind::Add) {
    auto product = dyn_cast<AffineBinaryOpExpr>(rhs);
    if (product && product.getKind() == AffineExprKind::Mul &&
        product.getRHS() == -1)
      return arith::SubIOp::create(builder, loc, left,
                                   materialize(builder, loc, product.getLHS()));
    return arith::AddIOp::create(builder, loc, left,
                                 materialize(builder, loc, rhs));
  }
  // The other operand is a constant: positive, if it divides.
  Value right = materialize(builder, loc, rhs);
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return arith::MulIOp::create(builder, loc, left, right);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(builder, loc, left, right);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(builder, loc, left, right);
  default:
    break;
  }
  Value quotient = arith::FloorDivSIOp::create(builder, loc, left, right);
  quotient = arith::MulIOp::create(builder, loc, quotient, right);
  return arith::SubIOp::create(builder, loc, left, quotient);
}
