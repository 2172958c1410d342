//===- AddressSpace.cpp - Device memory as the emulator sees it -----------===//

#include "AddressSpace.h"

using namespace fa3::emulator;

void RangeAddressSpace::add(uint64_t base, uint64_t size) {
  std::lock_guard<std::mutex> lock(mutex);
  // Addresses in use again: freed ranges that overlap are forgotten.
  auto it = ranges.lower_bound(base);
  if (it != ranges.begin()) {
    auto before = std::prev(it);
    if (!before->second.live && before->first + before->second.size > base)
      ranges.erase(before);
  }
  while (it != ranges.end() && it->first < base + size && !it->second.live)
    it = ranges.erase(it);
  ranges[base] = {size, true};
}

bool RangeAddressSpace::remove(uint64_t base) {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = ranges.find(base);
  if (it == ranges.end() || !it->second.live)
    return false;
  it->second.live = false;
  return true;
}

AddressLookup RangeAddressSpace::find(uint64_t address, uint64_t size) const {
  std::lock_guard<std::mutex> lock(mutex);
  AddressLookup result;
  auto it = ranges.upper_bound(address);
  if (it == ranges.begin())
    return result;
  --it;
  const auto &[base, range] = *it;
  uint64_t offset = address - base;
  // "Near" is within a page behind the end: most overruns are that short.
  if (offset >= range.size + 4096)
    return result;
  result.base = base;
  result.size = range.size;
  if (!range.live)
    result.kind = offset < range.size ? AddressLookup::Kind::Freed
                                      : AddressLookup::Kind::Unknown;
  else if (offset < range.size && size <= range.size - offset)
    result.kind = AddressLookup::Kind::Live;
  else
    result.kind = AddressLookup::Kind::OutOfBounds;
  return result;
}
