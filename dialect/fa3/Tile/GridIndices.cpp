//===- GridIndices.cpp - Coordinates in a grid ----------------------------===//

#include "fa3/Tile/TileOps.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fa3;

SmallVector<Value> fa3::tile::splitIndex(OpBuilder &builder, Location loc,
                                         Value index, ValueRange extents) {
  SmallVector<Value> coordinates;
  for (Value extent : extents.drop_back()) {
    coordinates.push_back(arith::RemUIOp::create(builder, loc, index, extent));
    index = arith::DivUIOp::create(builder, loc, index, extent);
  }
  coordinates.push_back(index);
  return coordinates;
}

// Divisions take a hundred clocks each, before anything can be loaded. So
// groups have a power of two as their size, and there is none beyond those of
// splitIndex.
SmallVector<Value> fa3::tile::splitGrouped(OpBuilder &builder, Location loc,
                                           Value index, ValueRange extents,
                                           int64_t groupTiles,
                                           Value condition) {
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto sub = [&](Value a, Value b) -> Value {
    return arith::SubIOp::create(builder, loc, a, b);
  };
  auto countZeros = [&]<typename Count>(Count, Value value) -> Value {
    Value word =
        arith::IndexCastUIOp::create(builder, loc, builder.getI32Type(), value);
    return arith::IndexCastUIOp::create(
        builder, loc, builder.getIndexType(),
        Count::create(builder, loc, word).getResult());
  };
  Value one = number(1);
  Value rows = extents[0], columns = extents[1];

  // log2 of a group's columns: log2(groupTiles) less that of the rows, rounded
  // up, but no more than divides the columns.
  auto bits = static_cast<int64_t>(llvm::Log2_64(groupTiles));
  Value shift = sub(countZeros(math::CountLeadingZerosOp(), sub(rows, one)),
                    number(32 - bits));
  shift = arith::MinSIOp::create(
      builder, loc, shift, countZeros(math::CountTrailingZerosOp(), columns));
  shift = arith::MaxSIOp::create(builder, loc, shift, number(0));
  if (condition)
    shift = arith::SelectOp::create(builder, loc, condition, shift, number(0));
  Value mask = sub(arith::ShLIOp::create(builder, loc, one, shift), one);

  SmallVector<Value> coordinates = splitIndex(builder, loc, index, extents);
  Value &row = coordinates[0], &column = coordinates[1];
  Value member = arith::AndIOp::create(builder, loc, column, mask);
  Value inGroup = arith::AddIOp::create(
      builder, loc, arith::MulIOp::create(builder, loc, member, rows), row);
  row = arith::ShRUIOp::create(builder, loc, inGroup, shift);
  column = arith::AddIOp::create(
      builder, loc, sub(column, member),
      arith::AndIOp::create(builder, loc, inGroup, mask).getResult());
  return coordinates;
}
