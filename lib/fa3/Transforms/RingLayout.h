//===- RingLayout.h - Rings in shared memory --------------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_RINGLAYOUT_H
#define FA3_TRANSFORMS_RINGLAYOUT_H

#include "fa3/Hopper/HopperOps.h"

#include "llvm/Support/MathExtras.h"

namespace fa3 {

/// Bytes of a panel's row.
inline constexpr int64_t kPanelBytes = 128;
/// Bytes of a chunk of it that the swizzle moves as a whole.
inline constexpr int64_t kChunkBytes = 16;

/// Alignment of a ring's buffers. The 128-byte swizzle of panels repeats every
/// 1024 bytes; bulk copies take multiples of 128 bytes at least as well as any.
inline int64_t bufferAlignment(hopper::RingType ring) {
  return ring.hasPanels() ? 1024 : 128;
}

/// Distance of a ring's buffers in bytes.
inline int64_t bufferStride(hopper::RingType ring) {
  return llvm::alignTo(ring.getStageBytes(), bufferAlignment(ring));
}

/// Rows of a buffer that copies fill, and their bytes.
inline int64_t loadedRows(hopper::RingAllocOp ring) {
  return ring.getRing().getType().getTile().getDimSize(0) -
         (ring.getOnes() ? tile::LoadOp::kOnesRows : 0);
}
inline int64_t loadedBytes(hopper::RingAllocOp ring) {
  hopper::RingType type = ring.getRing().getType();
  return type.getStageBytes() / type.getTile().getDimSize(0) * loadedRows(ring);
}

/// Whether TMA or a role fills the ring's buffers, which takes mbarriers.
inline bool isLoaded(hopper::RingAllocOp ring) {
  return llvm::none_of(ring->getUsers(), [](mlir::Operation *user) {
    return mlir::isa<hopper::ShareOp, hopper::OutPutOp, hopper::OutReduceOp>(
        user);
  });
}

} // namespace fa3

#endif // FA3_TRANSFORMS_RINGLAYOUT_H
