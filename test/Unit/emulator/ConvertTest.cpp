//===- ConvertTest.cpp - Moves and conversions ----------------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator::test;

namespace {
uint32_t f(float x) { return bits(x); }
const uint32_t kNaN = 0x7fffffff, kInf = 0x7f800000;
} // namespace

TEST(Convert, Moves) {
  checkRows({
      {"mov.b32 %r0, %r1;", 5, 0, 0, 5},
      {"mov.b64 %d0, {%r1, %r2};", 1, 2, 0, 0x200000001},
      {"mov.b32 %r0, {%h1, %h2};", 0x1234, 0x5678, 0, 0x56781234},
      {"mov.b64 {_, %r0}, %d1;", 0x200000001, 0, 0, 2},
      {"mov.b32 {%h0, %h4}, %r1;", 0x56781234, 0, 0, 0x1234},
      {"mov.f32 %r0, 0f40490FDB;", 0, 0, 0, 0x40490fdb},
      {"mov.f64 %d0, 0d3FF0000000000000;", 0, 0, 0, bits(1.0)},
      {"mov.f32 %r0, 1.5;", 0, 0, 0, f(1.5f)},
      {"mov.pred %p0, %p1;", 1, 0, 0, 1},
      {"mov.u32 %r0, %ntid.x;", 0, 0, 0, 32},
      {"mov.u32 %r0, WARP_SZ;", 0, 0, 0, 32},
  });
}

TEST(Convert, Integers) {
  checkRows({
      {"cvt.u32.u64 %r0, %d1;", 0x1234567890, 0, 0, 0x34567890},
      {"cvt.s64.s32 %d0, %r1;", 0xffffffff, 0, 0, ~0ull},
      {"cvt.u64.u32 %d0, %r1;", 0xffffffff, 0, 0, 0xffffffff},
      {"cvt.s32.s8 %r0, %r1;", 0x1ff, 0, 0, 0xffffffff},
      {"cvt.u32.u8 %r0, %r1;", 0x1ff, 0, 0, 0xff},
      {"cvt.u16.u32 %h0, %r1;", 0x12345, 0, 0, 0x2345},
      {"cvt.sat.u8.s32 %r0, %r1;", uint32_t(-5), 0, 0, 0},
      {"cvt.sat.s8.s32 %r0, %r1;", 1000, 0, 0, 127},
      {"cvt.sat.s16.s32 %r0, %r1;", uint32_t(-100000), 0, 0, 0xffff8000},
  });
}

TEST(Convert, IntegerAndFloat) {
  checkRows({
      {"cvt.rn.f32.s32 %r0, %r1;", uint32_t(-3), 0, 0, f(-3)},
      {"cvt.rn.f32.u32 %r0, %r1;", 0xffffffff, 0, 0, f(4294967296.0f)},
      {"cvt.rz.f32.u32 %r0, %r1;", 0xffffffff, 0, 0, 0x4f7fffff},
      {"cvt.rn.f32.u64 %r0, %d1;", 1ull << 40, 0, 0, f(0x1p40f)},
      {"cvt.rn.f64.s32 %d0, %r1;", uint32_t(-3), 0, 0, bits(-3.0)},
      {"cvt.rni.s32.f32 %r0, %r1;", f(2.5f), 0, 0, 2},
      {"cvt.rni.s32.f32 %r0, %r1;", f(3.5f), 0, 0, 4},
      {"cvt.rzi.s32.f32 %r0, %r1;", f(-2.9f), 0, 0, uint32_t(-2)},
      {"cvt.rmi.s32.f32 %r0, %r1;", f(-2.1f), 0, 0, uint32_t(-3)},
      {"cvt.rpi.s32.f32 %r0, %r1;", f(2.1f), 0, 0, 3},
      {"cvt.rzi.s32.f32 %r0, %r1;", f(1e20f), 0, 0, 0x7fffffff},
      {"cvt.rzi.s32.f32 %r0, %r1;", f(-1e20f), 0, 0, 0x80000000},
      {"cvt.rzi.u32.f32 %r0, %r1;", f(-1), 0, 0, 0},
      {"cvt.rzi.s32.f32 %r0, %r1;", kNaN, 0, 0, 0},
      {"cvt.rni.f32.f32 %r0, %r1;", f(2.5f), 0, 0, f(2)},
      {"cvt.rn.f16.s32 %h0, %r1;", 5, 0, 0, 0x4500},
  });
}

TEST(Convert, FloatFormats) {
  checkRows({
      {"cvt.rn.bf16.f32 %h0, %r1;", f(1.00390625f), 0, 0, 0x3f80},
      {"cvt.rn.bf16.f32 %h0, %r1;", f(1.01171875f), 0, 0, 0x3f82},
      {"cvt.rz.bf16.f32 %h0, %r1;", f(1.01171875f), 0, 0, 0x3f81},
      {"cvt.rn.relu.bf16.f32 %h0, %r1;", f(-1), 0, 0, 0},
      {"cvt.f32.bf16 %r0, %h1;", 0x3f80, 0, 0, f(1)},
      {"cvt.rn.f16.f32 %h0, %r1;", f(65520), 0, 0, 0x7c00},
      {"cvt.rz.f16.f32 %h0, %r1;", f(65520), 0, 0, 0x7bff},
      {"cvt.rn.f16.f32 %h0, %r1;", f(0x1p-24f), 0, 0, 1},
      {"cvt.rn.f16.f32 %h0, %r1;", f(0x1p-25f), 0, 0, 0},
      {"cvt.rn.f16.f32 %h0, %r1;", f(0x1.8p-25f), 0, 0, 1},
      {"cvt.f32.f16 %r0, %h1;", 0x0001, 0, 0, f(0x1p-24f)},
      {"cvt.f32.f16 %r0, %h1;", 0xfc00, 0, 0, 0xff800000},
      {"cvt.rn.f32.f64 %r0, %d1;", bits(0.1), 0, 0, f(0.1f)},
      {"cvt.rp.f32.f64 %r0, %d1;", bits(1.0 + 0x1p-40), 0, 0, 0x3f800001},
      {"cvt.f64.f32 %d0, %r1;", f(0.5f), 0, 0, bits(0.5)},
      {"cvt.sat.f32.f32 %r0, %r1;", f(5), 0, 0, f(1)},
      {"cvt.rna.tf32.f32 %r0, %r1;", 0x3f801000, 0, 0, 0x3f802000},
      {"cvt.rn.tf32.f32 %r0, %r1;", 0x3f801000, 0, 0, 0x3f800000},
      {"cvt.rn.tf32.f32 %r0, %r1;", 0x7f800001, 0, 0, 0x7fffe000},
      {"cvt.rna.tf32.f32 %r0, %r1;", 0x7f800001, 0, 0, 0x7f800000},
  });
}

TEST(Convert, Packed) {
  checkRows({
      {"cvt.rn.bf16x2.f32 %r0, %r1, %r2;", f(1), f(2), 0, 0x3f804000},
      {"cvt.rn.relu.bf16x2.f32 %r0, %r1, %r2;", f(-1), f(2), 0, 0x00004000},
      {"cvt.rn.relu.bf16x2.f32 %r0, %r1, %r2;", f(-0.0f), kNaN, 0, 0x00007fff},
      {"cvt.rn.bf16x2.f32 %r0, %r1, %r2;", kNaN, kInf, 0, 0x7fff7f80},
      {"cvt.rn.f16x2.f32 %r0, %r1, %r2;", f(1), f(2), 0, 0x3c004000},
      {"cvt.rz.f16x2.f32 %r0, %r1, %r2;", f(65520), f(-65520), 0, 0x7bfffbff},
      // e4m3: 448 is the largest, 0x7f is NaN, no infinity.
      {"cvt.rn.satfinite.e4m3x2.f32 %h0, %r1, %r2;", f(1), f(1000), 0, 0x387e},
      {"cvt.rn.satfinite.e4m3x2.f32 %h0, %r1, %r2;", kNaN, f(-1000), 0, 0x7ffe},
      {"cvt.rn.satfinite.e4m3x2.f32 %h0, %r1, %r2;", f(0x1p-9f), f(0x1p-10f), 0,
       0x0100},
      {"cvt.rn.satfinite.e4m3x2.f32 %h0, %r1, %r2;", f(1.0625f), f(1.1875f), 0,
       0x383a},
      {"cvt.rn.satfinite.e5m2x2.f32 %h0, %r1, %r2;", f(1), f(1e9f), 0, 0x3c7b},
      {"cvt.rn.satfinite.relu.e4m3x2.f32 %h0, %r1, %r2;", f(-1), f(1), 0,
       0x0038},
      {"cvt.rn.satfinite.e4m3x2.f16x2 %h0, %r1;", 0x3c004000, 0, 0, 0x3840},
      {"cvt.rn.f16x2.e4m3x2 %r0, %h1;", 0x3840, 0, 0, 0x3c004000},
      {"cvt.rn.relu.f16x2.e4m3x2 %r0, %h1;", 0x8040, 0, 0, 0x00004000},
      {"cvt.rn.f16x2.e4m3x2 %r0, %h1;", 0x7f01, 0, 0, 0x7fff1800},
      {"cvt.rn.f16x2.e5m2x2 %r0, %h1;", 0x3c7c, 0, 0, 0x3c007c00},
  });
}

TEST(Convert, AddressSpaces) {
  checkRows({
      {"cvta.shared.u64 %d1, 4096; cvta.to.shared.u64 %d0, %d1;", 0, 0, 0,
       4096},
      {"cvta.shared.u64 %d1, 4096; isspacep.shared %p0, %d1;", 0, 0, 0, 1},
      {"cvta.shared.u64 %d1, 4096; isspacep.global %p0, %d1;", 0, 0, 0, 0},
      {"cvta.to.global.u64 %d0, %d30; sub.s64 %d0, %d0, %d30;", 0, 0, 0, 0},
      {"isspacep.global %p0, %d30;", 0, 0, 0, 1},
      {"cvta.local.u64 %d1, 8; isspacep.local %p0, %d1;", 0, 0, 0, 1},
  });
}
