//===- Diagnostics.cpp - Collecting what a compilation says ---------------===//

#include "fa3/Compiler/Diagnostics.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace fa3;

namespace {

/// The place in a source file where a remark belongs, e.g. "spec.mlir:3:8: ".
std::string getPlace(Location loc) {
  std::string place;
  llvm::raw_string_ostream os(place);
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    os << file.getFilename().getValue() << ":" << file.getLine() << ":"
       << file.getColumn() << ": ";
  return place;
}

class RemarkStreamer final : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit RemarkStreamer(std::vector<CompileDiagnostic> &diagnostics)
      : diagnostics(diagnostics) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string text = getPlace(remark.getLocation()) + "remark: ";
    for (const auto &argument : remark.getArgs())
      text += argument.val;
    text += " [" + remark.getRemarkName().str() + "]\n";
    diagnostics.push_back({DiagnosticSeverity::Remark, std::move(text)});
  }

private:
  std::vector<CompileDiagnostic> &diagnostics;
};

} // namespace

DiagnosticCollector::DiagnosticCollector(
    llvm::SourceMgr &sources, MLIRContext *context,
    std::vector<CompileDiagnostic> &diagnostics)
    : SourceMgrDiagnosticHandler(sources, context, stream), stream(text) {
  setHandler([this, &diagnostics](Diagnostic &diagnostic) {
    emitDiagnostic(diagnostic);
    diagnostics.push_back({diagnostic.getSeverity(), text});
    text.clear();
  });
}

RemarkCollector::RemarkCollector(MLIRContext *context,
                                 std::vector<CompileDiagnostic> &diagnostics)
    : context(context) {
  remark::RemarkCategories categories;
  categories.passed = categories.missed = categories.analysis =
      categories.failed = ".*";
  (void)remark::enableOptimizationRemarks(
      *context, std::make_unique<RemarkStreamer>(diagnostics),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

RemarkCollector::~RemarkCollector() { context->setRemarkEngine(nullptr); }
