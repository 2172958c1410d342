//===- FuzzPtx.cpp - libFuzzer entry for the emulator ---------------------===//
//
// Parses arbitrary bytes as PTX and runs what parses for a short while. Neither
// may crash, hang or touch memory outside the one allocation.
//
//===----------------------------------------------------------------------===//

#include "emulator/core/Machine.h"

#include <vector>

using namespace fa3::emulator;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<Diagnostic> diagnostics;
  auto module = Module::parse(
      std::string_view(reinterpret_cast<const char *>(data), size),
      diagnostics);
  if (!module)
    return 0;
  alignas(256) static unsigned char memory[4096];
  RangeAddressSpace space;
  space.add(reinterpret_cast<uint64_t>(memory), sizeof(memory));
  for (size_t k = 0; k != module->kernels().size() && k != 2; ++k) {
    // Every parameter that could be a pointer is one.
    const KernelInfo &info = module->kernels()[k];
    std::vector<uint64_t> params(info.paramBytes / 8 + 1,
                                 reinterpret_cast<uint64_t>(memory));
    LaunchConfig config;
    config.block = {info.requiredThreads[0] ? info.requiredThreads[0]
                    : info.maxThreads[0]    ? info.maxThreads[0]
                                            : 128,
                    1, 1};
    config.dynamicSharedBytes = 8192;
    config.params = params.data();
    config.paramBytes = params.size() * 8;
    LaunchOptions options;
    options.seed = size;
    options.threads = 1;
    options.warpInstructionLimit = 2000;
    launch(*module, int(k), config, space, options);
  }
  return 0;
}
