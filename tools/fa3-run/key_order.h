//===- key_order.h - Where transposed values have their keys --------------===//
//
// Of values that are stored along the keys, each group of 16 keys is
// interleaved as the tensor cores hold probabilities: position 16g + 4t + 2h +
// j has key 16g + 8h + 2t + j, with t below 4, h and j below 2.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_KEY_ORDER_H
#define FA3_TOOLS_FA3_RUN_KEY_ORDER_H

#include <cstdint>

namespace fa3::run {

/// Keys that are interleaved with each other.
constexpr int64_t keyGroup = 16;

/// The key at a position.
constexpr int64_t keyAt(int64_t position) {
  const int64_t within = position % keyGroup;
  return position - within + within / 2 % 2 * 8 + within / 4 * 2 + within % 2;
}

/// The position of a key.
constexpr int64_t positionOf(int64_t key) {
  const int64_t within = key % keyGroup;
  return key - within + within % 8 / 2 * 4 + within / 8 * 2 + within % 2;
}

/// Positions of whole groups that hold so many keys.
constexpr int64_t paddedKeys(int64_t keys) {
  return (keys + keyGroup - 1) / keyGroup * keyGroup;
}

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_KEY_ORDER_H
