//===- random.h - Random numbers by position ------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_RANDOM_H
#define FA3_TOOLS_FA3_RUN_RANDOM_H

#include <cstdint>

namespace fa3::run {

/// A bijection whose outputs look random (the finalizer of SplitMix64).
inline uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/// Random numbers that depend on a key and a position only: any element of a
/// tensor can be made again, by any thread, without keeping the tensor.
class CounterRandom {
public:
  CounterRandom(uint64_t seed, uint64_t stream)
      : key(mix(mix(seed) ^ stream)) {}

  uint64_t bits(uint64_t position) const { return mix(key + position); }

  /// From [0, 1).
  double uniform(uint64_t position) const {
    return static_cast<double>(bits(position) >> 11) * 0x1p-53;
  }

  /// Approximately standard normal: the sum of eight 16-bit uniform numbers,
  /// which reaches 4.9 standard deviations and needs no transcendental.
  float normal(uint64_t position) const {
    const uint64_t a = bits(position);
    const uint64_t b = mix(a);
    int32_t sum = 0;
    for (int shift = 0; shift < 64; shift += 16)
      sum +=
          static_cast<int32_t>((a >> shift & 0xffff) + (b >> shift & 0xffff));
    // Eight uniform numbers of [0, 65535] have mean 262140, deviation 53510.
    return (static_cast<float>(sum) - 262140.0f) * (1.0f / 53509.8f);
  }

private:
  uint64_t key;
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_RANDOM_H
