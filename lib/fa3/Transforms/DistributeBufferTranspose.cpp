//===- DistributeBufferTranspose.cpp - Buffers of 8-bit floats ------------===//
//
// ldmatrix transposes 8x8 matrices of 16-bit elements, here of pairs of
// columns: a lane then has a pair of columns of two neighbouring rows. With the
// matrix 8 rows further on these are four bytes of each column, in the order of
// tile.interleave, which stmatrix writes as a part of a row.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Distributor.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/Threads.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Chunks of a panel's row. Each is a matrix's row.
constexpr int64_t kChunks = kPanelBytes / kChunkBytes;
/// Rows of the source that ldmatrix takes at once.
constexpr int64_t kStepRows = 8 * kMatrices;
/// Registers of a thread beside those of loads, and those of each load.
constexpr int64_t kOtherRegisters = 8, kLoadRegisters = 8;

} // namespace

LogicalResult
Distributor::distributeBufferTranspose(hopper::BufferTransposeOp op) {
  auto roles = op->getParentOfType<hopper::SpecializeOp>();
  if (!roles || !roles.getTranspose().isAncestor(op->getParentRegion()))
    return op.emitError("belongs to the role that transposes");
  int64_t warps = roles.getTransposeWarps();
  hopper::BufferType source = op.getSource().getType();
  hopper::BufferType target = op.getTarget().getType();
  int64_t chunks = source.getTile().getDimSize(1) / kChunkBytes;
  int64_t rowSteps = source.getTile().getDimSize(0) / kStepRows;

  auto bits = [&](Value value, int64_t shift, int64_t mask) -> Value {
    if (shift != 0)
      value = arith::ShRUIOp::create(builder, loc, value, constant(shift));
    return arith::AndIOp::create(builder, loc, value, constant(mask));
  };
  // The lane's places are computed again for each buffer: the role has few
  // registers to keep them. Lane 8 i + r addresses row r of matrix i: loading,
  // matrices go by rows; storing, by odd columns, then by 16 rows of the
  // source.
  Value thread = hopper::ThreadIdOp::create(builder, loc, builder.getI32Type(),
                                            /*again=*/true);
  Value lane = bits(thread, 0, kThreadsPerWarp - 1);
  Value warp =
      add(bits(thread, llvm::Log2_64(kThreadsPerWarp), kWarpsPerWarpgroup - 1),
          constant(warps - kWarpsPerWarpgroup));
  // The lane's registers are those of row lane / 4 of each matrix. Rows r and
  // r + 4 would be stored to the same banks: of the latter, the two halves of
  // 16 rows of the source change places.
  Value isUpper = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge,
                                        lane, constant(kThreadsPerWarp / 2));
  Value half =
      arith::XOrIOp::create(builder, loc, bits(lane, 4, 1), bits(lane, 2, 1));
  Value targetRow = add(multiply(bits(lane, 0, 7), 2), bits(lane, 3, 1));
  // Offset of a chunk of the first panel in a row: the row swizzles it.
  auto placeOf = [&](Value row, Value chunk) {
    Value place = arith::XOrIOp::create(builder, loc, chunk, bits(row, 0, 7));
    return add(multiply(row, kPanelBytes), multiply(place, kChunkBytes));
  };

  auto load = [&](Value from, int64_t rowStep) -> ValueRange {
    SmallVector<Type> types(kMatrices, builder.getI32Type());
    Value address = add(from, constant(rowStep * kStepRows * kPanelBytes));
    return hopper::LoadMatrixOp::create(builder, loc, types, address)
        .getResults();
  };
  auto store = [&](ValueRange matrices, Value to, int64_t rowStep) {
    SmallVector<Value> inOrder;
    for (int64_t matrix = 0; matrix < kMatrices; ++matrix)
      inOrder.push_back(arith::SelectOp::create(
          builder, loc, isUpper, matrices[matrix ^ 2], matrices[matrix]));
    SmallVector<Value> bytes;
    for (int64_t pair = 0; pair < kMatrices; pair += 2)
      for (int64_t selector : kInterleavedSelectors)
        bytes.push_back(hopper::PermuteBytesOp::create(
            builder, loc, builder.getI32Type(), inOrder[pair],
            inOrder[pair + 1], selector));
    // 32 rows of the source are two chunks of the target's rows.
    int64_t chunk = 2 * rowStep;
    Value place = arith::XOrIOp::create(
        builder, loc, to, constant(chunk % kChunks * kChunkBytes));
    int64_t panel = chunk / kChunks * target.getPanelRows() * kPanelBytes;
    hopper::StoreMatrixOp::create(
        builder, loc,
        add(add(registers(op.getTarget()).front(), place), constant(panel)),
        bytes, /*straight=*/true);
  };
  // Loads at once hide each other's latency.
  int64_t most =
      std::max<int64_t>(1, (static_cast<int64_t>(roles.getProducerRegisters()) -
                            kOtherRegisters) /
                               kLoadRegisters);
  auto transpose = [&](Value chunk) {
    Value panel = arith::ShRUIOp::create(builder, loc, chunk,
                                         constant(llvm::Log2_64(kChunks)));
    Value from = add(registers(op.getSource()).front(),
                     add(placeOf(lane, bits(chunk, 0, kChunks - 1)),
                         multiply(panel, source.getPanelRows() * kPanelBytes)));
    Value to = placeOf(add(multiply(chunk, kChunkBytes), targetRow), half);
    for (int64_t first = 0; first < rowSteps; first += most) {
      int64_t end = std::min(first + most, rowSteps);
      SmallVector<ValueRange> loaded;
      for (int64_t rowStep = first; rowStep < end; ++rowStep)
        loaded.push_back(load(from, rowStep));
      for (int64_t rowStep = first; rowStep < end; ++rowStep)
        store(loaded[rowStep - first], to, rowStep);
    }
  };

  // Warps take turns with chunks of the source's columns. The last turn need
  // not be everyone's.
  for (int64_t first = 0; first < chunks; first += warps) {
    Value chunk = add(warp, constant(first));
    if (first + warps <= chunks) {
      transpose(chunk);
      continue;
    }
    Value isInside = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ult, chunk, constant(chunks));
    auto ifOp = scf::IfOp::create(builder, loc, isInside);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(ifOp.thenBlock());
    transpose(chunk);
  }
  return success();
}
