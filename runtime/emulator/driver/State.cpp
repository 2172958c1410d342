//===- State.cpp - Devices, contexts and settings of the driver -----------===//

#include "emulator/driver/State.h"
#include "emulator/driver/Report.h"

#include <cstdlib>

namespace fa3::emulator::driver {

namespace {

/// Everything global. Never destroyed: kernels of other threads may run while
/// the process exits.
struct Driver {
  std::once_flag once;
  std::atomic<bool> ready{false};
  Settings settings;
  std::vector<std::unique_ptr<Device>> devices;
  HandleTable<Context, CUcontext> contexts{0x5fc7};
};

Driver &driver() {
  static Driver *instance = new Driver;
  return *instance;
}

std::string readString(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

template <typename T> void readNumber(const char *name, T &value, T least = 0) {
  const std::string text = readString(name);
  if (text.empty())
    return;
  char *end = nullptr;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 0);
  if (*end == '\0' && text[0] != '-' && T(number) == number &&
      T(number) >= least)
    value = T(number);
  else
    reportMisuse("cuInit", "environment",
                 std::string(name) + "=" + text + " is not a number from " +
                     std::to_string(least) + " on; it is ignored");
}

void readEnvironment(Settings &settings) {
  // First, so that complaints about the others reach it.
  settings.diagnosticsFile = readString("FA3_EMULATOR_DIAGNOSTICS");
  settings.coverageFile = readString("FA3_EMULATOR_COVERAGE");
  settings.traceFile = readString("FA3_EMULATOR_TRACE");
  readNumber("FA3_EMULATOR_SEED", settings.seed);
  readNumber("FA3_EMULATOR_THREADS", settings.threads);
  readNumber("FA3_EMULATOR_DEVICES", settings.devices);
  readNumber("FA3_EMULATOR_MULTIPROCESSORS", settings.multiprocessors, 1u);
  readNumber("FA3_EMULATOR_INSTRUCTIONS", settings.instructions);
  readNumber("FA3_EMULATOR_TRACE_CTAS", settings.traceCtas);
}

} // namespace

const Settings &settings() { return driver().settings; }

void initialize() {
  Driver &state = driver();
  std::call_once(state.once, [&] {
    readEnvironment(state.settings);
    for (unsigned i = 0; i < state.settings.devices; ++i)
      state.devices.push_back(std::make_unique<Device>(int(i)));
    state.ready = true;
  });
}

bool isInitialized() { return driver().ready; }

int deviceCount() { return int(driver().devices.size()); }

Device *findDevice(CUdevice ordinal) {
  if (ordinal < 0 || ordinal >= deviceCount())
    return nullptr;
  return driver().devices[ordinal].get();
}

HandleTable<Context, CUcontext> &contexts() { return driver().contexts; }

std::vector<std::shared_ptr<Context>> &contextStack() {
  thread_local std::vector<std::shared_ptr<Context>> stack;
  return stack;
}

std::shared_ptr<Context> currentContext() {
  const auto &stack = contextStack();
  return stack.empty() ? nullptr : stack.back();
}

CUresult enterContext(std::shared_ptr<Context> &context) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  context = currentContext();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!context->alive)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return context->sticky;
}

} // namespace fa3::emulator::driver
