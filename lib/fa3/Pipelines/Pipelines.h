//===- Pipelines.h - The passes of each stage -------------------*- C++ -*-===//
//
// A spec becomes a kernel in three stages. Each is a pipeline of its own, so
// that a dump between two of them can be read, and taken up again.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_PIPELINES_PIPELINES_H
#define FA3_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace fa3 {

/// Specs of attention to specs of its gradients.
void buildBackwardPipeline(mlir::OpPassManager &manager);

/// Chooses the schedule of every spec. `overrides` changes single fields of it:
/// "field=value,field=value".
void buildSchedulePipeline(mlir::OpPassManager &manager,
                           llvm::StringRef overrides);

/// Specs that have a schedule to tile programs.
void buildAttnToTilePipeline(mlir::OpPassManager &manager);

/// Tile programs to the warpgroup level of the hopper dialect.
void buildTileToHopperPipeline(mlir::OpPassManager &manager);

/// The warpgroup level to threads, and these to a gpu.module of the NVVM and
/// LLVM dialects.
void buildHopperToNVVMPipeline(mlir::OpPassManager &manager);

/// Makes the pipelines available as options of fa3-opt.
void registerPipelines();

} // namespace fa3

#endif // FA3_PIPELINES_PIPELINES_H
