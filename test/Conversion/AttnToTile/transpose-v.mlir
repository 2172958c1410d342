// RUN: fa3-opt %s --split-input-file --fa3-attn-to-tile | FileCheck %s

// 8-bit values become columns in the kernel that needs them so, or in front of it:
// the schedule says up to how many keys. 2147483647 is for all: one kernel.

// CHECK-NOT: _values
// CHECK-LABEL: tile.kernel @all(
// CHECK-SAME: %[[V:[a-z0-9]+]]: memref<?x?x?x128xf8E4M3FN, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"v", "input",
// CHECK-NOT: "workspace"
// CHECK-NOT: launch_if
// CHECK: %[[ID:.*]]:3 = tile.program_id
// CHECK: %[[HEAD:.*]] = arith.divui %[[ID]]#1,
// CHECK: scf.for
// CHECK:   %[[KEY:.*]] = tile.load %arg1[%[[ID]]#2, %[[ROW:.*]], %[[HEAD]], %{{.*}}] dims [1, 3]
// CHECK:   %[[P:.*]] = tile.interleave
// CHECK:   %[[ROWS:.*]] = tile.load %[[V]][%[[ID]]#2, %[[ROW]], %[[HEAD]], %{{.*}}] dims [1, 3] : {{.*}}, vector<96x128xf8E4M3FN>
// CHECK:   %[[VT:.*]] = tile.transpose %[[ROWS]] ones : vector<96x128xf8E4M3FN> -> vector<136x96xf8E4M3FN>
// CHECK:   tile.dot %[[P]], %[[VT]], %{{.*}} contract(1, 1)
// CHECK-NOT: tile.kernel
func.func @all(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = true, transpose_v = 2147483647>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// Up to a number: both ways, each with its condition. The workspace is empty where it
// is not needed.

// CHECK-LABEL: tile.kernel @some_values(
// CHECK-SAME: #tile.argument<"v_columns", "workspace", ["batch", "heads_kv", 128 : i64,
// CHECK-SAME: {args = [{args = [{args = ["seqlen_k", 16], op = "ceildiv"}, 16], op = "mul"}, {args = [{args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}, 1], op = "min"}], op = "mul"}]>
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}
// CHECK: tile.store %{{.*}}, %arg1{{.*}} dims [3, 2] interleaved

// CHECK-LABEL: tile.kernel @some(
// CHECK-SAME: #tile.argument<"v_columns", "workspace", ["batch", "heads_kv", 128 : i64,
// CHECK-SAME: {args = [{args = [{args = ["seqlen_k", 16], op = "ceildiv"}, 16], op = "mul"}, {args = [{args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}, 1], op = "min"}], op = "mul"}]>
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_k", 4096], op = "max"}, 4096], op = "sub"}
// CHECK-NOT: tile.transpose
// CHECK: tile.load %arg2{{.*}} dims [2, 3] ones : {{.*}}, vector<136x96xf8E4M3FN>
// CHECK-NOT: tile.transpose

// CHECK-LABEL: tile.kernel @some_short(
// CHECK-NOT: "workspace"
// CHECK-SAME: #tile.argument<"v", "input",
// CHECK-SAME: launch_if = {args = [4097, {args = ["seqlen_k", 4097], op = "min"}], op = "sub"}
// CHECK: tile.transpose %{{.*}} ones
func.func @some(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = true, transpose_v = 4096>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// Where the number of keys is known, so is the way: as many as are transposed,

// CHECK-NOT: _values
// CHECK-LABEL: tile.kernel @few(
// CHECK-NOT: "workspace"
// CHECK-NOT: launch_if
// CHECK: tile.transpose %{{.*}} : vector<96x128xf8E4M3FN> -> vector<128x96xf8E4M3FN>
// CHECK-NOT: tile.kernel
func.func @few(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x4096x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = false, transpose_v = 4096>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x4096x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// one more,

// CHECK-LABEL: tile.kernel @many_values(
// CHECK-SAME: #tile.argument<"v_columns", "workspace", ["batch", "heads_kv", 128 : i64, {args = [{args = [4097, 16], op = "ceildiv"}, 16], op = "mul"}]>
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @many(
// CHECK-NOT: launch_if
// CHECK-NOT: tile.transpose
// CHECK: tile.load %{{.*}} dims [2, 3]
// CHECK-NOT: tile.transpose
// CHECK-NOT: tile.kernel
func.func @many(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x4097x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = false, transpose_v = 4096>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x4097x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// or any, where none are.

// CHECK-LABEL: tile.kernel @none_values(
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @none(
// CHECK-NOT: launch_if
// CHECK-NOT: tile.transpose
// CHECK-NOT: tile.kernel
func.func @none(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x64x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = false, transpose_v = 0>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x64x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// On two levels, for each 64 columns: the ones are behind the last ones.

// CHECK-LABEL: tile.kernel @two_level(
// CHECK: scf.for
// CHECK:   %[[V0:.*]] = tile.load %arg2[%{{.*}}, %[[ROW:.*]], %[[HEAD:.*]], %{{.*}}] dims [1, 3] : {{.*}}, vector<96x64xf8E4M3FN>
// CHECK:   tile.transpose %[[V0]] : vector<96x64xf8E4M3FN> -> vector<64x96xf8E4M3FN>
// CHECK:   %[[V1:.*]] = tile.load %arg2[%{{.*}}, %[[ROW]], %[[HEAD]], %c64{{.*}}] dims [1, 3] : {{.*}}, vector<96x64xf8E4M3FN>
// CHECK:   tile.transpose %[[V1]] ones : vector<96x64xf8E4M3FN> -> vector<72x96xf8E4M3FN>
func.func @two_level(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v two_level {schedule = #tile.schedule<block_q = 128, block_kv = 96, lazy_rescale = 4, product_sums = true, transpose_v = 2147483647>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// -----

// Products of 16 bits take rows as they are.

// CHECK-LABEL: tile.kernel @sixteen_bits(
// CHECK-NOT: launch_if
// CHECK-NOT: tile.transpose
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} contract(1, 0)
// CHECK-NOT: tile.transpose
func.func @sixteen_bits(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 128, block_kv = 96>} : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
