//===- Manifest.h - What the runtime must know ------------------*- C++ -*-===//

#ifndef FA3_TARGET_MANIFEST_H
#define FA3_TARGET_MANIFEST_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fa3 {

/// The name and versions of the compiler.
std::string getCompilerVersion();

/// The manifest (JSON, see docs/abi.md) of the kernels in `gpuModule`;
/// `ptxasVersion` is empty when the package has no cubin.
mlir::FailureOr<std::string> writeManifest(mlir::gpu::GPUModuleOp gpuModule,
                                           llvm::StringRef ptxasVersion);

} // namespace fa3

#endif // FA3_TARGET_MANIFEST_H
