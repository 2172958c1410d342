//===- IntegerTest.cpp - Integer and bit instructions ---------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator::test;

TEST(Integer, AddSub) {
  checkRows({
      {"add.u32 %r0, %r1, %r2;", 0xffffffff, 2, 0, 1},
      {"add.s32 %r0, %r1, -1;", 5, 0, 0, 4},
      {"add.sat.s32 %r0, %r1, %r2;", 0x7fffffff, 1, 0, 0x7fffffff},
      {"sub.sat.s32 %r0, %r1, %r2;", 0x80000000, 1, 0, 0x80000000},
      {"add.u16 %h0, %h1, %h2;", 0xffff, 3, 0, 2},
      {"add.s64 %d0, %d1, %d2;", ~0ull, 5, 0, 4},
      {"sub.u32 %r0, %r1, %r2;", 3, 5, 0, 0xfffffffe},
      {"sub.s64 %d0, %d1, %d2;", 3, 5, 0, ~1ull},
  });
}

TEST(Integer, Multiply) {
  checkRows({
      {"mul.lo.u32 %r0, %r1, %r2;", 0x10001, 0x10001, 0, 0x20001},
      {"mul.hi.u32 %r0, %r1, %r2;", 0x80000000, 6, 0, 3},
      {"mul.hi.s32 %r0, %r1, %r2;", 0xffffffff, 2, 0, 0xffffffff},
      {"mul.hi.u64 %d0, %d1, %d2;", 1ull << 63, 6, 0, 3},
      {"mul.hi.s64 %d0, %d1, %d2;", ~0ull, 2, 0, ~0ull},
      {"mul.wide.u32 %d0, %r1, %r2;", 0xffffffff, 0xffffffff, 0,
       0xfffffffe00000001},
      {"mul.wide.s32 %d0, %r1, %r2;", 0xffffffff, 7, 0, uint64_t(-7)},
      {"mul.wide.u16 %r0, %h1, %h2;", 0xffff, 0xffff, 0, 0xfffe0001},
      {"mul.lo.u16 %h0, %h1, %h2;", 0xffff, 0xffff, 0, 1},
      {"mad.lo.s32 %r0, %r1, %r2, %r3;", 7, 0xffffffff, 10, 3},
      {"mad.wide.u32 %d0, %r1, %r2, %d3;", 0xffffffff, 2, 2, 0x200000000},
      {"mad.wide.s16 %r0, %h1, %h2, %r3;", 0xffff, 2, 5, 3},
      {"mad.hi.u32 %r0, %r1, %r2, %r3;", 0x80000000, 4, 1, 3},
      {"mad.lo.s64 %d0, %d1, %d2, %d3;", 3, 5, 7, 22},
      {"dp4a.u32.u32 %r0, %r1, %r2, %r3;", 0x01020304, 0x01010101, 5, 15},
      {"dp4a.s32.s32 %r0, %r1, %r2, %r3;", 0xff, 0x02, 0, uint32_t(-2)},
      {"sad.s32 %r0, %r1, %r2, %r3;", uint32_t(-3), 4, 10, 17},
  });
}

TEST(Integer, Divide) {
  checkRows({
      {"div.u32 %r0, %r1, %r2;", 100, 7, 0, 14},
      {"div.s32 %r0, %r1, %r2;", uint32_t(-100), 7, 0, uint32_t(-14)},
      {"div.u32 %r0, %r1, %r2;", 100, 0, 0, 0xffffffff},
      {"div.s32 %r0, %r1, %r2;", 0x80000000, 0xffffffff, 0, 0x80000000},
      {"rem.u32 %r0, %r1, %r2;", 100, 7, 0, 2},
      {"rem.s32 %r0, %r1, %r2;", uint32_t(-100), 7, 0, uint32_t(-2)},
      {"div.u64 %d0, %d1, %d2;", 1ull << 40, 1ull << 20, 0, 1ull << 20},
      {"rem.s64 %d0, %d1, %d2;", uint64_t(-7), 3, 0, uint64_t(-1)},
  });
}

TEST(Integer, MinMaxNegAbs) {
  checkRows({
      {"min.u32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 1},
      {"min.s32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 0xffffffff},
      {"max.u32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 0xffffffff},
      {"max.s64 %d0, %d1, %d2;", ~0ull, 1, 0, 1},
      {"max.s16 %h0, %h1, %h2;", 0xffff, 1, 0, 1},
      {"neg.s32 %r0, %r1;", 5, 0, 0, uint32_t(-5)},
      {"abs.s32 %r0, %r1;", uint32_t(-5), 0, 0, 5},
      {"abs.s64 %d0, %d1;", uint64_t(-5), 0, 0, 5},
  });
}

TEST(Integer, Logic) {
  checkRows({
      {"and.b32 %r0, %r1, %r2;", 0xff00ff00, 0x0ff00ff0, 0, 0x0f000f00},
      {"or.b64 %d0, %d1, %d2;", 1ull << 63, 1, 0, (1ull << 63) | 1},
      {"xor.b32 %r0, %r1, %r2;", 0xffff0000, 0xff00ff00, 0, 0x00ffff00},
      {"not.b32 %r0, %r1;", 0x0000ffff, 0, 0, 0xffff0000},
      {"not.b16 %h0, %h1;", 0x00ff, 0, 0, 0xff00},
      {"cnot.b32 %r0, %r1;", 0, 0, 0, 1},
      {"and.pred %p0, %p1, %p2;", 1, 0, 0, 0},
      {"or.pred %p0, %p1, %p2;", 1, 0, 0, 1},
      {"xor.pred %p0, %p1, %p2;", 1, 1, 0, 0},
      {"not.pred %p0, %p1;", 0, 0, 0, 1},
      {"and.pred %p0, %p1, !%p2;", 1, 0, 0, 1},
      {"lop3.b32 %r0, %r1, %r2, %r3, 0xe8;", 0xff00ff00, 0xf0f0f0f0, 0xcccccccc,
       0xfcc0fcc0},
      {"lop3.b32 %r0, %r1, %r2, %r3, 0x96;", 0xf, 0x3, 0x5, 0x9},
  });
}

TEST(Integer, Shifts) {
  checkRows({
      {"shl.b32 %r0, %r1, %r2;", 1, 31, 0, 0x80000000},
      {"shl.b32 %r0, %r1, %r2;", 1, 32, 0, 0},
      {"shr.u32 %r0, %r1, %r2;", 0x80000000, 31, 0, 1},
      {"shr.s32 %r0, %r1, %r2;", 0x80000000, 40, 0, 0xffffffff},
      {"shr.s64 %d0, %d1, %r2;", 1ull << 63, 63, 0, ~0ull},
      {"shr.u16 %h0, %h1, %r2;", 0x8000, 15, 0, 1},
      {"shf.l.wrap.b32 %r0, %r1, %r2, %r3;", 0x89abcdef, 0x01234567, 8,
       0x23456789},
      {"shf.r.wrap.b32 %r0, %r1, %r2, %r3;", 0x89abcdef, 0x01234567, 8,
       0x6789abcd},
      {"shf.l.wrap.b32 %r0, %r1, %r2, %r3;", 0x89abcdef, 0x01234567, 32,
       0x01234567},
      {"shf.l.clamp.b32 %r0, %r1, %r2, %r3;", 0x89abcdef, 0x01234567, 40,
       0x89abcdef},
      {"shf.r.clamp.b32 %r0, %r1, %r2, %r3;", 0x89abcdef, 0x01234567, 40,
       0x01234567},
  });
}

TEST(Integer, BitFields) {
  checkRows({
      {"popc.b32 %r0, %r1;", 0xf0f0, 0, 0, 8},
      {"popc.b64 %r0, %d1;", ~0ull, 0, 0, 64},
      {"clz.b32 %r0, %r1;", 1, 0, 0, 31},
      {"clz.b64 %r0, %d1;", 0, 0, 0, 64},
      {"brev.b32 %r0, %r1;", 1, 0, 0, 0x80000000},
      {"bfind.u32 %r0, %r1;", 0x00010000, 0, 0, 16},
      {"bfind.u32 %r0, %r1;", 0, 0, 0, 0xffffffff},
      {"bfind.s32 %r0, %r1;", 0xfffffffe, 0, 0, 0},
      {"bfind.shiftamt.u32 %r0, %r1;", 0x00010000, 0, 0, 15},
      {"bfe.u32 %r0, %r1, %r2, %r3;", 0x12345678, 8, 8, 0x56},
      {"bfe.s32 %r0, %r1, %r2, %r3;", 0x0000f000, 12, 4, 0xffffffff},
      {"bfe.s32 %r0, %r1, %r2, %r3;", 0x80000000, 28, 16, 0xfffffff8},
      {"bfe.u32 %r0, %r1, %r2, %r3;", 0x12345678, 8, 0, 0},
      {"bfe.u64 %d0, %d1, %r2, %r3;", 0x123456789abcdef0, 32, 16, 0x5678},
      {"bfi.b32 %r0, %r1, %r2, 4, 8;", 0xff, 0, 0, 0xff0},
      {"bfi.b32 %r0, %r1, %r2, 28, 8;", 0xff, 0x1, 0, 0xf0000001},
      {"bfi.b64 %d0, %d1, %d2, 32, 8;", 0xab, 0, 0, 0xab00000000},
      {"bmsk.clamp.b32 %r0, %r1, %r2;", 4, 8, 0, 0xff0},
  });
}

TEST(Integer, Permute) {
  checkRows({
      {"prmt.b32 %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 0x7531,
       0x77553311},
      {"prmt.b32 %r0, %r1, %r2, %r3;", 0x33221180, 0x77665544, 0x8888,
       0xffffffff},
      {"prmt.b32 %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 0x5410,
       0x55441100},
      {"prmt.b32.f4e %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 1,
       0x44332211},
      {"prmt.b32.b4e %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 1,
       0x66770011},
      {"prmt.b32.rc8 %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 2,
       0x22222222},
      {"prmt.b32.ecl %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 1,
       0x33221111},
      {"prmt.b32.ecr %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 1,
       0x11111100},
      {"prmt.b32.rc16 %r0, %r1, %r2, %r3;", 0x33221100, 0x77665544, 1,
       0x33223322},
  });
}

TEST(Integer, CarryChains) {
  checkRows({
      // 128-bit sums and differences, the upper half.
      {"add.cc.u64 %d4, %d1, %d2; addc.u64 %d0, 5, 0;", ~0ull, 1, 0, 6},
      {"add.cc.u32 %r4, %r1, %r2; addc.cc.u32 %r5, %r1, 0; addc.u32 %r0, 0, 0;",
       ~0u, 1, 0, 1},
      {"sub.cc.u64 %d4, %d1, %d2; subc.u64 %d0, 5, 0;", 0, 1, 0, 4},
      {"sub.cc.s32 %r4, %r1, %r2; subc.s32 %r0, 5, 1;", 7, 7, 0, 4},
  });
}
