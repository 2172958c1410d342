// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-take-turns))' | FileCheck %s

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
#two = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>
#one = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>
#off = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, pingpong = false>

// A run of issues is one turn; a wait or a region ends it, in every block.
// CHECK-LABEL: tile.kernel @runs
// CHECK: hopper.turn_wait
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: arith.constant
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.turn_pass
// CHECK-NEXT: hopper.wait {{.*}} younger 1
// CHECK-NEXT: hopper.wait {{.*}} younger 0
// CHECK-NEXT: hopper.turn_wait
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.turn_pass
// CHECK-NEXT: scf.if
// CHECK-NEXT: hopper.turn_wait
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.turn_pass
// CHECK-NEXT: hopper.wait
// CHECK-NEXT: }
// CHECK-NEXT: hopper.wait
// CHECK-NOT: hopper.turn
tile.kernel @runs(%b: !b, %c: i1) attributes {schedule = #two} {
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %c0 = arith.constant 0 : index
  %p1 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 1 : !p -> !t
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  %p2 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  scf.if %c {
    %p3 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
    %s3 = hopper.wait %p3 younger 0 : !p -> !t
  }
  %s2 = hopper.wait %p2 younger 0 : !p -> !t
  tile.return
}

// CHECK-LABEL: tile.kernel @one_warpgroup
// CHECK-NOT: hopper.turn
tile.kernel @one_warpgroup(%b: !b) attributes {schedule = #one} {
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  tile.return
}

// CHECK-LABEL: tile.kernel @off
// CHECK-NOT: hopper.turn
tile.kernel @off(%b: !b) attributes {schedule = #off} {
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  tile.return
}

// CHECK-LABEL: tile.kernel @no_schedule
// CHECK-NOT: hopper.turn
tile.kernel @no_schedule(%b: !b) {
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> !t
  tile.return
}

// A share waits for the other warpgroups: not with the turn.
// CHECK-LABEL: tile.kernel @share
// CHECK: hopper.turn_wait
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.turn_pass
// CHECK-NEXT: hopper.share
// CHECK-NEXT: hopper.turn_wait
// CHECK-NEXT: hopper.wgmma
// CHECK-NEXT: hopper.turn_pass
tile.kernel @share(%b: !b, %x: vector<64x64xbf16>) attributes {schedule = #two} {
  %r = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<64x128xbf16>>
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  %p1 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 1 : !p -> !t
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  tile.return
}
