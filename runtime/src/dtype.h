//===- dtype.h - Element types --------------------------------------------===//

#ifndef FA3_RUNTIME_SRC_DTYPE_H
#define FA3_RUNTIME_SRC_DTYPE_H

#include "driver_api.h"

#include "fa3/runtime/abi.h"

#include <optional>
#include <string_view>

namespace fa3 {

std::optional<fa3_dtype> parseDtype(std::string_view name);

/// The type as tensor maps know it: 8-bit floats are bytes to TMA.
cu::CUtensorMapDataType tensorMapType(fa3_dtype dtype);

} // namespace fa3

#endif // FA3_RUNTIME_SRC_DTYPE_H
