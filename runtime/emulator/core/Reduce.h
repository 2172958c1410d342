//===- Reduce.h - Atomic arithmetic on memory -------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_REDUCE_H
#define FA3_EMULATOR_CORE_REDUCE_H

#include "Decoder.h"
#include "TensorMap.h"

namespace fa3::emulator {

enum class ReduceOp : uint32_t { Add, Min, Max, Inc, Dec, And, Or, Xor };

/// Combines \p count elements at \p values into memory, each atomically with
/// respect to other host threads.
using ReduceFn = void (*)(unsigned char *memory, const unsigned char *values,
                          size_t count);

/// Number of the reduction for \p type, -1 if there is none.
int reductionIndex(ReduceOp op, Type type);
ReduceFn reductionNumber(uint32_t index);
/// The reduction for a tensor map's element type, or null.
ReduceFn reductionFor(ReduceOp op, TensorType type);

/// One atomic read-modify-write of \p bytes (2, 4 or 8); returns the old bits.
using CombineFn = uint64_t (*)(uint64_t old, uint64_t operand);
/// With \p flushes, subnormal numbers of type f32 become zero in a sum.
CombineFn combineFor(ReduceOp op, Type type, bool flushes = false);
uint64_t atomicCombine(unsigned char *memory, uint32_t bytes, CombineFn combine,
                       uint64_t operand);

uint64_t atomicExchange(unsigned char *memory, uint32_t bytes, uint64_t value);
uint64_t atomicCompareSwap(unsigned char *memory, uint32_t bytes,
                           uint64_t expected, uint64_t value);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_REDUCE_H
