//===- ApiLaunch.cpp - Checks and runs kernel launches --------------------===//

#include "emulator/driver/Library.h"
#include "emulator/driver/Report.h"
#include "emulator/driver/Stream.h"
#include "emulator/trace/TraceFile.h"

#include <cstring>
#include <fstream>

using namespace fa3::emulator;
using namespace fa3::emulator::driver;

namespace {

/// The cost of a launch itself, and the clock that turns cycles into time.
constexpr uint64_t kLaunchNs = 3000;
constexpr double kClocksPerNs = 1.755;

/// A launch that has passed all checks.
struct CheckedLaunch {
  std::shared_ptr<Kernel> kernel;
  LaunchConfig config;
  std::vector<unsigned char> params;

  void operator()(Context &context) const;
};

std::string dims(const Dim3 &d) {
  return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" +
         std::to_string(d.z);
}

CUresult reject(const Kernel &kernel, const std::string &why,
                CUresult error = CUDA_ERROR_INVALID_VALUE) {
  reportMisuse("cuLaunchKernel", "invalid-launch",
               kernel.info.name + ": " + why);
  return error;
}

/// The error that a real device reports for what the emulator diagnosed.
CUresult errorOf(DiagnosticKind kind) {
  switch (kind) {
  case DiagnosticKind::OutOfBounds:
  case DiagnosticKind::UseAfterFree:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case DiagnosticKind::Misaligned:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case DiagnosticKind::InvalidInstruction:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  default:
    return CUDA_ERROR_LAUNCH_FAILED;
  }
}

bool appendCoverage(const std::string &path, const std::string &kernel,
                    const std::vector<uint32_t> &lines) {
  std::ofstream file(path, std::ios::app);
  for (uint32_t line : lines)
    file << kernel << " " << line << "\n";
  return bool(file.flush());
}

void CheckedLaunch::operator()(Context &context) const {
  if (context.sticky)
    return;
  if (!kernel->loaded) {
    reject(*kernel, "its library was unloaded before the launch");
    return context.fail(CUDA_ERROR_LAUNCH_FAILED);
  }
  static std::atomic<uint64_t> launches{0};
  LaunchOptions options;
  // Every launch gets its own interleaving, the same in every run.
  options.seed = settings().seed + 0x9e3779b97f4a7c15 * launches++;
  options.threads = settings().threads;
  options.residentCtas = settings().multiprocessors;
  if (settings().instructions)
    options.warpInstructionLimit = settings().instructions;
  options.coverage = !settings().coverageFile.empty();
  std::unique_ptr<LaunchTrace> trace;
  if (!settings().traceFile.empty())
    trace = std::make_unique<LaunchTrace>(kernel->info.name, config.grid,
                                          settings().traceCtas);
  options.trace = trace.get();
  LaunchConfig launchConfig = config;
  launchConfig.params = params.data();
  launchConfig.paramBytes = params.size();
  LaunchResult result = launch(*kernel->module, kernel->index, launchConfig,
                               context.device.memory, options);
  if (options.coverage &&
      !appendCoverage(settings().coverageFile, kernel->info.name,
                      result.executedLines))
    reportMisuse("cuLaunchKernel", "environment",
                 "cannot write the coverage file " + settings().coverageFile);
  const uint64_t sms = settings().multiprocessors;
  const uint64_t waves = (config.grid.count() + sms - 1) / sms;
  if (trace && !appendTrace(settings().traceFile, *trace))
    reportMisuse("cuLaunchKernel", "environment",
                 "cannot write the trace file " + settings().traceFile);
  context.device.clock +=
      kLaunchNs + uint64_t(double(result.stats.clocks * waves) / kClocksPerNs);
  for (const Diagnostic &diagnostic : result.diagnostics)
    report(diagnostic);
  if (!result.ok())
    context.fail(errorOf(result.diagnostics.front().kind));
}

/// Limits that hold for every kernel.
std::string checkDims(const LaunchConfig &config) {
  const Dim3 &grid = config.grid, &block = config.block;
  if (!grid.x || !grid.y || !grid.z)
    return "the grid " + dims(grid) + " is empty";
  if (!block.x || !block.y || !block.z)
    return "the block " + dims(block) + " is empty";
  if (grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535)
    return "the grid " + dims(grid) + " exceeds 2147483647x65535x65535";
  if (block.x > 1024 || block.y > 1024 || block.z > 64 ||
      block.count() > kMaxThreadsPerBlock)
    return "the block " + dims(block) + " exceeds 1024x1024x64 or 1024 threads";
  return "";
}

/// Limits that the kernel's directives and attributes set.
std::string checkKernel(const LaunchConfig &config, const KernelInfo &info,
                        const KernelSettings &settings) {
  const Dim3 &block = config.block;
  const auto &required = info.requiredThreads;
  auto orOne = [](uint32_t value) { return value ? value : 1; };
  if (required[0] && (block.x != required[0] || block.y != orOne(required[1]) ||
                      block.z != orOne(required[2])))
    return "the block " + dims(block) + " is not the kernel's .reqntid";
  const auto &most = info.maxThreads;
  if (most[0] &&
      block.count() > uint64_t(most[0]) * orOne(most[1]) * orOne(most[2]))
    return "the block " + dims(block) + " exceeds the kernel's .maxntid";
  const uint64_t shared =
      uint64_t(config.dynamicSharedBytes) + info.staticSharedBytes;
  if (config.dynamicSharedBytes > uint64_t(settings.dynamicShared.load()))
    return std::to_string(config.dynamicSharedBytes) +
           " bytes of dynamic shared memory exceed the " +
           std::to_string(settings.dynamicShared) +
           " that MAX_DYNAMIC_SHARED_SIZE_BYTES allows";
  if (shared > kMaxSharedBytes)
    return std::to_string(shared) + " bytes of shared memory exceed " +
           std::to_string(kMaxSharedBytes);
  return "";
}

std::string checkCluster(const LaunchConfig &config, const KernelInfo &info,
                         const KernelSettings &settings) {
  const Dim3 &cluster = config.cluster, &grid = config.grid;
  const auto &required = info.requiredCluster;
  if (required[0] && (cluster.x != required[0] || cluster.y != required[1] ||
                      cluster.z != required[2]))
    return "the cluster " + dims(cluster) +
           " is not the kernel's .reqnctapercluster";
  const uint64_t limit =
      settings.nonPortableCluster ? kMaxClusterSize : kPortableClusterSize;
  if (cluster.count() == 0 || cluster.count() > limit)
    return "the cluster " + dims(cluster) + " is not of 1 to " +
           std::to_string(limit) + " blocks";
  if (grid.x % cluster.x || grid.y % cluster.y || grid.z % cluster.z)
    return "the cluster " + dims(cluster) + " does not divide the grid " +
           dims(grid);
  return "";
}

/// Applies the launch attributes. Those that only affect speed are accepted.
CUresult readAttributes(const CUlaunchConfig &from, const Kernel &kernel,
                        LaunchConfig &config) {
  if (from.numAttrs && !from.attrs)
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < from.numAttrs; ++i) {
    const CUlaunchAttribute &attribute = from.attrs[i];
    switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      config.cluster = {attribute.value.clusterDim.x,
                        attribute.value.clusterDim.y,
                        attribute.value.clusterDim.z};
      break;
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      if (attribute.value.cooperative &&
          config.grid.count() > settings().multiprocessors)
        return reject(kernel, "a cooperative grid has more blocks than are "
                              "resident at once");
      break;
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      break;
    default:
      return reject(kernel,
                    "launch attribute " + std::to_string(attribute.id) +
                        " is not emulated",
                    CUDA_ERROR_NOT_SUPPORTED);
    }
  }
  return CUDA_SUCCESS;
}

/// Copies the arguments, given one by one or as a block.
CUresult readParameters(void **parameters, void **extra,
                        CheckedLaunch &launch) {
  const KernelInfo &info = launch.kernel->info;
  launch.params.assign(info.paramBytes, 0);
  if (parameters && extra)
    return CUDA_ERROR_INVALID_VALUE;
  if (parameters) {
    for (size_t i = 0; i < info.params.size(); ++i) {
      if (!parameters[i])
        return reject(*launch.kernel,
                      "parameter " + std::to_string(i) + " is null");
      std::memcpy(&launch.params[info.params[i].offset], parameters[i],
                  info.params[i].size);
    }
    return CUDA_SUCCESS;
  }
  const void *block = nullptr;
  size_t size = 0;
  for (void **item = extra; item && *item != CU_LAUNCH_PARAM_END; item += 2) {
    if (item[0] == CU_LAUNCH_PARAM_BUFFER_POINTER)
      block = item[1];
    else if (item[0] == CU_LAUNCH_PARAM_BUFFER_SIZE && item[1])
      size = *static_cast<const size_t *>(item[1]);
    else
      return CUDA_ERROR_INVALID_VALUE;
  }
  if ((block ? size : 0) < info.paramBytes)
    return reject(*launch.kernel, "fewer bytes of parameters than the " +
                                      std::to_string(info.paramBytes) +
                                      " that it takes");
  if (info.paramBytes)
    std::memcpy(launch.params.data(), block, info.paramBytes);
  return CUDA_SUCCESS;
}

CUresult launchKernel(const CUlaunchConfig &from, CUfunction handle,
                      void **parameters, void **extra) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(from.hStream, stream))
    return error;
  CheckedLaunch launch;
  launch.kernel = findKernel(handle);
  if (!launch.kernel)
    return CUDA_ERROR_INVALID_HANDLE;
  const Kernel &kernel = *launch.kernel;
  const KernelSettings &settings =
      kernel.settings[stream->context->device.ordinal];
  LaunchConfig &config = launch.config;
  config.grid = {from.gridDimX, from.gridDimY, from.gridDimZ};
  config.block = {from.blockDimX, from.blockDimY, from.blockDimZ};
  config.dynamicSharedBytes = from.sharedMemBytes;
  const auto &required = kernel.info.requiredCluster;
  if (required[0])
    config.cluster = {required[0], required[1], required[2]};
  if (std::string why = checkDims(config); !why.empty())
    return reject(kernel, why);
  if (std::string why = checkKernel(config, kernel.info, settings);
      !why.empty())
    return reject(kernel, why);
  if (CUresult error = readAttributes(from, kernel, config))
    return error;
  if (std::string why = checkCluster(config, kernel.info, settings);
      !why.empty())
    return reject(kernel, why, CUDA_ERROR_INVALID_CLUSTER_SIZE);
  if (CUresult error = readParameters(parameters, extra, launch))
    return error;
  return enqueue(stream, std::move(launch));
}

} // namespace

CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **parameters, void **extra) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!config)
    return CUDA_ERROR_INVALID_VALUE;
  return launchKernel(*config, function, parameters, extra);
}

CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned sharedBytes, CUstream stream,
                        void **parameters, void **extra) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  const CUlaunchConfig config{gridX,  gridY,       gridZ,  blockX,  blockY,
                              blockZ, sharedBytes, stream, nullptr, 0};
  return launchKernel(config, function, parameters, extra);
}
