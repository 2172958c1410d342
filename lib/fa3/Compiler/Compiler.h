//===- Compiler.h - From a spec to a package --------------------*- C++ -*-===//
//
// The compiler as a library: what fa3-opt --emit does, in process.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_COMPILER_COMPILER_H
#define FA3_COMPILER_COMPILER_H

#include "fa3/Compiler/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>
#include <vector>

namespace fa3 {

/// How far to compile, and so what the artifact is.
enum class Stage {
  Attn,    ///< the spec with its schedule
  Tile,    ///< the program of one CTA
  Hopper,  ///< warpgroups, TMA, wgmma
  NVVM,    ///< a gpu.module
  LLVM,    ///< optimized LLVM IR
  PTX,     ///< text for the assembler or the driver
  Cubin,   ///< needs ptxas
  Package, ///< a .fa3 file
  Header   ///< a C header with the package in an array
};

/// The stage called `name` ("attn", "tile", ...), if there is one.
std::optional<Stage> parseStage(llvm::StringRef name);

/// The names that parseStage knows, separated by ", ".
std::string getStageNames();

struct CompileOptions {
  Stage stage = Stage::Package;
  /// Compile the gradients of what the spec computes.
  bool backward = false;
  /// Fields of the schedule to change: "field=value,field=value".
  std::string schedule;
  /// Path of ptxas; empty to look for one, "none" to do without.
  std::string ptxas;
  /// Accept kernels that spill or that ptxas calls slow.
  bool allowSpills = false;
  /// Collect remarks: what the passes decided, and why.
  bool remarks = false;
};

/// Milliseconds.
struct CompileTimes {
  double passes = 0;
  double llvm = 0;
  double ptxas = 0;
};

struct CompileResult {
  bool succeeded = false;
  std::string artifact;
  std::vector<CompileDiagnostic> diagnostics;
  CompileTimes times;
};

/// Compiles the spec in `source`. `name` is what diagnostics call it.
CompileResult compile(llvm::StringRef source, llvm::StringRef name,
                      const CompileOptions &options);

/// Compiles the spec in `module`, which is changed. Its context must have the
/// dialects and translations of registerAllDialects.
CompileResult compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace fa3

#endif // FA3_COMPILER_COMPILER_H
