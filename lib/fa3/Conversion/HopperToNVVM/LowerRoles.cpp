//===- LowerRoles.cpp - Indices, roles and the grid -----------------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fa3;

static constexpr int32_t kThreadsPerWarpgroup = 128;
static constexpr int32_t kThreadsPerWarp = 32;
static constexpr int32_t kWarpsPerWarpgroup =
    kThreadsPerWarpgroup / kThreadsPerWarp;
static constexpr int32_t kDrainWarp = 1;

namespace {

Value createConstant(OpBuilder &builder, Location loc, int32_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

/// A special register, which LLVM may read where it likes, or, `again`, here.
template <typename ReadOp>
Value readRegister(OpBuilder &builder, Location loc, StringRef name,
                   bool again) {
  Type i32 = builder.getI32Type();
  if (!again)
    return ReadOp::create(builder, loc, i32);
  return InlineAsm(builder, loc)
      .results(i32)
      .emit("mov.u32 $0, " + Twine(name) + ";")
      .front();
}

/// Index of the warpgroup in the CTA. It goes through a shuffle so that ptxas
/// knows it to be uniform: a branch on it may contain wgmma and setmaxnreg.
Value createWarpgroupIndex(OpBuilder &builder, Location loc,
                           bool again = false) {
  Type i32 = builder.getI32Type();
  Value thread = readRegister<NVVM::ThreadIdXOp>(builder, loc, "%tid.x", again);
  Value index = arith::DivUIOp::create(
      builder, loc, thread, createConstant(builder, loc, kThreadsPerWarpgroup));
  return NVVM::ShflOp::create(
      builder, loc, i32, createConstant(builder, loc, -1), index,
      createConstant(builder, loc, 0), createConstant(builder, loc, 31),
      NVVM::ShflKind::idx,
      /*return_value_and_is_valid=*/nullptr);
}

struct LowerThreadId : OpRewritePattern<hopper::ThreadIdOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::ThreadIdOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, readRegister<NVVM::ThreadIdXOp>(
                               rewriter, op.getLoc(), "%tid.x", op.getAgain()));
    return success();
  }
};

struct LowerBlockId : OpRewritePattern<hopper::BlockIdOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::BlockIdOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, readRegister<NVVM::BlockIdXOp>(rewriter, op.getLoc(),
                                                          "%ctaid.x",
                                                          op.getAgain()));
    return success();
  }
};

/// Consumers are the warpgroups after the producer.
struct LowerWarpgroup : OpRewritePattern<hopper::WarpgroupOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::WarpgroupOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value index = createWarpgroupIndex(rewriter, loc, op.getAgain());
    if (op->getParentOfType<hopper::SpecializeOp>())
      index = arith::SubIOp::create(rewriter, loc, index,
                                    createConstant(rewriter, loc, 1));
    rewriter.replaceOp(op, index);
    return success();
  }
};

/// Gives a role its registers. A CTA with few warpgroups starts with more than
/// a role wants, and `increase` must not lower the count.
void setRegisters(OpBuilder &builder, hopper::SpecializeOp roles,
                  int64_t registers) {
  int64_t atLaunch =
      tile::ScheduleAttr::getLaunchRegisters(roles.getWarpgroups() + 1);
  NVVM::SetMaxRegisterOp::create(builder, roles.getLoc(), registers,
                                 registers < atLaunch
                                     ? NVVM::SetMaxRegisterAction::decrease
                                     : NVVM::SetMaxRegisterAction::increase);
}

/// Each role is one branch of one `if`. All warps of the producer warpgroup
/// give registers back, then one thread of the first goes on; all of the second
/// one drain, and all of the others transpose.
struct LowerSpecialize : OpRewritePattern<hopper::SpecializeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::SpecializeOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    // Regions are empty when they have been inlined.
    auto transposeWarps = static_cast<int32_t>(op.getTransposeWarps());
    auto equalsZero = [&](Value value) -> Value {
      return arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq,
                                   value, createConstant(rewriter, loc, 0));
    };
    Value isProducer = equalsZero(createWarpgroupIndex(rewriter, loc));
    auto roles = scf::IfOp::create(rewriter, loc, isProducer,
                                   /*withElseRegion=*/true);

    rewriter.setInsertionPointToStart(roles.thenBlock());
    setRegisters(rewriter, op, op.getProducerRegisters());
    // One elected thread of the first warp: ptxas knows that a branch on
    // elect.sync has a single thread, and keeps the role's values uniform.
    Value warp = NVVM::ShflOp::create(
        rewriter, loc, rewriter.getI32Type(), createConstant(rewriter, loc, -1),
        arith::DivUIOp::create(
            rewriter, loc,
            NVVM::ThreadIdXOp::create(rewriter, loc, rewriter.getI32Type()),
            createConstant(rewriter, loc, kThreadsPerWarp)),
        createConstant(rewriter, loc, 0), createConstant(rewriter, loc, 31),
        NVVM::ShflKind::idx, /*return_value_and_is_valid=*/nullptr);
    auto firstWarp = scf::IfOp::create(rewriter, loc, equalsZero(warp));
    rewriter.setInsertionPointToStart(firstWarp.thenBlock());
    Value isFirst =
        NVVM::ElectSyncOp::create(rewriter, loc, rewriter.getI1Type(),
                                  /*membermask=*/Value());
    auto producer = scf::IfOp::create(rewriter, loc, isFirst);
    rewriter.inlineBlockBefore(&op.getProducer().front(),
                               producer.thenBlock()->getTerminator());
    auto addRole = [&](Region &role, arith::CmpIPredicate predicate,
                       int32_t number) {
      if (role.empty())
        return;
      rewriter.setInsertionPoint(roles.thenBlock()->getTerminator());
      Value isIts =
          arith::CmpIOp::create(rewriter, loc, predicate, warp,
                                createConstant(rewriter, loc, number));
      auto ifOp = scf::IfOp::create(rewriter, loc, isIts);
      rewriter.inlineBlockBefore(&role.front(),
                                 ifOp.thenBlock()->getTerminator());
    };
    addRole(op.getDrain(), arith::CmpIPredicate::eq, kDrainWarp);
    addRole(op.getTranspose(), arith::CmpIPredicate::uge,
            kWarpsPerWarpgroup - transposeWarps);

    rewriter.setInsertionPointToStart(roles.elseBlock());
    setRegisters(rewriter, op, op.getConsumerRegisters());
    Operation *end = roles.elseBlock()->getTerminator();
    if (Value active = op.getActive()) {
      Value index = arith::SubIOp::create(rewriter, loc,
                                          createWarpgroupIndex(rewriter, loc),
                                          createConstant(rewriter, loc, 1));
      auto works = scf::IfOp::create(
          rewriter, loc,
          arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, index,
                                active));
      end = works.thenBlock()->getTerminator();
    }
    rewriter.inlineBlockBefore(&op.getConsumer().front(), end);
    rewriter.eraseOp(op);
    return success();
  }
};

/// The grid has one dimension; its index is taken apart.
struct LowerProgramId : OpRewritePattern<tile::ProgramIdOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tile::ProgramIdOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value index = arith::IndexCastUIOp::create(
        rewriter, loc, rewriter.getIndexType(),
        NVVM::BlockIdXOp::create(rewriter, loc, rewriter.getI32Type()));
    rewriter.replaceOp(op, op.getIdsOf(rewriter, loc, index));
    return success();
  }
};

/// The grid is no larger than what runs at once: its size is the value.
struct LowerResidentCtas : OpRewritePattern<tile::ResidentCtasOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tile::ResidentCtasOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<arith::IndexCastUIOp>(
        op, rewriter.getIndexType(),
        NVVM::GridDimXOp::create(rewriter, op.getLoc(), rewriter.getI32Type()));
    return success();
  }
};

struct LowerReturn : OpRewritePattern<tile::ReturnOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tile::ReturnOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::ReturnOp>(op, ValueRange());
    return success();
  }
};

} // namespace

void fa3::populateRolePatterns(RewritePatternSet &patterns) {
  patterns.add<LowerThreadId, LowerBlockId, LowerWarpgroup, LowerSpecialize,
               LowerProgramId, LowerResidentCtas, LowerReturn>(
      patterns.getContext());
}
