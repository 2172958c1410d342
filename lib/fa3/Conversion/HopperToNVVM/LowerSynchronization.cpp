//===- LowerSynchronization.cpp - Barriers, fences, register counts -------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fa3;

namespace {

struct LowerMbarrierInit : OpRewritePattern<hopper::MbarrierInitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::MbarrierInitOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string barrier = ptx.input(op.getBarrier());
    ptx.clobbersMemory().emit("mbarrier.init.shared::cta.b64 [" + barrier +
                              "], " + Twine(op.getCount()) + ";");
    rewriter.eraseOp(op);
    return success();
  }
};

/// try_wait may return before the phase completes, hence the loop. The braces
/// keep its labels and its predicate local; ${:uid} tells the copies apart that
/// LLVM may make of it.
struct LowerMbarrierWait : OpRewritePattern<hopper::MbarrierWaitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::MbarrierWaitOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string barrier = ptx.input(op.getBarrier());
    std::string parity = ptx.input(op.getParity());
    ptx.clobbersMemory().emit(
        "{\n"
        ".reg .pred done;\n"
        "WAIT_${:uid}:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [" +
        barrier + "], " + parity +
        ";\n"
        "@done bra.uni DONE_${:uid};\n"
        "bra.uni WAIT_${:uid};\n"
        "DONE_${:uid}:\n"
        "}");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerMbarrierArrive : OpRewritePattern<hopper::MbarrierArriveOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::MbarrierArriveOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string barrier = ptx.input(op.getBarrier());
    ptx.clobbersMemory().emit("mbarrier.arrive.shared::cta.b64 _, [" + barrier +
                                  "];",
                              op.getPredicate());
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerMbarrierExpect : OpRewritePattern<hopper::MbarrierExpectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::MbarrierExpectOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string barrier = ptx.input(op.getBarrier());
    ptx.clobbersMemory().emit("mbarrier.arrive.expect_tx.shared::cta.b64 _, [" +
                                  barrier + "], " + Twine(op.getBytes()) + ";",
                              op.getPredicate());
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerFenceMbarrierInit : OpRewritePattern<hopper::FenceMbarrierInitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::FenceMbarrierInitOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::FenceMbarrierInitOp>(op);
    return success();
  }
};

struct LowerFenceProxyAsync : OpRewritePattern<hopper::FenceProxyAsyncOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::FenceProxyAsyncOp op,
                                PatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    rewriter.replaceOpWithNewOp<NVVM::FenceProxyOp>(
        op, NVVM::ProxyKindAttr::get(context, NVVM::ProxyKind::async_shared),
        NVVM::SharedSpaceAttr::get(context, NVVM::SharedSpace::shared_cta));
    return success();
  }
};

struct LowerCtaSync : OpRewritePattern<hopper::CtaSyncOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::CtaSyncOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::Barrier0Op>(op);
    return success();
  }
};

struct LowerNamedSync : OpRewritePattern<hopper::NamedSyncOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::NamedSyncOp op,
                                PatternRewriter &rewriter) const override {
    Value threads = LLVM::ConstantOp::create(
        rewriter, op.getLoc(), rewriter.getI32IntegerAttr(op.getThreads()));
    NVVM::BarrierOp::create(rewriter, op.getLoc(), TypeRange{}, op.getBarrier(),
                            threads, /*reductionOp=*/{},
                            /*reductionPredicate=*/Value{});
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerNamedArrive : OpRewritePattern<hopper::NamedArriveOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::NamedArriveOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string barrier = ptx.input(op.getBarrier());
    ptx.clobbersMemory().emit("bar.arrive " + barrier + ", " +
                              Twine(op.getThreads()) + ";");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerSetRegisters : OpRewritePattern<hopper::SetRegistersOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::SetRegistersOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::SetMaxRegisterOp>(
        op, op.getCount(),
        op.getIncrease() ? NVVM::SetMaxRegisterAction::increase
                         : NVVM::SetMaxRegisterAction::decrease);
    return success();
  }
};

} // namespace

void fa3::populateSynchronizationPatterns(RewritePatternSet &patterns) {
  patterns
      .add<LowerMbarrierInit, LowerMbarrierWait, LowerMbarrierArrive,
           LowerMbarrierExpect, LowerFenceMbarrierInit, LowerFenceProxyAsync,
           LowerCtaSync, LowerNamedSync, LowerNamedArrive, LowerSetRegisters>(
          patterns.getContext());
}
