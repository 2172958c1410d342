//===- VerifyHopper.h - Parts of fa3-verify-hopper --------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_VERIFYHOPPER_H
#define FA3_TRANSFORMS_VERIFYHOPPER_H

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"

namespace fa3 {

/// The ring's buffer that a product's operand is part of.
mlir::Value bufferOf(mlir::Value operand);

/// Proves the use of rings: roles, order, releases.
mlir::LogicalResult verifyRings(tile::KernelOp kernel);

} // namespace fa3

#endif // FA3_TRANSFORMS_VERIFYHOPPER_H
