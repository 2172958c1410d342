//===- Visibility.h - Which queries see which keys --------------*- C++ -*-===//

#ifndef FA3_CONVERSION_ATTNTOTILE_VISIBILITY_H
#define FA3_CONVERSION_ATTNTOTILE_VISIBILITY_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fa3 {

/// The mask of attention: query i sees keys j < seqlen_k and, if it is causal,
/// j <= i + seqlen_k - seqlen_q.
class Visibility {
public:
  Visibility(mlir::ImplicitLocOpBuilder &b, mlir::Value seqlenQ,
             mlir::Value seqlenK, bool causal)
      : b(b), seqlenQ(seqlenQ), seqlenK(seqlenK), causal(causal) {}

  //===--- A block of queries ---------------------------------------------===//

  /// How many blocks of `cols` keys the `rows` queries from `row0` on see.
  mlir::Value countKeyBlocks(mlir::Value row0, int64_t rows, int64_t cols);
  /// The first key that is hidden from the `rows` queries from `row0` on: a
  /// scalar, or a tile of one column if it depends on the query.
  mlir::Value firstHiddenKey(mlir::Value row0, int64_t rows);
  /// Scores of queries (rows) with the keys from `col0` on (columns) where
  /// these are less than `limit`, a result of firstHiddenKey; else -inf.
  mlir::Value hideColumns(mlir::Value scores, mlir::Value limit,
                          mlir::Value col0);

  //===--- A block of keys ------------------------------------------------===//

  /// The first of the blocks of `rows` queries that sees a key from `key0` on,
  /// if there is such a key.
  mlir::Value firstQueryBlock(mlir::Value key0, int64_t rows);
  /// Scores where the query sees the key, else -inf; anything for queries that
  /// do not exist. The keys from `key0` on are dimension `keyDim` of the tile,
  /// the queries from `query0` on the other one.
  mlir::Value hideKeys(mlir::Value scores, int64_t keyDim, mlir::Value key0,
                       mlir::Value query0);

private:
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  /// seqlen_k - seqlen_q.
  mlir::Value shift() {
    return mlir::arith::SubIOp::create(b, seqlenK, seqlenQ);
  }
  mlir::Value toI32(mlir::Value value) {
    return b.createOrFold<mlir::arith::IndexCastOp>(b.getI32Type(), value);
  }
  mlir::Value broadcast(mlir::Value value, mlir::VectorType type);
  /// The coordinates of a tile of this shape along a dimension.
  mlir::Value coordinates(mlir::VectorType tile, int64_t dim);
  mlir::Value hide(mlir::Value scores, mlir::arith::CmpIPredicate predicate,
                   mlir::Value lhs, mlir::Value rhs);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Value seqlenQ, seqlenK;
  bool causal;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_VISIBILITY_H
