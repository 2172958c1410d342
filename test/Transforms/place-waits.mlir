// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-place-waits,fa3-verify-hopper))' | FileCheck %s

!m = memref<?x64xbf16, strided<[?, 1]>>
!f = memref<?x64xf32, strided<[?, 1]>>
!r1 = !hopper.ring<1, vector<64x64xbf16>>
!r2 = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>

// Waits go down to the first use and count what was issued meanwhile; buffers
// are released after the last wait of a product that reads them.
// CHECK-LABEL: tile.kernel @straight
// CHECK: %[[A:.*]] = hopper.ring_get
// CHECK: %[[B:.*]] = hopper.ring_get
// CHECK: %[[P0:.*]] = hopper.wgmma %[[A]], %[[B]]
// CHECK-NEXT: %[[P1:.*]] = hopper.wgmma %[[A]], %[[A]]
// CHECK-NEXT: %[[S0:.*]] = hopper.wait %[[P0]] younger 1
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK-NEXT: %[[E:.*]] = math.exp2 %[[S0]]
// CHECK-NEXT: %[[S1:.*]] = hopper.wait %[[P1]] younger 0
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[A]]
// CHECK-NEXT: arith.addf %[[E]], %[[S1]]
tile.kernel @straight(%q: !m, %k: !m, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r1
  %rb = hopper.ring_alloc : !r1
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r1, !m
  %a = hopper.ring_get %ra : !r1 -> !b
  hopper.ring_put %rb, %k[%i, %i] dims [0, 1] : !r1, !m
  %b = hopper.ring_get %rb : !r1 -> !b
  %p0 = hopper.wgmma %a, %b contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  hopper.ring_release %rb, %b : !r1, !b
  %p1 = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r1, !b
  %e = math.exp2 %s0 : !t
  %x = arith.addf %e, %s1 : !t
  tile.store %x, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// A yielded value is waited for at the end of the iteration. The next register
// operand is computed after the wait for the product that reads this one.
// CHECK-LABEL: tile.kernel @loop
// CHECK: scf.for {{.*}} iter_args(%[[X:.*]] = %{{.*}}, %[[ACC:.*]] = %{{.*}})
// CHECK: %[[P:.*]] = hopper.wgmma %[[X]], %{{.*}}, %[[ACC]]
// CHECK-NEXT: %[[E:.*]] = math.exp2
// CHECK-NEXT: %[[S:.*]] = hopper.wait %[[P]] younger 0
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: %[[NEXT:.*]] = arith.truncf %[[E]]
// CHECK-NEXT: scf.yield %[[NEXT]], %[[S]]
tile.kernel @loop(%k: !m, %o: !f, %n: index, %x0: vector<64x64xbf16>, %y: !t) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : !t
  %rk = hopper.ring_alloc : !r2
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %x0, %acc = %zero) -> (vector<64x64xbf16>, !t) {
    hopper.ring_put %rk, %k[%j, %c0] dims [0, 1] : !r2, !m
    %b = hopper.ring_get %rk : !r2 -> !b
    %p = hopper.wgmma %x, %b, %acc contract(1, 0) : vector<64x64xbf16>, !b, !t -> !p
    %s = hopper.wait %p younger 0 : !p -> !t
    hopper.ring_release %rk, %b : !r2, !b
    %e = math.exp2 %y : !t
    %next = arith.truncf %e : !t to vector<64x64xbf16>
    scf.yield %next, %s : vector<64x64xbf16>, !t
  }
  tile.store %r#1, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.return
}

// Where the next operand has another use, the wait comes before it.
// CHECK-LABEL: tile.kernel @next_operand_used
// CHECK: %[[P:.*]] = hopper.wgmma
// CHECK-NEXT: %[[E:.*]] = math.exp2
// CHECK-NEXT: hopper.wait %[[P]] younger 0
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: arith.truncf %[[E]]
// CHECK-NEXT: tile.store
// CHECK-NEXT: scf.yield
tile.kernel @next_operand_used(%k: !m, %o: !m, %n: index, %x0: vector<64x64xbf16>, %y: !t) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : !t
  %rk = hopper.ring_alloc : !r2
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %x0, %acc = %zero) -> (vector<64x64xbf16>, !t) {
    hopper.ring_put %rk, %k[%j, %c0] dims [0, 1] : !r2, !m
    %b = hopper.ring_get %rk : !r2 -> !b
    %p = hopper.wgmma %x, %b, %acc contract(1, 0) : vector<64x64xbf16>, !b, !t -> !p
    %s = hopper.wait %p younger 0 : !p -> !t
    hopper.ring_release %rk, %b : !r2, !b
    %e = math.exp2 %y : !t
    %next = arith.truncf %e : !t to vector<64x64xbf16>
    tile.store %next, %o[%j, %c0] dims [0, 1] : vector<64x64xbf16>, !m
    scf.yield %next, %s : vector<64x64xbf16>, !t
  }
  tile.return
}

// Groups are counted in straight lines: a region with products of its own comes
// after the wait; one without does not matter.
// CHECK-LABEL: tile.kernel @regions
// CHECK: %[[P:.*]] = hopper.wgmma
// CHECK: scf.if
// CHECK: math.exp2
// CHECK: }
// CHECK: %[[S:.*]] = hopper.wait %[[P]] younger 0
// CHECK-NEXT: scf.for
// CHECK: %[[Q:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.wait %[[Q]] younger 0
// CHECK: }
// CHECK: hopper.ring_release
// CHECK: tile.store %[[S]]
tile.kernel @regions(%k: !m, %o: !f, %n: index, %c: i1, %y: !t) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc : !r1
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r1, !m
  %b = hopper.ring_get %rk : !r1 -> !b
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  scf.if %c {
    %e = math.exp2 %y : !t
    tile.store %e, %o[%c1, %c0] dims [0, 1] : !t, !f
  }
  scf.for %j = %c0 to %n step %c1 {
    %p1 = hopper.wgmma %b, %b contract(1, 0) : !b, !b -> !p
    %s1 = hopper.wait %p1 younger 0 : !p -> !t
    tile.store %s1, %o[%j, %c0] dims [0, 1] : !t, !f
  }
  hopper.ring_release %rk, %b : !r1, !b
  tile.store %s, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.return
}

// With a single buffer the next put waits for its release, and so for the
// product that reads it; with two it does not.
// CHECK-LABEL: tile.kernel @one_buffer
// CHECK: %[[P0:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.wait %[[P0]] younger 0
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: hopper.ring_put
// CHECK: %[[P1:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.wait %[[P1]] younger 0
tile.kernel @one_buffer(%k: !m, %o: !f) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc : !r1
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r1, !m
  %b0 = hopper.ring_get %rk : !r1 -> !b
  %p0 = hopper.wgmma %b0, %b0 contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  hopper.ring_release %rk, %b0 : !r1, !b
  hopper.ring_put %rk, %k[%c1, %c0] dims [0, 1] : !r1, !m
  %b1 = hopper.ring_get %rk : !r1 -> !b
  %p1 = hopper.wgmma %b1, %b1 contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  hopper.ring_release %rk, %b1 : !r1, !b
  %x = arith.addf %s0, %s1 : !t
  tile.store %x, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.return
}

// CHECK-LABEL: tile.kernel @two_buffers
// CHECK: %[[P0:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.ring_put
// CHECK: %[[P1:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.wait %[[P0]] younger 1
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: hopper.wait %[[P1]] younger 0
// CHECK-NEXT: hopper.ring_release
tile.kernel @two_buffers(%k: !m, %o: !f) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc : !r2
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r2, !m
  %b0 = hopper.ring_get %rk : !r2 -> !b
  %p0 = hopper.wgmma %b0, %b0 contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  hopper.ring_release %rk, %b0 : !r2, !b
  hopper.ring_put %rk, %k[%c1, %c0] dims [0, 1] : !r2, !m
  %b1 = hopper.ring_get %rk : !r2 -> !b
  %p1 = hopper.wgmma %b1, %b1 contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  hopper.ring_release %rk, %b1 : !r2, !b
  %x = arith.addf %s0, %s1 : !t
  tile.store %x, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.return
}

// What is computed with the value of a block's last product, an accumulator, moves
// down to where it is needed, what is computed with that of another one does not.

// CHECK-LABEL: tile.kernel @sinking
// CHECK: %[[P:.*]] = hopper.wgmma
// CHECK-NEXT: %[[V:.*]] = hopper.wait %[[P]] younger 0
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[V]], %[[V]]
// CHECK-NEXT: %[[Q:.*]] = hopper.wgmma
// CHECK-NEXT: %[[X:.*]] = math.exp2 %{{.*}}
// CHECK-NEXT: %[[W:.*]] = hopper.wait %[[Q]] younger 0
// CHECK-NEXT: %[[PART:.*]] = tile.columns %[[W]] from 8
// CHECK-NEXT: %[[TWICE:.*]] = arith.addf %[[PART]], %[[PART]]
// CHECK-NEXT: tile.store %[[TWICE]]
!s_buffer = !hopper.buffer<vector<64x16xbf16>, 64>
!s_tile = vector<64x64xf32>
!s_out = memref<64x64xf32, strided<[64, 1]>>
tile.kernel @sinking(%address: i32, %x: !s_tile, %out: !s_out) {
  %c0 = arith.constant 0 : index
  %a = hopper.view %address : !s_buffer
  %p = hopper.wgmma %a, %a contract(1, 1) : !s_buffer, !s_buffer -> !hopper.pending<!s_tile>
  %v = hopper.wait %p younger 0 : !hopper.pending<!s_tile> -> !s_tile
  %sum = arith.addf %v, %v : !s_tile
  %q = hopper.wgmma %a, %a, %x contract(1, 1) : !s_buffer, !s_buffer, !s_tile -> !hopper.pending<!s_tile>
  %w = hopper.wait %q younger 0 : !hopper.pending<!s_tile> -> !s_tile
  %part = tile.columns %w from 8 : !s_tile -> vector<64x8xf32>
  %twice = arith.addf %part, %part : vector<64x8xf32>
  %e = math.exp2 %x : !s_tile
  tile.store %twice, %out[%c0, %c0] dims [0, 1] : vector<64x8xf32>, !s_out
  tile.store %sum, %out[%c0, %c0] dims [0, 1] : !s_tile, !s_out
  tile.store %e, %out[%c0, %c0] dims [0, 1] : !s_tile, !s_out
  tile.return
}

// Two waits for the same are one instruction: the buffers are released behind it.

// CHECK-LABEL: tile.kernel @joined
// CHECK: %[[A:.*]] = hopper.wgmma
// CHECK: %[[B:.*]] = hopper.wgmma
// CHECK: hopper.wait %[[B]] younger 0
// CHECK-NEXT: hopper.wait %[[A]] younger 0
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: hopper.ring_release
tile.kernel @joined(%k: !m, %o: !f) {
  %c0 = arith.constant 0 : index
  %rk = hopper.ring_alloc : !r2
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r2, !m
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r2, !m
  %a = hopper.ring_get %rk : !r2 -> !b
  %pa = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %x = hopper.wait %pa younger 0 : !p -> !t
  hopper.ring_release %rk, %a : !r2, !b
  %b = hopper.ring_get %rk : !r2 -> !b
  %pb = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %y = hopper.wait %pb younger 0 : !p -> !t
  hopper.ring_release %rk, %b : !r2, !b
  tile.store %y, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.store %x, %o[%c0, %c0] dims [0, 1] : !t, !f
  tile.return
}
