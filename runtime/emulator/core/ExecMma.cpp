//===- ExecMma.cpp - mma.sync ---------------------------------------------===//
//
// PTX ISA, "Matrix Fragments for mma" of the m16n8 shapes with 8-, 16- and
// 32-bit elements. Their layouts follow one rule, by the elements in a
// register.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Elements.h"
#include "Numerics.h"
#include "State.h"
#include "TensorCore.h"

#include <algorithm>
#include <charconv>

using namespace fa3::emulator;

namespace {

/// mma.sync of m16n8: inst.a k, .b type of A | of B << 8, .c registers of A |
/// of B << 8, .d accumulator type. ops: d..., a..., b..., c...
Step mmaHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  if (m != kFullMask)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "mma.sync needs a whole warp");
  uint32_t k = i.a, aCount = i.c & 0xff, bCount = i.c >> 8;
  Type aType = Type(i.b & 0xff), bType = Type(i.b >> 8),
       accumulator = Type(i.d);
  bool half = accumulator == Type::F16;
  uint32_t dCount = half ? 2 : 4;
  const Operand *aOps = i.ops + dCount, *bOps = aOps + aCount,
                *cOps = bOps + bCount;
  const uint32_t stepK = std::min(k, 16u);
  float a[2][16 * 16], b[32 * 8], d[16 * 8];
  // A register holds neighbours along k; registers alternate between the upper
  // and lower eight rows of A, then move on along k.
  auto values = [&](const Operand &op, Type type, uint32_t lane, float *out) {
    unsigned char bytes[16] = {};
    std::memcpy(bytes, w.in(op) + lane, 4);
    expandElements(bytes, type, out);
  };
  uint32_t perReg = k / (2 * aCount);
  for (uint32_t l = 0; l != kLanes; ++l) {
    float v[16];
    for (uint32_t r = 0; r != aCount; ++r) {
      values(aOps[r], aType, l, v);
      for (uint32_t e = 0; e != perReg; ++e) {
        uint32_t column = perReg * (l % 4) + 4 * perReg * (r / 2) + e;
        a[column / stepK][(l / 4 + 8 * (r % 2)) * stepK + column % stepK] =
            v[e];
      }
    }
    for (uint32_t r = 0; r != bCount; ++r) {
      values(bOps[r], bType, l, v);
      for (uint32_t e = 0; e != perReg; ++e)
        b[(perReg * (l % 4) + 4 * perReg * r + e) * 8 + l / 4] = v[e];
    }
    for (uint32_t x = 0; x != 4; ++x) {
      uint32_t bits = w.in(cOps[half ? x / 2 : x])[l];
      float &c = d[(l / 4 + 8 * (x / 2)) * 8 + 2 * (l % 4) + x % 2];
      c = half                       ? fromF16(uint16_t(bits >> 16 * (x % 2)))
          : accumulator == Type::S32 ? 0.0f
                                     : std::bit_cast<float>(bits);
    }
  }
  // Eight bits a number are no less exact here, and take two steps.
  for (uint32_t step = 0; step != k / stepK; ++step)
    multiplyAdd(d, a[step], b + step * stepK * 8,
                {16, 8, stepK, aType, bType, half, kKeptBits});
  uint32_t results[4][kLanes] = {};
  for (uint32_t l = 0; l != kLanes; ++l)
    for (uint32_t x = 0; x != 4; ++x) {
      float v = d[(l / 4 + 8 * (x / 2)) * 8 + 2 * (l % 4) + x % 2];
      if (half)
        results[x / 2][l] |= uint32_t(toF16(v)) << 16 * (x % 2);
      else if (accumulator == Type::S32)
        results[x][l] = w.in(cOps[x])[l] + uint32_t(int32_t(v));
      else
        results[x][l] = std::bit_cast<uint32_t>(v);
    }
  for (uint32_t x = 0; x != dCount; ++x)
    std::memcpy(w.out(i.ops[x]), results[x], sizeof(results[x]));
  return Step::Next;
}

void decodeMma(Decoder &d) {
  std::string_view shape;
  if (!d.has("sync") || !d.has("aligned") ||
      (shape = d.nextModifier()).substr(0, 6) != "m16n8k" || !d.has("row") ||
      !d.has("col"))
    d.fail("unsupported form");
  uint32_t k = 0;
  std::from_chars(shape.data() + 6, shape.data() + shape.size(), k);
  Type dType = d.type(), aType = d.type(), bType = d.type(), cType = d.type();
  bool narrow = typeBytes(aType) == 1;
  bool integer = aType == Type::S8 || aType == Type::U8;
  uint32_t bytes = typeBytes(aType), perReg = 4 / bytes;
  bool known = aType == Type::F16 || aType == Type::BF16 ||
               aType == Type::TF32 || aType == Type::E4M3 ||
               aType == Type::E5M2 || integer;
  known &= typeBytes(bType) == bytes && (narrow || aType == bType) &&
           dType == cType &&
           (integer ? dType == Type::S32
                    : dType == Type::F32 || (dType == Type::F16 &&
                                             (aType == Type::F16 || narrow)));
  if (!known || (k != 4 * perReg && k != 8 * perReg))
    d.unsupported("types or shape");
  uint32_t aCount = k / (2 * perReg), bCount = aCount / 2,
           dCount = dType == Type::F16 ? 2 : 4;
  d.expectOperands(4, 4);
  auto group = [&](size_t index, uint32_t count) {
    auto list = Decoder::elements(d.operand(index));
    if (list.size() != count)
      d.fail("wrong number of registers");
    return list;
  };
  for (const ParsedOperand *p : group(0, dCount))
    d.def(*p, 4);
  for (const ParsedOperand *p : group(1, aCount))
    d.use(*p, Type::B32);
  for (const ParsedOperand *p : group(2, bCount))
    d.use(*p, Type::B32);
  for (const ParsedOperand *p : group(3, dCount))
    d.use(*p, Type::B32);
  d.inst.a = k;
  d.inst.b = uint32_t(aType) | uint32_t(bType) << 8;
  d.inst.c = aCount | bCount << 8;
  d.inst.d = uint32_t(dType);
  d.inst.cost = 16;
  d.inst.fn = mmaHandler;
}

} // namespace

void fa3::emulator::addMmaOpcodes(OpcodeTable &t) { t["mma"] = decodeMma; }
