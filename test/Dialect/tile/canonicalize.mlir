// RUN: fa3-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @reduce_one_element
// CHECK-SAME: (%[[X:.*]]: vector<64x1xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reduce_one_element(%x: vector<64x1xf32>) -> vector<64x1xf32> {
  %m = tile.reduce maxnum %x dim 1 : vector<64x1xf32> -> vector<64x1xf32>
  %s = tile.reduce add %m dim 1 : vector<64x1xf32> -> vector<64x1xf32>
  return %s : vector<64x1xf32>
}

// CHECK-LABEL: func.func @reduce_other_dimension
// CHECK: tile.reduce add
func.func @reduce_other_dimension(%x: vector<64x1xf32>) -> vector<1x1xf32> {
  %s = tile.reduce add %x dim 0 : vector<64x1xf32> -> vector<1x1xf32>
  return %s : vector<1x1xf32>
}

// CHECK-LABEL: func.func @partial_reduce_of_partial_sums
// CHECK-SAME: (%[[X:.*]]: vector<64x8xf32>)
// CHECK-NEXT: return %[[X]]
func.func @partial_reduce_of_partial_sums(%x: vector<64x8xf32>) -> vector<64x8xf32> {
  %s = tile.partial_reduce %x : vector<64x8xf32> -> vector<64x8xf32>
  return %s : vector<64x8xf32>
}

// CHECK-LABEL: func.func @dot_with_zero
// CHECK: tile.dot %{{.*}}, %{{.*}} contract(1, 0) : vector<64x16xbf16>, vector<16x64xbf16> -> vector<64x64xf32>
func.func @dot_with_zero(%a: vector<64x16xbf16>, %b: vector<16x64xbf16>) -> vector<64x64xf32> {
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %d = tile.dot %a, %b, %zero contract(1, 0) : vector<64x16xbf16>, vector<16x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
  return %d : vector<64x64xf32>
}

// CHECK-LABEL: func.func @dot_with_value
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} contract(1, 0)
func.func @dot_with_value(%a: vector<64x16xbf16>, %b: vector<16x64xbf16>, %c: vector<64x64xf32>) -> vector<64x64xf32> {
  %d = tile.dot %a, %b, %c contract(1, 0) : vector<64x16xbf16>, vector<16x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
  return %d : vector<64x64xf32>
}

// CHECK-LABEL: func.func @nobody_votes
// CHECK-SAME: (%[[X:.*]]: vector<64x64xf32>)
// CHECK-NEXT: return %[[X]]
func.func @nobody_votes(%x: vector<64x64xf32>) -> vector<64x64xf32> {
  %no = arith.constant dense<false> : vector<64x1xi1>
  %vote = tile.vote_any %no : vector<64x1xi1>
  %u = tile.uniform_if %vote, %x {
    %y = arith.addf %x, %x : vector<64x64xf32>
    tile.yield %y : vector<64x64xf32>
  } : vector<64x1xi1>, vector<64x64xf32>
  return %u : vector<64x64xf32>
}

// CHECK-LABEL: func.func @everybody_votes
// CHECK-SAME: (%[[X:.*]]: vector<64x64xf32>)
// CHECK-NEXT: %[[Y:.*]] = arith.addf %[[X]], %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @everybody_votes(%x: vector<64x64xf32>) -> vector<64x64xf32> {
  %yes = arith.constant dense<true> : vector<64x1xi1>
  %vote = tile.vote_any %yes : vector<64x1xi1>
  %u = tile.uniform_if %vote, %x {
    %y = arith.addf %x, %x : vector<64x64xf32>
    tile.yield %y : vector<64x64xf32>
  } : vector<64x1xi1>, vector<64x64xf32>
  return %u : vector<64x64xf32>
}

// All columns of a tile.
// CHECK-LABEL: tile.kernel @all_columns
// CHECK-NOT: tile.columns
tile.kernel @all_columns(%x: vector<64x32xf32>, %o: memref<?x32xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %y = tile.columns %x from 0 : vector<64x32xf32> -> vector<64x32xf32>
  tile.store %y, %o[%c0, %c0] dims [0, 1] : vector<64x32xf32>, memref<?x32xf32, strided<[?, 1]>>
  tile.return
}
