//===- SplitAddress.cpp - Constant parts of addresses ---------------------===//

#include "fa3/Conversion/HopperToNVVM/SplitAddress.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fa3;

/// Adds the terms of a sum to `terms`, constants to `constant`.
static void collectTerms(Value value, SmallVectorImpl<Value> &terms,
                         int64_t &constant) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number))) {
    constant += number.getSExtValue();
    return;
  }
  Operation *def = value.getDefiningOp();
  if (!isa_and_present<arith::AddIOp, LLVM::AddOp>(def)) {
    terms.push_back(value);
    return;
  }
  for (Value operand : def->getOperands())
    collectTerms(operand, terms, constant);
}

SplitAddress fa3::splitAddress(OpBuilder &builder, Location loc,
                               Value address) {
  SplitAddress split;
  SmallVector<Value> terms;
  collectTerms(address, terms, split.constant);
  for (Value term : terms)
    split.variable =
        split.variable
            ? LLVM::AddOp::create(builder, loc, split.variable, term).getRes()
            : term;
  if (!split.variable)
    split.variable = LLVM::ConstantOp::create(builder, loc, address.getType(),
                                              builder.getI32IntegerAttr(0));
  return split;
}
