//===- MemoryTest.cpp - Loads, stores, atomics ----------------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
LaunchResult runOn(Buffer &out, const std::string &body,
                   const std::string &globals = "", uint32_t threads = 1) {
  Launcher launcher;
  launcher.block = {threads, 1, 1};
  launcher.allow(out);
  return launcher.run(kernel(".param .b64 out",
                             "ld.param.b64 %d31, [out];\n" + body, "", globals),
                      Params().add(out));
}
} // namespace

TEST(Memory, LoadsExtend) {
  Buffer out(64);
  out.as<uint64_t>()[0] = 0x1122334455f6f7f8;
  EXPECT_CLEAN(runOn(out, R"(
    ld.global.u8 %r1, [%d31];       st.global.b32 [%d31+8], %r1;
    ld.global.s8 %r1, [%d31];       st.global.b32 [%d31+12], %r1;
    ld.global.s16 %r1, [%d31];      st.global.b32 [%d31+16], %r1;
    ld.global.u16 %h1, [%d31+2];    st.global.b16 [%d31+20], %h1;
    ld.global.s32 %d1, [%d31];      st.global.b64 [%d31+24], %d1;
    ld.global.v2.b32 {%r1, %r2}, [%d31]; st.global.v2.b32 [%d31+32], {%r2, %r1};
    ld.global.nc.L1::no_allocate.b64 %d1, [%d31]; st.global.b64 [%d31+40], %d1;
    ld.b32 %r1, [%d31+4];           st.b8 [%d31+48], %r1;)"));
  EXPECT_EQ(out.as<uint32_t>()[2], 0xf8u);
  EXPECT_EQ(out.as<uint32_t>()[3], 0xfffffff8u);
  EXPECT_EQ(out.as<uint32_t>()[4], 0xfffff7f8u);
  EXPECT_EQ(out.as<uint16_t>()[10], 0x55f6u);
  EXPECT_EQ(out.as<uint64_t>()[3], 0x55f6f7f8u);
  EXPECT_EQ(out.as<uint64_t>()[4], 0x55f6f7f811223344u);
  EXPECT_EQ(out.as<uint64_t>()[5], 0x1122334455f6f7f8u);
  EXPECT_EQ(out.data()[48], 0x44u);
}

TEST(Memory, SharedThroughGenericAddresses) {
  Buffer out(8);
  EXPECT_CLEAN(runOn(out, R"(
    .shared .align 16 .b8 tile[64];
    mov.b64 %d1, tile;
    cvta.shared.u64 %d2, %d1;
    mov.b32 %r1, 1234;
    st.b32 [%d2+16], %r1;
    ld.shared.b32 %r2, [tile+16];
    cvt.u32.u64 %r3, %d1;
    ld.shared.b32 %r4, [%r3+16];
    add.u32 %r2, %r2, %r4;
    st.global.b32 [%d31], %r2;)"));
  EXPECT_EQ(out.as<uint32_t>()[0], 2468u);
}

TEST(Memory, LocalMemoryIsPrivate) {
  Buffer out(32 * 4);
  EXPECT_CLEAN(runOn(out, R"(
    .local .align 8 .b8 depot[16];
    .reg .b64 %SP;
    mov.b64 %SP, depot;
    cvta.local.u64 %SP, %SP;
    mov.u32 %r1, %tid.x;
    st.b32 [%SP+4], %r1;
    ld.local.b32 %r2, [depot+4];
    mul.wide.u32 %d1, %r1, 4;
    add.s64 %d1, %d31, %d1;
    st.global.b32 [%d1], %r2;)",
                     "", 32));
  for (uint32_t t = 0; t != 32; ++t)
    EXPECT_EQ(out.as<uint32_t>()[t], t);
}

TEST(Memory, ModuleVariables) {
  Buffer out(16);
  EXPECT_CLEAN(runOn(out, R"(
    ld.const.b32 %r1, [table+4];
    mov.b64 %d1, pointers;
    ld.global.b64 %d2, [%d1];
    ld.b32 %r2, [%d2+8];
    st.global.v2.b32 [%d31], {%r1, %r2};)",
                     ".const .align 4 .u32 table[3] = {10, 20, 30};\n"
                     ".global .align 4 .u32 data[3] = {1, 2, 3};\n"
                     ".global .align 8 .u64 pointers[1] = {generic(data)};\n"));
  EXPECT_EQ(out.as<uint32_t>()[0], 20u);
  EXPECT_EQ(out.as<uint32_t>()[1], 3u);
}

TEST(Memory, UninitialisedSharedMemoryIsNaN) {
  Buffer out(4);
  EXPECT_CLEAN(runOn(
      out,
      ".shared .b32 x; ld.shared.b32 %r1, [x]; st.global.b32 [%d31], %r1;"));
  EXPECT_EQ(out.as<uint32_t>()[0], 0xffffffffu);
}

TEST(Memory, Atomics) {
  Buffer out(64);
  EXPECT_CLEAN(runOn(out, R"(
    atom.global.add.u32 %r1, [%d31], 1;
    red.global.max.s32 [%d31+4], 5;
    atom.relaxed.gpu.global.exch.b32 %r2, [%d31+8], 7;
    atom.global.cas.b32 %r3, [%d31+12], 0, 9;
    red.relaxed.gpu.global.add.f32 [%d31+16], 0f3F800000;
    mov.b32 %r4, 0f3F800000;
    red.relaxed.gpu.global.add.v4.f32 [%d31+32], {%r4, %r4, %r4, %r4};
    atom.global.inc.u32 %r5, [%d31+20], 9;
    mov.b32 %r6, 0x3c003c00;
    red.global.add.noftz.f16x2 [%d31+24], %r6;
    atom.global.add.u64 %d1, [%d31+48], 3;)",
                     "", 32));
  EXPECT_EQ(out.as<uint32_t>()[0], 32u);
  EXPECT_EQ(out.as<uint32_t>()[1], 5u);
  EXPECT_EQ(out.as<uint32_t>()[2], 7u);
  EXPECT_EQ(out.as<uint32_t>()[3], 9u);
  EXPECT_EQ(out.as<float>()[4], 32.0f);
  EXPECT_EQ(out.as<uint32_t>()[5], 2u); // 32 increments modulo 10
  EXPECT_EQ(out.as<uint32_t>()[6], 0x50005000u);
  EXPECT_EQ(out.as<float>()[11], 32.0f);
  EXPECT_EQ(out.as<uint64_t>()[6], 96u);
}

TEST(Memory, AtomicsOfManyCtas) {
  Buffer out(8);
  Launcher launcher;
  launcher.grid = {64, 1, 1};
  launcher.options.threads = 4;
  launcher.allow(out);
  EXPECT_CLEAN(launcher.run(
      kernel(".param .b64 out",
             "ld.param.b64 %d31, [out]; red.global.add.u32 [%d31], 1;"),
      Params().add(out)));
  EXPECT_EQ(out.as<uint32_t>()[0], 2048u);
}

TEST(Memory, CtasThatWaitForEachOther) {
  // Each CTA waits for its predecessor's flag; the last one starts first.
  Buffer out(8);
  for (uint32_t threads : {1u, 2u}) {
    out.as<uint32_t>()[0] = 0;
    Launcher launcher;
    launcher.grid = {16, 1, 1};
    launcher.block = {1, 1, 1};
    launcher.options.threads = threads;
    launcher.allow(out);
    EXPECT_CLEAN(launcher.run(kernel(".param .b64 out", R"(
      ld.param.b64 %d31, [out];
      mov.u32 %r1, %ctaid.x;
      sub.u32 %r1, 15, %r1;
    SPIN:
      ld.acquire.gpu.global.b32 %r2, [%d31];
      setp.ne.u32 %p1, %r2, %r1;
      @%p1 bra SPIN;
      add.u32 %r2, %r2, 1;
      st.release.gpu.global.b32 [%d31], %r2;)"),
                              Params().add(out)));
    EXPECT_EQ(out.as<uint32_t>()[0], 16u);
  }
}

TEST(Memory, OutOfBounds) {
  Buffer out(16);
  LaunchResult r = runOn(out, "mov.b32 %r1, 0; st.global.b32 [%d31+16], %r1;");
  ASSERT_EQ(r.diagnostics.size(), 1u) << text(r);
  EXPECT_EQ(r.diagnostics[0].kind, DiagnosticKind::OutOfBounds);
  EXPECT_EQ(r.diagnostics[0].address, out.address() + 16);
  EXPECT_EQ(r.diagnostics[0].where.thread, 0);
  EXPECT_GT(r.diagnostics[0].where.line, 0u);
  EXPECT_DIAGNOSED(runOn(out, "mov.b64 %d1, 16; ld.global.b32 %r1, [%d1];"),
                   OutOfBounds);
  EXPECT_DIAGNOSED(runOn(out, "ld.shared.b32 %r1, [1024];"), OutOfBounds);
  EXPECT_DIAGNOSED(runOn(out, ".shared .b32 x; ld.shared.b32 %r1, [0];"),
                   OutOfBounds);
}

TEST(Memory, Misaligned) {
  Buffer out(16);
  EXPECT_DIAGNOSED(runOn(out, "ld.global.b32 %r1, [%d31+2];"), Misaligned);
  EXPECT_DIAGNOSED(
      runOn(out, "ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%d31+4];"),
      Misaligned);
}

TEST(Memory, UseAfterFree) {
  Buffer out(16);
  Launcher launcher;
  launcher.allow(out);
  launcher.memory.remove(out.address());
  EXPECT_DIAGNOSED(
      launcher.run(
          kernel(".param .b64 out",
                 "ld.param.b64 %d31, [out]; ld.global.b32 %r1, [%d31];"),
          Params().add(out)),
      UseAfterFree);
}

TEST(Memory, AddressNeverWritten) {
  Buffer out(16);
  EXPECT_DIAGNOSED(runOn(out, "ld.global.b32 %r1, [%d7];"), UninitializedUse);
}

TEST(Memory, AddressSpaceRanges) {
  RangeAddressSpace space;
  space.add(0x1000, 0x100);
  EXPECT_EQ(space.find(0x1000, 0x100).kind, AddressLookup::Kind::Live);
  EXPECT_EQ(space.find(0x10ff, 2).kind, AddressLookup::Kind::OutOfBounds);
  EXPECT_EQ(space.find(0x1100, 1).kind, AddressLookup::Kind::OutOfBounds);
  EXPECT_EQ(space.find(0x800, 1).kind, AddressLookup::Kind::Unknown);
  EXPECT_FALSE(space.remove(0x1004));
  EXPECT_TRUE(space.remove(0x1000));
  EXPECT_FALSE(space.remove(0x1000));
  EXPECT_EQ(space.find(0x1080, 4).kind, AddressLookup::Kind::Freed);
  space.add(0x1080, 0x10);
  EXPECT_EQ(space.find(0x1084, 4).kind, AddressLookup::Kind::Live);
}
