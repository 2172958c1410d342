//===- AddressSpace.h - Device memory as the emulator sees it --*- C++ -*-===//
//
// The owner of device memory (the driver front end, or a test) implements this
// interface. Device addresses are host addresses inside the owner's
// allocations, so an access that passes the check is an ordinary host access.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_ADDRESSSPACE_H
#define FA3_EMULATOR_CORE_ADDRESSSPACE_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace fa3::emulator {

/// What an address lookup found.
struct AddressLookup {
  enum class Kind : uint8_t {
    Live,        ///< The whole range lies in one live allocation.
    OutOfBounds, ///< Begins in (or next to) an allocation and leaves it.
    Freed,       ///< The range touches an allocation that was freed.
    Unknown,     ///< No allocation is near.
  };
  Kind kind = Kind::Unknown;
  /// The allocation concerned (zero for Unknown).
  uint64_t base = 0;
  uint64_t size = 0;
};

/// Device global memory. Lookups come from several host threads at once while
/// a kernel runs; allocations do not change meaning during a launch, so the
/// machine caches what was found.
class AddressSpace {
public:
  virtual ~AddressSpace() = default;

  /// Classifies [address, address + size).
  virtual AddressLookup find(uint64_t address, uint64_t size) const = 0;
};

/// An address space that is a table of ranges. Freed ranges are remembered
/// until their addresses are used again, so a use after free is told from a
/// wild address.
class RangeAddressSpace : public AddressSpace {
public:
  void add(uint64_t base, uint64_t size);
  /// Marks the range that begins at \p base as freed; false if there is none.
  bool remove(uint64_t base);
  AddressLookup find(uint64_t address, uint64_t size) const override;

private:
  struct Range {
    uint64_t size;
    bool live;
  };
  mutable std::mutex mutex;
  std::map<uint64_t, Range> ranges;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_ADDRESSSPACE_H
