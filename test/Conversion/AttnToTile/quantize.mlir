// RUN: fa3-opt %s --split-input-file --fa3-attn-to-tile | FileCheck %s

// Maxima of rows, the factors that follow from them, and the rounding.

// CHECK-LABEL: tile.kernel @plain_maxima
// CHECK-SAME: #tile.argument<"x", "input", ["batch", "seqlen", "heads", "head_dim"]>
// CHECK-SAME: #tile.argument<"descale", "output", ["batch", "groups"]>
// CHECK-SAME: #tile.argument<"row_maxima", "workspace", ["batch", "groups", 2048 : i64]>
// CHECK-SAME: constraints = [{divides = ["groups", "heads"]}]
// CHECK-SAME: problem = {dtype = "bf16", head_dim = 128 : i64, kind = "quantize", output_dtype = "e4m3", rotate = false, value_layout = "rows"}
// CHECK: %[[ID:.*]]:3 = tile.program_id(%c32{{.*}}, %{{.*}}, %{{.*}})
// CHECK: %[[MAX:.*]] = scf.for %{{.*}} = %[[ID]]#0 to %{{.*}} step %c32{{.*}} iter_args(%[[M:.*]] = %{{.*}}) -> (vector<64x1xf32>)
// CHECK:   %[[X:.*]] = tile.load %arg0{{.*}} dims [1, 3] : {{.*}}, vector<64x128xbf16>
// CHECK:   %[[W:.*]] = arith.extf %[[X]]
// CHECK:   %[[A:.*]] = math.absf %[[W]]
// CHECK:   %[[R:.*]] = tile.reduce maxnum %[[A]] dim 1
// CHECK:   arith.maxnumf %[[M]], %[[R]]
// CHECK: tile.store %[[MAX]], %arg2[%[[ID]]#2, %[[ID]]#1, %{{.*}}] dims [2, -1]

// CHECK-LABEL: tile.kernel @plain_descale
// CHECK: %[[ID:.*]]:2 = tile.program_id
// CHECK: %[[ROW:.*]] = scf.for
// CHECK:   tile.load %arg0{{.*}} dims [-1, 2] : {{.*}}, vector<1x256xf32>
// CHECK: %[[M:.*]] = tile.reduce maxnum %[[ROW]] dim 1
// CHECK: %[[Q:.*]] = arith.divf %[[M]], %{{.*}} : vector<1x1xf32>
// CHECK: %[[Z:.*]] = arith.cmpf oeq, %[[M]]
// CHECK: %[[D:.*]] = arith.select %[[Z]], %{{.*}}, %[[Q]]
// CHECK: tile.store %[[D]], %arg1[%[[ID]]#1, %[[ID]]#0] dims [-1, -1]

// CHECK-LABEL: tile.kernel @plain(
// CHECK: %[[D:.*]] = tile.load %arg1{{.*}} dims [-1, -1]
// CHECK: %[[X:.*]] = arith.extf
// CHECK: %[[B:.*]] = vector.broadcast %[[D]] : vector<1x1xf32> to vector<64x128xf32>
// CHECK: %[[Q:.*]] = arith.divf %[[X]], %[[B]]
// CHECK: %[[N:.*]] = arith.truncf %[[Q]] : vector<64x128xf32> to vector<64x128xf8E4M3FN>
// CHECK: tile.store %[[N]], %arg2{{.*}} dims [1, 3] : vector<64x128xf8E4M3FN>
func.func @plain(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}

// -----

// As columns, blocks cover the padded keys.

// CHECK-LABEL: tile.kernel @columns(
// CHECK-SAME: #tile.argument<"y", "output", ["batch", "heads", "head_dim", "keys_padded"]>
// CHECK-SAME: constraints = [{divides = ["groups", "heads"]}, {at_most = ["seqlen", "keys_padded"]}]
// CHECK-SAME: output_dtype = "e5m2", rotate = false, value_layout = "columns"
// CHECK: %[[KEYS:.*]] = memref.dim %arg2, %c3
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[KEYS]], %c64
// CHECK: tile.program_id(%[[BLOCKS]],
// CHECK: tile.store %{{.*}}, %arg2{{.*}} dims [3, 2] interleaved : vector<64x64xf8E5M2>
func.func @columns(%x: tensor<?x?x?x64xf16>) -> (tensor<?x?x64x?xf8E5M2>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x interleaved : tensor<?x?x?x64xf16> -> tensor<?x?x64x?xf8E5M2>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x64x?xf8E5M2>, tensor<?x?xf32>
}

// -----

// A block of 128 is two products with a matrix of 64, added and subtracted. The
// matrix is made in front of the loop.

// CHECK-LABEL: tile.kernel @rotated_maxima
// CHECK: %[[I:.*]] = tile.iota 0 : vector<64x1xi32>
// CHECK: %[[J:.*]] = tile.iota 1 : vector<1x64xi32>
// CHECK: %[[AND:.*]] = arith.andi %{{.*}}, %{{.*}} : vector<64x64xi32>
// CHECK: %[[POP:.*]] = math.ctpop %[[AND]]
// CHECK: %[[PARITY:.*]] = arith.andi %[[POP]]
// CHECK: %[[EVEN:.*]] = arith.cmpi eq, %[[PARITY]]
// CHECK: %[[SIGNS:.*]] = arith.select %[[EVEN]]
// CHECK: %[[H:.*]] = arith.truncf %[[SIGNS]] : vector<64x64xf32> to vector<64x64xbf16>
// CHECK: scf.for
// CHECK:   %[[X0:.*]] = tile.load %arg0[{{.*}}, %c0{{.*}}] dims [1, 3] : {{.*}}, vector<64x64xbf16>
// CHECK:   %[[P0:.*]] = tile.dot %[[X0]], %[[H]] contract(1, 1)
// CHECK:   %[[X1:.*]] = tile.load %arg0[{{.*}}, %c64{{.*}}] dims [1, 3]
// CHECK:   %[[P1:.*]] = tile.dot %[[X1]], %[[H]] contract(1, 1)
// CHECK:   %[[SUM:.*]] = arith.addf %[[P0]], %[[P1]]
// CHECK:   %[[DIFFERENCE:.*]] = arith.subf %[[P0]], %[[P1]]
// CHECK:   arith.mulf %[[SUM]]
// CHECK:   arith.mulf %[[DIFFERENCE]]
func.func @rotated(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x rotate : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}

// -----

// Blocks of 32 in a head dim of 96: the matrix has two of them, and the second
// piece of 64 columns has zeros beyond the head dim.

// CHECK-LABEL: tile.kernel @blocks(
// CHECK: %[[I:.*]] = vector.broadcast %{{.*}} : vector<64x1xi32> to vector<64x64xi32>
// CHECK: %[[J:.*]] = vector.broadcast %{{.*}} : vector<1x64xi32> to vector<64x64xi32>
// CHECK: %[[AND:.*]] = arith.andi %[[I]], %[[J]]
// CHECK: %[[MASK:.*]] = arith.constant dense<31>
// CHECK: %[[MASKED:.*]] = arith.andi %[[AND]], %[[MASK]]
// CHECK: math.ctpop %[[MASKED]]
// CHECK: %[[XOR:.*]] = arith.xori %[[I]], %[[J]]
// CHECK: %[[SIZE:.*]] = arith.constant dense<32>
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[XOR]], %[[SIZE]]
// CHECK: arith.select %[[IN]], %{{.*}}, %{{.*}} : vector<64x64xi1>, vector<64x64xf32>
// CHECK-COUNT-2: tile.dot
// CHECK-NOT: arith.addf
// CHECK: tile.store %{{.*}}, %arg2[{{.*}}, %c0{{.*}}] dims [1, 3] : vector<64x64xf8E4M3FN>
// CHECK: tile.store %{{.*}}, %arg2[{{.*}}, %c64{{.*}}] dims [1, 3]
// CHECK-NOT: tile.store
func.func @blocks(%x: tensor<?x?x?x96xbf16>) -> (tensor<?x?x?x96xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x rotate : tensor<?x?x?x96xbf16> -> tensor<?x?x?x96xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x96xf8E4M3FN>, tensor<?x?xf32>
}

// -----

// A factor for each row follows from the row alone: one kernel reads x once.

// CHECK-LABEL: module @rows
// CHECK-NOT: tile.kernel @rows_maxima
// CHECK-NOT: tile.kernel @rows_descale
// CHECK: tile.kernel @rows(
// CHECK-SAME: #tile.argument<"descale", "output", ["batch", "heads", "seqlen"]>
// CHECK-NOT: "row_maxima"
// CHECK-NOT: constraints
// CHECK: %[[ID:.*]]:3 = tile.program_id
// CHECK: %[[X:.*]] = tile.load %arg0{{.*}} dims [1, 3] : {{.*}}, vector<64x128xbf16>
// CHECK-NOT: tile.load
// CHECK: %[[W:.*]] = arith.extf %[[X]]
// CHECK: %[[A:.*]] = math.absf %[[W]]
// CHECK: %[[R:.*]] = tile.reduce maxnum %[[A]] dim 1
// CHECK: %[[M:.*]] = arith.maxnumf %{{.*}}, %[[R]] : vector<64x1xf32>
// CHECK: %[[Q:.*]] = arith.divf %[[M]], %{{.*}} : vector<64x1xf32>
// CHECK: %[[Z:.*]] = arith.cmpf oeq, %[[M]]
// CHECK: %[[D:.*]] = arith.select %[[Z]], %{{.*}}, %[[Q]]
// CHECK: tile.store %[[D]], %arg1[%[[ID]]#2, %[[ID]]#1, %{{.*}}] dims [2, -1]
// CHECK: %[[B:.*]] = vector.broadcast %[[D]] : vector<64x1xf32> to vector<64x128xf32>
// CHECK: %[[S:.*]] = arith.divf %[[W]], %[[B]]
// CHECK: %[[N:.*]] = arith.truncf %[[S]] : vector<64x128xf32> to vector<64x128xf8E4M3FN>
// CHECK: tile.store %[[N]], %arg2{{.*}} dims [1, 3]
func.func @rows(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>) {
  %y, %d = attn.quantize %x : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>
  return %y, %d : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>
}
