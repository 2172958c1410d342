//===- Spec.cpp - Functions that specify an attention kernel --------------===//

#include "fa3/Analysis/Spec.h"

using namespace mlir;
using namespace fa3;

FailureOr<attn::AttentionOpInterface> fa3::getSpec(func::FuncOp function) {
  attn::AttentionOpInterface attention;
  function.walk([&](attn::AttentionOpInterface op) {
    attention = op;
    return WalkResult::interrupt();
  });
  if (!attention)
    return attention;

  if (!function.getBody().hasOneBlock())
    return function.emitError("a spec must have a single block");
  Block &body = function.getBody().front();
  for (Operation &op : body.without_terminator())
    if (&op != attention)
      return op.emitError(
          "a spec must contain nothing but one attention operation");

  if (body.getNumArguments() != attention->getNumOperands())
    return function.emitError()
           << "a spec must have " << attention->getNumOperands()
           << " arguments, the operands of its attention operation, not "
           << body.getNumArguments();
  SmallPtrSet<Value, 4> seen;
  for (Value operand : attention->getOperands()) {
    if (!isa<BlockArgument>(operand))
      return attention->emitError(
          "operands must be arguments of the spec's function");
    if (!seen.insert(operand).second)
      return attention->emitError(
          "operands must be different arguments of the spec's function");
  }

  Operation *terminator = body.getTerminator();
  if (!llvm::equal(terminator->getOperands(), attention->getResults()))
    return terminator->emitError("a spec must return all results of its "
                                 "attention operation, in order");
  return attention;
}
