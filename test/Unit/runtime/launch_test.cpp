//===- launch_test.cpp - What a launch tells the driver -------------------===//

#include "fixture.h"

#include <cstring>

using namespace fa3;
using namespace fa3::test;
using fake::Call;

using Problem = std::vector<fa3_tensor>;

class LaunchTest : public FakeDriverTest {
protected:
  /// Sizes of the parameters of forwardManifest's first kernel.
  void describeParameters() {
    static constexpr int sizes[] = {4, 128, 128, 4, 8, 8, 4, 8, 8};
    std::memcpy(state.parameterSizes, sizes, sizeof(sizes));
    state.parameterCount = 9;
  }

  Driver driver{fakeDriverPath()};
  Package package = packageOf(forwardManifest());
  Module module{driver, package};
  Context context{driver};
  void *const workspace = reinterpret_cast<void *>(uintptr_t{9} << 20);
};

/// Reads consecutive values.
class Reader {
public:
  explicit Reader(const char *bytes) : bytes(bytes) {}
  template <typename Value> Value next() {
    Value value;
    std::memcpy(&value, bytes, sizeof(value));
    bytes += sizeof(value);
    return value;
  }

private:
  const char *bytes;
};

TEST_F(LaunchTest, PassesParameters) {
  describeParameters();
  const Problem problem = forwardProblem({2, 300, 4, 500, 2});
  void *stream = reinterpret_cast<void *>(0x1234);
  module.launch(stream, problem, workspace, 4096);

  ASSERT_EQ(state.launchCount, 1);
  const fake::LaunchRecord &launch = state.launches[0];
  EXPECT_STREQ(launch.kernel, "forward");
  EXPECT_EQ(launch.config.hStream, stream);
  EXPECT_EQ(launch.config.gridDimX, 2u * 4 * 3);
  EXPECT_EQ(launch.config.gridDimY, 1u);
  EXPECT_EQ(launch.config.gridDimZ, 1u);
  EXPECT_EQ(launch.config.blockDimX, 384u);
  EXPECT_EQ(launch.config.sharedMemBytes, 147584u);
  EXPECT_EQ(launch.config.numAttrs, 0u);

  Reader reader(launch.parameters);
  EXPECT_EQ(reader.next<int32_t>(), 2);
  EXPECT_EQ(reader.next<cu::CUtensorMap>().opaque[0], 0u);
  EXPECT_EQ(reader.next<cu::CUtensorMap>().opaque[0], 1u);
  EXPECT_EQ(reader.next<int32_t>(), 300);
  EXPECT_EQ(reader.next<void *>(), problem[3].data);
  EXPECT_EQ(reader.next<int64_t>(), 128);
  EXPECT_EQ(reader.next<float>(), 0.5f);
  EXPECT_EQ(reader.next<int64_t>(), int64_t{500} << 32);
  EXPECT_EQ(reader.next<char *>(), static_cast<char *>(workspace) + 8 * 128);
}

TEST_F(LaunchTest, EncodesTensorMaps) {
  module.launch(nullptr, forwardProblem({2, 300, 4, 500, 2}), workspace, 4096);
  ASSERT_EQ(state.mapCount, 2);
  const fake::TensorMapRecord &map = state.maps[1];
  EXPECT_EQ(map.type, cu::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
  EXPECT_EQ(map.rank, 4u);
  EXPECT_EQ(map.address, reinterpret_cast<void *>(2 << 20));
  const auto first = [](const auto &values, size_t count) {
    return std::vector<uint64_t>(values, values + count);
  };
  EXPECT_THAT(first(map.sizes, 4), testing::ElementsAre(128, 2, 500, 2));
  EXPECT_THAT(first(map.strides, 3), testing::ElementsAre(256, 512, 500 * 512));
  EXPECT_THAT(first(map.box, 4), testing::ElementsAre(64, 1, 176, 1));
  EXPECT_THAT(first(map.elementStrides, 4), testing::ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(map.interleave, cu::CU_TENSOR_MAP_INTERLEAVE_NONE);
  EXPECT_EQ(map.swizzle, cu::CU_TENSOR_MAP_SWIZZLE_128B);
  EXPECT_EQ(map.promotion, cu::CU_TENSOR_MAP_L2_PROMOTION_L2_256B);
  EXPECT_EQ(map.fill, cu::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

TEST_F(LaunchTest, TensorMapsOfOtherTypes) {
  for (auto [name, expected] :
       {std::pair{"f16", cu::CU_TENSOR_MAP_DATA_TYPE_FLOAT16},
        std::pair{"e4m3", cu::CU_TENSOR_MAP_DATA_TYPE_UINT8},
        std::pair{"e5m2", cu::CU_TENSOR_MAP_DATA_TYPE_UINT8},
        std::pair{"i32", cu::CU_TENSOR_MAP_DATA_TYPE_INT32},
        std::pair{"f32", cu::CU_TENSOR_MAP_DATA_TYPE_FLOAT32}}) {
    nlohmann::json manifest = forwardManifest();
    manifest["tensors"][0]["dtype"] = name;
    manifest["kernels"][0]["params"][1]["box"][3] = 32;
    const Package typed = packageOf(manifest);
    Problem problem = forwardProblem({1, 4, 1, 4, 1});
    problem[0].dtype = typed.tensors()[0].dtype;
    state.mapCount = 0;
    Module(driver, typed).launch(nullptr, problem, workspace, 4096);
    EXPECT_EQ(state.maps[0].type, expected) << name;
  }
}

/// A pre-pass writes a transposed copy of v, which the kernel reads by rows of
/// 128 bytes. The fake driver has no such kernels to execute.
static nlohmann::json fp8Manifest() {
  nlohmann::json manifest = hostFp8Manifest({.headDim = 128});
  for (nlohmann::json &kernel : manifest["kernels"]) {
    kernel["name"] = "mapped_" + kernel["name"].get<std::string>();
    kernel["params"] = {{{"kind", "tensor_map"},
                         {"tensor", "q"},
                         {"box", {1, 192, 1, 128}},
                         {"swizzle", 128}},
                        {{"kind", "tensor_map"},
                         {"tensor", "v_transposed"},
                         {"box", {1, 1, 128, 128}},
                         {"swizzle", 128}}};
  }
  return manifest;
}

static Problem fp8Problem(int64_t keys) {
  const auto address = [](uintptr_t index) {
    return reinterpret_cast<void *>(index << 20);
  };
  Problem problem = {tensor("q", address(1), FA3_DTYPE_E4M3, {2, 300, 4, 128}),
                     tensor("k", address(2), FA3_DTYPE_E4M3, {2, keys, 2, 128}),
                     tensor("v", address(3), FA3_DTYPE_E4M3, {2, keys, 2, 128}),
                     tensor("o", address(4), FA3_DTYPE_F16, {2, 300, 4, 128}),
                     tensor("lse", address(5), FA3_DTYPE_F32, {2, 4, 300})};
  for (const char *name : {"q_descale", "k_descale", "v_descale"})
    problem.push_back(tensor(name, address(6), FA3_DTYPE_F32, {2, 2}));
  return problem;
}

TEST_F(LaunchTest, TensorMapsOfBytes) {
  Problem problem = fp8Problem(500);
  find(problem, "q").strides[1] = 4 * 128 + 16;
  find(problem, "q").strides[0] = 300 * (4 * 128 + 16);
  Module(driver, packageOf(fp8Manifest()))
      .launch(nullptr, problem, workspace, size_t{1} << 20);
  ASSERT_EQ(state.mapCount, 4);
  const fake::TensorMapRecord &query = state.maps[0];
  EXPECT_EQ(query.type, cu::CU_TENSOR_MAP_DATA_TYPE_UINT8);
  EXPECT_EQ(query.box[0], 128u);
  EXPECT_EQ(query.strides[0], 128u);
  EXPECT_EQ(query.strides[1], 528u);
  EXPECT_EQ(query.strides[2], 300u * 528);
  const fake::TensorMapRecord &values = state.maps[3];
  EXPECT_EQ(values.type, cu::CU_TENSOR_MAP_DATA_TYPE_UINT8);
  EXPECT_EQ(values.address, workspace);
  EXPECT_EQ(values.sizes[0], 512u);
  EXPECT_EQ(values.strides[0], 512u);
  EXPECT_EQ(values.strides[1], 512u * 128);
  EXPECT_EQ(values.swizzle, cu::CU_TENSOR_MAP_SWIZZLE_128B);
}

TEST_F(LaunchTest, WorkspaceTensorsOfTensorMapsAreAligned) {
  const auto launch = [&](const nlohmann::json &manifest, int64_t keys) {
    Module(driver, packageOf(manifest))
        .launch(nullptr, fp8Problem(keys), workspace, size_t{1} << 20);
  };
  nlohmann::json manifest = fp8Manifest();
  manifest["workspace"] = 1 << 20;
  manifest["workspace_tensors"][0]["offset"] = 8;
  EXPECT_FAILURE(FA3_ERROR_INVALID_PACKAGE,
                 "'v_transposed' in the workspace is not a multiple of 16",
                 launch(manifest, 500));
  manifest["workspace_tensors"][0]["offset"] = 16;
  launch(manifest, 500);
  manifest["workspace_tensors"][0]["dims"][3] = "seqlen_k";
  EXPECT_FAILURE(FA3_ERROR_INVALID_PACKAGE, "not a multiple of 16",
                 launch(manifest, 500));
  launch(manifest, 512);
  launch(manifest, 0);
}

TEST_F(LaunchTest, ReplacesUnusedStrides) {
  Problem problem = forwardProblem({1, 300, 1, 500, 1});
  find(problem, "q").strides[0] = 3;
  find(problem, "q").strides[2] = -1;
  module.launch(nullptr, problem, workspace, 4096);
  EXPECT_EQ(state.maps[0].strides[0], 256u);
  EXPECT_EQ(state.maps[0].strides[1], 256u);
  EXPECT_EQ(state.maps[0].strides[2], 256u);
}

TEST_F(LaunchTest, EncodesEmptyTensorsSomewhereLegal) {
  Problem problem = forwardProblem({2, 300, 4, 0, 2});
  find(problem, "k").data = nullptr;
  find(problem, "v").data = nullptr;
  module.launch(nullptr, problem, workspace, 4096);
  ASSERT_EQ(state.launchCount, 1);
  EXPECT_EQ(state.maps[1].address, find(problem, "q").data);
  EXPECT_EQ(state.maps[1].sizes[2], 1u);
}

TEST_F(LaunchTest, EmptyGridIsNotLaunched) {
  for (const std::vector<int64_t> &sizes :
       {std::vector<int64_t>{0, 300, 4, 500, 2}, {2, 0, 4, 500, 2}}) {
    Problem problem = forwardProblem(sizes);
    find(problem, "q").data = nullptr;
    find(problem, "o").data = nullptr;
    find(problem, "lse").data = nullptr;
    module.launch(nullptr, problem, workspace, 4096);
  }
  EXPECT_EQ(state.launchCount, 0);
}

TEST_F(LaunchTest, ConditionalKernelWithCluster) {
  module.launch(nullptr, forwardProblem({2, 301, 4, 500, 2}), workspace, 4096);
  ASSERT_EQ(state.launchCount, 2);
  const fake::LaunchRecord &launch = state.launches[1];
  EXPECT_STREQ(launch.kernel, "finish");
  EXPECT_EQ(launch.config.gridDimX, 2u);
  EXPECT_EQ(launch.config.gridDimY, 4u);
  EXPECT_THAT(launch.cluster, testing::ElementsAre(1, 2, 1));
  EXPECT_FAILURE(
      FA3_ERROR_UNSUPPORTED,
      "has 3 blocks in dimension 1, expected a multiple of the cluster's 2",
      module.launch(nullptr, forwardProblem({2, 301, 3, 500, 1}), workspace,
                    4096));
}

TEST_F(LaunchTest, GridIsLimited) {
  nlohmann::json manifest = forwardManifest();
  manifest["kernels"][0]["grid"] = {1, "seqlen_q", 1};
  EXPECT_FAILURE(FA3_ERROR_UNSUPPORTED,
                 "has 65536 blocks in dimension 1, expected 0 to 65535",
                 Module(driver, packageOf(manifest))
                     .launch(nullptr, forwardProblem({1, 65536, 1, 1, 1}),
                             workspace, 4096));
  // One dimension takes more heads and sequences than that.
  module.launch(nullptr, forwardProblem({70000, 2, 1, 1, 1}), workspace,
                size_t{70000} * 256);
  module.launch(nullptr, forwardProblem({1, 2, 70000, 1, 1}), workspace,
                size_t{70000} * 256);
  EXPECT_EQ(state.launches[0].config.gridDimX, 70000u);
  EXPECT_EQ(state.launches[1].config.gridDimX, 70000u);
}

TEST_F(LaunchTest, PersistentGrid) {
  nlohmann::json manifest = forwardManifest();
  nlohmann::json &kernel = manifest["kernels"][0];
  kernel["grid"][0] = {{"op", "min"},
                       {"args", {kernel["grid"][0], "multiprocessors"}}};
  kernel["params"] = {{{"kind", "i32"}, {"value", "multiprocessors"}}};
  state.parameterSizes[0] = 4;
  state.parameterCount = 1;
  state.deviceCount = 2;
  state.devices[1].multiprocessors = 7;
  const Package persistent = packageOf(manifest);
  EXPECT_EQ(persistent.symbols().size(), 5u);
  Module module(driver, persistent);
  const auto grid = [&](const std::vector<int64_t> &sizes, int expectedCount) {
    state.launchCount = 0;
    module.launch(nullptr, forwardProblem(sizes), workspace, size_t{1} << 20);
    EXPECT_EQ(state.launchCount, 1);
    EXPECT_EQ(Reader(state.launches[0].parameters).next<int32_t>(),
              expectedCount);
    return state.launches[0].config.gridDimX;
  };
  EXPECT_EQ(grid({1, 130 * 128, 1, 5, 1}, 132), 130u);
  EXPECT_EQ(grid({1, 132 * 128, 1, 5, 1}, 132), 132u);
  EXPECT_EQ(grid({10, 256, 8, 5, 1}, 132), 132u);

  // Every device has its own number, also after it is prepared.
  {
    const Context other(driver, 1);
    module.prepare();
    EXPECT_EQ(grid({10, 256, 8, 5, 1}, 7), 7u);
    EXPECT_EQ(grid({1, 256, 3, 5, 1}, 7), 6u);
  }
  context.makeCurrent();
  EXPECT_EQ(grid({10, 256, 8, 5, 1}, 132), 132u);
}

TEST_F(LaunchTest, ConditionOfTheDevice) {
  nlohmann::json manifest = forwardManifest();
  manifest["kernels"][0]["launch_if"] = {{"op", "div"},
                                         {"args", {"multiprocessors", 100}}};
  const Package conditional = packageOf(manifest);
  state.devices[0].multiprocessors = 99;
  Module(driver, conditional)
      .launch(nullptr, forwardProblem({2, 300, 4, 5, 2}), workspace, 4096);
  EXPECT_EQ(state.launchCount, 0);
  state.devices[0].multiprocessors = 100;
  Module(driver, conditional)
      .launch(nullptr, forwardProblem({2, 300, 4, 5, 2}), workspace, 4096);
  EXPECT_EQ(state.launchCount, 1);
}

TEST_F(LaunchTest, DeviceWithoutMultiprocessors) {
  state.devices[0].multiprocessors = 0;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE,
                 "device 0 has 0 multiprocessors, expected at least 1",
                 module.prepare());
}

TEST_F(LaunchTest, ParameterBeyond32Bits) {
  nlohmann::json manifest = forwardManifest();
  manifest["kernels"][0]["params"][0]["value"] = {
      {"op", "mul"}, {"args", {"seqlen_q", 65536}}};
  EXPECT_FAILURE(FA3_ERROR_UNSUPPORTED,
                 "a parameter of kernel 'forward' is 4294967296",
                 Module(driver, packageOf(manifest))
                     .launch(nullptr, forwardProblem({1, 65536, 1, 1, 1}),
                             workspace, 4096));
}

TEST_F(LaunchTest, ChecksWhatCheckSupportChecks) {
  Problem problem = forwardProblem({2, 300, 4, 500, 2});
  problem[0].strides[1] = 516;
  EXPECT_FAILURE(FA3_ERROR_UNSUPPORTED, "expected a multiple of 16 bytes",
                 module.launch(nullptr, problem, workspace, 4096));
  EXPECT_EQ(state.launchCount, 0);
}

TEST_F(LaunchTest, ChecksAddresses) {
  Problem problem = forwardProblem({2, 300, 4, 500, 2});
  find(problem, "lse").data = nullptr;
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "the address of 'lse' is null",
                 module.launch(nullptr, problem, workspace, 4096));
}

TEST_F(LaunchTest, ChecksTheWorkspace) {
  const Problem problem = forwardProblem({2, 300, 4, 500, 2});
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT,
                 "the workspace has 2047 bytes, expected at least 2048",
                 module.launch(nullptr, problem, workspace, 2047));
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT,
                 "the workspace is null, expected 2048 bytes",
                 module.launch(nullptr, problem, nullptr, 2048));
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "expected a multiple of 256 bytes",
                 module.launch(nullptr, problem,
                               static_cast<char *>(workspace) + 128, 4096));
  nlohmann::json manifest = forwardManifest();
  manifest["workspace_tensors"][0]["offset"] = 2000;
  EXPECT_FAILURE(FA3_ERROR_INVALID_PACKAGE,
                 "'scratch' at byte 2000 does not fit the workspace of 2048",
                 Module(driver, packageOf(manifest))
                     .launch(nullptr, problem, workspace, 4096));
}

TEST_F(LaunchTest, ChecksTheDevice) {
  state.devices[0].major = 8;
  EXPECT_FAILURE(
      FA3_ERROR_NO_DEVICE, "compute capability 8.0",
      module.launch(nullptr, forwardProblem({2, 3, 4, 5, 2}), workspace, 4096));
}

TEST_F(LaunchTest, ReportsTheDriversErrors) {
  const Problem problem = forwardProblem({2, 300, 4, 500, 2});
  state.mapResult = cu::CUDA_ERROR_INVALID_VALUE;
  EXPECT_FAILURE(FA3_ERROR_DRIVER,
                 "encoding the tensor map of 'q' at 0x100000 for kernel "
                 "'forward' failed: CUDA_ERROR_INVALID_VALUE (1)",
                 module.launch(nullptr, problem, workspace, 4096));
  state.mapResult = cu::CUDA_SUCCESS;
  state.launchResult = cu::CUDA_ERROR_INVALID_VALUE;
  EXPECT_FAILURE(FA3_ERROR_DRIVER,
                 "launching kernel 'forward' with a grid of 24 x 1 x 1 blocks "
                 "of 384 threads and 147584 bytes of shared memory failed: "
                 "CUDA_ERROR_INVALID_VALUE (1): invalid argument",
                 module.launch(nullptr, problem, workspace, 4096));
}

TEST_F(LaunchTest, NullModule) {
  EXPECT_EQ(fa3_launch(nullptr, nullptr, nullptr, 0, nullptr, 0, nullptr),
            FA3_ERROR_INVALID_ARGUMENT);
}

/// After the first launch on a device, a launch asks for the device, encodes
/// maps and launches. Nothing else: so it neither allocates device memory nor
/// waits, and a graph can capture it.
TEST_F(LaunchTest, CallsOnlyWhatACaptureAllows) {
  const Problem problem = forwardProblem({2, 301, 4, 500, 2});
  module.prepare();
  for (std::atomic<int> &calls : control.calls)
    calls = 0;
  module.launch(nullptr, problem, workspace, 4096);
  EXPECT_EQ(control.callsOf(Call::cuCtxGetDevice), 1);
  EXPECT_EQ(control.callsOf(Call::cuTensorMapEncodeTiled), 2);
  EXPECT_EQ(control.callsOf(Call::cuLaunchKernelEx), 2);
  EXPECT_EQ(control.allCalls(), 5);
}

TEST_F(LaunchTest, IsCaptured) {
  const Package hostPackage = packageOf(hostManifest("attention", false));
  Module hostModule(driver, hostPackage);
  const Stream stream(driver);
  const int64_t elements = 128;
  std::vector<uint16_t> q(elements, 0x3f80);
  std::vector<uint16_t> o(elements, 0);
  float lse = 0;
  const std::vector<int64_t> sizes = {1, 1, 1, 128};
  const Problem problem = {
      tensor("q", q.data(), FA3_DTYPE_BF16, sizes),
      tensor("k", q.data(), FA3_DTYPE_BF16, sizes),
      tensor("v", q.data(), FA3_DTYPE_BF16, sizes),
      tensor("o", o.data(), FA3_DTYPE_BF16, sizes),
      tensor("lse", &lse, FA3_DTYPE_F32, {1, 1, 1}),
  };
  hostModule.prepare();
  const Graph graph(driver, stream,
                    [&] { hostModule.launch(stream.get(), problem); });
  EXPECT_EQ(o, std::vector<uint16_t>(elements, 0));
  for (int i = 0; i < 3; ++i) {
    std::ranges::fill(o, uint16_t{0});
    graph.launch(stream);
    EXPECT_EQ(o, q);
    EXPECT_NEAR(lse, 128 * 0.08838834764831845, 1e-4);
  }
}

TEST_F(LaunchTest, FailureInACaptureLeavesTheStreamUsable) {
  const Stream stream(driver);
  EXPECT_FAILURE(
      FA3_ERROR_INVALID_ARGUMENT, "tensor 'q' is missing",
      Graph(driver, stream, [&] { module.launch(stream.get(), {}); }));
  stream.synchronize();
}
