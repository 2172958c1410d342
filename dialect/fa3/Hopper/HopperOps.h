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

namespace fa3::hopper {

// Attributes of a kernel that has been given shared memory and threads.
/// Bytes of dynamic shared memory (i64).
inline constexpr llvm::StringLiteral kSharedMemoryAttrName =
    "hopper.shared_memory";
/// Threads of a CTA (i64).
inline constexpr llvm::StringLiteral kThreadsAttrName = "hopper.threads";

// Attributes of a lowered kernel, in the form of a package's manifest.
/// Number of CTAs: an integer, a symbol's name, or {op, args = [., .]}.
inline constexpr llvm::StringLiteral kGridAttrName = "hopper.grid";
/// Where the kernel is launched: where this expression is not 0. Optional.
inline constexpr llvm::StringLiteral kLaunchIfAttrName = "hopper.launch_if";
/// How the runtime computes each parameter: a dictionary for each, in order.
inline constexpr llvm::StringLiteral kParametersAttrName = "hopper.parameters";

// Attributes of the gpu.module, in the form of a package's manifest.
inline constexpr llvm::StringLiteral kTensorsAttrName = "hopper.tensors";
inline constexpr llvm::StringLiteral kProblemAttrName = "hopper.problem";
inline constexpr llvm::StringLiteral kConstraintsAttrName =
    "hopper.constraints";

} // namespace fa3::hopper

#endif // FA3_HOPPER_HOPPEROPS_H
