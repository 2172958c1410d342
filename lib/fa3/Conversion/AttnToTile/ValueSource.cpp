//===- ValueSource.cpp - Where the forward pass has values from -----------===//

#include "ValueSource.h"

#include "fa3/Analysis/SizeExpressions.h"
#include "fa3/Analysis/Spec.h"

using namespace mlir;
using namespace fa3;

static constexpr llvm::StringLiteral kKeys = "seqlen_k";

SmallVector<ValueSource> fa3::getValueSources(attn::ForwardOp forward) {
  if (forward.getV().getType().getElementTypeBitWidth() != 8)
    return {ValueSource::rows};
  if (forward.getValuesInterleaved())
    return {ValueSource::columns};
  if (std::optional<bool> transposes =
          isAtMost(cast<attn::SpecOpInterface>(forward.getOperation()), kKeys,
                   forward.getScheduleAttr().getTransposeV()))
    return {*transposes ? ValueSource::rows : ValueSource::workspace};
  return {ValueSource::workspace, ValueSource::rows};
}

Attribute fa3::getLaunchCondition(attn::ForwardOp forward, ValueSource source) {
  if (getValueSources(forward).size() == 1)
    return {};
  MLIRContext *context = forward.getContext();
  int64_t most = forward.getScheduleAttr().getTransposeV();
  Attribute keys = StringAttr::get(context, kKeys);
  return source == ValueSource::workspace ? moreThan(context, keys, most)
                                          : atMost(context, keys, most);
}
