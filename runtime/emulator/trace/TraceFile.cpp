//===- TraceFile.cpp - Timelines of launches as Chrome traces -------------===//

#include "emulator/trace/TraceFile.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>

namespace fa3::emulator {

namespace {

/// Threads of a process above the warps' numbers.
constexpr int kCopyLane = 1000;
constexpr int kWgmmaLane = 2000;

struct CategoryText {
  const char *category;
  const char *name; ///< Null: the event's own name.
};

CategoryText textOf(TraceCategory category) {
  switch (category) {
  case TraceCategory::Warp:
    return {"warp", "warp"};
  case TraceCategory::Issue:
    return {"issue", "elementwise"};
  case TraceCategory::Wait:
    return {"wait", nullptr};
  case TraceCategory::Barrier:
    return {"barrier", nullptr};
  case TraceCategory::WgmmaWait:
    return {"wgmma wait", nullptr};
  case TraceCategory::BulkWait:
    return {"copy wait", nullptr};
  case TraceCategory::Tma:
    return {"copy", nullptr};
  case TraceCategory::Wgmma:
    return {"wgmma", "wgmma"};
  }
  return {"other", nullptr};
}

/// The CTA's warps that issue copies and those that issue wgmma.
struct Roles {
  std::set<int> producers, consumers;

  std::string name(int warp) const {
    std::string text = "warp " + std::to_string(warp);
    const int group = warp / 4;
    if (consumers.count(group))
      return text + " (consumer, warpgroup " + std::to_string(group) + ")";
    return producers.count(warp) ? text + " (producer)" : text;
  }
};

/// Puts spans that overlap into different lanes, first lane first.
class Lanes {
public:
  int place(uint64_t begin, uint64_t end) {
    for (size_t i = 0; i < ends.size(); ++i)
      if (ends[i] <= begin) {
        ends[i] = end;
        return int(i);
      }
    ends.push_back(end);
    return int(ends.size()) - 1;
  }
  size_t count() const { return ends.size(); }

private:
  std::vector<uint64_t> ends;
};

/// Writes one CTA as a process.
class ProcessWriter {
public:
  ProcessWriter(std::string &out, unsigned process, uint64_t start)
      : out(out), process(process), start(start) {}

  void metadata(const char *what, int thread, const std::string &name) {
    char buffer[128];
    std::snprintf(buffer, sizeof(buffer),
                  "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%d,"
                  "\"args\":{\"name\":\"",
                  what, process, thread);
    out += buffer + name + "\"}},\n";
  }

  void sortIndex(int thread, int index) {
    char buffer[160];
    std::snprintf(buffer, sizeof(buffer),
                  "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%u,"
                  "\"tid\":%d,\"args\":{\"sort_index\":%d}},\n",
                  process, thread, index);
    out += buffer;
  }

  void span(const TraceEvent &event, int thread) {
    const CategoryText text = textOf(event.category);
    const uint64_t begin = start + event.begin;
    const uint64_t length = event.end - event.begin;
    char buffer[512];
    std::snprintf(
        buffer, sizeof(buffer),
        "{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"%s\",\"pid\":%u,\"tid\":%d,"
        "\"ts\":%" PRIu64 ".%03u,\"dur\":%" PRIu64 ".%03u,\"args\":{"
        "\"line\":%u,\"warp\":%d,\"value\":%" PRIu64 ",\"address\":\"0x%" PRIx64
        "\"}},\n",
        text.name ? text.name : event.name, text.category, process, thread,
        begin / 1000, unsigned(begin % 1000), length / 1000,
        unsigned(length % 1000), event.line, event.warp, event.value,
        event.address);
    out += buffer;
  }

private:
  std::string &out;
  const unsigned process;
  const uint64_t start;
};

} // namespace

void LaunchTrace::event(const TraceEvent &event) {
  if (linear(event.cta) >= maxCtas)
    return;
  std::lock_guard lock(mutex);
  events.push_back(event);
}

uint64_t LaunchTrace::end() const {
  std::lock_guard lock(mutex);
  uint64_t last = 0;
  for (const TraceEvent &event : events)
    last = std::max(last, event.end);
  return last;
}

std::string LaunchTrace::json(unsigned &firstProcess, uint64_t start) const {
  std::map<uint64_t, std::vector<TraceEvent>> ctas;
  {
    std::lock_guard lock(mutex);
    for (const TraceEvent &event : events)
      ctas[linear(event.cta)].push_back(event);
  }
  std::string out;
  for (auto &[index, list] : ctas) {
    // Outer spans first, and independent of the order of arrival.
    std::sort(list.begin(), list.end(), [](const auto &a, const auto &b) {
      return std::tuple(a.begin, b.end, a.warp, a.category, a.line) <
             std::tuple(b.begin, a.end, b.warp, b.category, b.line);
    });
    Roles roles;
    std::set<int> warps;
    for (const TraceEvent &event : list) {
      if (event.category == TraceCategory::Wgmma)
        roles.consumers.insert(event.warp / 4);
      else if (event.category == TraceCategory::Tma)
        roles.producers.insert(event.warp);
      warps.insert(event.warp);
    }
    const auto &cta = list.front().cta;
    ProcessWriter writer(out, firstProcess++, start);
    writer.metadata("process_name", 0,
                    kernelName + " CTA (" + std::to_string(cta[0]) + "," +
                        std::to_string(cta[1]) + "," + std::to_string(cta[2]) +
                        ")");
    for (int warp : warps) {
      writer.metadata("thread_name", warp, roles.name(warp));
      writer.sortIndex(warp, warp);
    }
    Lanes copies, groups;
    for (const TraceEvent &event : list) {
      int thread = event.warp;
      if (event.category == TraceCategory::Tma)
        thread = kCopyLane + copies.place(event.begin, event.end);
      else if (event.category == TraceCategory::Wgmma)
        thread = kWgmmaLane + groups.place(event.begin, event.end);
      writer.span(event, thread);
    }
    for (size_t i = 0; i < copies.count(); ++i)
      writer.metadata("thread_name", kCopyLane + int(i), "copies");
    for (size_t i = 0; i < groups.count(); ++i)
      writer.metadata("thread_name", kWgmmaLane + int(i), "tensor core");
  }
  return out;
}

bool appendTrace(const std::string &path, const LaunchTrace &trace) {
  static std::mutex mutex;
  static std::string openPath;
  static unsigned nextProcess = 1;
  static uint64_t clock = 0;
  static long end = 0;
  constexpr char kHead[] =
      "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"clock\":\"1 ns is one "
      "logical clock\"},\"traceEvents\":[\n";
  // Every event ends in a comma, so an empty one closes the list.
  constexpr char kTail[] = "{}]}\n";
  std::lock_guard lock(mutex);
  const bool fresh = openPath != path;
  if (fresh) {
    nextProcess = 1;
    clock = 0;
  }
  std::FILE *file = std::fopen(path.c_str(), fresh ? "w" : "r+");
  if (!file)
    return false;
  openPath = path;
  if (fresh)
    std::fputs(kHead, file);
  else
    std::fseek(file, end, SEEK_SET);
  const std::string text = trace.json(nextProcess, clock);
  clock += trace.end() + 1000;
  std::fputs(text.c_str(), file);
  end = std::ftell(file);
  std::fputs(kTail, file);
  return std::fclose(file) == 0;
}

} // namespace fa3::emulator
