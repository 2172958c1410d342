//===- DriverTest.cpp - What the driver tests share -----------------------===//

#include "DriverTest.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace fa3::emulator::test {

namespace {

const std::string &diagnosticsFile() {
  static const std::string path =
      testing::TempDir() + "emulator_driver_test." + std::to_string(getpid());
  return path;
}

/// The environment is read at the first cuInit.
class Environment : public testing::Environment {
public:
  void SetUp() override {
    setenv("FA3_EMULATOR_DIAGNOSTICS", diagnosticsFile().c_str(), 1);
    setenv("FA3_EMULATOR_DEVICES", "2", 1);
    setenv("FA3_EMULATOR_MULTIPROCESSORS", "100", 1);
    unsetenv("FA3_EMULATOR_TRACE");
    EXPECT_EQ(cuDeviceGetCount(&before), CUDA_ERROR_NOT_INITIALIZED);
    EXPECT_EQ(cuMemAlloc_v2(&memory, 16), CUDA_ERROR_NOT_INITIALIZED);
    EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  }
  void TearDown() override { std::remove(diagnosticsFile().c_str()); }

private:
  int before = 0;
  CUdeviceptr memory = 0;
};

const auto *const environment =
    testing::AddGlobalTestEnvironment(new Environment);

} // namespace

// fill(buffer, value, count): one thread stores value to one word.
// stuck(): traps. shared(buffer): stores the dynamic shared memory's size.
// narrow(): at most 64 threads. exact(): exactly 64 threads.
// pair(): only in clusters of two blocks. statics(): 1024 bytes of static
// shared memory.
const char *const kKernels = R"(
.version 8.3
.target sm_90a
.address_size 64

.visible .entry fill(.param .u64 buffer, .param .u32 value, .param .u32 count)
{
    .reg .pred %p<2>;
    .reg .b32 %r<8>;
    .reg .b64 %rd<4>;
    ld.param.u64 %rd1, [buffer];
    ld.param.u32 %r1, [value];
    ld.param.u32 %r2, [count];
    mov.u32 %r3, %ctaid.x;
    mov.u32 %r4, %ntid.x;
    mov.u32 %r5, %tid.x;
    mad.lo.s32 %r6, %r3, %r4, %r5;
    setp.ge.u32 %p1, %r6, %r2;
    @%p1 bra DONE;
    mul.wide.u32 %rd2, %r6, 4;
    add.s64 %rd3, %rd1, %rd2;
    st.global.u32 [%rd3], %r1;
DONE:
    ret;
}

.visible .entry stuck()
{
    trap;
}

.visible .entry shared(.param .u64 buffer)
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [buffer];
    mov.u32 %r1, %dynamic_smem_size;
    st.global.u32 [%rd1], %r1;
    ret;
}

.visible .entry narrow()
.maxntid 64, 1, 1
{
    ret;
}

.visible .entry exact()
.reqntid 64, 1, 1
{
    ret;
}

.visible .entry pair()
.explicitcluster
.reqnctapercluster 2, 1, 1
{
    ret;
}

.visible .entry statics()
{
    .shared .align 16 .b8 tile[1024];
    red.shared.add.u32 [tile], 1;
    ret;
}
)";

void DriverTest::SetUp() {
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  takeDiagnostics();
}

void DriverTest::TearDown() {
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSetCurrent(nullptr), CUDA_SUCCESS);
}

Code::Code() {
  EXPECT_EQ(cuLibraryLoadData(&library, kKernels, nullptr, nullptr, 0, nullptr,
                              nullptr, 0),
            CUDA_SUCCESS);
}

Code::~Code() { EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS); }

CUkernel Code::kernel(const char *name) const {
  CUkernel kernel = nullptr;
  EXPECT_EQ(cuLibraryGetKernel(&kernel, library, name), CUDA_SUCCESS) << name;
  return kernel;
}

CUfunction Code::function(const char *name) const {
  CUfunction function = nullptr;
  EXPECT_EQ(cuKernelGetFunction(&function, kernel(name)), CUDA_SUCCESS);
  return function;
}

Buffer::Buffer(size_t bytes) : bytes(bytes) {
  EXPECT_EQ(cuMemAlloc_v2(&address, bytes), CUDA_SUCCESS);
}

// A lost context does not free; its end does.
Buffer::~Buffer() { cuMemFree_v2(address); }

std::vector<uint32_t> Buffer::words() const {
  std::vector<uint32_t> result(bytes / 4);
  EXPECT_EQ(cuMemcpyDtoH_v2(result.data(), address, bytes), CUDA_SUCCESS);
  return result;
}

CUresult launchFill(const Code &code, CUdeviceptr address, uint32_t value,
                    uint32_t count, CUstream stream) {
  void *arguments[] = {&address, &value, &count};
  return cuLaunchKernel(code.function("fill"), (count + 31) / 32, 1, 1, 32, 1,
                        1, 0, stream, arguments, nullptr);
}

std::string takeDiagnostics() {
  std::ostringstream text;
  text << std::ifstream(diagnosticsFile()).rdbuf();
  std::ofstream(diagnosticsFile(), std::ios::trunc);
  return text.str();
}

} // namespace fa3::emulator::test
