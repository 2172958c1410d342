//===- fake_driver.cpp - A driver that records what it is asked -----------===//

#include "fake_driver.h"

#include "host_kernels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace fa3::cu;
using namespace fa3::fake;

namespace fa3::cu {

struct CUctx_st {
  CUdevice device;
};

struct CUkern_st {
  std::string name;
};

struct CUlib_st {
  std::string image;
  std::vector<std::unique_ptr<CUkern_st>> kernels;
};

struct CapturedLaunch {
  void (*run)(void **parameters);
  std::vector<std::string> parameters;
};

struct CUgraph_st {
  std::vector<CapturedLaunch> launches;
};

struct CUstream_st {
  CUgraph graph = nullptr; ///< while it captures
};

} // namespace fa3::cu

namespace {

constexpr CUresult errorCaptureUnsupported = static_cast<CUresult>(900);
constexpr CUresult errorNotInitialized = static_cast<CUresult>(3);

CUctx_st contexts[maxDevices] = {{0}, {1}, {2}, {3}};
thread_local CUcontext current = nullptr;
std::atomic<int> capturing{0};

Control &control() {
  static Control instance;
  return instance;
}

State &state() { return control().state; }

void count(Call call) { ++control().calls[static_cast<int>(call)]; }

/// Counts the call, and fails it where the real driver demands a context.
#define FA3_ENTER(symbol) count(Call::symbol)
#define FA3_ENTER_CONTEXT(symbol)                                              \
  FA3_ENTER(symbol);                                                           \
  if (!current)                                                                \
  return CUDA_ERROR_INVALID_CONTEXT
/// The same for what a stream's capture forbids.
#define FA3_ENTER_UNCAPTURED(symbol)                                           \
  FA3_ENTER_CONTEXT(symbol);                                                   \
  if (capturing)                                                               \
  return errorCaptureUnsupported

} // namespace

extern "C" {

Control *fa3_fake_control() { return &control(); }

void fa3_fake_reset() {
  const int libraries = state().liveLibraries;
  state() = State();
  state().liveLibraries = libraries;
  for (std::atomic<int> &calls : control().calls)
    calls = 0;
  current = nullptr;
  capturing = 0;
}

// Traces its seed, as the emulator would: tests see that both arrived in time.
CUresult cuInit(unsigned) {
  FA3_ENTER(cuInit);
  if (const char *trace = std::getenv("FA3_EMULATOR_TRACE")) {
    const char *seed = std::getenv("FA3_EMULATOR_SEED");
    std::ofstream(trace) << (seed ? seed : "");
  }
  return state().initResult;
}

CUresult cuDriverGetVersion(int *version) {
  FA3_ENTER(cuDriverGetVersion);
  *version = state().version;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
  FA3_ENTER(cuGetErrorName);
  *name = error == CUDA_ERROR_OUT_OF_MEMORY   ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == CUDA_ERROR_INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE"
                                              : nullptr;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
  FA3_ENTER(cuGetErrorString);
  *text = error == CUDA_ERROR_OUT_OF_MEMORY   ? "out of memory"
          : error == CUDA_ERROR_INVALID_VALUE ? "invalid argument"
                                              : nullptr;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGetCount(int *devices) {
  FA3_ENTER(cuDeviceGetCount);
  *devices = state().deviceCount;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  FA3_ENTER(cuDeviceGet);
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  FA3_ENTER(cuDeviceGetName);
  std::strncpy(name, "Fake GPU", length);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute,
                              CUdevice device) {
  FA3_ENTER(cuDeviceGetAttribute);
  const Device &described = state().devices[device];
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = described.major;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = described.minor;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    *value = described.sharedMemory;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = described.multiprocessors;
    return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  FA3_ENTER(cuDevicePrimaryCtxRetain);
  const std::lock_guard<std::mutex> lock(control().mutex);
  ++state().liveContexts;
  *context = &contexts[device];
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) {
  FA3_ENTER(cuDevicePrimaryCtxRelease_v2);
  const std::lock_guard<std::mutex> lock(control().mutex);
  --state().liveContexts;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  FA3_ENTER(cuCtxSetCurrent);
  current = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  FA3_ENTER_CONTEXT(cuCtxGetDevice);
  *device = current->device;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
  FA3_ENTER_UNCAPTURED(cuCtxSynchronize);
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
  FA3_ENTER_UNCAPTURED(cuMemAlloc_v2);
  if (bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (state().allocationResult != CUDA_SUCCESS)
    return state().allocationResult;
  const std::lock_guard<std::mutex> lock(control().mutex);
  ++state().liveAllocations;
  *pointer = reinterpret_cast<CUdeviceptr>(
      std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuMemFree_v2(CUdeviceptr pointer) {
  FA3_ENTER_UNCAPTURED(cuMemFree_v2);
  const std::lock_guard<std::mutex> lock(control().mutex);
  --state().liveAllocations;
  std::free(reinterpret_cast<void *>(pointer));
  return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  FA3_ENTER_CONTEXT(cuMemGetInfo_v2);
  *free = size_t{1} << 30;
  *total = size_t{2} << 30;
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  FA3_ENTER_UNCAPTURED(cuMemcpyHtoD_v2);
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  FA3_ENTER_UNCAPTURED(cuMemcpyDtoH_v2);
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes,
                         CUstream) {
  FA3_ENTER_CONTEXT(cuMemsetD8Async);
  std::memset(reinterpret_cast<void *>(to), value, bytes);
  return CUDA_SUCCESS;
}

CUresult cuLibraryLoadData(CUlibrary *library, const void *code,
                           CUjit_option *options, void **optionValues,
                           unsigned optionCount, CUlibraryOption *, void **,
                           unsigned) {
  FA3_ENTER(cuLibraryLoadData);
  if (control().callsOf(Call::cuInit) == 0)
    return errorNotInitialized;
  const auto *image = static_cast<const char *>(code);
  const bool isCubin = std::strncmp(image, "CUBIN", 5) == 0;
  const CUresult result = isCubin ? state().cubinResult : state().ptxResult;
  if (result != CUDA_SUCCESS) {
    for (unsigned i = 0; i < optionCount; ++i)
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        std::strcpy(static_cast<char *>(optionValues[i]), state().jitLog);
    return result;
  }
  const std::lock_guard<std::mutex> lock(control().mutex);
  ++state().liveLibraries;
  *library = new CUlib_st{image, {}};
  return CUDA_SUCCESS;
}

CUresult cuLibraryUnload(CUlibrary library) {
  FA3_ENTER(cuLibraryUnload);
  const std::lock_guard<std::mutex> lock(control().mutex);
  --state().liveLibraries;
  delete library;
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library,
                            const char *name) {
  FA3_ENTER(cuLibraryGetKernel);
  if (library->image.find(".entry " + std::string(name) + "(") ==
      std::string::npos)
    return CUDA_ERROR_NOT_FOUND;
  library->kernels.push_back(std::make_unique<CUkern_st>(CUkern_st{name}));
  *kernel = library->kernels.back().get();
  return CUDA_SUCCESS;
}

CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                              CUkernel, CUdevice device) {
  FA3_ENTER(cuKernelSetAttribute);
  const std::lock_guard<std::mutex> lock(control().mutex);
  if (state().attributeResult != CUDA_SUCCESS)
    return state().attributeResult;
  if (state().attributeCount < maxRecords)
    state().attributes[state().attributeCount] = {attribute, value, device};
  ++state().attributeCount;
  return CUDA_SUCCESS;
}

CUresult cuKernelGetFunction(CUfunction *function, CUkernel kernel) {
  FA3_ENTER_CONTEXT(cuKernelGetFunction);
  *function = reinterpret_cast<CUfunction>(kernel);
  return CUDA_SUCCESS;
}

CUresult cuTensorMapEncodeTiled(
    CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *address,
    const cuuint64_t *sizes, const cuuint64_t *strides, const cuuint32_t *box,
    const cuuint32_t *elementStrides, CUtensorMapInterleave interleave,
    CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
    CUtensorMapFloatOOBfill fill) {
  FA3_ENTER(cuTensorMapEncodeTiled);
  const std::lock_guard<std::mutex> lock(control().mutex);
  if (state().mapResult != CUDA_SUCCESS)
    return state().mapResult;
  // The driver's own rules.
  bool legal = reinterpret_cast<uintptr_t>(map) % 64 == 0 && rank >= 1 &&
               rank <= 5 && address &&
               reinterpret_cast<uintptr_t>(address) % 16 == 0;
  for (unsigned i = 0; legal && i < rank; ++i)
    legal = sizes[i] >= 1 && sizes[i] <= uint64_t{1} << 32 && box[i] >= 1 &&
            box[i] <= 256 &&
            (i + 1 == rank ||
             (strides[i] % 16 == 0 && strides[i] < uint64_t{1} << 40));
  if (!legal)
    return CUDA_ERROR_INVALID_VALUE;
  if (state().mapCount < maxRecords) {
    TensorMapRecord &record = state().maps[state().mapCount];
    record = {type, rank,       address, {},        {},  {},
              {},   interleave, swizzle, promotion, fill};
    std::copy_n(sizes, rank, record.sizes);
    std::copy_n(strides, rank - 1, record.strides);
    std::copy_n(box, rank, record.box);
    std::copy_n(elementStrides, rank, record.elementStrides);
  }
  *map = {};
  map->opaque[0] = state().mapCount++;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **parameters, void **) {
  FA3_ENTER_CONTEXT(cuLaunchKernelEx);
  if (state().launchResult != CUDA_SUCCESS)
    return state().launchResult;
  const auto *kernel = reinterpret_cast<CUkernel>(function);
  if (const HostKernel *host = findHostKernel(kernel->name.c_str())) {
    if (!config->hStream || !config->hStream->graph) {
      host->run(parameters);
      return CUDA_SUCCESS;
    }
    CapturedLaunch captured{host->run, {}};
    for (int i = 0; i < host->parameterCount; ++i)
      captured.parameters.emplace_back(static_cast<char *>(parameters[i]), 8);
    config->hStream->graph->launches.push_back(std::move(captured));
    return CUDA_SUCCESS;
  }
  const std::lock_guard<std::mutex> lock(control().mutex);
  if (state().launchCount < maxRecords) {
    LaunchRecord &record = state().launches[state().launchCount];
    record.config = *config;
    record.kernel = kernel->name.c_str();
    record.device = current->device;
    for (unsigned i = 0; i < config->numAttrs; ++i)
      if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) {
        record.cluster[0] = config->attrs[i].value.clusterDim.x;
        record.cluster[1] = config->attrs[i].value.clusterDim.y;
        record.cluster[2] = config->attrs[i].value.clusterDim.z;
      }
    char *bytes = record.parameters;
    for (int i = 0; i < state().parameterCount; ++i) {
      std::memcpy(bytes, parameters[i], state().parameterSizes[i]);
      bytes += state().parameterSizes[i];
    }
  }
  ++state().launchCount;
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  FA3_ENTER_CONTEXT(cuStreamCreate);
  *stream = new CUstream_st;
  return CUDA_SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  FA3_ENTER(cuStreamDestroy_v2);
  delete stream;
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream) {
  FA3_ENTER_UNCAPTURED(cuStreamSynchronize);
  return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode) {
  FA3_ENTER_CONTEXT(cuStreamBeginCapture_v2);
  ++capturing;
  stream->graph = new CUgraph_st;
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  FA3_ENTER_CONTEXT(cuStreamEndCapture);
  --capturing;
  *graph = stream->graph;
  stream->graph = nullptr;
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph,
                                     unsigned long long) {
  FA3_ENTER_CONTEXT(cuGraphInstantiateWithFlags);
  *executable = reinterpret_cast<CUgraphExec>(new CUgraph_st(*graph));
  return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream) {
  FA3_ENTER_CONTEXT(cuGraphLaunch);
  for (CapturedLaunch &launch :
       reinterpret_cast<CUgraph>(executable)->launches) {
    std::vector<void *> pointers;
    for (std::string &parameter : launch.parameters)
      pointers.push_back(parameter.data());
    launch.run(pointers.data());
  }
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  FA3_ENTER(cuGraphExecDestroy);
  delete reinterpret_cast<CUgraph>(executable);
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph graph) {
  FA3_ENTER(cuGraphDestroy);
  delete graph;
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned) {
  FA3_ENTER_CONTEXT(cuEventCreate);
  *event = reinterpret_cast<CUevent>(new char);
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
  FA3_ENTER(cuEventDestroy_v2);
  delete reinterpret_cast<char *>(event);
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent, CUstream) {
  FA3_ENTER_CONTEXT(cuEventRecord);
  return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent) {
  FA3_ENTER_UNCAPTURED(cuEventSynchronize);
  return CUDA_SUCCESS;
}

// Without the newer spelling, as in drivers before CUDA 12.8.
CUresult cuEventElapsedTime(float *milliseconds, CUevent, CUevent) {
  FA3_ENTER(cuEventElapsedTime);
  *milliseconds = 0.5f;
  return CUDA_SUCCESS;
}
}
