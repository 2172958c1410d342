//===- HopperOps.cpp - Verifiers of the hopper dialect --------------------===//

#include "fa3/Hopper/HopperOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace fa3::hopper;

#define GET_OP_CLASSES
#include "fa3/Hopper/HopperOps.cpp.inc"

void SpecializeOp::build(OpBuilder &builder, OperationState &state,
                         int64_t warpgroups, int64_t producerRegisters,
                         int64_t consumerRegisters) {
  build(builder, state, /*active=*/Value(), warpgroups, producerRegisters,
        consumerRegisters);
}

//===----------------------------------------------------------------------===//
// Warpgroup level
//===----------------------------------------------------------------------===//

LogicalResult RingAllocOp::verify() {
  if (getRing().getType().hasPanels() && getOffset().value_or(0) % 1024 != 0)
    return emitOpError("needs buffers at a multiple of 1024 bytes, the period "
                       "of the swizzle, not at ")
           << *getOffset();
  if (getOffset().value_or(0) % 128 != 0)
    return emitOpError("needs buffers at a multiple of 128 bytes, not at ")
           << *getOffset();
  if (getBarriers().value_or(0) % 8 != 0)
    return emitOpError("needs mbarriers at a multiple of 8 bytes, not at ")
           << *getBarriers();
  return success();
}

LogicalResult RingPutOp::verify() {
  auto source = dyn_cast<MemRefType>(getSource().getType());
  if (!source)
    return emitOpError("needs a ranked source");
  if (static_cast<int64_t>(getIndices().size()) != source.getRank())
    return emitOpError("needs an index for each of the source's ")
           << source.getRank() << " dimensions, not " << getIndices().size();
  VectorType tile = getRing().getType().getTile();
  if (source.getElementType() != tile.getElementType())
    return emitOpError("cannot load elements of type ")
           << source.getElementType() << " into " << tile;
  if (getDims().size() != 2)
    return emitOpError("needs two entries in dims, not ") << getDims().size();
  for (int64_t dim : getDims())
    if (dim < -1 || dim >= source.getRank())
      return emitOpError("names dimension ")
             << dim << " of a source of rank " << source.getRank();
  return success();
}

/// Whether `buffer` can be one of the buffers of `ring`.
static bool isBufferOf(BufferType buffer, RingType ring) {
  return buffer.getTile() == ring.getTile() &&
         buffer.getPanelRows() == ring.getTile().getDimSize(0);
}

LogicalResult RingGetOp::verify() {
  if (!isBufferOf(getBuffer().getType(), getRing().getType()))
    return emitOpError("gives ")
           << getBuffer().getType() << ", which is no buffer of "
           << getRing().getType();
  return success();
}

LogicalResult RingReleaseOp::verify() {
  if (!isBufferOf(getBuffer().getType(), getRing().getType()))
    return emitOpError("releases ")
           << getBuffer().getType() << ", which is no buffer of "
           << getRing().getType();
  return success();
}

/// Checks that `to` has the columns of `from` as rows, and rows of ones or
/// none.
static LogicalResult verifyTransposed(Operation *op, VectorType from,
                                      VectorType to) {
  int64_t more = to.getDimSize(0) - from.getDimSize(1);
  if (from.getElementTypeBitWidth() == 8 &&
      from.getElementType() == to.getElementType() &&
      from.getDimSize(0) == to.getDimSize(1) &&
      (more == 0 || more == fa3::tile::LoadOp::kOnesRows) &&
      from.getDimSize(0) % 32 == 0 && from.getDimSize(1) % 32 == 0)
    return success();
  return op->emitOpError("transposes 8-bit floats with multiples of 32 as rows "
                         "and columns, not ")
         << from << " to " << to;
}

LogicalResult RingTransposeOp::verify() {
  if (getFrom() == getTo())
    return emitOpError("needs two rings");
  return verifyTransposed(*this, getFrom().getType().getTile(),
                          getTo().getType().getTile());
}

LogicalResult BufferTransposeOp::verify() {
  return verifyTransposed(*this, getSource().getType().getTile(),
                          getTarget().getType().getTile());
}

LogicalResult RowsOp::verify() {
  BufferType source = getSource().getType(), result = getResult().getType();
  if (result.getPanelRows() != source.getPanelRows() ||
      result.getTile().getElementType() != source.getTile().getElementType() ||
      result.getTile().getDimSize(1) != source.getTile().getDimSize(1) ||
      result.getTile().getDimSize(0) > source.getTile().getDimSize(0))
    return emitOpError("cannot take ") << result << " out of " << source;
  return success();
}

LogicalResult ColumnsOp::verify() {
  BufferType source = getSource().getType(), result = getResult().getType();
  if (result.getPanelRows() != source.getPanelRows() ||
      result.getTile().getElementType() != source.getTile().getElementType() ||
      result.getTile().getDimSize(0) != source.getTile().getDimSize(0) ||
      result.getTile().getDimSize(1) > source.getTile().getDimSize(1))
    return emitOpError("cannot take ") << result << " out of " << source;
  if (source.getTile().getElementType().isF32() &&
      source.getTile().getDimSize(0) != 1)
    return emitOpError("cannot take columns of a packed tile, ") << source;
  return success();
}

LogicalResult BufferLoadOp::verify() {
  VectorType tile = getSource().getType().getTile();
  if (getResult().getType() != tile || !tile.getElementType().isF32())
    return emitOpError("reads a tile of f32 as a whole, not ")
           << getResult().getType() << " from " << getSource().getType();
  return success();
}

/// Whether `part` is as wide or as high as `whole`, and divides it.
static bool isPartOf(VectorType part, VectorType whole) {
  if (part.getRank() != 2 || part.getElementType() != whole.getElementType())
    return false;
  int64_t rows = part.getDimSize(0), columns = part.getDimSize(1);
  return whole.getDimSize(0) % rows == 0 &&
         whole.getDimSize(1) % columns == 0 &&
         (rows == whole.getDimSize(0) || columns == whole.getDimSize(1));
}

static VectorType transpose(VectorType tile) {
  return VectorType::get({tile.getDimSize(1), tile.getDimSize(0)},
                         tile.getElementType());
}

LogicalResult BufferStoreOp::verify() {
  VectorType tile = getTarget().getType().getTile();
  auto value = cast<VectorType>(getValue().getType());
  if (getStraight() && tile.getElementType().isF32())
    return emitOpError("stores a tile of f32 packed, not straight");
  if (!tile.getElementType().isF32() && !getStraight())
    value = transpose(value);
  // Rows of a packed tile are stored as a whole.
  if (value.getElementType() != tile.getElementType() ||
      value.getDimSize(0) > tile.getDimSize(0) ||
      value.getDimSize(1) > tile.getDimSize(1) ||
      (value.getElementType().isF32() &&
       value.getDimSize(1) != tile.getDimSize(1)))
    return emitOpError("cannot store ")
           << value << " in " << getTarget().getType();
  return success();
}

LogicalResult ShareOp::verify() {
  RingType ring = getRing().getType();
  if (!isBufferOf(getBuffer().getType(), ring) || !ring.hasPanels())
    return emitOpError("gives ")
           << getBuffer().getType() << ", which is no buffer of " << ring
           << " for products";
  auto value = cast<VectorType>(getValue().getType());
  if (!isPartOf(transpose(value), ring.getTile()))
    return emitOpError("cannot share the transpose of ")
           << value << " as rows or columns of " << ring.getTile();
  return success();
}

LogicalResult OutPutOp::verify() {
  RingType ring = getRing().getType();
  auto value = cast<VectorType>(getValue().getType());
  if (ring.hasPanels() || ring.getStages() != 1 ||
      !isPartOf(value, ring.getTile()) ||
      value.getDimSize(1) != ring.getTile().getDimSize(1))
    return emitOpError("cannot put ") << value << " as rows into " << ring;
  return success();
}

/// Checks the indices of an access to global memory.
static LogicalResult verifyAccess(Operation *op, Type type, size_t indices) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || static_cast<int64_t>(indices) != memref.getRank())
    return op->emitOpError("needs an index for each dimension of ") << type;
  return success();
}

/// The state of a place that somebody is the first to write to.
static LogicalResult verifyPlace(Operation *op, Type type, size_t indices) {
  auto memref = dyn_cast<MemRefType>(type);
  if (memref && !memref.getElementType().isF32())
    return op->emitOpError("says in f32 what has begun, not in ")
           << memref.getElementType();
  return verifyAccess(op, type, indices);
}

LogicalResult OutReduceOp::verify() {
  if (failed(verifyAccess(*this, getTarget().getType(), getIndices().size())))
    return failure();
  auto memref = cast<MemRefType>(getTarget().getType());
  if (getRing().getType().hasPanels() || !memref.getElementType().isF32())
    return emitOpError("cannot add ")
           << getRing().getType().getTile() << " to " << memref;
  if (Value begun = getBegun())
    return verifyPlace(*this, begun.getType(), getIndices().size() - 1);
  return success();
}

/// The tile that is an operand of a product, in shared memory or registers.
static VectorType getOperandTile(Type type) {
  if (auto buffer = dyn_cast<BufferType>(type))
    return buffer.getTile();
  return cast<VectorType>(type);
}

/// Whether wgmma multiplies elements of these types: of one type, or of 8 bits.
static bool haveProduct(Type a, Type b) {
  return a == b ||
         (a.getIntOrFloatBitWidth() == 8 && b.getIntOrFloatBitWidth() == 8);
}

LogicalResult WgmmaOp::verify() {
  VectorType a = getOperandTile(getA().getType());
  VectorType b = getOperandTile(getB().getType());
  VectorType result = getResult().getType().getTile();
  int64_t contractA = getContractA(), contractB = getContractB();
  if (!haveProduct(a.getElementType(), b.getElementType()))
    return emitOpError("multiplies ") << a << " with " << b;
  if (isa<VectorType>(getA().getType()) && contractA != 1)
    return emitOpError("contracts dimension 0 of an operand in registers");
  if (a.getDimSize(contractA) != b.getDimSize(contractB))
    return emitOpError("contracts ")
           << a.getDimSize(contractA) << " elements with "
           << b.getDimSize(contractB);
  if (!result.getElementType().isF32() ||
      result.getDimSize(0) != a.getDimSize(1 - contractA) ||
      result.getDimSize(1) != b.getDimSize(1 - contractB))
    return emitOpError("gives f32 values, ")
           << a.getDimSize(1 - contractA) << " by "
           << b.getDimSize(1 - contractB) << ", not " << result;
  if (getAcc() && getAcc().getType() != result)
    return emitOpError("adds ") << getAcc().getType() << " to " << result;
  return success();
}

LogicalResult WaitOp::verify() {
  if (getResult().getType() != getPending().getType().getTile())
    return emitOpError("gives ") << getPending().getType().getTile() << ", not "
                                 << getResult().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Thread level
//===----------------------------------------------------------------------===//

/// A tensor copy has a coordinate for each dimension of its tensor.
template <typename CopyOp> static LogicalResult verifyCoordinates(CopyOp op) {
  size_t rank = op.getMap().getType().getBox().size();
  if (op.getCoordinates().size() != rank)
    return op.emitOpError("needs a coordinate for each of the map's ")
           << rank << " dimensions, not " << op.getCoordinates().size();
  return success();
}

LogicalResult TmaLoadOp::verify() { return verifyCoordinates(*this); }

LogicalResult TmaStoreOp::verify() { return verifyCoordinates(*this); }

LogicalResult MmaAsyncOp::verify() {
  bool descriptor = getA().size() == 1 && getA()[0].getType().isInteger(64);
  bool registers = getA().size() == 4 &&
                   llvm::all_of(getA().getTypes(),
                                [](Type type) { return type.isInteger(32); });
  if (!descriptor && !registers)
    return emitOpError("takes one i64 descriptor or four i32 registers as its "
                       "first operand");
  Type element = getElement();
  if (!element.isBF16() && !element.isF16() &&
      !isa<Float8E4M3FNType, Float8E5M2Type>(element))
    return emitOpError("cannot multiply elements of type ") << element;
  if (getElementB() && (!haveProduct(element, *getElementB()) ||
                        !isa<FloatType>(*getElementB())))
    return emitOpError("cannot multiply elements of types ")
           << element << " and " << *getElementB();
  size_t results = getResults().size();
  if (results < 4 || results > 128 || results % 4 != 0)
    return emitOpError("gives a multiple of 4 registers from 4 to 128, not ")
           << results;
  if (!getAcc().empty() && getAcc().size() != results)
    return emitOpError("needs as many accumulators as results (")
           << results << "), not " << getAcc().size();
  if (getTransposeA() && registers)
    return emitOpError("cannot transpose an operand in registers");
  if ((getTransposeA() || getTransposeB()) &&
      element.getIntOrFloatBitWidth() != 16)
    return emitOpError("can only transpose 16-bit operands");
  return success();
}

LogicalResult WgmmaWaitOp::verify() {
  if (getValues().getTypes() != getResults().getTypes())
    return emitOpError("gives values of the types that it takes");
  return success();
}

LogicalResult HoldOp::verify() {
  if (getValues().empty())
    return emitOpError("needs a value to hold waits back for");
  return success();
}

LogicalResult PackOp::verify() {
  if (!getElement().isBF16() && !getElement().isF16() &&
      !isa<Float8E4M3FNType, Float8E5M2Type>(getElement()))
    return emitOpError("cannot pack values of type ") << getElement();
  size_t count = 32 / getElement().getIntOrFloatBitWidth();
  if (getValues().size() != count)
    return emitOpError("packs ") << count << " values of type " << getElement()
                                 << ", not " << getValues().size();
  return success();
}

LogicalResult UnpackOp::verify() {
  if (!isa<Float8E4M3FNType, Float8E5M2Type>(getElement()))
    return emitOpError("cannot unpack values of type ") << getElement();
  return success();
}

LogicalResult GlobalStoreOp::verify() {
  size_t count = getValues().size();
  if (count != 1 && count != 2 && count != 4)
    return emitOpError("stores 1, 2 or 4 registers, not ") << count;
  return verifyAccess(*this, getTarget().getType(), getIndices().size());
}

/// Checks how many registers one access moves.
static LogicalResult verifyCount(Operation *op, size_t count) {
  if (count != 1 && count != 2 && count != 4)
    return op->emitOpError("moves 1, 2 or 4 registers, not ") << count;
  return success();
}

LogicalResult GlobalLoadOp::verify() {
  auto memref = dyn_cast<MemRefType>(getSource().getType());
  unsigned bits = memref ? memref.getElementTypeBitWidth() : 32;
  if (bits != 32 && bits != 16 && bits != 8)
    return emitOpError("loads 32-bit, 16-bit or 8-bit elements, not ")
           << memref.getElementType();
  if (failed(verifyCount(*this, getResults().size())))
    return failure();
  return verifyAccess(*this, getSource().getType(), getIndices().size());
}

LogicalResult GlobalReduceOp::verify() {
  if (failed(verifyCount(*this, getValues().size())))
    return failure();
  auto memref = dyn_cast<MemRefType>(getTarget().getType());
  if (memref && !memref.getElementType().isF32())
    return emitOpError("adds f32, not ") << memref.getElementType();
  return verifyAccess(*this, getTarget().getType(), getIndices().size());
}

LogicalResult GlobalMaxOp::verify() {
  auto memref = dyn_cast<MemRefType>(getTarget().getType());
  if (memref && !memref.getElementType().isF32())
    return emitOpError("raises f32, not ") << memref.getElementType();
  return verifyAccess(*this, getTarget().getType(), getIndices().size());
}

LogicalResult SharedLoadOp::verify() {
  return verifyCount(*this, getResults().size());
}

LogicalResult SharedStoreOp::verify() {
  return verifyCount(*this, getValues().size());
}

LogicalResult LoadMatrixOp::verify() {
  return verifyCount(*this, getResults().size());
}

LogicalResult StoreMatrixOp::verify() {
  return verifyCount(*this, getValues().size());
}

/// A bulk copy of f32 to global memory.
static LogicalResult verifyBulk(Operation *op, int64_t bytes, Type target,
                                size_t indices) {
  if (bytes % 16 != 0)
    return op->emitOpError("copies a multiple of 16 bytes, not ") << bytes;
  auto memref = dyn_cast<MemRefType>(target);
  if (memref && !memref.getElementType().isF32())
    return op->emitOpError(isa<BulkReduceOp>(op) ? "adds" : "copies")
           << " f32, not " << memref.getElementType();
  return verifyAccess(op, target, indices);
}

LogicalResult BulkReduceOp::verify() {
  return verifyBulk(*this, getBytes(), getTarget().getType(),
                    getIndices().size());
}

LogicalResult BulkStoreOp::verify() {
  return verifyBulk(*this, getBytes(), getTarget().getType(),
                    getIndices().size());
}

LogicalResult ClaimOp::verify() {
  return verifyPlace(*this, getSource().getType(), getIndices().size());
}

LogicalResult PublishOp::verify() {
  return verifyPlace(*this, getTarget().getType(), getIndices().size());
}
