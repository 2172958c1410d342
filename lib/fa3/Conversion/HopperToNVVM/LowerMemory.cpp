//===- LowerMemory.cpp - TMA copies and global memory ---------------------===//

#include "fa3/Conversion/HopperToNVVM/GlobalAccess.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

/// Name of the symbol of the CTA's dynamic shared memory.
static constexpr StringLiteral kSharedMemory = "fa3_shared_memory";

namespace {

/// The global symbol whose address is that of dynamic shared memory.
LLVM::GlobalOp getSharedMemory(PatternRewriter &rewriter, Operation *user) {
  Operation *module = SymbolTable::getNearestSymbolTable(user);
  if (Operation *symbol = SymbolTable::lookupSymbolIn(module, kSharedMemory))
    return cast<LLVM::GlobalOp>(symbol);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&module->getRegion(0).front());
  // TMA and wgmma with the 128-byte swizzle need buffers aligned to 1024 bytes.
  return LLVM::GlobalOp::create(
      rewriter, module->getLoc(),
      LLVM::LLVMArrayType::get(rewriter.getI8Type(), 0), /*isConstant=*/false,
      LLVM::Linkage::External, kSharedMemory, /*value=*/Attribute(),
      /*alignment=*/1024, /*addrSpace=*/3);
}

struct LowerSharedAddress : OpRewritePattern<hopper::SharedAddressOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(hopper::SharedAddressOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value pointer =
        LLVM::AddressOfOp::create(rewriter, loc, getSharedMemory(rewriter, op));
    Type i32 = rewriter.getI32Type();
    Value base = LLVM::PtrToIntOp::create(rewriter, loc, i32, pointer);
    Value offset = LLVM::ConstantOp::create(rewriter, loc, i32, op.getOffset());
    rewriter.replaceOpWithNewOp<LLVM::AddOp>(op, base, offset);
    return success();
  }
};

/// A pattern for a copy between shared memory and a box of a tensor.
template <typename Op> struct TensorCopyPattern : ArgumentPattern<Op> {
  using ArgumentPattern<Op>::ArgumentPattern;

  /// "[map, {coordinates}]", which PTX wants innermost first.
  FailureOr<std::string> printBox(InlineAsm &ptx, Op op) const {
    Value map = this->arguments.tensorMaps.lookup(op.getMap());
    if (!map)
      return op.emitError("the tensor map must be an argument of the kernel");
    std::string source = ptx.input(map);
    SmallVector<Value> innermostFirst =
        llvm::to_vector(llvm::reverse(SmallVector<Value>(op.getCoordinates())));
    return "[" + source + ", " + ptx.inputList(innermostFirst) + "]";
  }

  static std::string mnemonic(Op op) {
    return "cp.async.bulk.tensor." +
           std::to_string(op.getCoordinates().size()) + "d.";
  }
};

struct LowerTmaLoad : TensorCopyPattern<hopper::TmaLoadOp> {
  using TensorCopyPattern::TensorCopyPattern;
  LogicalResult matchAndRewrite(hopper::TmaLoadOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    std::string address = ptx.input(op.getAddress());
    std::string barrier = ptx.input(op.getBarrier());
    FailureOr<std::string> box = printBox(ptx, op);
    if (failed(box))
      return failure();
    ptx.clobbersMemory().emit(
        mnemonic(op) + "shared::cluster.global.mbarrier::complete_tx::bytes [" +
            address + "], " + *box + ", [" + barrier + "];",
        op.getPredicate());
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerTmaStore : TensorCopyPattern<hopper::TmaStoreOp> {
  using TensorCopyPattern::TensorCopyPattern;
  LogicalResult matchAndRewrite(hopper::TmaStoreOp op,
                                PatternRewriter &rewriter) const override {
    InlineAsm ptx(rewriter, op.getLoc());
    FailureOr<std::string> box = printBox(ptx, op);
    if (failed(box))
      return failure();
    std::string address = ptx.input(op.getAddress());
    std::string predicate = ptx.input(op.getPredicate());
    ptx.clobbersMemory().emit("@" + predicate + " " + mnemonic(op) +
                              "global.shared::cta.bulk_group " + *box + ", [" +
                              address + "];\n@" + predicate +
                              " cp.async.bulk.commit_group;");
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerDim : ArgumentPattern<memref::DimOp> {
  using ArgumentPattern::ArgumentPattern;
  LogicalResult matchAndRewrite(memref::DimOp op,
                                PatternRewriter &rewriter) const override {
    const MemRefParameters *memref = getMemRef(op.getSource());
    std::optional<int64_t> index = op.getConstantIndex();
    auto type = dyn_cast<MemRefType>(op.getSource().getType());
    if (!memref || !index || !type || *index < 0 || *index >= type.getRank())
      return op.emitError("only constant dimensions of the kernel's arguments "
                          "have a size");
    if (Value size = memref->sizes[*index])
      rewriter.replaceOpWithNewOp<arith::IndexCastOp>(
          op, rewriter.getIndexType(), size);
    else
      rewriter.replaceOpWithNewOp<arith::ConstantIndexOp>(
          op, type.getDimSize(*index));
    return success();
  }
};

struct LowerGlobalStore : GlobalAccessPattern<hopper::GlobalStoreOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::GlobalStoreOp op, const GlobalAddress &address,
             InlineAsm &ptx, PatternRewriter &rewriter) const override {
    std::string target = address.print(ptx);
    ptx.clobbersMemory().emit(
        "st.global" + InlineAsm::vectorSuffix(op.getValues().size()) + ".b32 " +
            target + ", " + ptx.vectorInput(op.getValues()) + ";",
        op.getPredicate());
    rewriter.eraseOp(op);
  }
};

struct LowerGlobalLoad : GlobalAccessPattern<hopper::GlobalLoadOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::GlobalLoadOp op, const GlobalAddress &address,
             InlineAsm &ptx, PatternRewriter &rewriter) const override {
    ptx.results(op.getResultTypes());
    std::string source = address.print(ptx);
    size_t count = op.getResults().size();
    std::string load = "ld.global" + InlineAsm::vectorSuffix(count) + ".b32 " +
                       ptx.vectorResult() + ", " + source + ";";
    if (!matchPattern(op.getPredicate(), m_One())) {
      std::string zero;
      for (size_t i = 0; i < count; ++i)
        zero += "mov.b32 $" + std::to_string(i) + ", 0;\n";
      load = zero + "@" + ptx.input(op.getPredicate()) + " " + load;
    }
    rewriter.replaceOp(op, ptx.clobbersMemory().emit(load));
  }
};

struct LowerGlobalReduce : GlobalAccessPattern<hopper::GlobalReduceOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::GlobalReduceOp op, const GlobalAddress &address,
             InlineAsm &ptx, PatternRewriter &rewriter) const override {
    std::string target = address.print(ptx);
    ptx.clobbersMemory().emit("red.relaxed.gpu.global.add" +
                              InlineAsm::vectorSuffix(op.getValues().size()) +
                              ".f32 " + target + ", " +
                              ptx.vectorInput(op.getValues()) + ";");
    rewriter.eraseOp(op);
  }
};

struct LowerGlobalMax : GlobalAccessPattern<hopper::GlobalMaxOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::GlobalMaxOp op, const GlobalAddress &address,
             InlineAsm &ptx, PatternRewriter &rewriter) const override {
    std::string target = address.print(ptx), value = ptx.input(op.getValue());
    std::string predicate = ptx.input(op.getPredicate());
    ptx.clobbersMemory().emit(
        "{\n.reg .b32 bits;\nmov.b32 bits, " + value + ";\n@" + predicate +
        " red.relaxed.gpu.global.max.u32 " + target + ", bits;\n}");
    rewriter.eraseOp(op);
  }
};

/// A bulk copy from shared to global memory.
template <typename Op> struct BulkCopyPattern : GlobalAccessPattern<Op> {
  using GlobalAccessPattern<Op>::GlobalAccessPattern;
  void lower(Op op, const GlobalAddress &address, InlineAsm &ptx,
             PatternRewriter &rewriter) const override {
    bool adds = isa<hopper::BulkReduceOp>(op.getOperation());
    std::string target = address.print(ptx);
    std::string source = ptx.input(op.getAddress());
    std::string predicate = ptx.input(op.getPredicate());
    ptx.clobbersMemory().emit(
        "@" + predicate +
        (adds ? " cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 "
              : " cp.async.bulk.global.shared::cta.bulk_group ") +
        target + ", [" + source + "], " + Twine(op.getBytes()) + ";\n@" +
        predicate + " cp.async.bulk.commit_group;");
    rewriter.eraseOp(op);
  }
};

using LowerBulkReduce = BulkCopyPattern<hopper::BulkReduceOp>;
using LowerBulkStore = BulkCopyPattern<hopper::BulkStoreOp>;

} // namespace

void fa3::populateMemoryPatterns(RewritePatternSet &patterns,
                                 const LoweredArguments &arguments) {
  patterns.add<LowerSharedAddress>(patterns.getContext());
  patterns.add<LowerTmaLoad, LowerTmaStore, LowerDim, LowerGlobalStore,
               LowerGlobalLoad, LowerGlobalReduce, LowerGlobalMax,
               LowerBulkReduce, LowerBulkStore>(patterns.getContext(),
                                                arguments);
}
