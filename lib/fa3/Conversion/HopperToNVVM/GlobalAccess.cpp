//===- GlobalAccess.cpp - Addresses in global memory ----------------------===//

#include "fa3/Conversion/HopperToNVVM/GlobalAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

namespace {

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

} // namespace

GlobalAddress fa3::getGlobalAddress(OpBuilder &builder, Location loc,
                                    const MemRefParameters &memref,
                                    MemRefType type, ValueRange indices) {
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
