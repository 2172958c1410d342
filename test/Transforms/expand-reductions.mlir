// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-reductions),canonicalize,cse)' | FileCheck %s

!acc = memref<?x8192xf32, strided<[?, 1]>>
!ring = !hopper.ring<1, vector<128x64xf32>>

// A warpgroup waits until its part of the buffer has been read, at a barrier of
// its own, fills it, and tells so at another one. A thread of the drain starts
// the copies in the order of the warpgroups and gives each part back as soon as
// it has been read. At first all parts are free; at the end consumers take the
// drain's last arrival, and the drain waits until all copies are complete.
// CHECK-LABEL: tile.kernel @drain
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{.*}}>, %[[X:[a-z0-9]+]]: vector<64x64xf32>
// CHECK-NOT: hopper.ring_alloc
// CHECK: } consumer {
// CHECK-NOT: hopper.bulk
// CHECK: scf.for
// CHECK-NEXT: %[[W:.*]] = hopper.warpgroup : i32
// CHECK-NEXT: %[[EMPTY:.*]] = arith.addi %[[W]], %c8_i32
// CHECK-NEXT: hopper.named_sync %[[EMPTY]], 160
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 2048
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[BASE]] : <vector<128x64xf32>, 128>
// CHECK-NEXT: %[[ROW:.*]] = arith.muli %[[W]], %c64_i32
// CHECK-NEXT: hopper.buffer_store %[[X]], %[[B]][%[[ROW]], %c0_i32] : vector<64x64xf32>
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: %[[FULL:.*]] = arith.addi %[[W]], %c5_i32
// CHECK-NEXT: hopper.named_arrive %[[FULL]], 160
// CHECK-NEXT: }
// CHECK-NEXT: %[[W:.*]] = hopper.warpgroup : i32
// CHECK-NEXT: %[[EMPTY:.*]] = arith.addi %[[W]], %c8_i32
// CHECK-NEXT: hopper.named_sync %[[EMPTY]], 160
// CHECK-NEXT: } drain {
// CHECK-NEXT: hopper.named_arrive %c8_i32, 160
// CHECK-NEXT: hopper.named_arrive %c9_i32, 160
// CHECK-NEXT: scf.for
// CHECK: %[[T:.*]] = hopper.thread_id : i32
// CHECK-NEXT: %[[LANE:.*]] = arith.andi %[[T]], %c31_i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK-NEXT: hopper.named_sync %c5_i32, 160
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 2048
// CHECK-NEXT: hopper.bulk_reduce %[[BASE]], %[[ACC]][%[[ROW:.*]], %[[COLUMN:.*]]], 16384 if %[[FIRST]]
// CHECK-NEXT: hopper.named_sync %c6_i32, 160
// CHECK-NEXT: %[[SECOND:.*]] = arith.addi %[[BASE]], %c16384_i32
// CHECK-NEXT: hopper.bulk_reduce %[[SECOND]], %[[ACC]][%[[ROW]], %{{.*}}], 16384 if %[[FIRST]]
// CHECK-NEXT: hopper.bulk_wait {younger = 1 : i64}
// CHECK-NEXT: hopper.named_arrive %c8_i32, 160
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: hopper.named_arrive %c9_i32, 160
// CHECK-NEXT: }
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @drain(%acc: !acc, %x: vector<64x64xf32>, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 2048 : i64} : !ring
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_put %x, %ring : vector<64x64xf32>, !ring
    }
  } drain {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_reduce %ring, %acc[%i, %c0] : !ring, !acc
    }
  }
  tile.return
}

!begun = memref<?xf32, strided<[1]>>

// Where sums begin with a tile, the drain asks who has been at the place before
// it waits for the warpgroups: they compute at that time. The same thread stores
// all parts or adds them all. Others may go on when all of the tile is in memory;
// the warpgroups need not wait for that.
// CHECK-LABEL: tile.kernel @first_stored
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{[^)]*}}>, %[[BEGUN:[a-z0-9]+]]: memref<?xf32, strided<[1]>>, %{{[a-z0-9]+}}: vector<64x64xf32>, %{{[a-z0-9]+}}: index)
// CHECK: } consumer {
// CHECK-NOT: hopper.claim
// CHECK-NOT: hopper.bulk
// CHECK: } drain {
// CHECK-NEXT: hopper.named_arrive %c8_i32, 160
// CHECK-NEXT: hopper.named_arrive %c9_i32, 160
// CHECK-NEXT: scf.for %[[I:.*]] = %c0 to
// CHECK-NEXT: %[[ROW:.*]] = arith.index_cast %[[I]]
// CHECK-NEXT: %[[T:.*]] = hopper.thread_id : i32
// CHECK-NEXT: %[[LANE:.*]] = arith.andi %[[T]], %c31_i32
// CHECK-NEXT: %[[ELECTED:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK-NEXT: %[[FIRST:.*]] = hopper.claim %[[BEGUN]][%[[ROW]]] if %[[ELECTED]]
// CHECK-NEXT: hopper.named_sync %c5_i32, 160
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 2048
// CHECK-NEXT: hopper.bulk_store %[[BASE]], %[[ACC]][%[[ROW]], %c0_i32], 16384 if %[[FIRST]]
// CHECK-NEXT: %[[OTHER:.*]] = arith.xori %[[FIRST]], %true : i1
// CHECK-NEXT: %[[ADDS:.*]] = arith.andi %[[ELECTED]], %[[OTHER]] : i1
// CHECK-NEXT: hopper.bulk_reduce %[[BASE]], %[[ACC]][%[[ROW]], %c0_i32], 16384 if %[[ADDS]]
// CHECK-NEXT: hopper.named_sync %c6_i32, 160
// CHECK-NEXT: %[[SECOND:.*]] = arith.addi %[[BASE]], %c16384_i32
// CHECK-NEXT: hopper.bulk_store %[[SECOND]], %[[ACC]][%[[ROW]], %c4096_i32], 16384 if %[[FIRST]]
// CHECK-NEXT: hopper.bulk_reduce %[[SECOND]], %[[ACC]][%[[ROW]], %c4096_i32], 16384 if %[[ADDS]]
// CHECK-NEXT: hopper.bulk_wait {younger = 1 : i64}
// CHECK-NEXT: hopper.named_arrive %c8_i32, 160
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: hopper.named_arrive %c9_i32, 160
// CHECK-NEXT: hopper.publish %[[BEGUN]][%[[ROW]]] if %[[FIRST]]
// CHECK-NEXT: }
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @first_stored(%acc: !acc, %begun: !begun, %x: vector<64x64xf32>, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 2048 : i64} : !ring
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_put %x, %ring : vector<64x64xf32>, !ring
    }
  } drain {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_reduce %ring, %acc[%i, %c0] begun %begun : !ring, !acc, !begun
    }
  }
  tile.return
}

// Without a drain one thread of each warpgroup copies, which knows when its own
// copies have read their part; the warpgroup's threads meet at its barriers
// before and after they write it.
// CHECK-LABEL: tile.kernel @two_warpgroups
// CHECK: } consumer {
// CHECK: scf.for
// CHECK: hopper.bulk_wait{{$}}
// CHECK-NEXT: %[[W:.*]] = hopper.warpgroup : i32
// CHECK-NEXT: %[[EMPTY:.*]] = arith.addi %[[W]], %c8_i32
// CHECK-NEXT: hopper.named_sync %[[EMPTY]], 128
// CHECK: hopper.buffer_store
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: %[[FULL:.*]] = arith.addi %[[W]], %c5_i32
// CHECK-NEXT: hopper.named_sync %[[FULL]], 128
// CHECK-NEXT: %[[PART:.*]] = arith.muli %[[W]], %c16384_i32
// CHECK: %[[T:.*]] = hopper.thread_id : i32
// CHECK-NEXT: %[[IN:.*]] = arith.andi %[[T]], %c127_i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[IN]], %c0_i32
// CHECK-NEXT: %[[FROM:.*]] = arith.addi %{{.*}}, %[[PART]]
// CHECK-NEXT: %[[ELEMENT:.*]] = arith.shrui %[[PART]], %c2_i32
// CHECK: hopper.bulk_reduce %[[FROM]], %{{.*}}[%{{.*}}, %[[ELEMENT]]], 16384 if %[[FIRST]]
// CHECK-NEXT: }
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @two_warpgroups(%acc: !acc, %x: vector<64x64xf32>, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 2048 : i64} : !ring
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_put %x, %ring : vector<64x64xf32>, !ring
      hopper.out_reduce %ring, %acc[%i, %c0] : !ring, !acc
    }
  }
  tile.return
}

// Without roles, at the end of the kernel; without a schedule, one warpgroup.
// CHECK-LABEL: tile.kernel @no_roles
// CHECK: hopper.bulk_reduce %{{.*}}, 32768
// CHECK-NEXT: hopper.bulk_wait written
// CHECK-NEXT: tile.return
tile.kernel @no_roles(%acc: !acc, %x: vector<128x64xf32>, %i: index) {
  %ring = hopper.ring_alloc {offset = 0 : i64} : !ring
  hopper.out_put %x, %ring : vector<128x64xf32>, !ring
  hopper.out_reduce %ring, %acc[%i, %i] : !ring, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @nothing
// CHECK-NEXT: tile.return
tile.kernel @nothing() {
  tile.return
}
