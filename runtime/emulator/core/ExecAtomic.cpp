//===- ExecAtomic.cpp - atom and red --------------------------------------===//
//
// PTX ISA, "atom" and "red". Global atomics are atomic between host threads;
// atomics on shared memory also order what surrounds them, as programs that use
// them for synchronisation expect. In global memory, unlike in shared memory
// and in bulk reductions, sums of type f32 lose subnormal numbers.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Memory.h"
#include "Reduce.h"

using namespace fa3::emulator;

namespace {

enum Special : uint32_t { Combine = 0, Exchange = 1, CompareSwap = 2 };

/// inst.a space, .b bytes of an element | elements << 8 | has result << 16, .c
/// reduction | type << 8, .d special; .imm offset.
/// ops: [d...,] address, operand..., [new value].
Step atomHandler(Warp &w, const Inst &i, Mask m) {
  uint32_t bytes = i.b & 0xff, count = i.b >> 8 & 0xff;
  bool hasResult = i.b >> 16;
  const Operand *ops = i.ops + (hasResult ? count : 0);
  for (Mask rest = m; rest; rest &= rest - 1) {
    uint32_t l = uint32_t(std::countr_zero(rest));
    MemoryRef ref;
    if (!resolve(w, i, int(l), Space(i.a),
                 laneAddress(w, ops[0], int64_t(i.imm), l), bytes * count,
                 bytes * count, Intent::Write, ref))
      return Step::Fault;
    syncOnAddress(w, l, ref, true, true);
    for (uint32_t k = 0; k != count; ++k) {
      auto load = [&](const Operand &op) {
        return op.bytes == 8 ? getLane<uint64_t>(w.in(op), l)
                             : uint64_t(w.in(op)[l]);
      };
      uint64_t operand = load(ops[1 + k]), old = 0;
      unsigned char *place = ref.host + k * bytes;
      if (i.d == Combine) {
        old = atomicCombine(place, bytes,
                            combineFor(ReduceOp(i.c & 0xff), Type(i.c >> 8),
                                       /*flushes=*/!ref.shared),
                            operand);
      } else if (i.d == Exchange) {
        old = atomicExchange(place, bytes, operand);
      } else {
        old = atomicCompareSwap(place, bytes, operand, load(ops[2]));
      }
      if (hasResult && i.ops[k].kind == Operand::Register) {
        if (i.ops[k].bytes == 8)
          setLane<uint64_t>(w.out(i.ops[k]), l, old);
        else
          w.out(i.ops[k])[l] = uint32_t(old);
      }
    }
  }
  return hasResult ? pollStep(w) : Step::Next;
}

void decodeAtomic(Decoder &d, bool hasResult) {
  d.oneOf({"relaxed", "acquire", "release", "acq_rel"});
  d.oneOf({"cta", "cluster", "gpu", "sys"});
  int space = d.oneOf({"global", "shared", "shared::cta", "shared::cluster"});
  d.inst.a = uint32_t(space < 0    ? Space::Generic
                      : space == 0 ? Space::Global
                                   : Space::Shared);
  int op = d.oneOf(
      {"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas"});
  if (op < 0)
    d.fail("missing operation");
  d.has("noftz");
  bool hint = d.has("L2::cache_hint");
  int vector = d.oneOf({"v2", "v4", "v8"});
  uint32_t count = vector < 0 ? 1 : 2u << vector;
  Type type = d.type();
  uint32_t bytes = typeBytes(type);
  if (bytes < 2 || bytes > 8 || bytes * count > 16)
    d.unsupported("type");
  d.inst.d = op == 8 ? Exchange : op == 9 ? CompareSwap : Combine;
  if (d.inst.d == Combine) {
    if (!combineFor(ReduceOp(op), type))
      d.unsupported("operation on this type");
    d.inst.c = uint32_t(op) | uint32_t(type) << 8;
  } else if (bytes == 2 || count != 1) {
    d.unsupported("type");
  }
  d.inst.b = bytes | count << 8 | (hasResult ? 1u << 16 : 0);
  size_t next = 0;
  if (hasResult) {
    auto to = Decoder::elements(d.operand(next++));
    if (to.size() != count)
      d.fail("vector has the wrong number of elements");
    for (const ParsedOperand *p : to)
      d.defOrSink(*p, bytes);
  }
  d.inst.imm = uint64_t(d.useAddress(d.operand(next++)));
  auto from = Decoder::elements(d.operand(next++));
  if (from.size() != count)
    d.fail("vector has the wrong number of elements");
  for (const ParsedOperand *p : from)
    d.use(*p, type);
  if (d.inst.d == CompareSwap)
    d.use(d.operand(next++), type);
  d.expectOperands(next + hint, next + hint);
  d.inst.fn = atomHandler;
  d.inst.cost = 8;
}
void decodeAtom(Decoder &d) { decodeAtomic(d, true); }
void decodeRed(Decoder &d) {
  if (d.has("async"))
    d.unsupported("form");
  decodeAtomic(d, false);
}

} // namespace

void fa3::emulator::addAtomicOpcodes(OpcodeTable &t) {
  t["atom"] = decodeAtom;
  t["red"] = decodeRed;
}
