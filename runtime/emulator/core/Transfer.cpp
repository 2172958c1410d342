//===- Transfer.cpp - Pieces of asynchronous copies -----------------------===//
//
// A copy is cut at issue into runs of contiguous bytes (PTX ISA, "Tensors":
// bounding boxes, traversal strides, out-of-boundary access, swizzling).
//
//===----------------------------------------------------------------------===//

#include "Copy.h"
#include "Memory.h"
#include "Wgmma.h"

#include <algorithm>

using namespace fa3::emulator;

/// Host address of byte \p box of a transfer at shared offset \p base. Only 16
/// bytes are contiguous under a swizzle.
static unsigned char *sharedByte(Cta &cta, uint32_t base, uint32_t box,
                                 uint32_t span) {
  return cta.shared.data() + (swizzleAddress(base + box, span) - kSharedBase);
}

void Transfer::readGlobal(std::vector<unsigned char> &buffer) const {
  for (const Run &r : runs)
    std::memcpy(buffer.data() + r.box, reinterpret_cast<const void *>(r.global),
                r.bytes);
}
void Transfer::writeShared(Cta &cta, uint32_t base,
                           const std::vector<unsigned char> &buffer) const {
  for (uint32_t at = 0; at < bytes; at += 16)
    std::memcpy(sharedByte(cta, base, at, span), buffer.data() + at,
                std::min(16u, bytes - at));
}
void Transfer::readShared(Cta &cta, uint32_t base,
                          std::vector<unsigned char> &buffer) const {
  for (uint32_t at = 0; at < bytes; at += 16)
    std::memcpy(buffer.data() + at, sharedByte(cta, base, at, span),
                std::min(16u, bytes - at));
}

bool fa3::emulator::sharedAt(Warp &w, const Inst &i, uint32_t l,
                             uint64_t address, uint32_t bytes, uint32_t align,
                             Cta *&cta, uint32_t &offset) {
  if (uint32_t(address) % align) {
    fault(w, i, int(l), DiagnosticKind::Misaligned,
          "shared-memory address " + hex(uint32_t(address)) +
              " of the copy is not a multiple of " + std::to_string(align),
          address);
    return false;
  }
  cta = resolveShared(w, i, int(l), address, bytes, offset);
  return cta != nullptr;
}

bool fa3::emulator::boxRuns(Warp &w, const Inst &i, uint32_t l,
                            const TensorMapFields &map,
                            const int32_t *coordinates, bool write,
                            Transfer &t) {
  uint32_t size = tensorTypeSize(map.type);
  // Rows are fetched in units of 16 bytes.
  if (int64_t(coordinates[0]) * size % 16) {
    fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
          "the innermost coordinate " + std::to_string(coordinates[0]) +
              " times the element size of " + std::to_string(size) +
              " is not a multiple of 16 bytes");
    return false;
  }
  // Loads fill what lies before the tensor, stores refuse to start there.
  for (uint32_t d = 0; write && d != map.rank; ++d)
    if (coordinates[d] < 0) {
      fault(w, i, int(l), DiagnosticKind::InvalidInstruction,
            "coordinate " + std::to_string(coordinates[d]) +
                " of a store is negative");
      return false;
    }
  uint32_t counts[5] = {1, 1, 1, 1, 1};
  uint64_t total = size;
  for (uint32_t d = 0; d != map.rank; ++d) {
    uint32_t step = d ? map.elementStrides[d] : 1;
    counts[d] = (map.box[d] + step - 1) / step;
    total *= counts[d];
  }
  t.bytes = uint32_t(total);
  t.span = swizzleSpan(map.swizzle);
  t.fillNaN = map.fill == TensorFill::NaN;
  uint32_t inner = counts[0] * size;
  // The part of the innermost row that lies inside the tensor.
  int64_t first = coordinates[0], last = first + counts[0];
  // Stores write whole units of 16 bytes.
  int64_t unit = write ? 16 / size : 1;
  int64_t width = (int64_t(map.dims[0]) + unit - 1) / unit * unit;
  int64_t begin = std::max<int64_t>(first, 0), end = std::min(last, width);
  uint32_t box = 0;
  for (uint32_t c4 = 0; c4 != counts[4]; ++c4)
    for (uint32_t c3 = 0; c3 != counts[3]; ++c3)
      for (uint32_t c2 = 0; c2 != counts[2]; ++c2)
        for (uint32_t c1 = 0; c1 != counts[1]; ++c1, box += inner) {
          uint32_t c[5] = {0, c1, c2, c3, c4};
          uint64_t address = map.address;
          bool inside = begin < end;
          for (uint32_t d = 1; d < map.rank; ++d) {
            int64_t x =
                int64_t(coordinates[d]) + int64_t(c[d]) * map.elementStrides[d];
            inside &= x >= 0 && uint64_t(x) < map.dims[d];
            address += uint64_t(x) * map.strides[d - 1];
          }
          if (!inside)
            continue;
          Run run{address + uint64_t(begin) * size,
                  box + uint32_t(begin - first) * size,
                  uint32_t(end - begin) * size};
          if (!checkGlobal(w, i, int(l), run.global, run.bytes, write))
            return false;
          t.runs.push_back(run);
        }
  return true;
}

bool fa3::emulator::tensorMapAt(Warp &w, const Inst &i, uint32_t l,
                                uint64_t address, uint32_t rank,
                                TensorMapFields &map) {
  MemoryRef ref;
  if (!resolve(w, i, int(l), Space::Generic, address, 128, 64, Intent::Read,
               ref))
    return false;
  if (ref.shared || !decodeTensorMap(ref.host, map)) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "no tensor map was encoded at " + hex(address), address);
    return false;
  }
  if (map.rank != rank) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "a copy of " + std::to_string(rank) +
              " dimensions uses a tensor map of " + std::to_string(map.rank),
          address);
    return false;
  }
  if (map.interleave != TensorInterleave::None) {
    fault(w, i, int(l), DiagnosticKind::InvalidTensorMap,
          "interleaved tensor maps are not supported", address);
    return false;
  }
  return true;
}

void fa3::emulator::setDue(Cluster &cluster, AsyncOp &op) {
  switch (cluster.random.below(3)) {
  case 0:
    op.due = cluster.tick;
    break;
  case 1:
    op.due = cluster.tick + cluster.random.below(64);
    break;
  default:
    op.due = ~uint64_t(0);
    break;
  }
}
