// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-reductions))' --verify-diagnostics --split-input-file

tile.kernel @no_place(%acc: memref<?x4096xf32, strided<[?, 1]>>, %x: vector<64x64xf32>, %i: index) {
  // expected-error @+1 {{the ring has no place in shared memory: run fa3-allocate-shared-memory first}}
  %ring = hopper.ring_alloc : !hopper.ring<1, vector<64x64xf32>>
  hopper.out_put %x, %ring : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  hopper.out_reduce %ring, %acc[%i, %i] : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @two_rings(%acc: memref<?x4096xf32, strided<[?, 1]>>, %x: vector<64x64xf32>, %y: vector<64x32xf32>, %i: index) {
  %ring = hopper.ring_alloc {offset = 0 : i64} : !hopper.ring<1, vector<64x64xf32>>
  // expected-error @+1 {{tiles of one type only can be on their way out: named barriers are few}}
  %narrow = hopper.ring_alloc {offset = 16384 : i64} : !hopper.ring<1, vector<64x32xf32>>
  hopper.out_put %x, %ring : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  hopper.out_reduce %ring, %acc[%i, %i] : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  hopper.out_put %y, %narrow : vector<64x32xf32>, !hopper.ring<1, vector<64x32xf32>>
  hopper.out_reduce %narrow, %acc[%i, %i] : !hopper.ring<1, vector<64x32xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}

// -----

// Threads of several warpgroups copy parts of the tile: none of them could say
// that it is there.
!begun = memref<?xf32, strided<[1]>>
tile.kernel @no_drain(%acc: memref<?x4096xf32, strided<[?, 1]>>, %begun: !begun, %x: vector<64x64xf32>, %i: index) {
  %ring = hopper.ring_alloc {offset = 0 : i64} : !hopper.ring<1, vector<64x64xf32>>
  hopper.out_put %x, %ring : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  // expected-error @+1 {{that the first tile is stored needs a role that drains: set specialize in the schedule}}
  hopper.out_reduce %ring, %acc[%i, %i] begun %begun : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>, !begun
  tile.return
}

// -----

!begun = memref<?xf32, strided<[1]>>
tile.kernel @roles_without_drain(%acc: memref<?x4096xf32, strided<[?, 1]>>, %begun: !begun, %x: vector<64x64xf32>, %i: index) {
  %ring = hopper.ring_alloc {offset = 0 : i64} : !hopper.ring<1, vector<64x64xf32>>
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    hopper.out_put %x, %ring : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
    // expected-error @+1 {{that the first tile is stored needs a role that drains: set specialize in the schedule}}
    hopper.out_reduce %ring, %acc[%i, %i] begun %begun : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>, !begun
  }
  tile.return
}
