//===- DistributeConversions.cpp - Types and columns of one thread's tile -===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

LogicalResult Distributor::distributeTruncF(arith::TruncFOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t perRegister = Fragment::perRegister(type.getElementType());
  if (!getElementTypeOrSelf(op.getIn().getType()).isF32() || perRegister == 1)
    return op.emitError("only f32 tiles can be narrowed, to 16-bit and 8-bit "
                        "floats");
  if (perRegister == 4)
    return distributeTruncToBytes(op);
  SmallVector<Value> from(registers(op.getIn()));
  SmallVector<Value> result;
  for (size_t i = 0; i < from.size(); i += 2)
    result.push_back(hopper::PackOp::create(builder, loc, builder.getI32Type(),
                                            ArrayRef(from).slice(i, 2),
                                            type.getElementType()));
  map(op.getResult(), result);
  return success();
}

/// A thread's columns of a group of 16, of an f32 tile, as 8-bit floats.
Value Distributor::packGroup(const Fragment &fragment, ArrayRef<Value> from,
                             int64_t row, int64_t group, Type element) {
  SmallVector<Value> values;
  for (int64_t byte = 0; byte < 4; ++byte)
    values.push_back(from[fragment.index(row, 4 * group + byte)]);
  return hopper::PackOp::create(builder, loc, builder.getI32Type(), values,
                                element);
}

/// The columns that a thread has of a product's result are, in this order,
/// those that it has of a first operand.
LogicalResult Distributor::distributeInterleave(tile::InterleaveOp op) {
  VectorType type = op.getResult().getType();
  Fragment fragment(type);
  SmallVector<Value> from(registers(op.getSource()));
  SmallVector<Value> result(registerTypes(type).size());
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t group = 0; group < fragment.columns() / 4; ++group)
      result[fragment.quadIndex(row, group)] =
          packGroup(fragment, from, row, group, type.getElementType());
  map(op.getResult(), result);
  return success();
}

/// The thread's pairs of rows that are 8 apart, as 16-bit elements of a tile
/// with half as many rows: a register has such a pair in each of two
/// neighbouring columns.
LogicalResult Distributor::distributePairRows(tile::PairRowsOp op) {
  // The bytes of both registers' lower and of their upper halves in turn.
  constexpr int64_t kSelectors[] = {0x5140, 0x7362};
  VectorType type = op.getResult().getType();
  Fragment fragment(type);
  // Nothing else knows this order of a thread's elements.
  for (Operation *user : op->getUsers())
    if (!isa<hopper::BufferStoreOp>(user)) {
      InFlightDiagnostic diagnostic =
          op.emitError("pairs of rows can only be shared, transposed");
      diagnostic.attachNote(user->getLoc()) << "used by this operation";
      return diagnostic;
    }
  SmallVector<Value> from(registers(op.getSource()));
  SmallVector<Value> result;
  for (int64_t block = 0; block < fragment.rows() / 2; ++block)
    for (int64_t group = 0; group < fragment.columns() / 4; ++group) {
      Value upper =
          packGroup(fragment, from, 2 * block, group, type.getElementType());
      Value lower = packGroup(fragment, from, 2 * block + 1, group,
                              type.getElementType());
      for (int64_t selector : kSelectors)
        result.push_back(hopper::PermuteBytesOp::create(
            builder, loc, builder.getI32Type(), upper, lower, selector));
    }
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeTileColumns(tile::ColumnsOp op) {
  if (Fragment::isPacked(op.getSource().getType().getElementType()))
    return op.emitError("only columns of f32 tiles are distributed");
  Fragment from(op.getSource().getType()), to(op.getResult().getType());
  SmallVector<Value> source(registers(op.getSource()));
  SmallVector<Value> result(to.size());
  int64_t first =
      static_cast<int64_t>(op.getFirst()) / Fragment::kGroupColumns * 2;
  for (int64_t row = 0; row < to.rows(); ++row)
    for (int64_t column = 0; column < to.columns(); ++column)
      result[to.index(row, column)] = source[from.index(row, first + column)];
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeAppend(tile::AppendOp op) {
  if (Fragment::isPacked(op.getFirst().getType().getElementType()))
    return op.emitError("only f32 tiles are appended");
  Fragment to(op.getResult().getType());
  SmallVector<Value> result(to.size());
  int64_t begin = 0;
  for (Value part : {op.getFirst(), op.getSecond()}) {
    Fragment from(cast<VectorType>(part.getType()));
    SmallVector<Value> source(registers(part));
    for (int64_t row = 0; row < to.rows(); ++row)
      for (int64_t column = 0; column < from.columns(); ++column)
        result[to.index(row, begin + column)] = source[from.index(row, column)];
    begin += from.columns();
  }
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeExtF(arith::ExtFOp op) {
  Type element = getElementTypeOrSelf(op.getIn().getType());
  if (!Fragment::isPacked(element) ||
      !getElementTypeOrSelf(op.getType()).isF32())
    return op.emitError("only 16-bit and 8-bit float tiles can be widened, to "
                        "f32");
  if (Fragment::perRegister(element) == 4)
    return distributeExtFromBytes(op);
  SmallVector<Value> result;
  for (Value pair : SmallVector<Value>(registers(op.getIn())))
    for (int64_t shift : {0, 16}) {
      Value bits = pair;
      if (shift != 0)
        bits = arith::ShRUIOp::create(builder, loc, bits, constant(shift));
      bits = arith::TruncIOp::create(builder, loc, builder.getI16Type(), bits);
      Value narrow = arith::BitcastOp::create(builder, loc, element, bits);
      result.push_back(
          arith::ExtFOp::create(builder, loc, builder.getF32Type(), narrow));
    }
  map(op.getResult(), result);
  return success();
}
