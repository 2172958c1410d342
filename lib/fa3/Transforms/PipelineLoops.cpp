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
    hasDeferredDot = !deferred.empty();
    deferExclusiveLoads();
  }

  bool worthwhile() const { return hasDeferredDot; }
  unsigned stageOf(Operation *op) const { return deferred.contains(op); }

  /// The order of issue in the pipelined loop: the next iteration's products,
  /// this iteration's deferred ones, then the rest of the next iteration.
  SmallVector<Operation *> order() {
    SetVector<Operation *> early;
    std::function<void(Operation *)> require = [&](Operation *op) {
      if (early.contains(op))
        return;
      forEachProducer(op, body, require);
      early.insert(op);
    };
    for (Operation &op : body->without_terminator())
      if (isa<tile::DotOp>(op) && !deferred.contains(&op))
        require(&op);
    SmallVector<Operation *> result(early.begin(), early.end());
    llvm::sort(result, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    for (Operation &op : body->without_terminator())
      if (deferred.contains(&op))
        result.push_back(&op);
    for (Operation &op : body->without_terminator())
      if (!deferred.contains(&op) && !early.contains(&op))
        result.push_back(&op);
    return result;
  }

private:
  /// A load all of whose users are deferred is deferred too, with private
  /// copies of the index arithmetic that it needs.
  void deferExclusiveLoads() {
    for (Operation &op : llvm::make_early_inc_range(*body)) {
      if (!isa<tile::LoadOp>(op) ||
          !llvm::all_of(op.getUsers(), [&](Operation *user) {
            return deferred.contains(body->findAncestorOpInBlock(*user));
          }))
        continue;
      deferred.insert(&op);
      copyScalars(&op);
    }
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
  bool hasDeferredDot = false;
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
    if (!stages.worthwhile()) {
      remark::missed(loop.getLoc(), kRemark)
          << "not pipelined: no product of the loop needs another product of "
             "the same iteration";
      return success();
    }
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
        arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt,
                              loop.getLowerBound(), loop.getUpperBound());
    auto ifOp = scf::IfOp::create(rewriter, loc, loop.getResultTypes(), runs,
                                  /*withElseRegion=*/true);
    rewriter.replaceAllUsesWith(loop.getResults(), ifOp.getResults());
    rewriter.setInsertionPointToEnd(ifOp.elseBlock());
    scf::YieldOp::create(rewriter, loc, loop.getInitArgs());
    rewriter.setInsertionPointToEnd(ifOp.thenBlock());
    auto yield = scf::YieldOp::create(rewriter, loc, loop.getResults());
    rewriter.moveOpBefore(loop, yield);
    return loop;
  }
};

} // namespace
