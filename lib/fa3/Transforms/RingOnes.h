//===- RingOnes.h - Rows of ones in a ring's buffers ------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_RINGONES_H
#define FA3_TRANSFORMS_RINGONES_H

#include "fa3/Hopper/HopperOps.h"

namespace fa3 {

/// Writes the rows that products read and no copy fills (`ones`), in front of a
/// barrier of the CTA; `thread` is the thread's index.
void writeOnes(mlir::OpBuilder &builder, mlir::Value thread,
               llvm::ArrayRef<hopper::RingAllocOp> rings);

} // namespace fa3

#endif // FA3_TRANSFORMS_RINGONES_H
