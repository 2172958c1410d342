//===- ApiStream.cpp - Streams and their capture --------------------------===//

#include "emulator/driver/Graph.h"
#include "emulator/driver/Stream.h"

using namespace fa3::emulator::driver;

namespace {

CUresult createStream(CUstream *result, unsigned flags) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  if (!result || flags > CU_STREAM_NON_BLOCKING)
    return CUDA_ERROR_INVALID_VALUE;
  *result = streams().add(std::make_shared<Stream>(
      context, flags == CU_STREAM_NON_BLOCKING, /*legacy=*/false));
  return CUDA_SUCCESS;
}

/// Waiting for a capturing stream would wait for work that never runs.
CUresult synchronize(CUstream handle) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (stream->legacy)
    if (CUresult error = checkLegacyStream(*stream->context))
      return error;
  if (auto capture = stream->currentCapture()) {
    capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  std::lock_guard order(stream->order);
  return stream->context->sticky;
}

/// Takes every stream out of \p capture.
void release(Capture &capture) {
  for (const auto &member : capture.streams)
    if (auto stream = member.lock()) {
      std::lock_guard lock(stream->mutex);
      stream->capture.reset();
    }
}

} // namespace

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  return createStream(stream, flags);
}

CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int) {
  return createStream(stream, flags);
}

CUresult cuStreamDestroy_v2(CUstream handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto stream = streams().remove(handle);
  if (!stream)
    return CUDA_ERROR_INVALID_HANDLE;
  if (auto capture = stream->currentCapture())
    capture->invalidated = true;
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream stream) { return synchronize(stream); }

CUresult cuStreamQuery(CUstream stream) { return synchronize(stream); }

CUresult cuStreamGetCtx(CUstream handle, CUcontext *context) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  *context = stream->context->handle;
  return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL ||
      mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_ERROR_INVALID_VALUE;
  if (stream->legacy)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  std::lock_guard lock(stream->mutex);
  if (stream->capture)
    return CUDA_ERROR_ILLEGAL_STATE;
  auto capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->origin = stream.get();
  capture->streams.push_back(stream);
  stream->capture = std::move(capture);
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph *graph) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (!graph)
    return CUDA_ERROR_INVALID_VALUE;
  *graph = nullptr;
  auto capture = stream->currentCapture();
  if (!capture)
    return CUDA_ERROR_ILLEGAL_STATE;
  if (capture->origin != stream.get())
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id())
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  release(*capture);
  if (capture->invalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (!capture->unjoined.empty())
    return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  auto recorded = std::make_shared<Graph>();
  recorded->operations = std::move(capture->operations);
  *graph = graphs().add(recorded);
  return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(handle, stream))
    return error;
  if (!status)
    return CUDA_ERROR_INVALID_VALUE;
  auto capture = stream->currentCapture();
  *status = !capture               ? CU_STREAM_CAPTURE_STATUS_NONE
            : capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                   : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  return CUDA_SUCCESS;
}
