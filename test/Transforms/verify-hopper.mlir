// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-verify-hopper))' | FileCheck %s

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>

// A wait may wait for more than it must; a buffer may be released in both arms.
// CHECK-LABEL: tile.kernel @sequential
tile.kernel @sequential(%k: !m, %c: i1) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b0 = hopper.ring_get %rk : !r -> !b
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b1 = hopper.ring_get %rk : !r -> !b
  %p0 = hopper.wgmma %b0, %b0 contract(1, 1) : !b, !b -> !p
  %p1 = hopper.wgmma %b0, %b1 contract(1, 1) : !b, !b -> !p
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  %s0 = hopper.wait %p0 younger 1 : !p -> !t
  hopper.ring_release %rk, %b0 : !r, !b
  scf.if %c {
    hopper.ring_release %rk, %b1 : !r, !b
  } else {
    hopper.ring_release %rk, %b1 : !r, !b
  }
  tile.return
}

// Bounds and conditions may be computed in each role; an argument of a loop is
// the same by induction.
// CHECK-LABEL: tile.kernel @roles
tile.kernel @roles(%k: !m, %x: index, %y: index, %c: i1) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    %n = arith.divui %x, %y : index
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%row = %c0) -> (index) {
      scf.for %j = %row to %i step %c1 {
        hopper.ring_put %rk, %k[%row, %c0] dims [0, 1] : !r, !m
      }
      %next = arith.addi %row, %i : index
      scf.yield %next : index
    }
    scf.if %c {
      hopper.ring_put %rk, %k[%r, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    %n = arith.divui %x, %y : index
    %zero = arith.constant dense<0.0> : !t
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero, %row = %c0) -> (!t, index) {
      scf.for %j = %row to %i step %c1 {
        hopper.turn_wait
        hopper.turn_pass
        %b = hopper.ring_get %rk : !r -> !b
        hopper.ring_release %rk, %b : !r, !b
      }
      %next = arith.addi %row, %i : index
      scf.yield %acc, %next : !t, index
    }
    scf.if %c {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    } else {
    }
  }
  tile.return
}
