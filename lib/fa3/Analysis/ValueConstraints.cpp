//===- ValueConstraints.cpp - What definitions say of integers ------------===//

#include "fa3/Analysis/ValueConstraints.h"

#include "fa3/Tile/TileOps.h"

#include "mlir/Analysis/Presburger/IntegerRelation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

/// How long a chain of definitions is followed.
static constexpr unsigned kMaxDepth = 32;
/// Alternatives beyond this are not told apart: each doubles the work.
static constexpr size_t kMaxAlternatives = 4;
/// Values beyond this are unknown ones.
static constexpr unsigned kMaxColumns = 48;
/// Coefficients up to this can be multiplied without overflow.
static constexpr int64_t kMaxCoefficient = int64_t(1) << 31;

static bool isSmall(int64_t number) {
  return number <= kMaxCoefficient && number >= -kMaxCoefficient;
}

/// The constant that `value` is, if it is one and not too large.
static std::optional<int64_t> getConstant(Value value) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)) ||
      constant.getSignificantBits() > 32)
    return std::nullopt;
  return constant.getSExtValue();
}

ValueConstraints::Linear ValueConstraints::column() {
  Linear result;
  result.coefficients.resize(++numColumns);
  result.coefficients.back() = 1;
  return result;
}

ValueConstraints::Linear ValueConstraints::sum(const Linear &a, const Linear &b,
                                               int64_t factor) {
  if (!isSmall(factor))
    return column();
  Linear result = a;
  result.constant += b.constant * factor;
  if (result.coefficients.size() < b.coefficients.size())
    result.coefficients.resize(b.coefficients.size());
  for (auto [mine, other] : llvm::zip(result.coefficients, b.coefficients))
    mine += other * factor;
  if (!isSmall(result.constant) || !llvm::all_of(result.coefficients, isSmall))
    return column();
  return result;
}

ValueConstraints::Conjunction ValueConstraints::equal(const Linear &a,
                                                      const Linear &b) {
  return {sum(a, b, -1), sum(b, a, -1)};
}

void ValueConstraints::either(Conjunction first, Conjunction second) {
  if (alternatives.size() < kMaxAlternatives)
    alternatives.emplace_back(std::move(first), std::move(second));
}

ValueConstraints::Linear ValueConstraints::quotient(const Linear &value,
                                                    int64_t divisor, bool up) {
  // The remainder is what `value` exceeds the product by, or lacks to it.
  Linear result = column();
  Linear rest = sum(value, result, -divisor);
  if (up)
    rest = sum({}, rest, -1);
  facts.push_back(rest);
  facts.push_back(sum({{}, divisor - 1}, rest, -1));
  return result;
}

ValueConstraints::Linear ValueConstraints::linear(Value value, unsigned depth) {
  if (std::optional<int64_t> constant = getConstant(value))
    return {{}, *constant};
  if (auto found = known.find(value); found != known.end())
    return found->second;
  Linear result;
  Operation *def = value.getDefiningOp();
  if (depth > kMaxDepth || numColumns > kMaxColumns) {
    result = column();
  } else if (def) {
    result = define(def, value, depth + 1);
  } else {
    result = column();
    auto loop = dyn_cast<scf::ForOp>(
        cast<BlockArgument>(value).getOwner()->getParentOp());
    if (loop && loop.getInductionVar() == value && !loop.getUnsignedCmp()) {
      Linear lower = linear(loop.getLowerBound(), depth + 1);
      Linear upper = linear(loop.getUpperBound(), depth + 1);
      facts.push_back(sum(result, lower, -1));
      facts.push_back(sum(sum(upper, result, -1), {{}, 1}, -1));
    }
  }
  known[value] = result;
  return result;
}

ValueConstraints::Linear ValueConstraints::define(Operation *def, Value value,
                                                  unsigned depth) {
  auto operand = [&](unsigned position) {
    return linear(def->getOperand(position), depth);
  };
  if (isa<arith::IndexCastOp, arith::ExtSIOp>(def))
    return operand(0);
  if (isa<arith::AddIOp>(def))
    return sum(operand(0), operand(1), 1);
  if (isa<arith::SubIOp>(def))
    return sum(operand(0), operand(1), -1);
  if (isa<arith::MulIOp>(def)) {
    if (std::optional<int64_t> factor = getConstant(def->getOperand(1)))
      return sum({}, operand(0), *factor);
    return column();
  }
  if (isa<arith::FloorDivSIOp, arith::CeilDivSIOp, arith::DivSIOp,
          arith::DivUIOp, arith::CeilDivUIOp>(def)) {
    std::optional<int64_t> divisor = getConstant(def->getOperand(1));
    if (!divisor || *divisor <= 0)
      return column();
    Linear dividend = operand(0);
    // The others round a negative number in another way.
    if (!isa<arith::FloorDivSIOp, arith::CeilDivSIOp>(def) &&
        !isAtMost(sum({}, dividend, -1), 0))
      return column();
    return quotient(dividend, *divisor,
                    isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(def));
  }
  if (isa<arith::MinSIOp, arith::MaxSIOp>(def)) {
    Linear a = operand(0), b = operand(1), result = column();
    int64_t sign = isa<arith::MaxSIOp>(def) ? 1 : -1;
    for (const Linear &bound : {a, b})
      facts.push_back(sum({}, sum(result, bound, -1), sign));
    either(equal(result, a), equal(result, b));
    return result;
  }
  if (auto select = dyn_cast<arith::SelectOp>(def)) {
    Linear a = operand(1), b = operand(2), result = column();
    either(equal(result, a), equal(result, b));
    return result;
  }
  Linear result = column();
  if (isa<memref::DimOp>(def))
    facts.push_back(result);
  if (auto ids = dyn_cast<tile::ProgramIdOp>(def)) {
    Linear extent = linear(
        ids.getExtents()[cast<OpResult>(value).getResultNumber()], depth);
    facts.push_back(result);
    facts.push_back(sum(sum(extent, result, -1), {{}, 1}, -1));
  }
  return result;
}

std::optional<ValueConstraints::Linear>
ValueConstraints::linear(AffineExpr expr, ArrayRef<Value> dims,
                         ArrayRef<Value> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Linear{{}, constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return linear(dims[dim.getPosition()], /*depth=*/0);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return linear(symbols[symbol.getPosition()], /*depth=*/0);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<Linear> lhs = linear(binary.getLHS(), dims, symbols);
  if (!lhs)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add) {
    std::optional<Linear> rhs = linear(binary.getRHS(), dims, symbols);
    return rhs ? std::optional(sum(*lhs, *rhs, 1)) : std::nullopt;
  }
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!constant)
    return std::nullopt;
  int64_t number = constant.getValue();
  if (expr.getKind() == AffineExprKind::Mul)
    return sum({}, *lhs, number);
  if (number <= 0 || !isSmall(number))
    return std::nullopt;
  Linear result =
      quotient(*lhs, number, expr.getKind() == AffineExprKind::CeilDiv);
  if (expr.getKind() == AffineExprKind::Mod)
    result = sum(*lhs, result, -number);
  return result;
}

bool ValueConstraints::contradicts(Conjunction chosen, unsigned next) {
  presburger::IntegerPolyhedron system(
      presburger::PresburgerSpace::getSetSpace(numColumns));
  for (const Linear &expr : llvm::concat<const Linear>(facts, chosen)) {
    SmallVector<int64_t> row(expr.coefficients);
    row.resize(numColumns);
    row.push_back(expr.constant);
    system.addInequality(row);
  }
  if (system.isEmpty())
    return true;
  if (next == alternatives.size())
    return false;
  auto holds = [&](const Conjunction &alternative) {
    Conjunction more = chosen;
    more.append(alternative);
    return contradicts(std::move(more), next + 1);
  };
  return holds(alternatives[next].first) && holds(alternatives[next].second);
}

bool ValueConstraints::isAtMost(const Linear &value, int64_t limit) {
  // Contradicted: value - limit - 1 >= 0.
  Linear excess = value;
  excess.constant -= limit + 1;
  return contradicts({excess}, 0);
}

bool ValueConstraints::provesAtMost(AffineExpr expr, ArrayRef<Value> dims,
                                    ArrayRef<Value> symbols, int64_t limit) {
  std::optional<Linear> value = linear(expr, dims, symbols);
  return value && isAtMost(*value, limit);
}
