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
  for (const SpecTensor &tensor : getTensors())
    if (tensor.name == "o")
      return tensor.type.getElementType();
  llvm_unreachable("an attention operation without output");
}

static constexpr StringLiteral kQueryDims[] = {"batch", "seqlen_q", "heads_q",
                                               "head_dim"};
static constexpr StringLiteral kKeyDims[] = {"batch", "seqlen_k", "heads_kv",
                                             "head_dim"};
static constexpr StringLiteral kColumnDims[] = {"batch", "heads_kv", "head_dim",
                                                "keys_padded"};
static constexpr StringLiteral kStatisticDims[] = {"batch", "heads_q",
                                                   "seqlen_q"};
static constexpr StringLiteral kKeyFactorDims[] = {"batch", "heads_kv",
                                                   "seqlen_k"};
static constexpr StringLiteral kFactorDims[] = {"batch", "heads_kv"};
static constexpr StringLiteral kPlainDims[] = {"batch", "seqlen", "heads",
                                               "head_dim"};
static constexpr StringLiteral kPlainColumnDims[] = {"batch", "heads",
                                                     "head_dim", "keys_padded"};
static constexpr StringLiteral kRowFactorDims[] = {"batch", "heads", "seqlen"};
static constexpr StringLiteral kGroupDims[] = {"batch", "groups"};

std::optional<int64_t> SpecTensor::find(StringRef dim) const {
  const auto *found = llvm::find(dims, dim);
  if (found == dims.end())
    return std::nullopt;
  return found - dims.begin();
}

/// Checks that dimensions of this name have the same size, where it is static.
/// Returns that size, or a dynamic one.
static FailureOr<int64_t> verifyEqual(SpecOpInterface op, StringRef what,
                                      StringRef dim) {
  const SpecTensor *known = nullptr;
  int64_t knownSize = ShapedType::kDynamic;
  SmallVector<SpecTensor> tensors = op.getTensors();
  for (const SpecTensor &tensor : tensors) {
    std::optional<int64_t> position = tensor.find(dim);
    if (!position || tensor.type.isDynamicDim(*position))
      continue;
    int64_t size = tensor.type.getDimSize(*position);
    if (!known) {
      known = &tensor;
      knownSize = size;
    } else if (knownSize != size) {
      return op->emitOpError()
             << what << " of " << known->name << " is " << knownSize
             << ", but that of " << tensor.name << " is " << size;
    }
  }
  return knownSize;
}

/// Checks that head dims are static, equal, and multiples of `step`.
static LogicalResult verifyHeadDims(SpecOpInterface op, int64_t step) {
  for (const SpecTensor &tensor : op.getTensors()) {
    std::optional<int64_t> position = tensor.find("head_dim");
    if (!position)
      continue;
    int64_t size = tensor.type.getDimSize(*position);
    if (ShapedType::isDynamic(size))
      return op->emitOpError() << "head dim (dimension " << *position << ") of "
                               << tensor.name << " must be static";
    if (size < step || size > 256 || size % step != 0)
      return op->emitOpError() << "head dim of " << tensor.name << " is "
                               << size << "; it must be a multiple of " << step
                               << " from " << step << " to 256";
  }
  return verifyEqual(op, "head dim", "head_dim");
}

/// Checks the keys of an interleaved tensor against those of another one.
static LogicalResult verifyPaddedKeys(SpecOpInterface op, StringRef name,
                                      int64_t padded, StringRef other,
                                      int64_t keys) {
  if (ShapedType::isDynamic(padded) ||
      (padded % 16 == 0 && (ShapedType::isDynamic(keys) || padded >= keys)))
    return success();
  return op->emitOpError() << "keys of " << name << " are " << padded
                           << "; interleaved, they must be a multiple of 16 "
                              "that is not less than those of "
                           << other;
}

namespace {

/// Checks the tensors of an attention operation against each other.
class Verifier {
public:
  explicit Verifier(AttentionOpInterface op)
      : op(op), tensors(op.getTensors()) {}

  LogicalResult verify() {
    return success(succeeded(verifyElements()) &&
                   succeeded(verifyHeadDims(op, /*step=*/8)) &&
                   succeeded(verifySizes()) && succeeded(verifyHeads()) &&
                   succeeded(verifyScale()));
  }

private:
  LogicalResult verifyElements();
  LogicalResult verifySizes();
  LogicalResult verifyHeads();
  LogicalResult verifyScale();

  AttentionOpInterface op;
  SmallVector<SpecTensor> tensors;
};

} // namespace

/// Queries, keys and values have one type. What else is a matrix has the same,
/// or, if that has 8 bits, all of it the output's 16-bit type, but for the
/// output's gradient.
LogicalResult Verifier::verifyElements() {
  Type expected = op.getElementType(), output = op.getOutputElementType();
  bool narrow = expected.getIntOrFloatBitWidth() == 8;
  for (const SpecTensor &tensor : tensors) {
    if (!tensor.isMatrix())
      continue;
    Type element = tensor.type.getElementType();
    unsigned bits = element.getIntOrFloatBitWidth();
    auto refuse = [&](StringRef needed) -> LogicalResult {
      return op->emitOpError()
             << "elements of q are " << expected << ": those of " << tensor.name
             << " must have " << needed << ", not be " << element;
    };
    if (!narrow || llvm::is_contained({"q", "k", "v"}, tensor.name)) {
      if (element != expected)
        return op->emitOpError()
               << "elements of q are " << expected << ", but those of "
               << tensor.name << " are " << element;
    } else if (tensor.name == "do") {
      if (bits != 8)
        return refuse("8 bits");
    } else if (element != output || bits != 16) {
      return refuse("16 bits, as those of o");
    }
  }
  return success();
}

LogicalResult Verifier::verifySizes() {
  return success(succeeded(verifyEqual(op, "batch", "batch")) &&
                 succeeded(verifyEqual(op, "seqlen", "seqlen_q")) &&
                 succeeded(verifyEqual(op, "seqlen", "seqlen_k")));
}

LogicalResult Verifier::verifyHeads() {
  FailureOr<int64_t> queryHeads = verifyEqual(op, "number of heads", "heads_q");
  if (failed(queryHeads))
    return failure();
  FailureOr<int64_t> keyHeads = verifyEqual(op, "number of heads", "heads_kv");
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

/// Adds a tensor of factors, of heads or of rows, if there is one.
static void addFactor(SmallVectorImpl<SpecTensor> &tensors, StringRef name,
                      Value value, ArrayRef<StringLiteral> rowDims = {}) {
  if (!value)
    return;
  auto type = cast<RankedTensorType>(value.getType());
  tensors.push_back(
      {name, type, type.getRank() == 3 ? rowDims : ArrayRef(kFactorDims)});
}

SmallVector<SpecTensor> ForwardOp::getTensors() {
  SmallVector<SpecTensor> tensors = {
      {"q", getQ().getType(), kQueryDims},
      {"k", getK().getType(), kKeyDims},
      {"v", getV().getType(),
       getValuesInterleaved() ? ArrayRef(kColumnDims) : ArrayRef(kKeyDims)}};
  addFactor(tensors, "q_descale", getQDescale(), kStatisticDims);
  addFactor(tensors, "k_descale", getKDescale(), kKeyFactorDims);
  addFactor(tensors, "v_descale", getVDescale());
  tensors.append({{"o", getO().getType(), kQueryDims},
                  {"lse", getLse().getType(), kStatisticDims}});
  return tensors;
}

/// Checks that there are all of some factors, or none.
static LogicalResult verifyFactors(Operation *op, ArrayRef<Value> factors) {
  if (llvm::all_of(factors, [](Value factor) { return !!factor; }) ||
      llvm::none_of(factors, [](Value factor) { return !!factor; }))
    return success();
  return op->emitOpError("must have a descale for each of its operands, or "
                         "none");
}

static int64_t rankOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

bool ForwardOp::hasQueryFactors() {
  return getQDescale() && rankOf(getQDescale()) == 3;
}

bool ForwardOp::hasKeyFactors() {
  return getKDescale() && rankOf(getKDescale()) == 3;
}

LogicalResult ForwardOp::verify() {
  bool narrow = getQ().getType().getElementTypeBitWidth() == 8;
  if (!narrow && (getQDescale() || getKDescale() || getVDescale() ||
                  getTwoLevel() || getValuesInterleaved()))
    return emitOpError() << "descale, two_level and values_interleaved are for "
                            "8-bit elements, not "
                         << getQ().getType().getElementType();
  if (failed(
          verifyFactors(*this, {getQDescale(), getKDescale(), getVDescale()})))
    return failure();
  if (getValuesInterleaved() &&
      failed(verifyPaddedKeys(*this, "v", getV().getType().getDimSize(3), "k",
                              getK().getType().getDimSize(1))))
    return failure();
  return Verifier(*this).verify();
}

SmallVector<SpecTensor> BackwardOp::getTensors() {
  SmallVector<SpecTensor> tensors = {
      {"q", getQ().getType(), kQueryDims},
      {"k", getK().getType(), kKeyDims},
      {"v", getV().getType(), kKeyDims},
      {"o", getO().getType(), kQueryDims},
      {"lse", getLse().getType(), kStatisticDims},
      {"do", getDO().getType(), kQueryDims}};
  if (getDlse())
    tensors.push_back({"dlse", getDlse().getType(), kStatisticDims});
  addFactor(tensors, "q_descale", getQDescale());
  addFactor(tensors, "k_descale", getKDescale());
  addFactor(tensors, "v_descale", getVDescale());
  addFactor(tensors, "do_descale", getDoDescale());
  addFactor(tensors, "ds_scale", getDsScale());
  tensors.append({{"dq", getDq().getType(), kQueryDims},
                  {"dk", getDk().getType(), kKeyDims},
                  {"dv", getDv().getType(), kKeyDims}});
  addFactor(tensors, "ds_amax", getDsAmax());
  return tensors;
}

bool BackwardOp::isNarrow() {
  return getQ().getType().getElementTypeBitWidth() == 8;
}

LogicalResult BackwardOp::verify() {
  Type element = getQ().getType().getElementType();
  if (!isNarrow() &&
      (getQDescale() || getKDescale() || getVDescale() || getDoDescale() ||
       getDsScale() || getDsPrecision() || getDsAmax()))
    return emitOpError() << "descale, ds_scale, ds_precision and ds_amax are "
                            "for 8-bit elements, not "
                         << element;
  if (failed(verifyFactors(*this, {getQDescale(), getKDescale(), getVDescale(),
                                   getDoDescale()})))
    return failure();
  if (getDsPrecision() &&
      *getDsPrecision() != getDq().getType().getElementType())
    return emitOpError() << "ds_precision must be the type of dq, "
                         << getDq().getType().getElementType() << ", not "
                         << *getDsPrecision();
  if (getDsPrecision() && getDsScale())
    return emitOpError() << "has no use for ds_scale beside ds_precision";
  return Verifier(*this).verify();
}

SmallVector<SpecTensor> QuantizeOp::getTensors() {
  return {
      {"x", getX().getType(), kPlainDims},
      {"y", getY().getType(),
       getInterleaved() ? ArrayRef(kPlainColumnDims) : ArrayRef(kPlainDims)},
      {"descale", cast<RankedTensorType>(getDescale().getType()),
       hasRowFactors() ? ArrayRef(kRowFactorDims) : ArrayRef(kGroupDims)}};
}

bool QuantizeOp::hasRowFactors() { return rankOf(getDescale()) == 3; }

LogicalResult QuantizeOp::verify() {
  if (failed(verifyHeadDims(*this, /*step=*/16)) ||
      failed(verifyEqual(*this, "batch", "batch")) ||
      failed(verifyEqual(*this, "seqlen", "seqlen")))
    return failure();
  FailureOr<int64_t> heads = verifyEqual(*this, "number of heads", "heads");
  if (failed(heads))
    return failure();
  if (getInterleaved() &&
      failed(verifyPaddedKeys(*this, "y", getY().getType().getDimSize(3), "x",
                              getX().getType().getDimSize(1))))
    return failure();
  if (hasRowFactors()) {
    if (*heads == 0)
      return emitOpError("needs at least one head");
    if (getInterleaved())
      return emitOpError("has no factors of rows for an interleaved tensor");
    return success();
  }
  int64_t groups = cast<RankedTensorType>(getDescale().getType()).getDimSize(1);
  if (*heads == 0 || groups == 0)
    return emitOpError("needs at least one head");
  if (!ShapedType::isDynamic(*heads) && !ShapedType::isDynamic(groups) &&
      *heads % groups != 0)
    return emitOpError() << "the " << *heads
                         << " heads must be a multiple of the " << groups
                         << " groups";
  return success();
}
