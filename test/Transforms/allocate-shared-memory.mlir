// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-allocate-shared-memory))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-allocate-shared-memory))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Buffers on multiples of 1024 bytes, whole panels of 128 bytes a row (the
// second ring has two, of 24 rows), then two mbarriers for each buffer.
// CHECK-LABEL: tile.kernel @three
// CHECK-SAME: hopper.shared_memory = 77920 : i64
// CHECK: hopper.ring_alloc {barriers = 77824 : i64, offset = 0 : i64}
// CHECK-NEXT: hopper.ring_alloc {barriers = 77840 : i64, offset = 16384 : i64}
// CHECK-NEXT: hopper.ring_alloc {barriers = 77888 : i64, consumers = 2 : i64, offset = 34816 : i64}
// REMARK: 77920 bytes of shared memory for 3 rings
tile.kernel @three() {
  %q = hopper.ring_alloc : !hopper.ring<1, vector<128x64xbf16>>
  %k = hopper.ring_alloc : !hopper.ring<3, vector<24x96xbf16>>
  %v = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<2, vector<168x64xf16>>
  tile.return
}

// CHECK-LABEL: tile.kernel @none
// CHECK-SAME: hopper.shared_memory = 0 : i64
// REMARK: 0 bytes of shared memory for 0 rings
tile.kernel @none() {
  tile.return
}

// Tiles of f32 are aligned to 128 bytes: two rows of 64, then two columns of
// 80 (320 bytes, 384 apart). Rings that TMA does not fill, of shared tiles and
// of tiles on their way out, have no mbarriers.
// CHECK-LABEL: tile.kernel @f32
// CHECK-SAME: hopper.shared_memory = 66624 : i64
// CHECK: hopper.ring_alloc {barriers = 66560 : i64, offset = 0 : i64} : <2, vector<1x64xf32>>
// CHECK-NEXT: hopper.ring_alloc {barriers = 66592 : i64, offset = 512 : i64} : <2, vector<80x1xf32>>
// CHECK-NEXT: hopper.ring_alloc {offset = 2048 : i64} : <2, vector<64x128xbf16>>
// CHECK-NEXT: hopper.ring_alloc {offset = 34816 : i64} : <1, vector<124x64xf32>>
// REMARK: 66624 bytes of shared memory for 4 rings
tile.kernel @f32(%x: vector<128x64xbf16>, %y: vector<124x64xf32>, %acc: memref<?x7936xf32>, %i: index) {
  %l = hopper.ring_alloc : !hopper.ring<2, vector<1x64xf32>>
  %d = hopper.ring_alloc : !hopper.ring<2, vector<80x1xf32>>
  %s = hopper.ring_alloc : !hopper.ring<2, vector<64x128xbf16>>
  %o = hopper.ring_alloc : !hopper.ring<1, vector<124x64xf32>>
  %b = hopper.share %x, %s : vector<128x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  hopper.out_put %y, %o : vector<124x64xf32>, !hopper.ring<1, vector<124x64xf32>>
  hopper.out_reduce %o, %acc[%i, %i] : !hopper.ring<1, vector<124x64xf32>>, memref<?x7936xf32>
  tile.return
}
