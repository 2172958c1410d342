//===- fa3_run_test.cpp - The command line, end to end --------------------===//
//
// The fake driver executes attention on the host, rightly or with a defect that
// fa3-run must find.
//
//===----------------------------------------------------------------------===//

#include "fa3_run_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace fa3;
using namespace fa3::test;
using nlohmann::json;

class Fa3RunTest : public Fa3RunFixture {
protected:
  Fa3RunTest()
      : package(write("package.fa3", hostPackage("attention", true))) {}

  static std::string hostPackage(const std::string &kernel, bool causal) {
    return writePackage(hostManifest(kernel, causal), "", ptxOf(kernel));
  }

  const std::string problem =
      " --batch 2 --heads 4 --kv-heads 2 --seqlen-q 65 --seqlen-k 97" + driver;
  const std::string package;
};

TEST_F(Fa3RunTest, ChecksRightResults) {
  EXPECT_EQ(run(package + problem + " --check"), 0) << log();
  EXPECT_EQ(report["status"], "ok");
  EXPECT_EQ(report["driver"], fakeDriverPath());
  EXPECT_EQ(report["code"], "ptx");
  EXPECT_EQ(report["compiler"]["version"], "fa3 test");
  EXPECT_EQ(report["problem"]["seqlen_k"], 97);
  EXPECT_EQ(report["errors"]["o"]["checked"], 2 * 65 * 4 * 128);
  EXPECT_EQ(report["errors"]["lse"]["checked"], 2 * 65 * 4);
  EXPECT_GT(report["errors"]["o"]["reference_max_abs"], 0.5);
  EXPECT_GT(report["errors"]["o"]["rms"], 0);
  EXPECT_EQ(report["diagnostics"], json::array());
  EXPECT_TRUE(report["median_ms"].is_null());
}

TEST_F(Fa3RunTest, LayoutsAndDistributions) {
  for (const char *options :
       {"--layout=bhsd", "--layout=packed", "--layout=sliced",
        "--layout=sliced --kv-heads 1", "--distribution=equal",
        "--distribution=outlier", "--distribution=huge", "--seed=7 --graph"})
    EXPECT_EQ(run(package + problem + " --check --pad " + options), 0)
        << options << "\n"
        << log();
}

TEST_F(Fa3RunTest, Shapes) {
  const std::string full = write("full.fa3", hostPackage("attention", false));
  for (const char *shape :
       {"--seqlen-q 1 --seqlen-k 1", "--seqlen-q 1 --seqlen-k 128",
        "--seqlen-q 2 --seqlen-k 1", "--seqlen-q 239 --seqlen-k 1",
        "--seqlen-q 0 --seqlen-k 3", "--seqlen-q 3 --seqlen-k 0"})
    for (const std::string &kernel : {package, full})
      EXPECT_EQ(
          run(kernel + driver + " --batch 1 --heads 2 --check --pad " + shape),
          0)
          << shape << "\n"
          << log();
  EXPECT_EQ(run(package + driver + " --batch 0 --heads 2 --seqlen-q 3 --check"),
            0);
}

// Among these scores is a small one whose products are large: in fp32 it
// cannot be more exact.
TEST_F(Fa3RunTest, ToleratesCancellation) {
  const std::string full = write("full.fa3", hostPackage("attention", false));
  EXPECT_EQ(run(full + driver +
                " --batch 1 --heads 32 --seqlen-q 239 --seqlen-k 1 --seed 30"
                " --distribution=huge --check"),
            0)
      << log();
}

TEST_F(Fa3RunTest, FindsWrongResults) {
  const std::string kernel =
      write("wrong.fa3", hostPackage("attention_wrong", true));
  EXPECT_EQ(run(kernel + problem + " --check"), 1);
  EXPECT_EQ(report["status"], "wrong");
  EXPECT_EQ(report["errors"]["o"]["wrong"], 1);
  EXPECT_THAT(diagnostics(),
              testing::HasSubstr("o at batch 0, head 0, query 0, column 1 is"));
  EXPECT_EQ(run(kernel + problem), 0);
}

TEST_F(Fa3RunTest, FindsUnwrittenResults) {
  const std::string kernel =
      write("unwritten.fa3", hostPackage("attention_unwritten", true));
  EXPECT_EQ(run(kernel + problem + " --check"), 1);
  EXPECT_TRUE(report["errors"]["o"]["max_abs"].is_null());
  EXPECT_THAT(diagnostics(), testing::HasSubstr("1 elements that are NaN"));
}

TEST_F(Fa3RunTest, FindsStrayWrites) {
  const std::string kernel =
      write("stray.fa3", hostPackage("attention_stray", true));
  EXPECT_EQ(run(kernel + problem + " --check --pad"), 1);
  EXPECT_THAT(diagnostics(),
              testing::HasSubstr("'o' was written outside of its elements, at "
                                 "byte -2 from its start"));
}

TEST_F(Fa3RunTest, DumpsOutputs) {
  const auto contents = [this](const char *folder) {
    EXPECT_EQ(run(package + problem + " --layout=" + folder + " --dump " +
                  (directory / folder).string()),
              0)
        << log();
    std::ifstream file(directory / folder / "o.bin", std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const std::string dense = contents("bshd");
  EXPECT_EQ(dense.size(), size_t{2} * 65 * 4 * 128 * 2);
  EXPECT_EQ(std::filesystem::file_size(directory / "bshd" / "lse.bin"),
            uintmax_t{2} * 4 * 65 * 4);
  // The layout in memory does not show.
  EXPECT_EQ(contents("sliced"), dense);
  EXPECT_EQ(run(package + problem + " --dump /dev/null/folder"), 2);
}

TEST_F(Fa3RunTest, FindsUnsteadyResults) {
  const std::string kernel =
      write("unsteady.fa3", hostPackage("attention_unsteady", true));
  EXPECT_EQ(run(kernel + problem + " --repeat 3"), 1);
  EXPECT_THAT(diagnostics(),
              testing::HasSubstr("o of run 1 differs from the first run's"));
  EXPECT_EQ(run(package + problem + " --repeat 3"), 0);
  const json checksums = report["checksums"];
  EXPECT_EQ(checksums.size(), 2u);
  EXPECT_EQ(run(package + problem), 0);
  EXPECT_EQ(report["checksums"], checksums);
  EXPECT_EQ(run(package + problem + " --seed 1"), 0);
  EXPECT_NE(report["checksums"], checksums);
}

TEST_F(Fa3RunTest, Times) {
  EXPECT_EQ(run(package + problem + " --iters 4"), 0) << log();
  // The fake driver's events are always half a millisecond apart.
  EXPECT_EQ(report["median_ms"], 0.5);
  const double flops = 4.0 * 65 * 97 * 128 * 4 * 2 / 2;
  EXPECT_NEAR(report["tflops"], flops / 0.5e-3 * 1e-12, 1e-9);
  EXPECT_TRUE(report["clock_mhz"].is_null());
}

TEST_F(Fa3RunTest, ReplacesPtx) {
  const std::string ptx = write("other.ptx", ".entry nothing()");
  EXPECT_EQ(run(package + problem + " --ptx " + ptx), 1);
  EXPECT_EQ(report["status"], "diagnosis");
  EXPECT_THAT(diagnostics(), testing::HasSubstr("finding kernel 'attention'"));
  EXPECT_EQ(run(package + problem + " --ptx /nonexistent"), 2);
}

TEST_F(Fa3RunTest, FindsTheEmulatorBesideItself) {
  const auto bin = directory / "bin";
  const auto lib = directory / "lib";
  std::filesystem::create_directories(bin);
  std::filesystem::create_directories(lib);
  std::filesystem::copy_file(FA3_RUN, bin / "fa3-run");
  std::filesystem::copy_file(fakeDriverPath(), lib / "libfa3_emulator.so");
  const std::string arguments =
      package + " --driver=emulator --batch 1 --heads 1 --seqlen-q 3 --check";
  EXPECT_EQ(run(arguments, bin / "fa3-run"), 0) << log();
  EXPECT_EQ(report["driver"], "emulator");
  EXPECT_EQ(report["device"]["driver_path"],
            (lib / "libfa3_emulator.so").string());
  std::filesystem::rename(lib / "libfa3_emulator.so",
                          bin / "libfa3_emulator.so");
  EXPECT_EQ(run(arguments, bin / "fa3-run"), 0) << log();
  std::filesystem::remove(bin / "libfa3_emulator.so");
  EXPECT_EQ(run(arguments, bin / "fa3-run"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("libfa3_emulator.so"));
}

TEST_F(Fa3RunTest, TellsTheEmulatorItsOptions) {
  const std::filesystem::path trace = directory / "trace";
  EXPECT_EQ(
      run(package + problem + " --emulator-seed 42 --trace " + trace.string()),
      0);
  std::string seed;
  std::ifstream(trace) >> seed;
  EXPECT_EQ(seed, "42");
}

TEST_F(Fa3RunTest, Refuses) {
  EXPECT_EQ(
      run(package + driver + " --batch 1 --heads 3 --kv-heads 2 --seqlen-q 5"),
      3);
  EXPECT_EQ(report["status"], "refused");
  EXPECT_THAT(diagnostics(), testing::HasSubstr("heads_kv must divide"));
}

TEST_F(Fa3RunTest, BadUsage) {
  for (const char *arguments :
       {"", "--frobnicate", "a.fa3 b.fa3", "a.fa3 --batch", "a.fa3 --batch x",
        "a.fa3 --batch -1", "a.fa3 --layout=spiral", "a.fa3 --check=yes",
        "a.fa3 --size seqlen_k", "a.fa3 --repeat 0"})
    EXPECT_EQ(run(arguments), 2) << arguments << "\n" << log();
  EXPECT_EQ(run(package + driver + " --batch 1 --heads 1"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("needs --seqlen-q"));
  EXPECT_EQ(run("--help"), 0);
  EXPECT_THAT(log(), testing::HasSubstr("Usage: fa3-run"));
}

TEST_F(Fa3RunTest, BadMachine) {
  EXPECT_EQ(run(package + problem + " --driver=/nonexistent.so"), 2);
  EXPECT_EQ(report["status"], "error");
  EXPECT_EQ(run(package + problem + " --driver=" + oldDriverPath()), 2);
  EXPECT_EQ(run(package + problem + " --device 7"), 2);
}

TEST_F(Fa3RunTest, BadPackages) {
  const std::string bytes = hostPackage("attention", true);
  EXPECT_EQ(run(write("cut.fa3", bytes.substr(0, bytes.size() / 2)) + problem),
            2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("truncated"));
  EXPECT_EQ(run(write("empty.fa3", "") + problem), 2);
  EXPECT_EQ(run("/nonexistent.fa3" + problem), 2);
}

TEST_F(Fa3RunTest, UnknownOperations) {
  json manifest = hostManifest("attention", true);
  manifest["operation"]["window"] = {128, 0};
  const std::string windowed =
      write("windowed.fa3", writePackage(manifest, "", ptxOf("attention")));
  EXPECT_EQ(run(windowed + problem + " --check"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("'window'"));
  EXPECT_EQ(run(windowed + problem), 0);
  manifest["operation"]["kind"] = "sort";
  const std::string sort =
      write("sort.fa3", writePackage(manifest, "", ptxOf("attention")));
  EXPECT_EQ(run(sort + problem + " --check"), 2);
  EXPECT_THAT(diagnostics(), testing::HasSubstr("'sort'"));
}
