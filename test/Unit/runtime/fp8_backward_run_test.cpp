//===- fp8_backward_run_test.cpp - 8-bit gradients on the command line ----===//
//
// The fake driver executes an fp8 backward pass on the host: scores as tensor
// cores sum them, gradients with fp32 sums.
//
//===----------------------------------------------------------------------===//

#include "fa3_run_fixture.h"

using namespace fa3;
using namespace fa3::test;
using nlohmann::json;

class Fp8BackwardRunTest : public Fa3RunFixture {
protected:
  std::string package(const HostFp8Backward &options) {
    return package(hostFp8BackwardManifest(options));
  }
  std::string package(const json &manifest) {
    return write("backward.fa3",
                 writePackage(manifest, "", ptxOfKernels(manifest)));
  }

  const std::string problem =
      " --batch 2 --heads 4 --kv-heads 2 --seqlen-q 65 --seqlen-k 97" + driver;
};

TEST_F(Fp8BackwardRunTest, ChecksRightResults) {
  for (bool causal : {false, true})
    for (const char *gradients : {"e4m3", "e5m2"})
      for (const char *scoreGradients : {"e4m3", "bf16"}) {
        EXPECT_EQ(run(package({.causal = causal,
                               .gradientType = gradients,
                               .scoreGradientType = scoreGradients}) +
                      problem + " --check --pad --descale-range 0.01,2"),
                  0)
            << causal << gradients << scoreGradients << log();
        const json &errors = report["errors"];
        EXPECT_EQ(errors["dq"]["checked"], 2 * 65 * 4 * 64);
        EXPECT_EQ(errors["dk"]["checked"], 2 * 97 * 2 * 64);
        EXPECT_EQ(errors["dv"]["checked"], 2 * 97 * 2 * 64);
        EXPECT_EQ(errors["ds_amax"]["checked"], 2 * 2);
        for (const char *tensor : {"dq", "dk", "dv"})
          EXPECT_GT(errors[tensor]["model_max_abs"], 0) << tensor;
      }
}

// Gradients of scores in 16 bits are nearer than in 8.
TEST_F(Fp8BackwardRunTest, MeasuresWhatRoundingCosts) {
  json errors;
  for (const char *type : {"e4m3", "bf16"}) {
    ASSERT_EQ(run(package({.scoreGradientType = type}) + problem + " --check"),
              0)
        << log();
    if (!errors.is_null())
      for (const char *tensor : {"dq", "dk"})
        EXPECT_LT(2 * report["errors"][tensor]["rms"].get<double>(),
                  errors[tensor]["rms"]);
    errors = report["errors"];
  }
}

// Without ds_scale each row of gradients of scores has a factor.
TEST_F(Fp8BackwardRunTest, RowsHaveFactors) {
  for (bool causal : {false, true}) {
    const std::string kernel = package({.causal = causal, .rowFactors = true});
    for (const char *options :
         {"", "--distribution=outlier", "--distribution=sink", "--kv-heads 1",
          "--seqlen-q 1 --seqlen-k 1", "--seqlen-q 203 --seqlen-k 113",
          "--seqlen-q 0 --seqlen-k 3", "--seqlen-q 3 --seqlen-k 0"})
      EXPECT_EQ(run(kernel + problem +
                    " --check --pad --descale-range 0.01,2 " + options),
                0)
          << causal << options << "\n"
          << log();
  }
  for (const char *kernel : {"fp8_backward_coarse", "fp8_backward_first"}) {
    EXPECT_EQ(run(package({.rowFactors = true, .kernel = kernel}) + problem +
                  " --check"),
              1)
        << kernel << "\n"
        << log();
    for (const char *tensor : {"dq", "dk"})
      EXPECT_GT(report["errors"][tensor]["wrong"], 0) << kernel << tensor;
    for (const char *tensor : {"dv", "ds_amax"})
      EXPECT_EQ(report["errors"][tensor]["wrong"], 0) << kernel << tensor;
  }
}

TEST_F(Fp8BackwardRunTest, LayoutsAndDistributions) {
  const std::string kernel = package({.causal = true});
  for (const char *options :
       {"--layout=bhsd", "--layout=packed", "--layout=sliced",
        "--layout=sliced --kv-heads 1", "--stride-zero do", "--stride-zero k",
        "--distribution=equal", "--distribution=outlier", "--distribution=sink",
        "--seed=7 --graph", "--repeat 3 --beside"})
    EXPECT_EQ(run(kernel + problem + " --check --pad " + options), 0)
        << options << "\n"
        << log();
}

TEST_F(Fp8BackwardRunTest, Shapes) {
  for (bool causal : {false, true}) {
    const std::string kernel = package({.causal = causal});
    for (const char *shape :
         {"--seqlen-q 1 --seqlen-k 1", "--seqlen-q 1 --seqlen-k 128",
          "--seqlen-q 2 --seqlen-k 1", "--seqlen-q 203 --seqlen-k 113",
          "--seqlen-q 0 --seqlen-k 3", "--seqlen-q 3 --seqlen-k 0"})
      EXPECT_EQ(
          run(kernel + driver + " --batch 1 --heads 2 --check --pad " + shape),
          0)
          << shape << "\n"
          << log();
  }
}

TEST_F(Fp8BackwardRunTest, TensorsMayBeAbsent) {
  const std::string plain = package(
      {.descales = false, .withLseGradient = false, .withLargest = false});
  EXPECT_EQ(run(plain + problem + " --check --pad"), 0) << log();
  EXPECT_FALSE(report["errors"].contains("ds_amax"));
  // The only gradient of a score is 0, but for what tensor cores cut off.
  EXPECT_EQ(run(plain + driver +
                " --batch 2 --heads 2 --seqlen-q 1 --seqlen-k 1 --check --pad"),
            0)
      << log();
}

TEST_F(Fp8BackwardRunTest, FindsWrongResults) {
  const auto wrong = [&](const char *kernel, const char *tensor) {
    EXPECT_EQ(run(package({.kernel = kernel}) + problem +
                  " --check --descale-range 0.5,2"),
              1)
        << kernel << "\n"
        << log();
    for (const char *other : {"dq", "dk", "dv", "ds_amax"})
      if (std::string(tensor).find(other) != std::string::npos)
        EXPECT_GT(report["errors"][other]["wrong"], 0) << kernel;
      else
        EXPECT_EQ(report["errors"][other]["wrong"], 0) << kernel << other;
  };
  wrong("fp8_backward_one_descale", "dq dk dv ds_amax");
  wrong("fp8_backward_coarse", "dq dk");
  wrong("fp8_backward_amax", "ds_amax");
  wrong("fp8_backward_unshifted", "dv");
  EXPECT_THAT(diagnostics(), testing::HasSubstr("dv at batch"));
}

TEST_F(Fp8BackwardRunTest, TakesTheForwardPackagesResults) {
  const auto forward = [&](const char *outputType, bool causal) {
    json manifest = hostFp8Manifest({.causal = causal});
    manifest["operation"]["output_dtype"] = outputType;
    return write("forward.fa3",
                 writePackage(manifest, "", ptxOfKernels(manifest)));
  };
  const std::string options = " --check --descale-range 0.5,2 --forward ";
  json manifest = hostFp8BackwardManifest({.causal = true});
  EXPECT_EQ(run(package(manifest) + problem + options + forward("f16", true)),
            2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("differ in 'output_dtype'"));
  EXPECT_EQ(run(package(manifest) + problem + options + forward("bf16", false)),
            2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("differ in 'causal'"));
}

TEST_F(Fp8BackwardRunTest, ManifestsThatContradictThemselves) {
  const auto expectError = [&](const char *attribute, const json &value,
                               const std::string &text) {
    json manifest = hostFp8BackwardManifest({});
    manifest["operation"][attribute] = value;
    EXPECT_EQ(run(package(manifest) + problem + " --check"), 2) << attribute;
    EXPECT_THAT(diagnostics(), testing::HasSubstr(text));
  };
  expectError("dtype", "e5m2", "the operation's dtype is 'e5m2', but 'q'");
  expectError("output_dtype", "f16", "output_dtype is 'f16', but 'o'");
  expectError("gradient_dtype", "e5m2", "gradient_dtype is 'e5m2', but 'do'");
  expectError("ds_dtype", "f32", "ds_dtype is 'f32', expected");
  expectError("ds_dtype", "bf16",
              "takes 'ds_scale' only if operation.ds_dtype is e4m3");
}

TEST_F(Fp8BackwardRunTest, CountsFlops) {
  EXPECT_EQ(run(package(HostFp8Backward{}) + problem + " --iters 4"), 0)
      << log();
  // The fake driver's events are always half a millisecond apart.
  const double flops = 10.0 * 65 * 97 * 64 * 4 * 2;
  EXPECT_NEAR(report["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
}

TEST_F(Fp8BackwardRunTest, Benchmarks) {
  ASSERT_EQ(run(package(HostFp8Backward{}) + driver +
                    " --seqlens 32 --tokens 64 --hidden 128 --rounds 1 --ms 3",
                FA3_BENCH),
            0)
      << log();
  const double flops = 10.0 * 32 * 32 * 64 * 2 * 2;
  EXPECT_NEAR(report["results"][0]["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
}
