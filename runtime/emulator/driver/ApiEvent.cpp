//===- ApiEvent.cpp - Events ----------------------------------------------===//

#include "emulator/driver/Stream.h"

using namespace fa3::emulator::driver;

namespace {

CUresult enterEvent(CUevent handle, std::shared_ptr<Event> &event) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  event = events().find(handle);
  return event ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

/// Events of a capture have no time of their own; asking spoils the capture.
CUresult checkNotCaptured(Event &event) {
  if (auto capture = event.capture.lock()) {
    capture->invalidated = true;
    return CUDA_ERROR_CAPTURED_EVENT;
  }
  return CUDA_SUCCESS;
}

/// Work is done when it is enqueued, so waiting for an event never blocks.
CUresult query(CUevent handle) {
  std::shared_ptr<Event> event;
  if (CUresult error = enterEvent(handle, event))
    return error;
  std::lock_guard lock(event->mutex);
  return checkNotCaptured(*event);
}

/// Makes work that \p stream gets from now on follow what the captured
/// \p event stands for.
CUresult joinCapture(const std::shared_ptr<Stream> &stream, Event &event,
                     const std::shared_ptr<Capture> &capture) {
  if (stream->legacy)
    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  std::lock_guard lock(stream->mutex);
  if (stream->capture && stream->capture != capture)
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  std::lock_guard captureLock(capture->mutex);
  if (!stream->capture) {
    stream->capture = capture;
    capture->streams.push_back(stream);
  }
  // The waiting stream now stands for the work of the other one.
  const bool pending = capture->unjoined.erase(event.capturedStream) != 0;
  if (pending && stream.get() != capture->origin)
    capture->unjoined.insert(stream.get());
  return CUDA_SUCCESS;
}

CUresult elapsed(float *milliseconds, CUevent startHandle, CUevent endHandle) {
  std::shared_ptr<Event> start, end;
  if (CUresult error = enterEvent(startHandle, start))
    return error;
  if (CUresult error = enterEvent(endHandle, end))
    return error;
  if (!milliseconds)
    return CUDA_ERROR_INVALID_VALUE;
  uint64_t times[2];
  const std::shared_ptr<Event> both[] = {start, end};
  for (int i = 0; i < 2; ++i) {
    std::lock_guard lock(both[i]->mutex);
    if (CUresult error = checkNotCaptured(*both[i]))
      return error;
    if (!both[i]->timing || !both[i]->recorded)
      return CUDA_ERROR_INVALID_HANDLE;
    times[i] = both[i]->time;
  }
  *milliseconds = float(double(int64_t(times[1] - times[0])) * 1e-6);
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuEventCreate(CUevent *event, unsigned flags) {
  std::shared_ptr<Context> context;
  if (CUresult error = enterContext(context))
    return error;
  constexpr unsigned known =
      CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;
  const bool timing = !(flags & CU_EVENT_DISABLE_TIMING);
  if (!event || (flags & ~known) || ((flags & CU_EVENT_INTERPROCESS) && timing))
    return CUDA_ERROR_INVALID_VALUE;
  *event = events().add(std::make_shared<Event>(context, timing));
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  return events().remove(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuEventRecord(CUevent handle, CUstream streamHandle) {
  std::shared_ptr<Event> event;
  if (CUresult error = enterEvent(handle, event))
    return error;
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(streamHandle, stream))
    return error;
  if (event->context != stream->context)
    return CUDA_ERROR_INVALID_HANDLE;
  if (auto capture = stream->currentCapture()) {
    if (capture->invalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    std::lock_guard lock(event->mutex);
    event->capture = capture;
    event->capturedStream = stream.get();
    return CUDA_SUCCESS;
  }
  return enqueue(stream, [event](Context &context) {
    std::lock_guard lock(event->mutex);
    event->capture.reset();
    event->recorded = true;
    event->time = context.device.clock;
  });
}

CUresult cuEventQuery(CUevent event) { return query(event); }

CUresult cuEventSynchronize(CUevent event) { return query(event); }

CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  return elapsed(milliseconds, start, end);
}

CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start,
                               CUevent end) {
  return elapsed(milliseconds, start, end);
}

CUresult cuStreamWaitEvent(CUstream streamHandle, CUevent handle,
                           unsigned flags) {
  std::shared_ptr<Event> event;
  if (CUresult error = enterEvent(handle, event))
    return error;
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(streamHandle, stream))
    return error;
  if (flags > 1)
    return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard lock(event->mutex);
  if (auto capture = event->capture.lock())
    return joinCapture(stream, *event, capture);
  if (auto capture = stream->currentCapture()) {
    capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  // The work before the event is done already.
  return CUDA_SUCCESS;
}
