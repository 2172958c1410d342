//===- ExpandRings.cpp - Rings become mbarriers, addresses and TMA --------===//
//
// The n-th put and the n-th get of a ring meet in buffer n mod stages, in the
// phase whose parity is (n / stages) mod 2. This pass counts puts and gets
// through the control flow and spells the protocol out.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/EventCounter.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingExpander.h"
#include "fa3/Transforms/RingLayout.h"
#include "fa3/Transforms/RingOnes.h"
#include "fa3/Transforms/ShareExpander.h"

#include <deque>

#define DEBUG_TYPE "fa3-expand-rings"

namespace fa3 {
#define GEN_PASS_DEF_EXPANDRINGSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

/// Ranks of tensors that tensor maps describe.
constexpr int64_t kMinRank = 2, kMaxRank = 5;

Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

/// Whether the ring's uses can be counted and expanded.
LogicalResult check(hopper::RingAllocOp ring) {
  if (!ring.getOffset() || (isLoaded(ring) && !ring.getBarriers()))
    return ring.emitError("the ring has no place in shared memory: run "
                          "fa3-allocate-shared-memory first");
  for (Operation *user : ring->getUsers()) {
    for (Operation *op = user->getParentOp(); !isa<tile::KernelOp>(op);
         op = op->getParentOp())
      if (!isa<scf::ForOp, scf::IfOp, hopper::SpecializeOp>(op)) {
        InFlightDiagnostic diagnostic = user->emitError(
            "a ring must be used in scf.for and scf.if only: its puts and gets "
            "are counted through them");
        diagnostic.attachNote(op->getLoc()) << "enclosed by this operation";
        return diagnostic;
      }
    if (isa<hopper::RingTransposeOp>(user) &&
        !user->getParentOfType<hopper::SpecializeOp>())
      return user->emitError("a ring is transposed by a role of its own: run "
                             "fa3-specialize-warps first");
    auto put = dyn_cast<hopper::RingPutOp>(user);
    if (!put)
      continue;
    auto source = dyn_cast<BlockArgument>(put.getSource());
    if (!source || !isa<tile::KernelOp>(source.getOwner()->getParentOp()))
      return put.emitError("TMA loads from an argument of the kernel only");
    int64_t rank = cast<MemRefType>(source.getType()).getRank();
    if (rank < kMinRank || rank > kMaxRank)
      return put.emitError("TMA loads from tensors of rank 2 to 5 only, not ")
             << rank;
    int64_t last = rank - 1;
    ArrayRef<int64_t> dims = put.getDims();
    VectorType tile = ring.getRing().getType().getTile();
    if (ring.getRing().getType().hasPanels()) {
      if (dims[0] < 0 || dims[1] != last)
        return put.emitError("TMA loads rows of a tensor whose columns run "
                             "along its last dimension only");
    } else if (tile.getDimSize(0) == 1
                   ? dims[1] != last
                   : tile.getDimSize(1) != 1 || dims[0] != last) {
      return put.emitError("TMA loads a row or a column of f32 along the "
                           "tensor's last dimension only");
    }
  }
  return success();
}

struct ExpandRingsPass : fa3::impl::ExpandRingsPassBase<ExpandRingsPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    Block &entry = kernel.getBody().front();
    SmallVector<hopper::RingAllocOp> rings, shared;
    for (auto ring : entry.getOps<hopper::RingAllocOp>())
      (isLoaded(ring) ? rings : shared).push_back(ring);
    llvm::erase_if(shared, [](hopper::RingAllocOp ring) {
      return !llvm::all_of(ring->getUsers(), llvm::IsaPred<hopper::ShareOp>);
    });
    if (rings.empty() && shared.empty())
      return;
    for (hopper::RingAllocOp ring :
         llvm::concat<hopper::RingAllocOp>(rings, shared))
      if (failed(check(ring)))
        return signalPassFailure();

    // Before the roles part, when the number of working warpgroups is known.
    auto roles = entry.getOps<hopper::SpecializeOp>();
    OpBuilder builder = OpBuilder::atBlockBegin(&entry);
    if (!roles.empty())
      builder.setInsertionPoint(*roles.begin());
    Location loc = kernel.getLoc();
    Value thread =
        hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
    Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        thread, constant(builder, loc, 0));
    auto once = scf::IfOp::create(builder, loc, first);
    auto sync = hopper::CtaSyncOp::create(builder, loc);
    Value active;
    SmallVector<Block *> roots{&entry};
    if (!roles.empty()) {
      hopper::SpecializeOp specialize = *roles.begin();
      active = specialize.getActive();
      roots = {&specialize.getProducer().front(),
               &specialize.getConsumer().front()};
      if (!specialize.getTranspose().empty())
        roots.push_back(&specialize.getTranspose().front());
    }
    std::deque<RingExpander> expanders;
    for (hopper::RingAllocOp ring : rings)
      expanders.emplace_back(kernel, ring, active);
    for (RingExpander &expander : expanders)
      for (RingExpander &other : expanders)
        if (expander.isTransposedFrom(other))
          expander.transposeFrom(other);
    for (RingExpander &rider : expanders)
      for (RingExpander &other : llvm::reverse(expanders))
        if (rider.canRide(other, roots)) {
          rider.ride(other);
          break;
        }
    tile::ScheduleAttr schedule = kernel.getScheduleAttr();
    std::deque<ShareExpander> shareExpanders;
    for (hopper::RingAllocOp ring : shared)
      shareExpanders.emplace_back(ring,
                                  schedule ? schedule.getWarpgroups() : 1);
    for (Block *root : roots) {
      EventCounter counter(*root);
      for (RingExpander &expander : expanders)
        expander.count(counter, *root);
      for (ShareExpander &expander : shareExpanders)
        expander.count(counter, *root);
      counter.count();
    }
    for (RingExpander &expander : expanders) {
      expander.expandReleases();
      builder.setInsertionPoint(once.thenBlock()->getTerminator());
      expander.initialise(builder);
    }
    builder.setInsertionPoint(sync);
    writeOnes(builder, thread, rings);
    for (hopper::RingAllocOp ring :
         llvm::concat<hopper::RingAllocOp>(rings, shared))
      ring.erase();
    builder.setInsertionPoint(once.thenBlock()->getTerminator());
    hopper::FenceMbarrierInitOp::create(builder, loc);
  }
};

} // namespace
