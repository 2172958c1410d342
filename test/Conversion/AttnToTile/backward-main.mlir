// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
!s64 = tensor<?x?x?x64xf16>
!t96 = tensor<?x?x?x96xbf16>

// The program, once in full: keys are rows, dQ^T has the head dim as rows.

// CHECK: module @transposed {
// CHECK: tile.kernel @transposed_main(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q", "input",
// CHECK-SAME: %[[K:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k", "input",
// CHECK-SAME: %[[V:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"v", "input",
// CHECK-SAME: %[[DO:[a-z0-9]+]]: memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"do", "input", ["batch", "seqlen_q", "heads_q", "head_dim"]>}
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: memref<?x?x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"neg_lse", "workspace", ["batch", "heads_q", {args = [{args = ["seqlen_q", 128], op = "ceildiv"}, 128], op = "mul"}]>}
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: memref<?x?x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"neg_sum", "workspace", ["batch", "heads_q", {args = [{args = ["seqlen_q", 128], op = "ceildiv"}, 128], op = "mul"}]>}
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: memref<?x?x?x8192xf32, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"dq_acc", "workspace", ["batch", "heads_q", {args = ["seqlen_q", 64], op = "ceildiv"}, 8192 : i64]>}
// CHECK-SAME: %[[DK:[a-z0-9]+]]: memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"dk", "output", ["batch", "seqlen_k", "heads_kv", "head_dim"]>}
// CHECK-SAME: %[[DV:[a-z0-9]+]]: memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"dv", "output",
// CHECK-SAME: constraints = [{divides = ["heads_kv", "heads_q"]}]
// CHECK-SAME: problem = {causal = false, deterministic = false, dtype = "bf16", head_dim = 128 : i64, kind = "backward", scale = 5.000000e-01 : f64}
// CHECK-SAME: schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true>
// CHECK-DAG: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<128x128xf32>
// CHECK-DAG: %[[C:.*]] = arith.constant dense<0.72134751> : vector<128x64xf32>
// CHECK-DAG: %[[HIDDEN:.*]] = arith.constant dense<0xFF800000> : vector<128x64xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<128x128xf32>
// One CTA for each block of keys.
// CHECK: %[[SEQLEN_K:.*]] = memref.dim %[[K]], %c1
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_K]], %c128
// CHECK: %[[KV_HEADS:.*]] = memref.dim %[[K]], %c2
// CHECK: %[[BATCH:.*]] = memref.dim %[[Q]], %c0
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS]], %[[KV_HEADS]], %[[BATCH]])
// CHECK: %[[KEY0:.*]] = arith.muli %[[ID]]#0, %c128
// CHECK: %[[KEY:.*]] = tile.load %[[K]][%[[ID]]#2, %[[KEY0]], %[[ID]]#1, %c0] dims [1, 3] : {{.*}} vector<128x128xbf16>
// CHECK: %[[VALUE:.*]] = tile.load %[[V]][%[[ID]]#2, %[[KEY0]], %[[ID]]#1, %c0] dims [1, 3] : {{.*}} vector<128x128xbf16>
// The query heads of the group, and their queries.
// CHECK: %[[SEQLEN_Q:.*]] = memref.dim %[[Q]], %c1
// CHECK: %[[QUERY_BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_Q]], %c64
// CHECK: %[[HEADS:.*]] = memref.dim %[[Q]], %c2
// CHECK: %[[GROUP:.*]] = arith.divui %[[HEADS]], %[[KV_HEADS]]
// CHECK: %[[HEAD0:.*]] = arith.muli %[[ID]]#1, %[[GROUP]]
// CHECK: %[[R:.*]]:2 = scf.for %[[G:.*]] = %c0 to %[[GROUP]] step %c1 iter_args(%[[DK_G:.*]] = %[[ZERO]], %[[DV_G:.*]] = %[[ZERO]])
// CHECK:   %[[H:.*]] = arith.addi %[[HEAD0]], %[[G]]
// CHECK:   %[[S:.*]]:2 = scf.for %[[I:.*]] = %c0 to %[[QUERY_BLOCKS]] step %c1 iter_args(%[[DK0:.*]] = %[[DK_G]], %[[DV0:.*]] = %[[DV_G]])
// Loads in the order in which they are needed.
// CHECK:     %[[ROW0:.*]] = arith.muli %[[I]], %c64
// CHECK:     %[[QUERY:.*]] = tile.load %[[Q]][%[[ID]]#2, %[[ROW0]], %[[H]], %c0] dims [1, 3] : {{.*}} vector<64x128xbf16>
// CHECK:     %[[L:.*]] = tile.load %[[NEG_LSE]][%[[ID]]#2, %[[H]], %[[ROW0]]] dims [-1, 2] : {{.*}} vector<1x64xf32>
// CHECK:     %[[ST:.*]] = tile.dot %[[KEY]], %[[QUERY]] contract(1, 1) : {{.*}} -> vector<128x64xf32>
// CHECK:     %[[GRAD:.*]] = tile.load %[[DO]][%[[ID]]#2, %[[ROW0]], %[[H]], %c0] dims [1, 3] : {{.*}} vector<64x128xbf16>
// CHECK:     %[[DP:.*]] = tile.dot %[[VALUE]], %[[GRAD]] contract(1, 1) : {{.*}} -> vector<128x64xf32>
// Keys that do not exist are hidden.
// CHECK:     %[[IOTA:.*]] = tile.iota 0 : vector<128x1xi32>
// CHECK:     %[[LEFT:.*]] = arith.subi %[[SEQLEN_K]], %[[KEY0]]
// CHECK:     %[[LEFT32:.*]] = arith.index_cast %[[LEFT]]
// CHECK-DAG: %[[LIMIT:.*]] = vector.broadcast %[[LEFT32]] : i32 to vector<128x64xi32>
// CHECK-DAG: %[[ROWS:.*]] = vector.broadcast %[[IOTA]] : vector<128x1xi32> to vector<128x64xi32>
// CHECK:     %[[OK:.*]] = arith.cmpi slt, %[[ROWS]], %[[LIMIT]]
// CHECK:     %[[X:.*]] = arith.select %[[OK]], %[[ST]], %[[HIDDEN]]
// CHECK:     %[[LS:.*]] = vector.broadcast %[[L]] : vector<1x64xf32> to vector<128x64xf32>
// CHECK:     %[[E:.*]] = math.fma %[[X]], %[[C]], %[[LS]]
// CHECK:     %[[P:.*]] = math.exp2 %[[E]]
// CHECK:     %[[SUM:.*]] = tile.load %[[NEG_SUM]][%[[ID]]#2, %[[H]], %[[ROW0]]] dims [-1, 2] : {{.*}} vector<1x64xf32>
// CHECK:     %[[SUMS:.*]] = vector.broadcast %[[SUM]] : vector<1x64xf32> to vector<128x64xf32>
// CHECK:     %[[DIFF:.*]] = arith.addf %[[DP]], %[[SUMS]]
// CHECK:     %[[DS:.*]] = arith.mulf %[[P]], %[[DIFF]]
// CHECK:     %[[PB:.*]] = arith.truncf %[[P]]
// CHECK:     %[[DSB:.*]] = arith.truncf %[[DS]]
// CHECK:     %[[DV1:.*]] = tile.dot %[[PB]], %[[GRAD]], %[[DV0]] contract(1, 0)
// CHECK:     %[[DQT:.*]] = tile.dot %[[KEY]], %[[DSB]] contract(0, 0) : {{.*}} -> vector<128x64xf32>
// CHECK:     %[[DK1:.*]] = tile.dot %[[DSB]], %[[QUERY]], %[[DK0]] contract(1, 0)
// CHECK:     tile.reduce_store %[[DQT]], %[[DQ]][%[[ID]]#2, %[[H]], %[[I]], %c0]
// CHECK:     scf.yield %[[DK1]], %[[DV1]]
// CHECK:   scf.yield %[[S]]#0, %[[S]]#1
// CHECK: %[[SCALED:.*]] = arith.mulf %[[R]]#0, %[[HALF]]
// CHECK: %[[DKB:.*]] = arith.truncf %[[SCALED]]
// CHECK: tile.store %[[DKB]], %[[DK]][%[[ID]]#2, %[[KEY0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: %[[DVB:.*]] = arith.truncf %[[R]]#1
// CHECK: tile.store %[[DVB]], %[[DV]][%[[ID]]#2, %[[KEY0]], %[[ID]]#1, %c0] dims [1, 3]
// CHECK: tile.return
func.func @transposed(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Causal: queries start at the diagonal, which alone hides keys.

// CHECK-LABEL: tile.kernel @causal_main(
// CHECK: %[[KEY0:.*]] = arith.muli %{{.*}}#0, %c128
// CHECK: %[[SHIFT:.*]] = arith.subi %{{.*}}, %{{.*}} : index
// CHECK: %[[FIRST:.*]] = arith.subi %[[KEY0]], %[[SHIFT]]
// CHECK: %[[FIRST0:.*]] = arith.maxsi %[[FIRST]], %c0
// CHECK: %[[BEGIN:.*]] = arith.divui %[[FIRST0]], %c128
// CHECK: scf.for
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to
// CHECK:   %[[ROW0:.*]] = arith.muli
// CHECK:   %[[S:.*]] = tile.dot
// CHECK:   %[[OFFSET:.*]] = arith.addi %[[ROW0]], %[[SHIFT]]
// CHECK:   %[[DISTANCE:.*]] = arith.subi %[[OFFSET]], %[[KEY0]]
// CHECK:   %[[DISTANCE32:.*]] = arith.index_cast %[[DISTANCE]]
// CHECK-DAG: %[[D:.*]] = vector.broadcast %[[DISTANCE32]] : i32 to vector<128x1xi32>
// CHECK-DAG: %[[QUERIES:.*]] = tile.iota 1 : vector<1x128xi32>
// CHECK:   %[[KEYS:.*]] = arith.subi %{{.*}}, %[[D]] : vector<128x1xi32>
// CHECK-DAG: %[[KEYS2:.*]] = vector.broadcast %[[KEYS]]
// CHECK-DAG: %[[QUERIES2:.*]] = vector.broadcast %[[QUERIES]]
// CHECK:   %[[OK:.*]] = arith.cmpi sle, %[[KEYS2]], %[[QUERIES2]]
// CHECK:   arith.select %[[OK]], %[[S]],
// CHECK-NOT: arith.select
// dQ with queries as rows.
// CHECK:   tile.dot %{{.*}}, %{{.*}} contract(0, 0) : vector<128x128xf16>, vector<128x64xf16> -> vector<128x64xf32>
// CHECK:   tile.reduce_store
func.func @causal(%q: !s64, %k: !s64, %v: !s64, %o: !s64, %lse: !l, %do: !s64) -> (!s64, !s64, !s64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 128, transpose_s = true>}
    : !s64, !s64, !s64, !s64, !l, !s64 -> !s64, !s64, !s64
  return %dq, %dk, %dv : !s64, !s64, !s64
}

// Queries are rows; all gradients have the head dim as rows, which is stored as
// columns. A head dim of 96 takes tiles of 128 columns.

// CHECK-LABEL: tile.kernel @transposed_gradients_main(
// CHECK-SAME: "dq_acc", "workspace", ["batch", "heads_q", {args = ["seqlen_q", 64], op = "ceildiv"}, 8192 : i64]
// CHECK:   %[[QUERY:.*]] = tile.load %{{.*}} dims [1, 3] : {{.*}}, vector<64x128xbf16>
// CHECK:   tile.load %{{.*}} dims [2, -1] : {{.*}} vector<64x1xf32>
// CHECK:   tile.dot %[[QUERY]], %{{.*}} contract(1, 1) : {{.*}} -> vector<64x96xf32>
// CHECK:   %[[GRAD:.*]] = tile.load %{{.*}} dims [1, 3] : {{.*}}, vector<64x128xbf16>
// CHECK:   tile.dot %[[GRAD]], %{{.*}} contract(1, 1) : {{.*}} -> vector<64x96xf32>
// CHECK:   %[[OFFSET:.*]] = vector.broadcast %{{.*}} : i32 to vector<64x1xi32>
// CHECK:   %[[QUERIES:.*]] = arith.addi %{{.*}}, %[[OFFSET]] : vector<64x1xi32>
// CHECK:   arith.cmpi sle, %{{.*}}, %{{.*}} : vector<64x96xi32>
// CHECK:   tile.dot %[[GRAD]], %{{.*}}, %{{.*}} contract(0, 0) : {{.*}} -> vector<128x96xf32>
// CHECK:   tile.dot %{{.*}}, %{{.*}} contract(0, 1) : {{.*}} -> vector<128x64xf32>
// CHECK:   tile.dot %[[QUERY]], %{{.*}}, %{{.*}} contract(0, 0) : {{.*}} -> vector<128x96xf32>
// CHECK: tile.store %{{.*}} dims [3, 1] : vector<128x96xbf16>
// CHECK: tile.store %{{.*}} dims [3, 1] : vector<128x96xbf16>
func.func @transposed_gradients(%q: !t96, %k: !t96, %v: !t96, %o: !t96, %lse: !l, %do: !t96) -> (!t96, !t96, !t96) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    {schedule = #tile.schedule<block_q = 64, block_kv = 96, transpose_dkv = true, transpose_dq = true>}
    : !t96, !t96, !t96, !t96, !l, !t96 -> !t96, !t96, !t96
  return %dq, %dk, %dv : !t96, !t96, !t96
}

// What is deterministic adds nothing to memory.

// CHECK-LABEL: tile.kernel @deterministic_main(
// CHECK-SAME: deterministic = true
// CHECK-NOT: dq_acc
// CHECK-NOT: tile.reduce_store
// CHECK: tile.return
func.func @deterministic(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Neither does what has a kernel of its own for dq.

// CHECK-LABEL: tile.kernel @separate_main(
// CHECK-SAME: deterministic = false
// CHECK-NOT: dq_acc
// CHECK-NOT: tile.reduce_store
// CHECK: tile.return
// CHECK: tile.kernel @separate_dq(
func.func @separate(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, separate_dq = true>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
