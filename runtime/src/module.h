//===- module.h - A package's code in a driver ----------------------------===//

#ifndef FA3_RUNTIME_SRC_MODULE_H
#define FA3_RUNTIME_SRC_MODULE_H

#include "driver_api.h"
#include "manifest.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

struct fa3_module {
  /// Devices that a process can have; state is kept per device without
  /// allocating when a launch meets one for the first time.
  static constexpr int maxDevices = 128;

  fa3::cu::Functions functions;
  std::shared_ptr<const fa3::Manifest> manifest;
  fa3::cu::CUlibrary library = nullptr;
  const char *code = nullptr;
  /// In the order of the manifest's kernels.
  std::vector<fa3::cu::CUkernel> kernels;

  /// Of every device, once it is prepared; 0 before.
  std::array<std::atomic<int>, maxDevices> multiprocessors{};
  std::mutex preparing;

  ~fa3_module();

  /// Checks the current context's device and configures the kernels for it,
  /// unless that is done. Does not allocate. `count` becomes the device's
  /// number of multiprocessors.
  fa3_status prepareDevice(int &count, fa3_error *error);

private:
  fa3_status checkDevice(fa3::cu::CUdevice device, int &count,
                         fa3_error *error) const;
};

#endif // FA3_RUNTIME_SRC_MODULE_H
