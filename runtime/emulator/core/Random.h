//===- Random.h - The seed's choices ----------------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_RANDOM_H
#define FA3_EMULATOR_CORE_RANDOM_H

#include <cstdint>

namespace fa3::emulator {

/// SplitMix64: small, fast, the same on every host.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform enough in [0, bound).
  uint32_t below(uint32_t bound) {
    return uint32_t((next() >> 32) * bound >> 32);
  }

private:
  uint64_t state;
};

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_RANDOM_H
