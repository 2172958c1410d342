// RUN: fa3-opt %s --fa3-select-schedule --split-input-file --verify-diagnostics

// What products of 8 bits, and kernels of the gradients, cannot have.

func.func @queries(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: with 8-bit elements, block_q must be a multiple of 32, not 80}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 80, block_kv = 128, overlap = false, transpose_s = true, transpose_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @keys(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: with 8-bit elements, block_kv must be a multiple of 32, not 48}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 48, warpgroups = 1, overlap = false, transpose_dkv = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @share_operands(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: with 8-bit elements, share_operands has no effect}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_s = true, share_operands = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @transpose_dkv(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: with 8-bit elements, transpose_s and transpose_dkv exclude each other}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_s = true, transpose_dkv = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @transpose_dq(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: with 8-bit elements, transpose_dq needs transpose_s}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @rows_of_dkv(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: without transpose_dkv, block_kv must be a multiple of 64, not 96}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 96, warpgroups = 1, overlap = false>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @shared_memory(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{bytes of shared memory, but a CTA has 232448}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, stages = 8, overlap = false, transpose_s = true, transpose_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @registers(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-error@+1 {{registers in a consumer thread, which has 240}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, stages = 1, overlap = false, transpose_s = true, separate_dq = true>} : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// -----

// Factors of dS that are found while running: rows must be keys, whose sums have to
// fit into registers, and queries, in a kernel of their own.
func.func @running_d192(%q: tensor<?x?x?x192xf8E4M3FN>, %k: tensor<?x?x?x192xf8E4M3FN>, %v: tensor<?x?x?x192xf8E4M3FN>, %o: tensor<?x?x?x192xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x192xf8E4M3FN>) -> (tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>) {
  // expected-error@+1 {{impossible schedule: factors of dS that are found while running need a head dim of 128 at most: beyond, give ds_scale or ds_precision}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x192xf8E4M3FN>, tensor<?x?x?x192xf8E4M3FN>, tensor<?x?x?x192xf8E4M3FN>, tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x192xf8E4M3FN> -> tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>
}

// -----

func.func @running_d256(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-error@+1 {{impossible schedule: factors of dS that are found while running need a head dim of 128 at most: beyond, give ds_scale or ds_precision}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN> -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// -----

func.func @running_sums_of_dq(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: factors of dS that are found while running need transpose_s and separate_dq: they are of rows, keys and queries}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, lazy_rescale = 2, transpose_s = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

func.func @running_queries(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-error@+1 {{impossible schedule: factors of dS that are found while running need transpose_s and separate_dq: they are of rows, keys and queries}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 128, block_kv = 128, overlap = false, lazy_rescale = 2, separate_dq = true>} : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// -----

func.func @running_growth(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-error@+1 {{impossible schedule: factors of dS that are found while running need a lazy_rescale of 2 at most, not 3}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, lazy_rescale = 3, transpose_s = true, separate_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// -----

!t = tensor<?x?x?x128xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @forward(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-error@+1 {{impossible schedule: separate_dq is for the backward pass}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 128, separate_dq = true>} : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}
