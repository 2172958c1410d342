//===- ReduceTest.cpp - Sums in global memory of many CTAs ----------------===//
//
// What a backward kernel does to dQ: tiles in shared memory, written by
// ordinary stores or stmatrix, are added to global memory by bulk copies, and
// single elements by red.
//
//===----------------------------------------------------------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {

constexpr uint32_t kThreads = 128;

/// Every CTA fills its tile with 1.0 and thread 0 adds it to sums.
struct Steps {
  std::string fill = "st.shared.f32 [%r5], 0f3F800000;";
  std::string fence = "fence.proxy.async; bar.sync 0;";
  std::string wait = "cp.async.bulk.wait_group.read 0;";
  std::string then; ///< All threads, after thread 0 has waited.

  std::string body() const {
    return R"(
      ld.param.b64 %d1, [sums];
      mov.u32 %r1, %tid.x;
      setp.eq.u32 %p1, %r1, 0;
      mov.b32 %r2, tile;
      shl.b32 %r4, %r1, 2;
      add.u32 %r5, %r2, %r4;
    )" + fill +
           fence +
           R"(
      @!%p1 bra ADDED;
      cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%d1], [%r2], 512;
      cp.async.bulk.commit_group;
    )" + wait +
           "ADDED: bar.sync 0;" + then + "@%p1 cp.async.bulk.wait_group 0;";
  }
};

LaunchResult run(const std::string &body, Buffer &sums, uint32_t ctas,
                 uint64_t seed, uint32_t threads = 1) {
  Launcher launcher;
  launcher.grid = {ctas, 1, 1};
  launcher.block = {kThreads, 1, 1};
  launcher.options.seed = seed;
  launcher.options.threads = threads;
  launcher.allow(sums);
  return launcher.run(
      kernel(".param .b64 sums", body, "", ".shared .align 128 .b8 tile[512];"),
      Params().add(sums));
}

} // namespace

TEST(Reduce, BulkSumsOfManyCtas) {
  for (uint64_t seed = 0; seed != 6; ++seed) {
    Buffer sums(kThreads * 4);
    EXPECT_CLEAN(run(Steps().body(), sums, 40, seed, 4));
    for (uint32_t i = 0; i != kThreads; ++i)
      EXPECT_EQ(sums.as<float>()[i], 40.0f);
  }
}

TEST(Reduce, BulkNeedsProxyFence) {
  Buffer sums(kThreads * 4);
  Steps steps;
  steps.fence = "bar.sync 0;";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), MissingFence);
  // The fence of thread 0 before the barrier is not that of the writers.
  steps.fence = "@%p1 fence.proxy.async; bar.sync 0;";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), MissingFence);
  steps.fence = "bar.sync 0; fence.proxy.async;";
  EXPECT_CLEAN(run(steps.body(), sums, 1, 0));
  steps.fence = "fence.proxy.async;";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), SharedRace);
}

TEST(Reduce, TileIsOverwrittenAfterTheWait) {
  Buffer sums(kThreads * 4);
  Steps steps;
  steps.then = "st.shared.f32 [%r5], 0f40000000;";
  EXPECT_CLEAN(run(steps.body(), sums, 1, 0));
  steps.wait = "";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), SharedRace);
  steps.wait = "cp.async.bulk.wait_group.read 1;";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), SharedRace);
}

TEST(Reduce, TileWrittenByStmatrix) {
  Buffer sums(kThreads * 4);
  Steps steps;
  steps.fill = R"(
      shl.b32 %r6, %r1, 4;
      and.b32 %r6, %r6, 496;
      add.u32 %r6, %r2, %r6;
      mov.b32 %r7, 0x3f800000;
      setp.lt.u32 %p2, %r1, 32;
      @!%p2 bra FILLED;
      stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%r6], {%r7, %r7, %r7, %r7};
    FILLED:)";
  EXPECT_CLEAN(run(steps.body(), sums, 1, 0));
  steps.fence = "bar.sync 0;";
  EXPECT_DIAGNOSED(run(steps.body(), sums, 1, 0), MissingFence);
}

TEST(Reduce, ElementsOfManyCtas) {
  for (uint64_t seed = 0; seed != 4; ++seed) {
    Buffer sums(kThreads * 4);
    EXPECT_CLEAN(run(R"(
      ld.param.b64 %d1, [sums];
      mov.u32 %r1, %tid.x;
      mul.wide.u32 %d2, %r1, 4;
      add.s64 %d1, %d1, %d2;
      red.global.add.f32 [%d1], 0f40000000;
      red.relaxed.gpu.global.add.f32 [%d1], 0f3F800000;)",
                     sums, 40, seed, 4));
    for (uint32_t i = 0; i != kThreads; ++i)
      EXPECT_EQ(sums.as<float>()[i], 120.0f);
  }
}

// An H200 does so.
TEST(Reduce, OnlySingleElementsLoseSubnormalNumbers) {
  Buffer sums(kThreads * 4);
  for (uint32_t i = 0; i != kThreads; ++i)
    sums.as<uint32_t>()[i] = 0x00400000;
  Steps steps;
  steps.fill = "st.shared.f32 [%r5], 0f00200000;";
  EXPECT_CLEAN(run(steps.body(), sums, 1, 0));
  EXPECT_EQ(sums.as<uint32_t>()[0], 0x00600000u);
  EXPECT_CLEAN(run(R"(
      ld.param.b64 %d1, [sums];
      red.global.add.f32 [%d1], 0f00200000;)",
                   sums, 1, 0));
  EXPECT_EQ(sums.as<uint32_t>()[0], 0u);
}
