//===- MemoryTest.cpp - Allocation, copies and fills ----------------------===//

#include "DriverTest.h"

#include <numeric>

namespace fa3::emulator::test {

TEST_F(DriverTest, Allocate) {
  size_t free = 0, total = 0;
  EXPECT_EQ(cuMemGetInfo_v2(&free, &total), CUDA_SUCCESS);
  EXPECT_EQ(free, total);
  CUdeviceptr first = 0, second = 0;
  EXPECT_EQ(cuMemAlloc_v2(&first, 1000), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&second, 1000), CUDA_SUCCESS);
  EXPECT_EQ(first % 512, 0u);
  EXPECT_NE(first % 1024, 0u) << "no more aligned than a real device's";
  EXPECT_EQ(cuMemGetInfo_v2(&free, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(free, total - 2000);
  EXPECT_EQ(cuMemFree_v2(first), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(first), CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(takeDiagnostics().find("invalid-free"), std::string::npos);
  EXPECT_EQ(cuMemFree_v2(second + 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(second), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&first, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(nullptr, 16), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(&first, total + 1), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc_v2(&first, SIZE_MAX), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(DriverTest, NewMemoryIsPoisoned) {
  for (size_t bytes : {size_t(64), size_t(40) << 20}) {
    Buffer buffer(bytes);
    for (uint32_t word : buffer.words())
      ASSERT_EQ(word, 0xFFFFFFFFu);
  }
}

TEST_F(DriverTest, LargeMemoryCostsOnlyWhatIsWritten) {
  // Far more than the machines that run this test have.
  Buffer buffer(size_t(70) << 30);
  const uint32_t value = 5;
  EXPECT_EQ(cuMemcpyHtoD_v2(buffer.address + buffer.bytes - 4, &value, 4),
            CUDA_SUCCESS);
  uint32_t read[2] = {};
  EXPECT_EQ(cuMemcpyDtoH_v2(read, buffer.address + buffer.bytes - 8, 8),
            CUDA_SUCCESS);
  EXPECT_EQ(read[0], 0xFFFFFFFFu);
  EXPECT_EQ(read[1], 5u);
}

TEST_F(DriverTest, AddressesComeBackLate) {
  CUdeviceptr first = 0, next = 0;
  ASSERT_EQ(cuMemAlloc_v2(&first, 64), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(first), CUDA_SUCCESS);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(cuMemAlloc_v2(&next, 64), CUDA_SUCCESS);
    EXPECT_NE(next, first);
    EXPECT_EQ(cuMemFree_v2(next), CUDA_SUCCESS);
  }
  uint32_t word = 0;
  EXPECT_EQ(cuMemcpyDtoH_v2(&word, first, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(takeDiagnostics().find("use-after-free"), std::string::npos);
}

TEST_F(DriverTest, AddressesAreFoundAgainWhenAllWereUsed) {
  // Together more than the address range of the device.
  CUdeviceptr kept = 0;
  ASSERT_EQ(cuMemAlloc_v2(&kept, 64), CUDA_SUCCESS);
  for (int i = 0; i < 20; ++i) {
    CUdeviceptr memory = 0;
    ASSERT_EQ(cuMemAlloc_v2(&memory, size_t(30) << 30), CUDA_SUCCESS) << i;
    ASSERT_EQ(cuMemFree_v2(memory), CUDA_SUCCESS);
  }
  EXPECT_EQ(cuMemsetD8_v2(kept, 0, 64), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(kept), CUDA_SUCCESS);
}

TEST_F(DriverTest, AddressRange) {
  Buffer buffer(1000);
  CUdeviceptr base = 0;
  size_t bytes = 0;
  EXPECT_EQ(cuMemGetAddressRange_v2(&base, &bytes, buffer.address + 999),
            CUDA_SUCCESS);
  EXPECT_EQ(base, buffer.address);
  EXPECT_EQ(bytes, 1000u);
  EXPECT_EQ(cuMemGetAddressRange_v2(&base, &bytes, buffer.address + 1000),
            CUDA_ERROR_NOT_FOUND);
}

TEST_F(DriverTest, Copies) {
  std::vector<uint32_t> data(100), back(100);
  std::iota(data.begin(), data.end(), 1);
  Buffer a(400), b(400);
  EXPECT_EQ(cuMemcpyHtoD_v2(a.address, data.data(), 400), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoD_v2(b.address, a.address, 400), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoH_v2(back.data(), b.address, 400), CUDA_SUCCESS);
  EXPECT_EQ(back, data);
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  data[7] = 99;
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(a.address, data.data(), 400, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(b.address + 4, a.address, 396, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(back.data(), b.address, 400, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(back[8], 99u);
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_SUCCESS);
}

TEST_F(DriverTest, CopiesAreChecked) {
  Buffer buffer(100);
  char data[256] = {};
  EXPECT_EQ(cuMemcpyHtoD_v2(buffer.address, data, 101),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(takeDiagnostics().find("out-of-bounds"), std::string::npos);
  EXPECT_EQ(cuMemcpyDtoH_v2(data, buffer.address - 1, 4),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(data, 0, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(buffer.address, nullptr, 4),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(nullptr, buffer.address, 4),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoD_v2(buffer.address + 60, buffer.address, 50),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(buffer.address, data, 200, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(0, nullptr, 0), CUDA_SUCCESS) << "nothing to copy";
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(buffer.address, data, 4,
                                 reinterpret_cast<CUstream>(&buffer)),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverTest, Fills) {
  Buffer buffer(16);
  using Words = std::vector<uint32_t>;
  EXPECT_EQ(cuMemsetD32_v2(buffer.address, 0x12345678, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD16_v2(buffer.address + 2, 0xabcd, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(buffer.address + 15, 0xee, 1), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words(),
            (Words{0xabcd5678, 0x12345678, 0x12345678, 0xee345678}));
  EXPECT_EQ(cuMemsetD8Async(buffer.address, 1, 16, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD16Async(buffer.address, 2, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32Async(buffer.address + 12, 3, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(buffer.words(), (Words{0x00020002, 0x01010101, 0x01010101, 3}));
  EXPECT_EQ(cuMemsetD16_v2(buffer.address + 1, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(buffer.address + 2, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(buffer.address, 0, 5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(buffer.address, 0, SIZE_MAX / 2),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD8Async(buffer.address, 0, 17, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(buffer.address, 0, 0), CUDA_SUCCESS);
}

TEST_F(DriverTest, MemoryOfAnotherDevice) {
  Buffer buffer(16);
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxPushCurrent_v2(other), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8_v2(buffer.address, 0, 16), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuCtxPopCurrent_v2(nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(1), CUDA_SUCCESS);
}

} // namespace fa3::emulator::test
