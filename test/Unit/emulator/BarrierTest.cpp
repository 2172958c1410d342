//===- BarrierTest.cpp - CTA barriers, clusters, setmaxnreg ---------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
LaunchResult run(const std::string &body, uint32_t threads, Buffer &out,
                 uint64_t seed = 0, Dim3 cluster = {},
                 const std::string &directives = "") {
  Launcher launcher;
  launcher.block = {threads, 1, 1};
  launcher.grid = cluster;
  launcher.cluster = cluster;
  launcher.options.seed = seed;
  launcher.allow(out);
  return launcher.run(kernel(".param .b64 out", R"(
    .shared .align 16 .b8 tile[4096];
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    shr.u32 %r2, %r1, 5;
    shl.b32 %r3, %r1, 2;
    mov.b32 %r4, tile;
    add.u32 %r5, %r4, %r3;
  )" + body,
                             directives),
                      Params().add(out));
}
} // namespace

TEST(Barrier, ExchangesSharedMemory) {
  Buffer out(256 * 4);
  for (uint64_t seed = 0; seed != 8; ++seed) {
    EXPECT_CLEAN(run(R"(
      st.shared.b32 [%r5], %r1;
      bar.sync 0;
      xor.b32 %r6, %r3, 1020;
      add.u32 %r6, %r4, %r6;
      ld.shared.b32 %r7, [%r6];
      mul.wide.u32 %d1, %r1, 4;
      add.s64 %d1, %d31, %d1;
      st.global.b32 [%d1], %r7;)",
                     256, out, seed));
    for (uint32_t t = 0; t != 256; ++t)
      EXPECT_EQ(out.as<uint32_t>()[t], t ^ 255);
  }
}

TEST(Barrier, ArriveDoesNotWait) {
  // Warp 0 hands over to warp 1 and ends; warp 1 syncs.
  Buffer out(4);
  for (uint64_t seed = 0; seed != 8; ++seed) {
    EXPECT_CLEAN(run(R"(
      setp.ne.u32 %p1, %r2, 0;
      @%p1 bra CONSUMER;
      st.shared.b32 [%r5], %r1;
      bar.arrive 3, 64;
      ret;
    CONSUMER:
      bar.sync 3, 64;
      ld.shared.b32 %r7, [%r4+124];
      st.global.b32 [%d31], %r7;)",
                     64, out, seed));
    EXPECT_EQ(out.as<uint32_t>()[0], 31u);
  }
}

TEST(Barrier, Reductions) {
  Buffer out(12);
  EXPECT_CLEAN(run(R"(
    setp.lt.u32 %p1, %r1, 40;
    barrier.cta.red.popc.aligned.u32 %r6, 1, 64, %p1;
    bar.red.and.pred %p2, 2, %p1;
    bar.red.or.pred %p3, 2, %p1;
    selp.b32 %r7, 1, 0, %p2;
    selp.b32 %r8, 1, 0, %p3;
    setp.ne.u32 %p4, %r1, 0;
    @%p4 ret;
    st.global.b32 [%d31], %r6;
    st.global.b32 [%d31+4], %r7;
    st.global.b32 [%d31+8], %r8;)",
                   64, out));
  EXPECT_EQ(out.as<uint32_t>()[0], 40u);
  EXPECT_EQ(out.as<uint32_t>()[1], 0u);
  EXPECT_EQ(out.as<uint32_t>()[2], 1u);
}

TEST(Barrier, ExitedWarpsAreNotExpected) {
  Buffer out(4);
  for (uint64_t seed = 0; seed != 4; ++seed)
    EXPECT_CLEAN(
        run("setp.eq.u32 %p1, %r2, 1; @%p1 ret; bar.sync 0; bar.sync 0;", 96,
            out, seed));
}

TEST(Barrier, WrongCounts) {
  Buffer out(4);
  EXPECT_DIAGNOSED(run("bar.sync 1, 48;", 64, out), BarrierCount);
  EXPECT_DIAGNOSED(run("bar.sync 1, 96;", 64, out), BarrierCount);
  // Two warps name different counts.
  EXPECT_DIAGNOSED(
      run(R"(setp.eq.u32 %p2, %r2, 2; @%p2 ret; setp.eq.u32 %p1, %r2, 0;
    @%p1 bra A;
    bar.sync 1, 64;
    ret;
  A:
    bar.sync 1, 96;)",
          96, out),
      BarrierCount);
  EXPECT_DIAGNOSED(run("bar.sync 16;", 32, out), InvalidInstruction);
}

TEST(Barrier, ArrivalThatMayJoinThePhaseBefore) {
  // Nothing keeps warp 2 from arriving before warps 0 and 1.
  Buffer out(4);
  for (uint64_t seed = 0; seed != 8; ++seed)
    for (const char *count : {"64", "96"})
      EXPECT_DIAGNOSED(run(std::string(R"(
      setp.eq.u32 %p1, %r2, 2;
      @%p1 bra OTHER;
      bar.sync 1, 64;
      ret;
    OTHER:
      bar.arrive 1, )") + count +
                               ";",
                           96, out, seed),
                       BarrierCount);
}

TEST(Barrier, ArrivalOrderedAfterThePhaseBefore) {
  Buffer out(4);
  for (uint64_t seed = 0; seed != 8; ++seed) {
    // Warp 2 takes the place of warp 0, which tells it by another barrier.
    EXPECT_CLEAN(run(R"(
      setp.eq.u32 %p1, %r2, 1;
      setp.eq.u32 %p2, %r2, 2;
      @%p2 bra SECOND;
      bar.sync 1, 64;
      @%p1 bra AGAIN;
      bar.arrive 2, 64;
      ret;
    SECOND:
      bar.sync 2, 64;
    AGAIN:
      bar.sync 1, 64;)",
                     96, out, seed));
    // The same, told by one lane of each warp.
    EXPECT_CLEAN(run(R"(
      setp.ne.u32 %p1, %r1, 64;
      @%p1 bra INITIALIZED;
      mbarrier.init.shared::cta.b64 [%r4], 2;
    INITIALIZED:
      bar.sync 0;
      and.b32 %r7, %r1, 31;
      setp.eq.u32 %p3, %r7, 5;
      setp.eq.u32 %p1, %r2, 1;
      setp.eq.u32 %p2, %r2, 2;
      @%p2 bra SECOND;
      @%p1 bra MEET;
      bar.arrive 1, 64;
      bra.uni TELL;
    MEET:
      bar.sync 1, 64;
    TELL:
      @%p3 mbarrier.arrive.shared::cta.b64 _, [%r4];
      @%p1 bra AGAIN;
      ret;
    SECOND:
      mbarrier.try_wait.parity.shared::cta.b64 %p4, [%r4], 0;
      @!%p4 bra SECOND;
    AGAIN:
      bar.sync 1, 64;)",
                     96, out, seed));
  }
}

TEST(Barrier, DeadlockTellsWhereEachWarpStands) {
  Buffer out(4);
  LaunchResult r = run("setp.eq.u32 %p1, %r2, 0; @%p1 bra A; bar.sync 1, 64; "
                       "ret; A: bar.sync 2, 64;",
                       64, out);
  ASSERT_EQ(r.diagnostics.size(), 1u) << text(r);
  EXPECT_EQ(r.diagnostics[0].kind, DiagnosticKind::Deadlock);
  EXPECT_NE(r.diagnostics[0].message.find("warp 0 at line"), std::string::npos)
      << text(r);
  EXPECT_NE(r.diagnostics[0].message.find("barrier 2 (32 of 64"),
            std::string::npos)
      << text(r);
  EXPECT_NE(r.diagnostics[0].message.find("barrier 1 (32 of 64"),
            std::string::npos)
      << text(r);
}

TEST(Barrier, DivergedWarp) {
  Buffer out(4);
  EXPECT_DIAGNOSED(
      run("and.b32 %r6, %r1, 1; setp.eq.u32 %p1, %r6, 0; @%p1 bar.sync 0;", 64,
          out),
      InvalidInstruction);
}

TEST(Barrier, SetMaxNReg) {
  Buffer out(4);
  const std::string roles =
      "shr.u32 %r6, %r1, 7; setp.ne.u32 %p1, %r6, 0; @%p1 bra CONSUMER;";
  EXPECT_CLEAN(run(roles + R"(
    setmaxnreg.dec.sync.aligned.u32 24;
    ret;
  CONSUMER:
    setmaxnreg.inc.sync.aligned.u32 240;)",
                   384, out));
  // 65536 registers cannot hold this: the second warpgroup waits for ever.
  LaunchResult r = run(roles + R"(
    setmaxnreg.dec.sync.aligned.u32 104;
    ret;
  CONSUMER:
    setmaxnreg.inc.sync.aligned.u32 240;)",
                       384, out);
  EXPECT_DIAGNOSED(r, Deadlock);
  EXPECT_NE(text(r).find("setmaxnreg"), std::string::npos);
  EXPECT_DIAGNOSED(run("setmaxnreg.inc.sync.aligned.u32 104;", 384, out),
                   RegisterBudget);
  EXPECT_DIAGNOSED(run("setmaxnreg.dec.sync.aligned.u32 28;", 384, out), Parse);
}

TEST(Cluster, SharedMemoryOfAnotherCta) {
  Buffer out(2 * 4);
  for (uint64_t seed = 0; seed != 8; ++seed) {
    EXPECT_CLEAN(run(R"(
      mov.u32 %r10, %cluster_ctarank;
      add.u32 %r11, %r10, 100;
      st.shared.b32 [%r4], %r11;
      barrier.cluster.arrive.release.aligned;
      barrier.cluster.wait.acquire.aligned;
      xor.b32 %r12, %r10, 1;
      mapa.shared::cluster.u32 %r13, %r4, %r12;
      ld.shared::cluster.b32 %r14, [%r13];
      mul.wide.u32 %d1, %r10, 4;
      add.s64 %d1, %d31, %d1;
      st.global.b32 [%d1], %r14;
      barrier.cluster.arrive.aligned;
      barrier.cluster.wait.aligned;)",
                     1, out, seed, {2, 1, 1}));
    EXPECT_EQ(out.as<uint32_t>()[0], 101u);
    EXPECT_EQ(out.as<uint32_t>()[1], 100u);
  }
}

TEST(Cluster, UnsynchronisedReadIsARace) {
  Buffer out(2 * 4);
  EXPECT_DIAGNOSED(run(R"(
      mov.u32 %r10, %cluster_ctarank;
      st.shared.b32 [%r4], %r10;
      xor.b32 %r12, %r10, 1;
      mapa.shared::cluster.u32 %r13, %r4, %r12;
      ld.shared::cluster.b32 %r14, [%r13];
      barrier.cluster.arrive;
      barrier.cluster.wait;)",
                       1, out, 0, {2, 1, 1}),
                   SharedRace);
}

TEST(Cluster, WaitWithoutArrive) {
  Buffer out(4);
  EXPECT_DIAGNOSED(run("barrier.cluster.wait;", 32, out, 0, {2, 1, 1}),
                   InvalidInstruction);
}
