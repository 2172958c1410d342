// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

// The program, once in full.

// CHECK-LABEL: tile.kernel @attention(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q", "input", ["batch", "seqlen_q", "heads_q", "head_dim"]>}
// CHECK-SAME: %[[K:[a-z0-9]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"k", "input", ["batch", "seqlen_k", "heads_kv", "head_dim"]>}
// CHECK-SAME: %[[V:[a-z0-9]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"v", "input", ["batch", "seqlen_k", "heads_kv", "head_dim"]>}
// CHECK-SAME: %[[O:[a-z0-9]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"o", "output", ["batch", "seqlen_q", "heads_q", "head_dim"]>}
// CHECK-SAME: %[[LSE:[a-z0-9]+]]: memref<?x?x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"lse", "output", ["batch", "heads_q", "seqlen_q"]>}
// CHECK-SAME: constraints = [{divides = ["heads_kv", "heads_q"]}]
// CHECK-SAME: problem = {causal = false, dtype = "bf16", head_dim = 64 : i64, kind = "forward", scale = 5.000000e-01 : f64}
// CHECK-SAME: schedule = #tile.schedule<block_q = 64, block_kv = 96, warpgroups = 1>
// 0.5 * log2(e), and its negation
// CHECK-DAG: %[[C:.*]] = arith.constant dense<0.72134751> : vector<64x96xf32>
// CHECK-DAG: %[[C1:.*]] = arith.constant dense<0.72134751> : vector<64x1xf32>
// CHECK-DAG: %[[NEGC:.*]] = arith.constant dense<-0.72134751> : vector<64x1xf32>
// CHECK-DAG: %[[HIDDEN:.*]] = arith.constant dense<0xFF800000> : vector<64x96xf32>
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant dense<0xFF800000> : vector<64x1xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<64x1xf32>
// CHECK-DAG: %[[ZERO8:.*]] = arith.constant dense<0.000000e+00> : vector<64x8xf32>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : vector<64x64xf32>
// CHECK-DAG: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<64x1xf32>
// CHECK-DAG: %[[LN2:.*]] = arith.constant dense<0.693147182> : vector<64x1xf32>
// CHECK-DAG: %[[I0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[I1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[I2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[I64:.*]] = arith.constant 64 : index
// CHECK-DAG: %[[I96:.*]] = arith.constant 96 : index
// The grid.
// CHECK: %[[HEADS:.*]] = memref.dim %[[Q]], %[[I2]]
// CHECK: %[[SEQLEN_Q:.*]] = memref.dim %[[Q]], %[[I1]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_Q]], %[[I64]]
// CHECK: %[[BATCH:.*]] = memref.dim %[[Q]], %[[I0]]
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS]], %[[HEADS]], %[[BATCH]])
// CHECK: %[[KV_HEADS:.*]] = memref.dim %[[K]], %[[I2]]
// CHECK: %[[GROUP:.*]] = arith.divui %[[HEADS]], %[[KV_HEADS]]
// CHECK: %[[KV_HEAD:.*]] = arith.divui %[[ID]]#1, %[[GROUP]]
// CHECK: %[[ROW0:.*]] = arith.muli %[[ID]]#0, %[[I64]]
// CHECK: %[[QUERY:.*]] = tile.load %[[Q]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %[[I0]]] dims [1, 3]
// CHECK: %[[SEQLEN_K:.*]] = memref.dim %[[K]], %[[I1]]
// CHECK: %[[COUNT:.*]] = arith.ceildivui %[[SEQLEN_K]], %[[I96]]
// CHECK: %[[LAST:.*]] = arith.subi %[[COUNT]], %[[I1]]
// CHECK: %[[R:.*]]:3 = scf.for %[[J:.*]] = %[[I0]] to %[[COUNT]] step %[[I1]] iter_args(%[[M0:.*]] = %[[LOWEST]], %[[L0:.*]] = %[[ZERO8]], %[[ACC0:.*]] = %[[ZEROS]])
// Right to left.
// CHECK:   %[[BLOCK:.*]] = arith.subi %[[LAST]], %[[J]]
// CHECK:   %[[COL0:.*]] = arith.muli %[[BLOCK]], %[[I96]]
// CHECK:   %[[KEY:.*]] = tile.load %[[K]][%[[ID]]#2, %[[COL0]], %[[KV_HEAD]], %[[I0]]] dims [1, 3]
// CHECK:   %[[S:.*]] = tile.dot %[[QUERY]], %[[KEY]] contract(1, 1) : vector<64x64xbf16>, vector<96x64xbf16> -> vector<64x96xf32>
// CHECK:   %[[LEFT:.*]] = arith.subi %[[SEQLEN_K]], %[[COL0]]
// CHECK:   %[[LIMIT:.*]] = arith.index_cast %[[LEFT]] : index to i32
// CHECK:   %[[IOTA:.*]] = tile.iota 1 : vector<1x96xi32>
// CHECK-DAG: %[[COLS:.*]] = vector.broadcast %[[IOTA]] : vector<1x96xi32> to vector<64x96xi32>
// CHECK-DAG: %[[LIMITS:.*]] = vector.broadcast %[[LIMIT]] : i32 to vector<64x96xi32>
// CHECK:   %[[OK:.*]] = arith.cmpi slt, %[[COLS]], %[[LIMITS]]
// CHECK:   %[[X:.*]] = arith.select %[[OK]], %[[S]], %[[HIDDEN]]
// The softmax.
// CHECK:   %[[MX:.*]] = tile.reduce maxnum %[[X]] dim 1
// CHECK:   %[[M:.*]] = arith.maxnumf %[[M0]], %[[MX]]
// CHECK:   %[[NONE:.*]] = arith.cmpf oeq, %[[M]], %[[LOWEST]]
// CHECK:   %[[REF:.*]] = arith.select %[[NONE]], %[[ZERO]], %[[M]]
// CHECK:   %[[SHIFT:.*]] = arith.mulf %[[REF]], %[[NEGC]]
// CHECK:   %[[SHIFTS:.*]] = vector.broadcast %[[SHIFT]]
// CHECK:   %[[E:.*]] = math.fma %[[X]], %[[C]], %[[SHIFTS]]
// CHECK:   %[[P:.*]] = math.exp2 %[[E]]
// CHECK:   %[[D:.*]] = arith.subf %[[M0]], %[[REF]]
// CHECK:   %[[DC:.*]] = arith.mulf %[[D]], %[[C1]]
// CHECK:   %[[A:.*]] = math.exp2 %[[DC]]
// CHECK:   %[[P8:.*]] = tile.partial_reduce %[[P]]
// CHECK:   %[[A8:.*]] = vector.broadcast %[[A]] : vector<64x1xf32> to vector<64x8xf32>
// CHECK:   %[[L:.*]] = math.fma %[[L0]], %[[A8]], %[[P8]]
// CHECK:   %[[PB:.*]] = arith.truncf %[[P]] : vector<64x96xf32> to vector<64x96xbf16>
// CHECK:   %[[VALUE:.*]] = tile.load %[[V]][%[[ID]]#2, %[[COL0]], %[[KV_HEAD]], %[[I0]]] dims [1, 3]
// CHECK:   %[[AD:.*]] = vector.broadcast %[[A]] : vector<64x1xf32> to vector<64x64xf32>
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[ACC0]], %[[AD]]
// CHECK:   %[[ACC:.*]] = tile.dot %[[PB]], %[[VALUE]], %[[SCALED]] contract(1, 0)
// CHECK:   scf.yield %[[M]], %[[L]], %[[ACC]]
// The results; a row without keys gives 0 and -inf.
// CHECK: %[[SUM:.*]] = tile.reduce add %[[R]]#1 dim 1
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[SUM]], %[[ZERO]]
// CHECK: %[[INV:.*]] = arith.divf %{{.*}}, %[[SUM]]
// CHECK: %[[INV0:.*]] = arith.select %[[EMPTY]], %[[ZERO]], %[[INV]]
// CHECK: %[[INVD:.*]] = vector.broadcast %[[INV0]]
// CHECK: %[[OUT:.*]] = arith.mulf %[[R]]#2, %[[INVD]]
// CHECK: %[[OUTB:.*]] = arith.truncf %[[OUT]]
// CHECK: tile.store %[[OUTB]], %[[O]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %[[I0]]] dims [1, 3]
// CHECK: %[[LOG:.*]] = math.log2 %[[SUM]]
// CHECK: %[[LN:.*]] = arith.mulf %[[LOG]], %[[LN2]]
// CHECK: %[[Y:.*]] = math.fma %[[R]]#0, %[[HALF]], %[[LN]]
// CHECK: %[[Y0:.*]] = arith.select %[[EMPTY]], %[[LOWEST]], %[[Y]]
// CHECK: tile.store %[[Y0]], %[[LSE]][%[[ID]]#2, %[[ID]]#1, %[[ROW0]]] dims [2, -1]
// CHECK: tile.return
// CHECK-NOT: func.func @attention
func.func @attention(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v scale = 0.5 {schedule = #tile.schedule<block_q = 64, block_kv = 96, warpgroups = 1>}
    : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// Causal: the loop ends at the diagonal, whose column depends on the row; the
// last block has most work and is started first.

// CHECK-LABEL: tile.kernel @causal(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<?x?x?x128xf16, strided<[?, ?, ?, 1]>>
// CHECK-SAME: %[[K:[a-z0-9]+]]: memref<?x?x?x128xf16, strided<[?, ?, ?, 1]>>
// CHECK-SAME: problem = {causal = true, dtype = "f16", head_dim = 128 : i64, kind = "forward", scale = 0.0883883{{[0-9]+}} : f64}
// CHECK: %[[SEQLEN_Q:.*]] = memref.dim %[[Q]], %c1
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_Q]], %c128
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS]],
// CHECK: %[[LAST:.*]] = arith.subi %[[BLOCKS]], %c1
// CHECK: %[[I:.*]] = arith.subi %[[LAST]], %[[ID]]#0
// CHECK: %[[ROW0:.*]] = arith.muli %[[I]], %c128
// CHECK: %[[SEQLEN_K:.*]] = memref.dim %[[K]], %c1
// CHECK: %[[SHIFT:.*]] = arith.subi %[[SEQLEN_K]], %[[SEQLEN_Q]]
// CHECK: %[[ROW1:.*]] = arith.addi %[[ROW0]], %c128
// CHECK: %[[END:.*]] = arith.addi %[[ROW1]], %[[SHIFT]]
// CHECK: %[[MIN:.*]] = arith.minsi %[[SEQLEN_K]], %[[END]]
// CHECK: %[[SEEN:.*]] = arith.maxsi %[[MIN]], %c0
// CHECK: %[[COUNT:.*]] = arith.ceildivui %[[SEEN]], %c128
// CHECK: %[[FIRST:.*]] = arith.addi %[[ROW0]], %[[SHIFT]]
// CHECK: %[[FIRST1:.*]] = arith.addi %[[FIRST]], %c1
// CHECK: %[[ROWS:.*]] = tile.iota 0 : vector<128x1xi32>
// CHECK: %[[FIRST32:.*]] = arith.index_cast %[[FIRST1]]
// CHECK: %[[FIRSTS:.*]] = vector.broadcast %[[FIRST32]]
// CHECK: %[[DIAGONAL:.*]] = arith.addi %[[ROWS]], %[[FIRSTS]]
// CHECK: %[[LIMIT:.*]] = arith.minsi %[[DIAGONAL]], %{{.*}} : vector<128x1xi32>
// CHECK: scf.for %{{.*}} = %c0 to %[[COUNT]]
// CHECK:   %[[SHIFTED:.*]] = arith.subi %[[LIMIT]], %{{.*}} : vector<128x1xi32>
// CHECK:   %[[LIMITS:.*]] = vector.broadcast %[[SHIFTED]] : vector<128x1xi32> to vector<128x128xi32>
// CHECK:   arith.cmpi slt, %{{.*}}, %[[LIMITS]]
func.func @causal(%q: tensor<?x?x?x128xf16>, %k: tensor<?x?x?x128xf16>, %v: tensor<?x?x?x128xf16>)
    -> (tensor<?x?x?x128xf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v causal {schedule = #tile.schedule<block_q = 128, block_kv = 128, longest_first = true>}
    : tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16> -> tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
}

// A size that is static in one tensor is static in all of them; with static
// heads there is nothing left to check at run time.

// CHECK-LABEL: tile.kernel @static(
// CHECK-SAME: memref<2x?x8x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q",
// CHECK-SAME: memref<2x256x2x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"k",
// CHECK-SAME: memref<2x256x2x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"v",
// CHECK-SAME: memref<2x?x8x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"o",
// CHECK-SAME: memref<2x8x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"lse",
// CHECK-NOT: constraints
// CHECK: tile.program_id(%{{.*}}, %c8, %c2)
// CHECK: arith.divui %{{.*}}, %c4
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
func.func @static(%q: tensor<2x?x8x64xbf16>, %k: tensor<?x?x2x64xbf16>, %v: tensor<?x256x?x64xbf16>)
    -> (tensor<2x?x8x64xbf16>, tensor<2x8x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>}
    : tensor<2x?x8x64xbf16>, tensor<?x?x2x64xbf16>, tensor<?x256x?x64xbf16> -> tensor<2x?x8x64xbf16>, tensor<2x8x?xf32>
  return %o, %lse : tensor<2x?x8x64xbf16>, tensor<2x8x?xf32>
}

// Tiles are a multiple of 16 columns wide, as products contract them; tensors
// and the problem keep their head dim.

// CHECK-LABEL: tile.kernel @head_dim_72(
// CHECK-SAME: memref<?x?x?x72xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q",
// CHECK-SAME: head_dim = 72
// CHECK: tile.load {{.*}} memref<?x?x?x72xbf16, strided<[?, ?, ?, 1]>>, vector<64x80xbf16>
// CHECK: tile.dot {{.*}} contract(1, 1) : vector<64x80xbf16>, vector<64x80xbf16> -> vector<64x64xf32>
// CHECK: tile.dot {{.*}} contract(1, 0) : vector<64x64xbf16>, vector<64x80xbf16>, vector<64x80xf32> -> vector<64x80xf32>
// CHECK: tile.store {{.*}} vector<64x80xbf16>, memref<?x?x?x72xbf16, strided<[?, ?, ?, 1]>>
func.func @head_dim_72(%q: tensor<?x?x?x72xbf16>, %k: tensor<?x?x?x72xbf16>, %v: tensor<?x?x?x72xbf16>)
    -> (tensor<?x?x?x72xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>}
    : tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16> -> tensor<?x?x?x72xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x72xbf16>, tensor<?x?x?xf32>
}

// Other functions are none of the pass's business.

// CHECK-LABEL: func.func @other
func.func @other(%x: f32) -> f32 {
  return %x : f32
}
