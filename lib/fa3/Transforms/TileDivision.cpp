//===- TileDivision.cpp - How tiles are divided among warpgroups ----------===//

#include "fa3/Transforms/TileDivision.h"

#include "fa3/Transforms/Passes.h"

using namespace mlir;
using namespace fa3;

/// Rows of the smallest share of rows, wgmma's m, and of columns, the
/// granularity of its n.
static constexpr int64_t kRowGranularity = 64;
static constexpr int64_t kColumnGranularity = 8;

VectorType fa3::getTileType(Type type) {
  if (auto pending = dyn_cast<hopper::PendingType>(type))
    return pending.getTile();
  auto tile = dyn_cast<VectorType>(type);
  return tile && tile.getRank() == 2 ? tile : VectorType();
}

static void *keyOf(Value value) { return value.getAsOpaquePointer(); }

/// A tile of one element is not divided: it has nothing in common with the
/// tiles that it is broadcast to.
static bool hasShares(Value value) {
  VectorType tile = getTileType(value.getType());
  return tile && tile.getNumElements() != 1;
}

void TileDivision::unite(Value a, Value b) {
  if (hasShares(a) && hasShares(b))
    classes.unionSets(keyOf(a), keyOf(b));
}

/// Enters an operation's tiles and what they have in common.
void TileDivision::collect(Operation *op) {
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        if (getTileType(argument.getType()))
          classes.insert(keyOf(argument));
  for (Value result : op->getResults())
    if (getTileType(result.getType()))
      classes.insert(keyOf(result));

  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [init, argument, yielded, result] :
         llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(),
                         loop.getYieldedValues(), loop.getResults()))
      for (Value other : {init, yielded, Value(result)})
        unite(argument, other);
    return;
  }
  if (auto ifOp = dyn_cast<scf::IfOp>(op)) {
    for (OpResult result : ifOp.getResults())
      for (Region *region : {&ifOp.getThenRegion(), &ifOp.getElseRegion()})
        unite(result, region->front().getTerminator()->getOperand(
                          result.getResultNumber()));
    return;
  }
  if (auto wgmma = dyn_cast<hopper::WgmmaOp>(op)) {
    if (wgmma.getAcc())
      unite(wgmma.getResult(), wgmma.getAcc());
    // Registers hold the rows that a warpgroup computes.
    if (getTileType(wgmma.getA().getType())) {
      unite(wgmma.getResult(), wgmma.getA());
      byRows.insert(keyOf(wgmma.getA()));
    }
    return;
  }
  // Their tiles go to memory: each in its own way.
  if (isa<tile::StoreOp, tile::MaxStoreOp, hopper::ShareOp, scf::YieldOp>(op))
    return;
  if (isa<tile::PartialReduceOp, tile::InterleaveOp, tile::PairRowsOp,
          tile::ColumnsOp, tile::AppendOp, tile::VoteOp, tile::UniformIfOp,
          tile::ReduceStoreOp, hopper::OutPutOp>(op)) {
    for (Value operand : op->getOperands())
      if (getTileType(operand.getType()))
        byRows.insert(keyOf(operand));
  }
  if (auto uniform = dyn_cast<tile::UniformIfOp>(op))
    unite(uniform.getResult(),
          cast<tile::YieldOp>(uniform.getBody().front().back()).getValue());
  Value first;
  for (ValueRange values :
       {ValueRange(op->getOperands()), ValueRange(op->getResults())})
    for (Value value : values) {
      if (!hasShares(value))
        continue;
      if (first)
        unite(first, value);
      first = value;
    }
}

bool TileDivision::canDivide(Value leader, int64_t dim) const {
  int64_t granularity = dim == 0 ? kRowGranularity : kColumnGranularity;
  for (void *member : classes.members(keyOf(leader))) {
    Value value = Value::getFromOpaquePointer(member);
    VectorType tile = getTileType(value.getType());
    int64_t size = tile.getDimSize(dim), rows = tile.getDimSize(0);
    if ((size != 1 && size % (warpgroups * granularity) != 0) ||
        (rows != 1 && rows % kRowGranularity != 0) ||
        (dim != 0 && byRows.contains(member)))
      return false;
  }
  return true;
}

/// Whether the rows of the value's class have to be divided.
bool TileDivision::needsRows(Value value) const {
  return llvm::any_of(classes.members(keyOf(value)),
                      [&](void *member) { return byRows.contains(member); });
}

/// Chooses for the classes of an operation's results.
LogicalResult TileDivision::choose(Operation *op) {
  SmallVector<Value> values(op->getResults());
  for (Region &region : op->getRegions())
    for (Block &block : region)
      llvm::append_range(values, block.getArguments());
  for (Value value : values) {
    VectorType type = getTileType(value.getType());
    if (!type || dims.contains(classes.getLeaderValue(keyOf(value))))
      continue;
    int64_t dim = canDivide(value, 0) ? 0 : 1;
    if (dim == 1 && !canDivide(value, 1)) {
      InFlightDiagnostic diagnostic =
          op->emitError("a tile of ")
          << type.getDimSize(0) << " rows cannot be divided among "
          << warpgroups << " warpgroups: each needs a multiple of "
          << kRowGranularity << " rows";
      if (type.getDimSize(0) % kRowGranularity == 0 && !needsRows(value))
        diagnostic << ", or all of them and a multiple of "
                   << kColumnGranularity << " columns";
      return diagnostic;
    }
    dims[classes.getLeaderValue(keyOf(value))] = dim;
  }
  return success();
}

FailureOr<TileDivision> TileDivision::compute(tile::KernelOp kernel,
                                              int64_t warpgroups) {
  TileDivision division(warpgroups);
  kernel.getBody().walk([&](Operation *op) { division.collect(op); });
  WalkResult result = kernel.getBody().walk([&](Operation *op) {
    return failed(division.choose(op)) ? WalkResult::interrupt()
                                       : WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  return division;
}

int64_t TileDivision::dimOf(Value value) const {
  return dims.lookup(classes.getLeaderValue(keyOf(value)));
}

VectorType TileDivision::shareOf(VectorType type, int64_t dim) const {
  if (type.getRank() != 2 || type.getDimSize(dim) == 1)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] /= warpgroups;
  return VectorType::get(shape, type.getElementType());
}

Type TileDivision::shareOf(Type type, int64_t dim) const {
  if (auto tile = dyn_cast<VectorType>(type))
    return shareOf(tile, dim);
  if (auto pending = dyn_cast<hopper::PendingType>(type))
    return hopper::PendingType::get(type.getContext(),
                                    shareOf(pending.getTile(), dim));
  return type;
}
