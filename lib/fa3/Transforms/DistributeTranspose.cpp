//===- DistributeTranspose.cpp - 8-bit tiles, stored transposed -----------===//
//
// Memory has the columns of an interleaved tile as rows, with each 16 of the
// tile's rows in the order of tile.interleave or tile.pair_rows. movmatrix
// transposes 8x8 matrices of 16-bit elements, here of pairs of columns: a
// thread then has a pair of columns of two neighbouring rows, in which the
// bytes of both columns alternate. With the matrix 8 rows further on these are
// four bytes of each column in that order.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

namespace {

/// The same bytes as kInterleavedSelectors, in turn, which is the order of
/// tile.pair_rows.
constexpr int64_t kPairedSelectors[] = {0x6240, 0x7351};

ArrayRef<int64_t> getSelectors(tile::StoreOp store) {
  return store.getPaired() ? kPairedSelectors : kInterleavedSelectors;
}

constexpr int64_t kWarps = 4;
/// Rows of a matrix, and groups of rows in the order of tile.interleave in a
/// block.
constexpr int64_t kMatrixRows = 8;
constexpr int64_t kGroups = 4;
constexpr int64_t kGroupRows = 16;

} // namespace

Value Distributor::transposeMatrix(Value value) {
  return hopper::TransposeMatrixOp::create(builder, loc, builder.getI32Type(),
                                           value);
}

/// A tile of 8-bit floats whose rows run along the tensor's last dimension.
/// Transposing 8x8 matrices of pairs of columns gives each thread a pair of
/// columns of two neighbouring rows, in which the bytes of both columns
/// alternate. With the matrix 8 rows on these are four bytes of a column in the
/// interleaved order.
LogicalResult Distributor::distributeInterleavedStore(tile::StoreOp op) {
  if (auto load = op.getValue().getDefiningOp<tile::LoadOp>();
      load && isTransposingCopy(load))
    return distributeTransposingCopy(load, op);
  VectorType type = op.getValue().getType();
  Fragment fragment(type);
  int64_t rowDim = op.getDims()[0], columnDim = op.getDims()[1];
  if (columnDim < 0 || !fragment.hasRows() || !fragment.hasColumns())
    return op.emitError("an interleaved tile must have rows and columns");
  SmallVector<Value> base = castIndices(op.getIndices());
  Value target = scalars.lookupOrDefault(op.getTarget());
  Value row = add(base[rowDim], add(multiply(threadBits(5, 3), 16),
                                    multiply(threadColumn(), 2)));
  Value column = add(base[columnDim], multiply(threadBits(2, 7), 2));
  Value rows = sizeOf(target, rowDim), columns = sizeOf(target, columnDim);
  SmallVector<Value> values(registers(op.getValue()));
  for (int64_t block = 0; block < fragment.rows() / 2; ++block)
    for (int64_t group = 0; group < fragment.columns() / 4; ++group) {
      Value upper =
          transposeMatrix(values[fragment.quadIndex(2 * block, group)]);
      Value lower =
          transposeMatrix(values[fragment.quadIndex(2 * block + 1, group)]);
      for (auto [odd, selector] : llvm::enumerate(getSelectors(op))) {
        SmallVector<Value> indices = base;
        indices[rowDim] = add(row, constant(block * Fragment::kBlockRows));
        indices[columnDim] =
            add(column, constant(group * Fragment::kQuadColumns +
                                 static_cast<int64_t>(odd)));
        Value inside =
            arith::AndIOp::create(builder, loc, isBelow(indices[rowDim], rows),
                                  isBelow(indices[columnDim], columns));
        Value bytes = hopper::PermuteBytesOp::create(
            builder, loc, builder.getI32Type(), upper, lower, selector);
        hopper::GlobalStoreOp::create(builder, loc, bytes, target, indices,
                                      inside);
      }
    }
  return success();
}

/// Whether a tile is only loaded to be stored interleaved, and whole vectors of
/// its columns can be given to each warp. The copy need not pass through the
/// tile's own distribution: a warp has all of a block's rows and a part of its
/// columns, so that its accesses are wide.
bool Distributor::isTransposingCopy(tile::LoadOp load) {
  VectorType type = load.getResult().getType();
  MemRefType memory = load.getSource().getType();
  if (Fragment::perRegister(type.getElementType()) != 4 || !load->hasOneUse() ||
      load.getDims().empty() || load.getDims()[0] < 0 ||
      load.getDims()[1] != memory.getRank() - 1)
    return false;
  auto store = dyn_cast<tile::StoreOp>(*load->user_begin());
  int64_t columns = type.getDimSize(1);
  return store && (store.getInterleaved() || store.getPaired()) &&
         store->getBlock() == load->getBlock() &&
         type.getDimSize(0) % Fragment::kBlockRows == 0 &&
         memory.getDimSize(memory.getRank() - 1) == columns &&
         isConstantIntValue(load.getIndices().back(), 0) &&
         llvm::is_contained({1, 2, 4},
                            columns / (kWarps * Fragment::kQuadColumns)) &&
         columns % (kWarps * Fragment::kQuadColumns) == 0;
}

/// Gives each lane of a quad the values that all four have at its place.
void Distributor::transposeQuad(MutableArrayRef<Value> values) {
  for (int64_t mask : {1, 2}) {
    Value bit = arith::AndIOp::create(builder, loc, lane(), constant(mask));
    Value upper = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                        bit, constant(0));
    auto select = [&](Value a, Value b) -> Value {
      return arith::SelectOp::create(builder, loc, upper, a, b);
    };
    for (int64_t first = 0; first < 4; ++first) {
      if (first & mask)
        continue;
      Value &low = values[first], &high = values[first | mask];
      Value received =
          hopper::ShuffleXorOp::create(builder, loc, select(low, high), mask);
      low = select(received, low);
      high = select(high, received);
    }
  }
}

LogicalResult Distributor::distributeTransposingCopy(tile::LoadOp load,
                                                     tile::StoreOp store) {
  VectorType type = load.getResult().getType();
  // Registers that a thread loads from a row: quadruples of columns.
  int64_t count = type.getDimSize(1) / (kWarps * Fragment::kQuadColumns);
  int64_t rowDim = load.getDims()[0], placeDim = store.getDims()[0],
          lineDim = store.getDims()[1];
  SmallVector<Value> from = castIndices(load.getIndices());
  SmallVector<Value> to = castIndices(store.getIndices());
  Value source = scalars.lookupOrDefault(load.getSource());
  Value target = scalars.lookupOrDefault(store.getTarget());
  Value quad = threadBits(0, 3), matrixRow = threadBits(2, 7);
  Value firstColumn =
      multiply(threadBits(5, kWarps - 1), count * Fragment::kQuadColumns);
  from.back() = add(from.back(), add(firstColumn, multiply(quad, 4 * count)));
  Value row = add(from[rowDim], matrixRow);
  // In a transposed matrix a thread has the pair of columns that the quad's
  // lane matrixRow / 2 loaded.
  Value line = add(add(to[lineDim], firstColumn),
                   add(multiply(threadBits(3, 3), 4 * count),
                       multiply(threadBits(2, 1), 2)));
  Value place = add(to[placeDim], multiply(quad, kGroupRows));
  SmallVector<Type> types(count, builder.getI32Type());
  for (int64_t block = 0; block < type.getDimSize(0) / Fragment::kBlockRows;
       ++block) {
    SmallVector<hopper::GlobalLoadOp> rows;
    for (int64_t step = 0; step < 2 * kGroups; ++step) {
      from[rowDim] =
          add(row, constant(block * Fragment::kBlockRows + step * kMatrixRows));
      rows.push_back(hopper::GlobalLoadOp::create(
          builder, loc, types, source, from,
          isBelow(from[rowDim], sizeOf(source, rowDim))));
    }
    to[placeDim] = add(place, constant(block * Fragment::kBlockRows));
    Value inside = isBelow(to[placeDim], sizeOf(target, placeDim));
    for (int64_t i = 0; i < count; ++i) {
      SmallVector<Value> matrices;
      for (hopper::GlobalLoadOp values : rows)
        matrices.push_back(transposeMatrix(values.getResult(i)));
      for (auto [odd, selector] : llvm::enumerate(getSelectors(store))) {
        SmallVector<Value> groups;
        for (int64_t group = 0; group < kGroups; ++group)
          groups.push_back(hopper::PermuteBytesOp::create(
              builder, loc, builder.getI32Type(), matrices[2 * group],
              matrices[2 * group + 1], selector));
        transposeQuad(groups);
        to[lineDim] = add(line, constant(4 * i + static_cast<int64_t>(odd)));
        hopper::GlobalStoreOp::create(builder, loc, groups, target, to, inside);
      }
    }
  }
  return success();
}
