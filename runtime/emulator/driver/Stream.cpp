//===- Stream.cpp - Order of work and the rules of stream capture ---------===//

#include "emulator/driver/Stream.h"

namespace fa3::emulator::driver {

namespace {

thread_local CUstreamCaptureMode threadCaptureMode =
    CU_STREAM_CAPTURE_MODE_GLOBAL;

} // namespace

HandleTable<Stream, CUstream> &streams() {
  static auto *table = new HandleTable<Stream, CUstream>(0x5f57);
  return *table;
}

HandleTable<Event, CUevent> &events() {
  static auto *table = new HandleTable<Event, CUevent>(0x5fe7);
  return *table;
}

CUresult enterStream(CUstream handle, std::shared_ptr<Stream> &stream) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (!handle || handle == CU_STREAM_LEGACY) {
    stream = std::make_shared<Stream>(context, false, true);
    return CUDA_SUCCESS;
  }
  stream = streams().find(handle);
  if (!stream)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!stream->context->alive)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return stream->context->sticky;
}

CUresult checkLegacyStream(Context &context) {
  bool capturing = false;
  for (const auto &stream : streams().all()) {
    if (stream->context.get() != &context || stream->nonBlocking)
      continue;
    if (auto capture = stream->currentCapture()) {
      capture->invalidated = true;
      capturing = true;
    }
  }
  return capturing ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
}

CUresult enqueue(const std::shared_ptr<Stream> &stream, Operation operation) {
  Context &context = *stream->context;
  if (stream->legacy)
    if (CUresult error = checkLegacyStream(context))
      return error;
  std::lock_guard order(stream->order);
  if (auto capture = stream->currentCapture()) {
    if (capture->invalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    std::lock_guard lock(capture->mutex);
    capture->operations.push_back(std::move(operation));
    if (capture->origin != stream.get())
      capture->unjoined.insert(stream.get());
    return CUDA_SUCCESS;
  }
  std::lock_guard execution(context.device.execution);
  operation(context);
  return CUDA_SUCCESS;
}

CUresult checkUnsafeCall() {
  if (threadCaptureMode == CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_SUCCESS;
  bool forbidden = false;
  for (const auto &stream : streams().all()) {
    auto capture = stream->currentCapture();
    if (!capture || capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED)
      continue;
    const bool own = capture->thread == std::this_thread::get_id();
    const bool global = capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                        threadCaptureMode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    if (own || global) {
      capture->invalidated = true;
      forbidden = true;
    }
  }
  return forbidden ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_SUCCESS;
}

} // namespace fa3::emulator::driver

using namespace fa3::emulator::driver;

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  if (!mode || *mode < CU_STREAM_CAPTURE_MODE_GLOBAL ||
      *mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_ERROR_INVALID_VALUE;
  std::swap(*mode, threadCaptureMode);
  return CUDA_SUCCESS;
}
