//===- State.h - Devices, contexts and settings of the driver ---*- C++ -*-===//

#ifndef FA3_EMULATOR_DRIVER_STATE_H
#define FA3_EMULATOR_DRIVER_STATE_H

#include "emulator/driver/CudaApi.h"
#include "emulator/driver/DeviceMemory.h"
#include "emulator/driver/Handles.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fa3::emulator::driver {

/// What the environment chose, read once at cuInit.
struct Settings {
  uint64_t seed = 1;    ///< FA3_EMULATOR_SEED
  unsigned threads = 0; ///< FA3_EMULATOR_THREADS, 0 = one per core
  unsigned devices = 1; ///< FA3_EMULATOR_DEVICES
  /// FA3_EMULATOR_MULTIPROCESSORS, of each device.
  unsigned multiprocessors = 132;
  uint64_t instructions = 0;   ///< FA3_EMULATOR_INSTRUCTIONS, 0 = the default
  std::string traceFile;       ///< FA3_EMULATOR_TRACE
  unsigned traceCtas = 8;      ///< FA3_EMULATOR_TRACE_CTAS
  std::string coverageFile;    ///< FA3_EMULATOR_COVERAGE
  std::string diagnosticsFile; ///< FA3_EMULATOR_DIAGNOSTICS
};
const Settings &settings();

struct Context;

/// One emulated GPU.
struct Device {
  explicit Device(int ordinal) : ordinal(ordinal), memory(ordinal) {}

  const int ordinal;
  DeviceMemory memory;
  /// Held by whatever runs on the device or ends an allocation's life: kernels
  /// run one at a time, and memory is not freed under a running kernel.
  std::mutex execution;
  /// Logical time in nanoseconds. It advances by the work that was done, so
  /// that event times do not depend on the host.
  std::atomic<uint64_t> clock{0};

  std::mutex primaryMutex;
  std::shared_ptr<Context> primary; ///< Null while nobody retains it.
  unsigned primaryReferences = 0;
};

struct Context {
  explicit Context(Device &device, bool primary)
      : device(device), isPrimary(primary) {}

  Device &device;
  const bool isPrimary;
  CUcontext handle = nullptr;
  std::atomic<bool> alive{true};
  /// The error of a kernel that went wrong. Every later call returns it: the
  /// context is lost, as on a real device.
  std::atomic<CUresult> sticky{CUDA_SUCCESS};

  void fail(CUresult error) {
    CUresult none = CUDA_SUCCESS;
    sticky.compare_exchange_strong(none, error);
  }
};

/// Devices exist from the first cuInit on; null for a wrong ordinal.
Device *findDevice(CUdevice ordinal);
int deviceCount();
bool isInitialized();
HandleTable<Context, CUcontext> &contexts();

/// Reads the environment and creates the devices; idempotent.
void initialize();

/// The calling thread's current context.
std::shared_ptr<Context> currentContext();

/// Sets \p context to the calling thread's context if the driver may work in
/// it; otherwise returns the error of every API function that needs one.
CUresult enterContext(std::shared_ptr<Context> &context);

/// Replaces the calling thread's stack of current contexts (see Context.cpp).
std::vector<std::shared_ptr<Context>> &contextStack();

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_STATE_H
