// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --cse | FileCheck %s --check-prefix=PURE

// A transposed tile is the operand of a product that contracts the rows of the
// one that is loaded; with ones it has 8 rows more.
// CHECK-LABEL: tile.kernel @transposes
// CHECK: %[[V:.*]] = tile.load
// CHECK: %[[T:.*]] = tile.transpose %[[V]] : vector<96x64xf8E4M3FN> -> vector<64x96xf8E4M3FN>
// CHECK: tile.dot %{{.*}}, %[[T]] contract(1, 1)
// CHECK: %[[O:.*]] = tile.transpose %[[V]] ones : vector<96x64xf8E4M3FN> -> vector<72x96xf8E4M3FN>
// CHECK: tile.dot %{{.*}}, %[[O]] contract(1, 1)
tile.kernel @transposes(%x: memref<?x64xf8E4M3FN, strided<[?, 1]>>, %p: vector<64x96xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x64xf8E4M3FN, strided<[?, 1]>>, vector<96x64xf8E4M3FN>
  %t = tile.transpose %v : vector<96x64xf8E4M3FN> -> vector<64x96xf8E4M3FN>
  %a = tile.dot %p, %t contract(1, 1) : vector<64x96xf8E4M3FN>, vector<64x96xf8E4M3FN> -> vector<64x64xf32>
  %o = tile.transpose %v ones : vector<96x64xf8E4M3FN> -> vector<72x96xf8E4M3FN>
  %b = tile.dot %p, %o contract(1, 1) : vector<64x96xf8E4M3FN>, vector<72x96xf8E4M3FN> -> vector<64x72xf32>
  tile.return
}

// What is transposed twice is one tile, but for the ones; what is not used goes.
// PURE-LABEL: func.func @pure
// PURE-SAME: (%[[X:.*]]: vector<32x64xf8E5M2>)
// PURE-NEXT: %[[T:.*]] = tile.transpose %[[X]] : vector<32x64xf8E5M2> -> vector<64x32xf8E5M2>
// PURE-NEXT: %[[O:.*]] = tile.transpose %[[X]] ones : vector<32x64xf8E5M2> -> vector<72x32xf8E5M2>
// PURE-NEXT: return %[[T]], %[[T]], %[[O]]
func.func @pure(%x: vector<32x64xf8E5M2>) -> (vector<64x32xf8E5M2>, vector<64x32xf8E5M2>, vector<72x32xf8E5M2>) {
  %a = tile.transpose %x : vector<32x64xf8E5M2> -> vector<64x32xf8E5M2>
  %b = tile.transpose %x : vector<32x64xf8E5M2> -> vector<64x32xf8E5M2>
  %o = tile.transpose %x ones : vector<32x64xf8E5M2> -> vector<72x32xf8E5M2>
  %unused = tile.transpose %a : vector<64x32xf8E5M2> -> vector<32x64xf8E5M2>
  return %a, %b, %o : vector<64x32xf8E5M2>, vector<64x32xf8E5M2>, vector<72x32xf8E5M2>
}

// A kernel that runs where an expression of sizes is not 0, or a size is not.
// CHECK-LABEL: tile.kernel @some_keys()
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}
tile.kernel @some_keys() attributes {
    launch_if = {args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}} {
  tile.return
}

// CHECK-LABEL: tile.kernel @any_keys()
// CHECK-SAME: launch_if = "seqlen_k"
tile.kernel @any_keys() attributes {launch_if = "seqlen_k"} {
  tile.return
}

// CHECK-LABEL: tile.kernel @always()
// CHECK-NOT: launch_if
tile.kernel @always() {
  tile.return
}

// CHECK-LABEL: tile.kernel @schedules
// CHECK-SAME: all = #tile.schedule<block_q = 128, block_kv = 96, transpose_v = 2147483647>
// CHECK-SAME: none = #tile.schedule<block_q = 128, block_kv = 128>
// CHECK-SAME: some = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 4096>
tile.kernel @schedules() attributes {
    all = #tile.schedule<block_q = 128, block_kv = 96, transpose_v = 2147483647>,
    none = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 0>,
    some = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 4096>} {
  tile.return
}
