//===- TensorMap.h - The emulator's tensor-map encoding ---------*- C++ -*-===//
//
// A CUtensorMap is 128 opaque bytes. The emulator's front end fills them with
// this structure; kernels pass them by address to cp.async.bulk.tensor.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_EMULATOR_CORE_TENSORMAP_H
#define FA3_EMULATOR_CORE_TENSORMAP_H

#include <array>
#include <cstdint>
#include <string>

namespace fa3::emulator {

/// Numbered as CUtensorMapDataType.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
  F32Ftz,
  TF32,
  TF32Ftz,
};
/// Numbered as CUtensorMapInterleave.
enum class TensorInterleave : uint8_t { None, B16, B32 };
/// Numbered as CUtensorMapSwizzle.
enum class TensorSwizzle : uint8_t { None, B32, B64, B128 };
/// Numbered as CUtensorMapFloatOOBfill.
enum class TensorFill : uint8_t { Zero, NaN };

/// Everything that cuTensorMapEncodeTiled takes, unpacked.
struct TensorMapFields {
  TensorType type = TensorType::U8;
  uint32_t rank = 0;
  uint64_t address = 0;
  std::array<uint64_t, 5> dims{};    ///< Elements; [0] is innermost.
  std::array<uint64_t, 4> strides{}; ///< Bytes; [i] belongs to dimension i + 1.
  std::array<uint32_t, 5> box{};
  std::array<uint32_t, 5> elementStrides{};
  TensorInterleave interleave = TensorInterleave::None;
  TensorSwizzle swizzle = TensorSwizzle::None;
  uint8_t l2Promotion = 0;
  TensorFill fill = TensorFill::Zero;
};

/// Bytes of one element of \p type.
uint32_t tensorTypeSize(TensorType type);

/// Bytes of the innermost box row after which the swizzle pattern repeats
/// (32, 64 or 128; 0 for no swizzle).
uint32_t swizzleSpan(TensorSwizzle swizzle);

/// The 128 opaque bytes.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

/// Checks what the hardware cannot encode (rank 1-5, box 1-256, element
/// strides 1-8, 16-byte strides and address, inner box bytes against swizzle).
/// Returns an empty string and fills \p out, or says what is wrong.
std::string encodeTensorMap(const TensorMapFields &fields, TensorMap &out);

/// Reads an encoded map back; false if \p bytes is not one (magic or check
/// sum).
bool decodeTensorMap(const void *bytes, TensorMapFields &fields);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_TENSORMAP_H
