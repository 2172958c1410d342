//===- RaceTest.cpp - Shared-memory races ---------------------------------===//

#include "EmulatorTest.h"

#include "emulator/core/Race.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
/// Two warps: %p1 is true in warp 0; %r5 is the thread's word of tile, %r6 that
/// of the same lane of the other warp.
LaunchResult run(const std::string &body, uint64_t seed = 0) {
  Buffer out(16);
  Launcher launcher;
  launcher.block = {64, 1, 1};
  launcher.options.seed = seed;
  launcher.allow(out);
  return launcher.run(kernel(".param .b64 out", R"(
    .shared .align 16 .b8 tile[1024];
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    setp.lt.u32 %p1, %r1, 32;
    shl.b32 %r3, %r1, 2;
    mov.b32 %r4, tile;
    add.u32 %r5, %r4, %r3;
    xor.b32 %r6, %r3, 128;
    add.u32 %r6, %r4, %r6;
  )" + body),
                      Params().add(out));
}
} // namespace

TEST(Race, WriteAndRead) {
  for (uint64_t seed = 0; seed != 4; ++seed) {
    LaunchResult r =
        run("st.shared.b32 [%r5], %r1;\n ld.shared.b32 %r7, [%r6];", seed);
    ASSERT_TRUE(has(r, DiagnosticKind::SharedRace)) << text(r);
    const Diagnostic &d = r.diagnostics[0];
    EXPECT_NE(d.where.line, d.other.line);
    EXPECT_NE(d.where.line, 0u);
    EXPECT_NE(d.other.line, 0u);
    EXPECT_NE(d.where.warp, d.other.warp);
    EXPECT_CLEAN(
        run("st.shared.b32 [%r5], %r1; bar.sync 0; ld.shared.b32 %r7, [%r6];",
            seed));
  }
}

TEST(Race, WriteAfterRead) {
  const std::string setup =
      "st.shared.b32 [%r5], %r1; bar.sync 0; ld.shared.b32 %r7, [%r6];";
  EXPECT_DIAGNOSED(run(setup + "st.shared.b32 [%r5], %r1;"), SharedRace);
  EXPECT_CLEAN(run(setup + "bar.sync 0; st.shared.b32 [%r5], %r1;"));
}

TEST(Race, WriteAndWrite) {
  EXPECT_DIAGNOSED(run("st.shared.b32 [tile], %r1;"), SharedRace);
  EXPECT_CLEAN(run("@%p1 st.shared.b32 [tile], %r1; bar.sync 0; @!%p1 "
                   "st.shared.b32 [tile], %r1;"));
}

TEST(Race, ReadsDoNotRace) { EXPECT_CLEAN(run("ld.shared.b32 %r7, [tile];")); }

TEST(Race, NeighbouringBytesDoNotRace) {
  // Warp 0 writes the even, warp 1 the odd halves of words.
  EXPECT_CLEAN(run(R"(
    and.b32 %r8, %r1, 31;
    shl.b32 %r8, %r8, 2;
    add.u32 %r8, %r4, %r8;
    selp.b32 %r9, 0, 2, %p1;
    add.u32 %r8, %r8, %r9;
    st.shared.b16 [%r8], %r1;)"));
}

TEST(Race, ArriveReleasesOnlyWhatCameBefore) {
  const std::string hand =
      "@%p1 bra A; bar.sync 1, 64; ld.shared.b32 %r7, [%r6]; ret; A: ";
  EXPECT_CLEAN(run(hand + "st.shared.b32 [%r5], %r1; bar.arrive 1, 64;"));
  bool found = false;
  for (uint64_t seed = 0; seed != 4; ++seed)
    found |=
        has(run(hand + "bar.arrive 1, 64; st.shared.b32 [%r5], %r1;", seed),
            DiagnosticKind::SharedRace);
  EXPECT_TRUE(found);
}

TEST(Race, LanesOfOneWarp) {
  // %r8 is the word of the neighbouring lane.
  const std::string neighbour =
      "xor.b32 %r8, %r3, 4; add.u32 %r8, %r4, %r8; @!%p1 ret;";
  EXPECT_DIAGNOSED(
      run(neighbour + "st.shared.b32 [%r5], %r1; ld.shared.b32 %r7, [%r8];"),
      SharedRace);
  EXPECT_DIAGNOSED(
      run(neighbour + "ld.shared.b32 %r7, [%r8]; st.shared.b32 [%r5], %r1;"),
      SharedRace);
  EXPECT_CLEAN(run(
      neighbour +
      "st.shared.b32 [%r5], %r1; bar.warp.sync -1; ld.shared.b32 %r7, [%r8];"));
  // A lane's own words need nothing, in any pattern.
  EXPECT_CLEAN(run(R"(
    @!%p1 ret;
    shl.b32 %r8, %r1, 1;
    and.b32 %r9, %r8, 14;
    shl.b32 %r10, %r1, 2;
    and.b32 %r10, %r10, 0x60;
    or.b32 %r8, %r9, %r10;
    add.u32 %r8, %r4, %r8;
    st.shared.b16 [%r8], %r1;
    st.shared.b16 [%r8+16], %r1;
    ld.shared.b16 %h1, [%r8];
    st.shared.b16 [%r8], %r1;
    ld.shared.b16 %h1, [%r8+16];)"));
  // Reading one word together and then writing it is a race, too.
  EXPECT_DIAGNOSED(run("@!%p1 ret; ld.shared.b32 %r7, [tile]; setp.eq.u32 %p2, "
                       "%r1, 5; @%p2 st.shared.b32 "
                       "[tile], %r1;"),
                   SharedRace);
}

TEST(Race, ElectedLaneCopiesWhatTheWarpWrote) {
  const std::string issue = R"(
    @!%p1 ret;
    st.shared.b32 [%r5], %r1;
    fence.proxy.async.shared::cta;
    SYNC
    setp.eq.u32 %p2, %r1, 0;
    @!%p2 ret;
    cp.async.bulk.global.shared::cta.bulk_group [%d31], [%r4], 16;
    cp.async.bulk.commit_group;
    cp.async.bulk.wait_group 0;)";
  auto with = [&](const std::string &sync) {
    std::string body = issue;
    return body.replace(body.find("SYNC"), 4, sync);
  };
  EXPECT_CLEAN(run(with("bar.warp.sync -1;")));
  EXPECT_DIAGNOSED(run(with("")), SharedRace);
}

namespace {
/// Warp 1 reads the tile's words [and FENCE, and SYNC], its first lane arrives;
/// warp 0 waits for that [and LATE] and has the words overwritten by a copy.
LaunchResult runReuse(const std::string &read, const std::string &before,
                      const std::string &late = "", uint64_t seed = 0) {
  return run(R"(
    .shared .align 8 .b64 empty;
    .shared .align 8 .b64 full;
    setp.eq.u32 %p2, %r1, 0;
    @%p2 mbarrier.init.shared.b64 [empty], 1;
    @%p2 mbarrier.init.shared.b64 [full], 1;
    @%p2 fence.mbarrier_init.release.cluster;
    bar.sync 0;
    setp.eq.u32 %p3, %r1, 32;
    @%p1 bra Fill;
  )" + read + "\n" +
                 before + R"(
    @%p3 mbarrier.arrive.shared.b64 _, [empty];
    ret;
  Fill:
    mbarrier.try_wait.parity.shared.b64 %p4, [empty], 0;
    @!%p4 bra Fill;
  )" + late + R"(
    @!%p2 ret;
    mbarrier.arrive.expect_tx.shared.b64 _, [full], 16;
    cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes
      [%r4], [%d31], 16, [full];
  Done:
    mbarrier.try_wait.parity.shared.b64 %p4, [full], 0;
    @!%p4 bra Done;
  )",
             seed);
}
const char *const kReadAll = "xor.b32 %r8, %r3, 128; add.u32 %r8, %r4, %r8; "
                             "ld.shared.b32 %r7, [%r8];";
const char *const kFence = "fence.proxy.async.shared::cta;";
const char *const kSync = "bar.warp.sync -1;";
} // namespace

TEST(Race, CopyOverwritesWhatWasRead) {
  const std::string both = std::string(kFence) + kSync;
  for (uint64_t seed = 0; seed != 4; ++seed) {
    EXPECT_CLEAN(runReuse(kReadAll, both, "", seed));
    LaunchResult r = runReuse(kReadAll, kSync, "", seed);
    ASSERT_TRUE(has(r, DiagnosticKind::MissingFence)) << text(r);
    const Diagnostic &d = r.diagnostics[0];
    EXPECT_NE(d.where.line, d.other.line);
    EXPECT_NE(d.other.line, 0u);
    EXPECT_EQ(d.where.warp, 0);
    EXPECT_EQ(d.other.warp, 1);
  }
  // The fence has to be the reader's, after the read and before the arrival,
  // which another lane's fence is only if the lanes synchronise after it.
  EXPECT_DIAGNOSED(runReuse(kReadAll, std::string(kSync) + kFence),
                   MissingFence);
  EXPECT_DIAGNOSED(runReuse(kReadAll, kSync, kFence), MissingFence);
  EXPECT_DIAGNOSED(runReuse(std::string(kFence) + kReadAll, kSync),
                   MissingFence);
  EXPECT_DIAGNOSED(runReuse(kReadAll, std::string(kSync) + "@%p3 " + kFence),
                   MissingFence);
}

TEST(Race, LaterReadDoesNotFenceAnother) {
  // Warp 0 reads after warp 1 and fences, but only what it has read itself.
  const std::string again =
      std::string("ld.shared.b32 %r7, [%r5];") + kFence + kSync;
  EXPECT_DIAGNOSED(runReuse(kReadAll, kSync, again), MissingFence);
  EXPECT_CLEAN(runReuse(kReadAll, std::string(kFence) + kSync, again));
}

TEST(Race, FenceOfTheLaneThatReads) {
  const std::string read = "@%p3 ld.shared.b32 %r7, [tile];";
  const std::string fence = std::string("@%p3 ") + kFence;
  // Other lanes' reads of other places need no fence.
  const std::string elsewhere = "ld.shared.b32 %r7, [%r5];";
  EXPECT_CLEAN(runReuse(elsewhere + read, fence));
  EXPECT_DIAGNOSED(runReuse(elsewhere + read, ""), MissingFence);
}

TEST(Race, ElectedLaneReleasesWhatTheWarpRead) {
  EXPECT_DIAGNOSED(runReuse(kReadAll, kFence), SharedRace);
  EXPECT_CLEAN(runReuse(kReadAll, std::string(kFence) + kSync));
  // What the arriving lane did itself is ordered.
  EXPECT_CLEAN(runReuse("@%p3 ld.shared.b32 %r7, [tile];", kFence));
}

TEST(Race, AtomicsOrderAndDoNotRace) {
  EXPECT_CLEAN(run("red.shared.add.u32 [tile], 1;"));
}

TEST(Race, DetectionCanBeOff) {
  Launcher launcher;
  launcher.block = {64, 1, 1};
  launcher.options.detectRaces = false;
  EXPECT_CLEAN(launcher.run(
      kernel("",
             ".shared .b32 x; mov.u32 %r1, %tid.x; st.shared.b32 [x], %r1;"),
      Params()));
}

TEST(Race, VectorClocks) {
  VectorClock a, b;
  a.set(1, 5);
  b.set(0, 2);
  b.set(3, 1);
  a.join(b);
  EXPECT_EQ(a[0], 2u);
  EXPECT_EQ(a[1], 5u);
  EXPECT_EQ(a[2], 0u);
  EXPECT_EQ(a[3], 1u);
  a.meet(b);
  EXPECT_EQ(a[0], 2u);
  EXPECT_EQ(a[1], 0u);
  a.raise(1, 4);
  a.raise(1, 3);
  EXPECT_EQ(a[1], 4u);
}

TEST(Race, LanesOfVectorClocks) {
  VectorClock a, b;
  a.raiseLanes(2, 0b11, 5);
  EXPECT_TRUE(a.covers(2, 5, 0b01));
  EXPECT_FALSE(a.covers(2, 5, 0b101));
  EXPECT_FALSE(a.covers(2, 5));
  b.raiseLanes(2, VectorClock::kAllLanes, 3);
  EXPECT_TRUE(b.covers(2, 3, 0b100));
  // Of what one knows by warp and the other by lane, both know the lanes'.
  b.meet(a);
  EXPECT_TRUE(b.covers(2, 3, 0b11));
  EXPECT_FALSE(b.covers(2, 4, 0b01));
  EXPECT_FALSE(b.covers(2, 3, 0b100));
  b.join(a);
  EXPECT_TRUE(b.covers(2, 5, 0b11));
}
