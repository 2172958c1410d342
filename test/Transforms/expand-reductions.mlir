// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-reductions),canonicalize,cse)' | FileCheck %s

!acc = memref<?x8192xf32, strided<[?, 1]>>
!ring = !hopper.ring<1, vector<128x64xf32>>

// A warpgroup waits until its last copy has read its part of the buffer, fills
// it, and lets one thread start the next copy. Its barrier is its own. The
// consumers end when all copies are complete.
// CHECK-LABEL: tile.kernel @two_warpgroups
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{.*}}>, %[[X:[a-z0-9]+]]: vector<64x64xf32>
// CHECK-NOT: hopper.ring_alloc
// CHECK: } consumer {
// CHECK: scf.for
// CHECK-NEXT: %[[W:.*]] = hopper.warpgroup : i32
// CHECK-NEXT: %[[BARRIER:.*]] = arith.addi %[[W]], %c5_i32
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 2048
// CHECK-NEXT: %[[ROW:.*]] = arith.muli %[[W]], %c64_i32
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[BASE]] : <vector<128x64xf32>, 128>
// CHECK-NEXT: hopper.buffer_store %[[X]], %[[B]][%[[ROW]], %c0_i32] : vector<64x64xf32>
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK-NEXT: %[[T:.*]] = hopper.thread_id : i32
// CHECK-NEXT: %[[IN:.*]] = arith.andi %[[T]], %c127_i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[IN]], %c0_i32
// CHECK-NEXT: %[[PART:.*]] = arith.muli %[[W]], %c16384_i32
// CHECK-NEXT: %[[FROM:.*]] = arith.addi %[[BASE]], %[[PART]]
// CHECK: hopper.bulk_reduce %[[FROM]], %[[ACC]][%{{.*}}, %{{.*}}], 16384 if %[[FIRST]]
// CHECK-NEXT: }
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @two_warpgroups(%acc: !acc, %x: vector<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 2048 : i64} : !ring
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.reduce_out %x, %ring, %acc[%i, %c0] : vector<64x64xf32>, !ring, !acc
    }
  }
  tile.return
}

// Without roles, at the end of the kernel.
// CHECK-LABEL: tile.kernel @no_roles
// CHECK: hopper.bulk_reduce %{{.*}}, 32768
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: tile.return
tile.kernel @no_roles(%acc: !acc, %x: vector<128x64xf32>, %i: index) {
  %ring = hopper.ring_alloc {offset = 0 : i64} : !ring
  hopper.reduce_out %x, %ring, %acc[%i, %i] : vector<128x64xf32>, !ring, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @nothing
// CHECK-NEXT: tile.return
tile.kernel @nothing() {
  tile.return
}
