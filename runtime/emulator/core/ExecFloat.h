//===- ExecFloat.h - Decoders shared with the integer family ----*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_EXECFLOAT_H
#define FA3_EMULATOR_CORE_EXECFLOAT_H

#include "Decoder.h"

namespace fa3::emulator {

enum class FloatOp : uint8_t { Add, Sub, Mul, Min, Max, Neg, Abs };

/// add, sub and mul of a floating-point type, its type already taken.
void decodeFloatBinary(Decoder &d, Type type, FloatOp op, bool sat);
/// fma, and mad of a floating-point type.
void decodeFloatFma(Decoder &d);
/// div: \p mode is 0 for .approx, 1 for .full, else correctly rounded.
void decodeFloatDiv(Decoder &d, Type type, int mode);
void decodeFloatMinMax(Decoder &d, Type type, FloatOp op, bool ftz, bool nan);
void decodeFloatSign(Decoder &d, Type type, FloatOp op, bool ftz);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_EXECFLOAT_H
