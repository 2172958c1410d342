//===- PipelineLoops.cpp - Overlap dependent products of a loop -----------===//
//
// Software pipelining on upstream's scf::pipelineForLoop. This file only
// decides stages and order; prologue, kernel and epilogue come from upstream.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Passes.h"

#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-pipeline-loops"

namespace fa3 {
#define GEN_PASS_DEF_PIPELINELOOPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// The operations of the loop's body that `op` needs in the same iteration,
/// values captured by nested regions included.
void forEachProducer(Operation *op, Block *body,
                     function_ref<void(Operation *)> callback) {
  op->walk([&](Operation *nested) {
    for (Value operand : nested->getOperands())
      if (Operation *def = operand.getDefiningOp())
        if (def->getBlock() == body && def != op)
          callback(def);
  });
}

/// Decides the stage of every operation of a loop: a product that needs
/// another product's result of the same iteration belongs to stage 1.
class StageAssignment {
public:
  explicit StageAssignment(scf::ForOp loop) : body(loop.getBody()) {
    // Products reached from each operation, in order of the block.
    for (Operation &op : body->without_terminator()) {
      bool reaches = false;
      forEachProducer(&op, body, [&](Operation *def) {
        reaches |= isa<tile::DotOp>(def) || dependsOnDot.contains(def);
        if (deferred.contains(def))
          deferred.insert(&op);
      });
      if (reaches)
        dependsOnDot.insert(&op);
      if (isa<tile::DotOp>(op) && reaches)
        deferred.insert(&op);
    }
  }

  /// Why the loop stays as it is; empty if there is no reason.
  StringRef obstacle() {
    if (deferred.empty())
      return "no product of the loop needs another product of the same "
             "iteration";
    auto isArgument = llvm::IsaPred<BlockArgument>;
    if (llvm::any_of(body->getTerminator()->getOperands(), isArgument))
      return "the loop yields one of its arguments: a value would live for two "
             "iterations";
    if (earlyNeedsDeferred())
      return "the next iteration's first products need the results of this "
             "iteration's dependent ones";
    if (sharesLoad())
      return "products of two iterations would share a loaded tile: a buffer "
             "in shared memory belongs to one iteration";
    if (readsWhatItWrites())
      return "the loop may read memory that it writes";
    return "";
  }

  /// A load all of whose users are deferred is deferred too, with private
  /// copies of the index arithmetic that it needs. So is a transposition of
  /// what is loaded.
  void deferExclusiveLoads() {
    for (auto transpose : body->getOps<tile::TransposeOp>())
      if (llvm::all_of(transpose->getUsers(),
                       [&](Operation *user) { return isDeferred(user); }))
        deferred.insert(transpose);
    for (Operation &op : llvm::make_early_inc_range(*body)) {
      if (!isa<tile::LoadOp>(op) ||
          !llvm::all_of(op.getUsers(),
                        [&](Operation *user) { return isDeferred(user); }))
        continue;
      deferred.insert(&op);
      copyScalars(&op);
    }
  }

  unsigned stageOf(Operation *op) const { return deferred.contains(op); }

  /// The order of issue in the pipelined loop: the next iteration's products,
  /// this iteration's deferred ones, then the rest of the next iteration.
  SmallVector<Operation *> order() {
    DenseSet<Operation *> early = earlyOps();
    SmallVector<Operation *> result;
    for (Operation &op : body->without_terminator())
      if (early.contains(&op))
        result.push_back(&op);
    for (Operation &op : body->without_terminator())
      if (deferred.contains(&op))
        result.push_back(&op);
    for (Operation &op : body->without_terminator())
      if (!deferred.contains(&op) && !early.contains(&op))
        result.push_back(&op);
    return result;
  }

private:
  bool isDeferred(Operation *op) const {
    return deferred.contains(body->findAncestorOpInBlock(*op));
  }

  /// The products that are not deferred and what they need in their iteration.
  DenseSet<Operation *> earlyOps() const {
    DenseSet<Operation *> early;
    std::function<void(Operation *)> require = [&](Operation *op) {
      if (early.insert(op).second)
        forEachProducer(op, body, require);
    };
    for (Operation &op : body->without_terminator())
      if (isa<tile::DotOp>(op) && !deferred.contains(&op))
        require(&op);
    return early;
  }

  /// Whether an early operation uses what a deferred one computed an iteration
  /// before: that is issued after it.
  bool earlyNeedsDeferred() const {
    auto loop = cast<scf::ForOp>(body->getParentOp());
    auto comesLate = [&](Value operand) {
      auto argument = dyn_cast<BlockArgument>(operand);
      if (!argument || argument.getOwner() != body)
        return false;
      OpOperand *yielded = loop.getTiedLoopYieldedValue(argument);
      Operation *def = yielded ? yielded->get().getDefiningOp() : nullptr;
      return deferred.contains(def);
    };
    return llvm::any_of(earlyOps(), [&](Operation *op) {
      return op
          ->walk([&](Operation *nested) {
            return llvm::any_of(nested->getOperands(), comesLate)
                       ? WalkResult::interrupt()
                       : WalkResult::advance();
          })
          .wasInterrupted();
    });
  }

  /// Whether a product of each stage uses the same loaded tile.
  bool sharesLoad() const {
    return llvm::any_of(*body, [&](Operation &op) {
      if (!isa<tile::LoadOp, tile::TransposeOp>(op))
        return false;
      auto isDeferredUser = [&](Operation *user) { return isDeferred(user); };
      auto isProduct = [](Operation *user) { return isa<tile::DotOp>(user); };
      return llvm::any_of(op.getUsers(), isProduct) &&
             llvm::any_of(op.getUsers(), isDeferredUser) &&
             !llvm::all_of(op.getUsers(), isDeferredUser);
    });
  }

  bool readsWhatItWrites() const {
    SmallVector<Value> read, written;
    for (Operation &op : body->without_terminator()) {
      auto effects = getEffectsRecursively(&op);
      if (!effects)
        return true;
      for (const MemoryEffects::EffectInstance &effect : *effects) {
        if (isa<MemoryEffects::Read>(effect.getEffect()))
          read.push_back(effect.getValue());
        if (isa<MemoryEffects::Write>(effect.getEffect()))
          written.push_back(effect.getValue());
      }
    }
    // An effect on no value in particular may be on any.
    return llvm::any_of(written, [&](Value value) {
      return value ? llvm::is_contained(read, value) ||
                         llvm::is_contained(read, Value())
                   : !read.empty();
    });
  }

  void copyScalars(Operation *op) {
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *def = operand.get().getDefiningOp();
      if (!def || def->getBlock() != body || !isPure(def) ||
          !operand.get().getType().isIntOrIndex())
        continue;
      OpBuilder builder(op);
      Operation *copy = builder.clone(*def);
      operand.set(
          copy->getResult(cast<OpResult>(operand.get()).getResultNumber()));
      deferred.insert(copy);
      copyScalars(copy);
    }
  }

  Block *body;
  DenseSet<Operation *> dependsOnDot;
  DenseSet<Operation *> deferred;
};

struct PipelineLoopsPass : fa3::impl::PipelineLoopsPassBase<PipelineLoopsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    if (!schedule || !schedule.getOverlap())
      return;
    SmallVector<scf::ForOp> loops;
    kernel.walk([&](scf::ForOp loop) {
      if (!loop.getBody()->getOps<tile::DotOp>().empty())
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      if (failed(pipeline(loop)))
        return signalPassFailure();
  }

  LogicalResult pipeline(scf::ForOp loop) {
    StageAssignment stages(loop);
    if (StringRef obstacle = stages.obstacle(); !obstacle.empty()) {
      remark::missed(loop.getLoc(), kRemark)
          << ("not pipelined: " + obstacle).str();
      return success();
    }
    stages.deferExclusiveLoads();
    remark::passed(loop.getLoc(), kRemark)
        << "pipelined: the next iteration's first products are issued ahead of "
           "this iteration's dependent ones";
    loop = guard(loop);

    scf::PipeliningOption options;
    options.getScheduleFn =
        [&](scf::ForOp,
            std::vector<std::pair<Operation *, unsigned>> &schedule) {
          for (Operation *op : stages.order())
            schedule.emplace_back(op, stages.stageOf(op));
        };
    // The guard proves that the loop runs at least once, as often as there are
    // iterations to peel: every predicate of the peeled code is true.
    SmallVector<Value> predicates;
    options.supportDynamicLoops = true;
    options.predicateFn = [&](RewriterBase &, Operation *op, Value predicate) {
      predicates.push_back(predicate);
      return op;
    };
    IRRewriter rewriter(loop);
    Location loc = loop.getLoc();
    auto kernel = loop->getParentOfType<tile::KernelOp>();
    if (failed(scf::pipelineForLoop(rewriter, loop, options)))
      return emitError(loc, "the loop cannot be pipelined: upstream's "
                            "pipeliner refused the schedule");
    SetVector<Value> unique(predicates.begin(), predicates.end());
    for (Value predicate : unique) {
      rewriter.setInsertionPointToStart(&kernel.getBody().front());
      Value yes = arith::ConstantIntOp::create(rewriter, loc, 1, 1);
      rewriter.replaceAllUsesWith(predicate, yes);
    }
    return success();
  }

  /// Puts the loop into an scf.if that is taken when the loop has an iteration.
  scf::ForOp guard(scf::ForOp loop) {
    IRRewriter rewriter(loop);
    Location loc = loop.getLoc();
    Value runs =
        arith::CmpIOp::create(rewriter, loc,
                              loop.getUnsignedCmp() ? arith::CmpIPredicate::ult
                                                    : arith::CmpIPredicate::slt,
                              loop.getLowerBound(), loop.getUpperBound());
    auto ifOp = scf::IfOp::create(rewriter, loc, loop.getResultTypes(), runs,
                                  /*withElseRegion=*/true);
    rewriter.replaceAllUsesWith(loop.getResults(), ifOp.getResults());
    if (loop.getNumResults() != 0) {
      rewriter.setInsertionPointToEnd(ifOp.elseBlock());
      scf::YieldOp::create(rewriter, loc, loop.getInitArgs());
      rewriter.setInsertionPointToEnd(ifOp.thenBlock());
      scf::YieldOp::create(rewriter, loc, loop.getResults());
    }
    rewriter.moveOpBefore(loop, ifOp.thenBlock(), ifOp.thenBlock()->begin());
    return loop;
  }
};

} // namespace
