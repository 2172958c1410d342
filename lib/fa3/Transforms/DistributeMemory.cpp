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
    // Unsigned, so that what is in front of the tensor is outside, too.
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index,
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
  if (op.getDims().empty())
    return distributePackedStore(op);
  VectorType type = op.getValue().getType();
  Fragment fragment(type);
  MemRefType memory = op.getTarget().getType();
  if (op.getInterleaved() || op.getPaired())
    return distributeInterleavedStore(op);
  if (fragment.hasColumns() && op.getDims()[1] != memory.getRank() - 1)
    return distributeTransposedStore(op);
  Type element = type.getElementType();
  if (Fragment::perRegister(element) == 4)
    return distributeByteStore(op);
  if (!element.isF32() && !element.isInteger(32) &&
      Fragment::perRegister(element) != 2)
    return op.emitError("only f32, i32 and narrow float tiles are stored, not ")
           << element;
  SmallVector<Value> base = castIndices(op.getIndices());
  Value target = scalars.lookupOrDefault(op.getTarget());
  ThreadAccess access(builder, loc, base, target, op.getDims(), threadRow(),
                      threadColumn());
  SmallVector<Value> values(registers(op.getValue()));
  bool checkColumns =
      columnsMayLeave(memory, op.getDims(), op.getIndices(), type);

  // All threads of a quad hold the same value of a row statistic, and all quads
  // the same row where there is but one: one of them stores.
  auto isZero = [&](Value value) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value,
                                 constant(0));
  };
  Value initial;
  if (!fragment.hasRows())
    initial = isZero(threadRow());
  if (!fragment.hasColumns()) {
    Value isFirst =
        isZero(arith::AndIOp::create(builder, loc, lane(), constant(3)));
    initial =
        initial
            ? arith::AndIOp::create(builder, loc, initial, isFirst).getResult()
            : isFirst;
  }

  bool packed = Fragment::isPacked(type.getElementType());
  int64_t columnDim = op.getDims()[1];
  if (packed && checkColumns &&
      (memory.isDynamicDim(columnDim) || memory.getDimSize(columnDim) % 2 != 0))
    return op.emitError("16-bit floats are stored in pairs: the tensor's last "
                        "dimension must have an even static size where the "
                        "tile may leave it");
  // Neighbouring columns go out together unless one of them may be outside.
  bool pairs = fragment.hasColumns() && (packed || !checkColumns);
  int64_t step = pairs ? 2 : 1;
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t column = 0; column < fragment.columns(); column += step) {
      SmallVector<Value> indices = access.indices(fragment, row, column);
      Value predicate = access.inside(fragment, indices, checkColumns, initial);
      int64_t first = fragment.index(row, column);
      SmallVector<Value> stored;
      if (packed)
        stored.push_back(values[first / 2]);
      else
        stored.append(values.begin() + first, values.begin() + first + step);
      hopper::GlobalStoreOp::create(builder, loc, stored, target, indices,
                                    predicate);
    }
  return success();
}

/// A tile of 16-bit floats whose rows run along the tensor's last dimension.
/// Transposing its 8x8 matrices gives each thread neighbours in memory.
LogicalResult Distributor::distributeTransposedStore(tile::StoreOp op) {
  VectorType type = op.getValue().getType();
  Fragment fragment(type);
  MemRefType memory = op.getTarget().getType();
  int64_t rowDim = op.getDims()[0], columnDim = op.getDims()[1];
  if (rowDim != memory.getRank() - 1 || columnDim < 0 || !fragment.hasRows() ||
      Fragment::perRegister(type.getElementType()) != 2)
    return op.emitError("columns of a stored tile must run along the tensor's "
                        "last dimension, or, of 16-bit floats, the rows");
  if (memory.isDynamicDim(rowDim) || memory.getDimSize(rowDim) % 2 != 0)
    return op.emitError("16-bit floats are stored in pairs: the tensor's last "
                        "dimension must have an even static size");
  SmallVector<Value> base = castIndices(op.getIndices());
  Value target = scalars.lookupOrDefault(op.getTarget());
  // In a transposed matrix a thread has one column and two rows.
  Value row =
      add(base[rowDim], add(multiply(threadBits(5, 3), 16), threadColumn()));
  Value column = add(base[columnDim], threadBits(2, 7));
  Value rows = sizeOf(target, rowDim), columns = sizeOf(target, columnDim);
  SmallVector<Value> values(registers(op.getValue()));
  for (int64_t r = 0; r < fragment.rows(); ++r)
    for (int64_t c = 0; c < fragment.columns(); c += 2) {
      SmallVector<Value> indices = base;
      indices[rowDim] =
          add(row, constant(r / 2 * Fragment::kBlockRows + r % 2 * 8));
      indices[columnDim] =
          add(column, constant(c / 2 * Fragment::kGroupColumns));
      Value inside =
          arith::AndIOp::create(builder, loc, isBelow(indices[rowDim], rows),
                                isBelow(indices[columnDim], columns));
      Value transposed = hopper::TransposeMatrixOp::create(
          builder, loc, builder.getI32Type(), values[fragment.index(r, c) / 2]);
      hopper::GlobalStoreOp::create(builder, loc, transposed, target, indices,
                                    inside);
    }
  return success();
}

SmallVector<Value> Distributor::castIndices(ValueRange indices) {
  return llvm::map_to_vector(indices, [&](Value index) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                      scalars.lookupOrDefault(index));
  });
}

Value Distributor::isBelow(Value index, Value size) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index,
                               size);
}

Value Distributor::sizeOf(Value memory, int64_t dim) {
  Value number = arith::ConstantIndexOp::create(builder, loc, dim);
  return arith::IndexCastOp::create(
      builder, loc, builder.getI32Type(),
      memref::DimOp::create(builder, loc, memory, number));
}

/// Whether a row's elements in memory fill vectors, which narrow tensors are
/// aligned to: none begins inside of the tensor and ends outside.
bool Distributor::isLoadedInVectors(tile::LoadOp op) {
  VectorType type = op.getResult().getType();
  MemRefType memory = op.getSource().getType();
  int64_t perRegister = Fragment::perRegister(type.getElementType());
  int64_t columnDim = op.getDims()[1];
  std::optional<int64_t> first = getConstantIntValue(op.getIndices().back());
  return perRegister > 1 && Fragment(type).hasRows() &&
         columnDim == memory.getRank() - 1 && !memory.isDynamicDim(columnDim) &&
         memory.getDimSize(columnDim) % (Fragment::kQuadLanes * perRegister) ==
             0 &&
         first && *first % (Fragment::kQuadLanes * perRegister) == 0;
}

LogicalResult Distributor::distributeLoad(tile::LoadOp op) {
  // The store loads what it copies.
  if (isTransposingCopy(op))
    return success();
  if (op.getDims().empty())
    return distributePackedLoad(op);
  VectorType type = op.getResult().getType();
  int64_t perRegister = Fragment::perRegister(type.getElementType());
  bool packed = perRegister > 1, quads = perRegister == 4;
  if (!type.getElementType().isF32() && !packed)
    return op.emitError("only tiles of floats are loaded to registers");
  Fragment fragment(type);
  MemRefType memory = op.getSource().getType();
  SmallVector<Value> base = castIndices(op.getIndices());
  Value source = scalars.lookupOrDefault(op.getSource());
  ThreadAccess access(builder, loc, base, source, op.getDims(), threadRow(),
                      quads ? multiply(threadColumn(), 2) : threadColumn());
  bool checkColumns =
      columnsMayLeave(memory, op.getDims(), op.getIndices(), type);
  Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
  int64_t columnDim = op.getDims()[1];
  if (packed &&
      (columnDim != memory.getRank() - 1 || memory.isDynamicDim(columnDim) ||
       memory.getDimSize(columnDim) % perRegister != 0))
    return op.emitError() << "narrow floats are loaded " << perRegister
                          << " at a time: columns must run along the tensor's "
                             "last dimension, whose size must be static and a "
                             "multiple of that";
  Type unit = packed ? Type(builder.getI32Type()) : builder.getF32Type();
  int64_t step = perRegister;
  auto place = [&](int64_t row, int64_t column) {
    return quads ? fragment.quadIndex(row, column / step)
                 : fragment.index(row, column) / step;
  };
  SmallVector<Value> result(fragment.size() / step);
  auto load = [&](ThreadAccess &from, int64_t row, int64_t column,
                  int64_t count) {
    SmallVector<Value> indices = from.indices(fragment, row, column);
    Value predicate = from.inside(fragment, indices, checkColumns, always);
    return hopper::GlobalLoadOp::create(builder, loc,
                                        SmallVector<Type>(count, unit), source,
                                        indices, predicate);
  };
  // Of four groups each lane of a quad loads one; what it has of all of them it
  // gets by an exchange.
  int64_t lanes = isLoadedInVectors(op) ? Fragment::kQuadLanes : 1;
  int64_t span = lanes * step;
  ThreadAccess vectors(
      builder, loc, base, source, op.getDims(), threadRow(),
      multiply(threadBits(0, 3),
               quads ? Fragment::kQuadColumns : Fragment::kGroupColumns));
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t column = 0; column < fragment.columns();) {
      if (lanes == 1 || column + span > fragment.columns()) {
        result[place(row, column)] =
            load(access, row, column, /*count=*/1).getResult(0);
        column += step;
        continue;
      }
      SmallVector<Value> values(load(vectors, row, column, lanes).getResults());
      transposeQuad(values);
      for (int64_t group = 0; group < lanes; ++group)
        result[place(row, column + group * step)] = values[group];
      column += span;
    }
  map(op.getResult(), result);
  return success();
}
