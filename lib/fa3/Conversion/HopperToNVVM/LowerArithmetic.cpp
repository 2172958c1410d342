//===- LowerArithmetic.cpp - Exchanges, conversions, functions ------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

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
    SmallVector<std::string> values;
    for (Value value : op.getValues())
      values.push_back(ptx.input(value));
    ptx.pure();
    if (op.getElement().getIntOrFloatBitWidth() == 8) {
      StringRef type =
          isa<Float8E4M3FNType>(op.getElement()) ? "e4m3x2" : "e5m2x2";
      auto convert = [&](StringRef half, size_t first) {
        return ("cvt.rn.satfinite." + type + ".f32 " + half + ", " +
                values[first + 1] + ", " + values[first] + ";\n")
            .str();
      };
      rewriter.replaceOp(op, ptx.emit("{\n.reg .b16 low, high;\n" +
                                      convert("low", 0) + convert("high", 2) +
                                      "mov.b32 $0, {low, high};\n}"));
      return success();
    }
    StringRef type = op.getElement().isBF16() ? "bf16x2" : "f16x2";
    rewriter.replaceOp(op, ptx.emit("cvt.rn." + type + ".f32 $0, " + values[1] +
                                    ", " + values[0] + ";"));
    return success();
  }
};

/// By way of f16, which has all 8-bit floats.
struct LowerUnpack : OpRewritePattern<hopper::UnpackOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::UnpackOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getResultTypes());
    std::string value = ptx.input(op.getValue());
    StringRef type =
        isa<Float8E4M3FNType>(op.getElement()) ? "e4m3x2" : "e5m2x2";
    std::string text;
    llvm::raw_string_ostream(text)
        << "{\n.reg .b16 low, high, f<4>;\n.reg .b32 pair;\n"
        << "mov.b32 {low, high}, " << value << ";\n"
        << "cvt.rn.f16x2." << type << " pair, low;\n"
        << "mov.b32 {f0, f1}, pair;\n"
        << "cvt.rn.f16x2." << type << " pair, high;\n"
        << "mov.b32 {f2, f3}, pair;\n"
        << "cvt.f32.f16 $0, f0;\ncvt.f32.f16 $1, f1;\n"
        << "cvt.f32.f16 $2, f2;\ncvt.f32.f16 $3, f3;\n}";
    rewriter.replaceOp(op, ptx.pure().emit(text));
    return success();
  }
};

struct LowerPermuteBytes : OpRewritePattern<hopper::PermuteBytesOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::PermuteBytesOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getType());
    std::string a = ptx.input(op.getA()), b = ptx.input(op.getB());
    rewriter.replaceOp(op,
                       ptx.pure().emit("prmt.b32 $0, " + a + ", " + b + ", " +
                                       Twine(op.getSelector()) + ";"));
    return success();
  }
};

/// A sum of what a thread knows of itself, other terms and a constant.
class CoordinateSum {
public:
  CoordinateSum(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc) {}

  void add(Value value, bool negated) {
    APInt number;
    if (matchPattern(value, m_ConstantInt(&number))) {
      constant += negated ? -number.getSExtValue() : number.getSExtValue();
      return;
    }
    auto sum = value.getDefiningOp<arith::AddIOp>();
    auto difference = value.getDefiningOp<arith::SubIOp>();
    if (!sum && !difference) {
      (isOfThread(value) ? ofThread : others).push_back({value, negated});
      return;
    }
    Operation *op = value.getDefiningOp();
    add(op->getOperand(0), negated);
    add(op->getOperand(1), difference ? !negated : negated);
  }

  /// Whether there is nothing of the thread.
  bool isEmpty() const { return ofThread.empty(); }
  /// Whether there is nothing else, but for the constant.
  bool isCoordinate() const { return others.empty(); }
  int64_t takeConstant() { return std::exchange(constant, 0); }

  /// The sum of both. Terms of the thread come first, because their sum stays
  /// the same in loops, and the constants last.
  static Value build(const CoordinateSum &a, const CoordinateSum &b) {
    OpBuilder &builder = a.builder;
    Value result;
    for (auto [value, negated] :
         llvm::concat<const Term>(a.ofThread, b.ofThread, a.others, b.others)) {
      if (!result)
        result = createI32(builder, a.loc, 0);
      if (negated)
        result = arith::SubIOp::create(builder, a.loc, result, value);
      else
        result = arith::AddIOp::create(builder, a.loc, result, value);
    }
    int64_t constant = a.constant + b.constant;
    if (constant == 0)
      return result;
    return arith::AddIOp::create(
        builder, a.loc, result,
        createI32(builder, a.loc, static_cast<int32_t>(constant)));
  }

private:
  /// Whether the value is computed from the thread's index and constants only.
  static bool isOfThread(Value value) {
    Operation *def = value.getDefiningOp();
    if (!def || matchPattern(value, m_Constant()))
      return false;
    // Conversion may have reached the index.
    if (isa<hopper::ThreadIdOp, NVVM::ThreadIdXOp>(def))
      return true;
    return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::AndIOp,
               arith::ShRUIOp>(def) &&
           llvm::all_of(def->getOperands(), [](Value operand) {
             return matchPattern(operand, m_Constant()) || isOfThread(operand);
           });
  }

  OpBuilder &builder;
  Location loc;
  /// A value, and whether it is negated.
  using Term = std::pair<Value, bool>;
  SmallVector<Term> ofThread, others;
  int64_t constant = 0;
};

/// Compares a tile's coordinate, a thread's own part plus a constant, by its
/// constant: x + c < y becomes c < y - x. All coordinates of a row then share
/// one difference and are immediates; as they stand, LLVM would keep each of
/// them in a register across the loop. Of two coordinates only the difference
/// of the thread's parts is kept. Coordinates and what they are compared with
/// are positions in a tensor, far from overflow.
struct CompareByConstant : OpRewritePattern<arith::CmpIOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::CmpIOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getLhs().getType().isInteger(32) || isUnsigned(op.getPredicate()) ||
        matchPattern(op.getLhs(), m_Constant()) ||
        matchPattern(op.getRhs(), m_Constant()))
      return failure();
    if (succeeded(compareCoordinates(op, rewriter)))
      return success();
    auto coordinate = getCoordinate(op.getLhs());
    bool onLeft = static_cast<bool>(coordinate);
    if (!onLeft)
      coordinate = getCoordinate(op.getRhs());
    if (!coordinate)
      return failure();
    Value difference = arith::SubIOp::create(rewriter, op.getLoc(),
                                             onLeft ? op.getRhs() : op.getLhs(),
                                             coordinate.getLhs());
    Value constant = coordinate.getRhs();
    rewriter.replaceOpWithNewOp<arith::CmpIOp>(op, op.getPredicate(),
                                               onLeft ? constant : difference,
                                               onLeft ? difference : constant);
    return success();
  }

private:
  /// Compares a coordinate along one dimension with one along the other: the
  /// constant of the one stays an immediate, the other's few are added.
  static LogicalResult compareCoordinates(arith::CmpIOp op,
                                          PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    CoordinateSum left(rewriter, loc), right(rewriter, loc);
    left.add(op.getLhs(), /*negated=*/false);
    right.add(op.getRhs(), /*negated=*/true);
    bool isRight = right.isCoordinate();
    if (left.isEmpty() || right.isEmpty() || (!isRight && !left.isCoordinate()))
      return failure();
    int64_t immediate = isRight ? -right.takeConstant() : -left.takeConstant();
    rewriter.replaceOpWithNewOp<arith::CmpIOp>(
        op, op.getPredicate(), CoordinateSum::build(left, right),
        createI32(rewriter, loc, static_cast<int32_t>(immediate)));
    return success();
  }

  static bool isUnsigned(arith::CmpIPredicate predicate) {
    return predicate >= arith::CmpIPredicate::ult;
  }

  /// A sum that cannot overflow of a value and a constant.
  static arith::AddIOp getCoordinate(Value value) {
    auto add = value.getDefiningOp<arith::AddIOp>();
    if (!add || !matchPattern(add.getRhs(), m_Constant()) ||
        !bitEnumContainsAll(add.getOverflowFlags(),
                            arith::IntegerOverflowFlags::nsw))
      return nullptr;
    return add;
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
  patterns.add<LowerShuffleXor, LowerUniform, LowerVoteAny, LowerPack,
               LowerUnpack, LowerPermuteBytes, CompareByConstant>(context);
  patterns.add<LowerToIntrinsic<math::Exp2Op>>(context,
                                               "llvm.nvvm.ex2.approx.ftz.f32");
  patterns.add<LowerToIntrinsic<math::Log2Op>>(context,
                                               "llvm.nvvm.lg2.approx.ftz.f");
}
