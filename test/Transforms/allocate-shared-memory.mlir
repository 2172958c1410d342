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
