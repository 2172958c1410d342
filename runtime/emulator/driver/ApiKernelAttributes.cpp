//===- ApiKernelAttributes.cpp - Attributes of kernels and functions ------===//

#include "emulator/driver/Library.h"

#include <algorithm>

using namespace fa3::emulator;
using namespace fa3::emulator::driver;

namespace {

int maxThreads(const KernelInfo &info) {
  auto count = [](const std::array<uint32_t, 3> &dims) {
    return dims[0] ? std::max(1u, dims[0]) * std::max(1u, dims[1]) *
                         std::max(1u, dims[2])
                   : 0;
  };
  const uint32_t declared =
      std::max(count(info.requiredThreads), count(info.maxThreads));
  return declared ? int(declared) : int(kMaxThreadsPerBlock);
}

/// The registers that a thread can have at most; ptxas would say how many the
/// kernel needs.
int registerBound(const KernelInfo &info) {
  if (info.maxRegisters)
    return int(info.maxRegisters);
  return std::min(255, int(kRegistersPerSm) / maxThreads(info) / 8 * 8);
}

CUresult getAttribute(int *value, CUfunction_attribute attribute,
                      const Kernel &kernel, int device) {
  if (!value)
    return CUDA_ERROR_INVALID_VALUE;
  const KernelInfo &info = kernel.info;
  const KernelSettings &settings = kernel.settings[device];
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    *value = maxThreads(info);
    break;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    *value = int(info.staticSharedBytes);
    break;
  case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
  case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
    *value = 0;
    break;
  case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    *value = int(info.localBytes);
    break;
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    *value = registerBound(info);
    break;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    *value = 90;
    break;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    *value = settings.dynamicShared;
    break;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    *value = settings.carveout;
    break;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
    *value = info.requiredCluster[0] != 0;
    break;
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
    *value =
        int(info.requiredCluster[attribute -
                                 CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH]);
    break;
  case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    *value = settings.nonPortableCluster;
    break;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    *value = settings.clusterPolicy;
    break;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CUresult setAttribute(CUfunction_attribute attribute, int value, Kernel &kernel,
                      int device) {
  KernelSettings &settings = kernel.settings[device];
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    if (value < 0 ||
        value > int(kMaxSharedBytes) - int(kernel.info.staticSharedBytes))
      return CUDA_ERROR_INVALID_VALUE;
    settings.dynamicShared = value;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    if (value < -1 || value > 100)
      return CUDA_ERROR_INVALID_VALUE;
    settings.carveout = value;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    settings.nonPortableCluster = value != 0;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    if (value < 0 || value > 2)
      return CUDA_ERROR_INVALID_VALUE;
    settings.clusterPolicy = value;
    return CUDA_SUCCESS;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

/// The kernel behind a CUkernel and the device to look at.
CUresult findOnDevice(CUkernel handle, CUdevice device,
                      std::shared_ptr<Kernel> &kernel) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!findDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  kernel = kernels().find(handle);
  return kernel ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult findFunction(CUfunction handle, std::shared_ptr<Function> &function) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  function = functions().find(handle);
  return function ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult getName(const char **name, const void *handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto kernel = findKernel(handle);
  if (!name || !kernel)
    return name ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
  *name = kernel->info.name.c_str();
  return CUDA_SUCCESS;
}

CUresult getParameter(const void *handle, size_t index, size_t *offset,
                      size_t *size) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto kernel = findKernel(handle);
  if (!kernel)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!offset || index >= kernel->info.params.size())
    return CUDA_ERROR_INVALID_VALUE;
  *offset = kernel->info.params[index].offset;
  if (size)
    *size = kernel->info.params[index].size;
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuKernelGetAttribute(int *value, CUfunction_attribute attribute,
                              CUkernel handle, CUdevice device) {
  std::shared_ptr<Kernel> kernel;
  if (CUresult error = findOnDevice(handle, device, kernel))
    return error;
  return getAttribute(value, attribute, *kernel, device);
}

CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                              CUkernel handle, CUdevice device) {
  std::shared_ptr<Kernel> kernel;
  if (CUresult error = findOnDevice(handle, device, kernel))
    return error;
  return setAttribute(attribute, value, *kernel, device);
}

CUresult cuKernelGetName(const char **name, CUkernel handle) {
  return getName(name, handle);
}

CUresult cuKernelGetParamInfo(CUkernel handle, size_t index, size_t *offset,
                              size_t *size) {
  return getParameter(handle, index, offset, size);
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute,
                            CUfunction handle) {
  std::shared_ptr<Function> function;
  if (CUresult error = findFunction(handle, function))
    return error;
  return getAttribute(value, attribute, *function->kernel,
                      function->context->device.ordinal);
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                            int value) {
  std::shared_ptr<Function> function;
  if (CUresult error = findFunction(handle, function))
    return error;
  return setAttribute(attribute, value, *function->kernel,
                      function->context->device.ordinal);
}

CUresult cuFuncGetName(const char **name, CUfunction handle) {
  return getName(name, handle);
}

CUresult cuFuncGetParamInfo(CUfunction handle, size_t index, size_t *offset,
                            size_t *size) {
  return getParameter(handle, index, offset, size);
}
