//===- ThreadTest.cpp - The driver from several threads -------------------===//

#include "DriverTest.h"

#include <atomic>
#include <thread>

namespace fa3::emulator::test {

namespace {

template <typename Body> void runThreads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] { body(i); });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace

TEST_F(DriverTest, EightThreadsLaunch) {
  Code code;
  runThreads(8, [&](int index) {
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    CUstream stream = nullptr;
    ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    for (uint32_t i = 0; i < 20; ++i) {
      Buffer buffer(4 * 64);
      EXPECT_EQ(launchFill(code, buffer.address, 100 * index + i, 64, stream),
                CUDA_SUCCESS);
      std::vector<uint32_t> words(64);
      EXPECT_EQ(cuMemcpyDtoHAsync_v2(words.data(), buffer.address, 256, stream),
                CUDA_SUCCESS);
      EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
      EXPECT_EQ(words, std::vector<uint32_t>(64, 100 * index + i));
    }
    EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
  });
}

TEST_F(DriverTest, OneStreamKeepsOrder) {
  Code code;
  Buffer buffer(4 * 32);
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  runThreads(4, [&](int index) {
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(launchFill(code, buffer.address, index, 32, stream),
                CUDA_SUCCESS);
  });
  const std::vector<uint32_t> words = buffer.words();
  EXPECT_EQ(words, std::vector<uint32_t>(32, words[0])) << "launches overlap";
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
}

TEST_F(DriverTest, TwoDevicesAtOnce) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  Code code;
  CUcontext both[] = {context, other};
  runThreads(2, [&](int index) {
    ASSERT_EQ(cuCtxSetCurrent(both[index]), CUDA_SUCCESS);
    for (uint32_t i = 0; i < 10; ++i) {
      Buffer buffer(64);
      EXPECT_EQ(launchFill(code, buffer.address, i, 16), CUDA_SUCCESS);
      EXPECT_EQ(buffer.words(), std::vector<uint32_t>(16, i));
    }
  });
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(1), CUDA_SUCCESS);
}

TEST_F(DriverTest, LoadsAndUnloadsInParallel) {
  runThreads(4, [&](int) {
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    for (int i = 0; i < 5; ++i) {
      Code code;
      EXPECT_EQ(cuLaunchKernel(code.function("narrow"), 2, 1, 1, 32, 1, 1, 0,
                               nullptr, nullptr, nullptr),
                CUDA_SUCCESS);
    }
  });
}

} // namespace fa3::emulator::test
