//===- session.cpp - A problem on a device --------------------------------===//

#include "session.h"

#include <algorithm>
#include <cstdlib>

namespace fa3::run {

/// Bytes of poison behind a workspace.
static constexpr size_t workspaceGuardBytes = 65536;

static NamedDriver open(const std::string &name) {
  return {name, Driver(name == "cuda" ? "libcuda.so.1" : name)};
}

NamedDriver openDriver(const Options &options) {
  // The emulator reads these when it is opened.
  if (options.trace)
    setenv("FA3_EMULATOR_TRACE", options.trace->c_str(), 1);
  if (options.emulatorSeed)
    setenv("FA3_EMULATOR_SEED", options.emulatorSeed->c_str(), 1);
  if (options.driver)
    return open(*options.driver);
  if (const char *chosen = std::getenv("FA3_DRIVER"); chosen && *chosen)
    return open(chosen);
  try {
    return open("cuda");
  } catch (const Error &error) {
    if (error.status() != FA3_ERROR_NO_DRIVER &&
        error.status() != FA3_ERROR_NO_DEVICE)
      throw;
  }
  return open("emulator");
}

static std::vector<fa3_tensor> describe(const std::vector<Tensor> &tensors) {
  std::vector<fa3_tensor> problem;
  for (const Tensor &tensor : tensors)
    problem.push_back(tensor.descriptor());
  return problem;
}

Bystander::Bystander(const Driver &driver, const std::vector<Tensor> &tensors,
                     size_t workspaceBytes)
    : stream(driver), problem(describe(tensors)),
      workspace(driver, workspaceBytes) {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].isOutput()) {
      outputs.emplace_back(driver, tensors[i].allocatedBytes());
      problem[i].data =
          tensors[i].addressIn(static_cast<char *>(outputs.back().data()));
    }
}

void Bystander::launch(Module &module) {
  module.launch(stream.get(), problem, workspace.data(), workspace.size());
}

Session::Session(const Driver &driver, const Package &package,
                 std::vector<Tensor> &tensors, const Options &options)
    : driver(driver), tensors(tensors), context(driver, options.device),
      module(driver, package), stream(driver),
      workspaceGuard(options.pad ? workspaceGuardBytes : 0) {
  module.prepare();
  for (Tensor &tensor : tensors) {
    tensor.allocate(driver);
    if (tensor.isInput())
      tensor.upload();
  }
  problem = describe(tensors);
  workspaceBytes = package.workspaceSize(problem);
  if (workspaceBytes != 0)
    workspace = DeviceMemory(driver, workspaceBytes + workspaceGuard);
  if (options.beside)
    bystander.emplace(driver, tensors, workspaceBytes);
  context.synchronize();
  if (options.graph)
    graph.emplace(driver, stream, [this] { enqueue(); });
}

void Session::enqueue() {
  module.launch(stream.get(), problem, workspace.data(), workspaceBytes);
}

void Session::launch() {
  if (graph)
    graph->launch(stream);
  else
    enqueue();
}

void Session::run() {
  for (Tensor &tensor : tensors) {
    if (tensor.role() == FA3_ROLE_INOUT)
      tensor.upload();
    else if (tensor.isOutput())
      tensor.poisonOutput(stream);
  }
  workspace.fill(poison, stream.get());
  // One launch is there when this one begins, and one while it ends.
  if (bystander)
    bystander->launch(module);
  launch();
  if (bystander) {
    bystander->launch(module);
    bystander->wait();
  }
  stream.synchronize();
  for (Tensor &tensor : tensors)
    if (tensor.isOutput())
      tensor.download();
}

std::vector<std::string> Session::findStrayWrites() const {
  std::vector<std::string> found;
  for (const Tensor &tensor : tensors)
    if (std::string stray = tensor.findStrayWrite(); !stray.empty())
      found.push_back(std::move(stray));
  if (workspaceBytes != 0 && workspaceGuard != 0) {
    std::vector<uint8_t> guard(workspaceGuard);
    workspace.copyToHost(guard.data(), guard.size(), workspaceBytes);
    if (std::ranges::any_of(guard, [](uint8_t byte) { return byte != poison; }))
      found.emplace_back("the workspace was written past its end");
  }
  return found;
}

} // namespace fa3::run
