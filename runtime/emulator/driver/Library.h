//===- Library.h - Loaded PTX and its kernels -------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_DRIVER_LIBRARY_H
#define FA3_EMULATOR_DRIVER_LIBRARY_H

#include "emulator/core/Machine.h"
#include "emulator/driver/State.h"

#include <map>

namespace fa3::emulator::driver {

/// Shared memory that a block gets without opting in to more.
inline constexpr int kDefaultSharedBytes = 49152;
/// Blocks in a cluster without opting in to a non-portable size.
inline constexpr int kPortableClusterSize = 8;

/// What cuKernelSetAttribute changes, for one device.
struct KernelSettings {
  std::atomic<int> dynamicShared{kDefaultSharedBytes};
  std::atomic<int> carveout{-1};
  std::atomic<int> nonPortableCluster{0};
  std::atomic<int> clusterPolicy{0};
};

struct Kernel {
  Kernel(std::shared_ptr<Module> module, int index);

  const std::shared_ptr<Module> module;
  const int index;
  const KernelInfo &info;
  CUkernel handle = nullptr;
  /// By device ordinal.
  std::unique_ptr<KernelSettings[]> settings;
  std::atomic<bool> loaded{true}; ///< False once its library is unloaded.

  std::mutex mutex;
  std::map<const Context *, CUfunction> functions;
};

/// A kernel in one context.
struct Function {
  std::shared_ptr<Kernel> kernel;
  std::shared_ptr<Context> context;
};

struct Library {
  std::shared_ptr<Module> module;
  std::vector<std::shared_ptr<Kernel>> kernels;
};

HandleTable<Library, CUlibrary> &libraries();
HandleTable<Kernel, CUkernel> &kernels();
HandleTable<Function, CUfunction> &functions();

/// Finds the kernel behind a handle that is a CUfunction or a CUkernel; the
/// driver takes either for a launch.
std::shared_ptr<Kernel> findKernel(const void *handle);

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_LIBRARY_H
