//===- fa3-opt.cpp - Runs passes and compiles specs -----------------------===//

#include "fa3/Compiler/Compiler.h"
#include "fa3/Compiler/Registration.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

static llvm::cl::OptionCategory category("Compiling a spec");

static llvm::cl::opt<std::string>
    emit("emit",
         llvm::cl::desc("Compile up to a stage: attn, tile, hopper, nvvm, "
                        "llvm, ptx, cubin, package, header"),
         llvm::cl::value_desc("stage"), llvm::cl::cat(category));
static llvm::cl::opt<bool>
    backward("backward",
             llvm::cl::desc("Compile the gradients of what the spec computes"),
             llvm::cl::cat(category));
static llvm::cl::opt<std::string>
    schedule("schedule",
             llvm::cl::desc("Change fields of the schedule, e.g. "
                            "block_kv=128,pingpong=false"),
             llvm::cl::value_desc("field=value,..."), llvm::cl::cat(category));
static llvm::cl::opt<std::string>
    ptxas("ptxas",
          llvm::cl::desc("The ptxas to use (default: look for one), or none"),
          llvm::cl::value_desc("path"), llvm::cl::cat(category));
static llvm::cl::opt<bool>
    remarks("remarks", llvm::cl::desc("Print what the passes decided, and why"),
            llvm::cl::cat(category));
static llvm::cl::opt<bool>
    allowSpills("allow-spills",
                llvm::cl::desc("Accept kernels that ptxas spills or warns of"),
                llvm::cl::cat(category));
static llvm::cl::opt<bool>
    showTimes("time", llvm::cl::desc("Print where the time went"),
              llvm::cl::cat(category));

static int compileSpec(StringRef inputName, StringRef outputName) {
  std::optional<fa3::Stage> stage = fa3::parseStage(emit);
  if (!stage) {
    llvm::errs() << "fa3-opt: unknown stage '" << emit << "'; there are "
                 << fa3::getStageNames() << "\n";
    return EXIT_FAILURE;
  }
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> input = openInputFile(inputName, &error);
  if (!input) {
    llvm::errs() << "fa3-opt: " << error << "\n";
    return EXIT_FAILURE;
  }
  fa3::CompileOptions options;
  options.stage = *stage;
  options.backward = backward;
  options.schedule = schedule;
  options.ptxas = ptxas;
  options.allowSpills = allowSpills;
  options.remarks = remarks;
  fa3::CompileResult result =
      fa3::compile(input->getBuffer(), inputName, options);
  for (const fa3::CompileDiagnostic &diagnostic : result.diagnostics)
    llvm::errs() << diagnostic.text;
  if (showTimes)
    llvm::errs() << llvm::format(
        "passes %.0f ms, LLVM %.0f ms, ptxas %.0f ms\n", result.times.passes,
        result.times.llvm, result.times.ptxas);
  if (!result.succeeded)
    return EXIT_FAILURE;
  std::unique_ptr<llvm::ToolOutputFile> output =
      openOutputFile(outputName, &error);
  if (!output) {
    llvm::errs() << "fa3-opt: " << error << "\n";
    return EXIT_FAILURE;
  }
  output->os() << result.artifact;
  output->keep();
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  fa3::registerAllDialects(registry);
  fa3::registerAllPasses();
  auto [inputName, outputName] = registerAndParseCLIOptions(
      argc, argv, "FA3 compiler and optimizer driver\n", registry);
  if (emit.getNumOccurrences() != 0)
    return compileSpec(inputName, outputName);
  for (const llvm::cl::Option *option :
       std::initializer_list<const llvm::cl::Option *>{
           &backward, &schedule, &ptxas, &remarks, &allowSpills, &showTimes})
    if (option->getNumOccurrences() != 0) {
      llvm::errs() << "fa3-opt: --" << option->ArgStr << " needs --emit\n";
      return EXIT_FAILURE;
    }
  return asMainReturnCode(
      MlirOptMain(argc, argv, inputName, outputName, registry));
}
