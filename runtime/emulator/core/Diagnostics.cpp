//===- Diagnostics.cpp - What the emulator found wrong --------------------===//

#include "Diagnostics.h"

#include <algorithm>

using namespace fa3::emulator;

const char *fa3::emulator::diagnosticKindName(DiagnosticKind kind) {
  switch (kind) {
  case DiagnosticKind::Parse:
    return "parse-error";
  case DiagnosticKind::InvalidLaunch:
    return "invalid-launch";
  case DiagnosticKind::OutOfBounds:
    return "out-of-bounds";
  case DiagnosticKind::UseAfterFree:
    return "use-after-free";
  case DiagnosticKind::Misaligned:
    return "misaligned";
  case DiagnosticKind::InvalidInstruction:
    return "invalid-instruction";
  case DiagnosticKind::InvalidTensorMap:
    return "invalid-tensor-map";
  case DiagnosticKind::InvalidBarrier:
    return "invalid-barrier";
  case DiagnosticKind::BarrierOverflow:
    return "barrier-overflow";
  case DiagnosticKind::BarrierCount:
    return "barrier-count";
  case DiagnosticKind::MissingFence:
    return "missing-fence";
  case DiagnosticKind::InFlightRegister:
    return "in-flight-register";
  case DiagnosticKind::SharedRace:
    return "shared-race";
  case DiagnosticKind::UnfinishedAsync:
    return "unfinished-async";
  case DiagnosticKind::RegisterBudget:
    return "register-budget";
  case DiagnosticKind::UninitializedUse:
    return "uninitialized-use";
  case DiagnosticKind::Deadlock:
    return "deadlock";
  case DiagnosticKind::Timeout:
    return "timeout";
  case DiagnosticKind::Trap:
    return "trap";
  }
  return "unknown";
}

static std::string show(const Location &l) {
  std::string text;
  if (l.line)
    text += "line " + std::to_string(l.line);
  if (l.warp >= 0) {
    text += (text.empty() ? "" : ", ") + std::string("CTA (") +
            std::to_string(l.cta[0]) + "," + std::to_string(l.cta[1]) + "," +
            std::to_string(l.cta[2]) + "), warp " + std::to_string(l.warp);
    if (l.thread >= 0)
      text += ", thread " + std::to_string(l.thread);
  }
  return text;
}

std::string Diagnostic::str() const {
  std::string text = diagnosticKindName(kind);
  if (!kernel.empty())
    text += " in " + kernel;
  std::string at = show(where);
  if (!at.empty())
    text += " at " + at;
  text += ": " + message;
  std::string second = show(other);
  if (other.line && !second.empty())
    text += "\n  the other access: " + second;
  return text;
}

void DiagnosticSink::report(Diagnostic diagnostic) {
  std::lock_guard<std::mutex> lock(mutex);
  if (list.size() >= limit)
    return;
  for (const Diagnostic &known : list)
    if (known.kind == diagnostic.kind &&
        known.where.line == diagnostic.where.line &&
        known.other.line == diagnostic.other.line)
      return;
  list.push_back(std::move(diagnostic));
}

bool DiagnosticSink::empty() const {
  std::lock_guard<std::mutex> lock(mutex);
  return list.empty();
}

std::vector<Diagnostic> DiagnosticSink::take() {
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<Diagnostic> out = std::move(list);
  list.clear();
  // Host threads report in any order.
  std::sort(out.begin(), out.end(),
            [](const Diagnostic &a, const Diagnostic &b) {
              return a.where.cta != b.where.cta ? a.where.cta < b.where.cta
                                                : a.where.line < b.where.line;
            });
  return out;
}
