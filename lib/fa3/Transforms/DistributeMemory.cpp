//===- DistributeMemory.cpp - Loads and stores of one thread --------------===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Coordinates of a thread's registers in a tensor, and the predicate that
/// they are inside of it.
class ThreadAccess {
public:
  ThreadAccess(OpBuilder &builder, Location loc, MutableArrayRef<Value> base,
               Value memory, ArrayRef<int64_t> dims, Value threadRow,
               Value threadColumn)
      : builder(builder), loc(loc), base(base), memory(memory), dims(dims),
        threadRow(threadRow), threadColumn(threadColumn) {}

  /// Indices of the element at a thread's row and column.
  SmallVector<Value> indices(const Fragment &fragment, int64_t row,
                             int64_t column) {
    SmallVector<Value> result(base.begin(), base.end());
    if (fragment.hasRows() && dims[0] >= 0)
      result[dims[0]] = add(add(result[dims[0]], threadRow), rowOffset(row));
    if (fragment.hasColumns() && dims[1] >= 0)
      result[dims[1]] =
          add(add(result[dims[1]], threadColumn), columnOffset(column));
    return result;
  }

  /// Whether the `count` elements from these indices on are inside of the
  /// tensor, as far as the tile's dimensions can leave it.
  Value inside(const Fragment &fragment, ValueRange indices, bool checkColumns,
               Value initial) {
    Value result = initial;
    if (fragment.hasRows() && dims[0] >= 0)
      result = both(result, below(indices[dims[0]], dims[0]));
    if (checkColumns && fragment.hasColumns() && dims[1] >= 0)
      result = both(result, below(indices[dims[1]], dims[1]));
    return result;
  }

private:
  static int64_t rowOffset(int64_t row) {
    return row / 2 * Fragment::kBlockRows + row % 2 * 8;
  }
  static int64_t columnOffset(int64_t column) {
    return column / 2 * Fragment::kGroupColumns + column % 2;
  }

  Value constant(int64_t value) {
    return arith::ConstantIntOp::create(builder, loc, value, 32);
  }
  Value add(Value a, Value b) {
    return arith::AddIOp::create(builder, loc, a, b);
  }
  Value add(Value a, int64_t b) { return b ? add(a, constant(b)) : a; }
  Value both(Value a, Value b) {
    return a ? arith::AndIOp::create(builder, loc, a, b).getResult() : b;
  }
  Value below(Value index, int64_t dim) {
    Value number = arith::ConstantIndexOp::create(builder, loc, dim);
    Value size = arith::IndexCastOp::create(
        builder, loc, builder.getI32Type(),
        memref::DimOp::create(builder, loc, memory, number));
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, index,
                                 size);
  }

  OpBuilder &builder;
  Location loc;
  MutableArrayRef<Value> base;
  Value memory;
  ArrayRef<int64_t> dims;
  Value threadRow;
  Value threadColumn;
};

/// Whether a tile's columns can lie outside of the tensor.
bool columnsMayLeave(MemRefType memory, ArrayRef<int64_t> dims,
                     ValueRange indices, VectorType tile) {
  if (dims[1] < 0)
    return false;
  return memory.isDynamicDim(dims[1]) ||
         !isConstantIntValue(indices[dims[1]], 0) ||
         memory.getDimSize(dims[1]) < tile.getDimSize(1);
}

} // namespace

LogicalResult Distributor::distributeStore(tile::StoreOp op) {
  VectorType type = op.getValue().getType();
  Fragment fragment(type);
  MemRefType memory = op.getTarget().getType();
  if (fragment.hasColumns() && op.getDims()[1] != memory.getRank() - 1)
    return op.emitError("columns of a stored tile must run along the tensor's "
                        "last dimension");
  if (!fragment.hasRows())
    return op.emitError("a stored tile must have rows");
  SmallVector<Value> base;
  for (Value index : op.getIndices())
    base.push_back(arith::IndexCastOp::create(
        builder, loc, builder.getI32Type(), scalars.lookupOrDefault(index)));
  Value target = scalars.lookupOrDefault(op.getTarget());
  ThreadAccess access(builder, loc, base, target, op.getDims(), threadRow(),
                      threadColumn());
  SmallVector<Value> values(registers(op.getValue()));
  bool checkColumns =
      columnsMayLeave(memory, op.getDims(), op.getIndices(), type);

  // All threads of a quad hold the same value of a row statistic: one stores.
  Value initial;
  if (!fragment.hasColumns())
    initial = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq,
        arith::AndIOp::create(builder, loc, lane(), constant(3)), constant(0));

  bool packed = type.getElementTypeBitWidth() == 16;
  int64_t step = packed || fragment.hasColumns() ? 2 : 1;
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t column = 0; column < fragment.columns(); column += step) {
      SmallVector<Value> indices = access.indices(fragment, row, column);
      Value predicate = access.inside(fragment, indices, checkColumns, initial);
      int64_t first = fragment.index(row, column);
      SmallVector<Value> stored;
      if (packed)
        stored.push_back(values[first / 2]);
      else
        stored.append(values.begin() + first,
                      values.begin() + first + (fragment.hasColumns() ? 2 : 1));
      hopper::GlobalStoreOp::create(builder, loc, stored, target, indices,
                                    predicate);
    }
  return success();
}

LogicalResult Distributor::distributeLoad(tile::LoadOp op) {
  VectorType type = op.getResult().getType();
  if (!type.getElementType().isF32())
    return op.emitError("only f32 tiles are loaded to registers");
  Fragment fragment(type);
  MemRefType memory = op.getSource().getType();
  SmallVector<Value> base;
  for (Value index : op.getIndices())
    base.push_back(arith::IndexCastOp::create(
        builder, loc, builder.getI32Type(), scalars.lookupOrDefault(index)));
  Value source = scalars.lookupOrDefault(op.getSource());
  ThreadAccess access(builder, loc, base, source, op.getDims(), threadRow(),
                      threadColumn());
  bool checkColumns =
      columnsMayLeave(memory, op.getDims(), op.getIndices(), type);
  Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
  SmallVector<Value> result(fragment.size());
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t column = 0; column < fragment.columns(); ++column) {
      SmallVector<Value> indices = access.indices(fragment, row, column);
      Value predicate = access.inside(fragment, indices, checkColumns, always);
      result[fragment.index(row, column)] = hopper::GlobalLoadOp::create(
          builder, loc, builder.getF32Type(), source, indices, predicate);
    }
  map(op.getResult(), result);
  return success();
}
