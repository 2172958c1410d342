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
