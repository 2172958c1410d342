//===- SkipIdleWarpgroups.cpp - Warpgroups whose rows do not exist --------===//
//
// The last tile along a dimension may have rows beyond the tensor's end. A
// warpgroup all of whose rows are there stores nothing, so it need not work.
//
//===----------------------------------------------------------------------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-skip-idle-warpgroups"

namespace fa3 {
#define GEN_PASS_DEF_SKIPIDLEWARPGROUPSPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

/// The rows of a store: those of all warpgroups start at `base`, and each has
/// `share` of them.
struct StoredRows {
  Value base;
  int64_t share;
};

/// Matches base + warpgroup * share, as fa3-partition-warpgroups writes it.
std::optional<StoredRows> matchRows(tile::StoreOp store) {
  // A packed tile is inside of the tensor as a whole.
  if (store.getDims().empty())
    return std::nullopt;
  int64_t dim = store.getDims()[0];
  if (dim < 0)
    return std::nullopt;
  auto sum = store.getIndices()[dim].getDefiningOp<arith::AddIOp>();
  if (!sum)
    return std::nullopt;
  auto cast = sum.getRhs().getDefiningOp<arith::IndexCastOp>();
  auto first = cast ? cast.getIn().getDefiningOp<arith::MulIOp>() : nullptr;
  APInt share;
  if (!first || !first.getLhs().getDefiningOp<hopper::WarpgroupOp>() ||
      !matchPattern(first.getRhs(), m_ConstantInt(&share)))
    return std::nullopt;
  return StoredRows{sum.getLhs(), share.getSExtValue()};
}

/// Whether an operation of the consumers can be seen from outside of its
/// warpgroup, other than through the rings.
bool hasOtherEffects(Operation *op) {
  return !isa<tile::StoreOp, hopper::RingGetOp, hopper::RingReleaseOp,
              hopper::WgmmaOp, hopper::WaitOp, hopper::TurnWaitOp,
              hopper::TurnPassOp, hopper::BufferLoadOp, tile::LoadOp>(op) &&
         !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
         !isMemoryEffectFree(op);
}

struct SkipIdleWarpgroupsPass
    : fa3::impl::SkipIdleWarpgroupsPassBase<SkipIdleWarpgroupsPass> {
  void runOnOperation() override {
    for (auto roles : getOperation().getBody().getOps<hopper::SpecializeOp>())
      if (roles.getWarpgroups() > 1 && !roles.getActive())
        limit(roles);
  }

  void limit(hopper::SpecializeOp roles) {
    auto missed = [&](StringRef why) {
      remark::missed(roles.getLoc(), kRemark)
          << "all warpgroups work in every tile: " << why;
    };
    SmallVector<tile::StoreOp> stores;
    WalkResult closed = roles.getConsumer().walk([&](Operation *op) {
      if (auto store = dyn_cast<tile::StoreOp>(op))
        stores.push_back(store);
      return hasOtherEffects(op) ? WalkResult::interrupt()
                                 : WalkResult::advance();
    });
    if (closed.wasInterrupted() || stores.empty())
      return missed("they have effects other than stores of tiles");
    SmallVector<StoredRows> rows;
    for (tile::StoreOp store : stores) {
      std::optional<StoredRows> matched = matchRows(store);
      if (!matched || !isa<BlockArgument>(store.getTarget()) ||
          roles.getConsumer().isAncestor(matched->base.getParentRegion()))
        return missed("the rows of a store are not known in front of the "
                      "roles");
      rows.push_back(*matched);
    }
    roles.getActiveMutable().assign(countActive(roles, stores, rows));
    remark::passed(roles.getLoc(), kRemark)
        << "warpgroups without rows inside of the tensors do not work";
  }

  /// Warpgroups of which at least one store is inside of its tensor; one at
  /// least, because the producer waits for somebody to empty its buffers.
  Value countActive(hopper::SpecializeOp roles,
                    MutableArrayRef<tile::StoreOp> stores,
                    ArrayRef<StoredRows> rows) {
    OpBuilder builder(roles);
    Location loc = roles.getLoc();
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    Value active = number(1);
    for (auto [store, stored] : llvm::zip_equal(stores, rows)) {
      Value size = memref::DimOp::create(builder, loc, store.getTarget(),
                                         number(store.getDims()[0]));
      Value left = arith::SubIOp::create(builder, loc, size, stored.base);
      Value count =
          arith::CeilDivSIOp::create(builder, loc, left, number(stored.share));
      active = arith::MaxSIOp::create(builder, loc, active, count);
    }
    active = arith::MinSIOp::create(builder, loc, active,
                                    number(roles.getWarpgroups()));
    return arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                      active);
  }
};

} // namespace
