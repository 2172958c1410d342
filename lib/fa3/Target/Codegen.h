//===- Codegen.h - From NVVM to PTX -----------------------------*- C++ -*-===//

#ifndef FA3_TARGET_CODEGEN_H
#define FA3_TARGET_CODEGEN_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

namespace fa3 {

/// What kernels are compiled for.
inline constexpr llvm::StringLiteral kTargetChip = "sm_90a";
inline constexpr llvm::StringLiteral kTargetFeatures = "+ptx83";
/// The first driver version that takes PTX 8.3, as cuDriverGetVersion has it.
inline constexpr int kMinimumDriver = 12030;

/// Registers what translation to LLVM IR needs.
void registerTargetTranslations(mlir::DialectRegistry &registry);

/// Translates the kernels of `gpuModule` to LLVM IR for the target and
/// optimizes it. Null, and an error has been emitted, if that fails.
std::unique_ptr<llvm::Module> generateLLVM(mlir::gpu::GPUModuleOp gpuModule,
                                           llvm::LLVMContext &context);

/// The PTX of optimized LLVM IR; `module` is changed. Errors go to `loc`.
mlir::FailureOr<std::string> generatePTX(llvm::Module &module,
                                         mlir::Location loc);

} // namespace fa3

#endif // FA3_TARGET_CODEGEN_H
