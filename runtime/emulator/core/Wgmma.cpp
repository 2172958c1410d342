//===- Wgmma.cpp - Asynchronous warpgroup matrix multiply -----------------===//
//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate
// Instructions". The four warps of a warpgroup issue an operation one by one;
// when the last has done so it may execute at any time until a wait_group for
// it returns. Its operands in shared memory and in registers are read when it
// executes, so what is overwritten too early gives wrong results.
//
//===----------------------------------------------------------------------===//

#include "Wgmma.h"
#include "Decoder.h"
#include "Elements.h"
#include "Elementwise.h"
#include "Memory.h"
#include "Numerics.h"
#include "TensorCore.h"

#include <charconv>

using namespace fa3::emulator;

Warpgroup::Warpgroup() = default;
Warpgroup::~Warpgroup() = default;
Warpgroup::Warpgroup(Warpgroup &&) noexcept = default;

MatrixDescriptor::MatrixDescriptor(uint64_t bits)
    : start(uint32_t(bits & 0x3fff) << 4),
      leading(uint32_t(bits >> 16 & 0x3fff) << 4),
      stride(uint32_t(bits >> 32 & 0x3fff) << 4),
      baseOffset(uint32_t(bits >> 49 & 7)) {
  static constexpr uint32_t kSpans[] = {0, 128, 64, 32};
  swizzle = kSpans[bits >> 62];
}

uint32_t MatrixDescriptor::chunkAddress(bool mnMajor, uint32_t row,
                                        uint32_t chunk) const {
  uint32_t group = row / 8, within = row % 8;
  if (!swizzle) {
    // Core matrices of eight rows of 16 bytes, each 128 contiguous bytes. For
    // MN-major operands leading and stride change roles.
    uint32_t along = mnMajor ? stride : leading,
             across = mnMajor ? leading : stride;
    return start + chunk * along + group * across + within * 16;
  }
  uint32_t chunks = swizzle / 16;
  uint32_t a = start + group * stride + within * swizzle + chunk % chunks * 16;
  // Beyond one swizzle span: only MN-major operands have a leading stride; a
  // K-major one continues to the next span.
  a += chunk / chunks * (mnMajor ? leading : swizzle);
  return swizzleAddress(a, swizzle);
}

namespace {

uint32_t elementBytes(const WgmmaShape &s) { return 32 / s.k; }

/// Calls f(address, row, chunk) for each chunk of an operand with \p mn rows.
template <class F>
void forChunks(const MatrixDescriptor &d, bool mnMajor, uint32_t mn,
               const WgmmaShape &s, F f) {
  uint32_t perChunk = 16 / elementBytes(s);
  uint32_t rows = mnMajor ? s.k : mn, chunks = (mnMajor ? mn : s.k) / perChunk;
  for (uint32_t r = 0; r != rows; ++r)
    for (uint32_t c = 0; c != chunks; ++c)
      f(d.chunkAddress(mnMajor, r, c), r, c);
}

/// Reads an operand into out[mn][k] (\p kInner) or out[k][mn].
void loadOperand(Cta &cta, const MatrixDescriptor &d, Type type, bool mnMajor,
                 uint32_t mn, const WgmmaShape &s, bool kInner, float *out) {
  uint32_t perChunk = 16 / elementBytes(s);
  forChunks(d, mnMajor, mn, s,
            [&](uint32_t address, uint32_t row, uint32_t chunk) {
              float values[16];
              expandElements(cta.shared.data() + (address - kSharedBase), type,
                             values);
              for (uint32_t e = 0; e != perChunk; ++e) {
                uint32_t x = mnMajor ? chunk * perChunk + e : row;
                uint32_t k = mnMajor ? row : chunk * perChunk + e;
                out[kInner ? x * s.k + k : k * mn + x] = values[e];
              }
            });
}

/// The A fragment in registers (PTX ISA, "Register Fragments for
/// wgmma.mma_async": matrix A).
void loadFragment(const Warp *warps, const Operand *ops, const WgmmaShape &s,
                  float *out) {
  uint32_t bytes = elementBytes(s), perRegister = 4 / bytes;
  for (uint32_t w = 0; w != 4; ++w)
    for (uint32_t r = 0; r != 4; ++r) {
      const uint32_t *cell = warps[w].in(ops[r]);
      for (uint32_t l = 0; l != kLanes; ++l) {
        unsigned char chunk[16] = {};
        float values[16];
        std::memcpy(chunk, cell + l, 4);
        expandElements(chunk, Type(s.type), values);
        uint32_t row = 16 * w + l / 4 + 8 * (r % 2);
        uint32_t column = perRegister * (l % 4) + 4 * perRegister * (r / 2);
        for (uint32_t e = 0; e != perRegister; ++e)
          out[row * s.k + column + e] = values[e];
      }
    }
}

void execute(Cta &cta, uint32_t group, WgmmaOp &op) {
  const WgmmaShape &s = op.shape;
  Warp *warps = &cta.warps[group * 4];
  alignas(64) float a[kMaxGemmM * kMaxGemmK], b[kMaxGemmK * kMaxGemmN],
      d[kMaxGemmM * kMaxGemmN];
  const Operand *ops = op.inst->ops;
  uint32_t accumulators = s.f16Accumulator ? s.n / 4 : s.n / 2;
  if (s.registerA)
    loadFragment(warps, ops + accumulators, s, a);
  else
    loadOperand(cta, MatrixDescriptor(op.descA), Type(s.type), s.transA, 64, s,
                true, a);
  loadOperand(cta, MatrixDescriptor(op.descB), Type(s.typeB), s.transB, s.n, s,
              false, b);
  if (s.negateA != s.negateB)
    for (uint32_t x = 0; x != 64 * s.k; ++x)
      a[x] = -a[x];

  // Accumulator fragment: value v of lane l is at row l / 4 + 8 * (v / 2 % 2)
  // of the warp's 16 and column 8 * (v / 4) + 2 * (l % 4) + v % 2.
  auto forValues = [&](auto f) {
    for (uint32_t w = 0; w != 4; ++w)
      for (uint32_t v = 0; v != s.n / 2; ++v) {
        uint32_t *cell = warps[w].out(ops[s.f16Accumulator ? v / 2 : v]);
        for (uint32_t l = 0; l != kLanes; ++l)
          f(cell[l], v,
            d[(16 * w + l / 4 + 8 * (v / 2 % 2)) * s.n + 8 * (v / 4) +
              2 * (l % 4) + v % 2]);
      }
  };
  if (!op.scaleD)
    std::memset(d, 0, sizeof(float) * 64 * s.n);
  else if (s.f16Accumulator)
    forValues([](uint32_t cell, uint32_t v, float &x) {
      x = fromF16(uint16_t(cell >> 16 * (v % 2)));
    });
  else if (s.integerAccumulator)
    std::memset(d, 0, sizeof(float) * 64 * s.n);
  else
    forValues([](uint32_t cell, uint32_t, float &x) {
      x = std::bit_cast<float>(cell);
    });

  multiplyAdd(d, a, b,
              {64, s.n, s.k, Type(s.type), Type(s.typeB), s.f16Accumulator,
               s.k == 32 ? kKeptBitsFp8 : kKeptBits});

  if (s.f16Accumulator)
    forValues([](uint32_t &cell, uint32_t v, float x) {
      uint32_t shift = 16 * (v % 2);
      cell = (cell & ~(0xffffu << shift)) | uint32_t(toF16(x)) << shift;
    });
  else if (s.integerAccumulator)
    forValues([&](uint32_t &cell, uint32_t, float x) {
      cell = (op.scaleD ? cell : 0) + uint32_t(int32_t(x));
    });
  else
    forValues([](uint32_t &cell, uint32_t, float x) {
      cell = std::bit_cast<uint32_t>(x);
    });
}

} // namespace

bool fa3::emulator::wgmmaIssued(const Warpgroup &group, uint32_t seq) {
  if (seq < group.firstSeq)
    return true;
  size_t index = seq - group.firstSeq;
  return index < group.ops.size() && group.ops[index]->issued == 4;
}

void fa3::emulator::executeWgmma(Cta &cta, uint32_t index, uint32_t seq) {
  Warpgroup &group = cta.groups[index];
  while (group.executed < seq && wgmmaIssued(group, group.executed + 1)) {
    ++group.executed;
    execute(cta, index, *group.ops[group.executed - group.firstSeq]);
  }
}

/// Forgets operations that all four warps have waited for.
static void retire(Cta &cta, uint32_t index) {
  Warpgroup &group = cta.groups[index];
  uint32_t waited = ~0u;
  for (uint32_t w = 0; w != 4; ++w)
    waited = std::min(waited, cta.warps[index * 4 + w].waitedSeq);
  for (; !group.ops.empty() && group.firstSeq <= waited; ++group.firstSeq)
    group.ops.pop_front();
}

void fa3::emulator::advanceWgmma(Cta &cta) {
  uint64_t tick = cta.cluster->tick;
  for (uint32_t g = 0; g != cta.groups.size(); ++g) {
    Warpgroup &group = cta.groups[g];
    if (group.executed + 1 - group.firstSeq < group.ops.size() &&
        group.ops[group.executed + 1 - group.firstSeq]->due <= tick)
      executeWgmma(cta, g, group.executed + 1);
  }
}

namespace {

/// inst.imm packs the shape; inst.a is the index of the scale-d operand among
/// the reads, inst.b its constant if it is none (2 = operand).
WgmmaShape unpackShape(const Inst &i) {
  WgmmaShape s;
  uint64_t v = i.imm;
  s.n = uint32_t(v & 0x1ff);
  s.k = uint32_t(v >> 9 & 0x3f);
  s.type = uint8_t(v >> 16);
  s.typeB = uint8_t(v >> 24);
  s.f16Accumulator = v >> 32 & 1;
  s.integerAccumulator = v >> 33 & 1;
  s.registerA = v >> 34 & 1;
  s.transA = v >> 35 & 1;
  s.transB = v >> 36 & 1;
  s.negateA = v >> 37 & 1;
  s.negateB = v >> 38 & 1;
  return s;
}
uint64_t packShape(const WgmmaShape &s) {
  return s.n | uint64_t(s.k) << 9 | uint64_t(s.type) << 16 |
         uint64_t(s.typeB) << 24 | uint64_t(s.f16Accumulator) << 32 |
         uint64_t(s.integerAccumulator) << 33 | uint64_t(s.registerA) << 34 |
         uint64_t(s.transA) << 35 | uint64_t(s.transB) << 36 |
         uint64_t(s.negateA) << 37 | uint64_t(s.negateB) << 38;
}

/// The value of a 64-bit operand that has to be the same in all lanes.
bool uniformValue(Warp &w, const Operand &op, uint64_t &value) {
  const uint32_t *cell = w.in(op);
  value = getLane<uint64_t>(cell, 0);
  for (uint32_t l = 1; l != kLanes; ++l)
    if (getLane<uint64_t>(cell, l) != value)
      return false;
  return true;
}

/// Register rules of an issue: fences since other accesses, and nothing in
/// flight but accumulations into the same registers.
bool checkRegisters(Warp &w, const Inst &i, uint32_t accumulators,
                    uint32_t fragments) {
  bool unfenced = w.fenceEpoch == 2;
  for (uint32_t r = 0; r != accumulators + fragments; ++r) {
    uint32_t reg = i.ops[r].reg;
    if (reg == ~0u)
      continue;
    unfenced |= w.touched[reg] == w.fenceEpoch;
    bool isFragment = r >= accumulators;
    if (isFragment ? w.accumulatorOf[reg] > w.waitedSeq
                   : w.fragmentOf[reg] > w.waitedSeq) {
      fault(w, i, -1, DiagnosticKind::InFlightRegister,
            isFragment
                ? "a register of matrix A is the accumulator of an unfinished "
                  "wgmma"
                : "an accumulator register is matrix A of an unfinished wgmma");
      return false;
    }
  }
  if (unfenced)
    warn(w, i, -1, DiagnosticKind::MissingFence,
         w.fenceEpoch == 2
             ? "the first wgmma of the warp needs a wgmma.fence before it"
             : "registers of this wgmma were accessed after the last "
               "wgmma.fence");
  return true;
}

/// Checks a descriptor and records the shared memory it covers.
bool recordOperand(Warp &w, const Inst &i, uint64_t bits, bool mnMajor,
                   uint32_t mn, const WgmmaShape &s, const WgmmaOp &op,
                   uint32_t seq) {
  Cta &cta = *w.cta;
  MatrixDescriptor d(bits);
  if (d.baseOffset) {
    fault(w, i, -1, DiagnosticKind::InvalidInstruction,
          "a matrix descriptor with a base offset is not supported");
    return false;
  }
  bool ok = true;
  uint32_t end = cta.cluster->launch->sharedBytes;
  Access access;
  access.agent = cta.groups[w.index / 4].agent;
  access.clock = seq;
  access.kind = AccessKind::AsyncRead;
  const Viewer viewer{op.seen, ~0u, 0, nullptr};
  // Neighbouring chunks are recorded together.
  uint32_t begin = 0, length = 0;
  auto flush = [&] {
    if (length)
      recordAccess(*cta.cluster, cta, begin, length, access, viewer, op.where,
                   cta.rank);
  };
  forChunks(d, mnMajor, mn, s, [&](uint32_t address, uint32_t, uint32_t) {
    if (address < kSharedBase || address + 16 > end) {
      ok = false;
      return;
    }
    if (length && address == begin + length) {
      length += 16;
    } else if (length && address + 16 == begin) {
      begin = address;
      length += 16;
    } else {
      flush();
      begin = address;
      length = 16;
    }
  });
  flush();
  if (!ok)
    fault(w, i, -1, DiagnosticKind::OutOfBounds,
          "the matrix descriptor " + hex(bits) +
              " reaches outside the CTA's shared memory");
  return ok;
}

Step mmaHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  Cta &cta = *w.cta;
  if (m != kFullMask || cta.warps.size() < (w.index / 4 + 1) * 4)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "wgmma needs all 128 threads of a warpgroup");
  WgmmaShape s = unpackShape(i);
  uint32_t accumulators = s.f16Accumulator ? s.n / 4 : s.n / 2;
  uint32_t fragments = s.registerA ? 4 : 0;
  bool scaleD = i.b == 1;
  if (i.b == 2) {
    Mask p = predicateMask(w, i.ops[i.a]);
    if (p != 0 && p != kFullMask)
      return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                   "scale-d differs among the threads of the warp");
    scaleD = p != 0;
  }
  if (!checkRegisters(w, i, accumulators, fragments))
    return Step::Fault;
  uint64_t descA = 0, descB = 0;
  bool uniform =
      uniformValue(w, i.ops[accumulators + (s.registerA ? 4 : 1)], descB);
  if (!s.registerA)
    uniform &= uniformValue(w, i.ops[accumulators], descA);
  if (!uniform)
    return fault(w, i, -1, DiagnosticKind::InvalidInstruction,
                 "a matrix descriptor differs among the threads of the warp");

  Warpgroup &group = cta.groups[w.index / 4];
  uint32_t seq = ++w.issuedSeq;
  size_t index = seq - group.firstSeq;
  if (index == group.ops.size()) {
    auto op = std::make_unique<WgmmaOp>();
    op->inst = &i;
    op->shape = s;
    op->descA = descA;
    op->descB = descB;
    op->scaleD = scaleD;
    op->seen = w.clock;
    op->where = locate(w, i);
    group.ops.push_back(std::move(op));
  }
  WgmmaOp &op = *group.ops[index];
  if (op.inst != &i || op.descA != descA || op.descB != descB ||
      op.scaleD != scaleD)
    return fault(
        w, i, -1, DiagnosticKind::InvalidInstruction,
        "the warps of a warpgroup issue different wgmma operations (line " +
            std::to_string(op.inst->line) + " in another warp)");
  if (op.issued)
    op.seen.meet(w.clock);
  op.time = std::max(op.time, w.time);
  for (uint32_t r = 0; r != accumulators; ++r)
    if (i.ops[r].reg != ~0u) {
      w.accumulatorOf[i.ops[r].reg] = seq;
      // Written, but not by an access that the next wgmma.fence has to cover.
      w.touched[i.ops[r].reg] = w.fenceEpoch - 1;
    }
  for (uint32_t r = 0; r != fragments; ++r)
    if (i.ops[accumulators + r].reg != ~0u)
      w.fragmentOf[i.ops[accumulators + r].reg] = seq;
  if (++op.issued < 4)
    return Step::Next;

  // Tensor-core clocks: 8192 bits of products a clock and SM.
  uint64_t flops = uint64_t(2) * 64 * s.n * s.k;
  uint64_t clocks = flops * elementBytes(s) / 8192;
  cta.tensorBusy = std::max(cta.tensorBusy, op.time) + clocks;
  if (!group.spanFlops)
    group.spanBegin = op.time;
  op.time = group.spanEnd = cta.tensorBusy;
  group.spanFlops += flops;
  cta.cluster->launch->flops += flops;
  // The later of the warps' views decides what was visible; its own reads of
  // shared memory are remembered under the operation's number.
  if (!s.registerA && !recordOperand(w, i, descA, s.transA, 64, s, op, seq))
    return Step::Fault;
  if (!recordOperand(w, i, descB, s.transB, s.n, s, op, seq))
    return Step::Fault;
  // Early, late (when waited for) or in between.
  Random &random = cta.cluster->random;
  switch (random.below(3)) {
  case 0:
    executeWgmma(cta, w.index / 4, seq);
    break;
  case 1:
    op.due = cta.cluster->tick + random.below(32);
    break;
  default:
    op.due = ~uint64_t(0);
    break;
  }
  return Step::Next;
}

Step fenceHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  ++w.fenceEpoch;
  return Step::Next;
}

Step commitHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  w.wgmmaGroups.push_back({w.issuedSeq});
  // The last of the four warps has seen all operations issued.
  Warpgroup &group = w.cta->groups[w.index / 4];
  if (++group.commits % 4 == 0 && group.spanFlops) {
    traceSpan(w, TraceCategory::Wgmma, "wgmma", i.line, group.spanBegin,
              group.spanEnd, group.spanFlops);
    group.spanFlops = 0;
  }
  return Step::Next;
}

Step waitHandler(Warp &w, const Inst &i, Mask m) {
  FA3_EMULATOR_ALIGNED(w, i, m);
  if (w.wgmmaGroups.size() <= i.a)
    return Step::Next;
  size_t done = w.wgmmaGroups.size() - i.a;
  uint32_t target = w.wgmmaGroups[done - 1].lastSeq;
  Warpgroup &group = w.cta->groups[w.index / 4];
  if (target >= group.firstSeq && !wgmmaIssued(group, target)) {
    Wait &wait = w.split().wait;
    wait.kind = WaitKind::WgmmaPeers;
    wait.generation = target;
    return Step::Wait;
  }
  if (target >= group.firstSeq) {
    uint64_t end = group.ops[target - group.firstSeq]->time;
    if (end > w.time) {
      traceSpan(w, TraceCategory::Issue, "instructions", i.line, w.spanBegin,
                w.time);
      traceSpan(w, TraceCategory::WgmmaWait, "wgmma.wait_group", i.line, w.time,
                end);
      w.spanBegin = w.time = end;
    }
  }
  executeWgmma(*w.cta, w.index / 4, target);
  w.waitedSeq = std::max(w.waitedSeq, target);
  w.clock.seen.raise(group.agent, target);
  w.wgmmaGroups.erase(w.wgmmaGroups.begin(),
                      w.wgmmaGroups.begin() + ptrdiff_t(done));
  retire(*w.cta, w.index / 4);
  return Step::Next;
}

/// "m64n128k16".
bool parseShape(std::string_view text, uint32_t &n, uint32_t &k) {
  if (text.substr(0, 4) != "m64n")
    return false;
  const char *end = text.data() + text.size();
  auto first = std::from_chars(text.data() + 4, end, n);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'k')
    return false;
  auto second = std::from_chars(first.ptr + 1, end, k);
  return second.ec == std::errc() && second.ptr == end && n >= 8 && n <= 256 &&
         n % 8 == 0;
}

void decodeMmaAsync(Decoder &d) {
  WgmmaShape s;
  if (d.has("sp"))
    d.unsupported("sparse form");
  if (!d.has("sync") || !d.has("aligned") ||
      !parseShape(d.nextModifier(), s.n, s.k))
    d.fail("malformed shape");
  bool satfinite = d.has("satfinite");
  Type dType = d.type(), aType = d.type(), bType = d.type();
  if (satfinite)
    d.unsupported("satfinite");
  bool isHalf = aType == Type::F16 || aType == Type::BF16;
  bool isFp8 = aType == Type::E4M3 || aType == Type::E5M2;
  bool isInt = aType == Type::S8 || aType == Type::U8;
  uint32_t k = isHalf ? 16 : aType == Type::TF32 ? 8 : isFp8 || isInt ? 32 : 0;
  bool typesOk = k == s.k && (isFp8 ? bType == Type::E4M3 || bType == Type::E5M2
                              : isInt ? bType == Type::S8 || bType == Type::U8
                                      : bType == aType);
  s.f16Accumulator = dType == Type::F16;
  s.integerAccumulator = dType == Type::S32;
  typesOk &= isInt ? s.integerAccumulator
                   : dType == Type::F32 ||
                         (s.f16Accumulator && (aType == Type::F16 || isFp8));
  if (!typesOk)
    d.unsupported("types");
  s.type = uint8_t(aType);
  s.typeB = uint8_t(bType);
  auto accumulators = Decoder::elements(d.operand(0));
  if (accumulators.size() != (s.f16Accumulator ? s.n / 4 : s.n / 2))
    d.fail("wrong number of accumulator registers");
  for (const ParsedOperand *p : accumulators)
    d.def(*p, 4);
  s.registerA = d.operand(1).kind == ParsedOperand::Vector;
  if (s.registerA) {
    auto fragment = Decoder::elements(d.operand(1));
    if (fragment.size() != 4)
      d.fail("matrix A takes four registers");
    for (const ParsedOperand *p : fragment)
      d.use(*p, Type::B32);
  } else {
    d.use(d.operand(1), Type::B64);
  }
  d.use(d.operand(2), Type::B64);
  const ParsedOperand &scale = d.operand(3);
  if (d.isConstant(scale)) {
    d.inst.b = d.constant(scale) != 0;
  } else {
    d.inst.a = uint32_t(accumulators.size() + (s.registerA ? 5 : 2));
    d.inst.b = 2;
    d.usePred(scale);
  }
  size_t next = 4;
  auto sign = [&] {
    int64_t v = int64_t(d.constant(d.operand(next++)));
    if (v != 1 && v != -1)
      d.fail("imm-scale is neither 1 nor -1");
    return v < 0;
  };
  if (!isInt) {
    s.negateA = sign();
    s.negateB = sign();
  }
  if (isHalf) {
    if (!s.registerA)
      s.transA = d.constant(d.operand(next++)) != 0;
    s.transB = d.constant(d.operand(next++)) != 0;
  }
  d.expectOperands(next, next);
  d.inst.imm = packShape(s);
  d.inst.tracksRegisters = false;
  d.inst.fn = mmaHandler;
}

void decodeWgmma(Decoder &d) {
  int action = d.oneOf({"mma_async", "fence", "commit_group", "wait_group"});
  if (action == 0)
    return decodeMmaAsync(d);
  if (action < 0 || !d.has("sync") || !d.has("aligned"))
    d.fail("malformed wgmma");
  if (action == 3) {
    d.expectOperands(1, 1);
    uint64_t n = d.constant(d.operand(0));
    if (n > 7)
      d.fail("wait_group takes a number from 0 to 7");
    d.inst.a = uint32_t(n);
    d.inst.fn = waitHandler;
    return;
  }
  d.expectOperands(0, 0);
  d.inst.fn = action == 1 ? fenceHandler : commitHandler;
}

} // namespace

void fa3::emulator::addWgmmaOpcodes(OpcodeTable &t) {
  t["wgmma"] = decodeWgmma;
}
