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
