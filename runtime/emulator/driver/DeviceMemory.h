//===- DeviceMemory.h - Allocations of one emulated device ------*- C++ -*-===//

#ifndef FA3_EMULATOR_DRIVER_DEVICEMEMORY_H
#define FA3_EMULATOR_DRIVER_DEVICEMEMORY_H

#include "emulator/core/AddressSpace.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>

namespace fa3::emulator::driver {

/// Device memory as ranges of a reserved stretch of host addresses. New memory
/// is filled with 0xFF bytes (NaN in every floating-point type), neighbours are
/// separated by unmapped pages, and freed addresses stay unmapped until the
/// whole stretch has been used, so that late accesses are recognised.
class DeviceMemory : public AddressSpace {
public:
  explicit DeviceMemory(int ordinal) : ordinal(ordinal) {}
  ~DeviceMemory() override;
  DeviceMemory(const DeviceMemory &) = delete;
  DeviceMemory &operator=(const DeviceMemory &) = delete;

  /// What cuDeviceTotalMem reports.
  static constexpr uint64_t kTotalBytes = uint64_t(80) << 30;

  /// Returns the address of \p size new bytes that belong to \p owner (a
  /// context), or 0 if there is no room. The address is a multiple of 512 and
  /// of nothing larger, as a sub-allocation's is on a real device.
  uint64_t allocate(uint64_t size, const void *owner);
  /// False if no live allocation begins at \p address.
  bool free(uint64_t address);
  /// Frees what belongs to \p owner.
  void freeAll(const void *owner);

  uint64_t usedBytes() const;
  AddressLookup find(uint64_t address, uint64_t size) const override;

private:
  struct Range {
    uint64_t size;
    uint64_t slot;      ///< First mapped address of the range's pages.
    uint64_t slotBytes; ///< Their number of bytes.
    const void *owner;  ///< Null once freed.
  };
  bool reserve();
  uint64_t findSlot(uint64_t bytes);
  void release(Range &range);

  const int ordinal;
  mutable std::shared_mutex mutex;
  std::map<uint64_t, Range> ranges;
  uint64_t arena = 0;
  uint64_t arenaBytes = 0;
  uint64_t cursor = 0;
  uint64_t used = 0;
};

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_DEVICEMEMORY_H
