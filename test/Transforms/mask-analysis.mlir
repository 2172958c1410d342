// RUN: fa3-opt %s --fa3-mask-analysis --canonicalize | FileCheck %s
// RUN: fa3-opt %s --fa3-mask-analysis --verify-diagnostics --remarks-filter=.* -o /dev/null

// Columns below a limit that falls with the index: the first iterations mask.
// Nothing is hidden from (last - j) * 176 + 176 <= length on.

// CHECK-LABEL: tile.kernel @length(
// CHECK-SAME: %[[LENGTH:[a-z0-9]+]]: index, %[[N:[a-z0-9]+]]: index
// CHECK: %[[LAST:.*]] = arith.subi %[[N]], %c1
// ceildiv(176 * last - length + 176, 176)
// CHECK: %[[END:.*]] = arith.muli %[[LAST]], %c176
// CHECK: %[[OVER:.*]] = arith.subi %[[END]], %[[LENGTH]]
// CHECK: %[[REST:.*]] = arith.addi %[[OVER]], %c176
// CHECK: %[[THRESHOLD:.*]] = arith.ceildivsi %[[REST]], %c176
// CHECK: scf.for %[[J:.*]] = %c0 to %[[N]]
// CHECK:   %[[MIXED:.*]] = arith.cmpi slt, %[[J]], %[[THRESHOLD]] : index
// CHECK:   %[[R:.*]] = scf.if %[[MIXED]]
// What only the mask needs is computed where it masks.
// CHECK:     tile.iota 1
// CHECK:     arith.subi %[[LENGTH]]
// CHECK:     arith.cmpi slt
// CHECK:     arith.select %{{.*}}, %[[S:.*]], %{{.*}} : vector<64x176xi1>, vector<64x176xf32>
// CHECK:   } else {
// CHECK:     scf.yield %[[S]]
// CHECK:   scf.yield %[[R]]
tile.kernel @length(%length: index, %n: index, %init: vector<64x176xf32>, %m: memref<64x176xf32, strided<[176, 1]>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c176 = arith.constant 176 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x176xf32>
  %last = arith.subi %n, %c1 : index
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%s = %init) -> (vector<64x176xf32>) {
    %block = arith.subi %last, %j : index
    %col0 = arith.muli %block, %c176 : index
    %left = arith.subi %length, %col0 : index
    %limit = arith.index_cast %left : index to i32
    %iota = tile.iota 1 : vector<1x176xi32>
    %cols = vector.broadcast %iota : vector<1x176xi32> to vector<64x176xi32>
    %limits = vector.broadcast %limit : i32 to vector<64x176xi32>
    %ok = arith.cmpi slt, %cols, %limits : vector<64x176xi32>
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %ok, %s, %hidden : vector<64x176xi1>, vector<64x176xf32>
    scf.yield %x : vector<64x176xf32>
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : vector<64x176xf32>, memref<64x176xf32, strided<[176, 1]>>
  tile.return
}

// A limit for each row, the lesser of two: the greater threshold decides.

// CHECK-LABEL: tile.kernel @diagonal(
// CHECK: %[[T:.*]] = arith.maxsi %{{.*}}, %{{.*}} : index
// CHECK: scf.for %[[J:.*]] = %c0
// CHECK:   arith.cmpi slt, %[[J]], %[[T]] : index
// CHECK-NEXT: scf.if
tile.kernel @diagonal(%length: i32, %first: i32, %n: index, %init: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %minus64 = arith.constant -64 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %firsts = vector.broadcast %first : i32 to vector<64x1xi32>
  %lengths = vector.broadcast %length : i32 to vector<64x1xi32>
  %rows = tile.iota 0 : vector<64x1xi32>
  %diagonal = arith.addi %rows, %firsts : vector<64x1xi32>
  %limit = arith.minsi %diagonal, %lengths : vector<64x1xi32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%s = %init) -> (vector<64x64xf32>) {
    %col0 = arith.muli %j, %minus64 : index
    %col32 = arith.index_cast %col0 : index to i32
    %cols0 = vector.broadcast %col32 : i32 to vector<64x1xi32>
    %shifted = arith.subi %limit, %cols0 : vector<64x1xi32>
    %limits = vector.broadcast %shifted : vector<64x1xi32> to vector<64x64xi32>
    %iota = tile.iota 1 : vector<1x64xi32>
    %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
    %ok = arith.cmpi sgt, %limits, %cols : vector<64x64xi32>
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
    scf.yield %x : vector<64x64xf32>
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// Columns grow with the index: the last iterations mask. The constant is on
// the true side, so the comparison says what is hidden.

// CHECK-LABEL: tile.kernel @left_to_right(
// CHECK: scf.for %[[J:.*]] = %c0
// CHECK:   arith.cmpi sge, %[[J]], %{{.*}} : index
// CHECK-NEXT: scf.if
// CHECK:     arith.select %{{.*}}, %{{.*}}, %[[S:.*]] : vector<64x64xi1>, vector<64x64xf32>
// CHECK:   } else {
// CHECK:     scf.yield %[[S]]
tile.kernel @left_to_right(%length: i32, %n: index, %init: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant dense<64> : vector<64x64xi32>
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %lengths = vector.broadcast %length : i32 to vector<64x64xi32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%s = %init) -> (vector<64x64xf32>) {
    %j32 = arith.index_cast %j : index to i32
    %blocks = vector.broadcast %j32 : i32 to vector<64x64xi32>
    %col0 = arith.muli %blocks, %c64 : vector<64x64xi32>
    %iota = tile.iota 1 : vector<1x64xi32>
    %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
    %col = arith.addi %cols, %col0 : vector<64x64xi32>
    %no = arith.cmpi sge, %col, %lengths : vector<64x64xi32>
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %no, %hidden, %s : vector<64x64xi1>, vector<64x64xf32>
    scf.yield %x : vector<64x64xf32>
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// A limit that does not depend on the index: a scalar condition, also without
// a loop.

// CHECK-LABEL: tile.kernel @no_loop(
// CHECK-SAME: %[[LENGTH:[a-z0-9]+]]: index
// CHECK: %[[EXCESS:.*]] = arith.subi %c64, %[[LENGTH]]
// CHECK: %[[MIXED:.*]] = arith.cmpi sgt, %{{.*}}, %c0 : index
// CHECK: scf.if %[[MIXED]]
tile.kernel @no_loop(%length: index, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %limit = arith.index_cast %length : index to i32
  %limits = vector.broadcast %limit : i32 to vector<64x64xi32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %ok = arith.cmpi slt, %cols, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask is applied where a scalar condition holds}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// Bounds that cross in different directions: a disjunction.

// CHECK-LABEL: tile.kernel @both_directions(
// CHECK: scf.for
// CHECK:   %[[A:.*]] = arith.cmpi sgt
// CHECK:   %[[B:.*]] = arith.cmpi sgt
// CHECK:   %[[ANY:.*]] = arith.ori %[[A]], %[[B]]
// CHECK:   scf.if %[[ANY]]
tile.kernel @both_directions(%n: index, %init: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c500 = arith.constant 500 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%s = %init) -> (vector<64x64xf32>) {
    %up = arith.index_cast %j : index to i32
    %fall = arith.subi %c500, %j : index
    %down = arith.index_cast %fall : index to i32
    %ups = vector.broadcast %up : i32 to vector<64x1xi32>
    %downs = vector.broadcast %down : i32 to vector<64x1xi32>
    %limit = arith.minsi %ups, %downs : vector<64x1xi32>
    %limits = vector.broadcast %limit : vector<64x1xi32> to vector<64x64xi32>
    %iota = tile.iota 1 : vector<1x64xi32>
    %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
    %ok = arith.cmpi sle, %cols, %limits : vector<64x64xi32>
    // expected-remark@+1 {{the mask is applied where a scalar condition holds}}
    %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
    scf.yield %x : vector<64x64xf32>
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// Known at compile time: nothing is hidden.

// CHECK-LABEL: tile.kernel @nothing(
// CHECK-NOT: arith.select
// CHECK: tile.return
tile.kernel @nothing(%s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %limits = arith.constant dense<64> : vector<64x64xi32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %ok = arith.cmpi slt, %cols, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask hides nothing and is dropped}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}
