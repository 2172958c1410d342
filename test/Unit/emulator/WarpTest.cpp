//===- WarpTest.cpp - Instructions among the lanes of a warp --------------===//

#include "EmulatorTest.h"

#include <functional>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {

/// Runs \p body with the lane in %r1 and stores %r0 of each lane.
std::vector<uint32_t> perLane(const std::string &body,
                              LaunchResult *result = nullptr) {
  Buffer out(32 * 4);
  Launcher launcher;
  launcher.allow(out);
  Params params;
  params.add(out);
  LaunchResult r = launcher.run(kernel(".param .b64 out", R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %laneid;
    mul.wide.u32 %d30, %r1, 4;
    add.s64 %d31, %d31, %d30;
    mov.b32 %r0, 0;
  )" + body + "\n st.global.b32 [%d31], %r0;"),
                                params);
  if (result)
    *result = r;
  else
    EXPECT_CLEAN(r);
  return std::vector<uint32_t>(out.as<uint32_t>(), out.as<uint32_t>() + 32);
}

void expectLanes(const std::string &body,
                 const std::function<uint32_t(uint32_t)> &expected) {
  std::vector<uint32_t> got = perLane(body);
  for (uint32_t lane = 0; lane != 32; ++lane)
    EXPECT_EQ(got[lane], expected(lane)) << "lane " << lane << " of " << body;
}

} // namespace

TEST(Warp, Shuffle) {
  expectLanes("shfl.sync.bfly.b32 %r0, %r1, 5, 31, -1;",
              [](uint32_t l) { return l ^ 5; });
  expectLanes("shfl.sync.idx.b32 %r0, %r1, 7, 31, -1;",
              [](uint32_t) { return 7u; });
  expectLanes("shfl.sync.up.b32 %r0, %r1, 3, 0, -1;",
              [](uint32_t l) { return l < 3 ? l : l - 3; });
  expectLanes("shfl.sync.down.b32 %r0, %r1, 3, 31, -1;",
              [](uint32_t l) { return l > 28 ? l : l + 3; });
  // Width 8: c holds 0x1800 | 31 for idx and down, 0x1800 for up.
  expectLanes("shfl.sync.idx.b32 %r0, %r1, 2, 0x181f, -1;",
              [](uint32_t l) { return (l & ~7u) | 2; });
  expectLanes("shfl.sync.up.b32 %r0, %r1, 1, 0x1800, -1;",
              [](uint32_t l) { return l % 8 ? l - 1 : l; });
  expectLanes("shfl.sync.down.b32 %r2|%p1, %r1, 1, 0x181f, -1; selp.b32 %r0, "
              "1, 0, %p1;",
              [](uint32_t l) { return uint32_t(l % 8 != 7); });
}

TEST(Warp, Vote) {
  const std::string odd = "and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, 1;";
  expectLanes(odd + "vote.sync.ballot.b32 %r0, %p1, -1;",
              [](uint32_t) { return 0xaaaaaaaau; });
  expectLanes(odd + "vote.sync.any.pred %p2, %p1, -1; selp.b32 %r0, 1, 0, %p2;",
              [](uint32_t) { return 1u; });
  expectLanes(odd + "vote.sync.all.pred %p2, %p1, -1; selp.b32 %r0, 1, 0, %p2;",
              [](uint32_t) { return 0u; });
  expectLanes(odd + "vote.sync.uni.pred %p2, %p1, -1; selp.b32 %r0, 1, 0, %p2;",
              [](uint32_t) { return 0u; });
  expectLanes(odd +
                  "vote.sync.any.pred %p2, !%p1, -1; selp.b32 %r0, 1, 0, %p2;",
              [](uint32_t) { return 1u; });
}

TEST(Warp, Match) {
  expectLanes("shr.u32 %r2, %r1, 4; match.any.sync.b32 %r0, %r2, -1;",
              [](uint32_t l) { return l < 16 ? 0xffffu : 0xffff0000u; });
  expectLanes("mov.b32 %r2, 5; match.all.sync.b32 %r0|%p1, %r2, -1;",
              [](uint32_t) { return 0xffffffffu; });
}

TEST(Warp, Reduce) {
  expectLanes("redux.sync.add.u32 %r0, %r1, -1;",
              [](uint32_t) { return 496u; });
  expectLanes("sub.s32 %r2, %r1, 5; redux.sync.min.s32 %r0, %r2, -1;",
              [](uint32_t) { return uint32_t(-5); });
  expectLanes("redux.sync.xor.b32 %r0, %r1, -1;", [](uint32_t) { return 0u; });
}

TEST(Warp, ElectAndMasks) {
  expectLanes("elect.sync %r2|%p1, -1; selp.b32 %r0, 1, 0, %p1;",
              [](uint32_t l) { return uint32_t(l == 0); });
  expectLanes("activemask.b32 %r0;", [](uint32_t) { return ~0u; });
  expectLanes("mov.u32 %r0, %lanemask_lt;",
              [](uint32_t l) { return (1u << l) - 1; });
  expectLanes("mov.u32 %r0, %lanemask_ge;",
              [](uint32_t l) { return ~((1u << l) - 1); });
}

TEST(Warp, DivergentGroups) {
  // Each half shuffles among itself, then all come together.
  expectLanes(R"(
    setp.lt.u32 %p1, %r1, 16;
    @%p1 bra LOW;
    shfl.sync.idx.b32 %r2, %r1, 20, 31, 0xffff0000;
    bra.uni JOIN;
  LOW:
    shfl.sync.idx.b32 %r2, %r1, 3, 31, 0x0000ffff;
  JOIN:
    bar.warp.sync -1;
    shfl.sync.bfly.b32 %r0, %r2, 16, 31, -1;)",
              [](uint32_t l) { return l < 16 ? 20u : 3u; });
}

TEST(Warp, WrongMasks) {
  LaunchResult result;
  perLane("shfl.sync.idx.b32 %r0, %r1, 0, 31, 1;", &result);
  EXPECT_DIAGNOSED(result, InvalidInstruction);
  perLane(
      "setp.lt.u32 %p1, %r1, 16; @%p1 shfl.sync.idx.b32 %r0, %r1, 0, 31, -1;",
      &result);
  EXPECT_DIAGNOSED(result, InvalidInstruction);
  // Half the warp never comes.
  perLane(R"(setp.lt.u32 %p1, %r1, 16;
    @%p1 bra ALONE;
    bra.uni OTHER;
  ALONE:
    shfl.sync.idx.b32 %r0, %r1, 0, 31, -1;
  OTHER:
    bar.warp.sync -1;)",
          &result);
  EXPECT_DIAGNOSED(result, Deadlock);
}
