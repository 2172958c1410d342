// Pieces follow each other in a CTA where the table has found that the registers
// and the shared memory of its tiles suffice: with tiles of one's own they do not,
// unless that is asked for, too.
// RUN: fa3-opt %s --fa3-select-schedule=override=block_q=192 | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: fa3-opt %s --fa3-select-schedule=override=block_kv=64 | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: fa3-opt %s --fa3-select-schedule=override=warpgroups=3 | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: fa3-opt %s --fa3-select-schedule=override=block_kv=64,persistent=16 | FileCheck %s --check-prefixes=CHECK,ASKED
// RUN: fa3-opt %s --fa3-select-schedule=override=persistent=16,warpgroups=3 | FileCheck %s --check-prefixes=CHECK,ASKED
// RUN: fa3-opt %s --fa3-select-schedule=override=stages=1,chains=8,pingpong=true | FileCheck %s --check-prefixes=CHECK,TABLE
// RUN: fa3-opt %s --fa3-select-schedule=override=persistent=0 | FileCheck %s --check-prefixes=CHECK,NEVER

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>

// CHECK-LABEL: func.func @table(
// OWN-NOT: persistent
// OWN: consumer_registers
// ASKED: persistent = 16,
// TABLE: persistent = 32,
// NEVER-NOT: persistent
// NEVER: consumer_registers
func.func @table(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// Who gives a whole schedule has thought of it.
// CHECK-LABEL: func.func @given(
// OWN: persistent = 64,
// ASKED: persistent = 16,
// TABLE: persistent = 64,
// NEVER-NOT: persistent
// NEVER: consumer_registers
func.func @given(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 192, block_kv = 80, warpgroups = 3, persistent = 64, producer_registers = 32, consumer_registers = 160>} : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}
