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

    if (forward.getValuesInterleaved())
      return forward.emitError("attn.backward takes values as rows: the "
                               "gradients of a forward pass with "
                               "values_interleaved cannot be derived");

    if (forward.hasQueryFactors() || forward.hasKeyFactors())
      return forward.emitError(
          "attn.backward takes a factor for each head: the "
          "gradients of a forward pass with factors of "
          "rows cannot be derived");
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
    RankedTensorType output = forward.getO().getType();
    Type row = forward.getLse().getType();
    Type element = forward.getQ().getType().getElementType();
    Value o = addArgument(output);
    Value lse = addArgument(row);
    Value outputGradient = addArgument(output.clone(element));
    Value lseGradient = dlse ? addArgument(row) : Value();
    // 8-bit gradients have factors of their own, and dS always has one, or one
    // for each row, which is found while running.
    OpBuilder builder(forward);
    auto factor = RankedTensorType::get(
        {ShapedType::kDynamic, ShapedType::kDynamic}, builder.getF32Type());
    Value gradientDescale =
        forward.getQDescale() ? addArgument(factor) : Value();
    Value scoreGradientScale =
        element.getIntOrFloatBitWidth() == 8 && !runningDsScale
            ? addArgument(factor)
            : Value();

    auto gradientOf = [&](Value tensor) -> Type {
      return cast<RankedTensorType>(tensor.getType())
          .clone(output.getElementType());
    };
    auto backward = attn::BackwardOp::create(
        builder, loc, gradientOf(forward.getQ()), gradientOf(forward.getK()),
        gradientOf(forward.getV()), /*ds_amax=*/Type(), forward.getQ(),
        forward.getK(), forward.getV(), o, lse, outputGradient, lseGradient,
        forward.getQDescale(), forward.getKDescale(), forward.getVDescale(),
        gradientDescale, scoreGradientScale, forward.getCausal(), deterministic,
        /*ds_precision=*/TypeAttr(), forward.getScaleAttr(),
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
