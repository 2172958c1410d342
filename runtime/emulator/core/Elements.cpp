//===- Elements.cpp - Operands of matrix instructions ---------------------===//

#include "Elements.h"
#include "Numerics.h"

#include <cstring>

using namespace fa3::emulator;

void fa3::emulator::expandElements(const unsigned char *bytes, Type type,
                                   float *out) {
  switch (type) {
  case Type::BF16:
    for (uint32_t e = 0; e != 8; ++e)
      out[e] = fromBF16(uint16_t(bytes[2 * e] | bytes[2 * e + 1] << 8));
    return;
  case Type::F16:
    for (uint32_t e = 0; e != 8; ++e)
      out[e] = fromF16(uint16_t(bytes[2 * e] | bytes[2 * e + 1] << 8));
    return;
  case Type::TF32:
    for (uint32_t e = 0; e != 4; ++e) {
      uint32_t bits;
      std::memcpy(&bits, bytes + 4 * e, 4);
      out[e] = std::bit_cast<float>(bits & ~uint32_t(0x1fff));
    }
    return;
  case Type::S8:
    for (uint32_t e = 0; e != 16; ++e)
      out[e] = int8_t(bytes[e]);
    return;
  case Type::U8:
    for (uint32_t e = 0; e != 16; ++e)
      out[e] = bytes[e];
    return;
  default: {
    const float *table = type == Type::E4M3 ? e4m3Table() : e5m2Table();
    for (uint32_t e = 0; e != 16; ++e)
      out[e] = table[bytes[e]];
    return;
  }
  }
}
