//===- RecomputeIndices.cpp - Indices take no registers in loops ----------===//
//
// What a kernel's end computes from the indices of threads and CTAs would be
// kept in registers through its loops. It is computed again behind them.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#define DEBUG_TYPE "fa3-recompute-indices"

namespace fa3 {
#define GEN_PASS_DEF_RECOMPUTEINDICESPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

/// Computes values again behind the last loop of a block.
class Recomputer {
public:
  explicit Recomputer(scf::ForOp loop) : loop(loop), builder(loop) {
    builder.setInsertionPointAfter(loop);
    end = loop->getNextNode();
  }

  void run() {
    for (Operation *op = end; op; op = op->getNextNode())
      op->walk([&](Operation *nested) {
        for (OpOperand &operand : nested->getOpOperands())
          operand.set(recompute(operand.get()));
      });
  }

private:
  static bool isIndex(Operation *op) {
    return isa<tile::ProgramIdOp, hopper::ThreadIdOp, hopper::WarpgroupOp,
               hopper::BlockIdOp>(op);
  }

  /// Whether arithmetic in front of the loop gives the value from such an
  /// index, among others.
  bool isComputedFromIndex(Value value) {
    Operation *def = value.getDefiningOp();
    if (!def || !isInFront(def))
      return false;
    return isIndex(def) ||
           (isArithmetic(def) &&
            llvm::any_of(def->getOperands(), [&](Value operand) {
              return isComputedFromIndex(operand);
            }));
  }

  static bool isArithmetic(Operation *op) {
    return isPure(op) && op->getNumRegions() == 0 &&
           llvm::all_of(op->getResultTypes(),
                        [](Type type) { return type.isIntOrIndex(); });
  }

  /// In the loop's block, or around it.
  bool isInFront(Operation *op) {
    Operation *place = loop;
    while (place && place->getBlock() != op->getBlock())
      place = place->getParentOp();
    return place && op->isBeforeInBlock(place);
  }

  Value recompute(Value value) {
    if (!isComputedFromIndex(value))
      return value;
    if (Value known = recomputed.lookup(value))
      return known;
    Operation *def = value.getDefiningOp();
    Location loc = def->getLoc();
    if (auto ids = dyn_cast<tile::ProgramIdOp>(def)) {
      Value index = arith::IndexCastUIOp::create(
          builder, loc, builder.getIndexType(),
          hopper::BlockIdOp::create(builder, loc, builder.getI32Type(),
                                    /*again=*/true));
      for (auto [id, again] :
           llvm::zip_equal(ids.getIds(), ids.getIdsOf(builder, loc, index)))
        recomputed[id] = again;
      return recomputed[value];
    }
    IRMapping mapping;
    for (Value operand : def->getOperands())
      mapping.map(operand, recompute(operand));
    Operation *clone = builder.clone(*def, mapping);
    if (isIndex(def))
      clone->setAttr("again", builder.getUnitAttr());
    return recomputed[value] =
               clone->getResult(cast<OpResult>(value).getResultNumber());
  }

  scf::ForOp loop;
  OpBuilder builder;
  /// The first operation behind the loop that was there before.
  Operation *end;
  DenseMap<Value, Value> recomputed;
};

struct RecomputeIndicesPass
    : fa3::impl::RecomputeIndicesPassBase<RecomputeIndicesPass> {
  void runOnOperation() override {
    Block &entry = getOperation().getBody().front();
    recomputeIn(entry);
    for (auto roles : entry.getOps<hopper::SpecializeOp>())
      for (Region &role : roles->getRegions())
        if (!role.empty())
          recomputeIn(role.front());
  }

  static void recomputeIn(Block &block) {
    scf::ForOp last;
    for (auto loop : block.getOps<scf::ForOp>())
      last = loop;
    if (last)
      Recomputer(last).run();
  }
};

} // namespace
