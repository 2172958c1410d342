//===- DriverTest.h - What the driver tests share ---------------*- C++ -*-===//

#ifndef FA3_TEST_UNIT_EMULATOR_DRIVER_DRIVERTEST_H
#define FA3_TEST_UNIT_EMULATOR_DRIVER_DRIVERTEST_H

#include "emulator/driver/CudaApi.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fa3::emulator::test {

/// A current primary context of device 0 for each test. Ending the last
/// reference to it frees all memory and forgets a sticky error.
class DriverTest : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  CUcontext context = nullptr;
};

/// PTX of the kernels that the tests launch.
extern const char *const kKernels;

/// The library of kKernels and its functions.
class Code {
public:
  Code();
  ~Code();
  CUkernel kernel(const char *name) const;
  CUfunction function(const char *name) const;

  CUlibrary library = nullptr;
};

/// Device memory for the length of a scope.
class Buffer {
public:
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  std::vector<uint32_t> words() const;

  CUdeviceptr address = 0;
  const size_t bytes;
};

/// Launches `fill(buffer, value, count)` with one thread per word.
CUresult launchFill(const Code &code, CUdeviceptr address, uint32_t value,
                    uint32_t count, CUstream stream = nullptr);

/// What the emulator has written to the file of FA3_EMULATOR_DIAGNOSTICS since
/// the last call.
std::string takeDiagnostics();

} // namespace fa3::emulator::test

#endif // FA3_TEST_UNIT_EMULATOR_DRIVER_DRIVERTEST_H
