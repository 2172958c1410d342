//===- LowerShared.cpp - Threads' accesses to shared memory ---------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"
#include "fa3/Conversion/HopperToNVVM/SplitAddress.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fa3;

namespace {

/// "[$0+16]"
std::string printAddress(OpBuilder &builder, InlineAsm &ptx, Value address) {
  SplitAddress split = splitAddress(builder, address.getLoc(), address);
  std::string text = "[" + ptx.input(split.variable);
  if (split.constant != 0)
    text += (split.constant > 0 ? "+" : "") + std::to_string(split.constant);
  return text + "]";
}

struct LowerSharedLoad : OpRewritePattern<hopper::SharedLoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::SharedLoadOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getResultTypes());
    std::string address = printAddress(rewriter, ptx, op.getAddress());
    rewriter.replaceOp(
        op, ptx.clobbersMemory().emit(
                "ld.shared" + InlineAsm::vectorSuffix(op.getResults().size()) +
                ".f32 " + ptx.vectorResult() + ", " + address + ";"));
    return success();
  }
};

struct LowerSharedStore : OpRewritePattern<hopper::SharedStoreOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::SharedStoreOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string address = printAddress(rewriter, ptx, op.getAddress());
    ValueRange values = op.getValues();
    ptx.clobbersMemory().emit("st.shared" +
                              InlineAsm::vectorSuffix(values.size()) + ".f32 " +
                              address + ", " + ptx.vectorInput(values) + ";");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerStoreMatrix : OpRewritePattern<hopper::StoreMatrixOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::StoreMatrixOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string address = printAddress(rewriter, ptx, op.getAddress());
    std::string values = ptx.inputList(op.getValues());
    ptx.clobbersMemory().emit("stmatrix.sync.aligned.m8n8.x" +
                              Twine(op.getValues().size()) +
                              (op.getStraight() ? "" : ".trans") +
                              ".shared.b16 " + address + ", " + values + ";");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerLoadMatrix : OpRewritePattern<hopper::LoadMatrixOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::LoadMatrixOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getResultTypes());
    std::string address = printAddress(rewriter, ptx, op.getAddress());
    rewriter.replaceOp(
        op, ptx.clobbersMemory().emit("ldmatrix.sync.aligned.m8n8.x" +
                                      Twine(op.getNumResults()) +
                                      ".trans.shared.b16 " + ptx.resultList() +
                                      ", " + address + ";"));
    return success();
  }
};

struct LowerTransposeMatrix : OpRewritePattern<hopper::TransposeMatrixOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::TransposeMatrixOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getType());
    std::string value = ptx.input(op.getValue());
    rewriter.replaceOp(
        op,
        ptx.emit("movmatrix.sync.aligned.m8n8.trans.b16 $0, " + value + ";"));
    return success();
  }
};

struct LowerBulkWait : OpRewritePattern<hopper::BulkWaitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::BulkWaitOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm(rewriter, op.getLoc())
        .clobbersMemory()
        .emit("cp.async.bulk.wait_group" +
              Twine(op.getWritten() ? " " : ".read ") + Twine(op.getYounger()) +
              ";");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerWarpSync : OpRewritePattern<hopper::WarpSyncOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::WarpSyncOp op,
                                PatternRewriter &rewriter) const override {
    Value all = LLVM::ConstantOp::create(rewriter, op.getLoc(),
                                         rewriter.getI32IntegerAttr(-1));
    rewriter.replaceOpWithNewOp<NVVM::SyncWarpOp>(op, all);
    return success();
  }
};

} // namespace

void fa3::populateSharedPatterns(RewritePatternSet &patterns) {
  patterns
      .add<LowerSharedLoad, LowerSharedStore, LowerStoreMatrix, LowerLoadMatrix,
           LowerTransposeMatrix, LowerBulkWait, LowerWarpSync>(
          patterns.getContext());
}
