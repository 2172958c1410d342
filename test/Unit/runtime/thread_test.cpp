//===- thread_test.cpp - Many threads, devices and modules ----------------===//

#include "fixture.h"

#include <thread>

using namespace fa3;
using namespace fa3::test;
using fake::Call;

class ThreadTest : public FakeDriverTest {};

TEST_F(ThreadTest, LaunchAtOnce) {
  state.deviceCount = 2;
  const Driver driver(fakeDriverPath());
  const Package package = packageOf(forwardManifest());
  Module module(driver, package);
  constexpr int threads = 8;
  constexpr int launches = 500;
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      // Every thread in its device's context, none prepared beforehand.
      const Context context(driver, t % 2);
      const auto problem = forwardProblem({1, 2 * (t + 1), 1, 8, 1});
      void *workspace = reinterpret_cast<void *>(uintptr_t{9} << 20);
      for (int i = 0; i < launches; ++i) {
        EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
        module.launch(nullptr, problem, workspace,
                      package.workspaceSize(problem));
      }
    });
  workers.clear();
  EXPECT_EQ(state.launchCount, threads * launches);
  EXPECT_EQ(state.mapCount, 2 * threads * launches);
  // Two kernels on two devices.
  EXPECT_EQ(state.attributeCount, 4);
}

TEST_F(ThreadTest, LoadAtOnce) {
  std::vector<std::jthread> workers;
  for (int t = 0; t < 8; ++t)
    workers.emplace_back([] {
      for (int i = 0; i < 20; ++i) {
        const Driver driver(fakeDriverPath());
        Module module(driver, packageOf(forwardManifest()));
        const Context context(driver);
        module.prepare();
      }
    });
  workers.clear();
  EXPECT_EQ(control.callsOf(Call::cuLibraryLoadData), 160);
}
