//===- allocation_test.cpp - A launch does not allocate -------------------===//
//
// Replaces the C library's allocator for this program, so that every
// allocation by anyone is seen, whatever library makes it.
//
//===----------------------------------------------------------------------===//

#include "fixture.h"

#include <cstdlib>

using namespace fa3;
using namespace fa3::test;

static thread_local int allocations = 0;

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *pointer, size_t size) {
  ++allocations;
  return __libc_realloc(pointer, size);
}
}

class AllocationTest : public FakeDriverTest {};

TEST_F(AllocationTest, LaunchDoesNotAllocate) {
  state.deviceCount = 2;
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  void *workspace = reinterpret_cast<void *>(uintptr_t{9} << 20);
  const auto problem = forwardProblem({2, 301, 4, 500, 2});
  const auto wrong = forwardProblem({2, 301, 3, 500, 2});
  fa3_error error;
  // The first launch on a device configures it, without allocating either.
  for (int device : {0, 1, 0, 1}) {
    const Context context(driver, device);
    const int before = allocations;
    const fa3_status status = fa3_launch(module.get(), nullptr, problem.data(),
                                         5, workspace, 4096, &error);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(status, FA3_SUCCESS) << error.message;
    const fa3_status refused = fa3_launch(module.get(), nullptr, wrong.data(),
                                          5, workspace, 4096, &error);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(refused, FA3_ERROR_UNSUPPORTED);
    state.launchResult = cu::CUDA_ERROR_INVALID_VALUE;
    const fa3_status failed = fa3_launch(module.get(), nullptr, problem.data(),
                                         5, workspace, 4096, &error);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(failed, FA3_ERROR_DRIVER);
    state.launchResult = cu::CUDA_SUCCESS;
  }
  EXPECT_EQ(state.launchCount, 8);
}

TEST_F(AllocationTest, CountsAllocations) {
  const int before = allocations;
  void *volatile allocated = std::malloc(8);
  std::free(allocated);
  EXPECT_EQ(allocations, before + 1);
}
