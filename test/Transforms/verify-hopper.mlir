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

// A tile is shared again when the products that read the last one have been
// waited for; threads are done with a buffer when they have read it.
// CHECK-LABEL: tile.kernel @shares
tile.kernel @shares(%l: memref<?x?xf32, strided<[?, 1]>>, %x: vector<64x64xbf16>, %i: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rs = hopper.ring_alloc : !r
  %rl = hopper.ring_alloc : !hopper.ring<1, vector<1x64xf32>>
  scf.for %j = %c0 to %n step %c1 {
    hopper.ring_put %rl, %l[%j, %c0] dims [-1, 1] : !hopper.ring<1, vector<1x64xf32>>, memref<?x?xf32, strided<[?, 1]>>
    %bl = hopper.ring_get %rl : !hopper.ring<1, vector<1x64xf32>> -> !hopper.buffer<vector<1x64xf32>, 1>
    %y = hopper.buffer_load %bl : !hopper.buffer<vector<1x64xf32>, 1> -> vector<1x64xf32>
    hopper.ring_release %rl, %bl : !hopper.ring<1, vector<1x64xf32>>, !hopper.buffer<vector<1x64xf32>, 1>
    %b0 = hopper.share %x, %rs : vector<64x64xbf16>, !r -> !b
    %p0 = hopper.wgmma %x, %b0 contract(1, 1) : vector<64x64xbf16>, !b -> !p
    %s0 = hopper.wait %p0 younger 0 : !p -> !t
    %b1 = hopper.share %x, %rs : vector<64x64xbf16>, !r -> !b
    %p1 = hopper.wgmma %x, %b1 contract(1, 1) : vector<64x64xbf16>, !b -> !p
    %s1 = hopper.wait %p1 younger 0 : !p -> !t
  }
  tile.return
}

// The drain adds what consumers put, in their order, through the same loops.
!out = !hopper.ring<1, vector<64x64xf32>>
!acc = memref<?x4096xf32, strided<[?, 1]>>
// CHECK-LABEL: tile.kernel @drain
tile.kernel @drain(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_put %x, %ro : !t, !out
      scf.if %c {
        hopper.out_put %x, %ro : !t, !out
      }
    }
  } drain {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_reduce %ro, %acc[%i, %c0] : !out, !acc
      scf.if %c {
        hopper.out_reduce %ro, %acc[%c0, %c0] : !out, !acc
      }
    }
  }
  tile.return
}

// Without a drain the warpgroups do both.
// CHECK-LABEL: tile.kernel @out_without_roles
tile.kernel @out_without_roles(%acc: !acc, %x: !t, %i: index) {
  %ro = hopper.ring_alloc : !out
  hopper.out_put %x, %ro : !t, !out
  hopper.out_reduce %ro, %acc[%i, %i] : !out, !acc
  tile.return
}
