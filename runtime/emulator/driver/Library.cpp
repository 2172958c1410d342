//===- Library.cpp - Loaded PTX and its kernels ---------------------------===//

#include "emulator/driver/Library.h"

namespace fa3::emulator::driver {

Kernel::Kernel(std::shared_ptr<Module> owner, int index)
    : module(std::move(owner)), index(index), info(module->kernels()[index]),
      settings(new KernelSettings[deviceCount()]) {
  for (int i = 0; i < deviceCount(); ++i)
    settings[i].dynamicShared =
        std::max(0, kDefaultSharedBytes - int(info.staticSharedBytes));
}

HandleTable<Library, CUlibrary> &libraries() {
  static auto *table = new HandleTable<Library, CUlibrary>(0x5f11);
  return *table;
}

HandleTable<Kernel, CUkernel> &kernels() {
  static auto *table = new HandleTable<Kernel, CUkernel>(0x5fce);
  return *table;
}

HandleTable<Function, CUfunction> &functions() {
  static auto *table = new HandleTable<Function, CUfunction>(0x5ff0);
  return *table;
}

std::shared_ptr<Kernel> findKernel(const void *handle) {
  if (auto function = functions().find(handle))
    return function->kernel;
  return kernels().find(handle);
}

} // namespace fa3::emulator::driver
