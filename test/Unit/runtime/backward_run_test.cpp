//===- backward_run_test.cpp - Gradients on the command line --------------===//
//
// The fake driver executes a backward pass of three kernels on the host.
//
//===----------------------------------------------------------------------===//

#include "fa3_run_fixture.h"

using namespace fa3;
using namespace fa3::test;
using nlohmann::json;

class BackwardRunTest : public Fa3RunFixture {
protected:
  std::string backward(const std::string &name, const HostBackward &options) {
    const json manifest = hostBackwardManifest(options);
    return write(name, writePackage(manifest, "", ptxOfKernels(manifest)));
  }

  const std::string package = backward("causal.fa3", {.causal = true});
  const std::string full = backward("full.fa3", {});
  const std::string problem =
      " --batch 2 --heads 4 --kv-heads 2 --seqlen-q 65 --seqlen-k 97" + driver;
};

TEST_F(BackwardRunTest, ChecksRightResults) {
  EXPECT_EQ(run(package + problem + " --check --pad"), 0) << log();
  EXPECT_EQ(report["errors"]["dq"]["checked"], 2 * 65 * 4 * 64);
  EXPECT_EQ(report["errors"]["dk"]["checked"], 2 * 97 * 2 * 64);
  EXPECT_EQ(report["errors"]["dv"]["checked"], 2 * 97 * 2 * 64);
  for (const char *tensor : {"dq", "dk", "dv"}) {
    EXPECT_GT(report["errors"][tensor]["reference_max_abs"], 0.5);
    EXPECT_GT(report["errors"][tensor]["model_max_abs"], 0);
  }
}

TEST_F(BackwardRunTest, LayoutsAndDistributions) {
  for (const char *options :
       {"--layout=bhsd", "--layout=packed", "--layout=sliced",
        "--layout=sliced --kv-heads 1", "--stride-zero do", "--stride-zero k",
        "--distribution=equal", "--distribution=outlier", "--distribution=huge",
        "--seed=7 --graph", "--repeat 3 --beside", "--graph --beside"})
    EXPECT_EQ(run(package + problem + " --check --pad " + options), 0)
        << options << "\n"
        << log();
}

TEST_F(BackwardRunTest, Shapes) {
  for (const char *shape :
       {"--seqlen-q 1 --seqlen-k 1", "--seqlen-q 1 --seqlen-k 128",
        "--seqlen-q 2 --seqlen-k 1", "--seqlen-q 203 --seqlen-k 113",
        "--seqlen-q 0 --seqlen-k 3", "--seqlen-q 3 --seqlen-k 0"})
    for (const std::string &kernel : {package, full})
      EXPECT_EQ(
          run(kernel + driver + " --batch 1 --heads 2 --check --pad " + shape),
          0)
          << shape << "\n"
          << log();
}

TEST_F(BackwardRunTest, LseGradientMayBeAbsent) {
  const std::string kernel =
      backward("plain.fa3", {.causal = true, .withLseGradient = false});
  EXPECT_EQ(run(kernel + problem + " --check --pad"), 0) << log();
}

TEST_F(BackwardRunTest, FindsWrongResults) {
  const std::string wrong =
      backward("wrong.fa3", {.suffixes = {"", "_wrong", ""}});
  EXPECT_EQ(run(wrong + problem + " --check"), 1);
  EXPECT_EQ(report["errors"]["dk"]["wrong"], 1);
  EXPECT_EQ(report["errors"]["dq"]["wrong"], 0);
  EXPECT_EQ(report["errors"]["dv"]["wrong"], 0);
  EXPECT_THAT(diagnostics(),
              testing::HasSubstr("dk at batch 0, head 0, row 0, column 1 is"));
}

// Nothing may rely on what a workspace held before.
TEST_F(BackwardRunTest, PoisonsTheWorkspace) {
  const std::string lazy =
      backward("lazy.fa3", {.suffixes = {"_lazy", "", ""}});
  EXPECT_EQ(run(lazy + problem + " --check"), 1);
  EXPECT_TRUE(report["errors"]["dq"]["max_abs"].is_null());
  EXPECT_EQ(report["errors"]["dk"]["wrong"], 0);
}

TEST_F(BackwardRunTest, TakesTheForwardPackagesResults) {
  const std::string forward =
      write("forward.fa3", writePackage(hostManifest("attention", true, 64), "",
                                        ptxOf("attention")));
  EXPECT_EQ(run(package + problem + " --check --pad --layout=bhsd --forward " +
                forward),
            0)
      << log();
  EXPECT_EQ(run(full + problem + " --check --forward " + forward), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("differ in 'causal'"));
  EXPECT_EQ(run(package + problem + " --check --forward " + package), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("computes 'backward'"));
  EXPECT_EQ(run(forward + problem + " --check --forward " + forward), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("takes no results"));
}

TEST_F(BackwardRunTest, NeedsAForwardPackageForLargeProblems) {
  EXPECT_EQ(
      run(full + driver + " --batch 1 --heads 16 --seqlen-q 16384 --check"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("--forward"));
}

TEST_F(BackwardRunTest, StrideZeroNeedsAnInput) {
  for (const char *name : {"dq", "nothing"}) {
    EXPECT_EQ(run(package + problem + " --stride-zero " + name), 2);
    EXPECT_THAT(diagnostics(), testing::HasSubstr("no input"));
  }
  EXPECT_EQ(run(package + problem + " --stride-zero o"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("cannot be 0"));
}

TEST_F(BackwardRunTest, CountsFlops) {
  EXPECT_EQ(run(package + problem + " --iters 4"), 0) << log();
  // The fake driver's events are always half a millisecond apart.
  const double flops = 10.0 * 65 * 97 * 64 * 4 * 2 / 2;
  EXPECT_NEAR(report["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
}

TEST_F(BackwardRunTest, Benchmarks) {
  ASSERT_EQ(
      run(full + driver + " --seqlens 64 --tokens 128 --hidden 128", FA3_BENCH),
      0)
      << log();
  const double flops = 10.0 * 64 * 64 * 64 * 2 * 2;
  EXPECT_NEAR(report["results"][0]["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
}
