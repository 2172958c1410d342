//===- Visibility.cpp - Which queries see which keys ----------------------===//

#include "Visibility.h"

#include "fa3/Tile/TileOps.h"

#include <limits>

using namespace mlir;
using namespace fa3;

Value Visibility::broadcast(Value value, VectorType type) {
  return vector::BroadcastOp::create(b, type, value);
}

Value Visibility::coordinates(VectorType tile, int64_t dim) {
  SmallVector<int64_t, 2> shape = {1, 1};
  shape[dim] = tile.getDimSize(dim);
  return tile::IotaOp::create(b, VectorType::get(shape, b.getI32Type()), dim);
}

/// `scores` where the comparison holds, else -inf.
Value Visibility::hide(Value scores, arith::CmpIPredicate predicate, Value lhs,
                       Value rhs) {
  auto type = cast<VectorType>(scores.getType());
  auto wide = type.clone(b.getI32Type());
  Value visible = arith::CmpIOp::create(b, predicate, broadcast(lhs, wide),
                                        broadcast(rhs, wide));
  Value hidden = arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             type, b.getFloatAttr(type.getElementType(),
                                  -std::numeric_limits<double>::infinity())));
  return arith::SelectOp::create(b, visible, scores, hidden);
}

Value Visibility::countKeyBlocks(Value row0, int64_t rows, int64_t cols) {
  Value visible = seqlenK;
  if (causal) {
    // Sizes differ in either direction, so this may be negative.
    Value shifted = shift();
    Value end = arith::AddIOp::create(b, row0, index(rows));
    end = arith::AddIOp::create(b, end, shifted);
    visible = arith::MinSIOp::create(b, seqlenK, end);
    visible = arith::MaxSIOp::create(b, visible, index(0));
  }
  return arith::CeilDivUIOp::create(b, visible, index(cols));
}

Value Visibility::firstHiddenKey(Value row0, int64_t rows) {
  if (!causal)
    return seqlenK;
  auto columnType = VectorType::get({rows, 1}, b.getI32Type());
  Value first = arith::AddIOp::create(b, row0, shift());
  first = arith::AddIOp::create(b, first, index(1));
  Value row = coordinates(columnType, 0);
  Value diagonal =
      arith::AddIOp::create(b, row, broadcast(toI32(first), columnType));
  return arith::MinSIOp::create(b, diagonal,
                                broadcast(toI32(seqlenK), columnType));
}

Value Visibility::hideColumns(Value scores, Value limit, Value col0) {
  // The limit moves, not the columns: they stay constants of each thread.
  Value shifted;
  if (auto column = dyn_cast<VectorType>(limit.getType()))
    shifted = arith::SubIOp::create(b, limit, broadcast(toI32(col0), column));
  else
    shifted = toI32(arith::SubIOp::create(b, limit, col0));
  Value column = coordinates(cast<VectorType>(scores.getType()), 1);
  return hide(scores, arith::CmpIPredicate::slt, column, shifted);
}

Value Visibility::firstQueryBlock(Value key0, int64_t rows) {
  if (!causal)
    return index(0);
  Value first = arith::SubIOp::create(b, key0, shift());
  first = arith::MaxSIOp::create(b, first, index(0));
  return arith::DivUIOp::create(b, first, index(rows));
}

Value Visibility::hideKeys(Value scores, int64_t keyDim, Value key0,
                           Value query0) {
  auto type = cast<VectorType>(scores.getType());
  Value key = coordinates(type, keyDim);
  if (!causal) {
    Value left = toI32(arith::SubIOp::create(b, seqlenK, key0));
    return hide(scores, arith::CmpIPredicate::slt, key, left);
  }
  // The last query sees up to the last key, so that the diagonal hides all keys
  // behind it. Rows move, columns stay constants of each thread.
  Value offset = arith::AddIOp::create(b, query0, shift());
  offset = toI32(arith::SubIOp::create(b, offset, key0));
  Value query = coordinates(type, 1 - keyDim);
  Value &row = keyDim == 0 ? key : query;
  Value distance = broadcast(offset, cast<VectorType>(row.getType()));
  if (keyDim == 0)
    row = arith::SubIOp::create(b, row, distance);
  else
    row = arith::AddIOp::create(b, row, distance);
  return hide(scores, arith::CmpIPredicate::sle, key, query);
}
