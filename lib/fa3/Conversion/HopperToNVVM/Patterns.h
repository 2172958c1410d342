//===- Patterns.h - Lowering patterns of the hopper dialect -----*- C++ -*-===//
//
// Patterns by subject. All of them rewrite in one walk: at the thread level
// every operand already has a type of the LLVM dialect, except for the kernel's
// own arguments, which LoweredArguments translates.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_HOPPERTONVVM_PATTERNS_H
#define FA3_CONVERSION_HOPPERTONVVM_PATTERNS_H

#include "fa3/Conversion/HopperToNVVM/KernelSignature.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace fa3 {

/// mbarriers, named barriers, fences and register counts.
void populateSynchronizationPatterns(mlir::RewritePatternSet &patterns);

/// TMA copies, and loads and stores of global memory.
void populateMemoryPatterns(mlir::RewritePatternSet &patterns,
                            const LoweredArguments &arguments);

/// Places in global memory that somebody is the first to write to.
void populateClaimPatterns(mlir::RewritePatternSet &patterns,
                           const LoweredArguments &arguments);

/// Asynchronous matrix products and their descriptors.
void populateWgmmaPatterns(mlir::RewritePatternSet &patterns);

/// Threads' accesses to shared memory, and bulk copies' completion.
void populateSharedPatterns(mlir::RewritePatternSet &patterns);

/// Thread, block and warpgroup indices, roles and the grid.
void populateRolePatterns(mlir::RewritePatternSet &patterns);

/// Values exchanged between threads, conversions and approximate functions.
void populateArithmeticPatterns(mlir::RewritePatternSet &patterns);

} // namespace fa3

#endif // FA3_CONVERSION_HOPPERTONVVM_PATTERNS_H
