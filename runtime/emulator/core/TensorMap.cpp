//===- TensorMap.cpp - The emulator's tensor-map encoding -----------------===//

#include "TensorMap.h"

#include <cstddef>
#include <cstring>

using namespace fa3::emulator;

namespace {

constexpr uint64_t kMagic = 0x70614d726f736e65u; // "ensorMap"

/// How the fields lie in the 128 bytes.
struct Encoded {
  uint64_t magic;
  uint64_t address;
  uint64_t dims[5];
  uint64_t strides[4];
  uint16_t box[5];
  uint8_t elementStrides[5];
  uint8_t type, rank, interleave, swizzle, l2Promotion, fill;
  uint8_t pad[3];
  uint32_t check;
};
static_assert(sizeof(Encoded) <= 128);

uint32_t checksum(const Encoded &e) {
  uint32_t hash = 2166136261u;
  const unsigned char *bytes = reinterpret_cast<const unsigned char *>(&e);
  for (size_t i = 0; i != offsetof(Encoded, check); ++i)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

} // namespace

uint32_t fa3::emulator::tensorTypeSize(TensorType type) {
  switch (type) {
  case TensorType::U8:
    return 1;
  case TensorType::U16:
  case TensorType::F16:
  case TensorType::BF16:
    return 2;
  case TensorType::U64:
  case TensorType::S64:
  case TensorType::F64:
    return 8;
  default:
    return 4;
  }
}

uint32_t fa3::emulator::swizzleSpan(TensorSwizzle swizzle) {
  return swizzle == TensorSwizzle::None ? 0 : 16u << uint32_t(swizzle);
}

std::string fa3::emulator::encodeTensorMap(const TensorMapFields &f,
                                           TensorMap &out) {
  if (f.type > TensorType::TF32Ftz)
    return "unknown data type";
  if (f.rank < 1 || f.rank > 5)
    return "rank is not in 1..5";
  if (f.interleave > TensorInterleave::B32 || f.swizzle > TensorSwizzle::B128 ||
      f.fill > TensorFill::NaN || f.l2Promotion > 3)
    return "unknown interleave, swizzle, L2 promotion or fill";
  if (f.interleave != TensorInterleave::None && f.rank < 3)
    return "interleaved layouts need rank 3 or more";
  uint32_t size = tensorTypeSize(f.type);
  uint64_t align = f.interleave == TensorInterleave::B32 ? 32 : 16;
  if (f.address % align)
    return "address is not a multiple of " + std::to_string(align);
  for (uint32_t i = 0; i != f.rank; ++i) {
    std::string which = "dimension " + std::to_string(i);
    if (f.dims[i] == 0 || f.dims[i] > (uint64_t(1) << 32))
      return which + ": size is not in 1..2^32";
    if (f.box[i] == 0 || f.box[i] > 256)
      return which + ": box size is not in 1..256";
    if (f.elementStrides[i] == 0 || f.elementStrides[i] > 8)
      return which + ": element stride is not in 1..8";
    if (i &&
        (f.strides[i - 1] % align || f.strides[i - 1] >= (uint64_t(1) << 40)))
      return which + ": stride is not a multiple of " + std::to_string(align) +
             " below 2^40";
  }
  uint64_t inner = uint64_t(f.box[0]) * size;
  if (f.interleave == TensorInterleave::None) {
    if (inner % 16)
      return "inner box size is not a multiple of 16 bytes";
    uint32_t span = swizzleSpan(f.swizzle);
    if (span && inner > span)
      return "inner box of " + std::to_string(inner) +
             " bytes exceeds the swizzle span of " + std::to_string(span);
  }
  bool isFloat = f.type >= TensorType::F16;
  if (f.fill == TensorFill::NaN && !isFloat)
    return "NaN fill needs a floating-point type";
  Encoded e{};
  e.magic = kMagic;
  e.address = f.address;
  for (uint32_t i = 0; i != f.rank; ++i) {
    e.dims[i] = f.dims[i];
    e.box[i] = uint16_t(f.box[i]);
    e.elementStrides[i] = uint8_t(f.elementStrides[i]);
    if (i)
      e.strides[i - 1] = f.strides[i - 1];
  }
  e.type = uint8_t(f.type);
  e.rank = uint8_t(f.rank);
  e.interleave = uint8_t(f.interleave);
  e.swizzle = uint8_t(f.swizzle);
  e.l2Promotion = f.l2Promotion;
  e.fill = uint8_t(f.fill);
  e.check = checksum(e);
  std::memset(out.bytes, 0, sizeof(out.bytes));
  std::memcpy(out.bytes, &e, sizeof(e));
  return {};
}

bool fa3::emulator::decodeTensorMap(const void *bytes, TensorMapFields &f) {
  Encoded e;
  std::memcpy(&e, bytes, sizeof(e));
  if (e.magic != kMagic || e.check != checksum(e))
    return false;
  f.type = TensorType(e.type);
  f.rank = e.rank;
  f.address = e.address;
  for (uint32_t i = 0; i != 5; ++i) {
    f.dims[i] = e.dims[i];
    f.box[i] = e.box[i];
    f.elementStrides[i] = e.elementStrides[i];
    if (i)
      f.strides[i - 1] = e.strides[i - 1];
  }
  f.interleave = TensorInterleave(e.interleave);
  f.swizzle = TensorSwizzle(e.swizzle);
  f.l2Promotion = e.l2Promotion;
  f.fill = TensorFill(e.fill);
  return true;
}
