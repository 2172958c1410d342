//===- Ptxas.h - NVIDIA's assembler -----------------------------*- C++ -*-===//

#ifndef FA3_TARGET_PTXAS_H
#define FA3_TARGET_PTXAS_H

#include "mlir/IR/Diagnostics.h"

namespace fa3 {

/// An assembler that knows sm_90a.
struct Ptxas {
  std::string path;
  /// E.g. "13.0.88".
  std::string version;
};

/// Finds ptxas: `path` if it is not empty, else the environment variable
/// FA3_PTXAS, else the first new enough one on the PATH, in a CUDA toolkit or
/// in a Python environment. Null if there is none, or if `path` or the variable
/// is "none"; an error only if a path was given explicitly and is not a usable
/// assembler.
mlir::FailureOr<std::optional<Ptxas>> findPtxas(llvm::StringRef path,
                                                mlir::Location loc);

/// What ptxas says about one kernel.
struct KernelUsage {
  std::string name;
  unsigned registers = 0;
  unsigned stackBytes = 0;
  unsigned spillStoreBytes = 0;
  unsigned spillLoadBytes = 0;
};

struct AssemblerReport {
  std::vector<KernelUsage> kernels;
  /// Its lines about serialized wgmma, ignored setmaxnreg and the like.
  std::vector<std::string> performanceWarnings;
};

/// Reads the output of `ptxas -v`.
AssemblerReport parseAssemblerOutput(llvm::StringRef output);

/// Emits a diagnostic for everything in `report` that makes a kernel slow: a
/// spill, a stack frame, a performance warning. They are errors, and the result
/// is failure, unless `allow` is set, in which case they are warnings.
mlir::LogicalResult checkAssemblerReport(const AssemblerReport &report,
                                         bool allow, mlir::Location loc);

/// Assembles `ptx` to a cubin; `report` receives what ptxas said.
mlir::FailureOr<std::string> assemble(const Ptxas &ptxas, llvm::StringRef ptx,
                                      AssemblerReport &report,
                                      mlir::Location loc);

} // namespace fa3

#endif // FA3_TARGET_PTXAS_H
