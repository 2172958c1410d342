// RUN: fa3-opt %s --fa3-select-schedule --split-input-file --verify-diagnostics

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @shared_memory(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{needs 393360 bytes of shared memory, but a CTA has 232448}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 176, stages = 4>}
    : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @registers(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{needs about 280 registers in a consumer thread, which has 256}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 64, block_kv = 256, warpgroups = 1, stages = 1, producer_registers = 56, consumer_registers = 256>}
    : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @not_a_spec(%q: !t, %k: !t, %v: !t) -> !l {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  // expected-error@+1 {{a spec must return all results of its attn operation, in order}}
  return %lse : !l
}
