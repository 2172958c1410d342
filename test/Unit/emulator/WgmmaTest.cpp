//===- WgmmaTest.cpp - wgmma layouts and rules ----------------------------===//

#include "EmulatorTest.h"

#include <cmath>
#include <random>

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {

/// One product D = A B of small integers, whose layout in shared memory the
/// test computes by itself.
struct Product {
  const char *type; ///< Of A and B.
  uint32_t bytes;   ///< Of an element.
  uint32_t n;
  uint32_t swizzle; ///< 0, 32, 64, 128
  bool transA = false, transB = false;
  bool registerA = false;
  const char *accumulator = "f32";

  uint32_t k() const { return 32 / bytes; }
};

uint32_t encode(const Product &p, int v) {
  std::string type = p.type;
  if (type == "s8")
    return uint32_t(v) & 0xff;
  uint32_t f = bits(float(v));
  if (type == "bf16")
    return f >> 16;
  if (type == "tf32")
    return f;
  if (v == 0)
    return 0;
  uint32_t sign = f >> 31, exponent = (f >> 23 & 0xff) - 127,
           mantissa = f & 0x7fffff;
  if (type == "f16")
    return sign << 15 | (exponent + 15) << 10 | mantissa >> 13;
  if (type == "e4m3")
    return sign << 7 | (exponent + 7) << 3 | mantissa >> 20;
  return sign << 7 | (exponent + 15) << 2 | mantissa >> 21; // e5m2
}

struct Layout {
  uint32_t leading, stride, size;
};

/// Where element (mn, k) lies, in bytes.
uint32_t place(const Product &p, const Layout &l, bool mnMajor, uint32_t mn,
               uint32_t k) {
  uint32_t perChunk = 16 / p.bytes;
  if (!p.swizzle) {
    if (mnMajor)
      return k / 8 * l.leading + mn / 8 * l.stride + k % 8 * 16 +
             mn % 8 * p.bytes;
    return mn / 8 * l.stride + k / perChunk * l.leading + mn % 8 * 16 +
           k % perChunk * p.bytes;
  }
  uint32_t outer = mnMajor ? k : mn, inner = (mnMajor ? mn : k) * p.bytes;
  uint32_t span = inner / p.swizzle, within = inner % p.swizzle;
  uint32_t row = outer % 8;
  uint32_t chunk = within / 16 ^ (p.swizzle == 128  ? row
                                  : p.swizzle == 64 ? row / 2
                                                    : row / 4);
  return outer / 8 * l.stride + row * p.swizzle + span * l.leading +
         chunk * 16 + within % 16;
}

Layout layoutOf(const Product &p, bool mnMajor, uint32_t mn) {
  if (!p.swizzle) {
    // Arbitrary paddings, so that the roles of the strides show.
    if (mnMajor)
      return {mn / 8 * 128 + 128, 128, 4 * (mn / 8 * 128 + 128)};
    return {mn / 8 * 128 + 256, 128, 2 * (mn / 8 * 128 + 256)};
  }
  uint32_t atom = 8 * p.swizzle;
  if (mnMajor) {
    uint32_t spans = (mn * p.bytes + p.swizzle - 1) / p.swizzle;
    return {2 * atom, atom, spans * 2 * atom};
  }
  return {16, atom, mn / 8 * atom};
}

uint64_t descriptor(const Product &p, const Layout &l) {
  uint64_t mode = p.swizzle == 128  ? 1
                  : p.swizzle == 64 ? 2
                  : p.swizzle == 32 ? 3
                                    : 0;
  return mode << 62 | uint64_t(l.stride >> 4) << 32 |
         uint64_t(l.leading >> 4) << 16;
}

void check(const Product &p, uint64_t seed) {
  SCOPED_TRACE(std::string(p.type) + " n " + std::to_string(p.n) + " swizzle " +
               std::to_string(p.swizzle) + (p.transA ? " transA" : "") +
               (p.transB ? " transB" : "") + (p.registerA ? " registers" : "") +
               " -> " + p.accumulator);
  uint32_t k = p.k();
  std::mt19937 random(uint32_t(seed) + p.n + p.swizzle);
  std::vector<int> a(64 * k), b(p.n * k);
  for (int &v : a)
    v = int(random() % 9) - 4;
  for (int &v : b)
    v = int(random() % 9) - 4;
  Layout la = layoutOf(p, p.transA, 64), lb = layoutOf(p, p.transB, p.n);
  uint32_t startB = (la.size + 1023) / 1024 * 1024;
  uint32_t total = startB + (lb.size + 1023) / 1024 * 1024;
  Buffer image(total), fragment(128 * 16), out(128 * p.n / 2 * 4);
  for (uint32_t m = 0; m != 64; ++m)
    for (uint32_t x = 0; x != k; ++x) {
      uint32_t v = encode(p, a[m * k + x]);
      std::memcpy(image.data() + place(p, la, p.transA, m, x), &v, p.bytes);
      // Fragment of A: four registers a thread.
      uint32_t perReg = 4 / p.bytes;
      uint32_t lane = m % 8 * 4 + x / perReg % 4;
      uint32_t reg = m / 8 % 2 + 2 * (x / (4 * perReg));
      std::memcpy(fragment.data() + ((m / 16 * 32 + lane) * 4 + reg) * 4 +
                      x % perReg * p.bytes,
                  &v, p.bytes);
    }
  for (uint32_t n = 0; n != p.n; ++n)
    for (uint32_t x = 0; x != k; ++x) {
      uint32_t v = encode(p, b[n * k + x]);
      std::memcpy(image.data() + startB + place(p, lb, p.transB, n, x), &v,
                  p.bytes);
    }

  bool half = std::string(p.accumulator) == "f16",
       integer = std::string(p.accumulator) == "s32";
  uint32_t registers = half ? p.n / 4 : p.n / 2;
  std::string list, store;
  for (uint32_t r = 0; r != registers; ++r) {
    list += (r ? ", %f" : "%f") + std::to_string(r);
    store += "st.global.b32 [%d10+" + std::to_string(4 * r) + "], %f" +
             std::to_string(r) + ";\n";
  }
  std::string immediates = integer ? "" : ", 1, 1";
  if (p.bytes == 2)
    immediates += (p.registerA ? ""
                   : p.transA  ? ", 1"
                               : ", 0") +
                  std::string(p.transB ? ", 1" : ", 0");
  auto mma = [&](const char *scale) {
    return "wgmma.mma_async.sync.aligned.m64n" + std::to_string(p.n) + "k" +
           std::to_string(k) + "." + p.accumulator + "." + p.type + "." +
           p.type + " {" + list + "}, " +
           (p.registerA ? "{%r10, %r11, %r12, %r13}" : "%d4") + ", %d5, " +
           scale + immediates + ";\n";
  };
  // Twice: first without, then with the accumulator, so that D = 2 A B.
  std::string body = R"(
    ld.param.b64 %d29, [image];
    ld.param.b64 %d30, [fragment];
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mov.b32 %r2, smem;
    shl.b32 %r3, %r1, 4;
  COPY:
    setp.ge.u32 %p1, %r3, )" +
                     std::to_string(total) + R"(;
    @%p1 bra COPIED;
    cvt.u64.u32 %d1, %r3;
    add.s64 %d1, %d29, %d1;
    ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%d1];
    add.u32 %r8, %r2, %r3;
    st.shared.v4.b32 [%r8], {%r4, %r5, %r6, %r7};
    add.u32 %r3, %r3, 2048;
    bra.uni COPY;
  COPIED:
    mul.wide.u32 %d1, %r1, 16;
    add.s64 %d1, %d30, %d1;
    ld.global.v4.b32 {%r10, %r11, %r12, %r13}, [%d1];
    fence.proxy.async;
    bar.sync 0;
    shr.u32 %r3, %r2, 4;
    cvt.u64.u32 %d2, %r3;
    add.s64 %d4, %d2, )" +
                     std::to_string(descriptor(p, la)) + R"(;
    add.s64 %d5, %d2, )" +
                     std::to_string(descriptor(p, lb) + (startB >> 4)) + R"(;
    setp.ne.u32 %p2, %r2, %r2;
    wgmma.fence.sync.aligned;
  )" + mma("%p2") + mma("1") +
                     R"(
    wgmma.commit_group.sync.aligned;
    wgmma.wait_group.sync.aligned 0;
    mul.wide.u32 %d10, %r1, )" +
                     std::to_string(registers * 4) + R"(;
    add.s64 %d10, %d31, %d10;
  )" + store;
  Launcher launcher;
  launcher.block = {128, 1, 1};
  launcher.dynamicShared = total;
  launcher.options.seed = seed;
  launcher.allow(image).allow(fragment).allow(out);
  Params params;
  params.add(image).add(fragment).add(out);
  LaunchResult r = launcher.run(
      kernel(".param .b64 image, .param .b64 fragment, .param .b64 out", body,
             "", ".extern .shared .align 1024 .b8 smem[];"),
      params);
  ASSERT_EQ(text(r), "");
  for (uint32_t m = 0; m != 64; ++m)
    for (uint32_t n = 0; n != p.n; ++n) {
      int expected = 0;
      for (uint32_t x = 0; x != k; ++x)
        expected += 2 * a[m * k + x] * b[n * k + x];
      uint32_t thread = m / 16 * 32 + m % 8 * 4 + n % 8 / 2;
      uint32_t value = n / 8 * 4 + m / 8 % 2 * 2 + n % 2;
      float got;
      if (half) {
        uint16_t h = out.as<uint16_t>()[thread * registers * 2 + value];
        got = std::ldexp(float((h & 0x3ff) | (h & 0x7c00 ? 0x400 : 0)),
                         int(h >> 10 & 31) - 25 + (h & 0x7c00 ? 0 : 1));
        got = h & 0x8000 ? -got : got;
      } else if (integer) {
        got = float(out.as<int32_t>()[thread * registers + value]);
      } else {
        got = out.as<float>()[thread * registers + value];
      }
      ASSERT_EQ(got, float(expected)) << "row " << m << " column " << n;
    }
}

/// A kernel of one warpgroup with zeroed operands: \p body between the fence
/// and the end. Accumulators are %f0-3 (n = 8), descriptors %d4 and %d5.
LaunchResult runRule(const std::string &body, uint64_t seed = 0) {
  Buffer out(4);
  Launcher launcher;
  launcher.block = {128, 1, 1};
  launcher.dynamicShared = 4096;
  launcher.options.seed = seed;
  launcher.allow(out);
  return launcher.run(kernel(".param .b64 out", R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mov.b32 %r2, smem;
    shl.b32 %r3, %r1, 5;
    add.u32 %r3, %r2, %r3;
    mov.b32 %r4, 0;
    st.shared.v4.b32 [%r3], {%r4, %r4, %r4, %r4};
    st.shared.v4.b32 [%r3+16], {%r4, %r4, %r4, %r4};
    mov.b32 %r10, 0; mov.b32 %r11, 0; mov.b32 %r12, 0; mov.b32 %r13, 0;
    mov.b32 %f0, 0; mov.b32 %f1, 0; mov.b32 %f2, 0; mov.b32 %f3, 0;
    fence.proxy.async;
    bar.sync 0;
    shr.u32 %r5, %r2, 4;
    cvt.u64.u32 %d4, %r5;
    or.b64 %d4, %d4, 0x0000000800080000;
    mov.b64 %d5, %d4;
  )" + body,
                             "", ".extern .shared .align 1024 .b8 smem[];"),
                      Params().add(out));
}
const std::string kMma = "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                         "{%f0,%f1,%f2,%f3}, %d4, %d5, 1, 1, 1, 0, 0;\n";
const std::string kMmaRegisters =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
    "{%f0,%f1,%f2,%f3}, {%r10,%r11,%r12,%r13}, %d5, 1, 1, 1, 0;\n";
const std::string kFence = "wgmma.fence.sync.aligned;\n",
                  kCommit = "wgmma.commit_group.sync.aligned;\n",
                  kWait = "wgmma.wait_group.sync.aligned 0;\n";
const std::string kUse = "add.f32 %f9, %f0, %f1;\n";

} // namespace

TEST(Wgmma, KMajor) {
  for (uint32_t swizzle : {0u, 32u, 64u, 128u})
    for (uint32_t n : {8u, 64u, 176u, 256u})
      check({"bf16", 2, n, swizzle}, swizzle);
}

TEST(Wgmma, MNMajor) {
  for (uint32_t swizzle : {0u, 32u, 64u, 128u}) {
    check({"bf16", 2, 128, swizzle, false, true}, 1);
    check({"f16", 2, 64, swizzle, true, false}, 2);
    check({"f16", 2, 192, swizzle, true, true}, 3);
  }
}

TEST(Wgmma, Types) {
  for (const char *type : {"e4m3", "e5m2"})
    for (uint32_t swizzle : {0u, 128u})
      check({type, 1, 96, swizzle}, 4);
  check({"tf32", 4, 32, 128}, 5);
  check({"s8", 1, 64, 128, false, false, false, "s32"}, 6);
  check({"f16", 2, 64, 128, false, false, false, "f16"}, 7);
  check({"e4m3", 1, 64, 128, false, false, false, "f16"}, 7);
}

TEST(Wgmma, RegisterA) {
  check({"bf16", 2, 128, 128, false, true, true}, 8);
  check({"f16", 2, 40, 64, false, false, true}, 9);
  check({"e4m3", 1, 224, 128, false, false, true}, 10);
  check({"tf32", 4, 16, 32, false, false, true}, 11);
}

TEST(Wgmma, SeedsAgree) {
  for (uint64_t seed = 0; seed != 12; ++seed)
    check({"bf16", 2, 32, 128, false, false, seed % 2 == 0}, seed);
}

TEST(Wgmma, CorrectUse) {
  for (uint64_t seed = 0; seed != 6; ++seed)
    EXPECT_CLEAN(runRule(kFence + kMma + kMma + kCommit + kWait + kUse +
                             kFence + kMmaRegisters + kCommit + kWait + kUse +
                             "mov.b32 %r10, 1;",
                         seed));
}

TEST(Wgmma, AccumulatorReadBeforeWait) {
  for (uint64_t seed = 0; seed != 4; ++seed) {
    EXPECT_DIAGNOSED(runRule(kFence + kMma + kCommit + kUse + kWait, seed),
                     InFlightRegister);
    // Not committed, so not waited for.
    EXPECT_DIAGNOSED(runRule(kFence + kMma + kWait + kUse, seed),
                     InFlightRegister);
    EXPECT_DIAGNOSED(runRule(kFence + kMma + kCommit +
                                 "wgmma.wait_group.sync.aligned 1;" + kUse +
                                 kWait,
                             seed),
                     InFlightRegister);
  }
}

TEST(Wgmma, RegisterAWrittenInFlight) {
  EXPECT_DIAGNOSED(
      runRule(kFence + kMmaRegisters + kCommit + "mov.b32 %r10, 1;" + kWait),
      InFlightRegister);
}

TEST(Wgmma, MissingFence) {
  EXPECT_DIAGNOSED(runRule(kMma + kCommit + kWait), MissingFence);
  // The accumulator is touched after the fence.
  EXPECT_DIAGNOSED(runRule(kFence + "mov.b32 %f0, 0;" + kMma + kCommit + kWait),
                   MissingFence);
  EXPECT_DIAGNOSED(
      runRule(kFence + kMma + kCommit + kWait + kUse + kMma + kCommit + kWait),
      MissingFence);
  EXPECT_DIAGNOSED(
      runRule(kFence + "mov.b32 %r10, 1;" + kMmaRegisters + kCommit + kWait),
      MissingFence);
}

TEST(Wgmma, ExitInFlight) {
  EXPECT_DIAGNOSED(runRule(kFence + kMma + kCommit), UnfinishedAsync);
}

TEST(Wgmma, OperandOverwrittenInFlight) {
  const std::string store = "st.shared.b32 [%r3], %r4;\n";
  EXPECT_DIAGNOSED(runRule(kFence + kMma + kCommit + store + kWait),
                   SharedRace);
  EXPECT_CLEAN(
      runRule(kFence + kMma + kCommit + kWait + "bar.sync 0;" + store));
}

TEST(Wgmma, MissingProxyFence) {
  const std::string store = "st.shared.b32 [%r3], %r4; bar.sync 0;\n";
  EXPECT_DIAGNOSED(runRule(store + kFence + kMma + kCommit + kWait),
                   MissingFence);
  EXPECT_CLEAN(runRule(
      "st.shared.b32 [%r3], %r4; fence.proxy.async.shared::cta; bar.sync 0;" +
      kFence + kMma + kCommit + kWait));
}

TEST(Wgmma, MissingBarrierAmongWriters) {
  EXPECT_DIAGNOSED(
      runRule("st.shared.b32 [%r3], %r4; fence.proxy.async.shared::cta;" +
              kFence + kMma + kCommit + kWait),
      SharedRace);
}

TEST(Wgmma, DescriptorOutOfBounds) {
  EXPECT_DIAGNOSED(runRule("mov.b64 %d4, 0x0000000800083fff;" + kFence + kMma +
                           kCommit + kWait),
                   OutOfBounds);
}

TEST(Wgmma, WarpsDisagree) {
  EXPECT_DIAGNOSED(
      runRule(
          "shr.u32 %r6, %r1, 5; cvt.u64.u32 %d6, %r6; add.s64 %d4, %d4, %d6;" +
          kFence + kMma + kCommit + kWait),
      InvalidInstruction);
}
