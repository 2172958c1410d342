//===- MakePersistent.cpp - CTAs that compute piece after piece -----------===//
//
// Wraps a kernel in a loop over the pieces of its grid. Everything that the
// later passes do across iterations of a loop, they then do across pieces:
// above all, the producer loads the next piece while this one ends.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-make-persistent"

namespace fa3 {
#define GEN_PASS_DEF_MAKEPERSISTENTPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

struct MakePersistentPass
    : fa3::impl::MakePersistentPassBase<MakePersistentPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    if (!schedule || !schedule.getPersistent())
      return;
    Block &body = kernel.getBody().front();
    auto grids = body.getOps<tile::ProgramIdOp>();
    if (!llvm::hasSingleElement(grids)) {
      kernel.emitError("a persistent kernel needs one tile.program_id at its "
                       "top level");
      return signalPassFailure();
    }
    wrap(body, *grids.begin());
    remark::passed(kernel.getLoc(), kRemark)
        << "one CTA for each multiprocessor computes piece after piece";
  }

  void wrap(Block &body, tile::ProgramIdOp grid) {
    OpBuilder builder(grid);
    Location loc = grid.getLoc();
    Type index = builder.getIndexType();
    Value pieces = arith::ConstantIndexOp::create(builder, loc, 1);
    for (Value extent : grid.getExtents())
      pieces = arith::MulIOp::create(builder, loc, pieces, extent);
    Value most = tile::ResidentCtasOp::create(builder, loc, index);
    Value ctas = arith::MinSIOp::create(builder, loc, pieces, most);
    auto first =
        tile::ProgramIdOp::create(builder, loc, TypeRange{index}, ctas);
    auto loop =
        scf::ForOp::create(builder, loc, first.getIds().front(), pieces, ctas);
    Operation *yield = loop.getBody()->getTerminator();
    for (Operation &op : llvm::make_early_inc_range(
             llvm::make_range(std::next(loop->getIterator()),
                              body.getTerminator()->getIterator())))
      op.moveBefore(yield);

    builder.setInsertionPointToStart(loop.getBody());
    grid.getIds().replaceAllUsesWith(tile::splitIndex(
        builder, loc, loop.getInductionVar(), grid.getExtents()));
    grid.erase();
  }
};

} // namespace
