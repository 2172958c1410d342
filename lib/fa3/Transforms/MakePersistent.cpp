//===- MakePersistent.cpp - CTAs that compute piece after piece -----------===//
//
// Wraps a kernel in a loop over the pieces of its grid. Everything that the
// later passes do across iterations of a loop, they then do across pieces:
// above all, the producer loads the next piece while this one ends.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
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
    if (!schedule || schedule.getPersistent() == 0)
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
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value pieces = one;
    for (Value extent : grid.getExtents())
      pieces = arith::MulIOp::create(builder, loc, pieces, extent);
    Value ctas = countCtas(builder, loc, pieces, grid.getExtents().front());
    Value cta = tile::ProgramIdOp::create(builder, loc, TypeRange{index}, ctas)
                    .getIds()
                    .front();
    Iterations iterations =
        llvm::any_of(grid.getIds(), boundsLoop)
            ? takeTurns(builder, loc, pieces, ctas, cta)
            : Iterations{cta, pieces, ctas,
                         [](OpBuilder &, Value index) { return index; }};
    auto loop = scf::ForOp::create(builder, loc, iterations.first,
                                   iterations.end, iterations.step);
    Block &piece = *loop.getBody();
    piece.getOperations().splice(
        piece.getTerminator()->getIterator(), body.getOperations(),
        std::next(loop->getIterator()), body.getTerminator()->getIterator());
    builder.setInsertionPointToStart(&piece);
    grid.getIds().replaceAllUsesWith(split(
        builder, grid, iterations.pieceOf(builder, loop.getInductionVar())));
    grid.erase();
  }

  /// The coordinates of a piece. CTAs that compute piece after piece have equal
  /// shares of head after head: only beyond the limit are heads in groups.
  SmallVector<Value> split(OpBuilder &builder, tile::ProgramIdOp grid,
                           Value piece) {
    Location loc = grid.getLoc();
    int64_t limit = getOperation().getScheduleAttr().getPersistent();
    if (!grid.getGrouped() || limit == tile::ScheduleAttr::kNoLimit)
      return tile::splitIndex(builder, loc, piece, grid.getExtents());
    Value exceeds = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ugt, grid.getExtents().front(),
        arith::ConstantIndexOp::create(builder, loc, limit));
    return tile::splitGrouped(builder, loc, piece, grid.getExtents(),
                              *grid.getGrouped(), exceeds);
  }

  /// The loop over a CTA's pieces: its bounds, and the piece of an index.
  struct Iterations {
    Value first, end, step;
    std::function<Value(OpBuilder &, Value)> pieceOf;
  };

  /// As many CTAs as run at once, or, where the grid's first dimension exceeds
  /// the schedule's limit, one for each piece. There is no choice in a
  /// package's expressions of sizes.
  Value countCtas(OpBuilder &builder, Location loc, Value pieces,
                  Value extent) {
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    Value most =
        tile::ResidentCtasOp::create(builder, loc, builder.getIndexType());
    Value resident = arith::MinSIOp::create(builder, loc, pieces, most);
    int64_t limit = getOperation().getScheduleAttr().getPersistent();
    if (limit == tile::ScheduleAttr::kNoLimit)
      return resident;
    Value excess = arith::SubIOp::create(builder, loc, extent, number(limit));
    excess = arith::MaxSIOp::create(builder, loc, excess, number(0));
    Value exceeds = arith::MinSIOp::create(builder, loc, excess, number(1));
    Value all = arith::MulIOp::create(builder, loc, exceeds, pieces);
    return arith::MaxSIOp::create(builder, loc, resident, all);
  }

  /// Whether a loop's length depends on `id`.
  static bool boundsLoop(Value id) {
    SetVector<Operation *> users;
    getForwardSlice(id, &users);
    auto depends = [&](Value bound) {
      return bound == id || users.contains(bound.getDefiningOp());
    };
    auto isBounded = [&](scf::ForOp loop) {
      return depends(loop.getLowerBound()) || depends(loop.getUpperBound());
    };
    return llvm::any_of(users, [&](Operation *user) {
      auto loop = dyn_cast<scf::ForOp>(user);
      return loop && isBounded(loop);
    });
  }

  /// A round gives each CTA a piece: forwards in even rounds, backwards in odd
  /// ones. Along a dimension whose pieces become shorter and shorter, who had
  /// the longest of one round has the shortest of the next.
  static Iterations takeTurns(OpBuilder &builder, Location loc, Value pieces,
                              Value ctas, Value cta) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value last = arith::SubIOp::create(builder, loc, ctas, one);
    Value opposite = arith::SubIOp::create(builder, loc, last, cta);
    auto placeIn = [=](OpBuilder &b, Value round) -> Value {
      Value parity = arith::AndIOp::create(b, loc, round, one);
      Value isEven =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, parity, zero);
      return arith::SelectOp::create(b, loc, isEven, cta, opposite);
    };
    auto pieceOf = [=](OpBuilder &b, Value round) -> Value {
      Value first = arith::MulIOp::create(b, loc, round, ctas);
      return arith::AddIOp::create(b, loc, first, placeIn(b, round));
    };
    // The last round may have fewer pieces than there are CTAs.
    Value full = arith::DivUIOp::create(builder, loc, pieces, ctas);
    Value left = arith::SubIOp::create(
        builder, loc, pieces, arith::MulIOp::create(builder, loc, full, ctas));
    Value hasOneMore = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::slt, placeIn(builder, full), left);
    Value count = arith::SelectOp::create(
        builder, loc, hasOneMore,
        arith::AddIOp::create(builder, loc, full, one), full);
    return {zero, count, one, pieceOf};
  }
};

} // namespace
