//===- MbarrierTest.cpp - mbarrier objects --------------------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
/// Thread 0 initialises two barriers of \p count arrivals at [bars] and
/// [bars+8], all synchronise, then \p body runs. %r1 is the thread, %r2 the
/// warp, %p1 is true in thread 0.
LaunchResult
run(const std::string &body, uint32_t threads, uint32_t count,
    uint64_t seed = 0, Buffer *out = nullptr,
    const std::string &afterInit = "fence.mbarrier_init.release.cluster;") {
  Buffer own(256 * 4);
  Buffer &result = out ? *out : own;
  Launcher launcher;
  launcher.block = {threads, 1, 1};
  launcher.options.seed = seed;
  launcher.allow(result);
  std::string n = std::to_string(count);
  return launcher.run(kernel(".param .b64 out", R"(
    .shared .align 8 .b64 bars[2];
    .shared .align 16 .b8 tile[1024];
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    shr.u32 %r2, %r1, 5;
    setp.eq.u32 %p1, %r1, 0;
    @!%p1 bra READY;
    mbarrier.init.shared::cta.b64 [bars], )" + n + R"(;
    mbarrier.init.shared::cta.b64 [bars+8], )" + n + R"(;
    )" + afterInit + R"(
  READY:
    bar.sync 0;
  )" + body),
                      Params().add(result));
}
const std::string kWait0 =
    "{ .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, [bars], 0;"
    " @P bra D; bra.uni W; D: }\n";
} // namespace

TEST(Mbarrier, AllThreadsArriveAndWait) {
  for (uint64_t seed = 0; seed != 8; ++seed) {
    Buffer out(128 * 4);
    EXPECT_CLEAN(run(R"(
      shl.b32 %r3, %r1, 2;
      mov.b32 %r4, tile;
      add.u32 %r5, %r4, %r3;
      st.shared.b32 [%r5], %r1;
      mbarrier.arrive.shared::cta.b64 %d1, [bars];
      { .reg .pred P; W: mbarrier.test_wait.shared::cta.b64 P, [bars], %d1; @!P bra W; }
      xor.b32 %r3, %r3, 508;
      add.u32 %r5, %r4, %r3;
      ld.shared.b32 %r6, [%r5];
      mul.wide.u32 %d2, %r1, 4;
      add.s64 %d2, %d31, %d2;
      st.global.b32 [%d2], %r6;)",
                     128, 128, seed, &out));
    for (uint32_t t = 0; t != 128; ++t)
      EXPECT_EQ(out.as<uint32_t>()[t], t ^ 127);
  }
}

TEST(Mbarrier, PhasesAlternate) {
  for (uint64_t seed = 0; seed != 8; ++seed)
    EXPECT_CLEAN(run(R"(
      mov.b32 %r3, 0;
    LOOP:
      mbarrier.arrive.shared::cta.b64 _, [bars];
      and.b32 %r4, %r3, 1;
      { .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, [bars], %r4; @!P bra W; }
      add.u32 %r3, %r3, 1;
      setp.lt.u32 %p2, %r3, 5;
      @%p2 bra LOOP;)",
                     64, 64, seed));
}

TEST(Mbarrier, CountsAndDrop) {
  EXPECT_CLEAN(run(
      "@%p1 mbarrier.arrive.shared::cta.b64 _, [bars], 3;" + kWait0, 32, 3));
  // After a drop the next phase expects one less.
  EXPECT_CLEAN(run(R"(
    @!%p1 ret;
    mbarrier.arrive_drop.shared::cta.b64 _, [bars];
    mbarrier.arrive.shared::cta.b64 _, [bars];
    mbarrier.arrive.shared::cta.b64 _, [bars];
    { .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, [bars], 1; @!P bra W; })",
                   32, 2));
}

TEST(Mbarrier, TransactionCounts) {
  EXPECT_CLEAN(run(R"(
    @!%p1 bra JOIN;
    mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], 64;
    mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bars], 64;
  JOIN:)" + kWait0,
                   32, 1));
  EXPECT_DIAGNOSED(
      run("@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], 64;" +
              kWait0,
          32, 1),
      Deadlock);
  EXPECT_DIAGNOSED(
      run("@%p1 mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bars], 64;", 32,
          1),
      UnfinishedAsync);
}

TEST(Mbarrier, OverArrival) {
  EXPECT_DIAGNOSED(run("mbarrier.arrive.shared::cta.b64 _, [bars+8], 2;", 1, 1),
                   BarrierOverflow);
}

TEST(Mbarrier, WrongParityDeadlocks) {
  LaunchResult r =
      run("@%p1 mbarrier.arrive.shared::cta.b64 _, [bars];"
          "{ .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, "
          "[bars], 1; @P bra D;"
          "bra.uni W; D: }"
          "{ .reg .pred P; W: mbarrier.try_wait.parity.shared::cta.b64 P, "
          "[bars], 1; @!P bra W; }",
          32, 1);
  EXPECT_DIAGNOSED(r, Deadlock);
  EXPECT_NE(text(r).find("phase 1, 1 of 1 arrivals"), std::string::npos)
      << text(r);
}

TEST(Mbarrier, WaitWithoutLoopMayReturnEarly) {
  // A single try_wait is no wait: the other warp's store is not ordered.
  bool raced = false;
  for (uint64_t seed = 0; seed != 8; ++seed)
    raced |= has(run(R"(
      setp.eq.u32 %p2, %r2, 0;
      @%p2 bra FIRST;
      mbarrier.try_wait.parity.shared::cta.b64 %p3, [bars], 0;
      ld.shared.b32 %r5, [tile];
      ret;
    FIRST:
      @%p1 st.shared.b32 [tile], %r1;
      mbarrier.arrive.shared::cta.b64 _, [bars];)",
                     64, 32, seed),
                 DiagnosticKind::SharedRace);
  EXPECT_TRUE(raced);
}

TEST(Mbarrier, InvalidUse) {
  EXPECT_DIAGNOSED(run("mbarrier.arrive.shared::cta.b64 _, [tile];", 1, 1),
                   InvalidBarrier);
  EXPECT_DIAGNOSED(run("st.shared.b64 [bars], %d31;", 1, 1), InvalidBarrier);
  EXPECT_DIAGNOSED(run("mbarrier.inval.shared::cta.b64 [bars]; "
                       "mbarrier.arrive.shared::cta.b64 _, [bars];",
                       1, 1),
                   InvalidBarrier);
  EXPECT_DIAGNOSED(run("mbarrier.init.shared::cta.b64 [bars], 1;", 1, 1),
                   InvalidBarrier);
  EXPECT_CLEAN(
      run("mbarrier.inval.shared::cta.b64 [bars]; st.shared.b64 [bars], %d31;",
          1, 1));
  EXPECT_DIAGNOSED(run("mbarrier.arrive.shared::cta.b64 _, [bars+4];", 1, 1),
                   Misaligned);
}

TEST(Mbarrier, InitNeedsSynchronisation) {
  Launcher launcher;
  launcher.block = {64, 1, 1};
  bool found = false;
  for (uint64_t seed = 0; seed != 8 && !found; ++seed) {
    launcher.options.seed = seed;
    LaunchResult r = launcher.run(kernel("", R"(
      .shared .align 8 .b64 bar;
      mov.u32 %r1, %tid.x;
      setp.eq.u32 %p1, %r1, 0;
      @%p1 mbarrier.init.shared::cta.b64 [bar], 64;
      mbarrier.arrive.shared::cta.b64 _, [bar];)"),
                                  Params());
    found = has(r, DiagnosticKind::SharedRace) ||
            has(r, DiagnosticKind::InvalidBarrier);
  }
  EXPECT_TRUE(found);
}

TEST(Mbarrier, RemoteArrival) {
  Buffer out(4);
  for (uint64_t seed = 0; seed != 6; ++seed) {
    Launcher launcher;
    launcher.block = {1, 1, 1};
    launcher.grid = launcher.cluster = {2, 1, 1};
    launcher.options.seed = seed;
    launcher.allow(out);
    EXPECT_CLEAN(launcher.run(kernel(".param .b64 out", R"(
      .shared .align 8 .b64 bar;
      .shared .b32 word;
      ld.param.b64 %d31, [out];
      mov.u32 %r1, %cluster_ctarank;
      mbarrier.init.shared::cta.b64 [bar], 1;
      fence.mbarrier_init.release.cluster;
      barrier.cluster.arrive.relaxed;
      barrier.cluster.wait;
      setp.eq.u32 %p1, %r1, 0;
      @%p1 bra RECEIVE;
      mov.b32 %r2, bar;
      mapa.shared::cluster.u32 %r3, %r2, 0;
      mov.b32 %r4, word;
      mapa.shared::cluster.u32 %r5, %r4, 0;
      mov.b32 %r6, 77;
      st.shared::cluster.b32 [%r5], %r6;
      mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];
      bra.uni END;
    RECEIVE:
      { .reg .pred P; W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 P, [bar], 0; @!P bra W; }
      ld.shared.b32 %r7, [word];
      st.global.b32 [%d31], %r7;
    END:
      barrier.cluster.arrive;
      barrier.cluster.wait;)"),
                              Params().add(out)));
    EXPECT_EQ(out.as<uint32_t>()[0], 77u);
  }
}
