//===- ControlTest.cpp - Branches, divergence, exits ----------------------===//

#include "EmulatorTest.h"

#include <algorithm>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

TEST(Control, CoverageNamesTheLinesThatRan) {
  const std::string text = kernel("", R"(
    mov.u32 %r1, %tid.x;
    setp.ge.u32 %p1, %r1, 64;
    setp.lt.u32 %p2, %r1, 1;
    @%p1 mov.u32 %r2, 1;
    @%p2 mov.u32 %r2, 2;
    bra.uni OVER;
    mov.u32 %r2, 3;
  OVER:
    ret;)");
  auto lineOf = [&](const char *part) {
    return 1 + uint32_t(std::count(text.begin(), text.begin() + text.find(part),
                                   '\n'));
  };
  Launcher launcher;
  launcher.options.coverage = true;
  LaunchResult result = launcher.run(text, Params());
  EXPECT_CLEAN(result);
  const auto ran = [&](const char *part) {
    return std::count(result.executedLines.begin(), result.executedLines.end(),
                      lineOf(part));
  };
  EXPECT_EQ(ran("mov.u32 %r1, %tid.x"), 1);
  EXPECT_EQ(ran("mov.u32 %r2, 1"), 0);
  EXPECT_EQ(ran("mov.u32 %r2, 2"), 1);
  EXPECT_EQ(ran("mov.u32 %r2, 3"), 0);
  EXPECT_EQ(ran("ret;"), 1);
}

namespace {
const char *const kOutAt = R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %d30, %r1, 4;
    add.s64 %d31, %d31, %d30;
)";
} // namespace

TEST(Control, LoopsOfDifferentLength) {
  Buffer out(40 * 4);
  Launcher launcher;
  launcher.block = {40, 1, 1};
  launcher.allow(out);
  LaunchResult r =
      launcher.run(kernel(".param .b64 out", std::string(kOutAt) + R"(
    mov.b32 %r2, 0;
    mov.b32 %r3, 0;
  LOOP:
    setp.ge.u32 %p1, %r2, %r1;
    @%p1 bra DONE;
    add.u32 %r3, %r3, %r2;
    add.u32 %r2, %r2, 1;
    bra.uni LOOP;
  DONE:
    activemask.b32 %r4;
    st.global.b32 [%d31], %r3;)"),
                   Params().add(out));
  EXPECT_CLEAN(r);
  for (uint32_t t = 0; t != 40; ++t)
    EXPECT_EQ(out.as<uint32_t>()[t], t * (t - 1) / 2);
}

TEST(Control, NestedBranchesReconverge) {
  Buffer out(32 * 4);
  Launcher launcher;
  launcher.allow(out);
  LaunchResult r =
      launcher.run(kernel(".param .b64 out", std::string(kOutAt) + R"(
    mov.b32 %r3, 0;
    setp.lt.u32 %p1, %r1, 16;
    @!%p1 bra ELSE;
    setp.lt.u32 %p2, %r1, 8;
    @%p2 add.u32 %r3, %r3, 100;
    add.u32 %r3, %r3, 1;
    bra.uni JOIN;
  ELSE:
    add.u32 %r3, %r3, 2;
  JOIN:
    activemask.b32 %r4;
    popc.b32 %r4, %r4;
    shl.b32 %r4, %r4, 16;
    or.b32 %r3, %r3, %r4;
    st.global.b32 [%d31], %r3;)"),
                   Params().add(out));
  EXPECT_CLEAN(r);
  for (uint32_t t = 0; t != 32; ++t)
    EXPECT_EQ(out.as<uint32_t>()[t], (32u << 16) | (t < 8    ? 101
                                                    : t < 16 ? 1
                                                             : 2))
        << t;
}

TEST(Control, EarlyExit) {
  Buffer out(32 * 4);
  Launcher launcher;
  launcher.allow(out);
  LaunchResult r =
      launcher.run(kernel(".param .b64 out", std::string(kOutAt) + R"(
    setp.gt.u32 %p1, %r1, 3;
    @%p1 ret;
    vote.sync.ballot.b32 %r2, 1, -1;
    st.global.b32 [%d31], %r2;)"),
                   Params().add(out));
  EXPECT_CLEAN(r);
  EXPECT_EQ(out.as<uint32_t>()[3], 0xfu);
  EXPECT_EQ(out.as<uint32_t>()[4], 0u);
}

TEST(Control, ScopesHideNames) {
  Buffer out(32 * 4);
  Launcher launcher;
  launcher.allow(out);
  LaunchResult r =
      launcher.run(kernel(".param .b64 out", std::string(kOutAt) + R"(
    mov.b32 %r2, 1;
    {
      .reg .b32 %r<3>;
      .reg .pred p;
      mov.b32 %r2, 9;
      setp.eq.b32 p, %r2, 9;
      @p bra L;
      trap;
    L:
    }
    {
      .reg .pred p;
      setp.eq.b32 p, %r2, 1;
      @p bra L;
      trap;
    L:
    }
    st.global.b32 [%d31], %r2;)"),
                   Params().add(out));
  EXPECT_CLEAN(r);
  EXPECT_EQ(out.as<uint32_t>()[0], 1u);
}

TEST(Control, BranchTables) {
  Buffer out(32 * 4);
  Launcher launcher;
  launcher.allow(out);
  auto body = [](int targets) {
    return std::string(kOutAt) + "and.b32 %r2, %r1, " +
           std::to_string(targets) + R"(;
    mov.b32 %r3, 0;
  TABLE:
    .branchtargets A, B, C;
    brx.idx %r2, TABLE;
  A:
    add.u32 %r3, %r3, 1;
  B:
    add.u32 %r3, %r3, 10;
    bra.uni C;
  C:
    activemask.b32 %r4;
    popc.b32 %r4, %r4;
    mad.lo.u32 %r3, %r4, 1000, %r3;
    st.global.b32 [%d31], %r3;)";
  };
  EXPECT_CLEAN(
      launcher.run(kernel(".param .b64 out", body(2)), Params().add(out)));
  for (uint32_t t = 0; t != 32; ++t)
    EXPECT_EQ(out.as<uint32_t>()[t], 32000u + (t & 2 ? 0 : 11));
  EXPECT_DIAGNOSED(
      launcher.run(kernel(".param .b64 out", body(3)), Params().add(out)),
      InvalidInstruction);
}

TEST(Control, SpecialRegisters) {
  Buffer out(2 * 2 * 64 * 4);
  Launcher launcher;
  launcher.grid = {2, 2, 1};
  launcher.block = {8, 8, 1};
  launcher.allow(out);
  LaunchResult r = launcher.run(kernel(".param .b64 out", R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mov.u32 %r2, %tid.y;
    mov.u32 %r3, %ntid.x;
    mad.lo.u32 %r4, %r2, %r3, %r1;
    mov.u32 %r5, %ctaid.x;
    mov.u32 %r6, %ctaid.y;
    mov.u32 %r7, %nctaid.x;
    mad.lo.u32 %r8, %r6, %r7, %r5;
    mad.lo.u32 %r9, %r8, 64, %r4;
    mul.wide.u32 %d1, %r9, 4;
    add.s64 %d1, %d31, %d1;
    mov.u32 %r10, %warpid;
    shl.b32 %r10, %r10, 16;
    or.b32 %r10, %r10, %r9;
    st.global.b32 [%d1], %r10;)"),
                                Params().add(out));
  EXPECT_CLEAN(r);
  for (uint32_t i = 0; i != 256; ++i)
    EXPECT_EQ(out.as<uint32_t>()[i], i | (i % 64 / 32) << 16);
}

TEST(Control, Trap) {
  Launcher launcher;
  LaunchResult r = launcher.run(
      kernel("", "mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 7; @%p1 trap;"),
      Params());
  ASSERT_EQ(r.diagnostics.size(), 1u) << text(r);
  EXPECT_EQ(r.diagnostics[0].kind, DiagnosticKind::Trap);
  EXPECT_EQ(r.diagnostics[0].where.thread, 7);
}

TEST(Control, EndlessLoop) {
  Launcher launcher;
  launcher.options.warpInstructionLimit = 100000;
  LaunchResult r = launcher.run(kernel("", "L: bra.uni L;"), Params());
  EXPECT_DIAGNOSED(r, Timeout);
}

TEST(Control, GuardNeverWritten) {
  Launcher launcher;
  LaunchResult r = launcher.run(kernel("", "@%p1 bra L; L:"), Params());
  EXPECT_DIAGNOSED(r, UninitializedUse);
}
