//===- ApiLibrary.cpp - Loading PTX text ----------------------------------===//

#include "emulator/driver/Library.h"
#include "emulator/driver/Report.h"
#include "emulator/driver/Stream.h"

#include <algorithm>
#include <cstring>

using namespace fa3::emulator;
using namespace fa3::emulator::driver;

namespace {

/// The newest PTX ISA of a driver of version 13.0, as major * 10 + minor.
constexpr int kMaxPtxVersion = 90;

/// The log buffers among the JIT options of a load.
class JitLog {
public:
  /// False if an option makes no sense.
  bool read(CUjit_option *options, void **values, unsigned count) {
    if (count && (!options || !values))
      return false;
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] < 0)
        return false;
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        buffer = static_cast<char *>(values[i]);
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
        size = &values[i];
      if (options[i] == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES)
        values[i] = nullptr;
    }
    return true;
  }

  /// Stores \p text, cut to the caller's buffer, and its length.
  void write(const std::string &text) {
    if (!size)
      return;
    const size_t room = reinterpret_cast<size_t>(*size);
    size_t used = 0;
    if (buffer && room) {
      used = std::min(room - 1, text.size());
      std::memcpy(buffer, text.data(), used);
      buffer[used] = '\0';
    }
    *size = reinterpret_cast<void *>(used);
  }

private:
  char *buffer = nullptr;
  void **size = nullptr;
};

/// Whether \p image is machine code: an ELF file or one of the two headers of
/// a fat binary.
bool isMachineCode(const void *image) {
  // Text is NUL-terminated: it may be shorter than four bytes.
  if (strnlen(static_cast<const char *>(image), 4) < 4)
    return false;
  uint32_t magic;
  std::memcpy(&magic, image, 4);
  return magic == 0x464c457f || magic == 0xba55ed50 || magic == 0x466243b1;
}

/// The first number of "8.3" or "sm_90a" as an integer: 83, 90.
int digitsOf(const std::string &text) {
  int value = 0;
  for (char c : text)
    if (c >= '0' && c <= '9' && value < 100000)
      value = value * 10 + (c - '0');
  return value;
}

/// Whether the device can run a module for \p target: forward-compatible code
/// for Hopper or older, or code for exactly this architecture.
bool targetRuns(const std::string &target) {
  const int number = digitsOf(target.substr(0, target.find(',')));
  const bool exact = target.find('a') != std::string::npos;
  return exact ? number == 90 : number <= 90;
}

CUresult parse(const void *image, JitLog &log,
               std::shared_ptr<Module> &module) {
  if (!image)
    return CUDA_ERROR_INVALID_VALUE;
  if (isMachineCode(image))
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  std::vector<Diagnostic> diagnostics;
  module = Module::parse(static_cast<const char *>(image), diagnostics);
  std::string text;
  for (const Diagnostic &diagnostic : diagnostics) {
    report(diagnostic);
    text += diagnostic.str() + "\n";
  }
  log.write(text);
  // Without this directive the text is not taken for PTX at all.
  if (!module)
    return std::strstr(static_cast<const char *>(image), ".version")
               ? CUDA_ERROR_INVALID_PTX
               : CUDA_ERROR_INVALID_IMAGE;
  if (digitsOf(module->ptxVersion()) > kMaxPtxVersion)
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  if (!targetRuns(module->target()))
    return CUDA_ERROR_INVALID_PTX;
  return CUDA_SUCCESS;
}

CUlibrary addLibrary(std::shared_ptr<Module> module) {
  auto library = std::make_shared<Library>();
  library->module = module;
  for (size_t i = 0; i < module->kernels().size(); ++i) {
    auto kernel = std::make_shared<Kernel>(module, int(i));
    kernel->handle = kernels().add(kernel);
    library->kernels.push_back(kernel);
  }
  return libraries().add(library);
}

CUresult load(const void *image, JitLog &log, CUlibrary &handle) {
  if (CUresult error = checkUnsafeCall())
    return error;
  std::shared_ptr<Module> module;
  if (CUresult error = parse(image, log, module))
    return error;
  handle = addLibrary(std::move(module));
  return CUDA_SUCCESS;
}

CUresult unload(const void *handle) {
  auto library = libraries().remove(handle);
  if (!library)
    return CUDA_ERROR_INVALID_HANDLE;
  for (const auto &kernel : library->kernels) {
    kernel->loaded = false;
    kernels().remove(kernel->handle);
    std::lock_guard lock(kernel->mutex);
    for (const auto &[context, function] : kernel->functions)
      functions().remove(function);
  }
  return CUDA_SUCCESS;
}

CUresult findByName(const void *handle, const char *name,
                    std::shared_ptr<Kernel> &kernel) {
  auto library = libraries().find(handle);
  if (!library)
    return CUDA_ERROR_INVALID_HANDLE;
  const int index = library->module->findKernel(name);
  if (index < 0)
    return CUDA_ERROR_NOT_FOUND;
  kernel = library->kernels[index];
  return CUDA_SUCCESS;
}

/// The kernel's function in the calling thread's context; the same each time.
CUresult functionOf(const std::shared_ptr<Kernel> &kernel, CUfunction *result) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  std::lock_guard lock(kernel->mutex);
  CUfunction &function = kernel->functions[context.get()];
  auto known = functions().find(function);
  if (!known || known->context != context)
    function =
        functions().add(std::make_shared<Function>(Function{kernel, context}));
  *result = function;
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuLibraryLoadData(CUlibrary *library, const void *code,
                           CUjit_option *jitOptions, void **jitValues,
                           unsigned jitCount, CUlibraryOption *options,
                           void **values, unsigned count) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  JitLog log;
  if (!library || !log.read(jitOptions, jitValues, jitCount) ||
      (count && !options))
    return CUDA_ERROR_INVALID_VALUE;
  return load(code, log, *library);
}

CUresult cuLibraryUnload(CUlibrary library) {
  return isInitialized() ? unload(library) : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult cuLibraryGetKernel(CUkernel *result, CUlibrary library,
                            const char *name) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!result || !name)
    return CUDA_ERROR_INVALID_VALUE;
  std::shared_ptr<Kernel> kernel;
  if (CUresult error = findByName(library, name, kernel))
    return error;
  *result = kernel->handle;
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernelCount(unsigned *count, CUlibrary handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!count)
    return CUDA_ERROR_INVALID_VALUE;
  auto library = libraries().find(handle);
  if (!library)
    return CUDA_ERROR_INVALID_HANDLE;
  *count = unsigned(library->kernels.size());
  return CUDA_SUCCESS;
}

CUresult cuKernelGetFunction(CUfunction *function, CUkernel handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!function)
    return CUDA_ERROR_INVALID_VALUE;
  auto kernel = kernels().find(handle);
  return kernel ? functionOf(kernel, function) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (!module)
    return CUDA_ERROR_INVALID_VALUE;
  JitLog log;
  CUlibrary library = nullptr;
  if (CUresult error = load(image, log, library))
    return error;
  // A module is a library that is used in one context.
  *module = reinterpret_cast<CUmodule>(library);
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module,
                             const char *name) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!function || !name)
    return CUDA_ERROR_INVALID_VALUE;
  std::shared_ptr<Kernel> kernel;
  if (CUresult error = findByName(module, name, kernel))
    return error;
  return functionOf(kernel, function);
}

CUresult cuModuleUnload(CUmodule module) {
  return isInitialized() ? unload(module) : CUDA_ERROR_NOT_INITIALIZED;
}
