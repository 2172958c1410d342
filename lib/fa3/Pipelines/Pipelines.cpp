//===- Pipelines.cpp - The passes of each stage ---------------------------===//

#include "fa3/Pipelines/Pipelines.h"

#include "fa3/Conversion/Passes.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace fa3;

static void addCleanup(OpPassManager &manager) {
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void fa3::buildBackwardPipeline(OpPassManager &manager) {
  manager.addPass(createDeriveBackwardPass());
}

void fa3::buildSchedulePipeline(OpPassManager &manager, StringRef overrides) {
  manager.addNestedPass<func::FuncOp>(
      createSelectSchedulePass({overrides.str()}));
}

void fa3::buildAttnToTilePipeline(OpPassManager &manager) {
  manager.addPass(createAttnToTilePass());
  addCleanup(manager);
  OpPassManager &kernel = manager.nest<tile::KernelOp>();
  kernel.addPass(createMaskAnalysisPass());
  kernel.addPass(createLazyRescalePass());
  addCleanup(manager);
}

void fa3::buildTileToHopperPipeline(OpPassManager &manager) {
  manager.addNestedPass<tile::KernelOp>(createMakePersistentPass());
  manager.addNestedPass<tile::KernelOp>(createPipelineLoopsPass());
  addCleanup(manager);
  manager.addNestedPass<tile::KernelOp>(createSplitLoopsPass());
  addCleanup(manager);
  OpPassManager &kernel = manager.nest<tile::KernelOp>();
  kernel.addPass(createTileToHopperPass());
  kernel.addPass(createPartitionWarpgroupsPass());
  kernel.addPass(createSplitReductionsPass());
  kernel.addPass(createPlaceWaitsPass());
  kernel.addPass(createTakeTurnsPass());
  kernel.addPass(createSpecializeWarpsPass());
  kernel.addPass(createSkipIdleWarpgroupsPass());
  kernel.addPass(createVerifyHopperPass());
  addCleanup(manager);
}

void fa3::buildHopperToNVVMPipeline(OpPassManager &manager) {
  OpPassManager &rings = manager.nest<tile::KernelOp>();
  rings.addPass(createAllocateSharedMemoryPass());
  rings.addPass(createStageStoresPass());
  rings.addPass(createExpandReductionsPass());
  rings.addPass(createExpandRingsPass());
  rings.addPass(createExpandTurnsPass());
  addCleanup(manager);
  manager.addNestedPass<tile::KernelOp>(createDistributePass());
  addCleanup(manager);
  manager.addNestedPass<tile::KernelOp>(createHoldWaitsPass());
  manager.addNestedPass<tile::KernelOp>(createRecomputeIndicesPass());
  addCleanup(manager);
  manager.addPass(createHopperToNVVMPass());
  manager.addPass(createCSEPass());
}

void fa3::registerPipelines() {
  PassPipelineRegistration<>(
      "fa3-attn-to-tile-pipeline",
      "Chooses schedules and writes the tile programs of specs",
      [](OpPassManager &manager) {
        buildSchedulePipeline(manager, "");
        buildAttnToTilePipeline(manager);
      });
  PassPipelineRegistration<>("fa3-tile-to-hopper-pipeline",
                             "Tile programs to the hopper dialect",
                             buildTileToHopperPipeline);
  PassPipelineRegistration<>(
      "fa3-hopper-to-nvvm-pipeline",
      "The hopper dialect to threads and to the NVVM dialect",
      buildHopperToNVVMPipeline);
}
