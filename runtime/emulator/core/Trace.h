//===- Trace.h - Timeline events of a launch --------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_TRACE_H
#define FA3_EMULATOR_CORE_TRACE_H

#include <array>
#include <cstdint>

namespace fa3::emulator {

/// What a span of the timeline shows.
enum class TraceCategory : uint8_t {
  Warp,      ///< A warp is alive.
  Issue,     ///< Ordinary instructions between two waits.
  Wait,      ///< Blocked on an mbarrier.
  Barrier,   ///< Blocked on a named, CTA or cluster barrier.
  WgmmaWait, ///< Blocked in wgmma.wait_group.
  BulkWait,  ///< Blocked in cp.async.bulk.wait_group or cp.async.wait_group.
  Tma,       ///< An asynchronous copy, from issue to completion.
  Wgmma,     ///< A wgmma group, from first issue to completion.
};

/// A closed span in logical clocks. Logical time comes from a fixed cost model
/// and does not depend on the seed's choice of when asynchronous work is done.
struct TraceEvent {
  TraceCategory category;
  /// A static string, such as "mbarrier.try_wait" or "cp.async.bulk.tensor".
  const char *name;
  std::array<uint32_t, 3> cta;
  int32_t warp;        ///< Warp in the CTA that issued or waited.
  uint32_t line;       ///< PTX line.
  uint64_t begin, end; ///< Logical clocks since the CTA started.
  uint64_t value;      ///< Bytes of a copy, FLOPs of a wgmma group, or 0.
  uint64_t address;    ///< The barrier or the shared-memory address, or 0.
};

/// Receives the events of one launch; called from several host threads, but
/// never concurrently for one CTA.
class TraceSink {
public:
  virtual ~TraceSink() = default;
  virtual void event(const TraceEvent &event) = 0;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_TRACE_H
