// RUN: fa3-opt %s --fa3-lazy-rescale | FileCheck %s
// RUN: fa3-opt %s --fa3-lazy-rescale --verify-diagnostics --remarks-filter=.* -o /dev/null

!row = vector<64x1xf32>
!sum = vector<64x8xf32>
!tile = vector<64x64xf32>
!memory = memref<64x64xf32, strided<[64, 1]>>

// An online softmax, with a guard for rows that have seen nothing.

// CHECK-LABEL: tile.kernel @guarded(
// CHECK: scf.for {{.*}} iter_args(%[[M0:.*]] = %{{.*}}, %[[L0:.*]] = %{{.*}}, %[[ACC0:.*]] = %{{.*}})
// CHECK:   %[[MAX:.*]] = arith.maxnumf %[[M0]], %{{.*}} : vector<64x1xf32>
// CHECK:   %[[GROWTH:.*]] = arith.subf %[[MAX]], %[[M0]]
// CHECK:   %[[C:.*]] = arith.constant dense<5.000000e-01> : vector<64x1xf32>
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[GROWTH]], %[[C]]
// CHECK:   %[[BOUND:.*]] = arith.constant dense<8.000000e+00> : vector<64x1xf32>
// CHECK:   %[[GROWN:.*]] = arith.cmpf ugt, %[[SCALED]], %[[BOUND]]
// CHECK:   %[[VOTE:.*]] = tile.vote_any %[[GROWN]]
// CHECK:   %[[M1:.*]] = arith.select %[[VOTE]], %[[MAX]], %[[M0]]
// CHECK:   %[[NONE:.*]] = arith.cmpf oeq, %[[M1]], %{{.*}}
// CHECK:   %[[REF:.*]] = arith.select %[[NONE]], %{{.*}}, %[[M1]]
// CHECK:   %[[D:.*]] = arith.subf %[[M0]], %[[REF]]
// CHECK:   %[[E:.*]] = arith.mulf %[[D]], %{{.*}}
// CHECK:   %[[A:.*]] = math.exp2 %[[E]]
// The row sum is rescaled always, the accumulator where it has to be.
// CHECK:   %[[A8:.*]] = vector.broadcast %[[A]] : vector<64x1xf32> to vector<64x8xf32>
// CHECK:   math.fma %[[L0]], %[[A8]]
// CHECK:   %[[WIDE:.*]] = vector.broadcast %[[A]] : vector<64x1xf32> to vector<64x64xf32>
// CHECK:   %[[ACC:.*]] = tile.uniform_if %[[VOTE]], %[[ACC0]] {
// CHECK:     %[[PRODUCT:.*]] = arith.mulf %[[ACC0]], %[[WIDE]]
// CHECK:     tile.yield %[[PRODUCT]]
// CHECK:   } : vector<64x1xi1>, vector<64x64xf32>
// CHECK:   %[[ACC1:.*]] = arith.addf %[[ACC]],
// CHECK:   scf.yield %[[M1]], %{{.*}}, %[[ACC1]]
tile.kernel @guarded(%n: index, %x: !row, %p: !sum, %o: !tile, %memory: !memory)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<0xFF800000> : !row
  %zero = arith.constant dense<0.0> : !row
  %zero8 = arith.constant dense<0.0> : !sum
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %l0 = %zero8, %acc0 = %zeros) -> (!row, !sum, !tile) {
    // expected-remark@+1 {{sums keep their reference until it is exceeded by a factor of 2^8; products made conditional: 1}}
    %m1 = arith.maxnumf %m0, %x : !row
    %none = arith.cmpf oeq, %m1, %lowest : !row
    %reference = arith.select %none, %zero, %m1 : vector<64x1xi1>, !row
    %d = arith.subf %m0, %reference : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %a8 = vector.broadcast %a : !row to !sum
    %l1 = math.fma %l0, %a8, %p : !sum
    %wide = vector.broadcast %a : !row to !tile
    %scaled = arith.mulf %acc0, %wide : !tile
    %acc1 = arith.addf %scaled, %o : !tile
    scf.yield %m1, %l1, %acc1 : !row, !sum, !tile
  }
  tile.store %r#2, %memory[%c0, %c0] dims [0, 1] : !tile, !memory
  tile.return
}

// Without the guard, operands the other way round, two accumulators.

// CHECK-LABEL: tile.kernel @swapped(
// CHECK: scf.for {{.*}} iter_args(%[[M0:.*]] = %{{.*}}, %[[A0:.*]] = %{{.*}}, %[[B0:.*]] = %{{.*}})
// CHECK:   %[[MAX:.*]] = arith.maxnumf %{{.*}}, %[[M0]]
// CHECK:   arith.constant dense<4.000000e+00> : vector<64x1xf32>
// CHECK:   %[[VOTE:.*]] = tile.vote_any
// CHECK:   %[[M1:.*]] = arith.select %[[VOTE]], %[[MAX]], %[[M0]]
// CHECK:   arith.subf %[[M0]], %[[M1]]
// CHECK:   tile.uniform_if %[[VOTE]], %[[A0]]
// CHECK:   tile.uniform_if %[[VOTE]], %[[B0]]
tile.kernel @swapped(%n: index, %x: !row, %o: !tile, %memory: !memory)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 4>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{products made conditional: 2}}
    %m1 = arith.maxnumf %x, %m0 : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %c, %d : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %wide, %a0 : !tile
    %b1 = arith.mulf %b0, %wide : !tile
    %b2 = arith.addf %b1, %o : !tile
    scf.yield %m1, %a1, %b2 : !row, !tile, !tile
  }
  tile.store %r#2, %memory[%c0, %c0] dims [0, 1] : !tile, !memory
  tile.return
}

// lazy_rescale = 0 rescales always.

// CHECK-LABEL: tile.kernel @always(
// CHECK-NOT: tile.vote_any
// CHECK: tile.return
tile.kernel @always(%n: index, %x: !row, %memory: !memory)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.store %r#1, %memory[%c0, %c0] dims [0, 1] : !tile, !memory
  tile.return
}

// The scale may be known only when the kernel runs, if it is one for all rows and
// comes from outside of the loop.

!factor = vector<1x1xf32>
// CHECK-LABEL: tile.kernel @scale_at_run_time
// CHECK: scf.for
// CHECK:   %[[GROWTH:.*]] = arith.subf %{{.*}}, %{{.*}} : vector<64x1xf32>
// CHECK:   %[[C:.*]] = vector.broadcast %arg3 : vector<1x1xf32> to vector<64x1xf32>
// CHECK:   arith.mulf %[[GROWTH]], %[[C]]
// CHECK:   tile.vote_any
// CHECK:   tile.uniform_if
tile.kernel @scale_at_run_time(%n: index, %x: vector<64x1xf32>, %s: vector<64x64xf32>, %c1x1: !factor)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<0xFF800000> : vector<64x1xf32>
  %zeros = arith.constant dense<0.0> : vector<64x64xf32>
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (vector<64x1xf32>, vector<64x64xf32>) {
    // expected-remark@+1 {{products made conditional: 1}}
    %m1 = arith.maxnumf %m0, %x : vector<64x1xf32>
    %d = arith.subf %m0, %m1 : vector<64x1xf32>
    %c = vector.broadcast %c1x1 : !factor to vector<64x1xf32>
    %e = arith.mulf %d, %c : vector<64x1xf32>
    %a = math.exp2 %e : vector<64x1xf32>
    %wide = vector.broadcast %a : vector<64x1xf32> to vector<64x64xf32>
    %a1 = arith.mulf %a0, %wide : vector<64x64xf32>
    %a2 = arith.addf %a1, %s : vector<64x64xf32>
    scf.yield %m1, %a2 : vector<64x1xf32>, vector<64x64xf32>
  }
  tile.return
}

// What the loop carries multiplied by 0 has no reference.

// CHECK-LABEL: tile.kernel @cleared
// CHECK: tile.vote_any
// CHECK: tile.uniform_if
tile.kernel @cleared(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<0xFF800000> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %z0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{products made conditional: 1}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %a2 = arith.addf %a1, %z0 : !tile
    %z1 = arith.mulf %s, %zeros : !tile
    scf.yield %m1, %a2, %z1 : !row, !tile, !tile
  }
  tile.return
}

// Rows that are scaled by the exponent of their largest element: their sums have no
// scale. Another carried tile of these rows, to which nothing is added that depends
// on the maximum, has no reference.

// CHECK-LABEL: tile.kernel @without_scale(
// CHECK: scf.for {{.*}} iter_args(%[[M0:.*]] = %{{.*}}, %[[A0:.*]] = %{{.*}}, %[[B0:.*]] = %{{.*}}, %[[L0:.*]] = %{{.*}})
// CHECK:   %[[LARGEST:.*]] = tile.reduce maxnum
// CHECK:   %[[MAX:.*]] = arith.maxnumf %[[M0]], %{{.*}} : vector<64x1xf32>
// CHECK:   %[[GROWTH:.*]] = arith.subf %[[MAX]], %[[M0]]
// CHECK-NOT: arith.mulf
// CHECK:   %[[BOUND:.*]] = arith.constant dense<2.000000e+00> : vector<64x1xf32>
// CHECK:   %[[GROWN:.*]] = arith.cmpf ugt, %[[GROWTH]], %[[BOUND]]
// CHECK:   %[[VOTE:.*]] = tile.vote_any %[[GROWN]]
// CHECK:   %[[M1:.*]] = arith.select %[[VOTE]], %[[MAX]], %[[M0]]
// CHECK:   %[[D:.*]] = arith.subf %[[M0]], %[[M1]]
// CHECK:   %[[A:.*]] = math.exp2 %[[D]]
// What is added has the new reference.
// CHECK:   arith.subf %{{.*}}, %[[M1]]
// CHECK:   %[[WIDE:.*]] = vector.broadcast %[[A]] : vector<64x1xf32> to vector<64x64xf32>
// CHECK:   %[[ACC:.*]] = tile.uniform_if %[[VOTE]], %[[A0]] {
// CHECK:     %[[PRODUCT:.*]] = arith.mulf %[[A0]], %[[WIDE]]
// CHECK:     tile.yield %[[PRODUCT]]
// CHECK:   } : vector<64x1xi1>, vector<64x64xf32>
// CHECK:   %[[A1:.*]] = arith.addf %[[ACC]],
// CHECK-NOT: tile.uniform_if
// CHECK:   %[[B1:.*]] = arith.addf %[[B0]], %{{.*}}
// CHECK:   %[[L1:.*]] = arith.maxnumf %[[L0]], %[[LARGEST]]
// CHECK:   scf.yield %[[M1]], %[[A1]], %[[B1]], %[[L1]]
tile.kernel @without_scale(%n: index, %s: !tile, %memory: !memory)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e2> : !row
  %zero = arith.constant dense<0.0> : !row
  %six = arith.constant dense<6.0> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %r:4 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros, %l0 = %zero) -> (!row, !tile, !tile, !row) {
    %magnitude = math.absf %s : !tile
    %largest = tile.reduce maxnum %magnitude dim 1 : !tile -> !row
    %power = math.log2 %largest : !row
    %exponent = math.ceil %power : !row
    // expected-remark@+1 {{sums keep their reference until it is exceeded by a factor of 2^2; products made conditional: 1}}
    %m1 = arith.maxnumf %m0, %exponent : !row
    %d = arith.subf %m0, %m1 : !row
    %a = math.exp2 %d : !row
    %rise = arith.subf %six, %m1 : !row
    %factor = math.exp2 %rise : !row
    %factors = vector.broadcast %factor : !row to !tile
    %scaled = arith.mulf %s, %factors : !tile
    %wide = vector.broadcast %a : !row to !tile
    %rescaled = arith.mulf %a0, %wide : !tile
    %a1 = arith.addf %rescaled, %scaled : !tile
    %b1 = arith.addf %b0, %s : !tile
    %l1 = arith.maxnumf %l0, %largest : !row
    scf.yield %m1, %a1, %b1, %l1 : !row, !tile, !tile, !row
  }
  tile.store %r#2, %memory[%c0, %c0] dims [0, 1] : !tile, !memory
  tile.return
}
