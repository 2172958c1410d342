//===- AttnOps.cpp - Verifiers of the attn dialect ------------------------===//

#include "fa3/Attn/AttnOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace fa3::attn;

#define GET_OP_CLASSES
#include "fa3/Attn/AttnOps.cpp.inc"

int64_t ForwardOp::getHeadDim() { return getQ().getType().getDimSize(3); }

double ForwardOp::getScaleOrDefault() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  return 1.0 / std::sqrt(static_cast<double>(getHeadDim()));
}

namespace {

/// A dimension of one of the operation's tensors.
struct Dim {
  StringRef tensor;
  RankedTensorType type;
  int64_t index;

  int64_t size() const { return type.getDimSize(index); }
};

} // namespace

/// Checks that dimensions which mean the same have the same size, where both
/// are static.
static LogicalResult verifyEqual(Operation *op, StringRef what,
                                 ArrayRef<Dim> dims) {
  const Dim *known = nullptr;
  for (const Dim &dim : dims) {
    if (ShapedType::isDynamic(dim.size()))
      continue;
    if (!known) {
      known = &dim;
    } else if (known->size() != dim.size()) {
      return op->emitOpError()
             << what << " of " << known->tensor << " is " << known->size()
             << ", but that of " << dim.tensor << " is " << dim.size();
    }
  }
  return success();
}

static LogicalResult verifyHeadDim(ForwardOp op) {
  auto check = [&](StringRef tensor, RankedTensorType type) -> LogicalResult {
    int64_t size = type.getDimSize(3);
    if (ShapedType::isDynamic(size))
      return op.emitOpError()
             << "head dim (dimension 3) of " << tensor << " must be static";
    if (size < 8 || size > 256 || size % 8 != 0)
      return op.emitOpError() << "head dim of " << tensor << " is " << size
                              << "; it must be a multiple of 8 from 8 to 256";
    return success();
  };
  if (failed(check("q", op.getQ().getType())) ||
      failed(check("k", op.getK().getType())) ||
      failed(check("v", op.getV().getType())) ||
      failed(check("o", op.getO().getType())))
    return failure();
  return verifyEqual(op, "head dim",
                     {{"q", op.getQ().getType(), 3},
                      {"k", op.getK().getType(), 3},
                      {"v", op.getV().getType(), 3},
                      {"o", op.getO().getType(), 3}});
}

static LogicalResult verifyHeads(ForwardOp op) {
  if (failed(verifyEqual(op, "number of heads",
                         {{"q", op.getQ().getType(), 2},
                          {"o", op.getO().getType(), 2},
                          {"lse", op.getLse().getType(), 1}})) ||
      failed(verifyEqual(
          op, "number of heads",
          {{"k", op.getK().getType(), 2}, {"v", op.getV().getType(), 2}})))
    return failure();
  int64_t queryHeads = ShapedType::kDynamic;
  for (int64_t size :
       {op.getQ().getType().getDimSize(2), op.getO().getType().getDimSize(2),
        op.getLse().getType().getDimSize(1)})
    if (!ShapedType::isDynamic(size))
      queryHeads = size;
  int64_t keyHeads = op.getK().getType().getDimSize(2);
  if (ShapedType::isDynamic(keyHeads))
    keyHeads = op.getV().getType().getDimSize(2);
  if (queryHeads == 0 || keyHeads == 0)
    return op.emitOpError("needs at least one head");
  if (!ShapedType::isDynamic(queryHeads) && !ShapedType::isDynamic(keyHeads) &&
      queryHeads % keyHeads != 0)
    return op.emitOpError()
           << "the " << queryHeads << " query heads must be a multiple of the "
           << keyHeads << " key heads";
  return success();
}

/// The kernel multiplies scores by scale * log2(e) in f32; a factor that is not
/// a normal number would turn masked scores into NaN.
static LogicalResult verifyScale(ForwardOp op) {
  if (!op.getScale())
    return success();
  double scale = op.getScaleOrDefault();
  float factor = static_cast<float>(scale * llvm::numbers::log2e);
  if (std::isfinite(scale) && scale > 0 && std::isnormal(factor) &&
      std::isnormal(static_cast<float>(scale)))
    return success();
  return op.emitOpError() << "scale must be finite, greater than 0 and normal "
                             "in f32, but is "
                          << scale;
}

LogicalResult ForwardOp::verify() {
  RankedTensorType q = getQ().getType(), k = getK().getType(),
                   v = getV().getType(), o = getO().getType(),
                   lse = getLse().getType();
  for (auto [name, type] :
       {std::pair<StringRef, RankedTensorType>{"k", k}, {"v", v}, {"o", o}})
    if (type.getElementType() != q.getElementType())
      return emitOpError() << "elements of q are " << q.getElementType()
                           << ", but those of " << name << " are "
                           << type.getElementType();
  if (failed(verifyHeadDim(*this)) ||
      failed(verifyEqual(*this, "batch",
                         {{"q", q, 0},
                          {"k", k, 0},
                          {"v", v, 0},
                          {"o", o, 0},
                          {"lse", lse, 0}})) ||
      failed(verifyEqual(*this, "seqlen",
                         {{"q", q, 1}, {"o", o, 1}, {"lse", lse, 2}})) ||
      failed(verifyEqual(*this, "seqlen", {{"k", k, 1}, {"v", v, 1}})) ||
      failed(verifyHeads(*this)))
    return failure();
  return verifyScale(*this);
}
