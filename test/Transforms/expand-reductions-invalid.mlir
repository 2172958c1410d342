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
