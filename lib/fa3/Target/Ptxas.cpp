//===- Ptxas.cpp - NVIDIA's assembler -------------------------------------===//

#include "fa3/Target/Ptxas.h"

#include "fa3/Target/Codegen.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace fa3;

namespace {

/// A temporary file that goes away with the object.
class TemporaryFile {
public:
  TemporaryFile(StringRef suffix) {
    failed = static_cast<bool>(
        llvm::sys::fs::createTemporaryFile("fa3", suffix, path));
  }
  ~TemporaryFile() {
    if (!failed)
      llvm::sys::fs::remove(path);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  StringRef getPath() const { return path; }

  LogicalResult write(StringRef contents) const {
    if (failed)
      return failure();
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    if (error)
      return failure();
    os << contents;
    os.close();
    return failure(os.has_error());
  }

  std::string read() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }

private:
  SmallString<128> path;
  bool failed;
};

/// Runs a program with standard output and error in one string; the result is
/// its exit status, negative if it could not run.
int runProgram(StringRef program, ArrayRef<StringRef> arguments,
               std::string &output) {
  TemporaryFile file("txt");
  SmallVector<StringRef> command{program};
  llvm::append_range(command, arguments);
  std::optional<StringRef> redirects[] = {StringRef(), file.getPath(),
                                          file.getPath()};
  int status = llvm::sys::ExecuteAndWait(program, command, std::nullopt,
                                         redirects, /*SecondsToWait=*/0,
                                         /*MemoryLimit=*/0, &output);
  if (status >= 0)
    output = file.read();
  return status;
}

/// The assembler at `path` if it can be run and knows PTX 8.3.
std::optional<Ptxas> probe(StringRef path) {
  if (!llvm::sys::fs::can_execute(path))
    return std::nullopt;
  std::string output;
  if (runProgram(path, {"--version"}, output) != 0)
    return std::nullopt;
  SmallVector<StringRef> match;
  unsigned major = 0, minor = 0;
  if (!llvm::Regex("V(([0-9]+)\\.([0-9]+)\\.[0-9]+)").match(output, &match) ||
      match[2].getAsInteger(10, major) || match[3].getAsInteger(10, minor))
    return std::nullopt;
  if (std::make_pair(major, minor) < std::make_pair(12u, 3u))
    return std::nullopt;
  return Ptxas{path.str(), match[1].str()};
}

/// Directories DIR/python3* below `parent` that have `package`'s assembler.
void addPythonPackages(StringRef library, SmallVectorImpl<std::string> &paths) {
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(library, error), end;
       it != end && !error; it.increment(error)) {
    if (!llvm::sys::path::filename(it->path()).starts_with("python3"))
      continue;
    for (StringRef packages : {"site-packages", "dist-packages"}) {
      std::string nvidia = it->path() + "/" + packages.str() + "/nvidia";
      for (StringRef folder : {"cu13", "cu12", "cuda_nvcc"})
        paths.push_back(nvidia + "/" + folder.str() + "/bin/ptxas");
    }
  }
}

SmallVector<std::string> getCandidates() {
  SmallVector<std::string> paths;
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    paths.push_back(*found);
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *value = std::getenv(variable))
      paths.push_back(std::string(value) + "/bin/ptxas");
  paths.push_back("/usr/local/cuda/bin/ptxas");
  if (const char *environment = std::getenv("VIRTUAL_ENV"))
    addPythonPackages(std::string(environment) + "/lib", paths);
  if (const char *home = std::getenv("HOME"))
    addPythonPackages(std::string(home) + "/.local/lib", paths);
  addPythonPackages("/usr/local/lib", paths);
  addPythonPackages("/usr/lib", paths);
  return paths;
}

} // namespace

FailureOr<std::optional<Ptxas>> fa3::findPtxas(StringRef path, Location loc) {
  std::string named = path.str();
  if (named.empty())
    if (const char *variable = std::getenv("FA3_PTXAS"))
      named = variable;
  if (named == "none")
    return std::optional<Ptxas>();
  if (!named.empty()) {
    if (std::optional<Ptxas> ptxas = probe(named))
      return ptxas;
    return emitError(loc) << "'" << named
                          << "' is not a ptxas of CUDA 12.3 or later";
  }
  for (const std::string &candidate : getCandidates())
    if (std::optional<Ptxas> ptxas = probe(candidate))
      return ptxas;
  return std::optional<Ptxas>();
}

AssemblerReport fa3::parseAssemblerOutput(StringRef output) {
  static const llvm::Regex entry("entry function '([^']+)'");
  static const llvm::Regex memory("([0-9]+) bytes stack frame, ([0-9]+) bytes "
                                  "spill stores, ([0-9]+) bytes spill loads");
  static const llvm::Regex registers("Used ([0-9]+) registers");
  static const llvm::Regex warning("\\(?C75[0-9][0-9]\\)?");
  AssemblerReport report;
  SmallVector<StringRef> lines, match;
  output.split(lines, '\n');
  for (StringRef line : lines) {
    if (warning.match(line))
      report.performanceWarnings.push_back(line.trim().str());
    if (entry.match(line, &match)) {
      report.kernels.push_back({match[1].str()});
      continue;
    }
    if (report.kernels.empty())
      continue;
    KernelUsage &usage = report.kernels.back();
    if (memory.match(line, &match)) {
      // Device functions come before the kernels that call them; a kernel is
      // as bad as the worst of its parts.
      unsigned stack = 0, stores = 0, loads = 0;
      match[1].getAsInteger(10, stack);
      match[2].getAsInteger(10, stores);
      match[3].getAsInteger(10, loads);
      usage.stackBytes = std::max(usage.stackBytes, stack);
      usage.spillStoreBytes = std::max(usage.spillStoreBytes, stores);
      usage.spillLoadBytes = std::max(usage.spillLoadBytes, loads);
    }
    if (registers.match(line, &match))
      match[1].getAsInteger(10, usage.registers);
  }
  return report;
}

LogicalResult fa3::checkAssemblerReport(const AssemblerReport &report,
                                        bool allow, Location loc) {
  bool clean = true;
  auto complain = [&]() -> InFlightDiagnostic {
    clean = false;
    return allow ? emitWarning(loc) : emitError(loc);
  };
  for (const std::string &warning : report.performanceWarnings)
    complain() << "ptxas serializes or ignores something: " << warning;
  for (const KernelUsage &usage : report.kernels)
    if (usage.stackBytes || usage.spillStoreBytes || usage.spillLoadBytes)
      complain() << "kernel @" << usage.name << " spills: " << usage.stackBytes
                 << " bytes of stack, " << usage.spillStoreBytes
                 << " bytes stored, " << usage.spillLoadBytes
                 << " bytes loaded";
  return success(clean || allow);
}

FailureOr<std::string> fa3::assemble(const Ptxas &ptxas, StringRef ptx,
                                     AssemblerReport &report, Location loc) {
  TemporaryFile input("ptx"), cubin("cubin");
  if (failed(input.write(ptx)))
    return emitError(loc, "cannot write a temporary file for ptxas");
  std::string gpu = ("--gpu-name=" + kTargetChip).str();
  std::string output;
  int status = runProgram(
      ptxas.path, {"-v", gpu, "-O3", input.getPath(), "-o", cubin.getPath()},
      output);
  if (status < 0)
    return emitError(loc) << "cannot run '" << ptxas.path << "': " << output;
  if (status != 0)
    return emitError(loc) << "ptxas failed with status " << status << ":\n"
                          << StringRef(output).rtrim();
  report = parseAssemblerOutput(output);
  std::string result = cubin.read();
  if (result.empty())
    return emitError(loc, "ptxas wrote no cubin");
  return result;
}
