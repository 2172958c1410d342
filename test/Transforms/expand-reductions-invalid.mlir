// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-reductions))' --verify-diagnostics

tile.kernel @no_place(%acc: memref<?x4096xf32, strided<[?, 1]>>, %x: vector<64x64xf32>, %i: index) {
  %ring = hopper.ring_alloc : !hopper.ring<1, vector<64x64xf32>>
  // expected-error @+1 {{its buffer has no place in shared memory: run fa3-allocate-shared-memory first}}
  hopper.reduce_out %x, %ring, %acc[%i, %i] : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}
