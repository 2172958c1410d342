// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' | FileCheck %s

// Rows and columns of f32 that a loop needs one after another.

!l = memref<?x?xf32, strided<[?, 1]>>
!row = vector<1x64xf32>
!col = vector<64x1xf32>

// They are loaded ahead through a ring, read to registers, and released at
// once.
// CHECK-LABEL: tile.kernel @streamed
// CHECK-SAME: (%[[L:[a-z0-9]+]]: memref
// CHECK: %[[ROWS:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<1x64xf32>>
// CHECK: %[[COLS:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<64x1xf32>>
// CHECK: scf.for %[[I:.*]] =
// CHECK: hopper.ring_put %[[ROWS]], %[[L]][%[[I]], %[[C0:.*]]] dims [-1, 1]
// CHECK-NEXT: %[[B:.*]] = hopper.ring_get %[[ROWS]] : {{.*}} -> <vector<1x64xf32>, 1>
// CHECK-NEXT: %[[R:.*]] = hopper.buffer_load %[[B]] : {{.*}} -> vector<1x64xf32>
// CHECK-NEXT: hopper.ring_release %[[ROWS]], %[[B]]
// CHECK: hopper.ring_put %[[COLS]], %[[L]][%[[I]], %[[C0]]] dims [1, -1]
// CHECK-NEXT: hopper.ring_get %[[COLS]] : {{.*}} -> <vector<64x1xf32>, 64>
// CHECK-NEXT: hopper.buffer_load
// CHECK-NEXT: hopper.ring_release
// CHECK: vector.broadcast %[[R]]
// CHECK-NOT: tile.load
tile.kernel @streamed(%l: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 2, stages = 3>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %r = tile.load %l[%i, %c0] dims [-1, 1] : !l, !row
    %c = tile.load %l[%i, %c0] dims [1, -1] : !l, !col
    %x = vector.broadcast %r : !row to vector<64x64xf32>
    %y = vector.broadcast %c : !col to vector<64x64xf32>
    %z = arith.addf %x, %y : vector<64x64xf32>
    tile.store %z, %o[%i, %c0] dims [0, 1] : vector<64x64xf32>, !l
  }
  tile.return
}

// Equal rows of a tensor have one ring, as other tiles do; two of them in use
// in turn need one buffer each iteration, so the schedule's stages are enough.
// CHECK-LABEL: tile.kernel @several
// CHECK: hopper.ring_alloc {{.*}}: <2, vector<1x64xf32>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: hopper.ring_put
// CHECK: hopper.ring_put
tile.kernel @several(%l: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %r = tile.load %l[%i, %c0] dims [-1, 1] : !l, !row
    %x = vector.broadcast %r : !row to vector<64x64xf32>
    tile.store %x, %o[%i, %c0] dims [0, 1] : vector<64x64xf32>, !l
    %s = tile.load %l[%i, %i] dims [-1, 1] : !l, !row
    %y = vector.broadcast %s : !row to vector<64x64xf32>
    tile.store %y, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !l
  }
  tile.return
}

// Nobody could load them ahead: no producer.
// CHECK-LABEL: tile.kernel @no_producer
// CHECK-NOT: hopper.
// CHECK: tile.load
tile.kernel @no_producer(%l: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, specialize = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %c = tile.load %l[%i, %c0] dims [1, -1] : !l, !col
    tile.store %c, %o[%i, %c0] dims [1, -1] : !col, !l
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @no_schedule
// CHECK-NOT: hopper.
// CHECK: tile.load
tile.kernel @no_schedule(%l: !l, %o: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %c = tile.load %l[%i, %c0] dims [1, -1] : !l, !col
    tile.store %c, %o[%i, %c0] dims [1, -1] : !col, !l
  }
  tile.return
}

// Nothing to load ahead: outside of a loop, or used by a loop throughout.
// CHECK-LABEL: tile.kernel @not_streamed
// CHECK-NOT: hopper.
// CHECK: tile.load
// CHECK: scf.for
// CHECK: tile.load
// CHECK: scf.for
tile.kernel @not_streamed(%l: !l, %o: !l, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c = tile.load %l[%c0, %c0] dims [1, -1] : !l, !col
  tile.store %c, %o[%c0, %c0] dims [1, -1] : !col, !l
  scf.for %i = %c0 to %n step %c1 {
    %d = tile.load %l[%i, %c0] dims [1, -1] : !l, !col
    scf.for %j = %c0 to %n step %c1 {
      tile.store %d, %o[%j, %c0] dims [1, -1] : !col, !l
    }
  }
  tile.return
}

// TMA has no copy for these: along another dimension than the last one, more
// than 256 elements, less than 16 bytes, 16-bit elements, a tensor of one
// dimension, a tensor that changes, a tile with rows and columns, a packed one.
// CHECK-LABEL: tile.kernel @no_copy
// CHECK-NOT: hopper.
// CHECK-COUNT-8: tile.load
// CHECK-NOT: hopper.
// CHECK: tile.return
tile.kernel @no_copy(%l: !l, %h: memref<?x?xbf16, strided<[?, 1]>>, %k: memref<?xf32, strided<[1]>>, %w: memref<?x4096xf32, strided<[?, 1]>>, %o: !l, %n: index)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%u = %l, %v = %o) -> (!l, !l) {
    %a = tile.load %l[%i, %c0] dims [0, -1] : !l, !col
    tile.store %a, %o[%i, %c0] dims [1, -1] : !col, !l
    %b = tile.load %l[%i, %c0] dims [1, -1] : !l, vector<320x1xf32>
    tile.store %b, %o[%i, %c0] dims [1, -1] : vector<320x1xf32>, !l
    %c = tile.load %l[%i, %c0] dims [-1, 1] : !l, vector<1x2xf32>
    tile.store %c, %o[%i, %c0] dims [-1, 1] : vector<1x2xf32>, !l
    %d = tile.load %h[%i, %c0] dims [-1, 1] : memref<?x?xbf16, strided<[?, 1]>>, vector<1x64xbf16>
    tile.store %d, %h[%i, %c0] dims [-1, 1] : vector<1x64xbf16>, memref<?x?xbf16, strided<[?, 1]>>
    %e = tile.load %k[%i] dims [0, -1] : memref<?xf32, strided<[1]>>, !col
    tile.store %e, %o[%i, %c0] dims [1, -1] : !col, !l
    %f = tile.load %u[%i, %c0] dims [1, -1] : !l, !col
    tile.store %f, %o[%i, %c0] dims [1, -1] : !col, !l
    %g = tile.load %l[%i, %c0] dims [0, 1] : !l, vector<64x64xf32>
    tile.store %g, %o[%i, %c0] dims [0, 1] : vector<64x64xf32>, !l
    %p = tile.load %w[%i, %c0] dims [] : memref<?x4096xf32, strided<[?, 1]>>, vector<64x64xf32>
    tile.store %p, %w[%i, %c0] dims [] : vector<64x64xf32>, memref<?x4096xf32, strided<[?, 1]>>
    scf.yield %v, %u : !l, !l
  }
  tile.return
}
