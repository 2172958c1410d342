//===- HopperDialect.cpp - Registration and types of the hopper dialect ---===//

#include "fa3/Hopper/HopperOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fa3::hopper;

#include "fa3/Hopper/HopperDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "fa3/Hopper/HopperTypes.cpp.inc"

void HopperDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "fa3/Hopper/HopperTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fa3/Hopper/HopperOps.cpp.inc"
      >();
}

int64_t RingType::getStageBytes() {
  return getTile().getNumElements() * getTile().getElementTypeBitWidth() / 8;
}

int64_t RingType::getPanelColumns() {
  return 128 * 8 / getTile().getElementTypeBitWidth();
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t stages, VectorType tile) {
  if (stages < 1)
    return emitError() << "a ring needs a stage, not " << stages;
  return BufferType::verify(emitError, tile,
                            tile.getRank() == 2 ? tile.getDimSize(0) : 0);
}

LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 VectorType tile, int64_t panelRows) {
  Type element = tile.getElementType();
  if (tile.getRank() != 2 || tile.isScalable() || !element.isFloat() ||
      (element.getIntOrFloatBitWidth() != 8 &&
       element.getIntOrFloatBitWidth() != 16))
    return emitError() << "a buffer holds a tile of rank 2 of 8-bit or 16-bit "
                          "floats, not "
                       << tile;
  int64_t columns = 128 * 8 / element.getIntOrFloatBitWidth();
  if (tile.getDimSize(0) % 8 != 0 || tile.getDimSize(1) % columns != 0)
    return emitError() << "a buffer of " << element
                       << " has a multiple of 8 rows and of " << columns
                       << " columns, but not " << tile.getDimSize(0) << " by "
                       << tile.getDimSize(1);
  if (panelRows < tile.getDimSize(0))
    return emitError() << "panels of " << panelRows << " rows do not hold "
                       << tile.getDimSize(0) << " rows";
  return success();
}

LogicalResult
TensorMapType::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t tensor, ArrayRef<int64_t> box) {
  if (tensor < 0)
    return emitError() << "a tensor map describes an argument, not number "
                       << tensor;
  if (box.size() < 2 || box.size() > 5)
    return emitError() << "TMA copies tensors of rank 2 to 5, not "
                       << box.size();
  for (int64_t size : box)
    if (size < 1 || size > 256)
      return emitError() << "the sides of a box are from 1 to 256, not "
                         << size;
  return success();
}
