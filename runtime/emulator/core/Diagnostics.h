//===- Diagnostics.h - What the emulator found wrong ------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_DIAGNOSTICS_H
#define FA3_EMULATOR_CORE_DIAGNOSTICS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace fa3::emulator {

/// The kinds of misbehaviour that a launch can report.
enum class DiagnosticKind : uint8_t {
  Parse,              ///< The PTX text is malformed or has an unknown part.
  InvalidLaunch,      ///< Launch configuration contradicts the kernel.
  OutOfBounds,        ///< Access outside any allocation or window.
  UseAfterFree,       ///< Access to freed global memory.
  Misaligned,         ///< Address not a multiple of the access size.
  InvalidInstruction, ///< Operand values that the instruction forbids.
  InvalidTensorMap,   ///< A tensor map that was not encoded, or is misused.
  InvalidBarrier,   ///< mbarrier used before init, after inval or overwritten.
  BarrierOverflow,  ///< More arrivals or transactions than a phase takes.
  BarrierCount,     ///< Named barrier with inconsistent thread counts.
  MissingFence,     ///< A proxy, wgmma or mbarrier-init fence is missing.
  InFlightRegister, ///< Register of an unfinished wgmma was accessed.
  SharedRace,       ///< Two unordered accesses to shared memory.
  UnfinishedAsync,  ///< Asynchronous work outlives the CTA that needs it.
  RegisterBudget,   ///< setmaxnreg misuse.
  UninitializedUse, ///< A value never written decides an address or branch.
  Deadlock,         ///< No warp can make progress.
  Timeout,          ///< The instruction budget was exhausted.
  Trap,             ///< The kernel executed trap.
};

/// A stable lower-case name, such as "shared-race".
const char *diagnosticKindName(DiagnosticKind kind);

/// Where in a running kernel something happened.
struct Location {
  uint32_t line = 0; ///< 1-based PTX line; 0 = not known.
  std::array<uint32_t, 3> cta{};
  int32_t warp = -1;   ///< Warp in the CTA; -1 = none.
  int32_t thread = -1; ///< Linear thread in the CTA; -1 = the whole warp.
};

struct Diagnostic {
  DiagnosticKind kind = DiagnosticKind::Parse;
  std::string message;
  std::string kernel;
  Location where;
  /// The other access of a race; line 0 where there is none.
  Location other;
  uint64_t address = 0;

  /// One or more lines for people: kind, message, kernel, line, CTA, thread.
  std::string str() const;
};

/// Collects diagnostics from all host threads; keeps the first of each
/// (kind, line, other line) and at most \c limit in all.
class DiagnosticSink {
public:
  explicit DiagnosticSink(size_t limit = 64) : limit(limit) {}
  void report(Diagnostic diagnostic);
  bool empty() const;
  std::vector<Diagnostic> take();

private:
  mutable std::mutex mutex;
  size_t limit;
  std::vector<Diagnostic> list;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_DIAGNOSTICS_H
