//===- DistributeProducts.cpp - Products of one thread --------------------===//
//
// A product over tiles becomes a group of wgmma.mma_async instructions: one for
// each 64 rows and each 32 bytes of the contraction.
//
//===----------------------------------------------------------------------===//

#include "fa3/Transforms/Distributor.h"
#include "fa3/Transforms/RingLayout.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Bytes of a panel's row that one instruction contracts over.
constexpr int64_t kStepBytes = 32;
/// Distance of 8-row groups in a panel with the 128-byte swizzle.
constexpr int64_t kGroupStride = 1024;
/// The leading-dimension field is not used by swizzled K-major operands.
constexpr int64_t kUnusedLeading = 16;
/// wgmma's largest n.
constexpr int64_t kMaxColumns = 256;

/// How a product walks through an operand in shared memory.
class SharedOperand {
public:
  /// `contracted` is the dimension of the tile that is contracted over.
  SharedOperand(hopper::BufferType type, int64_t contracted)
      : elementBytes(type.getTile().getElementTypeBitWidth() / 8),
        panelStride(type.getPanelRows() * kPanelBytes),
        kMajor(contracted == 1) {}

  bool isTransposed() const { return !kMajor; }
  int64_t leading() const { return kMajor ? kUnusedLeading : panelStride; }

  /// Bytes from the operand's start to contraction step `step`.
  int64_t stepOffset(int64_t step) const {
    int64_t elements = step * (kStepBytes / elementBytes);
    if (!kMajor)
      return elements * kPanelBytes;
    int64_t bytes = elements * elementBytes;
    return bytes / kPanelBytes * panelStride + bytes % kPanelBytes;
  }

  /// Bytes from the operand's start to its row block `block`.
  int64_t blockOffset(int64_t block) const {
    if (kMajor)
      return block * Fragment::kBlockRows * kPanelBytes;
    int64_t bytes = block * Fragment::kBlockRows * elementBytes;
    return bytes / kPanelBytes * panelStride + bytes % kPanelBytes;
  }

private:
  int64_t elementBytes;
  int64_t panelStride;
  bool kMajor;
};

bool isZero(Value value) {
  auto constant = value ? value.getDefiningOp<arith::ConstantOp>() : nullptr;
  auto splat =
      constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : nullptr;
  return splat && splat.getSplatValue<APFloat>().isPosZero();
}

} // namespace

/// Whether wgmma instructions compute the product.
static LogicalResult checkProduct(hopper::WgmmaOp op) {
  VectorType type = op.getResult().getType().getTile();
  hopper::BufferType b = op.getB().getType();
  Type element = b.getTile().getElementType();
  int64_t bytes = b.getTile().getDimSize(op.getContractB()) *
                  element.getIntOrFloatBitWidth() / 8;
  if (type.getDimSize(0) % Fragment::kBlockRows != 0 ||
      type.getDimSize(1) % Fragment::kGroupColumns != 0 ||
      type.getDimSize(1) > kMaxColumns || !type.getElementType().isF32())
    return op.emitError("the result of a product must be an f32 tile of a "
                        "multiple of 64 rows and a multiple of 8 columns, 256 "
                        "at most, not ")
           << type;
  if (!Fragment::isPacked(element) || bytes % kStepBytes != 0)
    return op.emitError("a product must contract a multiple of 16 elements of "
                        "f16 or bf16, or of 32 8-bit ones");
  if (isa<VectorType>(op.getA().getType()) && op.getContractA() != 1)
    return op.emitError("a first operand in registers must be contracted over "
                        "its columns");
  return success();
}

LogicalResult Distributor::distributeWgmma(hopper::WgmmaOp op) {
  if (failed(checkProduct(op)))
    return failure();
  VectorType type = op.getResult().getType().getTile();
  auto bufferB = op.getB().getType();
  auto bufferA = dyn_cast<hopper::BufferType>(op.getA().getType());
  Type elementB = bufferB.getTile().getElementType();
  Type element = bufferA
                     ? bufferA.getTile().getElementType()
                     : cast<VectorType>(op.getA().getType()).getElementType();
  int64_t contraction = bufferB.getTile().getDimSize(op.getContractB());
  int64_t steps =
      contraction * bufferB.getTile().getElementTypeBitWidth() / 8 / kStepBytes;
  SharedOperand b(bufferB, op.getContractB());

  Value descriptorB = hopper::DescriptorOp::create(
      builder, loc, builder.getI64Type(), registers(op.getB()).front(),
      b.leading(), kGroupStride);
  Value descriptorA;
  std::optional<SharedOperand> a;
  SmallVector<Value> registersA;
  if (bufferA) {
    a.emplace(bufferA, op.getContractA());
    descriptorA = hopper::DescriptorOp::create(
        builder, loc, builder.getI64Type(), registers(op.getA()).front(),
        a->leading(), kGroupStride);
  } else {
    registersA.assign(registers(op.getA()).begin(), registers(op.getA()).end());
  }

  // An accumulator known to be zero is not read.
  SmallVector<Value> accumulators;
  if (op.getAcc() && !isZero(op.getAcc()))
    accumulators.assign(registers(op.getAcc()).begin(),
                        registers(op.getAcc()).end());

  auto advance = [&](Value descriptor, int64_t bytes) -> Value {
    if (bytes == 0)
      return descriptor;
    return hopper::DescriptorAdvanceOp::create(
        builder, loc, builder.getI64Type(), descriptor, bytes);
  };

  hopper::WgmmaFenceOp::create(builder, loc);
  int64_t blocks = type.getDimSize(0) / Fragment::kBlockRows;
  int64_t perBlock = Fragment(type).size() / blocks;
  SmallVector<Type> types(perBlock, builder.getF32Type());
  SmallVector<Value> results;
  for (int64_t block = 0; block < blocks; ++block) {
    SmallVector<Value> acc;
    if (!accumulators.empty())
      acc.append(accumulators.begin() + block * perBlock,
                 accumulators.begin() + (block + 1) * perBlock);
    for (int64_t step = 0; step < steps; ++step) {
      SmallVector<Value> first;
      if (bufferA)
        first.push_back(
            advance(descriptorA, a->blockOffset(block) + a->stepOffset(step)));
      else
        first.append(registersA.begin() + (block * steps + step) * 4,
                     registersA.begin() + (block * steps + step + 1) * 4);
      auto mma = hopper::MmaAsyncOp::create(
          builder, loc, types, first, advance(descriptorB, b.stepOffset(step)),
          acc, element,
          element == elementB ? TypeAttr() : TypeAttr::get(elementB),
          bufferA && a->isTransposed(), b.isTransposed());
      acc.assign(mma.getResults().begin(), mma.getResults().end());
    }
    llvm::append_range(results, acc);
  }
  hopper::WgmmaCommitOp::create(builder, loc);
  map(op.getResult(), results);
  return success();
}

LogicalResult Distributor::distributeWait(hopper::WaitOp op) {
  SmallVector<Value> values(registers(op.getPending()));
  auto wait = hopper::WgmmaWaitOp::create(
      builder, loc, ValueRange(values).getTypes(), op.getYounger(), values);
  map(op.getResult(), wait.getResults());
  return success();
}
