// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-specialize-warps))' --verify-diagnostics --split-input-file

// A condition that comes from a tile.
!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @condition_from_tile(%k: !m, %l: memref<?xf32, strided<[1]>>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{an address or condition of a copy needs this operation, which only consumers can execute: other roles have scalars and what they read from memory}}
  %x = tile.load %l[%c0] dims [0, -1] : memref<?xf32, strided<[1]>>, vector<64x1xf32>
  %e = vector.extract %x[0, 0] : f32 from vector<64x1xf32>
  %c = arith.cmpf ogt, %e, %zero : f32
  scf.if %c {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

// An index of this warpgroup's: the producer belongs to none.
!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
tile.kernel @index_of_warpgroup(%k: !m) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %rk = hopper.ring_alloc : !r
  // expected-error @+1 {{an address or condition of a copy needs this operation, which only consumers can execute}}
  %w = hopper.warpgroup : i32
  %i = arith.index_cast %w : i32 to index
  hopper.ring_put %rk, %k[%i, %i] dims [0, 1] : !r, !m
  tile.return
}

// -----

// A product decides how long a loop that loads runs.
!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
tile.kernel @bound_from_product(%k: !m) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  // expected-error @+1 {{an address or condition of a copy needs this operation, which only consumers can execute}}
  %b = hopper.ring_get %rk : !r -> !b
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  hopper.ring_release %rk, %b : !r, !b
  %e = vector.extract %s[0, 0] : f32 from vector<64x64xf32>
  %i = arith.fptosi %e : f32 to i32
  %n = arith.index_cast %i : i32 to index
  scf.for %j = %c0 to %n step %c1 {
    hopper.ring_put %rk, %k[%j, %c0] dims [0, 1] : !r, !m
    %b1 = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b1 : !r, !b
  }
  tile.return
}

// -----

// The drain has no tiles, either.
!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!acc = memref<?x4096xf32, strided<[?, 1]>>
!out = !hopper.ring<1, vector<64x64xf32>>
tile.kernel @reduction_at_computed_place(%k: !m, %acc: !acc, %x: vector<64x64xf32>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %rk = hopper.ring_alloc : !r
  %ro = hopper.ring_alloc : !out
  %c0 = arith.constant 0 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b : !r, !b
  // expected-error @+1 {{an address or condition of a copy needs this operation, which only consumers can execute}}
  %y = arith.addf %x, %x : vector<64x64xf32>
  %e = vector.extract %y[0, 0] : f32 from vector<64x64xf32>
  %i = arith.fptosi %e : f32 to i32
  %n = arith.index_cast %i : i32 to index
  hopper.out_put %x, %ro : vector<64x64xf32>, !out
  hopper.out_reduce %ro, %acc[%n, %c0] : !out, !acc
  tile.return
}

// -----

// Nor does the role that transposes.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transposed_conditionally(%v: !m, %x: vector<64x64xf32>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  // expected-error @+1 {{an address or condition of a copy needs this operation, which only consumers can execute}}
  %y = arith.addf %x, %x : vector<64x64xf32>
  %e = vector.extract %y[0, 0] : f32 from vector<64x64xf32>
  %c = arith.cmpf ogt, %e, %zero : f32
  scf.if %c {
    hopper.ring_transpose %rv, %rt : !r to !t
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  }
  tile.return
}
