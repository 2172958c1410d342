//===- State.h - A running cluster: CTAs, warps, async work -----*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_STATE_H
#define FA3_EMULATOR_CORE_STATE_H

#include "Program.h"
#include "Race.h"
#include "Random.h"
#include "TensorMap.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace fa3::emulator {

struct Cta;
struct Cluster;
struct Warp;

/// Common to all clusters of a launch.
struct Launch {
  const Program &program;
  const Kernel &kernel;
  const LaunchConfig &config;
  const AddressSpace &memory;
  const LaunchOptions &options;
  DiagnosticSink &sink;
  std::vector<unsigned char> params{};
  uint32_t sharedBytes = 0; ///< End of shared memory, system part included.
  uint32_t initialRegisters = 0;
  std::atomic<bool> stop{false};
  /// For each instruction whether it ran; null if nobody asked.
  std::unique_ptr<std::atomic<bool>[]> executed{};
  std::atomic<uint64_t> instructions{0}, flops{0}, bytes{0}, clocks{0};
};

//===----------------------------------------------------------------------===//
// Synchronisation objects
//===----------------------------------------------------------------------===//

/// An mbarrier object (PTX ISA, "mbarrier"). Its eight bytes of shared memory
/// only mark the place; the state is here.
struct Mbarrier {
  uint32_t offset = 0;
  uint32_t expected = 0;    ///< Arrivals of a phase.
  int64_t pending = 0;      ///< Arrivals this phase still needs.
  int64_t nextExpected = 0; ///< After arrive_drop.
  int64_t tx = 0;
  uint32_t phase = 0;        ///< Completed phases.
  bool asyncVisible = false; ///< Its init was fenced for the async proxy.
  uint16_t agent = 0;        ///< In vector clocks: its copies.
  uint16_t initWarp = 0;
  uint8_t initLane = 0;
  uint32_t initClock = 0;
  uint32_t initLine = 0;
  /// Whether its init is ordered before what has this clock.
  bool isInitSeen(const SyncClock &clock) const {
    return clock.seen.covers(initWarp, initClock, 1u << initLane);
  }
  uint64_t lastTime = 0; ///< Logical time of the last completed phase.
  uint64_t pendingTime = 0;
  SyncClock pendingClock, releasedClock;
};

/// A CTA barrier, numbers 0 to 15 (PTX ISA, "barrier").
struct NamedBarrier {
  uint32_t expected = 0; ///< Threads; 0 while nobody arrived.
  bool whole = false;    ///< All threads of the CTA are expected.
  uint32_t arrived = 0;
  uint32_t generation = 0;
  uint32_t firstLine = 0;
  int32_t firstWarp = -1;
  uint32_t reduction = 0, result = 0; ///< barrier.red
  uint64_t time = 0, lastTime = 0;
  SyncClock pendingClock, releasedClock;
  /// A warp's arrival, by its clock.
  struct Arrival {
    uint32_t agent, clock, line;
    int32_t warp;
  };
  /// Of this generation and of the last complete one.
  std::vector<Arrival> arrivals, lastArrivals;
};

struct ClusterBarrier {
  uint32_t arrived = 0; ///< Threads.
  uint32_t generation = 0;
  uint64_t time = 0, lastTime = 0;
  SyncClock pendingClock, releasedClock;
};

//===----------------------------------------------------------------------===//
// Asynchronous work
//===----------------------------------------------------------------------===//

/// A group of bulk copies made by one thread (cp.async.bulk.commit_group) or of
/// cp.async copies.
struct CopyGroup {
  uint32_t reading = 0; ///< Copies that may still read their source.
  uint32_t writing = 0; ///< Copies not yet complete.
};

/// Work in flight. The scheduler advances it at a time that the seed chooses;
/// each advance is one stage (read the source, write the destination, signal).
struct AsyncOp {
  virtual ~AsyncOp() = default;
  /// Does the next stage; true when that was the last one.
  virtual bool advance(Cluster &cluster) = 0;
  /// Whether it still reads or writes the shared memory of CTA \p rank.
  virtual bool usesShared(uint32_t rank) const = 0;
  /// CTA whose shared memory it uses (rank in the cluster).
  uint32_t rank = 0;
  /// The tick after which the scheduler may advance it; ~0: only when idle.
  uint64_t due = 0;
  Location where;
  const char *name = "";
};

/// The wgmma operations of a warpgroup, in order of issue.
struct WgmmaOp;
struct Warpgroup {
  std::deque<std::unique_ptr<WgmmaOp>> ops;
  uint32_t firstSeq = 1; ///< Sequence number of ops.front().
  uint32_t executed = 0; ///< Sequence number of the last executed.
  uint16_t agent = 0;
  /// The operations since the last commit, for the trace.
  uint64_t spanBegin = 0, spanEnd = 0, spanFlops = 0;
  uint32_t commits = 0; ///< By warps; four make one of the warpgroup.
  Warpgroup();
  ~Warpgroup();
  Warpgroup(Warpgroup &&) noexcept;
};

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

enum class WaitKind : uint8_t {
  None,
  Converge, ///< Other lanes of the warp have to come to this instruction.
  Mbarrier,
  Named,
  ClusterBar,
  Bulk,       ///< cp.async.bulk.wait_group
  CpAsync,    ///< cp.async.wait_group
  Registers,  ///< setmaxnreg.inc
  WgmmaPeers, ///< The other warps of the warpgroup have to issue.
};

struct Wait {
  WaitKind kind = WaitKind::None;
  uint32_t id = 0;         ///< Barrier number, lane mask, register count, ...
  uint32_t generation = 0; ///< Barrier generation or wgmma sequence number.
  bool nonBlocking =
      false; ///< mbarrier.test_wait: also woken when all is idle.
  /// Barriers watched, with the phase that was current.
  std::vector<std::pair<const Mbarrier *, uint32_t>> barriers;
  std::shared_ptr<CopyGroup> group;
  bool readOnly = false; ///< wait_group.read
  uint64_t since = 0;    ///< Logical time.
};

/// Lanes of a warp that run together.
struct Split {
  Mask mask = 0;
  uint32_t pc = 0;
  bool resumed = false; ///< The wait of the instruction at pc is over.
  uint32_t polls = 0;   ///< Consecutive failed tests at pollPc.
  uint32_t pollPc = ~0u;
  uint64_t since = 0;               ///< Logical time when the last wait began.
  WaitKind waited = WaitKind::None; ///< Its kind.
  uint64_t waitedOn = 0;            ///< The barrier's address or number.
  Wait wait;
};

struct CopyState {
  std::shared_ptr<CopyGroup> open = std::make_shared<CopyGroup>();
  std::deque<std::shared_ptr<CopyGroup>> groups;
  uint32_t committed = 0; ///< Groups committed so far.
};

struct WgmmaGroup {
  uint32_t lastSeq; ///< Last operation of the group.
};

struct Warp {
  Cta *cta = nullptr;
  uint32_t index = 0; ///< In the CTA.
  uint32_t agent = 0; ///< In vector clocks.
  Mask live = 0;      ///< Lanes that have not exited.
  std::vector<Split> splits;
  uint32_t current = 0; ///< The split being executed.

  std::unique_ptr<uint32_t[]> storage;
  uint32_t *bases[2] = {nullptr, nullptr}; ///< Register file, constant pool.
  std::vector<uint32_t> preds;
  Mask carry = 0; ///< The condition code register CC.CF.
  std::vector<unsigned char> local;

  /// Per register: the wgmma.fence epoch of the last access (0: never written).
  std::vector<uint32_t> touched;
  /// Per register: sequence number of the last wgmma that accumulates into it,
  /// and of the last that reads it as matrix A.
  std::vector<uint32_t> accumulatorOf, fragmentOf;
  uint32_t fenceEpoch = 2; ///< 2: no wgmma.fence yet.
  uint32_t issuedSeq = 0, waitedSeq = 0;
  std::vector<WgmmaGroup> wgmmaGroups; ///< Committed and not waited for.

  std::unordered_map<uint32_t, CopyState> bulk, cpAsync; ///< By lane.
  uint16_t bulkAgent = 0;
  uint32_t registers = 0;      ///< Per thread; setmaxnreg changes it.
  uint32_t clusterArrived = 0; ///< Lanes between cluster arrive and wait.
  uint32_t clusterGeneration = 0;

  ThreadClock clock;
  uint64_t time = 0; ///< Logical clocks.
  uint64_t spanBegin = 0;
  uint64_t executed = 0; ///< Instructions.
  AddressLookup cachedRange;

  Split &split() { return splits[current]; }
  const uint32_t *in(const Operand &op) const {
    return bases[op.kind == Operand::Constant] + op.slot;
  }
  uint32_t *out(const Operand &op) { return bases[0] + op.slot; }
  bool done() const { return splits.empty(); }
};

struct Cta {
  Cluster *cluster = nullptr;
  uint32_t rank = 0;
  std::array<uint32_t, 3> id{};
  std::array<uint32_t, 3> idInCluster{};
  std::vector<unsigned char> shared; ///< Offset kSharedBase is shared[0].
  std::vector<Warp> warps;
  std::vector<Warpgroup> groups;
  std::unordered_map<uint32_t, Mbarrier> mbarriers;
  std::vector<uint64_t> barrierBits; ///< One bit for each eight bytes.
  std::array<NamedBarrier, 16> named;
  SharedShadow shadow;
  uint32_t liveWarps = 0;
  uint32_t freeRegisters = 0;
  bool exited = false;
  uint64_t tensorBusy = 0, copyBusy = 0; ///< Logical time.

  Mbarrier *findBarrier(uint32_t offset) {
    auto it = mbarriers.find(offset);
    return it == mbarriers.end() ? nullptr : &it->second;
  }
  bool overlapsBarrier(uint32_t offset, uint32_t size) const {
    for (uint32_t i = offset / 8; i <= (offset + size - 1) / 8; ++i)
      if (barrierBits[i / 64] >> (i % 64) & 1)
        return true;
    return false;
  }
};

struct Cluster {
  Launch *launch = nullptr;
  std::array<uint32_t, 3> id{};
  std::vector<std::unique_ptr<Cta>> ctas;
  ClusterBarrier barrier;
  std::vector<std::unique_ptr<AsyncOp>> pending;
  Random random{0};
  uint32_t agents = 0; ///< Vector-clock components handed out.
  uint64_t tick = 0;
  uint64_t polls = 0; ///< Strong accesses to global memory: it may be spinning.
  uint32_t policy = 0; ///< How the seed orders warps.
  /// Release clocks of shared-memory locations used as locks, by (rank,
  /// offset).
  std::unordered_map<uint64_t, SyncClock> locks;

  uint16_t newAgent() { return uint16_t(agents++); }
  void enqueue(std::unique_ptr<AsyncOp> op);
};

//===----------------------------------------------------------------------===//
// Helpers of all handlers
//===----------------------------------------------------------------------===//

/// Calls f(lane) for each lane of \p mask. The full mask is one plain loop, so
/// that the compiler can vectorize it.
template <class F> inline void forLanes(Mask mask, F f) {
  if (mask == kFullMask) {
    for (uint32_t lane = 0; lane != kLanes; ++lane)
      f(lane);
    return;
  }
  for (; mask; mask &= mask - 1)
    f(uint32_t(std::countr_zero(mask)));
}

/// Reads and writes one lane of a register cell as type T. Cells of 16- and
/// 32-bit registers are 32 bits wide, those of 64-bit registers 64.
template <class T> inline T getLane(const uint32_t *cell, uint32_t lane) {
  if constexpr (sizeof(T) == 8) {
    uint64_t bits;
    std::memcpy(&bits, cell + 2 * lane, 8);
    return std::bit_cast<T>(bits);
  } else if constexpr (sizeof(T) == 4) {
    return std::bit_cast<T>(cell[lane]);
  } else if constexpr (sizeof(T) == 2) {
    return std::bit_cast<T>(uint16_t(cell[lane]));
  } else {
    return std::bit_cast<T>(uint8_t(cell[lane]));
  }
}
template <class T> inline void setLane(uint32_t *cell, uint32_t lane, T value) {
  if constexpr (sizeof(T) == 8) {
    uint64_t bits = std::bit_cast<uint64_t>(value);
    std::memcpy(cell + 2 * lane, &bits, 8);
  } else if constexpr (sizeof(T) == 4) {
    cell[lane] = std::bit_cast<uint32_t>(value);
  } else if constexpr (sizeof(T) == 2) {
    cell[lane] = std::bit_cast<uint16_t>(value);
  } else {
    cell[lane] = std::bit_cast<uint8_t>(value);
  }
}

/// Where the warp stands.
Location locate(const Warp &warp, const Inst &inst, int lane = -1);

/// Reports and returns Step::Fault, which ends the launch.
Step fault(Warp &warp, const Inst &inst, int lane, DiagnosticKind kind,
           std::string message, uint64_t address = 0);

/// Reports and goes on.
void warn(Warp &warp, const Inst &inst, int lane, DiagnosticKind kind,
          std::string message, uint64_t address = 0);

/// For an instruction that all of \p needed lanes have to execute together:
/// true if the current split has them; else the caller returns Step::Wait.
bool converged(Warp &warp, Mask needed);

/// As above for .aligned instructions, which need all live lanes and no
/// diverged guard.
#define FA3_EMULATOR_ALIGNED(warp, inst, active)                               \
  do {                                                                         \
    if (!converged(warp, (warp).live))                                         \
      return Step::Wait;                                                       \
    if ((active) != (warp).splits[(warp).current].mask)                        \
      return fault(warp, inst, -1, DiagnosticKind::InvalidInstruction,         \
                   std::string(inst.name) +                                    \
                       " has to be executed by all threads of the warp");      \
  } while (false)

std::string hex(uint64_t value);

/// Adds a span to the trace if there is one and the span is not empty.
void traceSpan(const Warp &warp, TraceCategory category, const char *name,
               uint32_t line, uint64_t begin, uint64_t end, uint64_t value = 0,
               uint64_t address = 0);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_STATE_H
