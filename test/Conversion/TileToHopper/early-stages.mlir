// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' | FileCheck %s

// Buffers of tiles that the last product of an iteration does not read.

!m = memref<?x64xbf16, strided<[?, 1]>>
!l = memref<?x?xf32, strided<[?, 1]>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>
!row = vector<1x64xf32>

// The first tile is read by the first product only, the row behind it keeps step
// with it: `early_stages`. The second tile and the row behind that have
// `stages`. A tile outside of the loop has one buffer.
// CHECK-LABEL: tile.kernel @early
// CHECK-DAG: %[[K:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-DAG: %[[Q:.*]] = hopper.ring_alloc {{.*}}: <2, vector<64x64xbf16>>
// CHECK-DAG: %[[L:.*]] = hopper.ring_alloc {{.*}}: <2, vector<1x64xf32>>
// CHECK-DAG: %[[V:.*]] = hopper.ring_alloc {{.*}}: <3, vector<64x64xbf16>>
// CHECK-DAG: %[[D:.*]] = hopper.ring_alloc {{.*}}: <3, vector<1x64xf32>>
// CHECK: hopper.ring_put %[[K]]
// CHECK: scf.for
// CHECK: hopper.ring_put %[[Q]]
// CHECK: hopper.ring_put %[[L]]
// CHECK: hopper.ring_put %[[V]]
// CHECK: hopper.ring_put %[[D]]
tile.kernel @early(%k: !m, %q: !m, %v: !m, %l: !l, %d: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, stages = 3, early_stages = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : !t
  %K = tile.load %k[%c0, %c0] dims [0, 1] : !m, !h
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!t) {
    %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, !h
    %L = tile.load %l[%c0, %i] dims [-1, 1] : !l, !row
    %S = tile.dot %K, %Q contract(1, 1) : !h, !h -> !t
    %V = tile.load %v[%i, %c0] dims [0, 1] : !m, !h
    %D = tile.load %d[%c0, %i] dims [-1, 1] : !l, !row
    %B = vector.broadcast %L : !row to !t
    %E = vector.broadcast %D : !row to !t
    %X = arith.addf %S, %B : !t
    %Y = arith.addf %X, %E : !t
    %P = arith.truncf %Y : !t to !h
    %next = tile.dot %P, %V, %acc contract(1, 0) : !h, !h, !t -> !t
    scf.yield %next : !t
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : !t, !l
  tile.return
}

// Without the field all of them have `stages`.
// CHECK-LABEL: tile.kernel @off
// CHECK-NOT: ring_alloc {{.*}}<2,
// CHECK: scf.for
tile.kernel @off(%k: !m, %q: !m, %v: !m, %l: !l, %d: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, stages = 3>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : !t
  %K = tile.load %k[%c0, %c0] dims [0, 1] : !m, !h
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!t) {
    %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, !h
    %L = tile.load %l[%c0, %i] dims [-1, 1] : !l, !row
    %S = tile.dot %K, %Q contract(1, 1) : !h, !h -> !t
    %V = tile.load %v[%i, %c0] dims [0, 1] : !m, !h
    %D = tile.load %d[%c0, %i] dims [-1, 1] : !l, !row
    %B = vector.broadcast %L : !row to !t
    %E = vector.broadcast %D : !row to !t
    %X = arith.addf %S, %B : !t
    %Y = arith.addf %X, %E : !t
    %P = arith.truncf %Y : !t to !h
    %next = tile.dot %P, %V, %acc contract(1, 0) : !h, !h, !t -> !t
    scf.yield %next : !t
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : !t, !l
  tile.return
}

// A tile that the last product reads, too, is not early; neither is a row in
// front of all tiles.
// CHECK-LABEL: tile.kernel @read_again
// CHECK-NOT: ring_alloc {{.*}}<2,
// CHECK: scf.for
tile.kernel @read_again(%k: !m, %q: !m, %v: !m, %l: !l, %d: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, stages = 3, early_stages = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : !t
  %K = tile.load %k[%c0, %c0] dims [0, 1] : !m, !h
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (!t) {
    %L = tile.load %l[%c0, %i] dims [-1, 1] : !l, !row
    %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, !h
    %S = tile.dot %K, %Q contract(1, 1) : !h, !h -> !t
    %D = tile.load %d[%c0, %i] dims [-1, 1] : !l, !row
    %B = vector.broadcast %L : !row to !t
    %E = vector.broadcast %D : !row to !t
    %X = arith.addf %S, %B : !t
    %Y = arith.addf %X, %E : !t
    %P = arith.truncf %Y : !t to !h
    %next = tile.dot %P, %Q, %acc contract(1, 0) : !h, !h, !t -> !t
    scf.yield %next : !t
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : !t, !l
  tile.return
}
