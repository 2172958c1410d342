// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

!m = memref<?x64xbf16, strided<[?, 1]>>
!l = memref<?xf32, strided<[1]>>

// A straight line: one buffer for each tensor. The product is waited for at
// once, the buffers are released after it.
// CHECK-LABEL: tile.kernel @straight
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: memref<{{.*}}>, %[[K:[a-z0-9]+]]: memref<{{.*}}>, %{{[a-z0-9]+}}: memref
// CHECK-NEXT: %[[RQ:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-NEXT: %[[RK:.*]] = hopper.ring_alloc {{.*}}: <1, vector<32x64xbf16>>
// CHECK: hopper.ring_put %[[RQ]], %[[Q]][%[[I:.*]], %[[C0:.*]]] dims [0, 1]
// CHECK-NEXT: %[[BQ:.*]] = hopper.ring_get %[[RQ]] {{.*}} -> <vector<64x64xbf16>, 64>
// CHECK-NEXT: hopper.ring_put %[[RK]], %[[K]][%[[C0]], %[[C0]]] dims [0, 1]
// CHECK-NEXT: %[[BK:.*]] = hopper.ring_get %[[RK]]
// CHECK-NEXT: %[[P:.*]] = hopper.wgmma %[[BQ]], %[[BK]] contract(1, 1) {{.*}} -> <vector<64x32xf32>>
// CHECK-NEXT: %[[S:.*]] = hopper.wait %[[P]] younger 0
// CHECK-NEXT: hopper.ring_release %[[RK]], %[[BK]]
// CHECK-NEXT: hopper.ring_release %[[RQ]], %[[BQ]]
// CHECK-NEXT: tile.store %[[S]]
// CHECK-NOT: tile.dot
// REMARK-DAG: a ring of 1 buffers of 8192 bytes
// REMARK-DAG: a ring of 1 buffers of 4096 bytes
tile.kernel @straight(%q: !m, %k: !m, %o: memref<?x32xf32, strided<[?, 1]>>, %i: index) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %K = tile.load %k[%c0, %c0] dims [0, 1] : !m, vector<32x64xbf16>
  %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<32x64xbf16> -> vector<64x32xf32>
  tile.store %S, %o[%i, %c0] dims [0, 1] : vector<64x32xf32>, memref<?x32xf32, strided<[?, 1]>>
  tile.return
}

// What is loaded in a loop gets the schedule's stages and is released in the
// iteration; what is loaded before it has one buffer, released after the loop.
// The first operand of the second product is in registers, its accumulator is
// carried.
// CHECK-LABEL: tile.kernel @loop
// CHECK: %[[RQ:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <1, vector<128x64xbf16>>
// CHECK-NEXT: %[[RK:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<32x64xbf16>>
// CHECK-NEXT: %[[RV:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <3, vector<32x64xbf16>>
// CHECK: %[[BQ:.*]] = hopper.ring_get %[[RQ]]
// CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}})
// CHECK: %[[BK:.*]] = hopper.ring_get %[[RK]]
// CHECK: hopper.wgmma %[[BQ]], %[[BK]] contract(1, 1)
// CHECK: hopper.ring_release %[[RK]], %[[BK]]
// CHECK: %[[P:.*]] = arith.truncf
// CHECK: %[[BV:.*]] = hopper.ring_get %[[RV]]
// CHECK: hopper.wgmma %[[P]], %[[BV]], %[[ACC]] contract(1, 0)
// CHECK: hopper.ring_release %[[RV]], %[[BV]]
// CHECK: scf.yield
// CHECK: }
// CHECK-NEXT: hopper.ring_release %[[RQ]], %[[BQ]]
tile.kernel @loop(%q: !m, %k: !m, %v: !m, %o: memref<?x64xf32, strided<[?, 1]>>, %n: index)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2, stages = 3>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<128x64xf32>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<128x64xbf16>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<128x64xf32>) {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<32x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<128x64xbf16>, vector<32x64xbf16> -> vector<128x32xf32>
    %P = arith.truncf %S : vector<128x32xf32> to vector<128x32xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<32x64xbf16>
    %O = tile.dot %P, %V, %acc contract(1, 0) : vector<128x32xbf16>, vector<32x64xbf16>, vector<128x64xf32> -> vector<128x64xf32>
    scf.yield %O : vector<128x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<128x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// Loads of equal tiles of a tensor share a ring, in order.
// CHECK-LABEL: tile.kernel @prologue
// CHECK: %[[RQ:.*]] = hopper.ring_alloc {{.*}}<1, vector<64x64xbf16>>
// CHECK-NEXT: %[[RK:.*]] = hopper.ring_alloc {{.*}}<2, vector<32x64xbf16>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: hopper.ring_put %[[RK]]
// CHECK: scf.for
// CHECK: hopper.ring_put %[[RK]]
tile.kernel @prologue(%q: !m, %k: !m, %n: index)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 32, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %K0 = tile.load %k[%c0, %c0] dims [0, 1] : !m, vector<32x64xbf16>
  %S0 = tile.dot %Q, %K0 contract(1, 1) : vector<64x64xbf16>, vector<32x64xbf16> -> vector<64x32xf32>
  scf.for %j = %c1 to %n step %c1 {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<32x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<32x64xbf16> -> vector<64x32xf32>
    scf.yield
  }
  tile.return
}

// A tile in use while a loop loads others of its kind would stop their ring:
// it has its own.
// CHECK-LABEL: tile.kernel @held_through_a_loop
// CHECK: %[[ONE:.*]] = hopper.ring_alloc {{.*}}<1, vector<64x64xbf16>>
// CHECK-NEXT: %[[MANY:.*]] = hopper.ring_alloc {{.*}}<2, vector<64x64xbf16>>
// CHECK: %[[HELD:.*]] = hopper.ring_get %[[ONE]]
// CHECK: scf.for
// CHECK: %[[B:.*]] = hopper.ring_get %[[MANY]]
// CHECK: hopper.wgmma %[[HELD]], %[[B]]
// CHECK: hopper.ring_release %[[MANY]], %[[B]]
// CHECK: }
// CHECK-NEXT: hopper.ring_release %[[ONE]], %[[HELD]]
tile.kernel @held_through_a_loop(%q: !m, %n: index)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.for %j = %c0 to %n step %c1 {
    %K = tile.load %q[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  }
  tile.return
}

// Two tiles of a ring in use at once need two buffers, whatever the schedule
// says; a third one, loaded when the first is free, needs no more.
// CHECK-LABEL: tile.kernel @two_at_once
// CHECK: hopper.ring_alloc {{.*}}<2, vector<64x64xbf16>>
// CHECK-NOT: hopper.ring_alloc
// REMARK: 1 buffers would block: the program uses 2 tiles of this ring at once
tile.kernel @two_at_once(%q: !m, %n: index)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, stages = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %j = %c0 to %n step %c1 {
    %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %B = tile.load %q[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %A, %B contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %C = tile.load %q[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %T = tile.dot %P, %C contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  }
  tile.return
}

// One load may be both operands, and feed several products. A first operand
// that is contracted over its rows stays in shared memory.
// CHECK-LABEL: tile.kernel @several_uses
// CHECK: %[[B:.*]] = hopper.ring_get
// CHECK: hopper.wgmma %[[B]], %[[B]] contract(1, 1)
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: hopper.wgmma %[[B]], %[[B]] contract(0, 0)
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: hopper.ring_release
// CHECK-NOT: tile.load
tile.kernel @several_uses(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  %T = tile.dot %Q, %Q contract(0, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  tile.return
}

// Loads in both arms use one ring; panels are padded to 128 bytes (96 columns
// take two).
// CHECK-LABEL: tile.kernel @arms
// CHECK: hopper.ring_alloc {{.*}}<1, vector<64x96xf16>>
// CHECK-NEXT: %[[R:.*]] = hopper.ring_alloc {{.*}}<1, vector<16x96xf16>>
// CHECK: scf.if
// CHECK: hopper.ring_put %[[R]], %{{.*}}[%[[C0:.*]], %[[C0]]]
// CHECK: hopper.ring_release %[[R]]
// CHECK: } else {
// CHECK: hopper.ring_put %[[R]], %{{.*}}[%[[C16:.*]], %[[C0]]]
// CHECK: hopper.ring_release %[[R]]
// REMARK: a ring of 1 buffers of 16384 bytes
// REMARK: a ring of 1 buffers of 4096 bytes
tile.kernel @arms(%q: memref<?x96xf16, strided<[?, 1]>>, %which: i1) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : memref<?x96xf16, strided<[?, 1]>>, vector<64x96xf16>
  %S = scf.if %which -> vector<64x16xf32> {
    %K = tile.load %q[%c0, %c0] dims [0, 1] : memref<?x96xf16, strided<[?, 1]>>, vector<16x96xf16>
    %T = tile.dot %Q, %K contract(1, 1) : vector<64x96xf16>, vector<16x96xf16> -> vector<64x16xf32>
    scf.yield %T : vector<64x16xf32>
  } else {
    %K = tile.load %q[%c16, %c0] dims [0, 1] : memref<?x96xf16, strided<[?, 1]>>, vector<16x96xf16>
    %T = tile.dot %Q, %K contract(1, 1) : vector<64x96xf16>, vector<16x96xf16> -> vector<64x16xf32>
    scf.yield %T : vector<64x16xf32>
  }
  tile.return
}

// The last use of a tile is in one arm: each arm releases it for itself, the
// other one at once, for the producer may wait for that.
// CHECK-LABEL: tile.kernel @released_in_arms
// CHECK: %[[R:.*]] = hopper.ring_alloc
// CHECK: %[[B:.*]] = hopper.ring_get %[[R]]
// CHECK: scf.if
// CHECK-NEXT: %[[P:.*]] = hopper.wgmma %[[B]], %[[B]]
// CHECK-NEXT: %[[S:.*]] = hopper.wait %[[P]]
// CHECK-NEXT: hopper.ring_release %[[R]], %[[B]]
// CHECK-NEXT: arith.addf %[[S]]
// CHECK: } else {
// CHECK-NEXT: hopper.ring_release %[[R]], %[[B]]
// CHECK-NEXT: arith.mulf
// CHECK-NOT: hopper.ring_release
// CHECK: tile.return
tile.kernel @released_in_arms(%q: !m, %which: i1, %s: vector<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %r = scf.if %which -> vector<64x64xf32> {
    %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %T = arith.addf %S, %s : vector<64x64xf32>
    scf.yield %T : vector<64x64xf32>
  } else {
    %T = arith.mulf %s, %s : vector<64x64xf32>
    scf.yield %T : vector<64x64xf32>
  }
  tile.return
}

// Likewise in an arm of an arm; behind a loop in it.
// CHECK-LABEL: tile.kernel @released_in_nested_arms
// CHECK: %[[B:.*]] = hopper.ring_get
// CHECK: scf.if
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: scf.if
// CHECK: scf.for
// CHECK-NOT: hopper.ring_release
// CHECK: }
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK: } else {
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK-NEXT: }
// CHECK-NEXT: } else {
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @released_in_nested_arms(%q: !m, %which: i1, %other: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.if %which {
    %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    scf.if %other {
      scf.for %j = %c0 to %n step %c1 {
        %T = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
      }
    } else {
    }
  } else {
  }
  tile.return
}

// Without a second arm the tile is released behind the conditional.
// CHECK-LABEL: tile.kernel @one_arm
// CHECK: %[[B:.*]] = hopper.ring_get
// CHECK: scf.if
// CHECK-NOT: hopper.ring_release
// CHECK: }
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK-NEXT: tile.return
tile.kernel @one_arm(%q: !m, %which: i1) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.if %which {
    %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  }
  tile.return
}

// Without products nothing changes: loads stay loads to registers.
// CHECK-LABEL: tile.kernel @no_products
// CHECK: tile.load
// CHECK-NOT: hopper.
// CHECK: tile.return
tile.kernel @no_products(%x: memref<?x64xf32, strided<[?, 1]>>, %y: !l) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x64xf32, strided<[?, 1]>>, vector<64x64xf32>
  %s = tile.reduce add %X dim 1 : vector<64x64xf32> -> vector<64x1xf32>
  tile.store %s, %y[%c0] dims [0, -1] : vector<64x1xf32>, !l
  tile.return
}

// 8-bit operands; rows of ones are the ring's.
!q8 = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!v8 = memref<64x?xf8E4M3FN, strided<[?, 1]>>
// CHECK-LABEL: tile.kernel @narrow
// CHECK: %[[Q:.*]] = hopper.ring_alloc : <1, vector<64x64xf8E4M3FN>>
// CHECK: %[[V:.*]] = hopper.ring_alloc {ones} : <1, vector<72x64xf8E4M3FN>>
// CHECK: hopper.ring_put %[[V]], %{{.*}} dims [0, 1] : <1, vector<72x64xf8E4M3FN>>
// CHECK: %[[VB:.*]] = hopper.ring_get %[[V]]
// CHECK: hopper.wgmma %{{.*}}, %[[VB]] contract(1, 1) : vector<64x64xf8E4M3FN>, <vector<72x64xf8E4M3FN>, 72> -> <vector<64x72xf32>>
tile.kernel @narrow(%q: !q8, %v: !v8) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !q8, vector<64x64xf8E4M3FN>
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xf8E4M3FN>, vector<64x64xf8E4M3FN> -> vector<64x64xf32>
  %P = tile.interleave %S : vector<64x64xf32> -> vector<64x64xf8E4M3FN>
  %V = tile.load %v[%c0, %c0] dims [0, 1] ones : !v8, vector<72x64xf8E4M3FN>
  %O = tile.dot %P, %V contract(1, 1) : vector<64x64xf8E4M3FN>, vector<72x64xf8E4M3FN> -> vector<64x72xf32>
  tile.return
}
