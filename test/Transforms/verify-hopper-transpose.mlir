// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-verify-hopper))' | FileCheck %s

// Buffers that a role of its own transposes between the producer and the consumers.

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>

// The role gets what the producer puts and puts what the consumers get, both in
// their order, through the same loops and conditionals.
// CHECK-LABEL: tile.kernel @roles
tile.kernel @roles(%v: !m, %x: index, %y: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    %n = arith.divui %x, %y : index
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_put %rv, %v[%j, %c0] dims [0, 1] : !r, !m
    }
    scf.if %c {
      hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    %n = arith.divui %x, %y : index
    scf.for %j = %c0 to %n step %c1 {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
    scf.if %c {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    %n = arith.divui %x, %y : index
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
    scf.if %c {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
  }
  tile.return
}

// Other rings go by, and the drain has its own.
// CHECK-LABEL: tile.kernel @beside_others
tile.kernel @beside_others(%v: !m, %acc: memref<?x4096xf32, strided<[?, 1]>>, %x: vector<64x64xf32>) {
  %rk = hopper.ring_alloc : !r
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %ro = hopper.ring_alloc : !hopper.ring<1, vector<64x64xf32>>
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rk, %v[%c0, %c0] dims [0, 1] : !r, !m
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %k = hopper.ring_get %rk : !r -> !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
    hopper.ring_release %rk, %k : !r, !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
    hopper.out_put %x, %ro : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  } drain {
    hopper.out_reduce %ro, %acc[%c0, %c0] : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// Before the roles part, all of it is one sequence.
// CHECK-LABEL: tile.kernel @without_roles
tile.kernel @without_roles(%v: !m, %n: index) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %j = %c0 to %n step %c1 {
    hopper.ring_put %rv, %v[%j, %c0] dims [0, 1] : !r, !m
    hopper.ring_transpose %rv, %rt : !r to !t
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  }
  tile.return
}
