//===- driver.cpp - Opens a driver ----------------------------------------===//

#include "driver.h"

#include "error.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

using namespace fa3;

/// Where the library that contains this function lies, and the executable.
static std::vector<std::filesystem::path> ownDirectories() {
  std::vector<std::filesystem::path> directories;
  Dl_info info;
  if (dladdr(reinterpret_cast<void *>(&fa3_driver_open), &info) &&
      info.dli_fname)
    directories.push_back(
        std::filesystem::absolute(info.dli_fname).parent_path());
  std::error_code failure;
  const auto executable =
      std::filesystem::read_symlink("/proc/self/exe", failure);
  if (!failure)
    directories.push_back(executable.parent_path());
  return directories;
}

/// What to give dlopen for the emulator: where it exists, or its bare name.
static std::string findEmulator() {
  static constexpr const char *name = "libfa3_emulator.so";
  for (const std::filesystem::path &directory : ownDirectories())
    for (const auto &candidate :
         {directory / name, directory.parent_path() / "lib" / name}) {
      std::error_code failure;
      if (std::filesystem::exists(candidate, failure))
        return candidate;
    }
  return name;
}

static std::string choosePath(const char *path) {
  if (!path) {
    const char *chosen = std::getenv("FA3_DRIVER");
    path = chosen && *chosen ? chosen : "libcuda.so.1";
  }
  return std::string_view(path) == "emulator" ? findEmulator() : path;
}

static fa3_status open(std::string path, fa3_driver **driver,
                       fa3_error *error) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return setError(error, FA3_ERROR_NO_DRIVER,
                    "cannot open the CUDA driver '%s': %s", path.c_str(),
                    reason ? reason : "unknown reason");
  }
  auto opened = std::make_unique<fa3_driver>();
  const cu::Functions &functions = opened->functions;
  if (const char *missing = cu::loadFunctions(library, opened->functions))
    return setError(error, FA3_ERROR_NO_DRIVER,
                    "the CUDA driver '%s' has no function '%s'; it is too old "
                    "(CUDA 12.3 or newer is needed) or no CUDA driver",
                    path.c_str(), missing);
  const cu::CUresult initialized = functions.cuInit(0);
  if (initialized == cu::CUDA_ERROR_NO_DEVICE)
    return setError(error, FA3_ERROR_NO_DEVICE,
                    "the CUDA driver '%s' sees no device", path.c_str());
  if (initialized != cu::CUDA_SUCCESS)
    return setDriverError(error, functions, initialized,
                          "initializing the driver '%s'", path.c_str());
  if (cu::CUresult result = functions.cuDriverGetVersion(&opened->version);
      result != cu::CUDA_SUCCESS)
    return setDriverError(error, functions, result,
                          "asking the driver '%s' for its version",
                          path.c_str());
  int count = 0;
  if (cu::CUresult result = functions.cuDeviceGetCount(&count);
      result != cu::CUDA_SUCCESS)
    return setDriverError(error, functions, result, "counting devices");
  if (count == 0)
    return setError(error, FA3_ERROR_NO_DEVICE,
                    "the CUDA driver '%s' sees no device", path.c_str());
  opened->path = std::move(path);
  *driver = opened.release();
  return setSuccess(error);
}

fa3_status fa3_driver_open(const char *path, fa3_driver **driver,
                           fa3_error *error) {
  if (!driver)
    return setError(error, FA3_ERROR_INVALID_ARGUMENT,
                    "fa3_driver_open: driver may not be null");
  return guarded(error, [&] { return open(choosePath(path), driver, error); });
}

void fa3_driver_close(fa3_driver *driver) { delete driver; }

int fa3_driver_version(const fa3_driver *driver) {
  return driver ? driver->version : 0;
}

const char *fa3_driver_path(const fa3_driver *driver) {
  return driver ? driver->path.c_str() : nullptr;
}
