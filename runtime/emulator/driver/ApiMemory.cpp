//===- ApiMemory.cpp - Allocation, copies and fills -----------------------===//

#include "emulator/driver/Report.h"
#include "emulator/driver/Stream.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>

using namespace fa3::emulator;
using namespace fa3::emulator::driver;

namespace {

/// Nothing is free: 2 us for an operation, 50 bytes a nanosecond over the bus,
/// 2000 inside the device.
constexpr uint64_t kOperationNs = 2000;
constexpr uint64_t kBusBytesPerNs = 50;
constexpr uint64_t kMemoryBytesPerNs = 2000;

/// Whether [address, address + bytes) is live device memory; says why not.
bool checkRange(const Context &context, const char *function,
                CUdeviceptr address, size_t bytes) {
  const AddressLookup found = context.device.memory.find(address, bytes);
  if (found.kind == AddressLookup::Kind::Live)
    return true;
  char text[256];
  std::snprintf(text, sizeof(text), "[0x%llx, +%zu bytes) ", address, bytes);
  std::string message = text;
  std::snprintf(text, sizeof(text),
                " the allocation of %" PRIu64 " bytes at 0x%" PRIx64,
                found.size, found.base);
  const char *kind = "out-of-bounds";
  switch (found.kind) {
  case AddressLookup::Kind::OutOfBounds:
    message += std::string("is outside") + text;
    break;
  case AddressLookup::Kind::Freed:
    message += std::string("touches") + text + ", which was freed";
    kind = "use-after-free";
    break;
  default:
    message += "is not device memory";
  }
  reportMisuse(function, kind, message);
  return false;
}

void *host(CUdeviceptr address) { return reinterpret_cast<void *>(address); }

/// One copy or fill. Ranges are checked when the call is made, as the driver
/// does, and again when it runs: a graph may outlive its memory.
struct Transfer {
  const char *function;
  std::optional<CUdeviceptr> to;   ///< Device memory written.
  std::optional<CUdeviceptr> from; ///< Device memory read.
  size_t bytes = 0;
  uint64_t bytesPerNs = kMemoryBytesPerNs;
  std::function<void()> work;

  bool check(const Context &context) const {
    return (!to || checkRange(context, function, *to, bytes)) &&
           (!from || checkRange(context, function, *from, bytes));
  }

  void operator()(Context &context) const {
    if (context.sticky)
      return;
    if (!check(context))
      return context.fail(CUDA_ERROR_ILLEGAL_ADDRESS);
    work();
    context.device.clock += kOperationNs + bytes / bytesPerNs;
  }
};

CUresult submit(CUstream handle, const Transfer &transfer) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (transfer.bytes == 0)
    return CUDA_SUCCESS;
  if (!transfer.check(*stream->context))
    return CUDA_ERROR_INVALID_VALUE;
  return enqueue(stream, transfer);
}

/// The synchronous functions run in the null stream, which a capture in a
/// blocking stream forbids, and wait.
CUresult submitAndWait(const Transfer &transfer) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(nullptr, stream))
    return error;
  if (CUresult error = checkLegacyStream(*stream->context))
    return error;
  if (CUresult error = submit(nullptr, transfer))
    return error;
  return stream->context->sticky;
}

Transfer copyToDevice(const char *function, CUdeviceptr to, const void *from,
                      size_t bytes) {
  return {function,       to,
          std::nullopt,   bytes,
          kBusBytesPerNs, [=] { std::memcpy(host(to), from, bytes); }};
}

Transfer copyToHost(const char *function, void *to, CUdeviceptr from,
                    size_t bytes) {
  return {function,       std::nullopt,
          from,           bytes,
          kBusBytesPerNs, [=] { std::memcpy(to, host(from), bytes); }};
}

Transfer copyInDevice(const char *function, CUdeviceptr to, CUdeviceptr from,
                      size_t bytes) {
  return {function, to, from, bytes, kMemoryBytesPerNs, [=] {
            std::memmove(host(to), host(from), bytes);
          }};
}

template <typename T>
Transfer fill(const char *function, CUdeviceptr to, T value, size_t count) {
  return {
      function, to, std::nullopt, count * sizeof(T), kMemoryBytesPerNs, [=] {
        std::fill_n(static_cast<T *>(host(to)), count, value);
      }};
}

/// Misuse that does not depend on the allocation.
template <typename T> bool fillArgumentsValid(CUdeviceptr to, size_t count) {
  return to % sizeof(T) == 0 && count <= SIZE_MAX / sizeof(T);
}

} // namespace

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (free)
    *free = DeviceMemory::kTotalBytes - context->device.memory.usedBytes();
  if (total)
    *total = DeviceMemory::kTotalBytes;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (!address || bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = checkUnsafeCall())
    return error;
  *address = context->device.memory.allocate(bytes, context.get());
  return *address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (CUresult error = checkUnsafeCall())
    return error;
  // Freeing waits for the work that may use the memory.
  std::lock_guard execution(context->device.execution);
  if (!address || context->device.memory.free(address))
    return CUDA_SUCCESS;
  char text[96];
  std::snprintf(text, sizeof(text),
                "0x%llx is not the begin of a live allocation", address);
  reportMisuse("cuMemFree", "invalid-free", text);
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                 CUdeviceptr address) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  const AddressLookup found = context->device.memory.find(address, 1);
  if (found.kind != AddressLookup::Kind::Live)
    return CUDA_ERROR_NOT_FOUND;
  if (base)
    *base = found.base;
  if (bytes)
    *bytes = found.size;
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  if (!from && bytes)
    return CUDA_ERROR_INVALID_VALUE;
  return submitAndWait(copyToDevice("cuMemcpyHtoD", to, from, bytes));
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  if (!to && bytes)
    return CUDA_ERROR_INVALID_VALUE;
  return submitAndWait(copyToHost("cuMemcpyDtoH", to, from, bytes));
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return submitAndWait(copyInDevice("cuMemcpyDtoD", to, from, bytes));
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes,
                              CUstream stream) {
  if (!from && bytes)
    return CUDA_ERROR_INVALID_VALUE;
  return submit(stream, copyToDevice("cuMemcpyHtoDAsync", to, from, bytes));
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes,
                              CUstream stream) {
  if (!to && bytes)
    return CUDA_ERROR_INVALID_VALUE;
  return submit(stream, copyToHost("cuMemcpyDtoHAsync", to, from, bytes));
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                              CUstream stream) {
  return submit(stream, copyInDevice("cuMemcpyDtoDAsync", to, from, bytes));
}

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return submitAndWait(fill("cuMemsetD8", to, value, count));
}

CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  if (!fillArgumentsValid<unsigned short>(to, count))
    return CUDA_ERROR_INVALID_VALUE;
  return submitAndWait(fill("cuMemsetD16", to, value, count));
}

CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  if (!fillArgumentsValid<unsigned>(to, count))
    return CUDA_ERROR_INVALID_VALUE;
  return submitAndWait(fill("cuMemsetD32", to, value, count));
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                         CUstream stream) {
  return submit(stream, fill("cuMemsetD8Async", to, value, count));
}

CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                          CUstream stream) {
  if (!fillArgumentsValid<unsigned short>(to, count))
    return CUDA_ERROR_INVALID_VALUE;
  return submit(stream, fill("cuMemsetD16Async", to, value, count));
}

CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                          CUstream stream) {
  if (!fillArgumentsValid<unsigned>(to, count))
    return CUDA_ERROR_INVALID_VALUE;
  return submit(stream, fill("cuMemsetD32Async", to, value, count));
}
