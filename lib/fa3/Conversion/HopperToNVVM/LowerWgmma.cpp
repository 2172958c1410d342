//===- LowerWgmma.cpp - Asynchronous matrix products ----------------------===//
//
// One wgmma is one inline asm statement. Its accumulators are scalar f32 values
// tied to the results: they never leave their registers, and ptxas sees plain
// instructions that it need not serialize.
//
//===----------------------------------------------------------------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"
#include "fa3/Conversion/HopperToNVVM/SplitAddress.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

namespace {

struct LowerDescriptor : OpRewritePattern<hopper::DescriptorOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::DescriptorOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type i32 = rewriter.getI32Type(), i64 = rewriter.getI64Type();
    auto constant = [&](Type type, int64_t value) {
      return LLVM::ConstantOp::create(rewriter, loc, type, value);
    };
    // All byte counts are in units of 16: the address in bits 0-13, the leading
    // offset in 16-29, the stride offset in 32-45; bits 62-63 are the swizzle,
    // 1 for 128 bytes.
    // The address's constant part is added to the other constants.
    SplitAddress split = splitAddress(rewriter, loc, op.getAddress());
    Value address = LLVM::AndOp::create(rewriter, loc, split.variable,
                                        constant(i32, (1 << 18) - 1));
    address = LLVM::LShrOp::create(rewriter, loc, address, constant(i32, 4));
    address = LLVM::ZExtOp::create(rewriter, loc, i64, address);
    int64_t rest = (int64_t(1) << 62) |
                   ((static_cast<int64_t>(op.getStride()) >> 4) << 32) |
                   ((static_cast<int64_t>(op.getLeading()) >> 4) << 16);
    rewriter.replaceOpWithNewOp<LLVM::AddOp>(
        op, address, constant(i64, rest + split.constant / 16));
    return success();
  }
};

struct LowerDescriptorAdvance : OpRewritePattern<hopper::DescriptorAdvanceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::DescriptorAdvanceOp op,
                                PatternRewriter &rewriter) const override {
    Value units =
        LLVM::ConstantOp::create(rewriter, op.getLoc(), rewriter.getI64Type(),
                                 static_cast<int64_t>(op.getBytes()) >> 4);
    rewriter.replaceOpWithNewOp<LLVM::AddOp>(op, op.getDescriptor(), units);
    return success();
  }
};

/// Takes a descriptor apart: the low word of its address, and a constant. The
/// statement that uses it puts them together, so that LLVM keeps one register
/// for what the descriptors of a loop have in common, and not two for each.
class DescriptorText {
public:
  /// `name` is that of the descriptor's register in the statement.
  DescriptorText(InlineAsm &ptx, Value descriptor, StringRef name)
      : name(name) {
    int64_t constant = 0;
    APInt term;
    Value rest = descriptor;
    while (auto add = rest.getDefiningOp<LLVM::AddOp>()) {
      if (!matchPattern(add.getRhs(), m_ConstantInt(&term)))
        break;
      constant += term.getSExtValue();
      rest = add.getLhs();
    }
    auto extended = rest.getDefiningOp<LLVM::ZExtOp>();
    if (!extended || !extended.getArg().getType().isInteger(32)) {
      declaration = (".reg .b64 " + name + ";\nmov.b64 " + name + ", " +
                     ptx.input(descriptor) + ";\n")
                        .str();
      return;
    }
    // The address is far below 2^32, so that nothing is carried.
    llvm::raw_string_ostream(declaration)
        << ".reg .b64 " << name << ";\n.reg .b32 " << name << "_low;\n"
        << "add.s32 " << name << "_low, " << ptx.input(extended.getArg())
        << ", " << static_cast<int32_t>(constant) << ";\nmov.b64 " << name
        << ", {" << name << "_low, " << static_cast<int32_t>(constant >> 32)
        << "};\n";
  }

  std::string declaration;
  StringRef name;
};

/// PTX's name of an operand type of wgmma.
StringRef getPtxType(Type element) {
  return llvm::TypeSwitch<Type, StringRef>(element)
      .Case<BFloat16Type>([](auto) { return "bf16"; })
      .Case<Float16Type>([](auto) { return "f16"; })
      .Case<Float8E4M3FNType>([](auto) { return "e4m3"; })
      .Case<Float8E5M2Type>([](auto) { return "e5m2"; });
}

struct LowerMmaAsync : OpRewritePattern<hopper::MmaAsyncOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::MmaAsyncOp op,
                                PatternRewriter &rewriter) const override {
    Type element = op.getElement();
    StringRef typeA = getPtxType(element);
    StringRef typeB = getPtxType(op.getElementB().value_or(element));
    unsigned bits = element.getIntOrFloatBitWidth();
    bool registerA = op.getA().size() != 1;

    InlineAsm ptx(rewriter, op.getLoc());
    ptx.results(op.getResults().getTypes());
    std::string d = ptx.resultList();
    std::string text = "{\n";
    llvm::raw_string_ostream os(text);
    std::string a;
    if (registerA) {
      a = ptx.inputList(op.getA());
    } else {
      DescriptorText descriptor(ptx, op.getA().front(), "a");
      os << descriptor.declaration;
      a = descriptor.name;
    }
    DescriptorText b(ptx, op.getB(), "b");
    os << b.declaration;
    ptx.tied(op.getAcc());

    // Without an accumulator the product overwrites its registers: scale-d, a
    // predicate, is false.
    bool overwrites = op.getAcc().empty();
    if (overwrites)
      os << ".reg .pred accumulate;\nsetp.ne.b32 accumulate, 0, 0;\n";
    os << "wgmma.mma_async.sync.aligned.m64n" << 2 * op.getResults().size()
       << "k" << 256 / bits << ".f32." << typeA << "." << typeB << " " << d
       << ", " << a << ", " << b.name << ", "
       << (overwrites ? "accumulate" : "1") << ", 1, 1";
    // Only 16-bit operands in shared memory can be transposed.
    if (bits == 16 && !registerA)
      os << ", " << op.getTransposeA();
    if (bits == 16)
      os << ", " << op.getTransposeB();
    os << ";\n}";
    rewriter.replaceOp(op, ptx.emit(text));
    return success();
  }
};

struct LowerWgmmaFence : OpRewritePattern<hopper::WgmmaFenceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::WgmmaFenceOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm(rewriter, op.getLoc())
        .clobbersMemory()
        .emit("wgmma.fence.sync.aligned;");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerWgmmaCommit : OpRewritePattern<hopper::WgmmaCommitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::WgmmaCommitOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm(rewriter, op.getLoc())
        .clobbersMemory()
        .emit("wgmma.commit_group.sync.aligned;");
    rewriter.eraseOp(op);
    return success();
  }
};

/// The values pass through the statement, so that LLVM cannot move a use of an
/// accumulator above the wait.
struct LowerWgmmaWait : OpRewritePattern<hopper::WgmmaWaitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::WgmmaWaitOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> values = InlineAsm(rewriter, op.getLoc())
                                    .results(op.getValues().getTypes())
                                    .tied(op.getValues())
                                    .clobbersMemory()
                                    .emit("wgmma.wait_group.sync.aligned " +
                                          Twine(op.getYounger()) + ";");
    rewriter.replaceOp(op, values);
    return success();
  }
};

/// A grid has at least one CTA in each dimension, which ptxas does not know.
struct LowerHold : OpRewritePattern<hopper::HoldOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::HoldOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string text = "{\n.reg .pred never;\n.reg .b32 depth;\n"
                       "mov.u32 depth, %nctaid.z;\n"
                       "setp.eq.u32 never, depth, 0;\n";
    for (Value value : op.getValues())
      text +=
          "@never st.volatile.shared.f32 [depth], " + ptx.input(value) + ";\n";
    ptx.emit(text + "}");
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void fa3::populateWgmmaPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerDescriptor, LowerDescriptorAdvance, LowerMmaAsync,
               LowerWgmmaFence, LowerWgmmaCommit, LowerWgmmaWait, LowerHold>(
      patterns.getContext());
}
