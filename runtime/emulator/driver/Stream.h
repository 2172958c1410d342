//===- Stream.h - Streams, captures and events ------------------*- C++ -*-===//
//
// Work runs in the thread that enqueues it, before the call returns: a legal
// order of every program, and a repeatable one. What a program can observe
// follows the real driver: the error of a kernel surfaces in a later call, and
// a capturing stream records instead of running.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_DRIVER_STREAM_H
#define FA3_EMULATOR_DRIVER_STREAM_H

#include "emulator/driver/State.h"

#include <functional>
#include <set>

namespace fa3::emulator::driver {

struct Stream;

/// A piece of enqueued work. It reports its own failure with Context::fail.
using Operation = std::function<void(Context &)>;

/// Work recorded between cuStreamBeginCapture and cuStreamEndCapture, in an
/// order that respects all dependencies: that of the calls.
struct Capture {
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  Stream *origin = nullptr;
  std::atomic<bool> invalidated{false};

  std::mutex mutex;
  std::vector<Operation> operations;
  std::vector<std::weak_ptr<Stream>> streams; ///< All that take part.
  std::set<const Stream *> unjoined; ///< With work the origin does not await.
};

struct Stream {
  Stream(std::shared_ptr<Context> context, bool nonBlocking, bool legacy)
      : context(std::move(context)), nonBlocking(nonBlocking), legacy(legacy) {}

  const std::shared_ptr<Context> context;
  const bool nonBlocking;
  const bool legacy; ///< The null stream.
  /// Held while work runs: a stream's operations do not overlap.
  std::mutex order;
  std::mutex mutex; ///< Guards \c capture.
  std::shared_ptr<Capture> capture;

  std::shared_ptr<Capture> currentCapture() {
    std::lock_guard lock(mutex);
    return capture;
  }
};

struct Event {
  Event(std::shared_ptr<Context> context, bool timing)
      : context(std::move(context)), timing(timing) {}

  const std::shared_ptr<Context> context;
  const bool timing;
  std::mutex mutex;
  bool recorded = false;
  uint64_t time = 0;
  /// Set while the last record was into a capture.
  std::weak_ptr<Capture> capture;
  const Stream *capturedStream = nullptr;
};

HandleTable<Stream, CUstream> &streams();
HandleTable<Event, CUevent> &events();

/// Checks the calling thread's context and finds \p handle's stream in it.
CUresult enterStream(CUstream handle, std::shared_ptr<Stream> &stream);

/// Runs or records \p operation; checks what the null stream must not do.
CUresult enqueue(const std::shared_ptr<Stream> &stream, Operation operation);

/// Whether a call that could disturb a capture (an allocation, a synchronizing
/// copy, a load of code) is allowed in this thread now. If not, the captures in
/// question are invalidated and the call's error is returned.
CUresult checkUnsafeCall();

/// Ends every capture of \p context because the null stream was used.
CUresult checkLegacyStream(Context &context);

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_STREAM_H
