//===- ptxas_test.cpp - What is read out of ptxas's output ----------------===//

#include "fa3/Target/Ptxas.h"

#include <gtest/gtest.h>

using namespace fa3;

TEST(PtxasTest, ReadsEveryKernel) {
  AssemblerReport report = parseAssemblerOutput(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'first' for 'sm_90a'\n"
      "ptxas info    : Function properties for first\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 16 barriers\n"
      "ptxas info    : Compiling entry function 'second' for 'sm_90a'\n"
      "ptxas info    : Function properties for second\n"
      "    24 bytes stack frame, 32 bytes spill stores, 40 bytes spill loads\n"
      "ptxas info    : Used 255 registers, used 1 barriers\n");
  ASSERT_EQ(report.kernels.size(), 2u);
  EXPECT_EQ(report.kernels[0].name, "first");
  EXPECT_EQ(report.kernels[0].registers, 168u);
  EXPECT_EQ(report.kernels[0].stackBytes, 0u);
  EXPECT_EQ(report.kernels[1].name, "second");
  EXPECT_EQ(report.kernels[1].registers, 255u);
  EXPECT_EQ(report.kernels[1].stackBytes, 24u);
  EXPECT_EQ(report.kernels[1].spillStoreBytes, 32u);
  EXPECT_EQ(report.kernels[1].spillLoadBytes, 40u);
  EXPECT_TRUE(report.performanceWarnings.empty());
}

TEST(PtxasTest, FindsPerformanceWarnings) {
  AssemblerReport report = parseAssemblerOutput(
      "ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' "
      "ignored to maintain minimum register requirements.\n"
      "ptxas warning : something else\n");
  ASSERT_EQ(report.performanceWarnings.size(), 1u);
  EXPECT_NE(report.performanceWarnings[0].find("C7508"), std::string::npos);
}

TEST(PtxasTest, OutputOfAnotherProgram) {
  AssemblerReport report = parseAssemblerOutput("Used 12 registers\nhello\n");
  EXPECT_TRUE(report.kernels.empty());
  EXPECT_TRUE(report.performanceWarnings.empty());
}
