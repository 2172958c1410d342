//===- Copy.h - What asynchronous copies share ------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_COPY_H
#define FA3_EMULATOR_CORE_COPY_H

#include "Decoder.h"
#include "State.h"
#include "TensorMap.h"

namespace fa3::emulator {

/// What a destination holds while a copy is under way: NaN in every float
/// format.
inline constexpr unsigned char kPoison = 0xff;

/// A contiguous piece of a transfer inside the tensor: where in global memory
/// and where in the box.
struct Run {
  uint64_t global;
  uint32_t box;
  uint32_t bytes;
};

/// One box of a tensor, or one linear range.
struct Transfer {
  std::vector<Run> runs;
  uint32_t bytes = 0;
  uint32_t span = 0;    ///< Swizzle.
  bool fillNaN = false; ///< What out-of-bounds elements become.

  void readGlobal(std::vector<unsigned char> &buffer) const;
  /// To and from the shared memory of \p cta at offset \p base.
  void writeShared(Cta &cta, uint32_t base,
                   const std::vector<unsigned char> &buffer) const;
  void readShared(Cta &cta, uint32_t base,
                  std::vector<unsigned char> &buffer) const;
};

/// Reads the tensor map of \p rank dimensions at a generic address; false after
/// reporting.
bool tensorMapAt(Warp &w, const Inst &i, uint32_t lane, uint64_t address,
                 uint32_t rank, TensorMapFields &map);

/// Cuts the box at \p coordinates of \p map into runs and checks them.
bool boxRuns(Warp &w, const Inst &i, uint32_t lane, const TensorMapFields &map,
             const int32_t *coordinates, bool write, Transfer &transfer);

/// Resolves a shared-memory range of a copy; false after reporting.
bool sharedAt(Warp &w, const Inst &i, uint32_t lane, uint64_t address,
              uint32_t bytes, uint32_t align, Cta *&cta, uint32_t &offset);

/// Lets the seed choose when \p op takes effect.
void setDue(Cluster &cluster, AsyncOp &op);

/// Two constant offsets in Inst::imm.
inline uint64_t packOffsets(int64_t first, int64_t second) {
  return uint64_t(uint32_t(first)) | uint64_t(uint32_t(second)) << 32;
}
inline int64_t firstOffset(const Inst &i) { return int32_t(uint32_t(i.imm)); }
inline int64_t secondOffset(const Inst &i) {
  return int32_t(uint32_t(i.imm >> 32));
}

/// cp.async.bulk and cp.reduce.async.bulk, in CopyBulk.cpp.
void decodeBulkCopy(Decoder &d, bool reduction);
/// The other cp.async, in CopySmall.cpp.
void decodeSmallCopy(Decoder &d);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_COPY_H
