//===- ValueSource.cpp - Where the forward pass has values from -----------===//

#include "ValueSource.h"

#include "fa3/Analysis/SizeExpressions.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fa3;

static constexpr llvm::StringLiteral kKeys = "seqlen_k";

/// The number of keys, where a tensor's type says it.
static std::optional<int64_t> getStaticKeys(attn::ForwardOp forward) {
  for (const attn::SpecTensor &tensor :
       cast<attn::SpecOpInterface>(forward.getOperation()).getTensors())
    if (std::optional<int64_t> dim = tensor.find(kKeys);
        dim && !tensor.type.isDynamicDim(*dim))
      return tensor.type.getDimSize(*dim);
  return std::nullopt;
}

SmallVector<ValueSource> fa3::getValueSources(attn::ForwardOp forward) {
  if (forward.getV().getType().getElementTypeBitWidth() != 8)
    return {ValueSource::rows};
  if (forward.getValuesInterleaved())
    return {ValueSource::columns};
  int64_t most = forward.getScheduleAttr().getTransposeV();
  if (std::optional<int64_t> keys = getStaticKeys(forward))
    return {*keys <= most ? ValueSource::rows : ValueSource::workspace};
  if (most == 0)
    return {ValueSource::workspace};
  if (most == tile::ScheduleAttr::kNoLimit)
    return {ValueSource::rows};
  return {ValueSource::workspace, ValueSource::rows};
}

Attribute fa3::getLaunchCondition(attn::ForwardOp forward, ValueSource source) {
  if (getValueSources(forward).size() == 1)
    return {};
  MLIRContext *context = forward.getContext();
  Builder builder(context);
  int64_t most = forward.getScheduleAttr().getTransposeV();
  Attribute keys = builder.getStringAttr(kKeys);
  auto number = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  // As many keys as there are more, or fewer, than the other source is for.
  if (source == ValueSource::workspace)
    return combineSizes(context, "sub",
                        combineSizes(context, "max", keys, number(most)),
                        number(most));
  return combineSizes(context, "sub", number(most + 1),
                      combineSizes(context, "min", keys, number(most + 1)));
}
