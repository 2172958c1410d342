//===- HopperOps.cpp - Verifiers of the hopper dialect --------------------===//

#include "fa3/Hopper/HopperOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace fa3::hopper;

#define GET_OP_CLASSES
#include "fa3/Hopper/HopperOps.cpp.inc"
