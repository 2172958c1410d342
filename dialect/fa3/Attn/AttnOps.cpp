//===- AttnOps.cpp - Verifiers of the attn dialect ------------------------===//

#include "fa3/Attn/AttnOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace fa3::attn;

#define GET_OP_CLASSES
#include "fa3/Attn/AttnInterfaces.cpp.inc"
#include "fa3/Attn/AttnOps.cpp.inc"

int64_t AttentionOpInterface::getHeadDim() {
  return getQ().getType().getDimSize(3);
}

double AttentionOpInterface::getScaleOrDefault() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  return 1.0 / std::sqrt(static_cast<double>(getHeadDim()));
}

Type AttentionOpInterface::getElementType() {
  return getQ().getType().getElementType();
}

Type AttentionOpInterface::getOutputElementType() {
  for (const AttentionTensor &tensor : getTensors())
    if (tensor.name == "o")
      return tensor.type.getElementType();
  llvm_unreachable("an attention operation without output");
}

int64_t AttentionTensor::seqlen() const {
  switch (layout) {
  case AttentionLayout::rows:
    return type.getDimSize(1);
  case AttentionLayout::statistic:
    return type.getDimSize(2);
  case AttentionLayout::interleaved:
  case AttentionLayout::factor:
    return ShapedType::kDynamic;
  }
  llvm_unreachable("unknown layout");
}

namespace {

/// Checks the tensors of an attention operation against each other.
class Verifier {
public:
  explicit Verifier(AttentionOpInterface op)
      : op(op), tensors(op.getTensors()) {}

  LogicalResult verify() {
    return success(succeeded(verifyElements()) && succeeded(verifyHeadDim()) &&
                   succeeded(verifySizes()) && succeeded(verifyHeads()) &&
                   succeeded(verifyScale()));
  }

private:
  LogicalResult verifyElements();
  LogicalResult verifyHeadDim();
  LogicalResult verifySizes();
  LogicalResult verifyHeads();
  LogicalResult verifyScale();

  /// Checks that dimensions which mean the same have the same size, where both
  /// are static. Returns that size.
  FailureOr<int64_t>
  verifyEqual(StringRef what, int64_t (AttentionTensor::*size)() const,
              function_ref<bool(const AttentionTensor &)> filter);

  AttentionOpInterface op;
  SmallVector<AttentionTensor> tensors;
};

} // namespace

static bool isMatrix(const AttentionTensor &tensor) {
  return tensor.isMatrix();
}
static bool isOfKeys(const AttentionTensor &tensor) { return tensor.ofKeys; }
static bool isOfQueries(const AttentionTensor &tensor) {
  return !tensor.ofKeys;
}

FailureOr<int64_t>
Verifier::verifyEqual(StringRef what, int64_t (AttentionTensor::*size)() const,
                      function_ref<bool(const AttentionTensor &)> filter) {
  const AttentionTensor *known = nullptr;
  for (const AttentionTensor &tensor : tensors) {
    if (!filter(tensor) || ShapedType::isDynamic((tensor.*size)()))
      continue;
    if (!known) {
      known = &tensor;
    } else if ((known->*size)() != (tensor.*size)()) {
      return op->emitOpError()
             << what << " of " << known->name << " is " << (known->*size)()
             << ", but that of " << tensor.name << " is " << (tensor.*size)();
    }
  }
  return known ? (known->*size)() : ShapedType::kDynamic;
}

LogicalResult Verifier::verifyElements() {
  Type expected = op.getElementType();
  bool narrow = expected.getIntOrFloatBitWidth() == 8;
  for (const AttentionTensor &tensor : tensors)
    if (isMatrix(tensor) && tensor.type.getElementType() != expected &&
        !(narrow && tensor.name == "o" &&
          tensor.type.getElementType().getIntOrFloatBitWidth() == 16))
      return op->emitOpError()
             << "elements of q are " << expected << ", but those of "
             << tensor.name << " are " << tensor.type.getElementType();
  return success();
}

LogicalResult Verifier::verifyHeadDim() {
  for (const AttentionTensor &tensor :
       llvm::make_filter_range(tensors, isMatrix)) {
    int64_t size = tensor.headDim();
    if (ShapedType::isDynamic(size))
      return op->emitOpError() << "head dim (dimension 3) of " << tensor.name
                               << " must be static";
    if (size < 8 || size > 256 || size % 8 != 0)
      return op->emitOpError()
             << "head dim of " << tensor.name << " is " << size
             << "; it must be a multiple of 8 from 8 to 256";
  }
  return verifyEqual("head dim", &AttentionTensor::headDim, isMatrix);
}

LogicalResult Verifier::verifySizes() {
  auto all = [](const AttentionTensor &) { return true; };
  return success(
      succeeded(verifyEqual("batch", &AttentionTensor::batch, all)) &&
      succeeded(verifyEqual("seqlen", &AttentionTensor::seqlen, isOfQueries)) &&
      succeeded(verifyEqual("seqlen", &AttentionTensor::seqlen, isOfKeys)));
}

LogicalResult Verifier::verifyHeads() {
  FailureOr<int64_t> queryHeads =
      verifyEqual("number of heads", &AttentionTensor::heads, isOfQueries);
  if (failed(queryHeads))
    return failure();
  FailureOr<int64_t> keyHeads =
      verifyEqual("number of heads", &AttentionTensor::heads, isOfKeys);
  if (failed(keyHeads))
    return failure();
  if (*queryHeads == 0 || *keyHeads == 0)
    return op->emitOpError("needs at least one head");
  if (!ShapedType::isDynamic(*queryHeads) &&
      !ShapedType::isDynamic(*keyHeads) && *queryHeads % *keyHeads != 0)
    return op->emitOpError()
           << "the " << *queryHeads << " query heads must be a multiple of the "
           << *keyHeads << " key heads";
  return success();
}

/// The kernel multiplies scores by scale * log2(e) in f32; a factor that is not
/// a normal number would turn masked scores into NaN.
LogicalResult Verifier::verifyScale() {
  if (!op.getScale())
    return success();
  double scale = op.getScaleOrDefault();
  float factor = static_cast<float>(scale * llvm::numbers::log2e);
  if (std::isfinite(scale) && scale > 0 && std::isnormal(factor) &&
      std::isnormal(static_cast<float>(scale)))
    return success();
  return op->emitOpError() << "scale must be finite, greater than 0 and normal "
                              "in f32, but is "
                           << scale;
}

SmallVector<AttentionTensor> ForwardOp::getTensors() {
  SmallVector<AttentionTensor> tensors = {
      {"q", getQ().getType(), /*ofKeys=*/false},
      {"k", getK().getType(), /*ofKeys=*/true},
      {"v", getV().getType(), /*ofKeys=*/true,
       getValuesInterleaved() ? AttentionLayout::interleaved
                              : AttentionLayout::rows}};
  if (getQDescale())
    for (auto [name, value] : {std::pair("q_descale", getQDescale()),
                               {"k_descale", getKDescale()},
                               {"v_descale", getVDescale()}})
      tensors.push_back(
          {name, value.getType(), /*ofKeys=*/true, AttentionLayout::factor});
  tensors.append({{"o", getO().getType(), /*ofKeys=*/false},
                  {"lse", getLse().getType(), /*ofKeys=*/false,
                   AttentionLayout::statistic}});
  return tensors;
}

LogicalResult ForwardOp::verify() {
  bool narrow = getQ().getType().getElementTypeBitWidth() == 8;
  if (!narrow && (getQDescale() || getTwoLevel() || getValuesInterleaved()))
    return emitOpError() << "descale, two_level and values_interleaved are for "
                            "8-bit elements, not "
                         << getQ().getType().getElementType();
  if (getValuesInterleaved()) {
    int64_t padded = getV().getType().getDimSize(3);
    int64_t keys = getK().getType().getDimSize(1);
    if (!ShapedType::isDynamic(padded) &&
        (padded % 16 != 0 || (!ShapedType::isDynamic(keys) && padded < keys)))
      return emitOpError() << "keys of v are " << padded
                           << "; interleaved, they must be a multiple of 16 "
                              "that is not less than those of k";
  }
  return Verifier(*this).verify();
}

SmallVector<AttentionTensor> BackwardOp::getTensors() {
  SmallVector<AttentionTensor> tensors = {
      {"q", getQ().getType(), /*ofKeys=*/false},
      {"k", getK().getType(), /*ofKeys=*/true},
      {"v", getV().getType(), /*ofKeys=*/true},
      {"o", getO().getType(), /*ofKeys=*/false},
      {"lse", getLse().getType(), /*ofKeys=*/false, AttentionLayout::statistic},
      {"do", getDO().getType(), /*ofKeys=*/false}};
  if (getDlse())
    tensors.push_back({"dlse", getDlse().getType(), /*ofKeys=*/false,
                       AttentionLayout::statistic});
  tensors.append({{"dq", getDq().getType(), /*ofKeys=*/false},
                  {"dk", getDk().getType(), /*ofKeys=*/true},
                  {"dv", getDv().getType(), /*ofKeys=*/true}});
  return tensors;
}

LogicalResult BackwardOp::verify() { return Verifier(*this).verify(); }
