//===- ExecControl.cpp - Branches and exits -------------------------------===//
//
// PTX ISA, "Control Flow Instructions", and instructions that only order or
// hint and need no effect here.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "State.h"

using namespace fa3::emulator;

namespace {

Step braHandler(Warp &w, const Inst &i, Mask m) {
  Split &s = w.split();
  if (m == s.mask) {
    s.pc = i.target;
    return Step::Jump;
  }
  if (!m)
    return Step::Next;
  // The group divides: the taken lanes become a group of their own.
  Split taken;
  taken.mask = m;
  taken.pc = i.target;
  s.mask &= ~m;
  s.pc += 1;
  w.splits.push_back(std::move(taken));
  return Step::Jump;
}

/// brx.idx: the lanes divide by target. inst.a: the table.
Step brxHandler(Warp &w, const Inst &i, Mask m) {
  const std::vector<uint32_t> &table =
      w.cta->cluster->launch->kernel.branchTables[i.a];
  const uint32_t *index = w.in(i.ops[0]);
  std::vector<Split> taken;
  for (Mask rest = m; rest;) {
    uint32_t which = index[std::countr_zero(rest)];
    if (which >= table.size())
      return fault(w, i, std::countr_zero(rest),
                   DiagnosticKind::InvalidInstruction,
                   "branch index " + std::to_string(which) +
                       " is beyond the list of targets");
    Split group;
    group.pc = table[which];
    for (uint32_t l = 0; l != kLanes; ++l)
      if (rest >> l & 1 && index[l] == which)
        group.mask |= 1u << l;
    rest &= ~group.mask;
    taken.push_back(std::move(group));
  }
  Split &s = w.split();
  if (taken.size() == 1 && m == s.mask) {
    s.pc = taken[0].pc;
    return Step::Jump;
  }
  s.mask &= ~m;
  s.pc += 1;
  for (Split &group : taken)
    w.splits.push_back(std::move(group));
  return Step::Jump;
}

Step exitHandler(Warp &w, const Inst &i, Mask m) {
  Split &s = w.split();
  w.live &= ~m;
  s.mask &= ~m;
  s.pc += 1;
  if (w.issuedSeq > w.waitedSeq && !w.live)
    warn(w, i, -1, DiagnosticKind::UnfinishedAsync,
         "warp exits while wgmma operations are in flight");
  return Step::Jump;
}

Step trapHandler(Warp &w, const Inst &i, Mask m) {
  return fault(w, i, std::countr_zero(m), DiagnosticKind::Trap,
               "trap executed");
}

Step nothing(Warp &, const Inst &, Mask) { return Step::Next; }
Step yield(Warp &, const Inst &, Mask) { return Step::Yield; }

void decodeBra(Decoder &d) {
  d.has("uni");
  d.expectOperands(1, 1);
  d.inst.target = d.labelTarget(d.operand(0));
  d.inst.fn = braHandler;
}
void decodeBrx(Decoder &d) {
  if (!d.has("idx"))
    d.fail("malformed branch");
  d.has("uni");
  d.expectOperands(2, 2);
  d.use(d.operand(0), Type::U32);
  d.inst.a = uint32_t(d.kernel.branchTables.size());
  d.kernel.branchTables.push_back(d.branchTable(d.operand(1)));
  d.inst.fn = brxHandler;
}
void decodeExit(Decoder &d) {
  d.has("uni");
  d.expectOperands(0, 0);
  d.inst.fn = exitHandler;
}
void decodeTrap(Decoder &d) {
  d.expectOperands(0, 0);
  d.inst.fn = trapHandler;
}
void decodeCall(Decoder &d) {
  d.fail("calls are not supported: device functions have to be inlined");
}
/// nanosleep, pmevent, griddepcontrol: nothing to do but let others run.
void decodeNanosleep(Decoder &d) {
  d.type();
  d.expectOperands(1, 1);
  d.use(d.operand(0), Type::U32);
  d.inst.fn = yield;
}
void decodeGriddepcontrol(Decoder &d) {
  if (d.oneOf({"launch_dependents", "wait"}) < 0)
    d.fail("missing action");
  d.expectOperands(0, 0);
  d.inst.fn = nothing;
}
void decodePmevent(Decoder &d) {
  d.has("mask");
  d.expectOperands(1, 1);
  d.inst.fn = nothing;
}

} // namespace

void fa3::emulator::addControlOpcodes(OpcodeTable &t) {
  t["bra"] = decodeBra;
  t["brx"] = decodeBrx;
  t["ret"] = decodeExit;
  t["exit"] = decodeExit;
  t["trap"] = decodeTrap;
  t["brkpt"] = decodeTrap;
  t["call"] = decodeCall;
  t["nanosleep"] = decodeNanosleep;
  t["griddepcontrol"] = decodeGriddepcontrol;
  t["pmevent"] = decodePmevent;
}
