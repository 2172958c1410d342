//===- LoopExpressions.h - Affine expressions of a loop's index -*- C++ -*-===//

#ifndef FA3_ANALYSIS_LOOPEXPRESSIONS_H
#define FA3_ANALYSIS_LOOPEXPRESSIONS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineExpr.h"

namespace fa3 {

/// Integer expressions in a loop as affine expressions of the loop's induction
/// variable (dimension 0) and of values that the loop does not change
/// (symbols).
///
/// Integers are treated as mathematical ones: tile coordinates fit in 32 bits,
/// so neither a cast nor an operation on them wraps.
class LoopExpressions {
public:
  /// Without a loop every value is a symbol.
  LoopExpressions(mlir::MLIRContext *context, mlir::scf::ForOp loop)
      : context(context), loop(loop) {}

  /// Bounds of all elements of a tile: none is less than the least of `low`,
  /// none is greater than the greatest of `high`.
  struct Bounds {
    llvm::SmallVector<mlir::AffineExpr, 2> low, high;
  };

  /// The expression of a scalar, or null if it is not affine.
  mlir::AffineExpr scalar(mlir::Value value) { return scalar(value, 0); }

  /// The bounds of a tile of integers.
  mlir::FailureOr<Bounds> tile(mlir::Value value) { return tile(value, 0); }

  /// Where in the loop an expression is greater than 0.
  struct Crossing {
    /// Does not contain the induction variable.
    mlir::AffineExpr threshold;
    /// True: where the induction variable is less than `threshold`. False:
    /// where it is not.
    bool below;
  };

  /// Solves `expr > 0` for the induction variable; fails if `expr` does not
  /// depend on it, or not linearly.
  mlir::FailureOr<Crossing> solvePositive(mlir::AffineExpr expr);

  /// Whether `expr` depends on the induction variable.
  static bool dependsOnIndex(mlir::AffineExpr expr) {
    return expr.isFunctionOfDim(0);
  }

  /// Whether `expr` is at most `limit`, as the definitions of its values show.
  bool provesAtMost(mlir::AffineExpr expr, int64_t limit);

  /// Code that computes `expr`, of type index.
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::AffineExpr expr);

  /// The sum of two expressions, one of them times a factor; null if a
  /// coefficient gets too large.
  mlir::AffineExpr combine(mlir::AffineExpr a, mlir::AffineExpr b,
                           int64_t factor);

private:
  mlir::AffineExpr scalar(mlir::Value value, unsigned depth);
  mlir::FailureOr<Bounds> tile(mlir::Value value, unsigned depth);
  mlir::FailureOr<Bounds> computeTile(mlir::Value value, unsigned depth);
  mlir::AffineExpr symbol(mlir::Value value);
  mlir::AffineExpr constant(const llvm::APInt &value);
  mlir::AffineExpr scaled(mlir::AffineExpr expr, mlir::Value factor);
  mlir::AffineExpr divided(mlir::AffineExpr expr, mlir::Value divisor, bool up);

  mlir::MLIRContext *context;
  mlir::scf::ForOp loop;
  llvm::SmallVector<mlir::Value> symbols;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> scalars;
  llvm::DenseMap<mlir::Value, mlir::FailureOr<Bounds>> tiles;
};

} // namespace fa3

#endif // FA3_ANALYSIS_LOOPEXPRESSIONS_H
