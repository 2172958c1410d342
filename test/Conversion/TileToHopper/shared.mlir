// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper,fa3-place-waits,fa3-verify-hopper))' -o /dev/null

// Computed tiles that products read from shared memory.

!m = memref<?x64xbf16, strided<[?, 1]>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>

// A computed second operand is shared, transposed: the product contracts its
// other dimension. Outside of a loop one buffer does.
// CHECK-LABEL: tile.kernel @second_operand
// CHECK-NEXT: %[[RA:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-NEXT: %[[RP:.*]] = hopper.ring_alloc : <1, vector<32x64xbf16>>
// CHECK: %[[A:.*]] = hopper.ring_get %[[RA]]
// CHECK: %[[P:.*]] = arith.truncf
// CHECK-NEXT: %[[B:.*]] = hopper.share %[[P]], %[[RP]] : vector<64x32xbf16>, <1, vector<32x64xbf16>> -> <vector<32x64xbf16>, 32>
// CHECK-NEXT: hopper.wgmma %[[A]], %[[B]] contract(1, 1) : !hopper.buffer<vector<64x64xbf16>, 64>, <vector<32x64xbf16>, 32> -> <vector<64x32xf32>>
tile.kernel @second_operand(%q: !m, %x: vector<64x32xf32>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, !h
  %P = arith.truncf %x : vector<64x32xf32> to vector<64x32xbf16>
  %S = tile.dot %A, %P contract(1, 0) : !h, vector<64x32xbf16> -> vector<64x32xf32>
  tile.return
}

// A computed first operand that is contracted over its rows cannot come from
// registers; contracted over its columns it can.
// CHECK-LABEL: tile.kernel @first_operand
// CHECK: %[[P:.*]] = arith.truncf
// CHECK: %[[T:.*]] = hopper.share %[[P]], %{{.*}} : vector<64x64xbf16>
// CHECK-NEXT: hopper.wgmma %[[T]], %[[A:.*]] contract(1, 0) : !hopper.buffer
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: hopper.wgmma %[[P]], %[[A]] contract(1, 0) : vector<64x64xbf16>
// CHECK-NOT: hopper.share
tile.kernel @first_operand(%q: !m, %x: !t) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, !h
  %P = arith.truncf %x : !t to !h
  %S = tile.dot %P, %A contract(0, 0) : !h, !h -> !t
  %T = tile.dot %P, %A contract(1, 0) : !h, !h -> !t
  tile.return
}

// `share_operands`: not in registers even where they could take it.
// CHECK-LABEL: tile.kernel @share_operands
// CHECK: %[[T:.*]] = hopper.share
// CHECK-NEXT: hopper.wgmma %[[T]], %{{.*}} contract(0, 0) : !hopper.buffer
tile.kernel @share_operands(%q: !m, %x: !t) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, share_operands = true>} {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, !h
  %P = arith.truncf %x : !t to !h
  %T = tile.dot %P, %A contract(1, 0) : !h, !h -> !t
  tile.return
}

// Shared once for all products that read it, with the transpose's contraction
// for each of them.
// CHECK-LABEL: tile.kernel @shared_once
// CHECK: %[[T:.*]] = hopper.share
// CHECK-NEXT: hopper.wgmma %[[A:.*]], %[[T]] contract(1, 1)
// CHECK: hopper.wgmma %[[A]], %[[T]] contract(1, 0)
// CHECK: hopper.wgmma %[[T]], %[[T]] contract(1, 0)
// CHECK-NOT: hopper.share
tile.kernel @shared_once(%q: !m, %x: !t) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, !h
  %P = arith.truncf %x : !t to !h
  %S = tile.dot %A, %P contract(1, 0) : !h, !h -> !t
  %T = tile.dot %A, %P contract(1, 1) : !h, !h -> !t
  %U = tile.dot %P, %P contract(0, 1) : !h, !h -> !t
  tile.return
}

// In a loop there are two buffers, whatever the schedule's stages: the next
// tile goes to one while products may still read the other. Loops that follow
// each other have one ring; two tiles of one block have two.
// CHECK-LABEL: tile.kernel @loops
// CHECK: hopper.ring_alloc {{.*}}: <3, vector<64x64xbf16>>
// CHECK-NEXT: %[[FIRST:.*]] = hopper.ring_alloc {{.*}}: <2, vector<64x64xbf16>>
// CHECK-NEXT: %[[SECOND:.*]] = hopper.ring_alloc {{.*}}: <2, vector<64x64xbf16>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: scf.for
// CHECK: hopper.share %{{.*}}, %[[FIRST]]
// CHECK: hopper.share %{{.*}}, %[[SECOND]]
// CHECK: scf.for
// CHECK: hopper.share %{{.*}}, %[[FIRST]]
tile.kernel @loops(%q: !m, %n: index, %x: !t) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, stages = 3>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %j = %c0 to %n step %c1 {
    %A = tile.load %q[%j, %c0] dims [0, 1] : !m, !h
    %P = arith.truncf %x : !t to !h
    %S = tile.dot %A, %P contract(1, 0) : !h, !h -> !t
    %Q = arith.truncf %S : !t to !h
    %T = tile.dot %A, %Q contract(1, 0) : !h, !h -> !t
  }
  scf.for %j = %c0 to %n step %c1 {
    %A = tile.load %q[%j, %c0] dims [0, 1] : !m, !h
    %P = arith.truncf %x : !t to !h
    %S = tile.dot %A, %P contract(1, 0) : !h, !h -> !t
  }
  tile.return
}

// Arms are never both executed: one ring. A tile around a block is in use while
// those in it are shared: two.
// CHECK-LABEL: tile.kernel @arms
// CHECK: hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-NEXT: %[[ARMS:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-NEXT: %[[AROUND:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xbf16>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: scf.if
// CHECK: hopper.share %{{.*}}, %[[ARMS]]
// CHECK: else
// CHECK: hopper.share %{{.*}}, %[[ARMS]]
// CHECK: hopper.share %{{.*}}, %[[AROUND]]
tile.kernel @arms(%q: !m, %c: i1, %x: !t) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] dims [0, 1] : !m, !h
  %r = scf.if %c -> !t {
    %P = arith.truncf %x : !t to !h
    %S = tile.dot %A, %P contract(1, 0) : !h, !h -> !t
    scf.yield %S : !t
  } else {
    %y = arith.addf %x, %x : !t
    %P = arith.truncf %y : !t to !h
    %S = tile.dot %A, %P contract(1, 0) : !h, !h -> !t
    scf.yield %S : !t
  }
  %R = arith.truncf %r : !t to !h
  %S = tile.dot %A, %R contract(1, 0) : !h, !h -> !t
  tile.return
}

!acc = memref<?x4096xf32, strided<[?, 1]>>

// Tiles that are added to memory go through one buffer each type, which all of
// them use in turn; without `bulk_reduce`, or a schedule, threads add them.
// CHECK-LABEL: tile.kernel @bulk_reduce
// CHECK: %[[OUT:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x64xf32>>
// CHECK-NEXT: %[[NARROW:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x32xf32>>
// CHECK-NOT: hopper.ring_alloc
// CHECK: hopper.out_put %{{.*}}, %[[OUT]] : vector<64x64xf32>
// CHECK-NEXT: hopper.out_reduce %[[OUT]], %{{.*}}[%{{.*}}, %{{.*}}] : <1, vector<64x64xf32>>
// CHECK-NEXT: hopper.out_put %{{.*}}, %[[OUT]]
// CHECK-NEXT: hopper.out_reduce %[[OUT]]
// CHECK-NEXT: hopper.out_put %{{.*}}, %[[NARROW]]
// CHECK-NEXT: hopper.out_reduce %[[NARROW]]
// CHECK-NOT: tile.reduce_store
tile.kernel @bulk_reduce(%acc: !acc, %x: !t, %y: vector<64x32xf32>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.reduce_store %x, %acc[%c0, %c0] : !t, !acc
  tile.reduce_store %x, %acc[%c1, %c0] : !t, !acc
  tile.reduce_store %y, %acc[%c0, %c0] : vector<64x32xf32>, !acc
  tile.return
}

// The first ones at a place are stored there, too.
// CHECK-LABEL: tile.kernel @begun
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{[^)]*}}>, %[[BEGUN:[a-z0-9]+]]: memref<?xf32, strided<[1]>>, %[[X:[a-z0-9]+]]: vector<64x64xf32>)
// CHECK: hopper.out_put %[[X]], %[[OUT:.*]] : vector<64x64xf32>
// CHECK-NEXT: hopper.out_reduce %[[OUT]], %[[ACC]][%{{.*}}, %{{.*}}] begun %[[BEGUN]] : <1, vector<64x64xf32>>
// CHECK-NOT: tile.reduce_store
tile.kernel @begun(%acc: !acc, %begun: memref<?xf32, strided<[1]>>, %x: !t) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  tile.reduce_store %x, %acc[%c0, %c0] begun %begun : !t, !acc, memref<?xf32, strided<[1]>>
  tile.return
}

// CHECK-LABEL: tile.kernel @no_bulk_reduce
// CHECK-NOT: hopper.
// CHECK: tile.reduce_store
tile.kernel @no_bulk_reduce(%acc: !acc, %x: !t) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, bulk_reduce = false>} {
  %c0 = arith.constant 0 : index
  tile.reduce_store %x, %acc[%c0, %c0] : !t, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @no_schedule
// CHECK-NOT: hopper.
// CHECK: tile.reduce_store
tile.kernel @no_schedule(%acc: !acc, %x: !t) {
  %c0 = arith.constant 0 : index
  tile.reduce_store %x, %acc[%c0, %c0] : !t, !acc
  tile.return
}

// Packed tiles that are loaded and stored stay.
// CHECK-LABEL: tile.kernel @packed
// CHECK-NOT: hopper.
// CHECK: tile.load %{{.*}} dims []
// CHECK: tile.store %{{.*}} dims []
tile.kernel @packed(%acc: !acc, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %x = tile.load %acc[%i, %c0] dims [] : !acc, !t
    tile.store %x, %acc[%i, %c0] dims [] : !t, !acc
  }
  tile.return
}

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!g = memref<?x64x?xf8E5M2, strided<[?, ?, 1]>>
!pairs = vector<128x64xf8E4M3FN>

// 8-bit floats are contracted along the columns of what is loaded, and of first
// operands in registers. Pairs of rows are shared, on either side: transposed,
// the rows that are contracted are columns. Elements may have different types.
// CHECK-LABEL: tile.kernel @narrow
// CHECK: %[[RG:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x128xf8E5M2>>
// CHECK: %[[RP:.*]] = hopper.ring_alloc {{.*}}: <1, vector<64x128xf8E4M3FN>>
// CHECK-NOT: hopper.ring_alloc {{.*}}: <1, vector<64x128xf8E4M3FN>>
// CHECK: %[[P:.*]] = tile.pair_rows
// CHECK: %[[G:.*]] = hopper.ring_get %[[RG]]
// CHECK: %[[S:.*]] = hopper.share %[[P]], %[[RP]] : vector<128x64xf8E4M3FN>, <1, vector<64x128xf8E4M3FN>> -> <vector<64x128xf8E4M3FN>, 64>
// CHECK-NEXT: hopper.wgmma %[[S]], %[[G]] contract(1, 1) : !hopper.buffer<vector<64x128xf8E4M3FN>, 64>, <vector<64x128xf8E5M2>, 64> -> <vector<64x64xf32>>
// CHECK: hopper.wgmma %[[G]], %[[S]] contract(1, 1) : !hopper.buffer<vector<64x128xf8E5M2>, 64>, <vector<64x128xf8E4M3FN>, 64> -> <vector<64x64xf32>>
// CHECK: %[[I:.*]] = tile.interleave
// CHECK-NOT: hopper.share
// CHECK: hopper.wgmma %[[I]], %{{.*}} contract(1, 1) : vector<64x64xf8E5M2>, <vector<64x64xf8E4M3FN>, 64> -> <vector<64x64xf32>>
tile.kernel @narrow(%q: !n, %g: !g, %x: vector<128x64xf32>) {
  %c0 = arith.constant 0 : index
  %P = tile.pair_rows %x : vector<128x64xf32> -> !pairs
  %G = tile.load %g[%c0, %c0, %c0] dims [1, 2] : !g, vector<64x128xf8E5M2>
  %S = tile.dot %P, %G contract(0, 1) : !pairs, vector<64x128xf8E5M2> -> !t
  %T = tile.dot %G, %P contract(1, 0) : vector<64x128xf8E5M2>, !pairs -> !t
  %I = tile.interleave %S : !t -> vector<64x64xf8E5M2>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, vector<64x64xf8E4M3FN>
  %U = tile.dot %I, %Q contract(1, 1) : vector<64x64xf8E5M2>, vector<64x64xf8E4M3FN> -> !t
  tile.return
}
