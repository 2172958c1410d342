//===- host_memory.h - What kernels on the host share ---------------------===//

#ifndef FA3_TEST_UNIT_RUNTIME_HOST_MEMORY_H
#define FA3_TEST_UNIT_RUNTIME_HOST_MEMORY_H

#include <bit>
#include <cstdint>
#include <cstring>

namespace fa3::fake {

/// The value of a kernel's parameter.
template <typename Value> Value get(void **parameters, int index) {
  Value value;
  std::memcpy(&value, parameters[index], sizeof(value));
  return value;
}

inline float load(const uint16_t *bf16) {
  return std::bit_cast<float>(static_cast<uint32_t>(*bf16) << 16);
}

inline uint16_t round(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value)
    return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

} // namespace fa3::fake

#endif // FA3_TEST_UNIT_RUNTIME_HOST_MEMORY_H
