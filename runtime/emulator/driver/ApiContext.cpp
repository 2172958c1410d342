//===- ApiContext.cpp - Primary and own contexts, and the current one -----===//

#include "emulator/driver/Stream.h"

using namespace fa3::emulator::driver;

namespace {

std::shared_ptr<Context> createContext(Device &device, bool primary) {
  auto context = std::make_shared<Context>(device, primary);
  context->handle = contexts().add(context);
  return context;
}

/// Ends \p context: its memory is freed, its handles die with it.
void destroyContext(Context &context) {
  std::lock_guard execution(context.device.execution);
  context.alive = false;
  context.device.memory.freeAll(&context);
  contexts().remove(context.handle);
}

/// Looks a context handle up; null stands for "no context".
CUresult findContext(CUcontext handle, std::shared_ptr<Context> &context) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!handle)
    return CUDA_SUCCESS;
  context = contexts().find(handle);
  return context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult findPrimary(CUdevice ordinal, Device *&device) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  device = findDevice(ordinal);
  return device ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

} // namespace

CUresult cuDevicePrimaryCtxRetain(CUcontext *handle, CUdevice ordinal) {
  Device *device = nullptr;
  if (CUresult error = findPrimary(ordinal, device))
    return error;
  if (!handle)
    return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard lock(device->primaryMutex);
  if (!device->primary)
    device->primary = createContext(*device, /*primary=*/true);
  ++device->primaryReferences;
  *handle = device->primary->handle;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice ordinal) {
  Device *device = nullptr;
  if (CUresult error = findPrimary(ordinal, device))
    return error;
  std::lock_guard lock(device->primaryMutex);
  if (device->primaryReferences == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (--device->primaryReferences == 0) {
    destroyContext(*device->primary);
    device->primary.reset();
  }
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice ordinal) {
  Device *device = nullptr;
  if (CUresult error = findPrimary(ordinal, device))
    return error;
  std::lock_guard lock(device->primaryMutex);
  if (device->primary) {
    destroyContext(*device->primary);
    device->primary.reset();
    device->primaryReferences = 0;
  }
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned *flags,
                                    int *active) {
  Device *device = nullptr;
  if (CUresult error = findPrimary(ordinal, device))
    return error;
  if (!flags || !active)
    return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard lock(device->primaryMutex);
  *flags = 0;
  *active = device->primary != nullptr;
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *handle, unsigned flags, CUdevice ordinal) {
  Device *device = nullptr;
  if (CUresult error = findPrimary(ordinal, device))
    return error;
  if (!handle)
    return CUDA_ERROR_INVALID_VALUE;
  auto context = createContext(*device, /*primary=*/false);
  contextStack().push_back(context);
  *handle = context->handle;
  return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext handle) {
  std::shared_ptr<Context> context;
  if (CUresult error = findContext(handle, context))
    return error;
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  if (context->isPrimary)
    return CUDA_ERROR_INVALID_CONTEXT;
  destroyContext(*context);
  auto &stack = contextStack();
  if (!stack.empty() && stack.back() == context)
    stack.pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!handle)
    return CUDA_ERROR_INVALID_VALUE;
  auto context = currentContext();
  *handle = context ? context->handle : nullptr;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext handle) {
  std::shared_ptr<Context> context;
  if (CUresult error = findContext(handle, context))
    return error;
  auto &stack = contextStack();
  if (!stack.empty())
    stack.pop_back();
  if (context)
    stack.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext handle) {
  std::shared_ptr<Context> context;
  if (CUresult error = findContext(handle, context))
    return error;
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  contextStack().push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto &stack = contextStack();
  if (stack.empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (handle)
    *handle = stack.back()->handle;
  stack.pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!device)
    return CUDA_ERROR_INVALID_VALUE;
  auto context = currentContext();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  *device = context->device.ordinal;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetApiVersion(CUcontext handle, unsigned *version) {
  std::shared_ptr<Context> context;
  if (CUresult error = findContext(handle, context))
    return error;
  if (!context)
    context = currentContext();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!version)
    return CUDA_ERROR_INVALID_VALUE;
  *version = 3020;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  for (const auto &stream : streams().all())
    if (stream->context == context)
      if (auto capture = stream->currentCapture()) {
        capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
      }
  // Work of other threads may still run.
  std::lock_guard execution(context->device.execution);
  return context->sticky;
}
