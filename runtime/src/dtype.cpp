//===- dtype.cpp - Element types ------------------------------------------===//

#include "dtype.h"

#include "fa3/runtime/runtime.h"

namespace fa3 {

namespace {
struct Dtype {
  fa3_dtype dtype;
  const char *name;
  size_t size;
  cu::CUtensorMapDataType mapType;
};
} // namespace

static constexpr Dtype dtypes[] = {
    {FA3_DTYPE_BF16, "bf16", 2, cu::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16},
    {FA3_DTYPE_F16, "f16", 2, cu::CU_TENSOR_MAP_DATA_TYPE_FLOAT16},
    {FA3_DTYPE_F32, "f32", 4, cu::CU_TENSOR_MAP_DATA_TYPE_FLOAT32},
    {FA3_DTYPE_E4M3, "e4m3", 1, cu::CU_TENSOR_MAP_DATA_TYPE_UINT8},
    {FA3_DTYPE_E5M2, "e5m2", 1, cu::CU_TENSOR_MAP_DATA_TYPE_UINT8},
    {FA3_DTYPE_I32, "i32", 4, cu::CU_TENSOR_MAP_DATA_TYPE_INT32},
};

static const Dtype *find(fa3_dtype dtype) {
  for (const Dtype &entry : dtypes)
    if (entry.dtype == dtype)
      return &entry;
  return nullptr;
}

std::optional<fa3_dtype> parseDtype(std::string_view name) {
  for (const Dtype &entry : dtypes)
    if (name == entry.name)
      return entry.dtype;
  return std::nullopt;
}

cu::CUtensorMapDataType tensorMapType(fa3_dtype dtype) {
  const Dtype *entry = find(dtype);
  return entry ? entry->mapType : cu::CU_TENSOR_MAP_DATA_TYPE_UINT8;
}

} // namespace fa3

const char *fa3_dtype_name(fa3_dtype dtype) {
  const fa3::Dtype *entry = fa3::find(dtype);
  return entry ? entry->name : nullptr;
}

size_t fa3_dtype_size(fa3_dtype dtype) {
  const fa3::Dtype *entry = fa3::find(dtype);
  return entry ? entry->size : 0;
}
