//===- ExecMma.cpp - mma.sync ---------------------------------------------===//
//
// PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Gemm.h"
#include "Numerics.h"
#include "State.h"

#include <bit>

using namespace fa3::emulator;

namespace {

constexpr uint32_t kM = 16, kN = 8, kK = 16;

/// Half \p h of \p word as a number: inst.b says whether it is bf16 or f16.
float halfOf(const Inst &i, uint32_t word, uint32_t h) {
  const uint16_t bits = uint16_t(word >> (16 * h));
  return Type(i.b) == Type::BF16 ? fromBF16(bits) : fromF16(bits);
}

/// The accumulators are inst.a registers: four of f32, or two pairs of f16.
Step mmaHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  const uint32_t sums = i.a;
  const bool packed = sums == 2;
  float a[kM * kK], b[kK * kN], d[kM * kN];
  // Lane l has rows l / 4 and l / 4 + 8 of A and D and column l / 4 of B; its
  // pairs begin at 2 * (l % 4).
  for (uint32_t l = 0; l != kLanes; ++l) {
    const uint32_t row = l / 4, pair = l % 4 * 2;
    for (uint32_t h = 0; h != 2; ++h) {
      for (uint32_t r = 0; r != 4; ++r)
        a[(row + 8 * (r % 2)) * kK + pair + h + 8 * (r / 2)] =
            halfOf(i, w.in(i.ops[sums + r])[l], h);
      for (uint32_t r = 0; r != 2; ++r)
        b[(pair + h + 8 * r) * kN + row] =
            halfOf(i, w.in(i.ops[sums + 4 + r])[l], h);
      for (uint32_t r = 0; r != 2; ++r) {
        const Operand &from = i.ops[sums + 6 + (packed ? r : 2 * r + h)];
        const uint32_t word = w.in(from)[l];
        d[(row + 8 * r) * kN + pair + h] =
            packed ? fromF16(uint16_t(word >> (16 * h)))
                   : std::bit_cast<float>(word);
      }
    }
  }
  gemmAccumulate(d, a, b, kM, kN, kK);
  for (uint32_t l = 0; l != kLanes; ++l)
    for (uint32_t r = 0; r != 2; ++r) {
      const float *x = &d[(l / 4 + 8 * r) * kN + l % 4 * 2];
      if (packed) {
        w.out(i.ops[r])[l] = toF16(x[0]) | uint32_t(toF16(x[1])) << 16;
        continue;
      }
      for (uint32_t h = 0; h != 2; ++h)
        w.out(i.ops[2 * r + h])[l] = std::bit_cast<uint32_t>(x[h]);
    }
  return Step::Next;
}

void decodeMma(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned") || !d.has("m16n8k16") ||
      !d.has("row") || !d.has("col"))
    d.unsupported("form");
  const Type to = d.type(), a = d.type(), b = d.type(), from = d.type();
  if ((a != Type::BF16 && a != Type::F16) || a != b || to != from ||
      (to != Type::F32 && (to != Type::F16 || a != Type::F16)))
    d.unsupported("type");
  d.inst.a = to == Type::F32 ? 4 : 2;
  d.inst.b = uint32_t(a);
  d.inst.cost = 16;
  d.expectOperands(4, 4);
  const uint32_t counts[] = {d.inst.a, 4, 2, d.inst.a};
  for (size_t group = 0; group != 4; ++group) {
    const auto registers = Decoder::elements(d.operand(group));
    if (registers.size() != counts[group])
      d.fail("wrong number of registers");
    for (const ParsedOperand *p : registers) {
      if (group == 0)
        d.def(*p, 4);
      else
        d.use(*p, group == 3 && to == Type::F32 ? Type::F32 : Type::B32);
    }
  }
  d.inst.fn = mmaHandler;
}

} // namespace

void fa3::emulator::addMmaOpcodes(OpcodeTable &t) { t["mma"] = decodeMma; }
