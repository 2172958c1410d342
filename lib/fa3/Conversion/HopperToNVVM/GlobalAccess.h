//===- GlobalAccess.h - Instructions that access global memory --*- C++ -*-===//

#ifndef FA3_CONVERSION_HOPPERTONVVM_GLOBALACCESS_H
#define FA3_CONVERSION_HOPPERTONVVM_GLOBALACCESS_H

#include "fa3/Conversion/HopperToNVVM/InlineAsm.h"
#include "fa3/Conversion/HopperToNVVM/KernelSignature.h"

#include "mlir/IR/PatternMatch.h"

namespace fa3 {

/// A pattern that needs to know what the kernel's arguments have become.
template <typename Op> struct ArgumentPattern : mlir::OpRewritePattern<Op> {
  ArgumentPattern(mlir::MLIRContext *context, const LoweredArguments &arguments)
      : mlir::OpRewritePattern<Op>(context), arguments(arguments) {}
  const LoweredArguments &arguments;

  const MemRefParameters *getMemRef(mlir::Value value) const {
    auto it = arguments.memrefs.find(value);
    return it == arguments.memrefs.end() ? nullptr : &it->second;
  }
};

/// The address of an element, as a register and a constant byte offset that an
/// instruction can take as its immediate. Neighbouring columns of a row share
/// the register that way.
struct GlobalAddress {
  mlir::Value pointer;
  int64_t offset = 0;

  /// "[$0]" or "[$0+16]".
  std::string print(InlineAsm &ptx) const {
    std::string text = "[" + ptx.input(pointer);
    if (offset != 0)
      text += (offset > 0 ? "+" : "") + std::to_string(offset);
    return text + "]";
  }
};

/// The address of the element at `indices`.
GlobalAddress getGlobalAddress(mlir::OpBuilder &builder, mlir::Location loc,
                               const MemRefParameters &memref,
                               mlir::MemRefType type, mlir::ValueRange indices);

/// The tensor that an operation reads or writes, and what it is to it.
template <typename Op> std::pair<mlir::Value, llvm::StringRef> memoryOf(Op op) {
  if constexpr (requires { op.getTarget(); })
    return {op.getTarget(), "target"};
  else
    return {op.getSource(), "source"};
}

/// A pattern for an access to global memory.
template <typename Op> struct GlobalAccessPattern : ArgumentPattern<Op> {
  using ArgumentPattern<Op>::ArgumentPattern;

  mlir::LogicalResult
  matchAndRewrite(Op op, mlir::PatternRewriter &rewriter) const final {
    auto [memory, what] = memoryOf(op);
    const MemRefParameters *memref = this->getMemRef(memory);
    if (!memref)
      return op.emitError("the ")
             << what << " must be an argument of the kernel";
    GlobalAddress address = getGlobalAddress(
        rewriter, op.getLoc(), *memref,
        mlir::cast<mlir::MemRefType>(memory.getType()), op.getIndices());
    InlineAsm ptx(rewriter, op.getLoc());
    lower(op, address, ptx, rewriter);
    return mlir::success();
  }

  /// Replaces the operation by a statement that accesses `address`.
  virtual void lower(Op op, const GlobalAddress &address, InlineAsm &ptx,
                     mlir::PatternRewriter &rewriter) const = 0;
};

} // namespace fa3

#endif // FA3_CONVERSION_HOPPERTONVVM_GLOBALACCESS_H
