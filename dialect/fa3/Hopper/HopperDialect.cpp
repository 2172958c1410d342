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

/// Bytes of a panel's row.
static constexpr int64_t kPanelBytes = 128;

int64_t RingType::getStageBytes() {
  int64_t panels = llvm::divideCeil(getTile().getDimSize(1), getPanelColumns());
  return panels * getTile().getDimSize(0) * kPanelBytes;
}

int64_t RingType::getPanelColumns() {
  return kPanelBytes * 8 / getTile().getElementTypeBitWidth();
}
