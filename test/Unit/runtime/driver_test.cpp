//===- driver_test.cpp - Opening drivers and loading code -----------------===//

#include "fixture.h"

#include <cstdlib>

using namespace fa3;
using namespace fa3::test;
using fake::Call;

class DriverTest : public FakeDriverTest {};
class ModuleTest : public FakeDriverTest {};

/// Sets an environment variable for the life of the object.
class Environment {
public:
  Environment(const char *name, const std::string &value) : name(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { unsetenv(name); }

private:
  const char *name;
};

TEST_F(DriverTest, OpensAPath) {
  const Driver driver(fakeDriverPath());
  EXPECT_EQ(driver.version(), 12080);
  EXPECT_EQ(driver.path(), fakeDriverPath());
  EXPECT_EQ(driver.deviceCount(), 1);
  const fa3_device_info info = driver.device(0);
  EXPECT_STREQ(info.name, "Fake GPU");
  EXPECT_EQ(info.compute_capability, 90);
  EXPECT_EQ(info.multiprocessor_count, 132);
  EXPECT_EQ(info.shared_memory_per_block, 232448);
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE, "no device 1, the driver sees 1",
                 driver.device(1));
}

TEST_F(DriverTest, OpensTheEnvironmentsChoice) {
  const Environment chosen("FA3_DRIVER", fakeDriverPath());
  EXPECT_EQ(Driver().path(), fakeDriverPath());
}

TEST_F(DriverTest, IsMissing) {
  EXPECT_FAILURE(FA3_ERROR_NO_DRIVER,
                 "cannot open the CUDA driver '/nonexistent.so'",
                 Driver("/nonexistent.so"));
  EXPECT_EQ(fa3_driver_open("x", nullptr, nullptr), FA3_ERROR_INVALID_ARGUMENT);
}

TEST_F(DriverTest, LacksAFunction) {
  EXPECT_FAILURE(FA3_ERROR_NO_DRIVER,
                 "has no function 'cuGetErrorName'; it is too old",
                 Driver{oldDriverPath()});
}

TEST_F(DriverTest, SeesNoDevice) {
  state.initResult = cu::CUDA_ERROR_NO_DEVICE;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE, "sees no device",
                 Driver{fakeDriverPath()});
  state.initResult = cu::CUDA_SUCCESS;
  state.deviceCount = 0;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE, "sees no device",
                 Driver{fakeDriverPath()});
}

TEST_F(DriverTest, FailsToInitialize) {
  state.initResult = static_cast<cu::CUresult>(999);
  EXPECT_FAILURE(FA3_ERROR_DRIVER, "failed: unknown driver error (999)",
                 Driver{fakeDriverPath()});
}

TEST_F(DriverTest, AllocatesAndCopies) {
  const Driver driver(fakeDriverPath());
  EXPECT_FAILURE(FA3_ERROR_DRIVER, "allocating 8 bytes",
                 DeviceMemory(driver, 8));
  Context context(driver);
  DeviceMemory memory(driver, 8);
  memory.fill(7);
  const uint8_t written[] = {1, 2};
  memory.copyFromHost(written, 2, 3);
  uint8_t read[8];
  memory.copyToHost(read, 8);
  EXPECT_THAT(read, testing::ElementsAre(7, 7, 7, 1, 2, 7, 7, 7));
  EXPECT_THROW(memory.copyToHost(read, 8, 1), std::out_of_range);
  state.allocationResult = cu::CUDA_ERROR_OUT_OF_MEMORY;
  EXPECT_FAILURE(FA3_ERROR_OUT_OF_MEMORY,
                 "allocating 16 bytes of device memory failed: "
                 "CUDA_ERROR_OUT_OF_MEMORY (2): out of memory",
                 DeviceMemory(driver, 16));
  size_t free = 0;
  size_t total = 0;
  EXPECT_EQ(fa3_memory_info(driver.get(), &free, &total, nullptr), FA3_SUCCESS);
  EXPECT_EQ(total, size_t{2} << 30);
}

TEST_F(DriverTest, NullHandles) {
  fa3_error error;
  int count = 0;
  void *handle = nullptr;
  EXPECT_EQ(fa3_device_count(nullptr, &count, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_memory_allocate(nullptr, 1, &handle, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_stream_create(nullptr, &handle, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(fa3_context_make_current(nullptr, &error),
            FA3_ERROR_INVALID_ARGUMENT);
  fa3_driver_close(nullptr);
  fa3_package_destroy(nullptr);
  fa3_module_destroy(nullptr);
  fa3_context_destroy(nullptr);
  fa3_memory_free(nullptr, nullptr);
  fa3_stream_destroy(nullptr, nullptr);
  fa3_graph_destroy(nullptr, nullptr);
  fa3_event_destroy(nullptr, nullptr);
  EXPECT_EQ(fa3_driver_version(nullptr), 0);
  EXPECT_EQ(fa3_package_name(nullptr), nullptr);
  EXPECT_EQ(fa3_module_code(nullptr), nullptr);
}

TEST_F(ModuleTest, PrefersTheCubin) {
  const Driver driver(fakeDriverPath());
  const Module module(driver, packageOf(forwardManifest()));
  EXPECT_EQ(module.code(), "cubin");
}

TEST_F(ModuleTest, FallsBackToPtx) {
  const Driver driver(fakeDriverPath());
  for (cu::CUresult refusal :
       {cu::CUDA_ERROR_NO_BINARY_FOR_GPU, cu::CUDA_ERROR_INVALID_IMAGE}) {
    state.cubinResult = refusal;
    EXPECT_EQ(Module(driver, packageOf(forwardManifest())).code(), "ptx");
  }
  state.cubinResult = cu::CUDA_ERROR_OUT_OF_MEMORY;
  EXPECT_FAILURE(FA3_ERROR_OUT_OF_MEMORY, "loading the cubin of",
                 Module(driver, packageOf(forwardManifest())));
}

TEST_F(ModuleTest, UsesReplacedPtx) {
  const Driver driver(fakeDriverPath());
  Package package = packageOf(forwardManifest());
  package.replacePtx(".entry other()");
  EXPECT_FAILURE(FA3_ERROR_DRIVER, "finding kernel 'forward' in the ptx",
                 Module(driver, package));
  package.replacePtx(ptxOf("forward"));
  EXPECT_EQ(Module(driver, package).code(), "ptx");
}

TEST_F(ModuleTest, ReportsTheAssemblersErrors) {
  const Driver driver(fakeDriverPath());
  state.cubinResult = cu::CUDA_ERROR_NO_BINARY_FOR_GPU;
  state.ptxResult = static_cast<cu::CUresult>(218);
  state.jitLog = "ptxas fatal: line 3, no such instruction";
  EXPECT_FAILURE(FA3_ERROR_DRIVER, "line 3, no such instruction",
                 Module(driver, packageOf(forwardManifest())));
}

TEST_F(ModuleTest, DriverIsTooOld) {
  state.version = 11040;
  const Driver driver(fakeDriverPath());
  EXPECT_FAILURE(FA3_ERROR_NO_DRIVER,
                 "supports CUDA 11.4, but 'forward_bf16_d128_causal' needs "
                 "CUDA 12.3 or newer",
                 Module(driver, packageOf(forwardManifest())));
}

TEST_F(ModuleTest, DeviceIsAnother) {
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  const Context context(driver);
  state.devices[0].major = 8;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE,
                 "device 0 has compute capability 8.0, but "
                 "'forward_bf16_d128_causal' needs exactly 9.0",
                 module.prepare());
  state.devices[0].major = 10;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE, "needs exactly 9.0", module.prepare());
  state.devices[0] = {};
  module.prepare();

  nlohmann::json manifest = forwardManifest();
  manifest["target"] = "sm_80";
  state.devices[0].minor = 1;
  Module(driver, packageOf(manifest)).prepare();
}

TEST_F(ModuleTest, DeviceHasTooLittleSharedMemory) {
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  const Context context(driver);
  state.devices[0].sharedMemory = 101376;
  EXPECT_FAILURE(FA3_ERROR_NO_DEVICE,
                 "kernel 'forward' needs 147584 bytes of shared memory in a "
                 "block, but device 0 has 101376",
                 module.prepare());
}

TEST_F(ModuleTest, NeedsAContext) {
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  EXPECT_FAILURE(FA3_ERROR_INVALID_ARGUMENT, "no CUDA context is current",
                 module.prepare());
}

TEST_F(ModuleTest, ConfiguresEachDeviceOnce) {
  state.deviceCount = 2;
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  Context first(driver, 0);
  module.prepare();
  module.prepare();
  Context second(driver, 1);
  module.prepare();
  first.makeCurrent();
  module.prepare();
  ASSERT_EQ(state.attributeCount, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(state.attributes[i].attribute,
              cu::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
    EXPECT_EQ(state.attributes[i].value, i % 2 == 0 ? 147584 : 0);
    EXPECT_EQ(state.attributes[i].device, i / 2);
  }
}

TEST_F(ModuleTest, FailureToConfigureIsTriedAgain) {
  const Driver driver(fakeDriverPath());
  Module module(driver, packageOf(forwardManifest()));
  const Context context(driver);
  state.attributeResult = cu::CUDA_ERROR_INVALID_VALUE;
  EXPECT_FAILURE(FA3_ERROR_DRIVER,
                 "giving kernel 'forward' 147584 bytes of shared memory on "
                 "device 0 failed: CUDA_ERROR_INVALID_VALUE (1)",
                 module.prepare());
  state.attributeResult = cu::CUDA_SUCCESS;
  module.prepare();
}

TEST_F(ModuleTest, OutlivesPackageAndDriver) {
  auto driver = std::make_unique<Driver>(fakeDriverPath());
  auto package = std::make_unique<Package>(packageOf(forwardManifest()));
  Module module(*driver, *package);
  const Context context(*driver);
  package.reset();
  driver.reset();
  module.prepare();
  EXPECT_EQ(control.callsOf(Call::cuKernelGetFunction), 2);
}
