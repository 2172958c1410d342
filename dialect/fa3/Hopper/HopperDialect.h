//===- HopperDialect.h - The hopper dialect ---------------------*- C++ -*-===//

#ifndef FA3_HOPPER_HOPPERDIALECT_H
#define FA3_HOPPER_HOPPERDIALECT_H

#include "mlir/IR/Dialect.h"

#include "fa3/Hopper/HopperDialect.h.inc"

#endif // FA3_HOPPER_HOPPERDIALECT_H
