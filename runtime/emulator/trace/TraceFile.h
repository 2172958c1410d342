//===- TraceFile.h - Timelines of launches as Chrome traces -----*- C++ -*-===//
//
// One process of the trace is one CTA; its threads are the CTA's warps, named
// by their role, and lanes for asynchronous copies and wgmma groups. One
// logical clock is shown as one nanosecond.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_TRACE_TRACEFILE_H
#define FA3_EMULATOR_TRACE_TRACEFILE_H

#include "emulator/core/Machine.h"
#include "emulator/core/Trace.h"

#include <mutex>
#include <string>
#include <vector>

namespace fa3::emulator {

/// Collects the events of one launch's first CTAs.
class LaunchTrace : public TraceSink {
public:
  LaunchTrace(std::string kernel, Dim3 grid, unsigned maxCtas)
      : kernelName(std::move(kernel)), grid(grid), maxCtas(maxCtas) {}

  void event(const TraceEvent &event) override;

  /// The events as lines of JSON, each ending in a comma. Process ids begin at
  /// \p firstProcess, which is moved on; times begin at \p start.
  std::string json(unsigned &firstProcess, uint64_t start) const;
  /// When the last event ended.
  uint64_t end() const;

private:
  uint64_t linear(const std::array<uint32_t, 3> &cta) const {
    return cta[0] + uint64_t(grid.x) * (cta[1] + uint64_t(grid.y) * cta[2]);
  }

  const std::string kernelName;
  const Dim3 grid;
  const unsigned maxCtas;
  mutable std::mutex mutex;
  std::vector<TraceEvent> events;
};

/// Writes \p trace to the file \p path after the launches that this process
/// traced before; the file is complete JSON after each call. False if it
/// cannot be written.
bool appendTrace(const std::string &path, const LaunchTrace &trace);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_TRACE_TRACEFILE_H
