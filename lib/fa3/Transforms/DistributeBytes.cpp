//===- DistributeBytes.cpp - 8-bit tiles in the order of their columns ----===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

namespace {

/// The lower halves of two registers, the first one's first, and the upper
/// halves, the second one's first.
constexpr int64_t kLowerHalves = 0x5410;
constexpr int64_t kUpperHalves = 0x3276;

} // namespace

Distributor::QuadLanes Distributor::quadLanes() {
  auto bitOf = [&](Value value) -> Value {
    return arith::TruncIOp::create(builder, loc, builder.getI1Type(), value);
  };
  Value lane = this->lane();
  Value isOdd = bitOf(lane);
  Value isInner = arith::XOrIOp::create(
      builder, loc, isOdd,
      bitOf(arith::ShRUIOp::create(builder, loc, lane, constant(1))));
  return {isOdd, isInner};
}

/// Of two neighbouring lanes, the even one gets the lower halves of both
/// registers, the odd one the upper halves.
Value Distributor::exchangeHalves(Value value, QuadLanes lanes) {
  Value others = hopper::ShuffleXorOp::create(builder, loc, value, 1);
  auto halves = [&](int64_t selector) -> Value {
    return hopper::PermuteBytesOp::create(builder, loc, builder.getI32Type(),
                                          value, others, selector);
  };
  return arith::SelectOp::create(builder, loc, lanes.isOdd,
                                 halves(kUpperHalves), halves(kLowerHalves));
}

/// A lane of a quad has a pair of columns in each of the two halves of 16
/// columns, and is to have four neighbours in one of them. An exchange between
/// neighbouring lanes makes these: an even lane keeps to the lower half, an odd
/// one to the upper half. Lane 1 then has what lane 2 should have.
LogicalResult Distributor::distributeTruncToBytes(arith::TruncFOp op) {
  auto type = cast<VectorType>(op.getType());
  Fragment fragment(type);
  SmallVector<Value> from(registers(op.getIn()));
  SmallVector<Value> result(registerTypes(type).size());
  QuadLanes lanes = quadLanes();
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t group = 0; group < fragment.columns() / 4; ++group) {
      Value pairs =
          packGroup(fragment, from, row, group, type.getElementType());
      Value quad = exchangeHalves(pairs, lanes);
      Value opposite = hopper::ShuffleXorOp::create(builder, loc, quad, 3);
      result[fragment.quadIndex(row, group)] =
          arith::SelectOp::create(builder, loc, lanes.isInner, opposite, quad);
    }
  map(op.getResult(), result);
  return success();
}

/// The same exchanges the other way round.
LogicalResult Distributor::distributeExtFromBytes(arith::ExtFOp op) {
  auto type = cast<VectorType>(op.getType());
  Fragment fragment(type);
  Type element = getElementTypeOrSelf(op.getIn().getType());
  SmallVector<Value> from(registers(op.getIn()));
  SmallVector<Value> result(fragment.size());
  QuadLanes lanes = quadLanes();
  for (int64_t row = 0; row < fragment.rows(); ++row)
    for (int64_t group = 0; group < fragment.columns() / 4; ++group) {
      Value quad = from[fragment.quadIndex(row, group)];
      Value opposite = hopper::ShuffleXorOp::create(builder, loc, quad, 3);
      quad =
          arith::SelectOp::create(builder, loc, lanes.isInner, opposite, quad);
      Value pairs = exchangeHalves(quad, lanes);
      auto values = hopper::UnpackOp::create(builder, loc, pairs, element);
      for (auto [byte, value] : llvm::enumerate(values.getResults()))
        result[fragment.index(row, 4 * group + static_cast<int64_t>(byte))] =
            value;
    }
  map(op.getResult(), result);
  return success();
}

/// Four groups of columns are exchanged within quads, so that each lane stores
/// one of them; of what is left each lane stores its own part.
LogicalResult Distributor::distributeByteStore(tile::StoreOp op) {
  VectorType type = op.getValue().getType();
  Fragment fragment(type);
  MemRefType memory = op.getTarget().getType();
  int64_t rowDim = op.getDims()[0], columnDim = op.getDims()[1];
  if (rowDim < 0 || columnDim != memory.getRank() - 1)
    return op.emitError("a stored tile of 8-bit floats must have rows, and "
                        "columns along the tensor's last dimension");
  std::optional<int64_t> first = getConstantIntValue(op.getIndices().back());
  if (memory.isDynamicDim(columnDim) ||
      memory.getDimSize(columnDim) % Fragment::kQuadColumns != 0 || !first ||
      *first % Fragment::kQuadColumns != 0)
    return op.emitError() << "8-bit floats are stored "
                          << Fragment::kQuadColumns
                          << " at a time: the size of the tensor's last "
                             "dimension and the index in it must be static "
                             "multiples of that";
  SmallVector<Value> indices = castIndices(op.getIndices());
  Value target = scalars.lookupOrDefault(op.getTarget());
  SmallVector<Value> values(registers(op.getValue()));
  Value quad = threadBits(0, 3);
  Value firstRow = add(indices[rowDim], threadRow());
  Value rows = sizeOf(target, rowDim), columns = sizeOf(target, columnDim);
  auto store = [&](ValueRange stored, int64_t group, int64_t laneColumns) {
    indices.back() = add(multiply(quad, laneColumns),
                         constant(*first + group * Fragment::kQuadColumns));
    Value inside =
        arith::AndIOp::create(builder, loc, isBelow(indices[rowDim], rows),
                              isBelow(indices.back(), columns));
    hopper::GlobalStoreOp::create(builder, loc, stored, target, indices,
                                  inside);
  };
  int64_t groups = fragment.columns() / 4;
  for (int64_t row = 0; row < fragment.rows(); ++row) {
    indices[rowDim] =
        add(firstRow, constant(row / 2 * Fragment::kBlockRows + row % 2 * 8));
    int64_t group = 0;
    for (; group + Fragment::kQuadLanes <= groups;
         group += Fragment::kQuadLanes) {
      SmallVector<Value> shared;
      for (int64_t i = 0; i < Fragment::kQuadLanes; ++i)
        shared.push_back(values[fragment.quadIndex(row, group + i)]);
      transposeQuad(shared);
      store(shared, group, Fragment::kQuadColumns);
    }
    for (; group < groups; ++group)
      store(values[fragment.quadIndex(row, group)], group,
            Fragment::kQuadColumns / Fragment::kQuadLanes);
  }
  return success();
}
