//===- Compiler.cpp - From a spec to a package ----------------------------===//

#include "fa3/Compiler/Compiler.h"

#include "fa3/Compiler/Registration.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Pipelines/Pipelines.h"
#include "fa3/Target/Codegen.h"
#include "fa3/Target/Manifest.h"
#include "fa3/Target/Package.h"
#include "fa3/Target/Ptxas.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>

using namespace mlir;
using namespace fa3;

namespace {

struct StageName {
  Stage stage;
  StringLiteral name;
};

constexpr StageName kStageNames[] = {
    {Stage::Attn, "attn"},     {Stage::Tile, "tile"},
    {Stage::Hopper, "hopper"}, {Stage::NVVM, "nvvm"},
    {Stage::LLVM, "llvm"},     {Stage::PTX, "ptx"},
    {Stage::Cubin, "cubin"},   {Stage::Package, "package"},
    {Stage::Header, "header"},
};

/// Adds the time of its life to a counter.
class Timer {
public:
  explicit Timer(double &milliseconds)
      : milliseconds(milliseconds), start(std::chrono::steady_clock::now()) {}
  ~Timer() {
    milliseconds += std::chrono::duration<double, std::milli>(
                        std::chrono::steady_clock::now() - start)
                        .count();
  }

private:
  double &milliseconds;
  std::chrono::steady_clock::time_point start;
};

/// One compilation of a module.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options,
              CompileResult &result)
      : module(module), options(options), result(result) {}

  void run() { result.succeeded = succeeded(compile()); }

private:
  LogicalResult compile() {
    if (failed(checkSpec()) || failed(runPasses()))
      return failure();
    if (options.stage <= Stage::NVVM) {
      llvm::raw_string_ostream(result.artifact) << *module << "\n";
      return success();
    }
    auto modules = module.getOps<gpu::GPUModuleOp>();
    if (modules.empty())
      return module.emitError("has no kernel");
    return generate(*modules.begin());
  }

  /// A package holds the kernels of one spec.
  LogicalResult checkSpec() {
    auto specs = module.getOps<func::FuncOp>();
    if (llvm::range_size(specs) > 1) {
      auto second = std::next(specs.begin());
      InFlightDiagnostic error =
          (*second).emitError("a package is compiled from one spec");
      error.attachNote((*specs.begin()).getLoc()) << "the first spec is here";
      return error;
    }
    if (specs.empty() && module.getOps<tile::KernelOp>().empty() &&
        module.getOps<gpu::GPUModuleOp>().empty())
      return module.emitError("has neither a spec nor a kernel");
    return success();
  }

  LogicalResult runPasses() {
    Timer timer(result.times.passes);
    PassManager manager(module.getContext());
    manager.enableVerifier(true);
    if (options.backward)
      buildBackwardPipeline(manager);
    buildSchedulePipeline(manager, options.schedule);
    if (options.stage >= Stage::Tile)
      buildAttnToTilePipeline(manager);
    if (options.stage >= Stage::Hopper && !isHopper())
      buildTileToHopperPipeline(manager);
    if (options.stage >= Stage::NVVM)
      buildHopperToNVVMPipeline(manager);
    if (failed(manager.run(module)))
      return failure();
    if (options.stage >= Stage::Tile)
      for (func::FuncOp rest : module.getOps<func::FuncOp>())
        return rest.emitError("is not a spec: it has no attn operation");
    return success();
  }

  /// Whether the input is at the hopper level already.
  bool isHopper() {
    return module
        .walk([](Operation *op) {
          return isa_and_present<hopper::HopperDialect>(op->getDialect())
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  LogicalResult generate(gpu::GPUModuleOp gpuModule) {
    std::string ptx;
    {
      Timer timer(result.times.llvm);
      llvm::LLVMContext context;
      std::unique_ptr<llvm::Module> llvmModule =
          generateLLVM(gpuModule, context);
      if (!llvmModule)
        return failure();
      if (options.stage == Stage::LLVM) {
        llvm::raw_string_ostream(result.artifact) << *llvmModule;
        return success();
      }
      FailureOr<std::string> generated =
          generatePTX(*llvmModule, gpuModule.getLoc());
      if (failed(generated))
        return failure();
      ptx = std::move(*generated);
    }
    if (options.stage == Stage::PTX) {
      result.artifact = std::move(ptx);
      return success();
    }
    std::string cubin, ptxasVersion;
    {
      Timer timer(result.times.ptxas);
      if (failed(assembleKernels(gpuModule.getLoc(), ptx, cubin, ptxasVersion)))
        return failure();
    }
    if (options.stage == Stage::Cubin) {
      if (cubin.empty())
        return gpuModule.emitError("needs a ptxas of CUDA 12.3 or later; name "
                                   "one with --ptxas or FA3_PTXAS");
      result.artifact = std::move(cubin);
      return success();
    }
    FailureOr<std::string> manifest = writeManifest(gpuModule, ptxasVersion);
    if (failed(manifest))
      return failure();
    result.artifact = writePackage(*manifest, cubin, ptx);
    if (options.stage == Stage::Header)
      result.artifact =
          writePackageHeader(gpuModule.getName(), result.artifact);
    return success();
  }

  /// Leaves `cubin` empty when there is no assembler.
  LogicalResult assembleKernels(Location loc, StringRef ptx, std::string &cubin,
                                std::string &version) {
    FailureOr<std::optional<Ptxas>> ptxas = findPtxas(options.ptxas, loc);
    if (failed(ptxas))
      return failure();
    if (!*ptxas) {
      if (options.stage != Stage::Cubin)
        emitRemark(loc, "without a ptxas of CUDA 12.3 or later the package "
                        "carries PTX only");
      return success();
    }
    AssemblerReport report;
    FailureOr<std::string> assembled = assemble(**ptxas, ptx, report, loc);
    if (failed(assembled) ||
        failed(checkAssemblerReport(report, options.allowSpills, loc)))
      return failure();
    for (const KernelUsage &usage : report.kernels)
      remark::analysis(loc, remark::RemarkOpts::name("ptxas").category("fa3"))
          << remark::add("kernel @{0}: {1} registers (ptxas {2})", usage.name,
                         usage.registers, (*ptxas)->version);
    cubin = std::move(*assembled);
    version = (*ptxas)->version;
    return success();
  }

  ModuleOp module;
  const CompileOptions &options;
  CompileResult &result;
};

} // namespace

std::optional<Stage> fa3::parseStage(StringRef name) {
  for (const StageName &entry : kStageNames)
    if (entry.name == name)
      return entry.stage;
  return std::nullopt;
}

std::string fa3::getStageNames() {
  return llvm::join(
      llvm::map_range(kStageNames,
                      [](const StageName &entry) { return entry.name; }),
      ", ");
}

CompileResult fa3::compile(StringRef source, StringRef name,
                           const CompileOptions &options) {
  CompileResult result;
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(source, name, false), llvm::SMLoc());
  DiagnosticCollector collector(sources, &context, result.diagnostics);
  std::optional<RemarkCollector> remarks;
  if (options.remarks)
    remarks.emplace(&context, result.diagnostics);
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (module)
    Compilation(*module, options, result).run();
  return result;
}

CompileResult fa3::compile(ModuleOp module, const CompileOptions &options) {
  CompileResult result;
  llvm::SourceMgr sources;
  DiagnosticCollector collector(sources, module.getContext(),
                                result.diagnostics);
  std::optional<RemarkCollector> remarks;
  if (options.remarks)
    remarks.emplace(module.getContext(), result.diagnostics);
  Compilation(module, options, result).run();
  return result;
}
