//===- LaunchTest.cpp - What a launch checks and does ---------------------===//

#include "DriverTest.h"

namespace fa3::emulator::test {

namespace {

struct Shape {
  unsigned gridX = 1, gridY = 1, gridZ = 1;
  unsigned blockX = 32, blockY = 1, blockZ = 1;
  unsigned shared = 0;
};

/// Launches a kernel without parameters.
CUresult launch(const Code &code, const char *name, Shape s,
                CUlaunchAttribute *attributes = nullptr, unsigned count = 0) {
  CUlaunchConfig config{s.gridX,  s.gridY,  s.gridZ, s.blockX,   s.blockY,
                        s.blockZ, s.shared, nullptr, attributes, count};
  return cuLaunchKernelEx(&config, code.function(name), nullptr, nullptr);
}

CUlaunchAttribute clusterAttribute(unsigned x, unsigned y, unsigned z) {
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {x, y, z};
  return attribute;
}

} // namespace

TEST_F(DriverTest, LaunchWrites) {
  Code code;
  Buffer buffer(400);
  EXPECT_EQ(launchFill(code, buffer.address, 42, 99), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  std::vector<uint32_t> expected(100, 42);
  expected[99] = 0xFFFFFFFF;
  EXPECT_EQ(buffer.words(), expected);
}

TEST_F(DriverTest, LaunchTakesKernelHandles) {
  Code code;
  EXPECT_EQ(cuLaunchKernel(reinterpret_cast<CUfunction>(code.kernel("narrow")),
                           1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(
      cuLaunchKernel(nullptr, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
      CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(
      cuLaunchKernelEx(nullptr, code.function("narrow"), nullptr, nullptr),
      CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, LaunchDimensions) {
  Code code;
  constexpr auto invalid = CUDA_ERROR_INVALID_VALUE;
  EXPECT_EQ(launch(code, "narrow", {2, 3, 4, 4, 4, 4}), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 0}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.gridZ = 0}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.blockX = 0}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 0x80000000}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.gridY = 65536}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.gridZ = 65536}), invalid);
  EXPECT_EQ(launch(code, "statics", {.blockX = 1024}), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "statics", {.blockX = 1025}), invalid);
  EXPECT_EQ(launch(code, "statics", {.blockX = 512, .blockY = 4}), invalid);
  EXPECT_EQ(launch(code, "statics", {.blockX = 1, .blockZ = 65}), invalid);
  EXPECT_EQ(launch(code, "narrow", {.blockX = 64}), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "narrow", {.blockX = 96}), invalid);
  EXPECT_EQ(launch(code, "exact", {.blockX = 64}), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "exact", {.blockX = 32}), invalid);
  EXPECT_NE(takeDiagnostics().find(".reqntid"), std::string::npos);
}

TEST_F(DriverTest, LaunchSharedMemory) {
  Code code;
  Buffer buffer(4);
  void *arguments[] = {&buffer.address};
  auto run = [&](unsigned bytes) {
    return cuLaunchKernel(code.function("shared"), 1, 1, 1, 1, 1, 1, bytes,
                          nullptr, arguments, nullptr);
  };
  EXPECT_EQ(run(49152), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words()[0], 49152u);
  EXPECT_EQ(run(49153), CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(takeDiagnostics().find("MAX_DYNAMIC_SHARED_SIZE_BYTES"),
            std::string::npos);
  EXPECT_EQ(cuFuncSetAttribute(code.function("shared"),
                               CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               232448),
            CUDA_SUCCESS);
  EXPECT_EQ(run(232448), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words()[0], 232448u);
  EXPECT_EQ(run(232449), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, LaunchClusters) {
  Code code;
  constexpr auto invalid = CUDA_ERROR_INVALID_CLUSTER_SIZE;
  CUlaunchAttribute two = clusterAttribute(2, 1, 1);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 4}, &two, 1), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 3}, &two, 1), invalid);
  EXPECT_EQ(launch(code, "pair", {.gridX = 4}, &two, 1), CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "pair", {.gridX = 4}), CUDA_SUCCESS)
      << "the kernel says its cluster size";
  CUlaunchAttribute four = clusterAttribute(4, 1, 1);
  EXPECT_EQ(launch(code, "pair", {.gridX = 4}, &four, 1), invalid);
  CUlaunchAttribute sixteen = clusterAttribute(16, 1, 1);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 16}, &sixteen, 1), invalid);
  EXPECT_EQ(cuFuncSetAttribute(
                code.function("narrow"),
                CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1),
            CUDA_SUCCESS);
  EXPECT_EQ(launch(code, "narrow", {.gridX = 16}, &sixteen, 1), CUDA_SUCCESS);
  CUlaunchAttribute none = clusterAttribute(0, 1, 1);
  EXPECT_EQ(launch(code, "narrow", {}, &none, 1), invalid);
}

TEST_F(DriverTest, LaunchAttributes) {
  Code code;
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  attribute.value.programmaticStreamSerializationAllowed = 1;
  EXPECT_EQ(launch(code, "narrow", {}, &attribute, 1), CUDA_SUCCESS);
  attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attribute.value.cooperative = 1;
  EXPECT_EQ(launch(code, "narrow", {.gridX = 100}, &attribute, 1),
            CUDA_SUCCESS);
  EXPECT_NE(launch(code, "narrow", {.gridX = 101}, &attribute, 1),
            CUDA_SUCCESS);
  attribute.id = 77;
  EXPECT_EQ(launch(code, "narrow", {}, &attribute, 1),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(launch(code, "narrow", {}, nullptr, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, LaunchParameters) {
  Code code;
  Buffer buffer(16);
  CUfunction fill = code.function("fill");
  auto run = [&](void **parameters, void **extra) {
    return cuLaunchKernel(fill, 1, 1, 1, 32, 1, 1, 0, nullptr, parameters,
                          extra);
  };
  struct {
    CUdeviceptr address;
    uint32_t value, count;
  } block{buffer.address, 7, 4};
  size_t size = sizeof(block);
  void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &block,
                   CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
  EXPECT_EQ(run(nullptr, extra), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words(), std::vector<uint32_t>(4, 7));
  size = 12;
  EXPECT_EQ(run(nullptr, extra), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  void *holes[] = {&block.address, nullptr, &block.count};
  EXPECT_EQ(run(holes, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(holes, extra), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, LaunchOutOfBounds) {
  Code code;
  CUfunction narrow = code.function("narrow");
  {
    Buffer buffer(100);
    EXPECT_EQ(launchFill(code, buffer.address, 1, 26), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_EQ(
        cuLaunchKernel(narrow, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
        CUDA_ERROR_ILLEGAL_ADDRESS)
        << "nothing runs in a lost context";
  }
  const std::string text = takeDiagnostics();
  EXPECT_NE(text.find("\"kind\":\"out-of-bounds\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"kernel\":\"fill\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"thread\":25"), std::string::npos) << text;
}

TEST_F(DriverTest, LaunchUseAfterFree) {
  Code code;
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc_v2(&memory, 64), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFree_v2(memory), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, memory, 1, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_NE(takeDiagnostics().find("use-after-free"), std::string::npos);
}

TEST_F(DriverTest, LaunchMisaligned) {
  Code code;
  Buffer buffer(64);
  EXPECT_EQ(launchFill(code, buffer.address + 2, 1, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_MISALIGNED_ADDRESS);
}

} // namespace fa3::emulator::test
