// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-rings),canonicalize,cse)' | FileCheck %s

// Rings whose buffers a role transposes from another ring's.

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<96x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<72x96xf8E4M3FN>>
!b = !hopper.buffer<vector<72x96xf8E4M3FN>, 72>

// Three warps transpose: all of them fill a buffer of the one ring and empty one of
// the other, whose consumers they are. Each waits for both buffers; what it wrote
// comes before the products' reads, what it read before the next copy.
// CHECK-LABEL: tile.kernel @loop(
// CHECK-SAME: %[[MAP:[a-z0-9]+]]: !hopper.tensor_map<0, [96, 128]>)
// CHECK: %[[V0:.*]] = hopper.shared_address 43008
// CHECK-NEXT: hopper.mbarrier_init %[[V0]], 1
// CHECK-NEXT: %[[V2:.*]] = hopper.shared_address 43024
// CHECK-NEXT: hopper.mbarrier_init %[[V2]], 3
// CHECK-NEXT: %[[V1:.*]] = hopper.shared_address 43016
// CHECK-NEXT: hopper.mbarrier_init %[[V1]], 1
// CHECK-NEXT: %[[V3:.*]] = hopper.shared_address 43032
// CHECK-NEXT: hopper.mbarrier_init %[[V3]], 3
// CHECK-NEXT: %[[T0:.*]] = hopper.shared_address 43040
// CHECK-NEXT: hopper.mbarrier_init %[[T0]], 3
// CHECK-NEXT: %[[T2:.*]] = hopper.shared_address 43056
// CHECK-NEXT: hopper.mbarrier_init %[[T2]], 2
// CHECK-NEXT: %[[T1:.*]] = hopper.shared_address 43048
// CHECK-NEXT: hopper.mbarrier_init %[[T1]], 3
// CHECK-NEXT: %[[T3:.*]] = hopper.shared_address 43064
// CHECK-NEXT: hopper.mbarrier_init %[[T3]], 2
// CHECK-NEXT: hopper.fence_mbarrier_init
// The rows of ones are in the buffers that products read.
// CHECK: hopper.shared_address 32768
// CHECK: hopper.shared_store
// CHECK: hopper.shared_address 41984
// CHECK: hopper.shared_store
// CHECK-NOT: hopper.shared_store
// CHECK: producer {
// CHECK: hopper.shared_address 43024
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.mbarrier_expect %{{.*}}, 12288
// CHECK: hopper.tma_load %[[MAP]]
// CHECK: } consumer {
// CHECK: hopper.shared_address 43040
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.shared_address 43056
// CHECK: hopper.mbarrier_arrive
// CHECK: } transpose {
// CHECK-NEXT: scf.for {{.*}} iter_args(%[[NUMBER:.*]] = %c0_i32) -> (i32) {
// CHECK: %[[SLOT:.*]] = arith.remui %[[NUMBER]], %c2_i32
// CHECK: %[[FROM_FULL0:.*]] = hopper.shared_address 43008
// CHECK: %[[FROM_FULL:.*]] = arith.addi %[[FROM_FULL0]], %{{.*}}
// CHECK: %[[ROUND:.*]] = arith.divui %[[NUMBER]], %c2_i32
// CHECK: %[[FULL:.*]] = arith.andi %[[ROUND]], %c1_i32
// CHECK: hopper.mbarrier_wait %[[FROM_FULL]], %[[FULL]]
// CHECK: %[[EMPTY:.*]] = arith.xori %[[FULL]], %c1_i32
// CHECK: %[[TO_EMPTY0:.*]] = hopper.shared_address 43056
// CHECK: %[[TO_EMPTY:.*]] = arith.addi %[[TO_EMPTY0]], %{{.*}}
// CHECK: hopper.mbarrier_wait %[[TO_EMPTY]], %[[EMPTY]]
// CHECK: %[[FROM:.*]] = hopper.view %{{.*}} : <vector<96x64xf8E4M3FN>, 96>
// CHECK: %[[TO:.*]] = hopper.view %{{.*}} : <vector<72x96xf8E4M3FN>, 72>
// CHECK-NEXT: hopper.buffer_transpose %[[FROM]], %[[TO]]
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.warp_sync
// CHECK: %[[LANE:.*]] = arith.andi %{{.*}}, %c31_i32
// CHECK: %[[ELECTED:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK: %[[TO_FULL0:.*]] = hopper.shared_address 43040
// CHECK: %[[TO_FULL:.*]] = arith.addi %[[TO_FULL0]], %{{.*}}
// CHECK: hopper.mbarrier_arrive %[[TO_FULL]] if %[[ELECTED]]
// CHECK: %[[FROM_EMPTY0:.*]] = hopper.shared_address 43024
// CHECK: %[[FROM_EMPTY:.*]] = arith.addi %[[FROM_EMPTY0]], %{{.*}}
// CHECK: hopper.mbarrier_arrive %[[FROM_EMPTY]] if %[[ELECTED]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[NUMBER]], %c1_i32
// CHECK-NEXT: scf.yield %[[NEXT]]
tile.kernel @loop(%v: !m, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rv = hopper.ring_alloc {offset = 0 : i64, barriers = 43008 : i64, consumers = 2 : i64} : !r
  %rt = hopper.ring_alloc {offset = 24576 : i64, barriers = 43040 : i64, ones, consumers = 2 : i64} : !t
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
  }
  tile.return
}

// Buffers that are filled once each need no way back.
// CHECK-LABEL: tile.kernel @once(
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 3
// CHECK: hopper.mbarrier_init %{{.*}}, 3
// CHECK-NOT: hopper.mbarrier_init
// CHECK: producer {
// CHECK-NOT: hopper.mbarrier_wait
// CHECK: } consumer {
// CHECK: hopper.mbarrier_wait
// CHECK-NOT: hopper.mbarrier_arrive
// CHECK: } transpose {
// CHECK: %[[FROM_FULL:.*]] = hopper.shared_address 43008
// CHECK-NEXT: hopper.mbarrier_wait %[[FROM_FULL]], %c0_i32
// CHECK-NOT: hopper.mbarrier_wait
// CHECK: hopper.buffer_transpose
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.warp_sync
// CHECK: %[[TO_FULL:.*]] = hopper.shared_address 43040
// CHECK-NEXT: hopper.mbarrier_arrive %[[TO_FULL]] if
// CHECK-NOT: hopper.mbarrier_arrive
// CHECK: tile.return
tile.kernel @once(%v: !m) {
  %c0 = arith.constant 0 : index
  %rv = hopper.ring_alloc {offset = 0 : i64, barriers = 43008 : i64, consumers = 2 : i64} : !r
  %rt = hopper.ring_alloc {offset = 24576 : i64, barriers = 43040 : i64, ones, consumers = 2 : i64} : !t
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// Rings may have different numbers of buffers: each has its own slot and phase. Beside
// a drain two warps transpose.
!t1 = !hopper.ring<1, vector<72x96xf8E4M3FN>>
// CHECK-LABEL: tile.kernel @other_stages(
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 2
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 2
// CHECK: hopper.mbarrier_init %{{.*}}, 2
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK-NOT: hopper.mbarrier_init
// CHECK: } transpose {
// CHECK: scf.for {{.*}} iter_args(%[[NUMBER:.*]] = %c0_i32)
// CHECK: %[[ROUND:.*]] = arith.divui %[[NUMBER]], %c2_i32
// CHECK: %[[FULL:.*]] = arith.andi %[[ROUND]], %c1_i32
// CHECK: hopper.mbarrier_wait %{{.*}}, %[[FULL]]
// CHECK: %[[PHASE:.*]] = arith.andi %[[NUMBER]], %c1_i32
// CHECK: %[[EMPTY:.*]] = arith.xori %[[PHASE]], %c1_i32
// CHECK: hopper.mbarrier_wait %{{.*}}, %[[EMPTY]]
// CHECK: hopper.buffer_transpose
tile.kernel @other_stages(%v: !m, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rv = hopper.ring_alloc {offset = 0 : i64, barriers = 33792 : i64, consumers = 1 : i64} : !r
  %rt = hopper.ring_alloc {offset = 24576 : i64, barriers = 33824 : i64, ones, consumers = 1 : i64} : !t1
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rt : !t1 -> !b
      hopper.ring_release %rt, %b : !t1, !b
    }
  } drain {
  } transpose {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_transpose %rv, %rt : !r to !t1
    }
  }
  tile.return
}
