//===- SpecializeWarps.cpp - Producer and consumer roles ------------------===//
//
// The loads of a kernel go to a producer, everything else to the consumers.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

#define DEBUG_TYPE "fa3-specialize-warps"

namespace fa3 {
#define GEN_PASS_DEF_SPECIALIZEWARPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// The part of a block that a set of operations needs: themselves, the values
/// they use, and the control flow around them.
class Slice {
public:
  explicit Slice(Block &block) : root(block) {}

  void keep(Operation *op) {
    if (!root.findAncestorOpInBlock(*op) || !kept.insert(op).second)
      return;
    // Loops and conditionals are cloned with the results and iteration
    // arguments that are needed, so only their bounds are needed as a whole.
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      need(loop.getLowerBound());
      need(loop.getUpperBound());
      need(loop.getStep());
    } else if (auto ifOp = dyn_cast<scf::IfOp>(op)) {
      need(ifOp.getCondition());
    } else {
      for (Value operand : op->getOperands())
        need(operand);
    }
    if (Operation *parent = op->getParentOp(); parent != root.getParentOp())
      keep(parent);
  }

  /// The first operation that only consumers can execute: tiles, buffers and
  /// what is written do not cross to the producer. Null if there is none.
  Operation *findForeign() const {
    Operation *foreign = nullptr;
    root.getParentOp()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!kept.contains(op) || isForProducer(op))
        return WalkResult::advance();
      foreign = op;
      return WalkResult::interrupt();
    });
    return foreign;
  }

  /// Clones the kept operations to the builder's position.
  void clone(OpBuilder &builder) {
    IRMapping mapping;
    cloneBlock(root, builder, mapping);
  }

private:
  bool isForProducer(Operation *op) const {
    if (isa<hopper::RingPutOp, hopper::RingTransposeOp, hopper::OutReduceOp,
            scf::IfOp>(op))
      return true;
    auto isScalar = [](Type type) { return type.isIntOrIndexOrFloat(); };
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return llvm::all_of(loop.getRegionIterArgs(), [&](Value argument) {
        return !needed.contains(argument) || isScalar(argument.getType());
      });
    auto isPlain = [&](Value operand) {
      return isScalar(operand.getType()) || isa<MemRefType>(operand.getType());
    };
    return op->getNumRegions() == 0 && (isPure(op) || onlyReads(op)) &&
           !isa<hopper::WarpgroupOp>(op) &&
           llvm::all_of(op->getResultTypes(), isScalar) &&
           llvm::all_of(op->getOperands(), isPlain);
  }

  static bool onlyReads(Operation *op) {
    auto effects = getEffectsRecursively(op);
    return effects && llvm::all_of(*effects, [](const auto &effect) {
             return isa<MemoryEffects::Read>(effect.getEffect());
           });
  }

  void need(Value value) {
    if (!needed.insert(value).second)
      return;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      if (!loop || !root.findAncestorOpInBlock(*loop))
        return;
      keep(loop);
      if (argument != loop.getInductionVar())
        needIteration(loop, argument.getArgNumber() - 1);
      return;
    }
    Operation *def = value.getDefiningOp();
    keep(def);
    unsigned number = cast<OpResult>(value).getResultNumber();
    if (!root.findAncestorOpInBlock(*def))
      return;
    if (auto loop = dyn_cast<scf::ForOp>(def))
      needIteration(loop, number);
    if (auto ifOp = dyn_cast<scf::IfOp>(def)) {
      need(ifOp.thenYield().getOperand(number));
      need(ifOp.elseYield().getOperand(number));
    }
  }

  void needIteration(scf::ForOp loop, unsigned number) {
    need(loop.getInitArgs()[number]);
    need(loop.getRegionIterArg(number));
    need(loop.getYieldedValues()[number]);
    need(loop.getResult(number));
  }

  void cloneBlock(Block &block, OpBuilder &builder, IRMapping &mapping) {
    for (Operation &op : block.without_terminator()) {
      if (!kept.contains(&op))
        continue;
      if (auto loop = dyn_cast<scf::ForOp>(op))
        cloneLoop(loop, builder, mapping);
      else if (auto ifOp = dyn_cast<scf::IfOp>(op))
        cloneIf(ifOp, builder, mapping);
      else
        builder.clone(op, mapping);
    }
  }

  void cloneLoop(scf::ForOp loop, OpBuilder &builder, IRMapping &mapping) {
    SmallVector<unsigned> carried;
    SmallVector<Value> inits;
    for (auto [number, argument] : llvm::enumerate(loop.getRegionIterArgs()))
      if (needed.contains(argument)) {
        carried.push_back(number);
        inits.push_back(mapping.lookupOrDefault(loop.getInitArgs()[number]));
      }
    auto clone = scf::ForOp::create(
        builder, loop.getLoc(), mapping.lookupOrDefault(loop.getLowerBound()),
        mapping.lookupOrDefault(loop.getUpperBound()),
        mapping.lookupOrDefault(loop.getStep()), inits);
    mapping.map(loop.getInductionVar(), clone.getInductionVar());
    for (auto [index, number] : llvm::enumerate(carried)) {
      mapping.map(loop.getRegionIterArg(number), clone.getRegionIterArg(index));
      mapping.map(loop.getResult(number), clone.getResult(index));
    }
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(clone.getBody());
    cloneBlock(*loop.getBody(), builder, mapping);
    SmallVector<Value> yielded;
    for (unsigned number : carried)
      yielded.push_back(
          mapping.lookupOrDefault(loop.getYieldedValues()[number]));
    if (carried.empty())
      return;
    scf::YieldOp::create(builder, loop.getLoc(), yielded);
  }

  void cloneIf(scf::IfOp ifOp, OpBuilder &builder, IRMapping &mapping) {
    SmallVector<unsigned> used;
    SmallVector<Type> types;
    for (OpResult result : ifOp.getResults())
      if (needed.contains(result)) {
        used.push_back(result.getResultNumber());
        types.push_back(result.getType());
      }
    auto clone = scf::IfOp::create(builder, ifOp.getLoc(), types,
                                   mapping.lookupOrDefault(ifOp.getCondition()),
                                   !ifOp.getElseRegion().empty());
    auto fill = [&](Block &from, Block &to) {
      OpBuilder::InsertionGuard guard(builder);
      if (types.empty())
        builder.setInsertionPoint(to.getTerminator());
      else
        builder.setInsertionPointToEnd(&to);
      cloneBlock(from, builder, mapping);
      if (types.empty())
        return;
      SmallVector<Value> yielded;
      for (unsigned number : used)
        yielded.push_back(
            mapping.lookupOrDefault(from.getTerminator()->getOperand(number)));
      scf::YieldOp::create(builder, ifOp.getLoc(), yielded);
    };
    fill(*ifOp.thenBlock(), *clone.thenBlock());
    if (ifOp.elseBlock())
      fill(*ifOp.elseBlock(), *clone.elseBlock());
    for (auto [index, number] : llvm::enumerate(used))
      mapping.map(ifOp.getResult(number), clone.getResult(index));
  }

  Block &root;
  DenseSet<Operation *> kept;
  DenseSet<Value> needed;
};

/// Whether both roles can use `op` where it stands: scalar arithmetic at the
/// top of the kernel, and the rings.
bool isShared(Operation &op) {
  if (isa<hopper::RingAllocOp>(op))
    return true;
  return isPure(&op) && op.getNumRegions() == 0 &&
         !isa<hopper::WarpgroupOp>(op) &&
         llvm::all_of(op.getResultTypes(),
                      [](Type type) { return type.isIntOrIndexOrFloat(); });
}

struct SpecializeWarpsPass
    : fa3::impl::SpecializeWarpsPassBase<SpecializeWarpsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    if (!schedule || !schedule.getSpecialize())
      return;
    Block &body = kernel.getBody().front();
    SmallVector<Operation *> puts, reductions, transposes;
    kernel.walk([&](hopper::RingPutOp put) { puts.push_back(put); });
    kernel.walk(
        [&](hopper::OutReduceOp reduce) { reductions.push_back(reduce); });
    kernel.walk([&](hopper::RingTransposeOp transpose) {
      transposes.push_back(transpose);
    });
    if (puts.empty())
      return;

    // Shared scalar code stays in front of the roles.
    DenseSet<Operation *> shared;
    for (Operation &op : body.without_terminator())
      if (isShared(op) && llvm::all_of(op.getOperands(), [&](Value operand) {
            Operation *def = operand.getDefiningOp();
            return !def || shared.contains(def);
          }))
        shared.insert(&op);

    OpBuilder builder(body.getTerminator());
    auto roles = hopper::SpecializeOp::create(
        builder, kernel.getLoc(), schedule.getWarpgroups(),
        schedule.getProducerRegisters(), schedule.getConsumerRegisters());
    Block *producer = &roles.getProducer().emplaceBlock();
    Block *consumer = &roles.getConsumer().emplaceBlock();

    for (Operation &op : llvm::make_early_inc_range(body.without_terminator()))
      if (&op != roles && !shared.contains(&op))
        op.moveBefore(consumer, consumer->end());

    if (failed(moveTo(puts, *consumer, *producer)))
      return signalPassFailure();
    if (!reductions.empty() &&
        failed(moveTo(reductions, *consumer, roles.getDrain().emplaceBlock())))
      return signalPassFailure();
    if (!transposes.empty() &&
        failed(
            moveTo(transposes, *consumer, roles.getTranspose().emplaceBlock())))
      return signalPassFailure();
    remark::passed(kernel.getLoc(), kRemark)
        << llvm::formatv(
               "one producer thread issues the loads for {0} consumer "
               "warpgroups",
               schedule.getWarpgroups())
               .str();
  }

private:
  /// Moves operations from the consumers to another role, with a copy of what
  /// they need.
  static LogicalResult moveTo(ArrayRef<Operation *> ops, Block &consumer,
                              Block &role) {
    Slice slice(consumer);
    for (Operation *op : ops)
      slice.keep(op);
    if (Operation *foreign = slice.findForeign())
      return foreign->emitError(
          "an address or condition of a copy needs this operation, which only "
          "consumers can execute: other roles have scalars and what they read "
          "from memory");
    OpBuilder builder = OpBuilder::atBlockBegin(&role);
    slice.clone(builder);
    for (Operation *op : ops)
      op->erase();
    return success();
  }
};

} // namespace
