//===- Machine.cpp - Modules and launches ---------------------------------===//

#include "Machine.h"
#include "Lexer.h"
#include "Scheduler.h"

#include <algorithm>
#include <deque>
#include <new>
#include <thread>

using namespace fa3::emulator;

Module::Module(std::unique_ptr<Program> impl) : impl(std::move(impl)) {}
Module::~Module() = default;

std::shared_ptr<Module> Module::parse(std::string_view text,
                                      std::vector<Diagnostic> &diagnostics) {
  auto failed = [&](uint32_t line, std::string message) {
    Diagnostic d;
    d.kind = DiagnosticKind::Parse;
    d.where.line = line;
    d.message = std::move(message);
    diagnostics.push_back(std::move(d));
    return nullptr;
  };
  try {
    return std::shared_ptr<Module>(new Module(decode(parsePtx(text))));
  } catch (const ParseError &e) {
    return failed(e.line, e.message);
  } catch (const std::bad_alloc &) {
    return failed(0, "out of memory");
  }
}

const std::vector<KernelInfo> &Module::kernels() const { return impl->infos; }
const std::vector<GlobalInfo> &Module::globals() const { return impl->globals; }
const std::string &Module::ptxVersion() const { return impl->version; }
const std::string &Module::target() const { return impl->target; }
int Module::findKernel(std::string_view name) const {
  for (size_t i = 0; i != impl->infos.size(); ++i)
    if (impl->infos[i].name == name)
      return int(i);
  return -1;
}

/// What contradicts the kernel or the device; empty if nothing.
static std::string checkConfig(const Kernel &kernel, const LaunchConfig &config,
                               uint32_t dynamicBase) {
  const KernelInfo &info = kernel.info;
  auto zero = [](const Dim3 &d) { return !d.x || !d.y || !d.z; };
  if (zero(config.grid) || zero(config.block) || zero(config.cluster))
    return "a grid, block or cluster dimension is zero";
  if (config.grid.x > INT32_MAX || config.grid.y > 65535 ||
      config.grid.z > 65535)
    return "the grid is too large";
  if (config.block.x > 1024 || config.block.y > 1024 || config.block.z > 64 ||
      config.block.count() > kMaxThreadsPerBlock)
    return "the block is too large";
  const std::array<uint32_t, 3> block{config.block.x, config.block.y,
                                      config.block.z};
  const std::array<uint32_t, 3> cluster{config.cluster.x, config.cluster.y,
                                        config.cluster.z};
  if (info.requiredThreads[0] && info.requiredThreads != block)
    return "the block differs from .reqntid";
  uint64_t most = 1;
  for (uint32_t n : info.maxThreads)
    most *= n;
  if (info.maxThreads[0] && config.block.count() > most)
    return "the block has more threads than .maxntid allows";
  if (info.requiredCluster[0] && info.requiredCluster != cluster)
    return "the cluster differs from .reqnctapercluster";
  if (config.cluster.count() > kMaxClusterSize ||
      config.grid.x % config.cluster.x || config.grid.y % config.cluster.y ||
      config.grid.z % config.cluster.z)
    return "the cluster is too large or does not divide the grid";
  if (uint64_t(dynamicBase) + config.dynamicSharedBytes >
      kSharedBase + kMaxSharedBytes)
    return "the kernel needs " +
           std::to_string(dynamicBase - kSharedBase +
                          uint64_t(config.dynamicSharedBytes)) +
           " bytes of shared memory, more than " +
           std::to_string(kMaxSharedBytes);
  if (config.paramBytes < info.paramBytes ||
      (info.paramBytes && !config.params))
    return "the kernel takes " + std::to_string(info.paramBytes) +
           " bytes of parameters, not " + std::to_string(config.paramBytes);
  return {};
}

namespace {

/// Runs clusters on one host thread; their numbers come from \p next.
void runClusters(Launch &launch, std::atomic<uint64_t> &next, uint64_t clusters,
                 uint64_t resident) {
  std::deque<std::unique_ptr<ClusterRun>> active;
  while (!launch.stop) {
    // A cluster that spins on memory lets another start beside it, up to what
    // the device holds.
    bool started = false;
    if (active.empty() || active.size() < resident) {
      uint64_t index = next++;
      if (index < clusters) {
        active.push_front(std::make_unique<ClusterRun>(launch, index));
        started = true;
      }
    }
    if (active.empty())
      return;
    if (!started && active.size() > 1) {
      active.push_back(std::move(active.front()));
      active.pop_front();
    }
    // Others may be waiting for what this one does, so none runs for ever.
    if (active.front()->run())
      active.pop_front();
  }
}

void work(Launch &launch, std::atomic<uint64_t> &next, uint64_t clusters,
          uint64_t resident) {
  try {
    runClusters(launch, next, clusters, resident);
  } catch (const std::bad_alloc &) {
    launch.sink.report({DiagnosticKind::InvalidLaunch,
                        "the host is out of memory",
                        launch.kernel.info.name,
                        {},
                        {},
                        0});
    launch.stop = true;
  }
}

std::vector<uint32_t> executedLines(const Launch &launch) {
  std::vector<uint32_t> lines;
  const std::vector<Inst> &code = launch.kernel.code;
  for (size_t i = 0; launch.executed && i != code.size(); ++i)
    if (launch.executed[i])
      lines.push_back(code[i].line);
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

} // namespace

LaunchResult fa3::emulator::launch(const Module &module, int index,
                                   const LaunchConfig &config,
                                   const AddressSpace &memory,
                                   const LaunchOptions &options) {
  LaunchResult result;
  DiagnosticSink sink(options.diagnosticLimit);
  const Program &program = module.program();
  auto reject = [&](std::string name, std::string message) {
    result.diagnostics.push_back({DiagnosticKind::InvalidLaunch,
                                  std::move(message),
                                  std::move(name),
                                  {},
                                  {},
                                  0});
    return result;
  };
  if (index < 0 || size_t(index) >= program.kernels.size())
    return reject({}, "no such kernel");
  const Kernel &kernel = program.kernels[size_t(index)];
  uint32_t align = kernel.dynamicAlign;
  uint32_t dynamicBase =
      (kSharedBase + kernel.staticShared + align - 1) / align * align;
  if (std::string bad = checkConfig(kernel, config, dynamicBase); !bad.empty())
    return reject(kernel.info.name, std::move(bad));

  Launch launch{program, kernel, config, memory, options, sink};
  launch.sharedBytes = dynamicBase + config.dynamicSharedBytes;
  const unsigned char *params =
      static_cast<const unsigned char *>(config.params);
  launch.params.assign(params, params + kernel.info.paramBytes);
  // What ptxas gives a kernel with setmaxnreg: an even share of the register
  // file, in steps of eight.
  uint32_t threads =
      (uint32_t(config.block.count()) + kLanes - 1) / kLanes * kLanes;
  uint32_t share = kRegistersPerSm / kernel.minCtasPerSm / threads / 8 * 8;
  launch.initialRegisters = std::min(
      share, kernel.info.maxRegisters ? kernel.info.maxRegisters : 256u);

  if (options.coverage)
    launch.executed = std::make_unique<std::atomic<bool>[]>(kernel.code.size());
  uint64_t clusters = config.grid.count() / config.cluster.count();
  uint32_t hostThreads =
      options.threads ? options.threads
                      : std::max(1u, std::thread::hardware_concurrency());
  hostThreads = uint32_t(std::min<uint64_t>(hostThreads, clusters));
  uint64_t resident = std::max<uint64_t>(
      1, options.residentCtas / config.cluster.count() / hostThreads);
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> pool;
  for (uint32_t t = 1; t < hostThreads; ++t)
    pool.emplace_back([&] { work(launch, next, clusters, resident); });
  work(launch, next, clusters, resident);
  for (std::thread &t : pool)
    t.join();

  result.stats.warpInstructions = launch.instructions;
  result.stats.wgmmaFlops = launch.flops;
  result.stats.copiedBytes = launch.bytes;
  result.stats.clocks = launch.clocks;
  result.executedLines = executedLines(launch);
  result.diagnostics = sink.take();
  return result;
}
