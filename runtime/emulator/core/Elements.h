//===- Elements.h - Operands of matrix instructions -------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_ELEMENTS_H
#define FA3_EMULATOR_CORE_ELEMENTS_H

#include "Decoder.h"

namespace fa3::emulator {

/// Expands the 16 bytes at \p bytes, elements of \p type, to floats. 8-bit
/// integers and their sums of products in one instruction are exact in float.
void expandElements(const unsigned char *bytes, Type type, float *out);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_ELEMENTS_H
