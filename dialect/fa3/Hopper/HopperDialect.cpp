//===- HopperDialect.cpp - Registration and types of the hopper dialect ---===//

#include "fa3/Hopper/HopperOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

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

/// Bytes of a panel's row, and of the chunks that the swizzle permutes in it.
static constexpr int64_t kPanelBytes = 128;
static constexpr int64_t kChunkBytes = 16;

int64_t RingType::getStageBytes() {
  if (!hasPanels())
    return getTile().getNumElements() * getTile().getElementTypeBitWidth() / 8;
  int64_t panels = llvm::divideCeil(getTile().getDimSize(1), getPanelColumns());
  return panels * getTile().getDimSize(0) * kPanelBytes;
}

int64_t RingType::getPanelColumns() {
  return kPanelBytes * 8 / getTile().getElementTypeBitWidth();
}

bool RingType::hasPanels() { return !getTile().getElementType().isF32(); }

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
  if (tile.getRank() == 2 && !tile.isScalable() && element.isF32())
    return success();
  if (tile.getRank() != 2 || tile.isScalable() || !element.isFloat() ||
      (element.getIntOrFloatBitWidth() != 8 &&
       element.getIntOrFloatBitWidth() != 16))
    return emitError()
           << "a buffer holds a tile of rank 2 of f32 or of 8-bit or "
              "16-bit floats, not "
           << tile;
  int64_t columns = kChunkBytes * 8 / element.getIntOrFloatBitWidth();
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

Type TensorMapType::parse(AsmParser &parser) {
  int64_t tensor;
  SmallVector<int64_t> box;
  bool swizzled = true;
  if (parser.parseLess() || parser.parseInteger(tensor) ||
      parser.parseComma() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parser.parseInteger(box.emplace_back());
      }))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("linear"))
      return {};
    swizzled = false;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<TensorMapType>(parser.getContext(), tensor,
                                          ArrayRef<int64_t>(box), swizzled);
}

void TensorMapType::print(AsmPrinter &printer) const {
  printer << "<" << getTensor() << ", [";
  llvm::interleaveComma(getBox(), printer);
  printer << "]" << (getSwizzled() ? ">" : ", linear>");
}

LogicalResult
TensorMapType::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t tensor, ArrayRef<int64_t> box, bool) {
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
