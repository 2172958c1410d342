//===- DeviceMemory.cpp - Allocations of one emulated device --------------===//

#include "emulator/driver/DeviceMemory.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace fa3::emulator::driver {

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kAlignment = 512;
/// Unmapped space between two allocations: an index that is off by one row or
/// tile must not reach the next tensor.
constexpr uint64_t kGap = uint64_t(1) << 20;
/// Where the arenas begin if that is free: fixed addresses make diagnostics
/// repeatable, and these suit the address sanitizers.
constexpr uint64_t kArenaBase = 0x7e9000000000;
constexpr uint64_t kArenaBytes = uint64_t(128) << 30;
/// Allocations from this size on share one poisoned file copy-on-write, so that
/// a large tensor costs host memory only where it is written.
constexpr uint64_t kSharedPoison = uint64_t(16) << 20;

uint64_t roundUp(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

/// An in-memory file of kSharedPoison bytes 0xFF, or -1.
int poisonFile() {
  static const int file = [] {
    int fd = memfd_create("fa3-emulator-poison", MFD_CLOEXEC);
    if (fd < 0)
      return -1;
    if (ftruncate(fd, kSharedPoison) == 0) {
      void *map = mmap(nullptr, kSharedPoison, PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, 0);
      if (map != MAP_FAILED) {
        std::memset(map, 0xFF, kSharedPoison);
        munmap(map, kSharedPoison);
        return fd;
      }
    }
    close(fd);
    return -1;
  }();
  return file;
}

/// Makes [slot, slot + bytes) writable and fills it with 0xFF.
bool mapPoisoned(uint64_t slot, uint64_t bytes) {
  void *begin = reinterpret_cast<void *>(slot);
  if (bytes < kSharedPoison || poisonFile() < 0) {
    if (mprotect(begin, bytes, PROT_READ | PROT_WRITE) != 0)
      return false;
    std::memset(begin, 0xFF, bytes);
    return true;
  }
  for (uint64_t done = 0; done < bytes; done += kSharedPoison) {
    void *at = reinterpret_cast<void *>(slot + done);
    if (mmap(at, std::min(kSharedPoison, bytes - done), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, poisonFile(),
             0) == MAP_FAILED)
      return false;
  }
  return true;
}

void unmap(uint64_t slot, uint64_t bytes) {
  // Mapping the range again both drops its pages and revokes access.
  mmap(reinterpret_cast<void *>(slot), bytes, PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
}

} // namespace

DeviceMemory::~DeviceMemory() {
  if (arena)
    munmap(reinterpret_cast<void *>(arena), arenaBytes);
}

bool DeviceMemory::reserve() {
  if (arena)
    return true;
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *wish = reinterpret_cast<void *>(kArenaBase + ordinal * kArenaBytes);
  void *map =
      mmap(wish, kArenaBytes, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (map == MAP_FAILED)
    map = mmap(nullptr, kArenaBytes, PROT_NONE, flags, -1, 0);
  if (map == MAP_FAILED)
    return false;
  arena = reinterpret_cast<uint64_t>(map);
  arenaBytes = kArenaBytes;
  cursor = arena + kGap;
  return true;
}

uint64_t DeviceMemory::findSlot(uint64_t bytes) {
  const uint64_t end = arena + arenaBytes;
  // Addresses are handed out in increasing order, so that those of freed
  // memory come back as late as possible.
  if (cursor + bytes + kGap <= end) {
    uint64_t slot = cursor;
    cursor = slot + bytes + kGap;
    return slot;
  }
  std::erase_if(ranges, [](const auto &r) { return !r.second.owner; });
  uint64_t candidate = arena + kGap;
  for (const auto &[base, range] : ranges) {
    if (candidate + bytes + kGap <= range.slot)
      return candidate;
    candidate = range.slot + range.slotBytes + kGap;
  }
  return candidate + bytes + kGap <= end ? candidate : 0;
}

uint64_t DeviceMemory::allocate(uint64_t size, const void *owner) {
  std::unique_lock lock(mutex);
  if (size == 0 || size > kTotalBytes - used || !reserve())
    return 0;
  const uint64_t bytes = roundUp(size + kAlignment, kPage);
  const uint64_t slot = findSlot(bytes);
  if (!slot)
    return 0;
  if (!mapPoisoned(slot, bytes)) {
    unmap(slot, bytes);
    return 0;
  }
  const uint64_t base = slot + kAlignment;
  ranges[base] = {size, slot, bytes, owner};
  used += size;
  return base;
}

void DeviceMemory::release(Range &range) {
  unmap(range.slot, range.slotBytes);
  used -= range.size;
  range.owner = nullptr;
}

bool DeviceMemory::free(uint64_t address) {
  std::unique_lock lock(mutex);
  auto it = ranges.find(address);
  if (it == ranges.end() || !it->second.owner)
    return false;
  release(it->second);
  return true;
}

void DeviceMemory::freeAll(const void *owner) {
  std::unique_lock lock(mutex);
  for (auto &[base, range] : ranges)
    if (range.owner == owner)
      release(range);
}

uint64_t DeviceMemory::usedBytes() const {
  std::shared_lock lock(mutex);
  return used;
}

AddressLookup DeviceMemory::find(uint64_t address, uint64_t size) const {
  using Kind = AddressLookup::Kind;
  std::shared_lock lock(mutex);
  auto above = ranges.upper_bound(address);
  if (above != ranges.begin()) {
    const auto &[base, range] = *std::prev(above);
    const uint64_t offset = address - base;
    if (offset < range.size) {
      if (!range.owner)
        return {Kind::Freed, base, range.size};
      const bool inside = size <= range.size - offset;
      return {inside ? Kind::Live : Kind::OutOfBounds, base, range.size};
    }
    if (offset - range.size < kGap / 2) {
      return {range.owner ? Kind::OutOfBounds : Kind::Freed, base, range.size};
    }
  }
  if (above != ranges.end()) {
    const auto &[base, range] = *above;
    if (base - address < kGap / 2)
      return {Kind::OutOfBounds, base, range.size};
  }
  return {};
}

} // namespace fa3::emulator::driver
