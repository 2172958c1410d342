// RUN: fa3-opt %s --split-input-file --fa3-attn-to-tile | FileCheck %s

// 8-bit elements: a kernel that writes values as columns, then the forward pass.

// CHECK-LABEL: tile.kernel @narrow_values
// CHECK-SAME: #tile.argument<"v_columns", "workspace", ["batch", "heads_kv", 128 : i64, {args = [{args = ["seqlen_k", 16], op = "ceildiv"}, 16], op = "mul"}]>
// CHECK: %[[V:.*]] = tile.load %arg0{{.*}} dims [1, 3] : {{.*}}, vector<128x128xf8E4M3FN>
// CHECK: tile.store %[[V]], %arg1{{.*}} dims [3, 2] interleaved

// CHECK-LABEL: tile.kernel @narrow(
// CHECK-SAME: "v_columns", "workspace"
// CHECK-SAME: problem = {causal = false, dtype = "e4m3", head_dim = 128 : i64, kind = "forward", output_dtype = "bf16", scale = {{.*}}, value_layout = "rows"}
// CHECK: scf.for {{.*}} iter_args(%[[M:.*]] = %{{.*}}, %[[L:.*]] = %{{.*}}, %[[ACC:.*]] = %{{.*}}, %[[ZERO:.*]] = %{{.*}}) -> (vector<128x1xf32>, vector<128x8xf32>, vector<128x128xf32>, vector<128x8xf32>)
// CHECK:   %[[S:.*]] = tile.dot %{{.*}}, %{{.*}} contract(1, 1) : vector<128x128xf8E4M3FN>, vector<96x128xf8E4M3FN> -> vector<128x96xf32>
// Probabilities are 2^4 times as large: 8 less what may be lost to lazy_rescale.
// CHECK:   math.fma %{{.*}}, %{{.*}}, %cst{{.*}} : vector<128x1xf32>
// CHECK:   %[[P:.*]] = math.exp2 %{{.*}} : vector<128x96xf32>
// CHECK:   %[[N:.*]] = tile.interleave %[[P]] : vector<128x96xf32> -> vector<128x96xf8E4M3FN>
// CHECK:   %[[VT:.*]] = tile.load %{{.*}} dims [2, 3] ones : {{.*}}, vector<136x96xf8E4M3FN>
// The product's sums start from 0 in each block.
// CHECK:   %[[WIDE:.*]] = tile.append %{{.*}}, %[[ZERO]] : vector<128x128xf32>, vector<128x8xf32> -> vector<128x136xf32>
// CHECK:   %[[PV:.*]] = tile.dot %[[N]], %[[VT]], %[[WIDE]] contract(1, 1) : vector<128x96xf8E4M3FN>, vector<136x96xf8E4M3FN>, vector<128x136xf32> -> vector<128x136xf32>
// CHECK:   %[[PART:.*]] = tile.columns %[[PV]] from 128 : vector<128x136xf32> -> vector<128x8xf32>
// CHECK:   %[[SUM:.*]] = math.fma %[[L]], %{{.*}}, %[[PART]] : vector<128x8xf32>
// CHECK:   %[[O:.*]] = tile.columns %[[PV]] from 0 : vector<128x136xf32> -> vector<128x128xf32>
// CHECK:   %[[CLEARED:.*]] = arith.mulf %[[SUM]], %cst{{.*}} : vector<128x8xf32>
// CHECK:   scf.yield %{{.*}}, %[[SUM]], %[[O]], %[[CLEARED]]
// CHECK: math.log2
// CHECK: arith.subf %{{.*}}, %cst{{.*}} : vector<128x1xf32>
func.func @narrow(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// The caller's columns need no other kernel; descales multiply scores and output.

// CHECK-NOT: _values
// CHECK-LABEL: tile.kernel @columns(
// CHECK-SAME: #tile.argument<"v", "input", ["batch", "heads_kv", "head_dim", "keys_padded"]>
// CHECK-SAME: #tile.argument<"q_descale", "input", ["batch", "heads_kv"]>
// CHECK-SAME: constraints = [{divides = ["heads_kv", "heads_q"]}, {at_most = ["seqlen_k", "keys_padded"]}]
// CHECK: %[[Q:.*]] = tile.load %{{.*}} dims [-1, -1] : memref<?x?xf32, strided<[?, 1]>>, vector<1x1xf32>
// CHECK: %[[K:.*]] = tile.load %{{.*}} dims [-1, -1]
// CHECK: %[[QK:.*]] = arith.mulf %[[Q]], %[[K]] : vector<1x1xf32>
// CHECK: %[[V:.*]] = tile.load %{{.*}} dims [-1, -1]
// CHECK: scf.for
// CHECK: vector.broadcast %{{.*}} : vector<1x1xf32> to vector<128x96xf32>
// CHECK: vector.broadcast %[[V]] : vector<1x1xf32> to vector<128x1xf32>
func.func @columns(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x128x?xf8E4M3FN>, %a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) values_interleaved {schedule = #tile.schedule<block_q = 128, block_kv = 96>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x128x?xf8E4M3FN> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// On two levels: a product of its own for each 64 columns, added in f32.

// CHECK-LABEL: tile.kernel @two_level(
// CHECK: scf.for {{.*}} -> (vector<128x1xf32>, vector<128x8xf32>, vector<128x64xf32>, vector<128x64xf32>)
// CHECK:   tile.load %{{.*}} dims [2, 3] : {{.*}}, vector<64x96xf8E4M3FN>
// CHECK:   %[[R0:.*]] = arith.mulf %{{.*}} : vector<128x64xf32>
// CHECK:   %[[D0:.*]] = tile.dot %{{.*}}, %{{.*}} contract(1, 1) : vector<128x96xf8E4M3FN>, vector<64x96xf8E4M3FN> -> vector<128x64xf32>
// CHECK:   arith.addf %[[R0]], %[[D0]] : vector<128x64xf32>
// CHECK:   tile.load %{{.*}} dims [2, 3] ones : {{.*}}, vector<72x96xf8E4M3FN>
// CHECK:   %[[D1:.*]] = tile.dot %{{.*}} -> vector<128x72xf32>
// CHECK:   tile.columns %[[D1]] from 64 : vector<128x72xf32> -> vector<128x8xf32>
// CHECK:   tile.columns %[[D1]] from 0 : vector<128x72xf32> -> vector<128x64xf32>
// CHECK-COUNT-2: tile.store %{{.*}} : vector<128x64xbf16>
func.func @two_level(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v two_level {schedule = #tile.schedule<block_q = 128, block_kv = 96, product_sums = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// Factors of rows: those of queries are a column, which joins the scale; those of
// keys a row for each block, which multiplies scores before any are hidden.

// CHECK-LABEL: tile.kernel @rows(
// CHECK-SAME: #tile.argument<"q_descale", "input", ["batch", "heads_q", "seqlen_q"]>
// CHECK-SAME: #tile.argument<"k_descale", "input", ["batch", "heads_kv", "seqlen_k"]>
// CHECK-SAME: #tile.argument<"v_descale", "input", ["batch", "heads_kv"]>
// CHECK: %[[ID:.*]]:3 = tile.program_id
// CHECK: %[[HEAD:.*]] = arith.divui %[[ID]]#1, %{{.*}}
// CHECK: %[[Q:.*]] = tile.load %arg3[%[[ID]]#2, %[[ID]]#1, %{{.*}}] dims [2, -1] : {{.*}}, vector<128x1xf32>
// CHECK-NOT: arith.mulf %[[Q]], %{{.*}} : vector<1x1xf32>
// CHECK: %[[FACTOR:.*]] = arith.mulf %[[Q]], %{{.*}} : vector<128x1xf32>
// CHECK: tile.load %arg5{{.*}} dims [-1, -1]
// CHECK: scf.for
// CHECK:   %[[K:.*]] = tile.load %arg4[%[[ID]]#2, %[[HEAD]], %{{.*}}] dims [-1, 2] : {{.*}}, vector<1x96xf32>
// CHECK:   %[[S:.*]] = tile.dot
// CHECK:   %[[KS:.*]] = vector.broadcast %[[K]] : vector<1x96xf32> to vector<128x96xf32>
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[S]], %[[KS]]
// CHECK:   arith.select %{{.*}}, %[[SCALED]],
func.func @rows(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) {schedule = #tile.schedule<block_q = 128, block_kv = 96>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> descale(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// Queries alone have one for each row: it is multiplied with the keys' factor.

// CHECK-LABEL: tile.kernel @query_rows(
// CHECK: %[[Q:.*]] = tile.load %{{.*}} dims [2, -1] : {{.*}}, vector<128x1xf32>
// CHECK: %[[K:.*]] = tile.load %{{.*}} dims [-1, -1] : {{.*}}, vector<1x1xf32>
// CHECK: %[[KS:.*]] = vector.broadcast %[[K]] : vector<1x1xf32> to vector<128x1xf32>
// CHECK: arith.mulf %[[Q]], %[[KS]] : vector<128x1xf32>
// CHECK: scf.for
// CHECK: %[[S:.*]] = tile.dot
// CHECK: arith.select %{{.*}}, %[[S]],
func.func @query_rows(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %a: tensor<?x?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) {schedule = #tile.schedule<block_q = 128, block_kv = 96>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> descale(tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
