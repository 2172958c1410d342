// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// RUN: fa3-opt %s --fa3-select-schedule --verify-diagnostics --remarks-filter=.* -o /dev/null

// 8-bit elements have schedules of their own.

!t = tensor<?x?x?x128xf8E4M3FN>
!n = tensor<?x?x?x192xf8E4M3FN>
!w = tensor<?x?x?x256xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!x = tensor<?x?x?x192xbf16>
!p = tensor<?x?x?x256xbf16>
!l = tensor<?x?x?xf32>

// CHECK-LABEL: func.func @d128
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 96, warpgroups = 3, lazy_rescale = 4, chains = 8, product_sums = true, transpose_v = 2048, persistent = 32, producer_registers = 32, consumer_registers = 160>}
func.func @d128(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-remark@+1 {{from the table): 108656 of 232448 bytes of shared memory, about 152 of 160 registers}}
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}

// What a block adds takes registers of its own.
// CHECK-LABEL: func.func @d128_two_level
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = 128, pingpong = false, lazy_rescale = 4, chains = 8, product_sums = true, longest_first = true, group_tiles = 512>}
func.func @d128_two_level(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-remark@+1 {{about 208 of 240 registers}}
  %o, %lse = attn.forward %q, %k, %v causal two_level : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}

// wgmma has no more than 256 columns.
// CHECK-LABEL: func.func @d256(
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = 128, pingpong = false, lazy_rescale = 4, chains = 8, persistent = 32>}
func.func @d256(%q: !w, %k: !w, %v: !w) -> (!p, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v : !w, !w, !w -> !p, !l
  return %o, %lse : !p, !l
}

// Masked pieces have CTAs of their own: several heads at once divide the work more
// evenly.
// CHECK-LABEL: func.func @d128_causal(
// CHECK-NOT: late_waits
// CHECK: longest_first = true, group_tiles = 512, producer_registers
// CHECK-NOT: persistent
func.func @d128_causal(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v causal : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}

// Where heads are wide and masked, pieces do follow each other in a CTA, and the
// wait for a product stays behind what is computed under it.
// CHECK-LABEL: func.func @d192_causal(
// CHECK: late_waits = true, {{.*}}longest_first = true, group_tiles = 128, persistent = 32>
func.func @d192_causal(%q: !n, %k: !n, %v: !n) -> (!x, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v causal : !n, !n, !n -> !x, !l
  return %o, %lse : !x, !l
}

// CHECK-LABEL: func.func @d256_causal(
// CHECK: late_waits = true, {{.*}}longest_first = true, group_tiles = 128, persistent = 32>
func.func @d256_causal(%q: !w, %k: !w, %v: !w) -> (!p, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v causal : !w, !w, !w -> !p, !l
  return %o, %lse : !p, !l
}

// Factors of keys take registers, too, and make scores more precise, so that less
// of the probabilities' range may be lost.
// CHECK-LABEL: func.func @d128_rows(
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = {{[0-9]+}}, {{[^}]*}}lazy_rescale = 2, {{[^}]*}}product_sums = true{{[^}]*}}>}
func.func @d128_rows(%q: !t, %k: !t, %v: !t, %a: !l, %b: !l, %c: tensor<?x?xf32>) -> (!o, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : !t, !t, !t descale(!l, !l, tensor<?x?xf32>) -> !o, !l
  return %o, %lse : !o, !l
}

// CHECK-LABEL: func.func @d128_rows_two_level(
// CHECK: block_kv = 64, {{[^}]*}}lazy_rescale = 2,
func.func @d128_rows_two_level(%q: !t, %k: !t, %v: !t, %a: !l, %b: !l, %c: tensor<?x?xf32>) -> (!o, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) two_level : !t, !t, !t descale(!l, !l, tensor<?x?xf32>) -> !o, !l
  return %o, %lse : !o, !l
}

// Those of queries change nothing.
// CHECK-LABEL: func.func @d128_query_rows(
// CHECK: lazy_rescale = 4,
func.func @d128_query_rows(%q: !t, %k: !t, %v: !t, %a: !l, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> (!o, !l) {
  // expected-remark@+1 {{from the table)}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : !t, !t, !t descale(!l, tensor<?x?xf32>, tensor<?x?xf32>) -> !o, !l
  return %o, %lse : !o, !l
}
