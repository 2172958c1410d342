//===- LowerMemory.cpp - TMA copies and global memory ---------------------===//

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

/// Name of the symbol of the CTA's dynamic shared memory.
static constexpr StringLiteral kSharedMemory = "fa3_shared_memory";

namespace {

/// A pattern that needs to know what the kernel's arguments have become.
template <typename Op> struct ArgumentPattern : OpRewritePattern<Op> {
  ArgumentPattern(MLIRContext *context, const LoweredArguments &arguments)
      : OpRewritePattern<Op>(context), arguments(arguments) {}
  const LoweredArguments &arguments;

  const MemRefParameters *getMemRef(Value value) const {
    auto it = arguments.memrefs.find(value);
    return it == arguments.memrefs.end() ? nullptr : &it->second;
  }
};

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

/// An index of the last dimension as `variable` (may be null) + `constant`.
struct SplitIndex {
  Value variable;
  int64_t constant = 0;
};

SplitIndex splitConstant(Value index) {
  SplitIndex split{index};
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return {Value(), constant.getSExtValue()};
  while (auto add = split.variable.getDefiningOp<arith::AddIOp>()) {
    if (!matchPattern(add.getRhs(), m_ConstantInt(&constant)))
      break;
    split.constant += constant.getSExtValue();
    split.variable = add.getLhs();
  }
  return split;
}

/// The address of an element, as a register and a constant byte offset that an
/// instruction can take as its immediate. Neighbouring columns of a row share
/// the register that way.
struct GlobalAddress {
  Value pointer;
  int64_t offset = 0;

  /// "[$0]" or "[$0+16]".
  std::string print(InlineAsm &ptx) const {
    std::string text = "[" + ptx.input(pointer);
    if (offset != 0)
      text += (offset > 0 ? "+" : "") + std::to_string(offset);
    return text + "]";
  }
};

GlobalAddress getGlobalAddress(OpBuilder &builder, Location loc,
                               const MemRefParameters &memref, MemRefType type,
                               ValueRange indices) {
  Type i64 = builder.getI64Type();
  auto extend = [&](Value index) -> Value {
    return LLVM::SExtOp::create(builder, loc, i64, index);
  };
  GlobalAddress address{memref.pointer};
  if (indices.empty())
    return address;
  Type element = type.getElementType();
  // The width is what counts; i8 stands for the 8-bit floats.
  Type unit = builder.getIntegerType(element.getIntOrFloatBitWidth());
  Value elements;
  auto add = [&](Value term) {
    elements = elements
                   ? LLVM::AddOp::create(builder, loc, elements, term).getRes()
                   : term;
  };
  for (auto [index, stride] : llvm::zip(indices.drop_back(), memref.strides))
    add(LLVM::MulOp::create(builder, loc, extend(index), stride));
  SplitIndex last = splitConstant(indices.back());
  if (last.variable)
    add(extend(last.variable));
  address.offset = last.constant * unit.getIntOrFloatBitWidth() / 8;
  if (elements)
    address.pointer =
        LLVM::GEPOp::create(builder, loc, memref.pointer.getType(), unit,
                            memref.pointer, ArrayRef<LLVM::GEPArg>{elements});
  return address;
}

/// The tensor that an operation reads or writes, and what it is to it.
template <typename Op> std::pair<Value, StringRef> memoryOf(Op op) {
  if constexpr (requires { op.getTarget(); })
    return {op.getTarget(), "target"};
  else
    return {op.getSource(), "source"};
}

/// A pattern for an access to global memory.
template <typename Op> struct GlobalAccessPattern : ArgumentPattern<Op> {
  using ArgumentPattern<Op>::ArgumentPattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const final {
    auto [memory, what] = memoryOf(op);
    const MemRefParameters *memref = this->getMemRef(memory);
    if (!memref)
      return op.emitError("the ")
             << what << " must be an argument of the kernel";
    GlobalAddress address =
        getGlobalAddress(rewriter, op.getLoc(), *memref,
                         cast<MemRefType>(memory.getType()), op.getIndices());
    InlineAsm ptx(rewriter, op.getLoc());
    lower(op, address, ptx, rewriter);
    return success();
  }

  /// Replaces the operation by a statement that accesses `address`.
  virtual void lower(Op op, const GlobalAddress &address, InlineAsm &ptx,
                     PatternRewriter &rewriter) const = 0;
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

struct LowerBulkReduce : GlobalAccessPattern<hopper::BulkReduceOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::BulkReduceOp op, const GlobalAddress &address,
             InlineAsm &ptx, PatternRewriter &rewriter) const override {
    std::string target = address.print(ptx);
    std::string source = ptx.input(op.getAddress());
    std::string predicate = ptx.input(op.getPredicate());
    ptx.clobbersMemory().emit(
        "@" + predicate +
        " cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 " +
        target + ", [" + source + "], " + Twine(op.getBytes()) + ";\n@" +
        predicate + " cp.async.bulk.commit_group;");
    rewriter.eraseOp(op);
  }
};

} // namespace

void fa3::populateMemoryPatterns(RewritePatternSet &patterns,
                                 const LoweredArguments &arguments) {
  patterns.add<LowerSharedAddress>(patterns.getContext());
  patterns
      .add<LowerTmaLoad, LowerTmaStore, LowerDim, LowerGlobalStore,
           LowerGlobalLoad, LowerGlobalReduce, LowerGlobalMax, LowerBulkReduce>(
          patterns.getContext(), arguments);
}
