// RUN: fa3-opt %s --fa3-select-schedule --split-input-file --verify-diagnostics

// Who has no values to transpose, and who nobody to do it.

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @sixteen_bits(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{impossible schedule: transpose_v needs 8-bit values with keys as rows}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 1024>} : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x128xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @columns(%q: !t, %k: !t, %v: tensor<?x?x128x?xf8E4M3FN>) -> (!o, !l) {
  // expected-error@+1 {{impossible schedule: transpose_v needs 8-bit values with keys as rows}}
  %o, %lse = attn.forward %q, %k, %v values_interleaved {schedule = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 1024>} : !t, !t, tensor<?x?x128x?xf8E4M3FN> -> !o, !l
  return %o, %lse : !o, !l
}

// -----

!t = tensor<?x?x?x128xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @no_roles(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-error@+1 {{impossible schedule: transpose_v needs specialize}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 128, specialize = false, pingpong = false, transpose_v = 1024>} : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @gradients(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  // expected-error@+1 {{impossible schedule: transpose_v is for the forward pass}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_v = 1024, transpose_s = true>} : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// -----

!t = tensor<?x?x?x128xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @narrow_gradients(%q: !t, %k: !t, %v: !t, %o: !o, %lse: !l, %do: !t, %s: tensor<?x?xf32>) -> (!o, !o, !o) {
  // expected-error@+1 {{impossible schedule: transpose_v is for the forward pass}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_v = 1024, transpose_s = true>} : !t, !t, !t, !o, !l, !t ds_scale(tensor<?x?xf32>) -> !o, !o, !o
  return %dq, %dk, %dv : !o, !o, !o
}

// -----

// The tiles that are transposed take shared memory beside their transposes.
!t = tensor<?x?x?x256xf8E4M3FN>
!o = tensor<?x?x?x256xbf16>
!l = tensor<?x?x?xf32>
func.func @shared_memory(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-error@+1 {{needs 327840 bytes of shared memory, but a CTA has 232448}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 128, stages = 3, transpose_v = 1024>} : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}
