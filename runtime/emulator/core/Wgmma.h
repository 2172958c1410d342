//===- Wgmma.h - wgmma as the scheduler sees it -----------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_WGMMA_H
#define FA3_EMULATOR_CORE_WGMMA_H

#include "State.h"

namespace fa3::emulator {

struct WgmmaShape {
  uint32_t n = 0, k = 0;
  uint8_t type = 0; ///< Type of A and of B.
  uint8_t typeB = 0;
  bool f16Accumulator = false, integerAccumulator = false;
  bool registerA = false;
  bool transA = false, transB = false;
  bool negateA = false, negateB = false;
};

struct WgmmaOp {
  const Inst *inst = nullptr;
  WgmmaShape shape;
  uint32_t issued = 0; ///< Warps that have issued it.
  uint64_t descA = 0, descB = 0;
  bool scaleD = true;
  SyncClock seen; ///< What all issuing warps had seen.
  uint64_t due = 0;
  uint64_t time = 0; ///< Logical time of issue, then of completion.
  Location where;
};

/// Executes the operations of \p group up to \p seq that all warps issued.
void executeWgmma(Cta &cta, uint32_t group, uint32_t seq);
/// Whether all warps have issued operation \p seq.
bool wgmmaIssued(const Warpgroup &group, uint32_t seq);
/// Executes what the seed makes due.
void advanceWgmma(Cta &cta);

//===----------------------------------------------------------------------===//
// Matrix descriptors (PTX ISA, "Matrix Descriptor Format")
//===----------------------------------------------------------------------===//

struct MatrixDescriptor {
  uint32_t start, leading, stride; ///< Bytes.
  uint32_t baseOffset;
  uint32_t swizzle; ///< Span in bytes: 0, 32, 64 or 128.
  explicit MatrixDescriptor(uint64_t bits);

  /// Shared-memory offset of the 16-byte chunk \p chunk along the contiguous
  /// dimension at \p row of the other: for K-major operands rows run along M
  /// or N; for MN-major ones along K.
  uint32_t chunkAddress(bool mnMajor, uint32_t row, uint32_t chunk) const;
};

/// The 16-byte chunks of address \p a permuted as TMA and wgmma do.
inline uint32_t swizzleAddress(uint32_t a, uint32_t span) {
  // Span 128: bits 4-6 ^= bits 7-9; 64: bits 4-5 ^= 7-8; 32: bit 4 ^= 7.
  uint32_t bits = span / 16 ? span / 16 - 1 : 0;
  return a ^ ((a >> 7 & bits) << 4);
}

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_WGMMA_H
