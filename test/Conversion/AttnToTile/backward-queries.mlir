// The kernels of a backward pass that own a block of queries.
// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
!qs = tensor<2x?x8x64xf16>
!ks = tensor<2x?x4x64xf16>
!ls = tensor<2x8x?xf32>

// CHECK-LABEL: tile.kernel @attention_preprocess(
// CHECK-SAME: %[[O:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"o", "input",
// CHECK-SAME: %[[LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"lse", "input",
// CHECK-SAME: %[[DO:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do", "input",
// CHECK-SAME: %[[DLSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dlse", "input", ["batch", "heads_q", "seqlen_q"]>}
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_sum", "workspace",
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: schedule = #tile.schedule<block_q = 128, block_kv = 64, stages = 1, overlap = false, specialize = false, pingpong = false>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : vector<128x64xf32>
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant dense<0xFF800000> : vector<128x1xf32>
// CHECK-DAG: %[[FACTOR:.*]] = arith.constant dense<-1.44269502> : vector<128x1xf32>
// CHECK: %[[SEQLEN:.*]] = memref.dim %[[O]], %c1
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[SEQLEN]], %c128
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS]],
// CHECK: %[[ROW0:.*]] = arith.muli %[[ID]]#0, %c128
// A row that sees no key keeps -inf.
// CHECK: %[[L:.*]] = tile.load %[[LSE]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: %[[NL:.*]] = arith.mulf %[[L]], %[[FACTOR]]
// CHECK: %[[NONE:.*]] = arith.cmpf oeq, %[[L]], %[[LOWEST]]
// CHECK: %[[NL1:.*]] = arith.select %[[NONE]], %[[LOWEST]], %[[NL]]
// CHECK: tile.store %[[NL1]], %[[NEG_LSE]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: %[[OT:.*]] = tile.load %[[O]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: %[[OW:.*]] = arith.extf %[[OT]]
// CHECK: %[[DOT:.*]] = tile.load %[[DO]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: %[[DOW:.*]] = arith.extf %[[DOT]]
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[OW]], %[[DOW]]
// CHECK: %[[SUM:.*]] = tile.reduce add %[[PRODUCT]] dim 1
// CHECK: %[[DL:.*]] = tile.load %[[DLSE]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: %[[NS:.*]] = arith.subf %[[DL]], %[[SUM]]
// CHECK: tile.store %[[NS]], %[[NEG_SUM]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// The sums of dq whose first query is one of these.
// CHECK: %[[END:.*]] = arith.addi %[[ROW0]], %c128
// CHECK: %[[END1:.*]] = arith.minsi %[[END]], %[[SEQLEN]]
// CHECK: %[[FIRST:.*]] = arith.ceildivui %[[ROW0]], %c64
// CHECK: %[[LAST:.*]] = arith.ceildivui %[[END1]], %c64
// CHECK: scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step %c1
// CHECK:   tile.store %[[ZEROS]], %[[ACC]][%[[ID]]#2, %[[ID]]#1, %[[I]], %c0] dims [] : vector<128x64xf32>

// CHECK-LABEL: tile.kernel @attention_main(

// CHECK-LABEL: tile.kernel @attention_postprocess(
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq", "output",
// CHECK-SAME: schedule = #tile.schedule<block_q = 64, block_kv = 128, stages = 1, overlap = false, specialize = false, pingpong = false, transpose_s = true>
// CHECK: %[[C:.*]] = arith.constant dense<5.000000e-01> : vector<128x64xf32>
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS:.*]], %[[HEADS:.*]], %[[BATCHES:.*]])
// Backwards: what the main kernel has added to last comes first.
// CHECK: %[[LAST_BLOCK:.*]] = arith.subi %[[BLOCKS]], %c1
// CHECK: %[[BLOCK:.*]] = arith.subi %[[LAST_BLOCK]], %[[ID]]#0
// CHECK: %[[LAST_HEAD:.*]] = arith.subi %[[HEADS]], %c1
// CHECK: %[[HEAD:.*]] = arith.subi %[[LAST_HEAD]], %[[ID]]#1
// CHECK: %[[LAST_BATCH:.*]] = arith.subi %[[BATCHES]], %c1
// CHECK: %[[BATCH:.*]] = arith.subi %[[LAST_BATCH]], %[[ID]]#2
// CHECK: %[[SUMS:.*]] = tile.load %[[ACC]][%[[BATCH]], %[[HEAD]], %[[BLOCK]], %c0] dims [] : {{.*}} vector<128x64xf32>
// CHECK: %[[ROW0:.*]] = arith.muli %[[BLOCK]], %c64
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SUMS]], %[[C]]
// CHECK: %[[NARROW:.*]] = arith.truncf %[[SCALED]]
// CHECK: tile.store %[[NARROW]], %[[DQ]][%[[BATCH]], %[[ROW0]], %[[HEAD]], %c0] dims [3, 1]
func.func @attention(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t, %dlse: !l) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do, %dlse scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true>}
    : !t, !t, !t, !t, !l, !t, !l -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Without dlse; no sums of dq to clear. Static sizes are numbers.

// CHECK-LABEL: tile.kernel @deterministic_preprocess(
// CHECK-NOT: "dlse"
// CHECK-SAME: memref<2x8x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"neg_sum", "workspace", [2 : i64, 8 : i64, {args = [{args = ["seqlen_q", 128], op = "ceildiv"}, 128], op = "mul"}]>})
// CHECK-NOT: constraints
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<128x1xf32>
// CHECK: arith.subf %[[ZERO]], %{{.*}} : vector<128x1xf32>
// CHECK-NOT: scf.for
// CHECK: tile.return

// CHECK-LABEL: tile.kernel @deterministic_main(

// dQ over blocks of keys, right to left.
// CHECK-LABEL: tile.kernel @deterministic_dq(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q", "input",
// CHECK-SAME: %[[K:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k", "input",
// CHECK-SAME: %[[V:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"v", "input",
// CHECK-SAME: %[[DO:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do", "input",
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_sum", "workspace",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq", "output",
// CHECK-SAME: schedule = #tile.schedule<block_q = 128, block_kv = 128, overlap = false, pingpong = false, longest_first = true>
// CHECK: %[[ID:.*]]:3 = tile.program_id(%{{.*}}, %c8, %c2)
// CHECK: %[[LAST:.*]] = arith.subi %{{.*}}, %c1
// CHECK: %[[BLOCK:.*]] = arith.subi %[[LAST]], %[[ID]]#0
// CHECK: %[[KV_HEAD:.*]] = arith.divui %[[ID]]#1, %c2
// CHECK: %[[ROW0:.*]] = arith.muli %[[BLOCK]], %c128
// CHECK: %[[QUERY:.*]] = tile.load %[[Q]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: %[[GRAD:.*]] = tile.load %[[DO]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: %[[L:.*]] = tile.load %[[NEG_LSE]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: %[[SUM:.*]] = tile.load %[[NEG_SUM]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: %[[R:.*]] = scf.for {{.*}} iter_args(%[[DQ0:.*]] = %{{.*}})
// CHECK:   %[[KEY:.*]] = tile.load %[[K]][%[[ID]]#2, %[[COL0:.*]], %[[KV_HEAD]], %c0] dims [1, 3]
// CHECK:   %[[S:.*]] = tile.dot %[[QUERY]], %[[KEY]] contract(1, 1)
// CHECK:   %[[VALUE:.*]] = tile.load %[[V]][%[[ID]]#2, %[[COL0]], %[[KV_HEAD]], %c0] dims [1, 3]
// CHECK:   %[[DP:.*]] = tile.dot %[[GRAD]], %[[VALUE]] contract(1, 1)
// CHECK:   %[[X:.*]] = arith.select %{{.*}}, %[[S]],
// CHECK:   %[[LS:.*]] = vector.broadcast %[[L]]
// CHECK:   %[[E:.*]] = math.fma %[[X]], %{{.*}}, %[[LS]]
// CHECK:   %[[P:.*]] = math.exp2 %[[E]]
// CHECK:   %[[SUMS:.*]] = vector.broadcast %[[SUM]]
// CHECK:   %[[DIFF:.*]] = arith.addf %[[DP]], %[[SUMS]]
// CHECK:   %[[DS:.*]] = arith.mulf %[[P]], %[[DIFF]]
// CHECK:   %[[DSB:.*]] = arith.truncf %[[DS]]
// CHECK:   %[[DQ1:.*]] = tile.dot %[[DSB]], %[[KEY]], %[[DQ0]] contract(1, 0)
// CHECK:   scf.yield %[[DQ1]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[R]],
// CHECK: %[[NARROW:.*]] = arith.truncf %[[SCALED]]
// CHECK: tile.store %[[NARROW]], %[[DQ]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3]
func.func @deterministic(%q: !qs, %k: !ks, %v: !ks, %o: !qs, %lse: !ls, %do: !qs) -> (!qs, !ks, !ks) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal deterministic
    {schedule = #tile.schedule<block_q = 128, block_kv = 128, overlap = false, pingpong = false, longest_first = true, transpose_s = true>}
    : !qs, !ks, !ks, !qs, !ls, !qs -> !qs, !ks, !ks
  return %dq, %dk, %dv : !qs, !ks, !ks
}
