//===- Handles.h - Opaque handles of API objects ----------------*- C++ -*-===//
//
// Handles are numbers, never addresses of objects, and are not used twice: a
// stale or foreign handle is an error instead of a crash.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_DRIVER_HANDLES_H
#define FA3_EMULATOR_DRIVER_HANDLES_H

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace fa3::emulator::driver {

/// Maps handles of one type to the objects they stand for.
template <typename T, typename Handle> class HandleTable {
public:
  /// \p tag goes into the upper bits, so that handles of two types differ.
  explicit HandleTable(uint64_t tag) : next(tag << 40) {}

  Handle add(std::shared_ptr<T> object) {
    std::unique_lock lock(mutex);
    next += 16;
    objects.emplace(next, std::move(object));
    return reinterpret_cast<Handle>(next);
  }

  std::shared_ptr<T> find(const void *handle) const {
    std::shared_lock lock(mutex);
    auto it = objects.find(reinterpret_cast<uint64_t>(handle));
    return it == objects.end() ? nullptr : it->second;
  }

  std::shared_ptr<T> remove(const void *handle) {
    std::unique_lock lock(mutex);
    auto it = objects.find(reinterpret_cast<uint64_t>(handle));
    if (it == objects.end())
      return nullptr;
    std::shared_ptr<T> object = std::move(it->second);
    objects.erase(it);
    return object;
  }

  std::vector<std::shared_ptr<T>> all() const {
    std::shared_lock lock(mutex);
    std::vector<std::shared_ptr<T>> list;
    for (const auto &[handle, object] : objects)
      list.push_back(object);
    return list;
  }

private:
  mutable std::shared_mutex mutex;
  uint64_t next;
  std::unordered_map<uint64_t, std::shared_ptr<T>> objects;
};

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_HANDLES_H
