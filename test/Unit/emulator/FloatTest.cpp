//===- FloatTest.cpp - Floating-point arithmetic --------------------------===//

#include "EmulatorTest.h"

#include <cmath>
#include <limits>

using namespace fa3::emulator::test;

namespace {
const uint32_t kNaN = 0x7fffffff, kInf = 0x7f800000, kNegInf = 0xff800000;
const uint32_t kDenormal = 1, kMinNormal = 0x00800000;
uint32_t f(float x) { return bits(x); }
} // namespace

TEST(Float, AddSubMul) {
  checkRows({
      {"add.f32 %r0, %r1, %r2;", f(1.5f), f(2.25f), 0, f(3.75f)},
      {"add.rn.f32 %r0, %r1, %r2;", f(1), f(0x1p-24f), 0, f(1)},
      {"add.rp.f32 %r0, %r1, %r2;", f(1), f(0x1p-24f), 0, 0x3f800001},
      {"add.rz.f32 %r0, %r1, %r2;", f(1), f(-0x1p-30f), 0, 0x3f7fffff},
      {"add.rm.f32 %r0, %r1, %r2;", f(1), f(-1), 0, f(-0.0f)},
      {"sub.rn.f32 %r0, %r1, %r2;", f(1), f(3), 0, f(-2)},
      {"add.f32 %r0, %r1, %r2;", kInf, kNegInf, 0, kNaN},
      {"add.f32 %r0, %r1, %r2;", 0x7fc12345, f(1), 0, kNaN},
      {"add.ftz.f32 %r0, %r1, %r2;", kDenormal, kDenormal, 0, 0},
      {"add.f32 %r0, %r1, %r2;", kDenormal, kDenormal, 0, 2},
      {"add.sat.f32 %r0, %r1, %r2;", f(1), f(3), 0, f(1)},
      {"mul.rn.f32 %r0, %r1, %r2;", f(3), f(-7), 0, f(-21)},
      {"mul.rz.f32 %r0, %r1, %r2;", 0x3f800001, 0x3f800001, 0, 0x3f800002},
      {"mul.rp.f32 %r0, %r1, %r2;", 0x3f800001, 0x3f800001, 0, 0x3f800003},
      {"mul.ftz.f32 %r0, %r1, %r2;", kMinNormal, f(0.5f), 0, 0},
      {"mul.sat.f32 %r0, %r1, %r2;", kNaN, f(0.5f), 0, 0},
      {"add.f64 %d0, %d1, %d2;", bits(1.0), bits(0x1p-52), 0,
       bits(1.0 + 0x1p-52)},
      {"mul.rn.f64 %d0, %d1, %d2;", bits(3.0), bits(0.1), 0, bits(3.0 * 0.1)},
  });
}

TEST(Float, Fma) {
  checkRows({
      // The product 1 - 2^-46 rounds to 1 in float; fused, the rest survives.
      {"fma.rn.f32 %r0, %r1, %r2, %r3;", f(1 + 0x1p-23f), f(1 - 0x1p-23f),
       f(-1), f(-0x1p-46f)},
      {"fma.rn.ftz.f32 %r0, %r1, %r2, %r3;", f(2), kDenormal, f(1), f(1)},
      {"fma.rn.sat.f32 %r0, %r1, %r2, %r3;", f(2), f(3), f(1), f(1)},
      {"fma.rz.f32 %r0, %r1, %r2, %r3;", f(1), f(1), f(0x1p-30f), f(1)},
      {"fma.rp.f32 %r0, %r1, %r2, %r3;", f(1), f(1), f(0x1p-30f), 0x3f800001},
      {"mad.rn.f32 %r0, %r1, %r2, %r3;", f(2), f(3), f(4), f(10)},
      {"fma.rn.f64 %d0, %d1, %d2, %d3;", bits(2.0), bits(3.0), bits(4.0),
       bits(10.0)},
      {"fma.rn.f16 %h0, %h1, %h2, %h3;", 0x3c00, 0x4000, 0x4200, 0x4500},
      {"fma.rn.bf16 %h0, %h1, %h2, %h3;", 0x3f80, 0x4000, 0x4040, 0x40a0},
      {"fma.rn.bf16x2 %r0, %r1, %r2, %r3;", 0x3f803f80, 0x40004040, 0x40400000,
       0x40a04040},
      {"fma.rn.relu.f16x2 %r0, %r1, %r2, %r3;", 0x3c00bc00, 0x40004000, 0,
       0x40000000},
  });
}

TEST(Float, Half) {
  checkRows({
      {"add.f16 %h0, %h1, %h2;", 0x3c00, 0x3c00, 0, 0x4000},
      {"add.rn.f16x2 %r0, %r1, %r2;", 0x3c004000, 0x3c003c00, 0, 0x40004200},
      {"mul.bf16x2 %r0, %r1, %r2;", 0x40003f80, 0x40404040, 0, 0x40c04040},
      {"sub.bf16 %h0, %h1, %h2;", 0x4040, 0x3f80, 0, 0x4000},
      {"add.f16 %h0, %h1, %h2;", 0x7bff, 0x7bff, 0, 0x7c00},
      {"add.ftz.f16 %h0, %h1, %h2;", 0x0001, 0x0001, 0, 0},
      {"max.f16x2 %r0, %r1, %r2;", 0x3c007e00, 0x40003c00, 0, 0x40003c00},
      {"min.NaN.bf16 %h0, %h1, %h2;", 0x7fc0, 0x3f80, 0, 0x7fff},
      {"neg.bf16x2 %r0, %r1;", 0x3f80bf80, 0, 0, 0xbf803f80},
      {"abs.f16 %h0, %h1;", 0xbc00, 0, 0, 0x3c00},
      {"neg.f16x2 %r0, %r1;", 0xfe003c00, 0, 0, 0x7fffbc00},
      {"abs.bf16x2 %r0, %r1;", 0xff817f80, 0, 0, 0x7fff7f80},
      {"ex2.approx.f16 %h0, %h1;", 0x4000, 0, 0, 0x4400},
      {"ex2.approx.ftz.bf16x2 %r0, %r1;", 0x40003f80, 0, 0, 0x40804000},
      {"tanh.approx.bf16 %h0, %h1;", 0x0000, 0, 0, 0x0000},
  });
}

TEST(Float, MinMax) {
  checkRows({
      {"max.f32 %r0, %r1, %r2;", f(1), f(2), 0, f(2)},
      {"min.f32 %r0, %r1, %r2;", f(-1), f(2), 0, f(-1)},
      {"max.f32 %r0, %r1, %r2;", kNaN, f(2), 0, f(2)},
      {"max.f32 %r0, %r1, %r2;", f(2), kNaN, 0, f(2)},
      {"max.f32 %r0, %r1, %r2;", kNaN, 0xffc00000, 0, kNaN},
      {"max.NaN.f32 %r0, %r1, %r2;", f(2), kNaN, 0, kNaN},
      {"max.f32 %r0, %r1, %r2;", f(-0.0f), f(0.0f), 0, f(0.0f)},
      {"min.f32 %r0, %r1, %r2;", f(0.0f), f(-0.0f), 0, f(-0.0f)},
      {"max.f32 %r0, %r1, %r2;", kNegInf, f(-5), 0, f(-5)},
      {"max.ftz.f32 %r0, %r1, %r2;", kDenormal, f(-1), 0, 0},
      {"min.f64 %d0, %d1, %d2;", bits(1.0), bits(-1.0), 0, bits(-1.0)},
  });
}

TEST(Float, Sign) {
  checkRows({
      {"neg.f32 %r0, %r1;", f(1), 0, 0, f(-1)},
      {"abs.f32 %r0, %r1;", f(-1), 0, 0, f(1)},
      {"abs.ftz.f32 %r0, %r1;", 0x80000001, 0, 0, 0},
      {"neg.f32 %r0, %r1;", 0x7fc00000, 0, 0, 0x7fffffff},
      {"abs.f32 %r0, %r1;", 0xffc00001, 0, 0, 0x7fffffff},
      {"neg.f64 %d0, %d1;", bits(2.0), 0, 0, bits(-2.0)},
      {"copysign.f32 %r0, %r1, %r2;", f(-1), f(3), 0, f(-3)},
      {"testp.finite.f32 %p0, %r1;", kInf, 0, 0, 0},
      {"testp.subnormal.f32 %p0, %r1;", kDenormal, 0, 0, 1},
      {"testp.notanumber.f32 %p0, %r1;", kNaN, 0, 0, 1},
  });
}

TEST(Float, DivideAndRoots) {
  checkRows({
      {"div.rn.f32 %r0, %r1, %r2;", f(1), f(3), 0, f(1.0f / 3)},
      {"div.rp.f32 %r0, %r1, %r2;", f(1), f(3), 0, 0x3eaaaaab},
      {"div.rz.f32 %r0, %r1, %r2;", f(1), f(3), 0, 0x3eaaaaaa},
      {"div.full.f32 %r0, %r1, %r2;", f(10), f(4), 0, f(2.5f), 2},
      {"div.approx.ftz.f32 %r0, %r1, %r2;", f(10), f(4), 0, f(2.5f), 2},
      {"rcp.rn.f32 %r0, %r1;", f(3), 0, 0, f(1.0f / 3)},
      {"rcp.approx.f32 %r0, %r1;", f(3), 0, 0, f(1.0f / 3), 1},
      {"rcp.approx.ftz.f32 %r0, %r1;", kDenormal, 0, 0, kInf},
      {"rcp.approx.f32 %r0, %r1;", kInf, 0, 0, 0},
      {"sqrt.rn.f32 %r0, %r1;", f(2), 0, 0, f(std::sqrt(2.0f))},
      {"sqrt.approx.f32 %r0, %r1;", f(2), 0, 0, f(std::sqrt(2.0f)), 2},
      {"sqrt.rn.f32 %r0, %r1;", f(-1), 0, 0, kNaN},
      {"rsqrt.approx.f32 %r0, %r1;", f(4), 0, 0, f(0.5f), 2},
      {"rsqrt.approx.f32 %r0, %r1;", 0, 0, 0, kInf},
      {"div.rn.f64 %d0, %d1, %d2;", bits(1.0), bits(3.0), 0, bits(1.0 / 3)},
      {"rcp.rn.f64 %d0, %d1;", bits(4.0), 0, 0, bits(0.25)},
      {"sqrt.rn.f64 %d0, %d1;", bits(2.0), 0, 0, bits(std::sqrt(2.0))},
  });
}

TEST(Float, Transcendental) {
  checkRows({
      {"ex2.approx.f32 %r0, %r1;", f(3), 0, 0, f(8), 2},
      {"ex2.approx.ftz.f32 %r0, %r1;", f(0.5f), 0, 0, f(1.41421356f), 2},
      {"ex2.approx.ftz.f32 %r0, %r1;", kNegInf, 0, 0, 0},
      {"ex2.approx.ftz.f32 %r0, %r1;", f(-140), 0, 0, 0},
      {"ex2.approx.f32 %r0, %r1;", f(-140), 0, 0, 512},
      {"lg2.approx.f32 %r0, %r1;", f(8), 0, 0, f(3), 2},
      {"lg2.approx.ftz.f32 %r0, %r1;", 0, 0, 0, kNegInf},
      {"lg2.approx.f32 %r0, %r1;", f(-1), 0, 0, kNaN},
      {"sin.approx.f32 %r0, %r1;", f(1), 0, 0, f(std::sin(1.0f)), 8},
      {"cos.approx.f32 %r0, %r1;", f(1), 0, 0, f(std::cos(1.0f)), 8},
      {"tanh.approx.f32 %r0, %r1;", f(0.5f), 0, 0, f(std::tanh(0.5f)), 8},
  });
}

TEST(Float, Compare) {
  checkRows({
      {"setp.lt.f32 %p0, %r1, %r2;", f(1), f(2), 0, 1},
      {"setp.lt.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 0},
      {"setp.ltu.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 1},
      {"setp.ne.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 0},
      {"setp.neu.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 1},
      {"setp.nan.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 1},
      {"setp.num.f32 %p0, %r1, %r2;", kNaN, f(2), 0, 0},
      {"setp.eq.ftz.f32 %p0, %r1, %r2;", kDenormal, 0, 0, 1},
      {"setp.gt.s32 %p0, %r1, %r2;", 0xffffffff, 0, 0, 0},
      {"setp.gt.u32 %p0, %r1, %r2;", 0xffffffff, 0, 0, 1},
      {"setp.hi.u32 %p0, %r1, %r2;", 0xffffffff, 0, 0, 1},
      {"setp.lt.and.s32 %p0, %r1, %r2, %p3;", 1, 2, 0, 0},
      {"setp.lt.or.s32 %p0, %r1, %r2, %p3;", 3, 2, 1, 1},
      {"setp.lt.s32 %p4|%p0, %r1, %r2;", 1, 2, 0, 0},
      {"setp.ge.f64 %p0, %d1, %d2;", bits(1.0), bits(1.0), 0, 1},
      {"setp.lt.f16 %p0, %h1, %h2;", 0x3c00, 0x4000, 0, 1},
      {"setp.gt.bf16 %p0, %h1, %h2;", 0x3f80, 0x4000, 0, 0},
      {"set.lt.u32.s32 %r0, %r1, %r2;", 1, 2, 0, 0xffffffff},
      {"set.lt.f32.f32 %r0, %r1, %r2;", f(1), f(2), 0, f(1)},
      {"selp.b32 %r0, %r1, %r2, %p3;", 7, 9, 1, 7},
      {"selp.f32 %r0, %r1, 0f3F800000, %p3;", 7, 9, 0, f(1)},
      {"selp.b64 %d0, %d1, %d2, !%p3;", 7, 9, 1, 9},
      {"slct.s32.s32 %r0, %r1, %r2, %r3;", 7, 9, uint32_t(-1), 9},
      {"slct.f32.f32 %r0, %r1, %r2, %r3;", 7, 9, f(0), 7},
  });
}
