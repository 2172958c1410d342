//===- LowerArithmetic.cpp - Exchanges, conversions, functions ------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fa3;

namespace {

Value createI32(OpBuilder &builder, Location loc, int32_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI32Type(), value);
}

/// shfl.sync among all lanes of the warp.
Value createShuffle(OpBuilder &builder, Location loc, NVVM::ShflKind kind,
                    Value value, int32_t lane) {
  return NVVM::ShflOp::create(
      builder, loc, value.getType(), createI32(builder, loc, -1), value,
      createI32(builder, loc, lane), createI32(builder, loc, 31), kind,
      /*return_value_and_is_valid=*/nullptr);
}

struct LowerShuffleXor : OpRewritePattern<hopper::ShuffleXorOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::ShuffleXorOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, createShuffle(rewriter, op.getLoc(),
                                         NVVM::ShflKind::bfly, op.getValue(),
                                         op.getMask()));
    return success();
  }
};

/// The intrinsic is convergent: LLVM will not sink it into a branch that only
/// some lanes take.
struct LowerUniform : OpRewritePattern<hopper::UniformOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::UniformOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op,
                       createShuffle(rewriter, op.getLoc(), NVVM::ShflKind::idx,
                                     op.getValue(), 0));
    return success();
  }
};

struct LowerVoteAny : OpRewritePattern<hopper::VoteAnyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::VoteAnyOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::VoteSyncOp>(
        op, rewriter.getI1Type(), createI32(rewriter, op.getLoc(), -1),
        op.getCondition(), NVVM::VoteSyncKind::any);
    return success();
  }
};

/// cvt puts its first source into the upper half.
struct LowerPack : OpRewritePattern<hopper::PackOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::PackOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getResult().getType());
    std::string low = ptx.input(op.getLow());
    std::string high = ptx.input(op.getHigh());
    StringRef type = op.getElement().isBF16() ? "bf16x2" : "f16x2";
    rewriter.replaceOp(op, ptx.pure().emit("cvt.rn." + type + ".f32 $0, " +
                                           high + ", " + low + ";"));
    return success();
  }
};

/// A function of f32 to the machine's approximation of it.
template <typename Op> struct LowerToIntrinsic : OpRewritePattern<Op> {
  LowerToIntrinsic(MLIRContext *context, StringRef intrinsic)
      : OpRewritePattern<Op>(context), intrinsic(intrinsic) {}
  StringRef intrinsic;

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return op.emitError("only f32 is supported, not ") << op.getType();
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), rewriter.getStringAttr(intrinsic), op.getOperand());
    return success();
  }
};

} // namespace

void fa3::populateArithmeticPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerShuffleXor, LowerUniform, LowerVoteAny, LowerPack>(context);
  patterns.add<LowerToIntrinsic<math::Exp2Op>>(context,
                                               "llvm.nvvm.ex2.approx.ftz.f32");
  patterns.add<LowerToIntrinsic<math::Log2Op>>(context,
                                               "llvm.nvvm.lg2.approx.ftz.f");
}
