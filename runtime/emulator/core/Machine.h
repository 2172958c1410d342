//===- Machine.h - Load PTX and run its kernels on the CPU ------*- C++ -*-===//
//
// The interface of the emulator's core. A driver front end (or a test) parses
// a module once and launches its kernels any number of times, from any thread.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_MACHINE_H
#define FA3_EMULATOR_CORE_MACHINE_H

#include "AddressSpace.h"
#include "Diagnostics.h"
#include "Trace.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fa3::emulator {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// One formal parameter of a kernel.
struct ParamInfo {
  std::string name;
  uint32_t offset = 0; ///< In the parameter block.
  uint32_t size = 0;
  uint32_t align = 1;
};

/// What a front end needs to know about a kernel before launching it.
struct KernelInfo {
  std::string name;
  std::vector<ParamInfo> params;
  uint32_t paramBytes = 0;
  /// From .maxntid / .reqntid; zero where the directive is absent.
  std::array<uint32_t, 3> maxThreads{};
  std::array<uint32_t, 3> requiredThreads{};
  /// From .reqnctapercluster / .explicitcluster; zero where absent.
  std::array<uint32_t, 3> requiredCluster{};
  uint32_t maxRegisters = 0; ///< .maxnreg, or 0.
  uint32_t staticSharedBytes = 0;
  uint32_t localBytes = 0;
  uint32_t line = 0; ///< Where the entry is declared.
};

/// A module-scope .global or .const variable, at its device address.
struct GlobalInfo {
  std::string name;
  uint64_t address = 0;
  uint64_t size = 0;
  bool constant = false;
};

struct Program; // The decoded module; private to the core.

/// A parsed module. Cheap to copy; immutable but for its global variables.
class Module {
public:
  /// Parses \p text. On failure returns null and appends at least one Parse
  /// diagnostic with a line number. Never throws on malformed input.
  static std::shared_ptr<Module> parse(std::string_view text,
                                       std::vector<Diagnostic> &diagnostics);
  ~Module();

  const std::vector<KernelInfo> &kernels() const;
  /// The kernel's index, or -1.
  int findKernel(std::string_view name) const;
  const std::vector<GlobalInfo> &globals() const;
  /// ".version" and ".target" as written, for example "8.3" and "sm_90a".
  const std::string &ptxVersion() const;
  const std::string &target() const;

  const Program &program() const { return *impl; }

private:
  explicit Module(std::unique_ptr<Program> impl);
  std::unique_ptr<Program> impl;
};

struct LaunchOptions {
  /// Chooses the interleaving of warps and when asynchronous work takes effect.
  uint64_t seed = 0;
  /// Host threads to run clusters on; 0 = one per core. Results of a race-free
  /// kernel without floating-point atomics do not depend on it.
  uint32_t threads = 0;
  /// Where timeline events go, or null.
  TraceSink *trace = nullptr;
  /// Whether the result says which lines of the PTX ran.
  bool coverage = false;
  /// Vector-clock detection of shared-memory races and missing proxy fences.
  bool detectRaces = true;
  /// Instructions that one warp may execute before the launch is given up.
  uint64_t warpInstructionLimit = uint64_t(1) << 30;
  /// CTAs that are resident at a time; those beyond start when one ends.
  uint32_t residentCtas = 132;
  /// Diagnostics kept; reporting goes on after the first where that is safe.
  uint32_t diagnosticLimit = 64;
};

struct LaunchConfig {
  Dim3 grid, block;
  Dim3 cluster; ///< 1x1x1: no clusters.
  uint32_t dynamicSharedBytes = 0;
  /// The parameter block, laid out as KernelInfo::params says.
  const void *params = nullptr;
  size_t paramBytes = 0;
};

struct LaunchStats {
  uint64_t warpInstructions = 0;
  uint64_t wgmmaFlops = 0;
  uint64_t copiedBytes = 0;
  /// Logical clocks of the longest CTA under the trace's cost model.
  uint64_t clocks = 0;
};

struct LaunchResult {
  std::vector<Diagnostic> diagnostics;
  LaunchStats stats;
  /// Lines whose instruction some thread executed, in order; see
  /// LaunchOptions::coverage.
  std::vector<uint32_t> executedLines;
  bool ok() const { return diagnostics.empty(); }
};

/// Runs a kernel to its end. Thread-safe: concurrent launches share nothing but
/// the module's variables and the memory that \p memory describes.
LaunchResult launch(const Module &module, int kernel,
                    const LaunchConfig &config, const AddressSpace &memory,
                    const LaunchOptions &options = {});

/// Limits of the emulated device (an H100), for argument checks.
inline constexpr uint32_t kMaxThreadsPerBlock = 1024;
inline constexpr uint32_t kMaxSharedBytes = 232448;
inline constexpr uint32_t kMaxClusterSize = 16;
inline constexpr uint32_t kRegistersPerSm = 65536;
inline constexpr uint32_t kMaxParamBytes = 32764;

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_MACHINE_H
