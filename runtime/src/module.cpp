//===- module.cpp - A package's code in a driver --------------------------===//

#include "module.h"

#include "driver.h"
#include "error.h"
#include "package.h"

using namespace fa3;

/// Loads an image. `log` receives the PTX compiler's errors.
static cu::CUresult loadImage(const cu::Functions &functions,
                              const std::string &image, char *log,
                              size_t logSize, cu::CUlibrary &library) {
  cu::CUjit_option options[] = {cu::CU_JIT_ERROR_LOG_BUFFER,
                                cu::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  // The size is passed in the pointer's place, not behind it.
  void *values[] = {log, reinterpret_cast<void *>(logSize)};
  return functions.cuLibraryLoadData(&library, image.c_str(), options, values,
                                     2, nullptr, nullptr, 0);
}

/// Whether a driver that answers so to a cubin may still take PTX.
static bool isForeignBinary(cu::CUresult result) {
  return result == cu::CUDA_ERROR_NO_BINARY_FOR_GPU ||
         result == cu::CUDA_ERROR_INVALID_IMAGE;
}

static fa3_status loadLibrary(fa3_module &module, const fa3_package &package,
                              fa3_error *error) {
  const cu::Functions &functions = module.functions;
  char log[640] = "";
  cu::CUresult result = cu::CUDA_ERROR_NO_BINARY_FOR_GPU;
  if (!package.cubin.empty()) {
    module.code = "cubin";
    result =
        loadImage(functions, package.cubin, log, sizeof(log), module.library);
  }
  if (isForeignBinary(result) && !package.ptx.empty()) {
    module.code = "ptx";
    log[0] = '\0';
    result =
        loadImage(functions, package.ptx, log, sizeof(log), module.library);
  }
  if (result == cu::CUDA_SUCCESS)
    return FA3_SUCCESS;
  module.library = nullptr;
  log[sizeof(log) - 1] = '\0';
  return setDriverError(error, functions, result, "loading the %s of '%s'%s%s",
                        module.code, package.manifest->name.c_str(),
                        log[0] ? ":\n" : "", log);
}

static fa3_status create(const fa3_driver &driver, const fa3_package &package,
                         fa3_module **module, fa3_error *error) {
  const Manifest &manifest = *package.manifest;
  if (driver.version < manifest.minDriver)
    return setError(error, FA3_ERROR_NO_DRIVER,
                    "the driver '%s' supports CUDA %d.%d, but '%s' needs "
                    "CUDA %d.%d or newer",
                    driver.path.c_str(), driver.version / 1000,
                    driver.version % 1000 / 10, manifest.name.c_str(),
                    manifest.minDriver / 1000, manifest.minDriver % 1000 / 10);
  auto created = std::make_unique<fa3_module>();
  created->functions = driver.functions;
  created->manifest = package.manifest;
  if (fa3_status status = loadLibrary(*created, package, error))
    return status;
  for (const KernelSpec &kernel : manifest.kernels) {
    cu::CUkernel handle = nullptr;
    if (cu::CUresult result = driver.functions.cuLibraryGetKernel(
            &handle, created->library, kernel.name.c_str());
        result != cu::CUDA_SUCCESS)
      return setDriverError(error, driver.functions, result,
                            "finding kernel '%s' in the %s",
                            kernel.name.c_str(), created->code);
    created->kernels.push_back(handle);
  }
  *module = created.release();
  return setSuccess(error);
}

fa3_module::~fa3_module() {
  // Nothing can be done about a failure to unload.
  if (library)
    (void)functions.cuLibraryUnload(library);
}

fa3_status fa3_module::checkDevice(cu::CUdevice device, int &count,
                                   fa3_error *error) const {
  int major = 0;
  int minor = 0;
  int sharedMemory = 0;
  for (auto [attribute, value] :
       {std::pair{cu::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &major},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &minor},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                  &sharedMemory},
        std::pair{cu::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &count}})
    if (cu::CUresult result =
            functions.cuDeviceGetAttribute(value, attribute, device);
        result != cu::CUDA_SUCCESS)
      return setDriverError(error, functions, result,
                            "asking device %d for attribute %d", device,
                            static_cast<int>(attribute));
  const int found = 10 * major + minor;
  if (manifest->architectureSpecific ? found != manifest->computeCapability
                                     : found < manifest->computeCapability)
    return setError(error, FA3_ERROR_NO_DEVICE,
                    "device %d has compute capability %d.%d, but '%s' needs "
                    "%s %d.%d",
                    device, major, minor, manifest->name.c_str(),
                    manifest->architectureSpecific ? "exactly" : "at least",
                    manifest->computeCapability / 10,
                    manifest->computeCapability % 10);
  for (const KernelSpec &kernel : manifest->kernels)
    if (kernel.sharedMemory > sharedMemory)
      return setError(error, FA3_ERROR_NO_DEVICE,
                      "kernel '%s' needs %d bytes of shared memory in a block, "
                      "but device %d has %d",
                      kernel.name.c_str(), kernel.sharedMemory, device,
                      sharedMemory);
  if (count < 1)
    return setError(error, FA3_ERROR_NO_DEVICE,
                    "device %d has %d multiprocessors, expected at least 1",
                    device, count);
  return FA3_SUCCESS;
}

fa3_status fa3_module::prepareDevice(int &count, fa3_error *error) {
  cu::CUdevice device = 0;
  const cu::CUresult current = functions.cuCtxGetDevice(&device);
  if (current == cu::CUDA_ERROR_INVALID_CONTEXT)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "no CUDA context is current on the calling thread");
  if (current != cu::CUDA_SUCCESS)
    return setDriverError(error, functions, current,
                          "asking for the current context's device");
  if (device < 0 || device >= maxDevices)
    return setError(error, FA3_ERROR_NO_DEVICE, "device %d, expected 0 to %d",
                    device, maxDevices - 1);
  count = multiprocessors[device].load(std::memory_order_acquire);
  if (count != 0)
    return FA3_SUCCESS;
  const std::lock_guard<std::mutex> lock(preparing);
  count = multiprocessors[device].load(std::memory_order_relaxed);
  if (count != 0)
    return FA3_SUCCESS;
  if (fa3_status status = checkDevice(device, count, error))
    return status;
  for (size_t i = 0; i < kernels.size(); ++i)
    if (cu::CUresult result = functions.cuKernelSetAttribute(
            cu::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
            manifest->kernels[i].sharedMemory, kernels[i], device);
        result != cu::CUDA_SUCCESS)
      return setDriverError(error, functions, result,
                            "giving kernel '%s' %d bytes of shared memory on "
                            "device %d",
                            manifest->kernels[i].name.c_str(),
                            manifest->kernels[i].sharedMemory, device);
  multiprocessors[device].store(count, std::memory_order_release);
  return FA3_SUCCESS;
}

fa3_status fa3_module_create(const fa3_driver *driver,
                             const fa3_package *package, fa3_module **module,
                             fa3_error *error) {
  if (!driver || !package || !module)
    return setError(
        error, FA3_ERROR_INVALID_ARGUMENT,
        "fa3_module_create: driver, package and module may not be null");
  return guarded(error,
                 [&] { return create(*driver, *package, module, error); });
}

void fa3_module_destroy(fa3_module *module) { delete module; }

const char *fa3_module_code(const fa3_module *module) {
  return module ? module->code : nullptr;
}

fa3_status fa3_module_prepare(fa3_module *module, fa3_error *error) {
  if (!module)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_module_prepare: module may not be null");
  return guarded(error, [&] {
    int multiprocessors = 0;
    if (fa3_status status = module->prepareDevice(multiprocessors, error))
      return status;
    for (size_t i = 0; i < module->kernels.size(); ++i) {
      cu::CUfunction function = nullptr;
      if (cu::CUresult result = module->functions.cuKernelGetFunction(
              &function, module->kernels[i]);
          result != cu::CUDA_SUCCESS)
        return setDriverError(error, module->functions, result,
                              "loading kernel '%s' into the current context",
                              module->manifest->kernels[i].name.c_str());
    }
    return setSuccess(error);
  });
}
