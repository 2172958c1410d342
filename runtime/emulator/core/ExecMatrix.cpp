//===- ExecMatrix.cpp - ldmatrix and stmatrix -----------------------------===//
//
// PTX ISA, "Warp Level Matrix Instructions".
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Memory.h"

using namespace fa3::emulator;

namespace {

/// Lane holding row \p row of matrix \p matrix gives its address.
bool rowAt(Warp &w, const Inst &i, const Operand &address, uint32_t matrix,
           uint32_t row, Intent intent, MemoryRef &ref) {
  uint32_t lane = matrix * 8 + row;
  uint64_t a = laneAddress(w, address, int64_t(i.imm), lane);
  if (i.d && (a & kWindowMask) != kSharedWindow) {
    fault(w, i, int(lane), DiagnosticKind::OutOfBounds,
          "address " + hex(a) + " is not in shared memory", a);
    return false;
  }
  if (!resolve(w, i, int(lane), Space::Shared, uint32_t(a), 16, 16, intent,
               ref))
    return false;
  recordGeneric(w, i, Access::kLanesTogether, 16, *ref.shared, ref.offset, 16,
                intent == Intent::Write);
  return true;
}

/// Element (row, column) of an 8x8 matrix of 16-bit elements is in lane
/// 4 * row + column / 2, half column % 2; with .trans rows and columns change.
Step ldmatrixHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  const Operand &address = i.ops[i.a];
  uint16_t values[4][8][8];
  for (uint32_t x = 0; x != i.a; ++x)
    for (uint32_t r = 0; r != 8; ++r) {
      MemoryRef ref;
      if (!rowAt(w, i, address, x, r, Intent::Read, ref))
        return Step::Fault;
      std::memcpy(values[x][r], ref.host, 16);
    }
  for (uint32_t x = 0; x != i.a; ++x) {
    uint32_t *out = w.out(i.ops[x]);
    forLanes(m, [&](uint32_t l) {
      uint32_t row = l / 4, column = l % 4 * 2;
      out[l] = i.b ? uint32_t(values[x][column][row]) |
                         uint32_t(values[x][column + 1][row]) << 16
                   : uint32_t(values[x][row][column]) |
                         uint32_t(values[x][row][column + 1]) << 16;
    });
  }
  return Step::Next;
}
Step stmatrixHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  for (uint32_t x = 0; x != i.a; ++x) {
    uint16_t values[8][8];
    const uint32_t *in = w.in(i.ops[1 + x]);
    forLanes(m, [&](uint32_t l) {
      uint32_t row = l / 4, column = l % 4 * 2;
      for (uint32_t h = 0; h != 2; ++h)
        (i.b ? values[column + h][row] : values[row][column + h]) =
            uint16_t(in[l] >> (16 * h));
    });
    for (uint32_t r = 0; r != 8; ++r) {
      MemoryRef ref;
      if (!rowAt(w, i, i.ops[0], x, r, Intent::Write, ref))
        return Step::Fault;
      std::memcpy(ref.host, values[r], 16);
    }
  }
  return Step::Next;
}

Step movmatrixHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  const uint32_t *in = w.in(i.ops[1]);
  uint16_t values[8][8];
  for (uint32_t l = 0; l != kLanes; ++l)
    for (uint32_t h = 0; h != 2; ++h)
      values[l / 4][l % 4 * 2 + h] = uint16_t(in[l] >> (16 * h));
  uint32_t *out = w.out(i.ops[0]);
  forLanes(m, [&](uint32_t l) {
    uint32_t row = l / 4, column = l % 4 * 2;
    out[l] = uint32_t(values[column][row]) | uint32_t(values[column + 1][row])
                                                 << 16;
  });
  return Step::Next;
}

void decodeMovmatrix(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned") || !d.has("m8n8") || !d.has("trans"))
    d.fail("unsupported form");
  d.type();
  d.inst.fn = movmatrixHandler;
  d.defUse(Type::B32, {Type::B32});
}

void takeMatrixForm(Decoder &d) {
  if (!d.has("sync") || !d.has("aligned") || !d.has("m8n8"))
    d.fail("unsupported form");
  int count = d.oneOf({"x1", "x2", "x4"});
  if (count < 0)
    d.fail("missing .x1, .x2 or .x4");
  d.inst.a = 1u << count;
  d.inst.b = d.has("trans");
  d.inst.d = d.oneOf({"shared", "shared::cta"}) < 0;
  if (!d.has("b16"))
    d.unsupported("type");
  d.expectOperands(2, 2);
  d.inst.cost = 8;
}
void decodeLdmatrix(Decoder &d) {
  takeMatrixForm(d);
  auto to = Decoder::elements(d.operand(0));
  if (to.size() != d.inst.a)
    d.fail("wrong number of registers");
  for (const ParsedOperand *p : to)
    d.def(*p, 4);
  d.inst.imm = uint64_t(d.useAddress(d.operand(1)));
  d.inst.fn = ldmatrixHandler;
}
void decodeStmatrix(Decoder &d) {
  takeMatrixForm(d);
  d.inst.imm = uint64_t(d.useAddress(d.operand(0)));
  auto from = Decoder::elements(d.operand(1));
  if (from.size() != d.inst.a)
    d.fail("wrong number of registers");
  for (const ParsedOperand *p : from)
    d.use(*p, Type::B32);
  d.inst.fn = stmatrixHandler;
}

} // namespace

void fa3::emulator::addMatrixOpcodes(OpcodeTable &t) {
  t["ldmatrix"] = decodeLdmatrix;
  t["stmatrix"] = decodeStmatrix;
  t["movmatrix"] = decodeMovmatrix;
}
