//===- fixture.cpp - What the runtime's tests share -----------------------===//

#include "fixture.h"

#include <dlfcn.h>

#include <stdexcept>

namespace fa3::test {

template <typename Function> static Function symbol(const char *name) {
  void *library = dlopen(fakeDriverPath().c_str(), RTLD_NOW);
  if (!library)
    throw std::runtime_error(dlerror());
  return reinterpret_cast<Function>(dlsym(library, name));
}

static fake::Control &openControl() {
  symbol<void (*)()>(FA3_FAKE_RESET)();
  return *symbol<fake::Control *(*)()>(FA3_FAKE_CONTROL)();
}

FakeDriverTest::FakeDriverTest()
    : control(openControl()), state(control.state) {}

FakeDriverTest::~FakeDriverTest() {
  EXPECT_EQ(state.liveLibraries, 0);
  EXPECT_EQ(state.liveAllocations, 0);
  EXPECT_EQ(state.liveContexts, 0);
}

std::string fakeDriverPath() { return FA3_FAKE_DRIVER; }
std::string oldDriverPath() { return FA3_OLD_DRIVER; }

Package packageOf(const nlohmann::json &manifest) {
  const std::string ptx = ptxOfKernels(manifest);
  const std::string bytes = writePackage(manifest, "CUBIN " + ptx, ptx);
  return Package::fromMemory(bytes.data(), bytes.size());
}

std::vector<fa3_tensor> forwardProblem(const std::vector<int64_t> &sizes) {
  const int64_t batch = sizes[0];
  const int64_t seqlenQ = sizes[1];
  const int64_t headsQ = sizes[2];
  const int64_t seqlenK = sizes[3];
  const int64_t headsKv = sizes[4];
  const auto address = [](uintptr_t index) {
    return reinterpret_cast<void *>(index << 20);
  };
  return {
      tensor("q", address(1), FA3_DTYPE_BF16, {batch, seqlenQ, headsQ, 128}),
      tensor("k", address(2), FA3_DTYPE_BF16, {batch, seqlenK, headsKv, 128}),
      tensor("v", address(3), FA3_DTYPE_BF16, {batch, seqlenK, headsKv, 128}),
      tensor("o", address(4), FA3_DTYPE_BF16, {batch, seqlenQ, headsQ, 128}),
      tensor("lse", address(5), FA3_DTYPE_F32, {batch, headsQ, seqlenQ}),
  };
}

fa3_tensor &find(std::vector<fa3_tensor> &problem, const std::string &name) {
  for (fa3_tensor &tensor : problem)
    if (tensor.name == name)
      return tensor;
  throw std::out_of_range(name);
}

} // namespace fa3::test
