//===- numeric.h - Element types on the host ------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_NUMERIC_H
#define FA3_TOOLS_FA3_RUN_NUMERIC_H

#include "fa3/runtime/abi.h"

#include <cstdint>

namespace fa3::run {

/// Writes `count` values as elements of the type, rounded to nearest even.
/// What exceeds the type becomes infinity, or the largest value of an 8-bit
/// type, as it does on a GPU; NaN stays NaN.
void encode(fa3_dtype dtype, const float *values, int64_t count, void *to);

/// Reads `count` elements.
void decode(fa3_dtype dtype, const void *from, int64_t count, float *values);

/// The value that encode makes of this one.
double roundTo(fa3_dtype dtype, double value);

/// Distance of neighboring values of a floating-point type around `magnitude`.
double unitInLastPlace(fa3_dtype dtype, double magnitude);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_NUMERIC_H
