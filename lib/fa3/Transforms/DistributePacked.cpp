//===- DistributePacked.cpp - Packed tiles in global memory ---------------===//
//
// A packed tile is stored as threads hold it: the first four registers of all
// threads, then the next four, and so on. Four registers are a thread's part of
// a group of eight columns, so the order depends on the tile's type alone.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Distributor.h"

using namespace mlir;
using namespace fa3;

/// First element, in memory, of the thread's first run.
Value Distributor::packedElement() {
  Value thread = threadIndex();
  Value inGroup = arith::AndIOp::create(builder, loc, thread,
                                        constant(kThreadsPerWarpgroup - 1));
  return multiply(inGroup, Fragment::kPackedRun);
}

/// Calls `access` for every run of registers with the indices of its place.
LogicalResult
Distributor::forEachRun(Operation *op, VectorType type, ValueRange tileIndices,
                        llvm::function_ref<void(int64_t, ValueRange)> access) {
  Fragment fragment(type);
  if (!type.getElementType().isF32() || !fragment.hasRows() ||
      !fragment.hasColumns())
    return op->emitError("only f32 tiles with rows and columns are packed, "
                         "not ")
           << type;
  SmallVector<Value> indices = castIndices(tileIndices);
  Value first = add(indices.back(), packedElement());
  for (int64_t i = 0; i < fragment.size(); i += Fragment::kPackedRun) {
    indices.back() = add(first, constant(i * kThreadsPerWarpgroup));
    access(i, indices);
  }
  return success();
}

LogicalResult Distributor::distributePackedStore(tile::StoreOp op) {
  SmallVector<Value> values(registers(op.getValue()));
  Value target = scalars.lookupOrDefault(op.getTarget());
  Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
  return forEachRun(op, op.getValue().getType(), op.getIndices(),
                    [&](int64_t i, ValueRange indices) {
                      hopper::GlobalStoreOp::create(
                          builder, loc,
                          ArrayRef(values).slice(i, Fragment::kPackedRun),
                          target, indices, always);
                    });
}

LogicalResult Distributor::distributePackedLoad(tile::LoadOp op) {
  VectorType type = op.getResult().getType();
  Value source = scalars.lookupOrDefault(op.getSource());
  Value always = arith::ConstantIntOp::create(builder, loc, 1, 1);
  SmallVector<Type> types(Fragment::kPackedRun, builder.getF32Type());
  SmallVector<Value> result;
  if (failed(forEachRun(
          op, type, op.getIndices(), [&](int64_t, ValueRange indices) {
            llvm::append_range(
                result, hopper::GlobalLoadOp::create(builder, loc, types,
                                                     source, indices, always)
                            .getResults());
          })))
    return failure();
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeReduceStore(tile::ReduceStoreOp op) {
  if (op.getBegun())
    return op.emitError(
        "that the first tile is stored needs bulk_reduce in the "
        "schedule: threads do not know of each other's");
  SmallVector<Value> values(registers(op.getValue()));
  Value target = scalars.lookupOrDefault(op.getTarget());
  return forEachRun(op, cast<VectorType>(op.getValue().getType()),
                    op.getIndices(), [&](int64_t i, ValueRange indices) {
                      hopper::GlobalReduceOp::create(
                          builder, loc,
                          ArrayRef(values).slice(i, Fragment::kPackedRun),
                          target, indices);
                    });
}
