//===- DeriveBackward.cpp - Gradients of a forward spec -------------------===//
//
// The backward pass of attention is determined by its forward pass: the spec of
// one becomes the spec of the other.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/Spec.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#define DEBUG_TYPE "fa3-derive-backward"

namespace fa3 {
#define GEN_PASS_DEF_DERIVEBACKWARDPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

/// "forward_bf16" gives "backward_bf16", "attention" gives
/// "attention_backward".
static std::string getBackwardName(StringRef name) {
  static constexpr StringLiteral kForward = "forward", kBackward = "backward";
  size_t position = name.find(kForward);
  if (position == StringRef::npos)
    return (name + "_" + kBackward).str();
  return (name.take_front(position) + kBackward +
          name.drop_front(position + kForward.size()))
      .str();
}

namespace {

struct DeriveBackwardPass
    : fa3::impl::DeriveBackwardPassBase<DeriveBackwardPass> {
  using DeriveBackwardPassBase::DeriveBackwardPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(derive(function)))
        return signalPassFailure();
  }

  LogicalResult derive(func::FuncOp function) {
    FailureOr<attn::SpecOpInterface> spec = getSpec(function);
    if (failed(spec))
      return failure();
    if (!*spec)
      return success();
    auto forward = dyn_cast<attn::ForwardOp>(spec->getOperation());
    if (!forward)
      return success();

    if (forward.getQ().getType().getElementTypeBitWidth() == 8)
      return forward.emitError(
          "the gradients of a forward pass of 8-bit "
          "elements cannot be derived: attn.backward takes "
          "bf16 and f16");

    std::string name = getBackwardName(function.getName());
    if (getOperation().lookupSymbol(name))
      return function.emitError()
             << "its backward pass would be called @" << name
             << ", but there is a function of that name";
    function.setName(name);
    if (forward.getScheduleAttr())
      remark::missed(
          forward.getLoc(),
          remark::RemarkOpts::name(DEBUG_TYPE).category("fa3").function(name))
          << "the schedule is dropped: it is one of the forward pass";
    replace(function, forward);
    return success();
  }

  /// Makes the spec of `forward`'s gradients out of its own.
  void replace(func::FuncOp function, attn::ForwardOp forward) {
    Block &body = function.getBody().front();
    Location loc = forward.getLoc();
    SmallVector<Type> inputs(function.getArgumentTypes());
    auto addArgument = [&](Type type) -> Value {
      inputs.push_back(type);
      return body.addArgument(type, loc);
    };
    Type output = forward.getO().getType(), row = forward.getLse().getType();
    Value o = addArgument(output);
    Value lse = addArgument(row);
    Value outputGradient = addArgument(output);
    Value lseGradient = dlse ? addArgument(row) : Value();

    OpBuilder builder(forward);
    auto backward = attn::BackwardOp::create(
        builder, loc, forward.getQ().getType(), forward.getK().getType(),
        forward.getV().getType(), forward.getQ(), forward.getK(),
        forward.getV(), o, lse, outputGradient, lseGradient,
        forward.getCausal(), deterministic, forward.getScaleAttr(),
        tile::ScheduleAttr());
    body.getTerminator()->setOperands(backward->getResults());
    forward.erase();
    function.setResAttrsAttr(nullptr);
    function.setArgAttrsAttr(nullptr);
    function.setType(
        builder.getFunctionType(inputs, backward->getResultTypes()));
  }
};

} // namespace
