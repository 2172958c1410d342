//===- ApiTensorMap.cpp - Encoding of tensor maps -------------------------===//

#include "emulator/core/TensorMap.h"
#include "emulator/driver/Report.h"
#include "emulator/driver/State.h"

#include <cstring>

using namespace fa3::emulator;
using namespace fa3::emulator::driver;

namespace {

constexpr uint64_t kMaxDim = uint64_t(1) << 32;
constexpr uint64_t kStrideLimit = uint64_t(1) << 40;
// The hardware cannot fetch more at once; shared memory holds less.
constexpr uint64_t kBoxLimit = uint64_t(256) << 10;

bool isFloat(TensorType type) {
  return type == TensorType::F16 || type == TensorType::BF16 ||
         type >= TensorType::F32Ftz || type == TensorType::F32 ||
         type == TensorType::F64;
}

std::string number(uint64_t value) { return std::to_string(value); }

/// What is wrong with the dimensions, or an empty string.
std::string checkShape(const TensorMapFields &map) {
  const bool interleaved = map.interleave != TensorInterleave::None;
  const uint64_t alignment = map.interleave == TensorInterleave::B32 ? 32 : 16;
  if (map.address % alignment)
    return "the address is not a multiple of " + number(alignment);
  if (interleaved && map.rank < 3)
    return "an interleaved layout has at least 3 dimensions";
  for (uint32_t i = 0; i < map.rank; ++i) {
    const std::string where = " of dimension " + number(i);
    if (map.dims[i] == 0 || map.dims[i] > kMaxDim)
      return "size " + number(map.dims[i]) + where + " is not in 1..2^32";
    if (map.box[i] == 0 || map.box[i] > 256)
      return "box " + number(map.box[i]) + where + " is not in 1..256";
    // Without interleave the hardware ignores the innermost element stride,
    // but the driver checks its range all the same.
    if (map.elementStrides[i] == 0 || map.elementStrides[i] > 8)
      return "element stride " + number(map.elementStrides[i]) + where +
             " is not in 1..8";
  }
  for (uint32_t i = 0; i + 1 < map.rank; ++i) {
    const std::string where = " of dimension " + number(i + 1);
    if (map.strides[i] % alignment)
      return "stride " + number(map.strides[i]) + where +
             " is not a multiple of " + number(alignment) + " bytes";
    if (map.strides[i] >= kStrideLimit)
      return "stride " + number(map.strides[i]) + where +
             " is not below 2^40 bytes";
  }
  return "";
}

/// What is wrong with the box in shared memory, or an empty string.
std::string checkBox(const TensorMapFields &map) {
  const uint64_t inner = uint64_t(map.box[0]) * tensorTypeSize(map.type);
  if (map.interleave != TensorInterleave::None)
    return "";
  if (inner % 16)
    return "the box's inner dimension of " + number(inner) +
           " bytes is not a multiple of 16";
  uint64_t bytes = tensorTypeSize(map.type);
  for (uint32_t i = 0; i < map.rank; ++i)
    bytes *= map.box[i];
  if (bytes >= kBoxLimit)
    return "the box has " + number(bytes) + " bytes, not less than 256 KiB";
  const uint32_t span = swizzleSpan(map.swizzle);
  if (span && inner > span)
    return "the box's inner dimension of " + number(inner) +
           " bytes exceeds the swizzle's " + number(span);
  return "";
}

CUresult reject(const std::string &why) {
  reportMisuse("cuTensorMapEncodeTiled", "invalid-tensor-map", why);
  return CUDA_ERROR_INVALID_VALUE;
}

} // namespace

CUresult cuTensorMapEncodeTiled(
    CUtensorMap *result, CUtensorMapDataType type, uint32_t rank, void *address,
    const uint64_t *dims, const uint64_t *strides, const uint32_t *box,
    const uint32_t *elementStrides, CUtensorMapInterleave interleave,
    CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
    CUtensorMapFloatOOBfill fill) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!result || !dims || !box || !elementStrides || (rank > 1 && !strides))
    return reject("an argument is null");
  if (reinterpret_cast<uintptr_t>(result) % 64)
    return reject("the tensor map is not aligned to 64 bytes");
  if (type < 0 || type > CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ)
    return reject("no data type of this device has the value " +
                  std::to_string(type));
  if (rank < 1 || rank > 5)
    return reject("the rank is not in 1..5");
  if (interleave < 0 || interleave > CU_TENSOR_MAP_INTERLEAVE_32B ||
      swizzle < 0 || swizzle > CU_TENSOR_MAP_SWIZZLE_128B || promotion < 0 ||
      promotion > CU_TENSOR_MAP_L2_PROMOTION_L2_256B || fill < 0 ||
      fill > CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA)
    return reject("interleave, swizzle, promotion or fill is not a value of "
                  "its enumeration");
  TensorMapFields map;
  map.type = TensorType(type);
  map.rank = rank;
  map.address = reinterpret_cast<uint64_t>(address);
  for (uint32_t i = 0; i < rank; ++i) {
    map.dims[i] = dims[i];
    map.box[i] = box[i];
    map.elementStrides[i] = elementStrides[i];
    if (i + 1 < rank)
      map.strides[i] = strides[i];
  }
  map.interleave = TensorInterleave(interleave);
  map.swizzle = TensorSwizzle(swizzle);
  map.l2Promotion = uint8_t(promotion);
  map.fill = TensorFill(fill);
  if (map.fill == TensorFill::NaN && !isFloat(map.type))
    return reject("NaN fill needs a floating-point type");
  std::string error = checkShape(map);
  if (error.empty())
    error = checkBox(map);
  TensorMap encoded;
  if (error.empty())
    error = encodeTensorMap(map, encoded);
  if (!error.empty())
    return reject(error);
  static_assert(sizeof(CUtensorMap) == sizeof(TensorMap));
  std::memcpy(result, &encoded, sizeof(encoded));
  return CUDA_SUCCESS;
}
