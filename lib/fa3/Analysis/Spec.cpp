//===- Spec.cpp - Functions that specify a package -----------------------===//

#include "fa3/Analysis/Spec.h"

using namespace mlir;
using namespace fa3;

FailureOr<attn::SpecOpInterface> fa3::getSpec(func::FuncOp function) {
  attn::SpecOpInterface spec;
  function.walk([&](attn::SpecOpInterface op) {
    spec = op;
    return WalkResult::interrupt();
  });
  if (!spec)
    return spec;

  if (!function.getBody().hasOneBlock())
    return function.emitError("a spec must have a single block");
  Block &body = function.getBody().front();
  for (Operation &op : body.without_terminator())
    if (&op != spec)
      return op.emitError("a spec must contain nothing but one attn operation");

  if (body.getNumArguments() != spec->getNumOperands())
    return function.emitError()
           << "a spec must have " << spec->getNumOperands()
           << " arguments, the operands of its attn operation, not "
           << body.getNumArguments();
  SmallPtrSet<Value, 4> seen;
  for (Value operand : spec->getOperands()) {
    if (!isa<BlockArgument>(operand))
      return spec->emitError(
          "operands must be arguments of the spec's function");
    if (!seen.insert(operand).second)
      return spec->emitError(
          "operands must be different arguments of the spec's function");
  }

  Operation *terminator = body.getTerminator();
  if (!llvm::equal(terminator->getOperands(), spec->getResults()))
    return terminator->emitError("a spec must return all results of its "
                                 "attn operation, in order");
  return spec;
}

std::optional<bool> fa3::isAtMost(attn::SpecOpInterface spec, StringRef dim,
                                  int64_t limit) {
  if (limit == 0)
    return false;
  if (limit == tile::ScheduleAttr::kNoLimit)
    return true;
  for (const attn::SpecTensor &tensor : spec.getTensors())
    if (std::optional<int64_t> position = tensor.find(dim);
        position && !tensor.type.isDynamicDim(*position))
      return tensor.type.getDimSize(*position) <= limit;
  return std::nullopt;
}
