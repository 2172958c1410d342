//===- GridExpression.cpp - Integer expressions of the manifest -----------===//

#include "fa3/Analysis/SizeExpressions.h"
#include "fa3/Conversion/HopperToNVVM/KernelSignature.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fa3;

namespace {

/// The symbol that the runtime binds to the device's multiprocessors.
constexpr StringLiteral kMultiprocessorsSymbol = "multiprocessors";

/// The manifest's operator for an operation, empty if there is none. Sizes are
/// not negative and below 2^31, so that signed and unsigned forms agree.
StringRef getOperator(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<arith::AddIOp>([](auto) { return "add"; })
      .Case<arith::SubIOp>([](auto) { return "sub"; })
      .Case<arith::MulIOp>([](auto) { return "mul"; })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(
          [](auto) { return "div"; })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [](auto) { return "ceildiv"; })
      .Case<arith::RemSIOp, arith::RemUIOp>([](auto) { return "rem"; })
      .Case<arith::MinSIOp, arith::MinUIOp>([](auto) { return "min"; })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([](auto) { return "max"; })
      .Default([](auto) { return ""; });
}

/// The size of a kernel argument's dimension.
FailureOr<Attribute> getSize(memref::DimOp dim) {
  auto refuse = [&]() {
    return dim.emitError("the grid may only depend on constant dimensions of "
                         "the kernel's arguments");
  };
  auto argument = dyn_cast<BlockArgument>(dim.getSource());
  std::optional<int64_t> index = dim.getConstantIndex();
  auto kernel =
      argument ? dyn_cast<tile::KernelOp>(argument.getOwner()->getParentOp())
               : nullptr;
  auto type = dyn_cast<MemRefType>(dim.getSource().getType());
  if (!kernel || !type || !index || *index < 0 || *index >= type.getRank())
    return refuse();
  if (!type.isDynamicDim(*index))
    return Attribute(
        Builder(dim.getContext()).getI64IntegerAttr(type.getDimSize(*index)));
  auto attr = kernel.getArgAttrOfType<tile::ArgumentAttr>(
      argument.getArgNumber(), tile::kArgumentAttrName);
  if (!attr || *index >= static_cast<int64_t>(attr.getDims().size()))
    return refuse();
  return Attribute(attr.getDims()[*index]);
}

} // namespace

FailureOr<Attribute> fa3::getManifestExpression(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc(),
                     "the grid must be an expression over tensor sizes");
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return Attribute(
        Builder(op->getContext()).getI64IntegerAttr(constant.getSExtValue()));
  if (auto dim = dyn_cast<memref::DimOp>(op))
    return getSize(dim);
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    return getManifestExpression(op->getOperand(0));
  if (isa<tile::ResidentCtasOp>(op))
    return Attribute(
        Builder(op->getContext()).getStringAttr(kMultiprocessorsSymbol));
  StringRef name = getOperator(op);
  if (name.empty())
    return op->emitError("the grid must be an integer expression over tensor "
                         "sizes; '")
           << op->getName() << "' has no form in a package";
  FailureOr<Attribute> lhs = getManifestExpression(op->getOperand(0));
  if (failed(lhs))
    return failure();
  FailureOr<Attribute> rhs = getManifestExpression(op->getOperand(1));
  if (failed(rhs))
    return failure();
  return combineSizes(op->getContext(), name, *lhs, *rhs);
}
