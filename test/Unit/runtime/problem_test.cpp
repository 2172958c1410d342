//===- problem_test.cpp - Which problems a package computes ---------------===//

#include "fixture.h"

#include <functional>

using namespace fa3;
using namespace fa3::test;

using Problem = std::vector<fa3_tensor>;

static void expectRefusal(const std::function<void(Problem &)> &change,
                          const std::string &reason) {
  static const Package package = packageOf(forwardManifest());
  Problem problem = forwardProblem({2, 100, 4, 200, 2});
  change(problem);
  const std::optional<std::string> found = package.whyUnsupported(problem);
  ASSERT_TRUE(found.has_value()) << reason;
  EXPECT_THAT(*found, testing::HasSubstr(reason));
}

TEST(ProblemTest, Supported) {
  const Package package = packageOf(forwardManifest());
  Problem problem = forwardProblem({2, 100, 4, 200, 2});
  EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
  EXPECT_EQ(package.workspaceSize(problem), 2u * 4 * 256);
  // The order is the caller's; an address is not needed to ask.
  std::swap(problem[0], problem[4]);
  problem[1].data = nullptr;
  EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
}

TEST(ProblemTest, WrongTensors) {
  expectRefusal([](Problem &p) { p.pop_back(); }, "tensor 'lse' is missing");
  expectRefusal([](Problem &p) { p[4].name = "q"; },
                "tensor 'q' is given twice");
  expectRefusal([](Problem &p) { p[4].name = "w"; }, "takes no tensor 'w'");
  expectRefusal([](Problem &p) { p[4].name = nullptr; },
                "the name of tensor 4 is null");
  const Package package = packageOf(forwardManifest());
  fa3_error error;
  EXPECT_EQ(fa3_check_support(package.get(), nullptr, 5, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_check_support(package.get(), nullptr, -1, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_check_support(nullptr, nullptr, 0, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_check_support(package.get(), nullptr, 0, nullptr),
            FA3_ERROR_INVALID_ARGUMENT);
}

TEST(ProblemTest, WrongShapes) {
  expectRefusal([](Problem &p) { p[0].dtype = FA3_DTYPE_F16; },
                "'q' has element type f16 (2), expected bf16");
  expectRefusal([](Problem &p) { p[0].dtype = static_cast<fa3_dtype>(77); },
                "'q' has element type unknown (77), expected bf16");
  expectRefusal([](Problem &p) { p[0].rank = 3; },
                "'q' has 3 dimensions, expected 4");
  expectRefusal([](Problem &p) { p[0].rank = -1; },
                "'q' has -1 dimensions, expected 4");
  expectRefusal([](Problem &p) { p[0].sizes[3] = 64; },
                "dimension 3 of 'q' has size 64, expected 128");
  expectRefusal([](Problem &p) { p[0].sizes[1] = -1; },
                "dimension 1 of 'q' has size -1, expected 0 to 2147483647");
  expectRefusal([](Problem &p) { p[0].sizes[1] = int64_t{1} << 31; },
                "dimension 1 of 'q' has size 2147483648");
  expectRefusal([](Problem &p) { p[1].sizes[0] = 3; },
                "batch is 2 in 'q' but 3 in 'k'");
  expectRefusal([](Problem &p) { p[4].sizes[2] = 99; },
                "seqlen_q is 100 in 'q' but 99 in 'lse'");
  expectRefusal([](Problem &p) { p[1].sizes[2] = p[2].sizes[2] = 3; },
                "heads_kv must divide heads_q; they are 3 and 4");
  expectRefusal([](Problem &p) { p[1].sizes[2] = p[2].sizes[2] = 0; },
                "heads_kv must divide heads_q; they are 0 and 4");
}

TEST(ProblemTest, WrongStrides) {
  expectRefusal([](Problem &p) { p[0].strides[3] = 2; },
                "the last dimension of 'q' has stride 2, expected 1");
  expectRefusal([](Problem &p) { p[0].strides[1] = -128; },
                "dimension 1 of 'q' has stride -128, expected at least 0");
  expectRefusal([](Problem &p) { p[3].strides[1] = 0; },
                "dimension 1 of 'o' has stride 0, which only an input can");
  expectRefusal([](Problem &p) { p[0].strides[1] = 516; },
                "dimension 1 of 'q' has a stride of 516 elements, 1032 bytes, "
                "expected a multiple of 16 bytes");
  expectRefusal([](Problem &p) { p[0].strides[0] = int64_t{1} << 39; },
                "must be less than 2^40");
  expectRefusal([](Problem &p) { p[3].strides[0] = int64_t{1} << 62; },
                "must be less than 2^40");
}

TEST(ProblemTest, WrongAddresses) {
  expectRefusal(
      [](Problem &p) { p[0].data = reinterpret_cast<void *>(0x1008); },
      "the address of 'q' is 0x1008, expected a multiple of 16");
  expectRefusal(
      [](Problem &p) { p[4].data = reinterpret_cast<void *>(0x1002); },
      "the address of 'lse' is 0x1002, expected a multiple of 4");
}

TEST(ProblemTest, NarrowTypesAreAlignedForVectors) {
  // The output has no tensor map.
  expectRefusal([](Problem &p) { p[3].strides[2] = 132; },
                "dimension 2 of 'o' has a stride of 132 elements, 264 bytes, "
                "expected a multiple of 16 bytes");
  expectRefusal(
      [](Problem &p) { p[3].data = reinterpret_cast<void *>(0x1008); },
      "the address of 'o' is 0x1008, expected a multiple of 16");
}

TEST(ProblemTest, BytesAreAlignedForVectorsToo) {
  const Package package = packageOf(hostFp8Manifest({.columns = true}));
  const auto reason = [&](const std::function<void(Problem &)> &change) {
    Problem problem = {tensor("q", nullptr, FA3_DTYPE_E4M3, {1, 5, 2, 64}),
                       tensor("k", nullptr, FA3_DTYPE_E4M3, {1, 7, 2, 64}),
                       tensor("v", nullptr, FA3_DTYPE_E4M3, {1, 2, 64, 16}),
                       tensor("o", nullptr, FA3_DTYPE_F16, {1, 5, 2, 64}),
                       tensor("lse", nullptr, FA3_DTYPE_F32, {1, 2, 5})};
    for (const char *name : {"q_descale", "k_descale", "v_descale"})
      problem.push_back(tensor(name, nullptr, FA3_DTYPE_F32, {1, 2}));
    change(problem);
    return package.whyUnsupported(problem).value_or("");
  };
  EXPECT_EQ(reason([](Problem &) {}), "");
  EXPECT_EQ(reason([](Problem &p) { p[0].strides[1] = 144; }), "");
  EXPECT_THAT(reason([](Problem &p) { p[0].strides[1] = 136; }),
              testing::HasSubstr("a stride of 136 elements, 136 bytes, "
                                 "expected a multiple of 16 bytes"));
  EXPECT_THAT(
      reason([](Problem &p) { p[0].data = reinterpret_cast<void *>(0x1008); }),
      testing::HasSubstr("expected a multiple of 16"));
  EXPECT_THAT(reason([](Problem &p) {
                p[2] = tensor("v", nullptr, FA3_DTYPE_E4M3, {1, 2, 64, 15});
              }),
              testing::HasSubstr("expected a multiple of 16 bytes"));
  EXPECT_THAT(
      reason([](Problem &p) { p[1].dtype = FA3_DTYPE_E5M2; }),
      testing::HasSubstr("'k' has element type e5m2 (5), expected e4m3"));
}

TEST(ProblemTest, ManifestsChooseTheAlignment) {
  nlohmann::json manifest = forwardManifest();
  manifest["tensors"][3]["alignment"] = 2;
  manifest["tensors"][4]["alignment"] = 16;
  const Package package = packageOf(manifest);
  Problem problem = forwardProblem({2, 100, 4, 200, 2});
  find(problem, "o").strides[2] = 133;
  EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
  find(problem, "lse").strides[1] = 101;
  EXPECT_THAT(package.whyUnsupported(problem).value_or(""),
              testing::HasSubstr("expected a multiple of 16 bytes"));
}

TEST(ProblemTest, LegalStrides) {
  const Package package = packageOf(forwardManifest());
  Problem problem = forwardProblem({2, 100, 1, 200, 1});
  // Repeated input, unused strides of size-1 dimensions, gaps.
  find(problem, "k").strides[1] = 0;
  find(problem, "q").strides[2] = 7;
  find(problem, "o").strides[2] = 0;
  find(problem, "v").strides[1] = 4096;
  EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
  // Nothing is read of a tensor without elements.
  problem = forwardProblem({2, 100, 4, 0, 4});
  find(problem, "k").strides[1] = 3;
  find(problem, "k").data = reinterpret_cast<void *>(0x1001);
  EXPECT_EQ(package.whyUnsupported(problem), std::nullopt);
}

TEST(ProblemTest, OffsetsBeyond32Bits) {
  const Package package = packageOf(forwardManifest());
  EXPECT_EQ(package.whyUnsupported(forwardProblem({64, 1 << 20, 16, 1, 1})),
            std::nullopt);
}

TEST(ProblemTest, AtMost) {
  nlohmann::json manifest = forwardManifest();
  manifest["constraints"].push_back({{"at_most", {"seqlen_q", "seqlen_k"}}});
  const Package package = packageOf(manifest);
  EXPECT_EQ(package.whyUnsupported(forwardProblem({1, 5, 1, 5, 1})),
            std::nullopt);
  EXPECT_EQ(package.whyUnsupported(forwardProblem({1, 6, 1, 5, 1})),
            "seqlen_q must be at most seqlen_k; they are 6 and 5");
}

TEST(ProblemTest, ExpressionsThatFail) {
  nlohmann::json manifest = forwardManifest();
  manifest["workspace"] = {{"op", "div"}, {"args", {1, "seqlen_k"}}};
  const Package package = packageOf(manifest);
  EXPECT_EQ(package.whyUnsupported(forwardProblem({1, 1, 1, 0, 1})),
            "the workspace size of 'forward_bf16_d128_causal': division by "
            "zero");
  manifest["workspace"] = {{"op", "sub"}, {"args", {1, "seqlen_k"}}};
  EXPECT_FAILURE(
      FA3_ERROR_INVALID_PACKAGE, "comes to -4 bytes",
      packageOf(manifest).workspaceSize(forwardProblem({1, 1, 1, 5, 1})));
}
