// Which kernels compute several heads at once: those whose work becomes less from
// block to block, if their schedule says so.
// RUN: fa3-opt %s --fa3-select-schedule --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!t = tensor<?x?x?x128xbf16>
!e = tensor<?x?x?x64xf8E4M3FN>
!o = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>

// The last block of every head comes first.
// CHECK-LABEL: tile.kernel @causal(
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS:[^,]*]], %{{[^)]*}}) grouped 64 : index, index, index
// CHECK: %[[LAST:.*]] = arith.subi %[[BLOCKS]], %c1
// CHECK: arith.subi %[[LAST]], %[[ID]]#0
func.func @causal(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true, group_tiles = 64>} : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// CHECK-LABEL: tile.kernel @head_after_head(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @head_after_head(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true, group_tiles = 0>} : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// Shortest first: nothing is gained.
// CHECK-LABEL: tile.kernel @shortest_first(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @shortest_first(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 64, longest_first = false, group_tiles = 64>} : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// As the table says.
// CHECK-LABEL: tile.kernel @full(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @full(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// The kernel that transposes values has the same work for each block.
// CHECK-LABEL: tile.kernel @narrow_values(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @narrow(
// CHECK: tile.program_id(%{{[^)]*}}) grouped 256 : index, index, index
// CHECK-LABEL: tile.kernel @narrow_short(
// CHECK: tile.program_id(%{{[^)]*}}) grouped 256 : index, index, index
func.func @narrow(%q: !e, %k: !e, %v: !e) -> (!o, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !e, !e, !e -> !o, !l
  return %o, %lse : !o, !l
}

// Kernels that own blocks of keys, whose work shrinks by itself, and those that own
// blocks of queries.
// CHECK-LABEL: tile.kernel @gradients_preprocess(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @gradients_main(
// CHECK: %[[ID:.*]]:3 = tile.program_id(%{{[^)]*}}) grouped 256 : index, index, index
// CHECK: arith.muli %[[ID]]#0, %c128
// CHECK-LABEL: tile.kernel @gradients_postprocess(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @gradients(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// CHECK-LABEL: tile.kernel @separate_preprocess(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @separate_main(
// CHECK: tile.program_id(%{{[^)]*}}) grouped 256 : index, index, index
// CHECK-LABEL: tile.kernel @separate_dq(
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS:[^,]*]], %{{[^)]*}}) grouped 256 : index, index, index
// CHECK: %[[LAST:.*]] = arith.subi %[[BLOCKS]], %c1
// CHECK: arith.subi %[[LAST]], %[[ID]]#0
func.func @separate(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal deterministic : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// CHECK-LABEL: tile.kernel @full_gradients_preprocess(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @full_gradients_main(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @full_gradients_dq(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @full_gradients(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// CHECK-LABEL: tile.kernel @gradients_head_after_head_main(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
// CHECK-LABEL: tile.kernel @gradients_head_after_head_dq(
// CHECK: tile.program_id(%{{[^)]*}}) : index, index, index
func.func @gradients_head_after_head(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, pingpong = false, longest_first = true, transpose_s = true, separate_dq = true>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
