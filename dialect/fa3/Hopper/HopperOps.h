//===- HopperOps.h - Operations of the hopper dialect -----------*- C++ -*-===//

#ifndef FA3_HOPPER_HOPPEROPS_H
#define FA3_HOPPER_HOPPEROPS_H

#include "fa3/Hopper/HopperDialect.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_TYPEDEF_CLASSES
#include "fa3/Hopper/HopperTypes.h.inc"
#define GET_OP_CLASSES
#include "fa3/Hopper/HopperOps.h.inc"

#endif // FA3_HOPPER_HOPPEROPS_H
