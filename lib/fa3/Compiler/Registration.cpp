//===- Registration.cpp - All dialects and passes -------------------------===//

#include "fa3/Compiler/Registration.h"

#include "fa3/Attn/AttnOps.h"
#include "fa3/Conversion/Passes.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Pipelines/Pipelines.h"
#include "fa3/Target/Codegen.h"
#include "fa3/Tile/TileOps.h"
#include "fa3/Transforms/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void fa3::registerAllDialects(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
              gpu::GPUDialect, LLVM::LLVMDialect, math::MathDialect,
              memref::MemRefDialect, NVVM::NVVMDialect, scf::SCFDialect,
              ub::UBDialect, vector::VectorDialect, attn::AttnDialect,
              tile::TileDialect, hopper::HopperDialect>();
  registerTargetTranslations(registry);
}

void fa3::registerAllPasses() {
  registerFA3ConversionPasses();
  registerFA3TransformsPasses();
  registerPipelines();
  mlir::registerTransformsPasses();
}
