//===- Race.h - Vector clocks and shared-memory shadow ----------*- C++ -*-===//
//
// Happens-before is tracked by vector clocks whose components ("agents") are
//   - each warp of the cluster: its own operations, counted in releases;
//   - each mbarrier: the asynchronous copies that complete on it, by phase;
//   - each warpgroup: its wgmma operations, by sequence number;
//   - each warp's bulk copies out of shared memory, by group.
// A thread clock holds two vectors: what the warp has seen, and which part of
// that is linked by a proxy fence, which asynchronous accesses to data written
// by ordinary stores need (PTX ISA, "Proxies" and "Causality order").
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_RACE_H
#define FA3_EMULATOR_CORE_RACE_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fa3::emulator {

/// A vector clock that grows as agents appear; missing components are zero.
class VectorClock {
public:
  uint32_t operator[](uint32_t agent) const {
    return agent < v.size() ? v[agent] : 0;
  }
  void set(uint32_t agent, uint32_t value) {
    if (agent >= v.size())
      v.resize(agent + 1, 0);
    v[agent] = value;
  }
  void raise(uint32_t agent, uint32_t value) {
    if ((*this)[agent] < value)
      set(agent, value);
  }
  void join(const VectorClock &other) {
    if (other.v.size() > v.size())
      v.resize(other.v.size(), 0);
    for (size_t i = 0; i != other.v.size(); ++i)
      v[i] = v[i] < other.v[i] ? other.v[i] : v[i];
  }
  /// Componentwise minimum: what all of several warps have seen.
  void meet(const VectorClock &other) {
    if (v.size() > other.v.size())
      v.resize(other.v.size());
    for (size_t i = 0; i != v.size(); ++i)
      v[i] = v[i] < other.v[i] ? v[i] : other.v[i];
  }
  void clear() { v.clear(); }

private:
  std::vector<uint32_t> v;
};

/// What a synchronisation object carries from releasers to acquirers.
struct SyncClock {
  VectorClock seen, fenced;
  void join(const SyncClock &other) {
    seen.join(other.seen);
    fenced.join(other.fenced);
  }
};

/// A warp's clocks.
struct ThreadClock : SyncClock {
  uint32_t own = 1; ///< Equals seen[agent].
  /// The warp's own accesses below this clock are ordered for all its lanes;
  /// later ones only for the lane that made them.
  uint32_t lanesSynced = 1;
  /// Snapshot of the last memory fence, which a relaxed arrival releases.
  SyncClock atFence;

  void start(uint32_t agent) { seen.set(agent, own); }
  void step(uint32_t agent) { seen.set(agent, ++own); }
  void releaseTo(SyncClock &object, uint32_t agent) {
    object.join(*this);
    step(agent);
  }
  void acquireFrom(const SyncClock &object, uint32_t agent) {
    join(object);
    uint32_t released = object.seen[agent] + 1;
    lanesSynced = lanesSynced < released ? released : lanesSynced;
  }
  /// A barrier among the lanes of the warp.
  void syncLanes(uint32_t agent) {
    step(agent);
    lanesSynced = own;
  }
  void proxyFence(uint32_t agent) {
    fenced = seen;
    step(agent);
  }
};

enum class AccessKind : uint8_t { Read, Write, AsyncRead, AsyncWrite };

/// One access in the shadow of shared memory.
struct Access {
  uint16_t agent = 0;
  uint16_t bytes = 0; ///< Bit per byte of the 16-byte cell.
  uint32_t clock = 0;
  uint32_t line = 0;
  AccessKind kind = AccessKind::Read;
  /// Lane of the first byte; the following lanes come after each laneBytes.
  uint8_t lane = kNoLane;
  uint8_t laneBytes = 16;
  uint16_t warp = 0; ///< Rank * 64 + warp in the CTA, for reports.

  /// An operation of no lane, which the lanes' order does not concern.
  static constexpr uint8_t kNoLane = 0xff;
  /// Several lanes together, as in ldmatrix.
  static constexpr uint8_t kLanesTogether = 0xfe;

  bool isWrite() const {
    return kind == AccessKind::Write || kind == AccessKind::AsyncWrite;
  }
  bool isAsync() const {
    return kind == AccessKind::AsyncRead || kind == AccessKind::AsyncWrite;
  }
};

/// Who makes an access, and what it is ordered after.
struct Viewer {
  const SyncClock &clock;
  /// The issuing warp and ThreadClock::lanesSynced of it.
  uint32_t agent;
  uint32_t lanesSynced;
};

/// Why an access conflicts with an earlier one.
enum class Conflict : uint8_t { None, Race, Unfenced };

/// The recent accesses to each 16 bytes of one CTA's shared memory. An access
/// that a later one covers and is ordered before is forgotten.
class SharedShadow {
public:
  void resize(uint32_t bytes) { cells.resize((bytes + 15) / 16); }
  bool enabled() const { return !cells.empty(); }

  /// Records \p access to [offset, offset + size) by someone who has seen
  /// \p clock. Returns the worst conflict and, if any, fills \p other and
  /// \p where (an offset).
  Conflict record(uint32_t offset, uint32_t size, Access access,
                  const Viewer &viewer, Access &other, uint32_t &where);

private:
  struct Cell {
    std::vector<Access> accesses;
  };
  Conflict recordCell(Cell &cell, const Access &access, const Viewer &viewer,
                      Access &other);
  std::vector<Cell> cells;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_RACE_H
