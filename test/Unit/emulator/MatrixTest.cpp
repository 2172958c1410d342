//===- MatrixTest.cpp - ldmatrix, stmatrix --------------------------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

namespace {
/// Each lane writes a row of four 8x8 matrices (lane l: row l % 8 of matrix
/// l / 8; element = 64 * matrix + 8 * row + column), then \p body loads into
/// %r10-13, which are stored.
std::vector<uint16_t> load(const std::string &body) {
  Buffer out(32 * 16);
  Launcher launcher;
  launcher.dynamicShared = 512;
  launcher.allow(out);
  std::string fill;
  for (int e = 0; e != 8; ++e)
    fill += "add.u32 %r4, %r3, " + std::to_string(e) + "; st.shared.b16 [%r2+" +
            std::to_string(2 * e) + "], %r4;\n";
  LaunchResult r =
      launcher.run(kernel(".param .b64 out",
                          R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %laneid;
    mov.b32 %r2, smem;
    shl.b32 %r3, %r1, 4;
    add.u32 %r2, %r2, %r3;
    shl.b32 %r3, %r1, 3;
  )" + fill +
                              "bar.warp.sync -1; mov.b32 %r10, 0; mov.b32 "
                              "%r11, 0; mov.b32 %r12, 0; mov.b32 %r13, 0;" +
                              body + R"(
    mul.wide.u32 %d1, %r1, 16;
    add.s64 %d1, %d31, %d1;
    st.global.v4.b32 [%d1], {%r10, %r11, %r12, %r13};)",
                          "", ".extern .shared .align 16 .b8 smem[];"),
                   Params().add(out));
  EXPECT_CLEAN(r);
  return std::vector<uint16_t>(out.as<uint16_t>(), out.as<uint16_t>() + 256);
}
} // namespace

TEST(Matrix, Load) {
  auto v = load("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, "
                "%r13}, [%r2];");
  for (uint32_t l = 0; l != 32; ++l)
    for (uint32_t x = 0; x != 4; ++x)
      for (uint32_t h = 0; h != 2; ++h)
        EXPECT_EQ(v[l * 8 + x * 2 + h], 64 * x + 8 * (l / 4) + 2 * (l % 4) + h);
}

TEST(Matrix, LoadTransposed) {
  auto v = load(
      "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r10, %r11}, [%r2];");
  for (uint32_t l = 0; l != 32; ++l)
    for (uint32_t x = 0; x != 2; ++x)
      for (uint32_t h = 0; h != 2; ++h)
        EXPECT_EQ(v[l * 8 + x * 2 + h], 64 * x + 8 * (2 * (l % 4) + h) + l / 4);
}

TEST(Matrix, MoveTransposed) {
  // Halves 2 l and 2 l + 1 of a matrix are in lane l.
  auto v = load("shl.b32 %r4, %r1, 1; mad.lo.u32 %r4, %r4, 0x10001, 0x10000;"
                "movmatrix.sync.aligned.m8n8.trans.b16 %r10, %r4;");
  for (uint32_t l = 0; l != 32; ++l)
    for (uint32_t h = 0; h != 2; ++h)
      EXPECT_EQ(v[l * 8 + h], 8 * (2 * (l % 4) + h) + l / 4);
}

TEST(Matrix, StoreIsTheInverse) {
  for (const char *trans : {"", ".trans"}) {
    std::string t = trans;
    auto v =
        load("ldmatrix.sync.aligned.m8n8.x4" + t +
             ".shared.b16 {%r20, %r21, %r22, %r23}, [%r2]; bar.warp.sync -1;"
             "stmatrix.sync.aligned.m8n8.x4" +
             t +
             ".shared.b16 [%r2], {%r20, %r21, %r22, %r23}; bar.warp.sync -1;"
             "ld.shared.v4.b32 {%r10, %r11, %r12, %r13}, [%r2];");
    for (uint32_t i = 0; i != 256; ++i)
      EXPECT_EQ(v[i], i);
  }
}

namespace {
/// mma.sync of small integers: the operands are packed into fragments here.
void multiply(const std::string &types, uint32_t k, uint32_t bytes,
              uint32_t (*encode)(int)) {
  uint32_t perReg = 4 / bytes, aCount = k / (2 * perReg), bCount = aCount / 2;
  std::vector<int> a(16 * k), b(k * 8);
  for (uint32_t i = 0; i != a.size(); ++i)
    a[i] = int(i * 7 % 5) - 2;
  for (uint32_t i = 0; i != b.size(); ++i)
    b[i] = int(i * 11 % 7) - 3;
  Buffer in(32 * 32), out(32 * 16);
  for (uint32_t l = 0; l != 32; ++l)
    for (uint32_t r = 0; r != 8; ++r)
      for (uint32_t e = 0; e != perReg; ++e) {
        uint32_t v = 0;
        if (r < aCount)
          v = encode(a[(l / 4 + 8 * (r % 2)) * k + perReg * (l % 4) +
                       4 * perReg * (r / 2) + e]);
        else if (r >= 4 && r - 4 < bCount)
          v = encode(
              b[(perReg * (l % 4) + 4 * perReg * (r - 4) + e) * 8 + l / 4]);
        std::memcpy(in.data() + l * 32 + r * 4 + e * bytes, &v, bytes);
      }
  auto list = [](const char *const *names, uint32_t count) {
    std::string text = "{";
    for (uint32_t i = 0; i != count; ++i)
      text += (i ? ", " : "") + std::string(names[i]);
    return text + "}";
  };
  const char *const kA[] = {"%r4", "%r5", "%r6", "%r7"}, *const kB[] = {"%r8",
                                                                        "%r9"};
  bool integer = types[0] == 's';
  Launcher launcher;
  launcher.allow(in).allow(out);
  LaunchResult r = launcher.run(kernel(".param .b64 in, .param .b64 out",
                                       R"(
    ld.param.b64 %d30, [in];
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %d1, %r1, 32;
    add.s64 %d30, %d30, %d1;
    ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%d30];
    ld.global.v4.b32 {%r8, %r9, %r10, %r11}, [%d30+16];
    mov.b32 %r12, )" + std::string(integer ? "1" : "0f3F800000") +
                                           R"(;
    mma.sync.aligned.m16n8k)" + std::to_string(k) +
                                           ".row.col." + types + R"(
      {%r20, %r21, %r22, %r23}, )" + list(kA, aCount) +
                                           ", " + list(kB, bCount) + R"(,
      {%r12, %r12, %r12, %r12};
    mul.wide.u32 %d1, %r1, 16;
    add.s64 %d31, %d31, %d1;
    st.global.v4.b32 [%d31], {%r20, %r21, %r22, %r23};)"),
                                Params().add(in).add(out));
  ASSERT_EQ(text(r), "") << types;
  for (uint32_t m = 0; m != 16; ++m)
    for (uint32_t n = 0; n != 8; ++n) {
      int expected = 1;
      for (uint32_t x = 0; x != k; ++x)
        expected += a[m * k + x] * b[x * 8 + n];
      uint32_t at = (m % 8 * 4 + n / 2) * 4 + m / 8 * 2 + n % 2;
      float got = integer ? float(out.as<int32_t>()[at]) : out.as<float>()[at];
      EXPECT_EQ(got, float(expected)) << types << " " << m << " " << n;
    }
}
} // namespace

TEST(Matrix, MultiplySync) {
  auto brain = [](int v) { return bits(float(v)) >> 16; };
  auto single = [](int v) { return bits(float(v)); };
  auto byte = [](int v) { return uint32_t(v) & 0xff; };
  auto e5m2 = [](int v) {
    uint32_t f = bits(float(v));
    return v ? (f >> 31) << 7 | ((f >> 23 & 0xff) - 112) << 2 | (f >> 21 & 3)
             : 0u;
  };
  multiply("f32.bf16.bf16.f32", 16, 2, brain);
  multiply("f32.bf16.bf16.f32", 8, 2, brain);
  multiply("f32.tf32.tf32.f32", 8, 4, single);
  multiply("f32.tf32.tf32.f32", 4, 4, single);
  multiply("s32.s8.s8.s32", 32, 1, byte);
  multiply("f32.e5m2.e5m2.f32", 32, 1, e5m2);
}
