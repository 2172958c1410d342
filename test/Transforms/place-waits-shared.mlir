// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-place-waits,fa3-verify-hopper))' | FileCheck %s

// Products beside threads' reads of shared memory.

!m = memref<?x64xbf16, strided<[?, 1]>>
!l = memref<?x?xf32, strided<[?, 1]>>
!f = memref<?x64xf32, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!rl = !hopper.ring<2, vector<64x1xf32>>
!bl = !hopper.buffer<vector<64x1xf32>, 64>
!c = vector<64x1xf32>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>

// Products complete in order: the wait for the younger one, which is needed
// first, has waited for the older one, too. Its own wait comes right behind,
// with the same count, and its buffer is free.
// CHECK-LABEL: tile.kernel @joins
// CHECK: %[[P0:.*]] = hopper.wgmma %[[A:.*]], %[[A]]
// CHECK-NEXT: %[[P1:.*]] = hopper.wgmma %[[B:.*]], %[[B]]
// CHECK-NEXT: %[[P2:.*]] = hopper.wgmma %[[B]], %[[B]]
// CHECK-NEXT: %[[S1:.*]] = hopper.wait %[[P1]] younger 1
// CHECK-NEXT: %[[S0:.*]] = hopper.wait %[[P0]] younger 1
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[A]]
// CHECK-NEXT: tile.store %[[S1]]
// CHECK-NEXT: tile.store %[[S0]]
// CHECK-NEXT: %[[S2:.*]] = hopper.wait %[[P2]] younger 0
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[B]]
// CHECK-NEXT: tile.store %[[S2]]
tile.kernel @joins(%q: !m, %k: !m, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r
  %rb = hopper.ring_alloc : !r
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  hopper.ring_put %rb, %k[%i, %i] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rb : !r -> !b
  %p0 = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  %p1 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  %p2 = hopper.wgmma %b, %b contract(1, 0) : !b, !b -> !p
  %s2 = hopper.wait %p2 younger 0 : !p -> !t
  hopper.ring_release %rb, %b : !r, !b
  tile.store %s1, %o[%i, %i] dims [0, 1] : !t, !f
  tile.store %s0, %o[%i, %i] dims [0, 1] : !t, !f
  tile.store %s2, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// A read of shared memory queues behind the products that have been issued: it
// is done after the wait, in front of its use, with what spreads it and with
// its release.
// CHECK-LABEL: tile.kernel @delayed
// CHECK: %[[P:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.ring_put
// CHECK-NEXT: %[[L:.*]] = hopper.ring_get
// CHECK-NEXT: %[[S:.*]] = hopper.wait %[[P]] younger 0
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: %[[R:.*]] = hopper.buffer_load %[[L]]
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[L]]
// CHECK-NEXT: %[[X:.*]] = vector.broadcast %[[R]]
// CHECK-NEXT: arith.addf %[[S]], %[[X]]
tile.kernel @delayed(%q: !m, %l: !l, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r
  %rl = hopper.ring_alloc : !rl
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  %p = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !rl, !l
  %bl = hopper.ring_get %rl : !rl -> !bl
  %c = hopper.buffer_load %bl : !bl -> !c
  hopper.ring_release %rl, %bl : !rl, !bl
  %x = vector.broadcast %c : !c to !t
  %y = arith.addf %s, %x : !t
  tile.store %y, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// A share of a buffer is read with the release of the whole one.
// CHECK-LABEL: tile.kernel @delayed_part
// CHECK: %[[L:.*]] = hopper.ring_get %{{.*}} -> <vector<128x1xf32>, 128>
// CHECK-NEXT: %[[PART:.*]] = hopper.rows %[[L]]
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: hopper.ring_release
// CHECK-NEXT: hopper.buffer_load %[[PART]]
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[L]]
tile.kernel @delayed_part(%q: !m, %l: !l, %o: !f, %i: index) {
  %w = hopper.warpgroup : i32
  %ra = hopper.ring_alloc : !r
  %rl = hopper.ring_alloc : !hopper.ring<2, vector<128x1xf32>>
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  %p = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !hopper.ring<2, vector<128x1xf32>>, !l
  %bl = hopper.ring_get %rl : !hopper.ring<2, vector<128x1xf32>> -> !hopper.buffer<vector<128x1xf32>, 128>
  %mine = hopper.rows %bl[%w] : !hopper.buffer<vector<128x1xf32>, 128> -> !hopper.buffer<vector<64x1xf32>, 128>
  %c = hopper.buffer_load %mine : !hopper.buffer<vector<64x1xf32>, 128> -> !c
  hopper.ring_release %rl, %bl : !hopper.ring<2, vector<128x1xf32>>, !hopper.buffer<vector<128x1xf32>, 128>
  %x = vector.broadcast %c : !c to !t
  %y = arith.addf %s, %x : !t
  tile.store %y, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// Where no product runs it stays, and where its value is needed while one runs.
// CHECK-LABEL: tile.kernel @stays
// CHECK: hopper.ring_get
// CHECK: %[[L0:.*]] = hopper.ring_get
// CHECK-NEXT: hopper.buffer_load %[[L0]]
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[L0]]
// CHECK: %[[P:.*]] = hopper.wgmma
// CHECK: %[[L1:.*]] = hopper.ring_get
// CHECK-NEXT: %[[C1:.*]] = hopper.buffer_load %[[L1]]
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[L1]]
// CHECK-NEXT: tile.store %[[C1]]
// CHECK-NEXT: hopper.wait %[[P]]
tile.kernel @stays(%q: !m, %l: !l, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r
  %rl = hopper.ring_alloc : !rl
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !rl, !l
  %b0 = hopper.ring_get %rl : !rl -> !bl
  %c0 = hopper.buffer_load %b0 : !bl -> !c
  hopper.ring_release %rl, %b0 : !rl, !bl
  %x = vector.broadcast %c0 : !c to !t
  %p = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !rl, !l
  %b1 = hopper.ring_get %rl : !rl -> !bl
  %c1 = hopper.buffer_load %b1 : !bl -> !c
  hopper.ring_release %rl, %b1 : !rl, !bl
  tile.store %c1, %l[%i, %i] dims [1, -1] : !c, !l
  %y = arith.addf %s, %x : !t
  tile.store %y, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// What the load cannot wait for: with one buffer, the next put of the ring
// needs its release.
// CHECK-LABEL: tile.kernel @one_buffer
// CHECK: hopper.wgmma
// CHECK: %[[L0:.*]] = hopper.ring_get
// CHECK-NEXT: hopper.buffer_load %[[L0]]
// CHECK-NEXT: hopper.ring_release %{{.*}}, %[[L0]]
// CHECK-NEXT: hopper.ring_put
// CHECK-NEXT: %[[L1:.*]] = hopper.ring_get
// CHECK: hopper.wait
// CHECK: hopper.buffer_load %[[L1]]
tile.kernel @one_buffer(%q: !m, %l: !l, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r
  %rl = hopper.ring_alloc : !hopper.ring<1, vector<64x1xf32>>
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  %p = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !hopper.ring<1, vector<64x1xf32>>, !l
  %b0 = hopper.ring_get %rl : !hopper.ring<1, vector<64x1xf32>> -> !bl
  %c0 = hopper.buffer_load %b0 : !bl -> !c
  hopper.ring_release %rl, %b0 : !hopper.ring<1, vector<64x1xf32>>, !bl
  hopper.ring_put %rl, %l[%i, %i] dims [1, -1] : !hopper.ring<1, vector<64x1xf32>>, !l
  %b1 = hopper.ring_get %rl : !hopper.ring<1, vector<64x1xf32>> -> !bl
  %c1 = hopper.buffer_load %b1 : !bl -> !c
  hopper.ring_release %rl, %b1 : !hopper.ring<1, vector<64x1xf32>>, !bl
  %x0 = vector.broadcast %c0 : !c to !t
  %y0 = arith.addf %s, %x0 : !t
  %x1 = vector.broadcast %c1 : !c to !t
  %y = arith.addf %y0, %x1 : !t
  tile.store %y, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}

// A share needs the wait for what it shares, and every product that reads the
// ring's last tile waited for.
// CHECK-LABEL: tile.kernel @shares
// CHECK: %[[P0:.*]] = hopper.wgmma
// CHECK-NEXT: %[[S0:.*]] = hopper.wait %[[P0]] younger 0
// CHECK: %[[B0:.*]] = hopper.share
// CHECK-NEXT: %[[P1:.*]] = hopper.wgmma %{{.*}}, %[[B0]]
// CHECK-NEXT: math.exp2
// CHECK-NEXT: arith.truncf
// CHECK-NEXT: hopper.wait %[[P1]] younger 0
// CHECK-NEXT: hopper.share
// CHECK-NEXT: %[[P2:.*]] = hopper.wgmma
// CHECK-NEXT: hopper.wait %[[P2]] younger 0
tile.kernel @shares(%q: !m, %o: !f, %i: index) {
  %ra = hopper.ring_alloc : !r
  %rs = hopper.ring_alloc : !r
  hopper.ring_put %ra, %q[%i, %i] dims [0, 1] : !r, !m
  %a = hopper.ring_get %ra : !r -> !b
  %p0 = hopper.wgmma %a, %a contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  %h0 = arith.truncf %s0 : !t to vector<64x64xbf16>
  %b0 = hopper.share %h0, %rs : vector<64x64xbf16>, !r -> !b
  %p1 = hopper.wgmma %a, %b0 contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  %e = math.exp2 %s0 : !t
  %h1 = arith.truncf %e : !t to vector<64x64xbf16>
  %b1 = hopper.share %h1, %rs : vector<64x64xbf16>, !r -> !b
  %p2 = hopper.wgmma %a, %b1 contract(1, 1) : !b, !b -> !p
  %s2 = hopper.wait %p2 younger 0 : !p -> !t
  hopper.ring_release %ra, %a : !r, !b
  %y = arith.addf %s1, %s2 : !t
  tile.store %y, %o[%i, %i] dims [0, 1] : !t, !f
  tile.return
}
