//===- ValueConstraints.h - What definitions say of integers ----*- C++ -*-===//

#ifndef FA3_ANALYSIS_VALUECONSTRAINTS_H
#define FA3_ANALYSIS_VALUECONSTRAINTS_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace fa3 {

/// Linear constraints on integers that follow from their definitions: sums,
/// products with and divisions by constants, minima and maxima, selects, sizes,
/// coordinates in the grid, indices of loops. Proves bounds of expressions.
///
/// Integers are treated as mathematical ones, as in LoopExpressions.
class ValueConstraints {
public:
  /// Whether `expr` is at most `limit` whatever the values are. False means
  /// that there is no proof.
  bool provesAtMost(mlir::AffineExpr expr, mlir::ArrayRef<mlir::Value> dims,
                    mlir::ArrayRef<mlir::Value> symbols, int64_t limit);

private:
  /// A sum of columns with coefficients, and a constant. Columns that were
  /// added later have the coefficient 0.
  struct Linear {
    llvm::SmallVector<int64_t> coefficients;
    int64_t constant = 0;
  };
  /// Expressions that are all not negative.
  using Conjunction = llvm::SmallVector<Linear, 0>;

  /// The value as an expression of columns: values that are not linear in
  /// others.
  Linear linear(mlir::Value value, unsigned depth);
  Linear define(mlir::Operation *def, mlir::Value value, unsigned depth);
  /// The same for an affine expression; fails where it is semi-affine.
  std::optional<Linear> linear(mlir::AffineExpr expr,
                               mlir::ArrayRef<mlir::Value> dims,
                               mlir::ArrayRef<mlir::Value> symbols);
  /// A new column for `value` divided by `divisor`, which is positive.
  Linear quotient(const Linear &value, int64_t divisor, bool up);
  Linear column();
  /// One alternative or the other holds.
  void either(Conjunction first, Conjunction second);

  /// a + b * factor. A sum with too large a coefficient is a new column, of
  /// which nothing is known.
  Linear sum(const Linear &a, const Linear &b, int64_t factor);
  /// a - b and b - a, of which neither is negative: both are equal.
  Conjunction equal(const Linear &a, const Linear &b);
  /// Whether the constraints, `goal` and what was chosen among the alternatives
  /// from `next` on contradict each other.
  bool contradicts(Conjunction chosen, unsigned next);
  bool isAtMost(const Linear &value, int64_t limit);

  unsigned numColumns = 0;
  Conjunction facts;
  llvm::SmallVector<std::pair<Conjunction, Conjunction>, 0> alternatives;
  llvm::DenseMap<mlir::Value, Linear> known;
};

} // namespace fa3

#endif // FA3_ANALYSIS_VALUECONSTRAINTS_H
