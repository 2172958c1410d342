//===- fp8_run_test.cpp - Attention in 8 bits on the command line ---------===//
//
// The fake driver executes an fp8 forward pass on the host, with fp32 sums.
//
//===----------------------------------------------------------------------===//

#include "fa3_run_fixture.h"

using namespace fa3;
using namespace fa3::test;
using nlohmann::json;

class Fp8RunTest : public Fa3RunFixture {
protected:
  std::string package(const HostFp8 &options) {
    return package(hostFp8Manifest(options));
  }
  std::string package(const json &manifest) {
    return write(manifest["name"].get<std::string>() + ".fa3",
                 writePackage(manifest, "", ptxOfKernels(manifest)));
  }

  const std::string problem =
      " --batch 2 --heads 4 --kv-heads 2 --seqlen-q 65 --seqlen-k 97" + driver;
};

TEST_F(Fp8RunTest, ChecksRightResults) {
  for (bool causal : {false, true})
    for (bool columns : {false, true})
      for (const char *kernel : {"fp8_attention", "fp8_attention_lazy"}) {
        const HostFp8 options = {
            .causal = causal, .columns = columns, .kernel = kernel};
        EXPECT_EQ(run(package(options) + problem + " --check --pad"), 0)
            << kernel << ", causal " << causal << ", columns " << columns
            << "\n"
            << log();
        EXPECT_EQ(report["errors"]["o"]["checked"], 2 * 65 * 4 * 64);
        EXPECT_GT(report["errors"]["o"]["model_max_abs"], 1e-3);
        EXPECT_GT(report["errors"]["lse"]["max_abs"], 0);
      }
}

TEST_F(Fp8RunTest, MeasuresErrorsOfTheOriginalInputs) {
  ASSERT_EQ(run(package(HostFp8{}) + problem + " --check"), 0) << log();
  const json &errors = report["errors"]["o"];
  // Rounding q, k and v to 3 bits costs more than rounding probabilities.
  EXPECT_GT(errors["rms_original"], 1.2 * errors["rms"].get<double>());
  EXPECT_LT(errors["rms_original"], 8 * errors["rms"].get<double>());
  EXPECT_GT(errors["max_abs_original"], errors["rms_original"]);
  EXPECT_FALSE(report["errors"]["lse"].contains("rms_original"));
}

TEST_F(Fp8RunTest, LayoutsAndDistributions) {
  for (bool columns : {false, true}) {
    const std::string kernel = package(
        {.causal = true, .columns = columns, .kernel = "fp8_attention_lazy"});
    for (const char *options :
         {"--layout=bhsd", "--layout=packed", "--layout=sliced",
          "--layout=sliced --kv-heads 1", "--stride-zero k", "--stride-zero v",
          "--distribution=equal", "--distribution=outlier",
          "--distribution=sink", "--descale-range 0.01,2", "--seed=7 --graph"})
      EXPECT_EQ(run(kernel + problem + " --check --pad " + options), 0)
          << options << ", columns " << columns << "\n"
          << log();
  }
}

TEST_F(Fp8RunTest, FactorsOfRows) {
  for (bool causal : {false, true}) {
    const std::string kernel =
        package({.causal = causal,
                 .rowFactors = true,
                 .kernel = causal ? "fp8_attention_lazy" : "fp8_attention"});
    for (const char *options :
         {"", "--layout=sliced", "--layout=sliced --batch 1 --kv-heads 1",
          "--stride-zero q_descale", "--stride-zero k_descale",
          "--seqlen-q 1 --seqlen-k 1", "--seqlen-q 203 --seqlen-k 113",
          "--seqlen-k 0"})
      EXPECT_EQ(run(kernel + problem +
                    " --check --pad --descale-range 0.01,2 " + options),
                0)
          << options << ", causal " << causal << "\n"
          << log();
  }
  EXPECT_EQ(
      run(package({.rowFactors = true, .kernel = "fp8_attention_one_row"}) +
          problem + " --check --descale-range 0.5,2"),
      1);
  EXPECT_GT(report["errors"]["o"]["wrong"], 0);
  EXPECT_GT(report["errors"]["lse"]["wrong"], 0);
}

TEST_F(Fp8RunTest, Shapes) {
  for (bool causal : {false, true})
    for (bool columns : {false, true}) {
      const std::string kernel =
          package({.causal = causal, .columns = columns});
      for (const char *shape :
           {"--seqlen-q 1 --seqlen-k 1", "--seqlen-q 1 --seqlen-k 128",
            "--seqlen-q 2 --seqlen-k 1", "--seqlen-q 203 --seqlen-k 113",
            "--seqlen-q 0 --seqlen-k 3", "--seqlen-q 3 --seqlen-k 0"})
        EXPECT_EQ(run(kernel + driver + " --batch 1 --heads 2 --check --pad " +
                      shape),
                  0)
            << shape << "\n"
            << log();
    }
}

TEST_F(Fp8RunTest, BothValueLayoutsHaveTheSameValues) {
  json checksums;
  for (bool columns : {false, true}) {
    ASSERT_EQ(run(package({.columns = columns}) + problem +
                  " --distribution=outlier"),
              0);
    if (columns)
      EXPECT_EQ(report["checksums"], checksums);
    checksums = report["checksums"];
  }
}

TEST_F(Fp8RunTest, FindsWrongResults) {
  for (const char *kernel :
       {"fp8_attention_one_descale", "fp8_attention_in_order",
        "fp8_attention_short", "fp8_attention_coarse"}) {
    EXPECT_EQ(run(package({.kernel = kernel}) + problem +
                  " --check --descale-range 0.5,2"),
              1)
        << kernel << "\n"
        << log();
    EXPECT_GT(report["errors"]["o"]["wrong"], 0);
  }
}

TEST_F(Fp8RunTest, Descales) {
  const std::string plain = package({.descales = false});
  EXPECT_EQ(run(plain + problem + " --check"), 0) << log();
  EXPECT_EQ(run(plain + problem + " --check --descale-range 0.01,2"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("takes no descales"));
  for (const char *range :
       {"", "1", "0,1", "2,1", "1,2,3", "1,x", "-1,1", "1,1e39", "1:2"})
    EXPECT_EQ(run(plain + problem + " --descale-range=" + range), 2) << range;
}

TEST_F(Fp8RunTest, PaddedKeys) {
  const std::string kernel = package({.columns = true});
  EXPECT_EQ(run(kernel + problem + " --check --size keys_padded=512"), 0)
      << log();
  EXPECT_EQ(report["problem"]["keys_padded"], 512);
  EXPECT_EQ(run(kernel + problem), 0);
  EXPECT_EQ(report["problem"]["keys_padded"], 112);
  EXPECT_EQ(run(kernel + problem + " --size keys_padded=96"), 3);
  EXPECT_THAT(diagnostics(),
              testing::HasSubstr("seqlen_k must be at most keys_padded"));
  EXPECT_EQ(run(kernel + problem + " --size keys_padded=98"), 3);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("a multiple of 16 bytes"));
}

TEST_F(Fp8RunTest, ManifestsThatContradictThemselves) {
  const auto expectError = [&](const char *attribute, const json &value,
                               const std::string &text) {
    json manifest = hostFp8Manifest({});
    manifest["operation"][attribute] = value;
    EXPECT_EQ(run(package(manifest) + problem + " --check"), 2) << attribute;
    EXPECT_THAT(diagnostics(), testing::HasSubstr(text));
  };
  expectError("dtype", "e5m2", "the operation's dtype is 'e5m2', but 'q'");
  expectError("output_dtype", "bf16",
              "the operation's output_dtype is 'bf16', but 'o'");
  expectError("value_layout", "diagonals", "'diagonals'");
}

TEST_F(Fp8RunTest, FactorsOfOtherSizes) {
  json manifest = hostFp8Manifest({.rowFactors = true});
  const auto expectError = [&](const json &dims) {
    for (json &tensor : manifest["tensors"])
      if (tensor["name"] == "k_descale")
        tensor["dims"] = dims;
    EXPECT_EQ(run(package(manifest) + problem + " --check"), 2) << dims;
    EXPECT_THAT(diagnostics(),
                testing::HasSubstr("'k_descale' with dimensions (batch, key "
                                   "heads) or (batch, heads, seqlen)"));
  };
  expectError({"batch", "heads_kv", "seqlen_q"});
  expectError({"batch", "heads_q", "seqlen_k"});
}

TEST_F(Fp8RunTest, CountsFlops) {
  for (bool columns : {false, true}) {
    EXPECT_EQ(run(package({.columns = columns}) + problem + " --iters 4"), 0)
        << log();
    // The fake driver's events are always half a millisecond apart.
    const double flops = 4.0 * 65 * 97 * 64 * 4 * 2;
    EXPECT_NEAR(report["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
  }
}

TEST_F(Fp8RunTest, Benchmarks) {
  for (bool columns : {false, true}) {
    ASSERT_EQ(
        run(package({.columns = columns}) + driver +
                " --seqlens 60 --tokens 120 --hidden 128 --rounds 1 --ms 3",
            FA3_BENCH),
        0)
        << log();
    const double flops = 4.0 * 60 * 60 * 64 * 2 * 2;
    EXPECT_NEAR(report["results"][0]["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
  }
}
