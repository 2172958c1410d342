// RUN: fa3-opt %s --fa3-expand-rings | FileCheck %s

// Rows of ones and zeros below what TMA loads: 64 threads write them once, 16
// bytes each, into every panel of every buffer; copies and the bytes that they
// announce leave them out.
!v = memref<?x128x?xf8E4M3FN, strided<[?, ?, 1]>>
!ring = !hopper.ring<2, vector<136x256xf8E4M3FN>>
!buffer = !hopper.buffer<vector<136x256xf8E4M3FN>, 136>
// CHECK-LABEL: tile.kernel @ones
// CHECK-SAME: !hopper.tensor_map<0, [1, 128, 128]>
// CHECK: hopper.fence_mbarrier_init
// CHECK: %[[WRITES:.*]] = arith.cmpi ult, %[[THREAD:.*]], %c64_i32
// CHECK: scf.if %[[WRITES]]
// CHECK:   %[[FIRST:.*]] = arith.cmpi ult, %[[THREAD]], %c8_i32
// CHECK:   %[[WORD:.*]] = arith.select %[[FIRST]], %cst{{.*}}, %cst
// CHECK:   hopper.shared_address 16384
// CHECK:   hopper.shared_store %{{.*}}, %[[WORD]], %[[WORD]], %[[WORD]], %[[WORD]]
// CHECK:   hopper.shared_address 33792
// CHECK:   hopper.shared_address 51200
// CHECK:   hopper.shared_address 68608
// CHECK-NOT: hopper.shared_store{{.*}}hopper.shared_store
// CHECK:   hopper.fence_proxy_async
// CHECK: hopper.cta_sync
// CHECK: hopper.mbarrier_expect %{{.*}}, 32768
// CHECK-COUNT-2: hopper.tma_load
// CHECK-NOT: hopper.tma_load
tile.kernel @ones(%v: !v {tile.argument = #tile.argument<"v", "input", ["b", "d", "n"]>})
    attributes {hopper.shared_memory = 69696 : i64} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {offset = 0 : i64, barriers = 69632 : i64, ones} : !ring
  hopper.ring_put %ring, %v[%c0, %c0, %c0] dims [1, 2] : !ring, !v
  %b = hopper.ring_get %ring : !ring -> !buffer
  hopper.ring_release %ring, %b : !ring, !buffer
  tile.return
}
