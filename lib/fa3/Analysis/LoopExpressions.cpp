//===- LoopExpressions.cpp - Affine expressions of a loop's index ---------===//

#include "fa3/Analysis/LoopExpressions.h"

#include "fa3/Tile/TileOps.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Affine/Utils.h"
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

  if (!isa<VectorType>(value.getType())) {
    AffineExpr expr = scalar(value, depth + 1);
    if (!expr)
      return failure();
    return Bounds{{expr}, {expr}};
  }
  DenseIntElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)) && elements.isSplat()) {
    AffineExpr expr = constant(elements.getSplatValue<APInt>());
    return Bounds{{expr}, {expr}};
  }
  return llvm::TypeSwitch<Operation *, FailureOr<Bounds>>(value.getDefiningOp())
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
        DenseIntElementsAttr factors;
        FailureOr<Bounds> bounds = recurse(op.getLhs());
        if (failed(bounds) ||
            !matchPattern(op.getRhs(), m_Constant(&factors)) ||
            !factors.isSplat())
          return failure();
        APInt factor = factors.getSplatValue<APInt>();
        if (factor.getSignificantBits() > 32)
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
  if (coefficient < 0)
    return Crossing{rest.ceilDiv(-coefficient), /*below=*/true};
  return Crossing{(-rest).floorDiv(coefficient) + 1, /*below=*/false};
}

Value LoopExpressions::materialize(OpBuilder &builder, Location loc,
                                   AffineExpr expr) {
  SmallVector<Value> dims, values;
  if (loop && expr.isFunctionOfDim(0))
    dims.push_back(loop.getInductionVar());
  for (auto [position, value] : llvm::enumerate(symbols))
    values.push_back(expr.isFunctionOfSymbol(position) ? value : Value());
  for (Value &value : llvm::concat<Value>(dims, values))
    if (value && !value.getType().isIndex())
      value = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                         value);
  return affine::expandAffineExpr(builder, loc, expr, dims, values);
}
