//===- Diagnostics.h - Collecting what a compilation says -------*- C++ -*-===//

#ifndef FA3_COMPILER_DIAGNOSTICS_H
#define FA3_COMPILER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace fa3 {

struct CompileDiagnostic {
  mlir::DiagnosticSeverity severity;
  /// The message with its location and, where there is one, the source line.
  std::string text;
};

/// Renders the diagnostics of a context the way MLIR's tools print them, one
/// string for each.
class DiagnosticCollector : public mlir::SourceMgrDiagnosticHandler {
public:
  DiagnosticCollector(llvm::SourceMgr &sources, mlir::MLIRContext *context,
                      std::vector<CompileDiagnostic> &diagnostics);

private:
  std::string text;
  llvm::raw_string_ostream stream;
};

/// Collects optimization remarks of a context during its life: what passes
/// decided, and why.
class RemarkCollector {
public:
  RemarkCollector(mlir::MLIRContext *context,
                  std::vector<CompileDiagnostic> &diagnostics);
  ~RemarkCollector();
  RemarkCollector(const RemarkCollector &) = delete;
  RemarkCollector &operator=(const RemarkCollector &) = delete;

private:
  mlir::MLIRContext *context;
};

} // namespace fa3

#endif // FA3_COMPILER_DIAGNOSTICS_H
