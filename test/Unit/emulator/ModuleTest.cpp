//===- ModuleTest.cpp - What a module tells, and launch checks ------------===//

#include "EmulatorTest.h"

using namespace fa3::emulator;
using namespace fa3::emulator::test;

TEST(Module, KernelInfo) {
  std::vector<Diagnostic> diagnostics;
  auto module = Module::parse(
      kernel(R"(.param .align 64 .b8 a[128], .param .u32 b,
      .param .u64 .ptr .global .align 16 c, .param .f32 d)",
             ".shared .align 16 .b8 tile[100]; mov.b32 %r1, tile;",
             ".maxntid 384, 1, 1\n.minnctapersm 1\n.maxnreg 128"),
      diagnostics);
  ASSERT_TRUE(module) << diagnostics[0].str();
  EXPECT_EQ(module->ptxVersion(), "8.3");
  EXPECT_EQ(module->target(), "sm_90a");
  ASSERT_EQ(module->kernels().size(), 1u);
  const KernelInfo &k = module->kernels()[0];
  EXPECT_EQ(k.name, "test");
  EXPECT_EQ(module->findKernel("test"), 0);
  EXPECT_EQ(module->findKernel("other"), -1);
  ASSERT_EQ(k.params.size(), 4u);
  EXPECT_EQ(k.params[1].offset, 128u);
  EXPECT_EQ(k.params[2].offset, 136u);
  EXPECT_EQ(k.params[3].offset, 144u);
  EXPECT_EQ(k.paramBytes, 148u);
  EXPECT_EQ(k.maxThreads[0], 384u);
  EXPECT_EQ(k.maxRegisters, 128u);
  EXPECT_EQ(k.staticSharedBytes, 100u);
}

TEST(Module, LaunchIsChecked) {
  const std::string ptx = kernel(".param .u32 a", "", ".maxntid 64, 1, 1");
  auto launchWith = [&](auto change) {
    Launcher launcher;
    Params params;
    params.value(uint32_t(1));
    change(launcher, params);
    return launcher.run(ptx, params);
  };
  EXPECT_CLEAN(launchWith([](Launcher &, Params &) {}));
  EXPECT_DIAGNOSED(launchWith([](Launcher &l, Params &) { l.block.x = 96; }),
                   InvalidLaunch);
  EXPECT_DIAGNOSED(launchWith([](Launcher &l, Params &) { l.grid.x = 0; }),
                   InvalidLaunch);
  EXPECT_DIAGNOSED(launchWith([](Launcher &l, Params &) { l.cluster.x = 2; }),
                   InvalidLaunch);
  EXPECT_DIAGNOSED(
      launchWith([](Launcher &l, Params &) { l.dynamicShared = 300000; }),
      InvalidLaunch);
  EXPECT_DIAGNOSED(launchWith([](Launcher &, Params &p) { p = Params(); }),
                   InvalidLaunch);
}

TEST(Module, GridRunsWhole) {
  Buffer out(30 * 4);
  Launcher launcher;
  launcher.grid = {5, 3, 2};
  launcher.block = {1, 1, 1};
  launcher.options.threads = 3;
  launcher.allow(out);
  LaunchResult r = launcher.run(kernel(".param .b64 out", R"(
    ld.param.b64 %d31, [out];
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ctaid.y;
    mov.u32 %r3, %ctaid.z;
    mad.lo.u32 %r4, %r3, 3, %r2;
    mad.lo.u32 %r4, %r4, 5, %r1;
    mul.wide.u32 %d1, %r4, 4;
    add.s64 %d1, %d31, %d1;
    add.u32 %r4, %r4, 1;
    st.global.b32 [%d1], %r4;)"),
                                Params().add(out));
  EXPECT_CLEAN(r);
  for (uint32_t i = 0; i != 30; ++i)
    EXPECT_EQ(out.as<uint32_t>()[i], i + 1);
  EXPECT_GT(r.stats.warpInstructions, 30u * 10);
  EXPECT_TRUE(r.executedLines.empty()) << "nobody asked";
}
