//===- GraphTest.cpp - Stream capture and graphs --------------------------===//

#include "DriverTest.h"

#include <thread>

namespace fa3::emulator::test {

namespace {

class GraphTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamDestroy_v2(second), CUDA_SUCCESS);
    DriverTest::TearDown();
  }

  CUresult begin(CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
    return cuStreamBeginCapture_v2(stream, mode);
  }
  /// Ends the capture and drops what it recorded.
  CUresult end() {
    CUgraph graph = nullptr;
    CUresult result = cuStreamEndCapture(stream, &graph);
    if (graph)
      EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
    return result;
  }
  CUstreamCaptureStatus status() {
    CUstreamCaptureStatus result = -1;
    EXPECT_EQ(cuStreamIsCapturing(stream, &result), CUDA_SUCCESS);
    return result;
  }

  CUstream stream = nullptr, second = nullptr;
};

} // namespace

TEST_F(GraphTest, CaptureAndReplay) {
  Code code;
  Buffer a(16), b(16);
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_NONE);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(begin(), CUDA_ERROR_ILLEGAL_STATE);
  EXPECT_EQ(cuMemsetD32Async(a.address, 1, 4, stream), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, a.address, 2, 3, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(b.address, a.address, 16, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, a.address, 3, 4, stream), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  using Words = std::vector<uint32_t>;
  EXPECT_EQ(b.words(), Words(4, 0xFFFFFFFF)) << "captured work does not run";
  size_t nodes = 0;
  EXPECT_EQ(cuGraphGetNodes(graph, nullptr, &nodes), CUDA_SUCCESS);
  EXPECT_EQ(nodes, 4u);
  CUgraphExec executable = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_ERROR_INVALID_VALUE);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cuMemsetD32_v2(b.address, 9, 4), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphLaunch(executable, stream), CUDA_SUCCESS);
    EXPECT_EQ(b.words(), (Words{2, 2, 2, 1}));
    EXPECT_EQ(a.words(), Words(4, 3));
  }
  EXPECT_EQ(cuGraphExecDestroy(executable), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(executable), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphLaunch(executable, stream), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, WrongLaunchesAreRefusedDuringCapture) {
  Code code;
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuLaunchKernel(code.function("narrow"), 1, 1, 1, 128, 1, 1, 0,
                           stream, nullptr, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(end(), CUDA_SUCCESS);
}

TEST_F(GraphTest, WaitingSpoilsACapture) {
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(cuMemsetD8Async(0x1000, 0, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(end(), CUDA_ERROR_ILLEGAL_STATE);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(GraphTest, AllocatingSpoilsACapture) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&memory, 16), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(begin(CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&memory, 16), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(memory), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
  mode = 3;
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, OtherThreads) {
  auto allocateElsewhere = [this] {
    CUresult result = CUDA_SUCCESS;
    std::thread([&] {
      CUdeviceptr memory = 0;
      EXPECT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
      result = cuMemAlloc_v2(&memory, 16);
    }).join();
    return result;
  };
  ASSERT_EQ(begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  EXPECT_EQ(allocateElsewhere(), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  ASSERT_EQ(begin(CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  EXPECT_EQ(allocateElsewhere(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  std::thread([this] {
    EXPECT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  }).join();
  EXPECT_EQ(end(), CUDA_SUCCESS);
}

TEST_F(GraphTest, NullStream) {
  Code code;
  Buffer buffer(16);
  EXPECT_EQ(cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUstream blocking = nullptr;
  ASSERT_EQ(cuStreamCreate(&blocking, CU_STREAM_DEFAULT), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED),
            CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, buffer.address, 1, 1),
            CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(blocking, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(cuStreamDestroy_v2(blocking), CUDA_SUCCESS);
  // A non-blocking stream does not order with the null stream.
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, buffer.address, 1, 1), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
}

TEST_F(GraphTest, EventsForkAndJoin) {
  Code code;
  Buffer buffer(16);
  CUevent fork = nullptr, join = nullptr;
  ASSERT_EQ(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(fork, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(second, fork, 0), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, buffer.address, 5, 4, second), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(second, &graph),
            CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(cuEventRecord(join, second), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(stream, join, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  CUgraphExec executable = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(executable, stream), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words(), std::vector<uint32_t>(4, 5));
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(executable), CUDA_SUCCESS);

  // Without the join the capture cannot end well.
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(fork, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(second, fork, 0), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, buffer.address, 5, 4, second), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(fork), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(fork, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(second, fork, 0), CUDA_SUCCESS);
  EXPECT_EQ(launchFill(code, buffer.address, 5, 4, second), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);

  // An event from outside the capture.
  EXPECT_EQ(cuEventRecord(join, second), CUDA_SUCCESS);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(stream, join, 0),
            CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuEventDestroy_v2(fork), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy_v2(join), CUDA_SUCCESS);
}

TEST_F(GraphTest, ReplayAfterItsMemoryIsGone) {
  Buffer kept(16);
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc_v2(&memory, 16), CUDA_SUCCESS);
  ASSERT_EQ(begin(), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(kept.address, memory, 16, stream),
            CUDA_SUCCESS);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  CUgraphExec executable = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(memory), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(executable, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_NE(takeDiagnostics().find("use-after-free"), std::string::npos);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(executable), CUDA_SUCCESS);
}

} // namespace fa3::emulator::test
