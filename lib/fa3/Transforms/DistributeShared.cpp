//===- DistributeShared.cpp - Shared memory of one thread -----------------===//

#include "fa3/Transforms/Distributor.h"
#include "fa3/Transforms/RingLayout.h"

using namespace mlir;
using namespace fa3;

namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kChunkShift = 4;

} // namespace

Value Distributor::add(Value a, Value b) {
  return arith::AddIOp::create(builder, loc, a, b);
}

Value Distributor::multiply(Value a, int64_t factor) {
  return arith::MulIOp::create(builder, loc, a, constant(factor));
}

/// Bits of the thread's index.
Value Distributor::threadBits(int64_t shift, int64_t mask) {
  Value value = threadIndex();
  if (shift != 0)
    value = arith::ShRUIOp::create(builder, loc, value, constant(shift));
  return arith::AndIOp::create(builder, loc, value, constant(mask));
}

LogicalResult Distributor::distributeRows(hopper::RowsOp op) {
  // Rows of a panel are 128 bytes apart; the swizzle repeats every 8 rows.
  // Blocks of rows of a packed tile lie one behind another.
  VectorType tile = op.getSource().getType().getTile();
  Value bytes =
      multiply(scalars.lookupOrDefault(op.getOffset()),
               tile.getElementType().isF32() ? tile.getDimSize(1) * kFloatBytes
                                             : kPanelBytes);
  scalars.map(op.getResult(), add(registers(op.getSource()).front(), bytes));
  return success();
}

LogicalResult Distributor::distributeColumns(hopper::ColumnsOp op) {
  // The offset is one of whole panels.
  hopper::BufferType source = op.getSource().getType();
  Type element = source.getTile().getElementType();
  int64_t columns = kPanelBytes * 8 / element.getIntOrFloatBitWidth();
  Value bytes =
      multiply(scalars.lookupOrDefault(op.getOffset()),
               element.isF32() ? kFloatBytes
                               : source.getPanelRows() * kPanelBytes / columns);
  scalars.map(op.getResult(), add(registers(op.getSource()).front(), bytes));
  return success();
}

/// A row or a column of f32, of which each thread reads its columns or rows.
LogicalResult Distributor::distributeBufferLoad(hopper::BufferLoadOp op) {
  VectorType type = op.getResult().getType();
  Fragment fragment(type);
  if (fragment.hasRows() && fragment.hasColumns())
    return op.emitError("only a row or a column is read from a buffer, not ")
           << type;
  Value address = registers(op.getSource()).front();
  SmallVector<Value> result;
  if (fragment.hasColumns()) {
    Value first = add(address, multiply(threadColumn(), kFloatBytes));
    for (int64_t group = 0; group < fragment.columns() / 2; ++group) {
      Value place =
          add(first, constant(group * Fragment::kGroupColumns * kFloatBytes));
      llvm::append_range(
          result,
          hopper::SharedLoadOp::create(
              builder, loc, SmallVector<Type>(2, builder.getF32Type()), place)
              .getResults());
    }
  } else {
    Value first = add(address, multiply(threadRow(), kFloatBytes));
    for (int64_t row = 0; row < fragment.rows(); ++row) {
      int64_t offset = row / 2 * Fragment::kBlockRows + row % 2 * 8;
      llvm::append_range(result, hopper::SharedLoadOp::create(
                                     builder, loc, builder.getF32Type(),
                                     add(first, constant(offset * kFloatBytes)))
                                     .getResults());
    }
  }
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeBufferStore(hopper::BufferStoreOp op) {
  Type element = cast<VectorType>(op.getValue().getType()).getElementType();
  if (element.isF32())
    return storePackedBuffer(op);
  if (Fragment::perRegister(element) == 4) {
    if (op.getStraight() || !op.getValue().getDefiningOp<tile::PairRowsOp>())
      return op.emitError("a tile of 8-bit floats is stored in a buffer "
                          "transposed, by pairs of rows (tile.pair_rows)");
    return storePairs(op);
  }
  if (Fragment::perRegister(element) != 2)
    return op.emitError("only float tiles are stored in a buffer, not ")
           << element;
  return op.getStraight() ? storeStraightMatrices(op) : storeMatrices(op);
}

/// Each thread's quadruples of registers, one after another for all threads.
LogicalResult Distributor::storePackedBuffer(hopper::BufferStoreOp op) {
  auto type = cast<VectorType>(op.getValue().getType());
  SmallVector<Value> values(registers(op.getValue()));
  Value start = multiply(scalars.lookupOrDefault(op.getRow()),
                         type.getDimSize(1) * kFloatBytes);
  Value address = add(add(registers(op.getTarget()).front(), start),
                      multiply(packedElement(), kFloatBytes));
  for (size_t i = 0; i < values.size(); i += Fragment::kPackedRun)
    hopper::SharedStoreOp::create(
        builder, loc,
        add(address, constant(i * kThreadsPerWarpgroup * kFloatBytes)),
        ArrayRef(values).slice(i, Fragment::kPackedRun));
  return success();
}

Distributor::Matrices Distributor::matricesOf(hopper::BufferStoreOp op) {
  auto type = cast<VectorType>(op.getValue().getType());
  return {SmallVector<Value>(registers(op.getValue())),
          op.getTarget().getType().getPanelRows() * kPanelBytes,
          type.getDimSize(0) / Fragment::kBlockRows,
          type.getDimSize(1) / Fragment::kGroupColumns};
}

/// The panel that the store's first column is in.
Value Distributor::panelOf(hopper::BufferStoreOp op) {
  unsigned bits = op.getTarget().getType().getTile().getElementTypeBitWidth();
  return arith::ShRUIOp::create(
      builder, loc, scalars.lookupOrDefault(op.getColumn()),
      constant(llvm::Log2_64(kPanelBytes * 8 / bits)));
}

Value Distributor::panelAddress(hopper::BufferStoreOp op, Value panel) {
  int64_t panelBytes = op.getTarget().getType().getPanelRows() * kPanelBytes;
  return add(registers(op.getTarget()).front(), multiply(panel, panelBytes));
}

/// stmatrix takes the registers of an 8x8 matrix as products leave them: two
/// groups of columns of a warp's 16 rows at a time. Transposed, columns become
/// rows of the buffer, and only the 16 rows determine the chunks in them.
LogicalResult Distributor::storeMatrices(hopper::BufferStoreOp op) {
  auto [values, panelBytes, blocks, groups] = matricesOf(op);

  // Lane 8 i + r has row r of matrix i; matrices go by half, then by group.
  Value inMatrix = threadBits(0, 7), half = threadBits(3, 1),
        group = threadBits(4, 1);
  Value row = add(add(multiply(group, Fragment::kGroupColumns), inMatrix),
                  scalars.lookupOrDefault(op.getRow()));
  Value chunk = add(multiply(threadBits(5, 3), 2), half);
  Value swizzled = arith::XOrIOp::create(builder, loc, chunk, inMatrix);
  // A block of 64 rows is one panel.
  Value address =
      add(panelAddress(op, panelOf(op)),
          add(multiply(row, kPanelBytes), multiply(swizzled, kChunkBytes)));
  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t first = 0; first < groups; first += 2) {
      int64_t offset =
          block * panelBytes + first * Fragment::kGroupColumns * kPanelBytes;
      // A last single group has two matrices.
      int64_t count = first + 1 < groups ? 4 : 2;
      hopper::StoreMatrixOp::create(
          builder, loc, add(address, constant(offset)),
          ArrayRef(values).slice((block * groups + first) * 2, count),
          /*straight=*/false);
    }
  return success();
}

/// Pairs of rows are elements of 16 bits: 16 rows of the tile, those of a warp,
/// are the 16 bytes of a chunk, four groups of columns at a time.
LogicalResult Distributor::storePairs(hopper::BufferStoreOp op) {
  auto [values, panelBytes, blocks, groups] = matricesOf(op);

  // Lane 8 i + r has row r of matrix i.
  Value inMatrix = threadBits(0, 7), group = threadBits(3, 3);
  Value row = add(add(multiply(group, Fragment::kGroupColumns), inMatrix),
                  scalars.lookupOrDefault(op.getRow()));
  Value column = scalars.lookupOrDefault(op.getColumn());
  Value panel = panelOf(op);
  Value firstChunk = arith::AndIOp::create(
      builder, loc,
      arith::ShRUIOp::create(builder, loc, column, constant(kChunkShift)),
      constant(kPanelBytes / kChunkBytes - 1));
  Value chunk = add(firstChunk, threadBits(5, 3));
  Value swizzled = arith::XOrIOp::create(builder, loc, chunk, inMatrix);
  Value rowAddress = add(panelAddress(op, panel), multiply(row, kPanelBytes));
  for (int64_t block = 0; block < blocks; ++block) {
    // A block of 64 rows is half of a panel: a chunk's highest bit. Tiles of
    // several blocks begin with a panel.
    Value place = arith::XOrIOp::create(
        builder, loc, swizzled,
        constant(block % 2 * (Fragment::kBlockRows / kChunkBytes)));
    Value address = add(rowAddress, multiply(place, kChunkBytes));
    for (int64_t first = 0; first < groups; first += kMatrices) {
      int64_t offset = block / 2 * panelBytes +
                       first * Fragment::kGroupColumns * kPanelBytes;
      // An even number of groups is left at the end.
      int64_t count = std::min(kMatrices, groups - first);
      hopper::StoreMatrixOp::create(
          builder, loc, add(address, constant(offset)),
          ArrayRef(values).slice(block * groups + first, count),
          /*straight=*/false);
    }
  }
  return success();
}

/// The same for matrices as they are: 16 rows and two groups of columns of a
/// warp at a time. The swizzle depends on a group's place in its panel.
LogicalResult Distributor::storeStraightMatrices(hopper::BufferStoreOp op) {
  auto [values, panelBytes, blocks, groups] = matricesOf(op);

  // Lane 8 i + r has row r of matrix i; matrices go by half, then by group.
  Value inMatrix = threadBits(0, 7), half = threadBits(3, 1),
        group = threadBits(4, 1);
  Value warpRow = add(multiply(threadBits(5, 3), 16), multiply(half, 8));
  Value row = add(add(warpRow, inMatrix), scalars.lookupOrDefault(op.getRow()));
  Value address =
      add(panelAddress(op, panelOf(op)), multiply(row, kPanelBytes));
  Value swizzle = arith::XOrIOp::create(builder, loc, group, inMatrix);
  for (int64_t first = 0; first < groups; first += 2) {
    Value chunk = arith::XOrIOp::create(
        builder, loc, swizzle, constant(first % (kPanelBytes / kChunkBytes)));
    Value place = add(address, multiply(chunk, kChunkBytes));
    int64_t inRow = first * kChunkBytes / kPanelBytes * panelBytes;
    int64_t count = first + 1 < groups ? 4 : 2;
    for (int64_t block = 0; block < blocks; ++block)
      hopper::StoreMatrixOp::create(
          builder, loc,
          add(place,
              constant(inRow + block * Fragment::kBlockRows * kPanelBytes)),
          ArrayRef(values).slice((block * groups + first) * 2, count),
          /*straight=*/true);
  }
  return success();
}
