// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper,fa3-verify-hopper))' | FileCheck %s

// Tiles of 8-bit floats that are transposed between their load and a product: they
// go through two rings.

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!v = vector<32x64xf8E4M3FN>
!t = vector<64x32xf8E4M3FN>

// Products read what is got from the second ring, which alone has the rows of ones.
// CHECK-LABEL: tile.kernel @straight
// CHECK-SAME: (%[[V:[a-z0-9]+]]: memref
// CHECK: %[[RV:.*]] = hopper.ring_alloc : <1, vector<32x64xf8E4M3FN>>
// CHECK-NEXT: %[[RT:.*]] = hopper.ring_alloc {ones} : <1, vector<72x32xf8E4M3FN>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: hopper.ring_put %[[RV]], %[[V]][%{{.*}}, %{{.*}}] dims [0, 1]
// CHECK-NEXT: hopper.ring_transpose %[[RV]], %[[RT]]
// CHECK-NEXT: %[[BT:.*]] = hopper.ring_get %[[RT]] : {{.*}} -> <vector<72x32xf8E4M3FN>, 72>
// CHECK-NEXT: %[[P:.*]] = hopper.wgmma %{{.*}}, %[[BT]] contract(1, 1)
// CHECK-NEXT: hopper.wait %[[P]] younger 0
// CHECK-NEXT: hopper.ring_release %[[RT]], %[[BT]]
// CHECK-NOT: hopper.ring_
// CHECK-NOT: tile.transpose
// CHECK: tile.return
tile.kernel @straight(%v: !m, %o: memref<?x72xf32, strided<[?, 1]>>, %x: vector<64x32xf32>) {
  %c0 = arith.constant 0 : index
  %P = tile.interleave %x : vector<64x32xf32> -> !t
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !v
  %T = tile.transpose %V ones : !v -> vector<72x32xf8E4M3FN>
  %O = tile.dot %P, %T contract(1, 1) : !t, vector<72x32xf8E4M3FN> -> vector<64x72xf32>
  tile.store %O, %o[%c0, %c0] dims [0, 1] : vector<64x72xf32>, memref<?x72xf32, strided<[?, 1]>>
  tile.return
}

// Both rings have the schedule's stages; transposed tiles of a tensor share them.
// CHECK-LABEL: tile.kernel @loop
// CHECK: %[[RV:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<32x64xf8E4M3FN>>
// CHECK-NEXT: %[[RT:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<64x32xf8E4M3FN>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: scf.for
// CHECK-NEXT: hopper.ring_put %[[RV]]
// CHECK-NEXT: hopper.ring_transpose %[[RV]], %[[RT]]
// CHECK-NEXT: %[[B:.*]] = hopper.ring_get %[[RT]]
// CHECK: hopper.ring_release %[[RT]], %[[B]]
// CHECK: }
// CHECK-NEXT: hopper.ring_put %[[RV]]
// CHECK-NEXT: hopper.ring_transpose %[[RV]], %[[RT]]
// CHECK-NEXT: %[[LAST:.*]] = hopper.ring_get %[[RT]]
// CHECK: hopper.ring_release %[[RT]], %[[LAST]]
tile.kernel @loop(%v: !m, %o: memref<?x64xf32, strided<[?, 1]>>, %x: vector<128x32xf32>, %n: index)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2, stages = 3>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %P = tile.interleave %x : vector<128x32xf32> -> vector<128x32xf8E4M3FN>
  %zero = arith.constant dense<0.0> : vector<128x64xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<128x64xf32>) {
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, !v
    %T = tile.transpose %V : !v -> !t
    %O = tile.dot %P, %T, %acc contract(1, 1) : vector<128x32xf8E4M3FN>, !t, vector<128x64xf32> -> vector<128x64xf32>
    scf.yield %O : vector<128x64xf32>
  }
  %V = tile.load %v[%n, %c0] dims [0, 1] : !m, !v
  %T = tile.transpose %V : !v -> !t
  %O = tile.dot %P, %T, %r contract(1, 1) : vector<128x32xf8E4M3FN>, !t, vector<128x64xf32> -> vector<128x64xf32>
  tile.store %O, %o[%c0, %c0] dims [0, 1] : vector<128x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// As they are, with ones and without them, tiles of one tensor need different rings.
// CHECK-LABEL: tile.kernel @three_ways
// CHECK-DAG: %[[RQ:.*]] = hopper.ring_alloc : <1, vector<64x64xf8E4M3FN>>
// CHECK-DAG: hopper.ring_alloc {ones} : <1, vector<72x64xf8E4M3FN>>
// CHECK-COUNT-2: hopper.ring_transpose
// CHECK-NOT: hopper.ring_transpose
tile.kernel @three_ways(%v: !m, %o: memref<?x64xf32, strided<[?, 1]>>, %u: memref<?x72xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %A = tile.load %v[%c0, %c0] dims [0, 1] : !m, vector<64x64xf8E4M3FN>
  %B = tile.load %v[%c64, %c0] dims [0, 1] : !m, vector<64x64xf8E4M3FN>
  %BT = tile.transpose %B : vector<64x64xf8E4M3FN> -> vector<64x64xf8E4M3FN>
  %S = tile.dot %A, %BT contract(1, 1) : vector<64x64xf8E4M3FN>, vector<64x64xf8E4M3FN> -> vector<64x64xf32>
  tile.store %S, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  %C = tile.load %v[%c128, %c0] dims [0, 1] : !m, vector<64x64xf8E4M3FN>
  %CT = tile.transpose %C ones : vector<64x64xf8E4M3FN> -> vector<72x64xf8E4M3FN>
  %R = tile.dot %A, %CT contract(1, 1) : vector<64x64xf8E4M3FN>, vector<72x64xf8E4M3FN> -> vector<64x72xf32>
  tile.store %R, %u[%c0, %c0] dims [0, 1] : vector<64x72xf32>, memref<?x72xf32, strided<[?, 1]>>
  tile.return
}

// The buffer is released behind the last product that reads it.
// CHECK-LABEL: tile.kernel @two_products
// CHECK: %[[B:.*]] = hopper.ring_get
// CHECK: hopper.wgmma %{{.*}}, %[[B]]
// CHECK-NOT: hopper.ring_release
// CHECK: hopper.wgmma %{{.*}}, %[[B]]
// CHECK: hopper.ring_release %{{.*}}, %[[B]]
tile.kernel @two_products(%v: !m, %o: memref<?x64xf32, strided<[?, 1]>>, %x: vector<64x32xf32>) {
  %c0 = arith.constant 0 : index
  %P = tile.interleave %x : vector<64x32xf32> -> !t
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !v
  %T = tile.transpose %V : !v -> !t
  %O = tile.dot %P, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  %U = tile.dot %P, %T, %O contract(1, 1) : !t, !t, vector<64x64xf32> -> vector<64x64xf32>
  tile.store %U, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// Two tiles of one tensor that are in use at once need two buffers of both rings: a
// transposed tile is in use as long as what it is transposed to.
// CHECK-LABEL: tile.kernel @at_once
// CHECK: %[[RV:.*]] = hopper.ring_alloc : <2, vector<32x64xf8E4M3FN>>
// CHECK-NEXT: %[[RT:.*]] = hopper.ring_alloc : <2, vector<64x32xf8E4M3FN>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: hopper.ring_transpose %[[RV]], %[[RT]]
// CHECK-NEXT: %[[A:.*]] = hopper.ring_get %[[RT]]
// CHECK: hopper.ring_transpose %[[RV]], %[[RT]]
// CHECK-NEXT: %[[B:.*]] = hopper.ring_get %[[RT]]
// CHECK: hopper.wgmma %{{.*}}, %[[A]]
// CHECK: hopper.ring_release %[[RT]], %[[A]]
// CHECK: hopper.wgmma %{{.*}}, %[[B]]
// CHECK: hopper.ring_release %[[RT]], %[[B]]
tile.kernel @at_once(%v: !m, %o: memref<?x64xf32, strided<[?, 1]>>, %x: vector<64x32xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %P = tile.interleave %x : vector<64x32xf32> -> !t
  %A = tile.load %v[%c0, %c0] dims [0, 1] : !m, !v
  %AT = tile.transpose %A : !v -> !t
  %B = tile.load %v[%c32, %c0] dims [0, 1] : !m, !v
  %BT = tile.transpose %B : !v -> !t
  %O = tile.dot %P, %AT contract(1, 1) : !t, !t -> vector<64x64xf32>
  %U = tile.dot %P, %BT, %O contract(1, 1) : !t, !t, vector<64x64xf32> -> vector<64x64xf32>
  tile.store %U, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}
