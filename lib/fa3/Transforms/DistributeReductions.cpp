//===- DistributeReductions.cpp - Row reductions and votes ----------------===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Lanes that hold a row's columns differ in these bits of the lane index.
constexpr int64_t kQuadMasks[] = {1, 2};
constexpr int64_t kWarpMasks[] = {1, 2, 4, 8, 16};

} // namespace

Value Distributor::combine(tile::ReduceKind kind, Value a, Value b) {
  if (kind == tile::ReduceKind::add)
    return arith::AddFOp::create(builder, loc, a, b);
  return arith::MaxNumFOp::create(builder, loc, a, b);
}

/// Combines the values in `chains` independent chains, then the chains'
/// results in a tree: a single chain would wait for each result in turn.
Value Distributor::combineChains(tile::ReduceKind kind, ValueRange values,
                                 int64_t chains) {
  SmallVector<Value> partial(
      values.take_front(std::min<int64_t>(chains, values.size())));
  for (auto [index, value] :
       llvm::enumerate(values.drop_front(partial.size()))) {
    Value &chain = partial[index % partial.size()];
    chain = combine(kind, chain, value);
  }
  while (partial.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < partial.size(); i += 2)
      next.push_back(combine(kind, partial[i], partial[i + 1]));
    if (partial.size() % 2 != 0)
      next.push_back(partial.back());
    partial = std::move(next);
  }
  return partial.front();
}

int64_t Distributor::chains() {
  tile::ScheduleAttr schedule = kernel.getScheduleAttr();
  return schedule ? schedule.getChains() : 1;
}

LogicalResult Distributor::distributeReduce(tile::ReduceOp op) {
  if (op.getDim() != 1)
    return op.emitError("only reductions of rows are distributed: a column is "
                        "spread over all warps");
  if (!op.getSource().getType().getElementType().isF32())
    return op.emitError("only f32 tiles are reduced");
  Fragment from(op.getSource().getType());
  SmallVector<Value> source(registers(op.getSource()));
  SmallVector<Value> result;
  for (int64_t row = 0; row < from.rows(); ++row) {
    SmallVector<Value> columns;
    for (int64_t column = 0; column < from.columns(); ++column)
      columns.push_back(source[from.index(row, column)]);
    Value value = combineChains(op.getKind(), columns, chains());
    if (from.hasColumns())
      for (int64_t mask : kQuadMasks)
        value =
            combine(op.getKind(), value,
                    hopper::ShuffleXorOp::create(builder, loc, value, mask));
    result.push_back(value);
  }
  map(op.getResult(), result);
  return success();
}

/// The warp's largest value goes to memory, by its first lane.
LogicalResult Distributor::distributeMaxStore(tile::MaxStoreOp op) {
  auto type = cast<VectorType>(op.getValue().getType());
  if (!type.getElementType().isF32())
    return op.emitError("only f32 tiles are compared with memory");
  SmallVector<Value> values(registers(op.getValue()));
  Value largest = combineChains(tile::ReduceKind::maxnum, values, chains());
  for (int64_t mask : kWarpMasks)
    largest =
        combine(tile::ReduceKind::maxnum, largest,
                hopper::ShuffleXorOp::create(builder, loc, largest, mask));
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        lane(), constant(0));
  hopper::GlobalMaxOp::create(builder, loc, largest,
                              scalars.lookupOrDefault(op.getTarget()),
                              castIndices(op.getIndices()), isFirst);
  return success();
}

LogicalResult Distributor::distributePartialReduce(tile::PartialReduceOp op) {
  if (!op.getSource().getType().getElementType().isF32())
    return op.emitError("only f32 tiles are reduced");
  Fragment from(op.getSource().getType());
  Fragment to(op.getResult().getType());
  SmallVector<Value> source(registers(op.getSource()));
  SmallVector<Value> result(to.size());
  // The two columns of a group are summed apart: half of the chains each.
  int64_t perColumn = std::max<int64_t>(1, chains() / 2);
  for (int64_t row = 0; row < to.rows(); ++row)
    for (int64_t pair = 0; pair < 2; ++pair) {
      SmallVector<Value> columns;
      for (int64_t column = pair; column < from.columns(); column += 2)
        columns.push_back(source[from.index(row, column)]);
      result[to.index(row, pair)] =
          combineChains(tile::ReduceKind::add, columns, perColumn);
    }
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeVote(tile::VoteOp op) {
  SmallVector<Value> rows(registers(op.getCondition()));
  Value any = rows.front();
  for (Value row : llvm::drop_begin(rows))
    any = arith::OrIOp::create(builder, loc, any, row);
  Value vote =
      hopper::VoteAnyOp::create(builder, loc, builder.getI1Type(), any);
  map(op.getResult(), SmallVector<Value>(rows.size(), vote));
  return success();
}
