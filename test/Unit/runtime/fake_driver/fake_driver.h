//===- fake_driver.h - What tests see of the fake driver ------------------===//
//
// A library with the driver's functions that runs nothing on a GPU. It records
// launches and counts calls without allocating, fails where a test tells it to,
// and executes a few kernels that are written in C++ (host_kernels.h).
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_FAKE_DRIVER_H
#define FA3_TEST_UNIT_RUNTIME_FAKE_DRIVER_H

#include "driver_api.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace fa3::fake {

/// Every function of the driver.
enum class Call {
#define FA3_ENUMERATOR(symbol, parameters) symbol,
  FA3_DRIVER_FUNCTIONS(FA3_ENUMERATOR)
#undef FA3_ENUMERATOR
      cuEventElapsedTime,
  count
};

constexpr int maxDevices = 4;
constexpr int maxParameters = 64;
constexpr int maxParameterBytes = 4096;
constexpr int maxRecords = 64;

struct Device {
  int major = 9;
  int minor = 0;
  int sharedMemory = 232448;
  int multiprocessors = 132;
};

struct LaunchRecord {
  cu::CUlaunchConfig config;
  unsigned cluster[3]; ///< zero without the attribute
  const char *kernel;
  cu::CUdevice device; ///< of the context that was current
  /// Parameters, one after another without padding, as many and as large as
  /// State::parameterSizes says.
  char parameters[maxParameterBytes];
};

struct TensorMapRecord {
  cu::CUtensorMapDataType type;
  uint32_t rank;
  void *address;
  uint64_t sizes[5];
  uint64_t strides[4];
  uint32_t box[5];
  uint32_t elementStrides[5];
  cu::CUtensorMapInterleave interleave;
  cu::CUtensorMapSwizzle swizzle;
  cu::CUtensorMapL2promotion promotion;
  cu::CUtensorMapFloatOOBfill fill;
};

struct AttributeRecord {
  cu::CUfunction_attribute attribute;
  int value;
  cu::CUdevice device;
};

/// Everything a test sets and reads; reset() restores the defaults.
struct State {
  int version = 12080;
  int deviceCount = 1;
  Device devices[maxDevices];
  cu::CUresult initResult = cu::CUDA_SUCCESS;
  cu::CUresult cubinResult = cu::CUDA_SUCCESS;
  cu::CUresult ptxResult = cu::CUDA_SUCCESS;
  cu::CUresult mapResult = cu::CUDA_SUCCESS;
  cu::CUresult launchResult = cu::CUDA_SUCCESS;
  cu::CUresult allocationResult = cu::CUDA_SUCCESS;
  cu::CUresult attributeResult = cu::CUDA_SUCCESS;
  const char *jitLog = "";
  int parameterSizes[maxParameters] = {};
  int parameterCount = 0;

  int launchCount = 0;
  LaunchRecord launches[maxRecords]; ///< the first so many
  int mapCount = 0;
  TensorMapRecord maps[maxRecords];
  int attributeCount = 0;
  AttributeRecord attributes[maxRecords];
  int liveLibraries = 0;
  int liveAllocations = 0;
  int liveContexts = 0;
};

/// What the library exports besides the driver's functions.
struct Control {
  State state;
  std::atomic<int> calls[static_cast<int>(Call::count)] = {};
  std::mutex mutex; ///< guards the state's records

  int callsOf(Call call) const { return calls[static_cast<int>(call)]; }
  int allCalls() const {
    int total = 0;
    for (const std::atomic<int> &count : calls)
      total += count;
    return total;
  }
};

} // namespace fa3::fake

extern "C" {
/// Name of the function below, for dlsym.
#define FA3_FAKE_CONTROL "fa3_fake_control"
fa3::fake::Control *fa3_fake_control();
/// Restores the defaults and forgets all records and the current context.
#define FA3_FAKE_RESET "fa3_fake_reset"
void fa3_fake_reset();
}

#endif // FA3_TEST_UNIT_RUNTIME_FAKE_DRIVER_H
