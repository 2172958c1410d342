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

#include <deque>

using namespace mlir;
using namespace fa3;

namespace {

/// Bytes of a matrix's row, which the swizzle moves, and chunks of a panel.
constexpr int64_t kChunkBytes = 16;
constexpr int64_t kChunks = kPanelBytes / kChunkBytes;
/// Rows of the source that ldmatrix takes at once: four matrices of 8.
constexpr int64_t kStepRows = 32;
constexpr int64_t kMatrices = 4;
/// Bytes of two matrices' registers: of even columns and of odd ones.
constexpr int64_t kSelectors[] = {0x6420, 0x7531};
/// Registers of a role's thread beside those of loads that are ahead of their
/// stores, and those of each such load.
constexpr int64_t kOtherRegisters = 24, kLoadRegisters = 8;

/// Where a lane's chunk is in a buffer: chunks of its row differ from the first
/// one by what is exchanged in the address, and by whole panels.
struct Place {
  int64_t exchange, offset;
};

Place placeOf(hopper::BufferType buffer, int64_t row, int64_t chunk) {
  return {chunk % kChunks * kChunkBytes,
          (chunk / kChunks * buffer.getPanelRows() + row) * kPanelBytes};
}

/// What a warp has loaded, and where it goes.
struct Loaded {
  ValueRange matrices;
  Value isUpper, address;
};

} // namespace

LogicalResult
Distributor::distributeBufferTranspose(hopper::BufferTransposeOp op) {
  hopper::BufferType source = op.getSource().getType();
  hopper::BufferType target = op.getTarget().getType();
  int64_t rows = source.getTile().getDimSize(0);
  int64_t chunks = source.getTile().getDimSize(1) / kChunkBytes;

  auto swizzled = [&](Value row, Value chunk) {
    Value inAtom = arith::AndIOp::create(builder, loc, row, constant(7));
    Value place = arith::XOrIOp::create(builder, loc, chunk, inAtom);
    return add(multiply(row, kPanelBytes), multiply(place, kChunkBytes));
  };
  auto addressOf = [&](Value buffer, Value first, Place place) {
    Value inBuffer =
        arith::XOrIOp::create(builder, loc, first, constant(place.exchange));
    return add(add(registers(buffer).front(), inBuffer),
               constant(place.offset));
  };
  // Rows r and r + 4 of a matrix would be stored to the same banks. Of the
  // latter, the two halves of 16 rows of the source change places.
  auto store = [&](const Loaded &loaded) {
    SmallVector<Value> inOrder;
    for (int64_t matrix = 0; matrix < kMatrices; ++matrix)
      inOrder.push_back(arith::SelectOp::create(builder, loc, loaded.isUpper,
                                                loaded.matrices[matrix ^ 2],
                                                loaded.matrices[matrix]));
    SmallVector<Value> bytes;
    for (int64_t pair = 0; pair < kMatrices; pair += 2)
      for (int64_t selector : kSelectors)
        bytes.push_back(hopper::PermuteBytesOp::create(
            builder, loc, builder.getI32Type(), inOrder[pair],
            inOrder[pair + 1], selector));
    hopper::StoreMatrixOp::create(builder, loc, loaded.address, bytes,
                                  /*straight=*/true);
  };

  // Loads that are ahead of stores hide their latency.
  int64_t most = std::max<int64_t>(
      0, (kernel.getScheduleAttr().getProducerRegisters() - kOtherRegisters) /
             kLoadRegisters);
  std::deque<Loaded> ahead;
  for (int64_t row = 0; row < rows; row += kStepRows) {
    // The lane's places are computed again for these rows: the role has few
    // registers to keep them.
    Value thread = hopper::ThreadIdOp::create(
        builder, loc, builder.getI32Type(), /*again=*/true);
    auto bits = [&](int64_t shift, int64_t mask) -> Value {
      return arith::AndIOp::create(
          builder, loc,
          arith::ShRUIOp::create(builder, loc, thread, constant(shift)),
          constant(mask));
    };
    // Lane 8 i + r addresses row r of matrix i. Loading, matrices go by rows;
    // storing, by odd columns, then by 16 rows of the source. Warps take turns
    // with chunks of the source's columns.
    Value warp = bits(5, kTransposeWarps - 1);
    Value from = swizzled(bits(0, 31), warp);
    Value half = arith::XOrIOp::create(builder, loc, bits(4, 1), bits(2, 1));
    Value to = swizzled(add(multiply(warp, kChunkBytes),
                            add(multiply(bits(0, 7), 2), bits(3, 1))),
                        half);
    // The lane's registers are those of row lane / 4 of each matrix.
    Value isUpper = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ne, bits(4, 1), constant(0));
    for (int64_t chunk = 0; chunk < chunks; chunk += kTransposeWarps) {
      SmallVector<Type> types(kMatrices, builder.getI32Type());
      Value address =
          addressOf(op.getSource(), from, placeOf(source, row, chunk));
      ahead.push_back(
          {hopper::LoadMatrixOp::create(builder, loc, types, address)
               .getResults(),
           isUpper,
           addressOf(op.getTarget(), to,
                     placeOf(target, chunk * kChunkBytes, row / kChunkBytes))});
      if (static_cast<int64_t>(ahead.size()) <= most)
        continue;
      store(ahead.front());
      ahead.pop_front();
    }
  }
  llvm::for_each(ahead, store);
  return success();
}
