//===- Distribute.cpp - Tiles become registers of threads -----------------===//
//
// Rebuilds the kernel's body with scalars in place of tiles. This file has the
// driver, control flow and elementwise operations; the others are in files of
// their own, Distribute*.cpp.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Distributor.h"

#define DEBUG_TYPE "fa3-distribute"

namespace fa3 {
#define GEN_PASS_DEF_DISTRIBUTEPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Registers that a value of this type becomes.
SmallVector<Type> Distributor::registerTypes(Type type) {
  if (auto pending = dyn_cast<hopper::PendingType>(type))
    type = pending.getTile();
  auto tile = dyn_cast<VectorType>(type);
  if (!tile)
    return {type};
  Type element = tile.getElementType();
  int64_t count = Fragment(tile).size() / Fragment::perRegister(element);
  return SmallVector<Type>(
      count, Fragment::isPacked(element) ? builder.getI32Type() : element);
}

ValueRange Distributor::registers(Value value) {
  auto it = tiles.find(value);
  if (it != tiles.end())
    return it->second;
  scratch.assign(1, scalars.lookupOrDefault(value));
  return scratch;
}

void Distributor::map(Value value, ValueRange registers) {
  if (isa<VectorType, hopper::PendingType>(value.getType()))
    tiles[value] = SmallVector<Value>(registers);
  else
    scalars.map(value, registers.front());
}

Value Distributor::constant(int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

Value Distributor::threadIndex() {
  return hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
}

Value Distributor::lane() {
  Value thread = threadIndex();
  return arith::AndIOp::create(builder, loc, thread, constant(31));
}

Value Distributor::threadRow() {
  Value thread = threadIndex();
  Value warp = arith::AndIOp::create(
      builder, loc, arith::ShRUIOp::create(builder, loc, thread, constant(5)),
      constant(3));
  Value warpRow = arith::MulIOp::create(builder, loc, warp, constant(16));
  Value laneRow = arith::ShRUIOp::create(builder, loc, lane(), constant(2));
  return arith::AddIOp::create(builder, loc, warpRow, laneRow);
}

Value Distributor::threadColumn() {
  Value quad = arith::AndIOp::create(builder, loc, lane(), constant(3));
  return arith::MulIOp::create(builder, loc, quad, constant(2));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult Distributor::distributeBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    loc = op.getLoc();
    if (failed(distribute(&op)))
      return failure();
  }
  return success();
}

SmallVector<Value> Distributor::flatten(ValueRange values) {
  SmallVector<Value> result;
  for (Value value : values)
    llvm::append_range(result, registers(value));
  return result;
}

void Distributor::mapFlat(ValueRange values, ValueRange registers) {
  for (Value value : values) {
    size_t count = registerTypes(value.getType()).size();
    map(value, registers.take_front(count));
    registers = registers.drop_front(count);
  }
}

LogicalResult Distributor::distributeFor(scf::ForOp loop) {
  auto clone = scf::ForOp::create(
      builder, loc, scalars.lookupOrDefault(loop.getLowerBound()),
      scalars.lookupOrDefault(loop.getUpperBound()),
      scalars.lookupOrDefault(loop.getStep()), flatten(loop.getInitArgs()));
  scalars.map(loop.getInductionVar(), clone.getInductionVar());
  mapFlat(loop.getRegionIterArgs(), clone.getRegionIterArgs());
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(clone.getBody());
    if (failed(distributeBlock(*loop.getBody())))
      return failure();
    if (loop.getNumResults() != 0)
      scf::YieldOp::create(builder, loc, flatten(loop.getYieldedValues()));
  }
  mapFlat(loop.getResults(), clone.getResults());
  return success();
}

LogicalResult Distributor::distributeIf(scf::IfOp ifOp) {
  SmallVector<Type> types;
  for (Type type : ifOp.getResultTypes())
    llvm::append_range(types, registerTypes(type));
  auto clone = scf::IfOp::create(
      builder, loc, types, scalars.lookupOrDefault(ifOp.getCondition()),
      /*addThenBlock=*/true, /*addElseBlock=*/!ifOp.getElseRegion().empty());
  auto fill = [&](Block *from, Block *to) -> LogicalResult {
    OpBuilder::InsertionGuard guard(builder);
    to->clear();
    builder.setInsertionPointToStart(to);
    if (failed(distributeBlock(*from)))
      return failure();
    scf::YieldOp::create(builder, loc,
                         flatten(from->getTerminator()->getOperands()));
    return success();
  };
  if (failed(fill(ifOp.thenBlock(), clone.thenBlock())))
    return failure();
  if (ifOp.elseBlock() && failed(fill(ifOp.elseBlock(), clone.elseBlock())))
    return failure();
  mapFlat(ifOp.getResults(), clone.getResults());
  return success();
}

/// Whether a tile has the same value in all rows of a warp: it comes from a
/// vote, possibly through loops and conditionals.
static bool isUniform(Value value, DenseSet<Value> &visited) {
  if (!visited.insert(value).second)
    return true;
  auto areUniform = [&](ValueRange values) {
    return llvm::all_of(values,
                        [&](Value value) { return isUniform(value, visited); });
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop && areUniform({loop.getTiedLoopInit(argument)->get(),
                               loop.getTiedLoopYieldedValue(argument)->get()});
  }
  Operation *def = value.getDefiningOp();
  unsigned number = cast<OpResult>(value).getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(def))
    return areUniform(
        {loop.getInitArgs()[number], loop.getYieldedValues()[number]});
  if (auto ifOp = dyn_cast<scf::IfOp>(def))
    return areUniform({ifOp.thenYield().getOperand(number),
                       ifOp.elseYield().getOperand(number)});
  if (auto constant = dyn_cast<arith::ConstantOp>(def))
    return isa<SplatElementsAttr>(constant.getValue());
  return isa<tile::VoteOp>(def);
}

LogicalResult Distributor::distributeUniformIf(tile::UniformIfOp op) {
  DenseSet<Value> visited;
  if (!isUniform(op.getCondition(), visited))
    return op.emitError("the condition must come from tile.vote_any: a warp "
                        "takes the branch as a whole");
  // Every row's condition is the whole warp's: any of them decides.
  Value condition = registers(op.getCondition()).front();
  auto clone = scf::IfOp::create(
      builder, loc, registerTypes(op.getResult().getType()), condition,
      /*addThenBlock=*/true, /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(clone.thenBlock());
    Block &body = op.getBody().front();
    if (failed(distributeBlock(body)))
      return failure();
    scf::YieldOp::create(builder, loc,
                         flatten(body.getTerminator()->getOperands()));
    builder.setInsertionPointToStart(clone.elseBlock());
    scf::YieldOp::create(builder, loc, flatten(op.getSource()));
  }
  mapFlat(op.getResult(), clone.getResults());
  return success();
}

LogicalResult Distributor::distributeRoles(hopper::SpecializeOp roles) {
  auto clone =
      cast<hopper::SpecializeOp>(builder.cloneWithoutRegions(*roles, scalars));
  for (auto [from, to] :
       llvm::zip_equal(roles->getRegions(), clone->getRegions())) {
    if (from.empty())
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&to.emplaceBlock());
    for (Operation &op : from.front()) {
      loc = op.getLoc();
      if (failed(distribute(&op)))
        return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Elementwise operations
//===----------------------------------------------------------------------===//

LogicalResult Distributor::distributeConstant(arith::ConstantOp op) {
  auto elements = dyn_cast<SplatElementsAttr>(op.getValue());
  if (!elements)
    return op.emitError("only splat constants can be distributed");
  auto type = cast<VectorType>(op.getType());
  Type element = type.getElementType();
  Value splat;
  if (Fragment::isPacked(element)) {
    APInt bits = elements.getSplatValue<APFloat>().bitcastToAPInt();
    splat = constant(APInt::getSplat(32, bits).getSExtValue());
  } else {
    splat = arith::ConstantOp::create(
        builder, loc, element,
        cast<TypedAttr>(elements.getSplatValue<Attribute>()));
  }
  map(op.getResult(), SmallVector<Value>(registerTypes(type).size(), splat));
  return success();
}

LogicalResult Distributor::distributeBroadcast(vector::BroadcastOp op) {
  VectorType type = op.getResultVectorType();
  auto source = dyn_cast<VectorType>(op.getSourceType());
  if (Fragment::isPacked(type.getElementType()))
    return op.emitError("a broadcast of narrow floats is not distributed: "
                        "broadcast in f32 and narrow at the end");
  if (source && source.getRank() != type.getRank())
    return op.emitError("the source of a broadcast must be a scalar or a tile "
                        "of rank two");
  ValueRange from = registers(op.getSource());
  SmallVector<Value> result;
  Fragment to(type);
  result.resize(to.size());
  for (int64_t row = 0; row < to.rows(); ++row)
    for (int64_t column = 0; column < to.columns(); ++column)
      result[to.index(row, column)] =
          source ? from[Fragment(source).index(row, column)] : from.front();
  map(op.getResult(), result);
  return success();
}

LogicalResult Distributor::distributeIota(tile::IotaOp op) {
  Fragment fragment(op.getResult().getType());
  SmallVector<Value> result(fragment.size());
  bool alongRows = op.getDim() == 0;
  if (op.getResult().getType().getNumElements() == 1) {
    map(op.getResult(), constant(0));
    return success();
  }
  Value first = alongRows ? threadRow() : threadColumn();
  for (int64_t i = 0; i < fragment.size(); ++i) {
    int64_t offset = alongRows ? (i / 2) * Fragment::kBlockRows + (i % 2) * 8
                               : (i / 2) * Fragment::kGroupColumns + i % 2;
    result[i] = arith::AddIOp::create(builder, loc, first, constant(offset),
                                      arith::IntegerOverflowFlags::nsw);
  }
  map(op.getResult(), result);
  return success();
}

/// One scalar operation for each register; scalar operands are shared.
LogicalResult Distributor::distributeElementwise(Operation *op) {
  SmallVector<SmallVector<Value>> operands;
  for (Value operand : op->getOperands())
    operands.emplace_back(registers(operand));
  auto type = cast<VectorType>(op->getResult(0).getType());
  Type element = type.getElementType();
  auto isPackedTile = [](Type type) {
    auto tile = dyn_cast<VectorType>(type);
    return tile && Fragment::isPacked(tile.getElementType());
  };
  if (llvm::any_of(op->getOperandTypes(), isPackedTile) || isPackedTile(type))
    return op->emitError("arithmetic on narrow tiles is not distributed: "
                         "compute in f32 and narrow at the end");
  int64_t count = Fragment(type).size();
  SmallVector<Value> result;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<Value> scalarOperands;
    for (auto [operand, values] : llvm::zip_equal(op->getOperands(), operands))
      scalarOperands.push_back(
          isa<VectorType>(operand.getType()) ? values[i] : values.front());
    result.push_back(builder
                         .create(loc, op->getName().getIdentifier(),
                                 scalarOperands, element, op->getAttrs())
                         ->getResult(0));
  }
  map(op->getResult(0), result);
  return success();
}

LogicalResult Distributor::distribute(Operation *op) {
  auto isTile = [](Type type) {
    auto tile = dyn_cast<VectorType>(type);
    return tile || isa<hopper::PendingType>(type);
  };
  for (Type type : op->getResultTypes()) {
    auto pending = dyn_cast<hopper::PendingType>(type);
    auto tile = pending ? pending.getTile() : dyn_cast<VectorType>(type);
    if (tile && !Fragment::isSupported(tile))
      return op->emitError("a tile of type ")
             << tile
             << " cannot be distributed over a warpgroup: rows must be 1 or a "
                "multiple of 64, columns 1 or a multiple of 8 (of 16 in 8 "
                "bits), "
                "and narrow floats need columns";
  }

  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ForOp loop) { return distributeFor(loop); })
      .Case([&](scf::IfOp ifOp) { return distributeIf(ifOp); })
      .Case([&](tile::UniformIfOp ifOp) { return distributeUniformIf(ifOp); })
      .Case([&](hopper::SpecializeOp roles) { return distributeRoles(roles); })
      .Case([&](tile::IotaOp iota) { return distributeIota(iota); })
      .Case([&](tile::ReduceOp reduce) { return distributeReduce(reduce); })
      .Case([&](tile::PartialReduceOp reduce) {
        return distributePartialReduce(reduce);
      })
      .Case([&](tile::InterleaveOp op) { return distributeInterleave(op); })
      .Case([&](tile::PairRowsOp op) { return distributePairRows(op); })
      .Case([&](tile::ColumnsOp op) { return distributeTileColumns(op); })
      .Case([&](tile::AppendOp op) { return distributeAppend(op); })
      .Case([&](tile::VoteOp vote) { return distributeVote(vote); })
      .Case([&](tile::StoreOp store) { return distributeStore(store); })
      .Case([&](tile::LoadOp load) { return distributeLoad(load); })
      .Case([&](hopper::WgmmaOp wgmma) { return distributeWgmma(wgmma); })
      .Case([&](hopper::WaitOp wait) { return distributeWait(wait); })
      .Case([&](hopper::ViewOp view) {
        scalars.map(view.getBuffer(),
                    scalars.lookupOrDefault(view.getAddress()));
        return success();
      })
      .Case([&](hopper::RowsOp rows) { return distributeRows(rows); })
      .Case([&](hopper::ColumnsOp op) { return distributeColumns(op); })
      .Case([&](hopper::BufferLoadOp op) { return distributeBufferLoad(op); })
      .Case([&](hopper::BufferStoreOp op) { return distributeBufferStore(op); })
      .Case([&](hopper::BufferTransposeOp op) {
        return distributeBufferTranspose(op);
      })
      .Case([&](tile::ReduceStoreOp op) { return distributeReduceStore(op); })
      .Case([&](tile::MaxStoreOp op) { return distributeMaxStore(op); })
      .Default([&](Operation *op) -> LogicalResult {
        if (op->getNumRegions() == 0 &&
            !llvm::any_of(op->getOperandTypes(), isTile) &&
            !llvm::any_of(op->getResultTypes(), isTile)) {
          builder.clone(*op, scalars);
          return success();
        }
        if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
          return distributeConstant(constantOp);
        if (auto broadcast = dyn_cast<vector::BroadcastOp>(op))
          return distributeBroadcast(broadcast);
        if (auto narrow = dyn_cast<arith::TruncFOp>(op))
          return distributeTruncF(narrow);
        if (auto wide = dyn_cast<arith::ExtFOp>(op))
          return distributeExtF(wide);
        if (OpTrait::hasElementwiseMappableTraits(op) &&
            op->getNumResults() == 1)
          return distributeElementwise(op);
        return op->emitError("has no distribution over a warpgroup");
      });
}

LogicalResult Distributor::run() {
  Region &region = kernel.getBody();
  Block *old = &region.front();
  auto *block = new Block;
  region.push_back(block);
  for (BlockArgument argument : old->getArguments())
    scalars.map(argument,
                block->addArgument(argument.getType(), argument.getLoc()));
  builder.setInsertionPointToStart(block);
  for (Operation &op : *old) {
    loc = op.getLoc();
    if (failed(distribute(&op))) {
      block->dropAllReferences();
      block->erase();
      return failure();
    }
  }
  old->dropAllReferences();
  old->erase();
  return success();
}

namespace {

/// Whether threads have no such type.
bool isWarpgroupLevel(Type type) {
  return isa<VectorType, hopper::RingType, hopper::BufferType,
             hopper::PendingType>(type);
}

struct DistributePass : fa3::impl::DistributePassBase<DistributePass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    for (BlockArgument argument : kernel.getArguments())
      if (isa<VectorType>(argument.getType())) {
        emitError(argument.getLoc(), "a tile cannot be a kernel's argument");
        return signalPassFailure();
      }
    WalkResult expanded = kernel.walk([](Operation *op) {
      if (isa<hopper::RingAllocOp, hopper::RingPutOp, hopper::RingGetOp,
              hopper::RingReleaseOp, hopper::RingTransposeOp, hopper::ShareOp,
              tile::TransposeOp, hopper::OutPutOp, hopper::OutReduceOp,
              hopper::TurnWaitOp, hopper::TurnPassOp, tile::DotOp>(op)) {
        op->emitError("must be expanded before tiles are distributed");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (expanded.wasInterrupted() || failed(Distributor(kernel).run()))
      return signalPassFailure();
    WalkResult distributed = kernel.walk([](Operation *op) {
      if (llvm::none_of(op->getOperandTypes(), isWarpgroupLevel) &&
          llvm::none_of(op->getResultTypes(), isWarpgroupLevel))
        return WalkResult::advance();
      op->emitError("works on a tile after distribution");
      return WalkResult::interrupt();
    });
    if (distributed.wasInterrupted())
      return signalPassFailure();
    setThreads(kernel);
  }

  /// Threads of the CTA: the consumer warpgroups, and the producer's where the
  /// kernel has roles.
  void setThreads(tile::KernelOp kernel) {
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    int64_t warpgroups = schedule ? schedule.getWarpgroups() : 1;
    if (!kernel.getBody().getOps<hopper::SpecializeOp>().empty())
      ++warpgroups;
    Builder attributes(&getContext());
    kernel->setAttr(
        hopper::kThreadsAttrName,
        attributes.getI64IntegerAttr(warpgroups * kThreadsPerWarpgroup));
  }
};

} // namespace
