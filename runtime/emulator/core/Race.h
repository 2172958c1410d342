//===- Race.h - Vector clocks and shared-memory shadow ----------*- C++ -*-===//
//
// Happens-before is tracked by vector clocks whose components ("agents") are
//   - each warp of the cluster: its own operations, counted in releases;
//   - each mbarrier: the asynchronous copies that complete on it, by phase;
//   - each warpgroup: its wgmma operations, by sequence number;
//   - each warp's bulk copies out of shared memory, by group.
// A warp's component has, besides, a value for each of its lanes: a lane that
// synchronises alone hands on its own operations, and those of the others only
// as far as the lanes have synchronised among themselves.
// A clock holds three vectors: what has been seen; which part of that is linked
// by a proxy fence, which asynchronous accesses to data written by ordinary
// stores need (PTX ISA, "Proxies" and "Causality order"); and which ordinary
// reads their threads have fenced, which asynchronous writes to the same place
// need: a fence that another thread executes later does not hold them back.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_RACE_H
#define FA3_EMULATOR_CORE_RACE_H

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fa3::emulator {

/// A vector clock that grows as agents appear; missing components are zero.
class VectorClock {
public:
  static constexpr uint32_t kAllLanes = ~0u;

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
  /// Raises the component for these lanes of the warp only.
  void raiseLanes(uint32_t agent, uint32_t mask, uint32_t value) {
    if (mask == kAllLanes) {
      raise(agent, value);
      return;
    }
    size_t first = size_t(agent) * 32;
    if (lanes.size() < first + 32)
      lanes.resize(first + 32, 0);
    for (; mask; mask &= mask - 1) {
      uint32_t &lane = lanes[first + size_t(std::countr_zero(mask))];
      lane = lane < value ? value : lane;
    }
  }
  /// Whether this includes what these lanes did at \p value; with no lanes,
  /// what the agent did.
  bool covers(uint32_t agent, uint32_t value, uint32_t mask = 0) const {
    return value <= (*this)[agent] || coversLanes(agent, value, mask);
  }
  /// The same by what was handed on by lanes alone.
  bool coversLanes(uint32_t agent, uint32_t value, uint32_t mask) const {
    size_t first = size_t(agent) * 32;
    if (!mask || lanes.size() < first + 32)
      return false;
    for (; mask; mask &= mask - 1)
      if (lanes[first + size_t(std::countr_zero(mask))] < value)
        return false;
    return true;
  }
  void join(const VectorClock &other) {
    join(v, other.v);
    join(lanes, other.lanes);
  }
  /// Componentwise minimum: what all of several warps have seen. What one has
  /// seen of a whole warp and another of its lanes is that of the lanes.
  void meet(const VectorClock &other) {
    const size_t count =
        lanes.size() > other.lanes.size() ? lanes.size() : other.lanes.size();
    lanes.resize(count, 0);
    for (size_t i = 0; i != count; ++i) {
      uint32_t agent = uint32_t(i / 32), theirs = other[agent];
      if (i < other.lanes.size() && theirs < other.lanes[i])
        theirs = other.lanes[i];
      uint32_t ours = (*this)[agent] < lanes[i] ? lanes[i] : (*this)[agent];
      lanes[i] = ours < theirs ? ours : theirs;
    }
    if (v.size() > other.v.size())
      v.resize(other.v.size());
    for (size_t i = 0; i != v.size(); ++i)
      v[i] = v[i] < other.v[i] ? v[i] : other.v[i];
  }

private:
  static void join(std::vector<uint32_t> &a, const std::vector<uint32_t> &b) {
    if (b.size() > a.size())
      a.resize(b.size(), 0);
    for (size_t i = 0; i != b.size(); ++i)
      a[i] = a[i] < b[i] ? b[i] : a[i];
  }
  std::vector<uint32_t> v;
  std::vector<uint32_t> lanes; ///< 32 for each agent.
};

/// What a synchronisation object carries from releasers to acquirers.
struct SyncClock {
  VectorClock seen, fenced, fencedReads;
  void join(const SyncClock &other) {
    seen.join(other.seen);
    fenced.join(other.fenced);
    fencedReads.join(other.fencedReads);
  }
  void meet(const SyncClock &other) {
    seen.meet(other.seen);
    fenced.meet(other.fenced);
    fencedReads.meet(other.fencedReads);
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
  uint32_t lanesSyncedAtFence = 1;
  /// Each lane's last proxy fence. fencedReads has it only once the lanes have
  /// synchronised: a fence orders nothing before another lane's release.
  using LaneFences = std::array<uint32_t, 32>;
  LaneFences laneFences{}, laneFencesAtFence{};

  void start(uint32_t agent) { seen.set(agent, own); }
  void step(uint32_t agent) { seen.set(agent, ++own); }
  void releaseTo(SyncClock &object, uint32_t agent) {
    raiseFences(fencedReads, laneFences, agent);
    object.join(*this);
    step(agent);
  }
  /// Releases what one lane may: other lanes' operations since the last barrier
  /// among the lanes are not ordered before this lane's. The caller steps.
  void releaseLane(SyncClock &object, uint32_t agent, uint32_t lane) {
    handOn(*this, lanesSynced, laneFences, object, agent, lane);
  }
  /// The same for an arrival that releases what the last fence covered.
  void releaseLaneAtFence(SyncClock &object, uint32_t agent, uint32_t lane) {
    handOn(atFence, lanesSyncedAtFence, laneFencesAtFence, object, agent, lane);
  }
  void releaseAtFence(SyncClock &object, uint32_t agent) {
    raiseFences(atFence.fencedReads, laneFencesAtFence, agent);
    object.join(atFence);
  }
  void fence(uint32_t agent) {
    atFence = *this;
    lanesSyncedAtFence = lanesSynced;
    laneFencesAtFence = laneFences;
    step(agent);
  }
  void acquireFrom(const SyncClock &object, uint32_t agent) {
    join(object);
    uint32_t released = object.seen[agent] + 1;
    lanesSynced = lanesSynced < released ? released : lanesSynced;
  }
  /// A barrier among the lanes of the warp.
  void syncLanes(uint32_t agent) {
    raiseFences(fencedReads, laneFences, agent);
    step(agent);
    lanesSynced = own;
  }
  /// A proxy fence of the lanes \p lanes.
  void proxyFence(uint32_t agent, uint32_t lanes) {
    VectorClock before = seen;
    // Each lane fences what is ordered before its fence.
    if (lanes != VectorClock::kAllLanes)
      before.set(agent, lanesSynced - 1);
    fenced.join(before);
    fenced.raiseLanes(agent, lanes, own);
    for (; lanes; lanes &= lanes - 1)
      laneFences[size_t(std::countr_zero(lanes))] = own;
    step(agent);
  }

private:
  static void raiseFences(VectorClock &reads, const LaneFences &fences,
                          uint32_t agent) {
    uint32_t all = fences[0];
    for (uint32_t fence : fences)
      all = all < fence ? all : fence;
    reads.raise(agent, all);
    for (uint32_t lane = 0; lane != fences.size(); ++lane)
      if (fences[lane] > all)
        reads.raiseLanes(agent, 1u << lane, fences[lane]);
  }
  static void handOn(SyncClock &clock, uint32_t synced,
                     const LaneFences &fences, SyncClock &object,
                     uint32_t agent, uint32_t lane) {
    const uint32_t all = clock.seen[agent];
    clock.seen.set(agent, synced - 1);
    object.join(clock);
    clock.seen.set(agent, all);
    object.seen.raiseLanes(agent, 1u << lane, all);
    if (fences[lane])
      object.fencedReads.raiseLanes(agent, 1u << lane, fences[lane]);
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
  /// The lanes that made it, for clocks: none for an agent that is no warp.
  uint32_t lanes = 0;

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
  /// ThreadClock::laneFences of that warp.
  const ThreadClock::LaneFences *laneFences = nullptr;
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
