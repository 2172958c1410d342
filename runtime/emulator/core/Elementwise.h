//===- Elementwise.h - Lane-by-lane handlers --------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_ELEMENTWISE_H
#define FA3_EMULATOR_CORE_ELEMENTWISE_H

#include "State.h"

namespace fa3::emulator {

/// Stores \p f(lane) for the lanes of \p mask. With all lanes active, results
/// are collected first: the destination may be a source, and a loop without
/// that dependence vectorizes.
template <class D, class F>
inline void storeLanes(uint32_t *out, Mask mask, F f) {
  if (mask == kFullMask) {
    D results[kLanes];
    for (uint32_t lane = 0; lane != kLanes; ++lane)
      results[lane] = f(lane);
    for (uint32_t lane = 0; lane != kLanes; ++lane)
      setLane<D>(out, lane, results[lane]);
    return;
  }
  for (; mask; mask &= mask - 1) {
    uint32_t lane = uint32_t(std::countr_zero(mask));
    setLane<D>(out, lane, f(lane));
  }
}

/// Handlers of D = Op(A), Op(A, B) and Op(A, B, C); Op is a function object.
template <class Op, class D, class A>
Step unaryHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]);
  storeLanes<D>(w.out(i.ops[0]), m,
                [&](uint32_t l) -> D { return Op()(getLane<A>(a, l)); });
  return Step::Next;
}
template <class Op, class D, class A, class B>
Step binaryHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]);
  storeLanes<D>(w.out(i.ops[0]), m, [&](uint32_t l) -> D {
    return Op()(getLane<A>(a, l), getLane<B>(b, l));
  });
  return Step::Next;
}
template <class Op, class D, class A, class B, class C>
Step ternaryHandler(Warp &w, const Inst &i, Mask m) {
  const uint32_t *a = w.in(i.ops[1]), *b = w.in(i.ops[2]), *c = w.in(i.ops[3]);
  storeLanes<D>(w.out(i.ops[0]), m, [&](uint32_t l) -> D {
    return Op()(getLane<A>(a, l), getLane<B>(b, l), getLane<C>(c, l));
  });
  return Step::Next;
}

/// The lanes in which predicate operand \p op is true.
inline Mask predicateMask(const Warp &w, const Operand &op) {
  if (op.kind == Operand::Constant)
    return op.slot ? kFullMask : 0;
  return op.negated ? ~w.preds[op.slot] : w.preds[op.slot];
}
/// Sets the lanes \p m of predicate \p op from \p bits.
inline void setPredicate(Warp &w, const Operand &op, Mask m, Mask bits) {
  if (op.kind == Operand::Predicate)
    w.preds[op.slot] = (w.preds[op.slot] & ~m) | (bits & m);
}

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_ELEMENTWISE_H
