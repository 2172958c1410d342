//===- session.h - A problem on a device ----------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_SESSION_H
#define FA3_TOOLS_FA3_RUN_SESSION_H

#include "tensor.h"

#include "fa3/runtime/runtime.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fa3::run {

/// A driver and what options call it: "cuda", "emulator" or a path.
struct NamedDriver {
  std::string name;
  Driver driver;
};

/// The driver that the options ask for: by default CUDA where there is a GPU,
/// else the emulator.
NamedDriver openDriver(const Options &options);

/// Outputs and a workspace of their own, to launch the same problem beside
/// itself; nobody looks at the results.
class Bystander {
public:
  Bystander(const Driver &driver, const std::vector<Tensor> &tensors,
            size_t workspaceBytes);

  void launch(Module &module);
  void wait() const { stream.synchronize(); }

private:
  Stream stream;
  std::vector<DeviceMemory> outputs;
  std::vector<fa3_tensor> problem;
  DeviceMemory workspace;
};

/// Runs one problem: owns its module, memory and stream.
class Session {
public:
  Session(const Driver &driver, const Package &package,
          std::vector<Tensor> &tensors, const Options &options);

  /// Poisons the outputs and the workspace, launches, waits and downloads.
  void run();

  /// Milliseconds of each of `count` launches back to back, after warming up.
  /// `underLoad` is called while the device is busy with them.
  template <typename UnderLoad>
  std::vector<float> time(int64_t count, UnderLoad &&underLoad);

  /// What was written that must not have been; empty if nothing.
  std::vector<std::string> findStrayWrites() const;

  std::string code() const { return module.code(); }

private:
  void launch();
  void enqueue();

  const Driver &driver;
  std::vector<Tensor> &tensors;
  Context context;
  Module module;
  Stream stream;
  std::vector<fa3_tensor> problem;
  size_t workspaceBytes = 0;
  size_t workspaceGuard;
  DeviceMemory workspace;
  std::optional<Graph> graph;
  std::optional<Bystander> bystander;
};

template <typename UnderLoad>
std::vector<float> Session::time(int64_t count, UnderLoad &&underLoad) {
  constexpr int warmup = 5;
  std::vector<Event> events;
  events.reserve(count + 1);
  for (int64_t i = 0; i <= count; ++i)
    events.emplace_back(driver);
  for (int i = 0; i < warmup; ++i)
    launch();
  events[0].record(stream);
  for (int64_t i = 0; i < count; ++i) {
    launch();
    events[i + 1].record(stream);
  }
  underLoad();
  stream.synchronize();
  std::vector<float> times;
  for (int64_t i = 0; i < count; ++i)
    times.push_back(events[i + 1].millisecondsSince(events[i]));
  return times;
}

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_SESSION_H
