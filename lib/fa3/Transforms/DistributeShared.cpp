//===- DistributeShared.cpp - Shared memory of one thread -----------------===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Bytes of a panel's row, of a chunk that the swizzle moves, and rows after
/// which it repeats.
constexpr int64_t kPanelBytes = 128;
constexpr int64_t kChunkBytes = 16;
constexpr int64_t kChunksPerPanel = kPanelBytes / kChunkBytes;
constexpr int64_t kFloatBytes = 4;

} // namespace

Value Distributor::add(Value a, Value b) {
  return arith::AddIOp::create(builder, loc, a, b);
}

Value Distributor::multiply(Value a, int64_t factor) {
  return arith::MulIOp::create(builder, loc, a, constant(factor));
}

LogicalResult Distributor::distributeRows(hopper::RowsOp op) {
  // Rows of a panel are 128 bytes apart; the swizzle repeats every 8 rows.
  bool panels = !op.getSource().getType().getTile().getElementType().isF32();
  Value bytes = multiply(scalars.lookupOrDefault(op.getOffset()),
                         panels ? kPanelBytes : kFloatBytes);
  scalars.map(op.getResult(), add(registers(op.getSource()).front(), bytes));
  return success();
}

LogicalResult Distributor::distributeColumns(hopper::ColumnsOp op) {
  // The offset is one of whole panels.
  hopper::BufferType source = op.getSource().getType();
  Type element = source.getTile().getElementType();
  int64_t columns = kPanelBytes * 8 / element.getIntOrFloatBitWidth();
  Value bytes = multiply(scalars.lookupOrDefault(op.getOffset()),
                         element.isF32()
                             ? kFloatBytes
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
      Value place = add(first, constant(group * Fragment::kGroupColumns *
                                        kFloatBytes));
      llvm::append_range(
          result, hopper::SharedLoadOp::create(
                      builder, loc,
                      SmallVector<Type>(2, builder.getF32Type()), place)
                      .getResults());
    }
  } else {
    Value first = add(address, multiply(threadRow(), kFloatBytes));
    for (int64_t row = 0; row < fragment.rows(); ++row) {
      int64_t offset = row / 2 * Fragment::kBlockRows + row % 2 * 8;
      llvm::append_range(
          result,
          hopper::SharedLoadOp::create(builder, loc, builder.getF32Type(),
                                       add(first, constant(offset *
                                                           kFloatBytes)))
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
  if (!Fragment::isPacked(element))
    return op.emitError("only f32, f16 and bf16 tiles are stored in a buffer, "
                        "not ")
           << element;
  return storeMatrices(op);
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

/// stmatrix takes the registers of an 8x8 matrix as products leave them: two
/// groups of columns of a warp's 16 rows at a time.
LogicalResult Distributor::storeMatrices(hopper::BufferStoreOp op) {
  auto type = cast<VectorType>(op.getValue().getType());
  SmallVector<Value> values(registers(op.getValue()));
  int64_t panelBytes = op.getTarget().getType().getPanelRows() * kPanelBytes;
  int64_t blocks = type.getDimSize(0) / Fragment::kBlockRows;
  int64_t groups = type.getDimSize(1) / Fragment::kGroupColumns;

  // Lane 8 i + r has row r of matrix i; matrices go by half, then by group.
  Value thread = hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
  auto bits = [&](Value value, int64_t shift, int64_t mask) -> Value {
    if (shift != 0)
      value = arith::ShRUIOp::create(builder, loc, value, constant(shift));
    return arith::AndIOp::create(builder, loc, value, constant(mask));
  };
  Value inMatrix = bits(thread, 0, 7);
  Value row = add(multiply(bits(thread, 5, 3), 16),
                  bits(thread, 0, 15)); // warp, half, row of the matrix
  row = add(row, scalars.lookupOrDefault(op.getRow()));
  Value first = arith::ShRUIOp::create(
      builder, loc, scalars.lookupOrDefault(op.getColumn()), constant(3));
  first = add(first, bits(thread, 4, 1));
  Value rowAddress =
      add(registers(op.getTarget()).front(), multiply(row, kPanelBytes));

  for (int64_t group = 0; group < groups; group += 2) {
    Value chunk = add(first, constant(group));
    Value swizzled = arith::XOrIOp::create(
        builder, loc, bits(chunk, 0, kChunksPerPanel - 1), inMatrix);
    Value panel = arith::ShRUIOp::create(builder, loc, chunk, constant(3));
    Value address = add(add(rowAddress, multiply(panel, panelBytes)),
                        multiply(swizzled, kChunkBytes));
    // A last single group has matrices of half a width: two of them.
    int64_t count = group + 1 < groups ? 4 : 2;
    for (int64_t block = 0; block < blocks; ++block)
      hopper::StoreMatrixOp::create(
          builder, loc,
          add(address, constant(block * Fragment::kBlockRows * kPanelBytes)),
          ArrayRef(values).slice((block * groups + group) * 2, count));
  }
  return success();
}
