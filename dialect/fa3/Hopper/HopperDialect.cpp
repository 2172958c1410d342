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
