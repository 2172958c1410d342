//===- LibraryTest.cpp - Loading PTX; attributes of kernels ---------------===//

#include "DriverTest.h"

#include <cstring>

namespace fa3::emulator::test {

namespace {

CUresult load(const void *image, CUlibrary *library) {
  return cuLibraryLoadData(library, image, nullptr, nullptr, 0, nullptr,
                           nullptr, 0);
}

} // namespace

TEST_F(DriverTest, LoadAndFind) {
  Code code;
  CUkernel kernel = nullptr;
  EXPECT_EQ(cuLibraryGetKernel(&kernel, code.library, "fill"), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryGetKernel(&kernel, code.library, "fil"),
            CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuLibraryGetKernel(nullptr, code.library, "fill"),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLibraryGetKernel(&kernel, nullptr, "fill"),
            CUDA_ERROR_INVALID_HANDLE);
  unsigned count = 0;
  EXPECT_EQ(cuLibraryGetKernelCount(&count, code.library), CUDA_SUCCESS);
  EXPECT_EQ(count, 7u);
  const char *name = nullptr;
  EXPECT_EQ(cuKernelGetName(&name, code.kernel("pair")), CUDA_SUCCESS);
  EXPECT_STREQ(name, "pair");
  EXPECT_EQ(cuFuncGetName(&name, code.function("narrow")), CUDA_SUCCESS);
  EXPECT_STREQ(name, "narrow");
  EXPECT_EQ(code.function("fill"), code.function("fill"));
}

TEST_F(DriverTest, Parameters) {
  Code code;
  size_t offset = 99, size = 99;
  EXPECT_EQ(cuKernelGetParamInfo(code.kernel("fill"), 2, &offset, &size),
            CUDA_SUCCESS);
  EXPECT_EQ(offset, 12u);
  EXPECT_EQ(size, 4u);
  EXPECT_EQ(cuFuncGetParamInfo(code.function("fill"), 0, &offset, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(offset, 0u);
  EXPECT_EQ(cuKernelGetParamInfo(code.kernel("fill"), 3, &offset, &size),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, MachineCodeIsRefused) {
  CUlibrary library = nullptr;
  EXPECT_EQ(load("\x7f"
                 "ELF\x02\x01\x01",
                 &library),
            CUDA_ERROR_NO_BINARY_FOR_GPU);
  const uint32_t fat[] = {0xba55ed50, 0}, wrapper[] = {0x466243b1, 1};
  EXPECT_EQ(load(fat, &library), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(load(wrapper, &library), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(load(nullptr, &library), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(load(kKernels, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, BadPtxIsExplained) {
  const char *text = ".version 8.3\n.target sm_90a\n.address_size 64\n"
                     ".visible .entry k()\n{\n    frobnicate.u32;\n}\n";
  char log[512] = {};
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER,
                            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log))};
  CUlibrary library = nullptr;
  EXPECT_EQ(cuLibraryLoadData(&library, text, options, values, 2, nullptr,
                              nullptr, 0),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(std::strstr(log, "frobnicate"), nullptr) << log;
  EXPECT_NE(std::strstr(log, "6"), nullptr) << "the line: " << log;
  EXPECT_EQ(reinterpret_cast<size_t>(values[1]), std::strlen(log));
  EXPECT_NE(takeDiagnostics().find("frobnicate"), std::string::npos);

  // A short buffer is filled and terminated.
  char small[8];
  std::memset(small, 'x', sizeof(small));
  void *smallValues[] = {small, reinterpret_cast<void *>(sizeof(small))};
  EXPECT_EQ(cuLibraryLoadData(&library, text, options, smallValues, 2, nullptr,
                              nullptr, 0),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(small[7], '\0');
  EXPECT_EQ(reinterpret_cast<size_t>(smallValues[1]), 7u);

  EXPECT_EQ(load("", &library), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(load("no", &library), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuLibraryLoadData(&library, text, nullptr, nullptr, 2, nullptr,
                              nullptr, 0),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, VersionsAndTargets) {
  auto loadFor = [](const std::string &version, const std::string &target) {
    CUlibrary library = nullptr;
    CUresult result = load((".version " + version + "\n.target " + target +
                            "\n.address_size 64\n.visible .entry k()\n{\nret;"
                            "\n}\n")
                               .c_str(),
                           &library);
    if (result == CUDA_SUCCESS)
      EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
    return result;
  };
  EXPECT_EQ(loadFor("8.3", "sm_90a"), CUDA_SUCCESS);
  EXPECT_EQ(loadFor("8.0", "sm_80"), CUDA_SUCCESS);
  EXPECT_EQ(loadFor("9.0", "sm_90"), CUDA_SUCCESS);
  EXPECT_EQ(loadFor("99.9", "sm_90a"), CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  EXPECT_EQ(loadFor("8.6", "sm_100"), CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(loadFor("8.6", "sm_100a"), CUDA_ERROR_INVALID_PTX);
}

TEST_F(DriverTest, Attributes) {
  Code code;
  auto get = [&](const char *name, CUfunction_attribute attribute) {
    int value = -99;
    EXPECT_EQ(cuKernelGetAttribute(&value, attribute, code.kernel(name), 0),
              CUDA_SUCCESS);
    int same = -99;
    EXPECT_EQ(cuFuncGetAttribute(&same, attribute, code.function(name)),
              CUDA_SUCCESS);
    EXPECT_EQ(value, same);
    return value;
  };
  EXPECT_EQ(get("fill", CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
  EXPECT_EQ(get("narrow", CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 64);
  EXPECT_EQ(get("exact", CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 64);
  EXPECT_EQ(get("statics", CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 1024);
  EXPECT_EQ(get("fill", CU_FUNC_ATTRIBUTE_BINARY_VERSION), 90);
  EXPECT_EQ(get("pair", CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET), 1);
  EXPECT_EQ(get("pair", CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH), 2);
  EXPECT_EQ(get("narrow", CU_FUNC_ATTRIBUTE_NUM_REGS), 255);
  EXPECT_EQ(get("fill", CU_FUNC_ATTRIBUTE_NUM_REGS), 64);
  EXPECT_EQ(get("fill", CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES),
            49152);
  EXPECT_EQ(get("statics", CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES),
            48128);

  auto set = [&](CUfunction_attribute attribute, int value) {
    return cuKernelSetAttribute(attribute, value, code.kernel("statics"), 0);
  };
  constexpr auto shared = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
  EXPECT_EQ(set(shared, 232448 - 1024), CUDA_SUCCESS);
  EXPECT_EQ(get("statics", shared), 232448 - 1024);
  EXPECT_EQ(set(shared, 232448), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(set(shared, -1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(set(CU_FUNC_ATTRIBUTE_NUM_REGS, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(set(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 101),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(set(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 100),
            CUDA_SUCCESS);
  EXPECT_EQ(set(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1),
            CUDA_SUCCESS);
  EXPECT_EQ(cuFuncSetAttribute(code.function("fill"), shared, 100000),
            CUDA_SUCCESS);
  EXPECT_EQ(get("fill", shared), 100000);
  int value;
  EXPECT_EQ(cuKernelGetAttribute(&value, shared, code.kernel("fill"), 1),
            CUDA_SUCCESS);
  EXPECT_EQ(value, 49152) << "attributes belong to one device";
  EXPECT_EQ(cuKernelGetAttribute(&value, shared, code.kernel("fill"), 2),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuKernelGetAttribute(&value, 99, code.kernel("fill"), 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuKernelGetAttribute(nullptr, shared, code.kernel("fill"), 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(nullptr, shared, 0), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverTest, UnloadedHandlesAreInvalid) {
  CUlibrary library = nullptr;
  ASSERT_EQ(load(kKernels, &library), CUDA_SUCCESS);
  CUkernel kernel = nullptr;
  CUfunction function = nullptr;
  ASSERT_EQ(cuLibraryGetKernel(&kernel, library, "narrow"), CUDA_SUCCESS);
  ASSERT_EQ(cuKernelGetFunction(&function, kernel), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(
      cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
      CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuKernelGetFunction(&function, kernel), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverTest, Modules) {
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kKernels), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&function, module, "narrow"), CUDA_SUCCESS);
  EXPECT_EQ(
      cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
      CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&function, module, "none"),
            CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
}

} // namespace fa3::emulator::test
