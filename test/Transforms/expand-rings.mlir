// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-rings),canonicalize,cse)' | FileCheck %s

!m = memref<?x?x96xbf16, strided<[?, ?, 1]>>
!r1 = !hopper.ring<1, vector<64x96xbf16>>
!b1 = !hopper.buffer<vector<64x96xbf16>, 64>
!r2 = !hopper.ring<2, vector<512x64xbf16>>
!b2 = !hopper.buffer<vector<512x64xbf16>, 512>
!n = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!v = vector<64x64xf32>

// A ring that is filled once needs no empty mbarriers. 96 columns are two
// panels, each as wide as its box; the kernel gets a tensor map.
// CHECK-LABEL: tile.kernel @once
// CHECK-SAME: %[[MAP:[a-z0-9]+]]: !hopper.tensor_map<0, [1, 64, 64]>)
// CHECK: %[[T:.*]] = hopper.thread_id
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[T]], %c0_i32
// CHECK: scf.if %[[FIRST]] {
// CHECK-NEXT: %[[BAR:.*]] = hopper.shared_address 16384
// CHECK-NEXT: hopper.mbarrier_init %[[BAR]], 1
// CHECK-NEXT: hopper.fence_mbarrier_init
// CHECK-NEXT: }
// CHECK-NEXT: hopper.cta_sync
// CHECK: scf.if
// CHECK-NOT: hopper.mbarrier_wait
// CHECK: hopper.mbarrier_expect %{{.*}}, 16384
// CHECK: hopper.tma_load %[[MAP]][%[[B:.*]], %[[I:.*]], %c0_i32]
// CHECK: hopper.tma_load %[[MAP]][%[[B]], %[[I]], %c64_i32]
// CHECK: }
// CHECK: hopper.mbarrier_wait %{{.*}}, %c0_i32
// CHECK: hopper.view
// CHECK-NOT: hopper.mbarrier_arrive
// CHECK: tile.return
tile.kernel @once(%k: !m, %b: index, %i: index) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r1
  hopper.ring_put %r, %k[%b, %i, %c0] dims [1, 2] : !r1, !m
  %x = hopper.ring_get %r : !r1 -> !b1
  %p = hopper.wgmma %x, %x contract(1, 1) : !b1, !b1 -> !hopper.pending<vector<64x64xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  hopper.ring_release %r, %x : !r1, !b1
  tile.return
}

// In loops the number of puts and gets is carried; a put waits for the release
// of the buffer's last use. 512 rows are two boxes.
// CHECK-LABEL: tile.kernel @nested
// CHECK-SAME: !hopper.tensor_map<0, [256, 64]>
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 3
// CHECK: hopper.mbarrier_init %{{.*}}, 1
// CHECK: hopper.mbarrier_init %{{.*}}, 3
// CHECK: producer {
// CHECK: scf.for {{.*}} iter_args(%[[OUTER:.*]] = %c0_i32) -> (i32)
// CHECK: scf.for {{.*}} iter_args(%[[NUMBER:.*]] = %[[OUTER]]) -> (i32)
// CHECK: scf.if {{.*}} -> (i32) {
// CHECK: %[[SLOT:.*]] = arith.remui %[[NUMBER]], %c2_i32
// CHECK: %[[ROUND:.*]] = arith.divui %[[NUMBER]], %c2_i32
// CHECK: %[[FULL:.*]] = arith.andi %[[ROUND]], %c1_i32
// CHECK: %[[EMPTY:.*]] = arith.xori %[[FULL]], %c1_i32
// CHECK: hopper.mbarrier_wait %{{.*}}, %[[EMPTY]]
// CHECK: hopper.mbarrier_expect %{{.*}}, 65536
// CHECK: hopper.tma_load
// CHECK: %[[ROW:.*]] = arith.addi %{{.*}}, %c256_i32
// CHECK: %[[AT:.*]] = arith.addi %{{.*}}, %c32768_i32
// CHECK: hopper.tma_load %{{.*}}[%[[ROW]], %c0_i32], %[[AT]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[NUMBER]], %c1_i32
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK-NEXT: } else {
// CHECK-NEXT: scf.yield %[[NUMBER]]
// CHECK: } consumer {
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.if
// CHECK: hopper.mbarrier_wait
// CHECK: %[[T:.*]] = arith.andi %{{.*}}, %c127_i32
// CHECK: %[[ELECTED:.*]] = arith.cmpi eq, %[[T]], %c0_i32
// CHECK: hopper.mbarrier_arrive %{{.*}} if %[[ELECTED]]
tile.kernel @nested(%k: !n, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 3 : i64, offset = 0 : i64, barriers = 131072 : i64} : !r2
  hopper.specialize {warpgroups = 3 : i64, producer_registers = 32 : i64, consumer_registers = 160 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      scf.for %j = %c0 to %i step %c1 {
        scf.if %c {
          hopper.ring_put %r, %k[%j, %c0] dims [0, 1] : !r2, !n
        }
      }
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      scf.for %j = %c0 to %i step %c1 {
        scf.if %c {
          %b = hopper.ring_get %r : !r2 -> !b2
          hopper.ring_release %r, %b : !r2, !b2
        }
      }
    }
  }
  tile.return
}

// More puts in a straight line than buffers: the handshake is needed, too.
// CHECK-LABEL: tile.kernel @straight_reuse
// CHECK: hopper.mbarrier_init
// CHECK: hopper.mbarrier_init
// CHECK: hopper.mbarrier_arrive
// CHECK: hopper.mbarrier_arrive
tile.kernel @straight_reuse(%k: !m) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r1
  hopper.ring_put %r, %k[%c0, %c0, %c0] dims [1, 2] : !r1, !m
  %x = hopper.ring_get %r : !r1 -> !b1
  hopper.ring_release %r, %x : !r1, !b1
  hopper.ring_put %r, %k[%c0, %c0, %c0] dims [1, 2] : !r1, !m
  %y = hopper.ring_get %r : !r1 -> !b1
  hopper.ring_release %r, %y : !r1, !b1
  tile.return
}

// One thread releases a buffer for its warpgroup, whose other warps may still wait
// until it is full. Without a product in between there is a barrier: refilled, they
// would wait for the next phase.
// CHECK-LABEL: tile.kernel @no_product
// CHECK: } consumer {
// CHECK: hopper.mbarrier_wait
// CHECK: %[[WARPGROUP:.*]] = hopper.warpgroup : i32
// CHECK: %[[BARRIER:.*]] = arith.addi %[[WARPGROUP]], %c11_i32
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK: hopper.mbarrier_arrive
tile.kernel @no_product(%k: !n, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 16384 : i64} : !r
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %x = hopper.ring_get %r : !r -> !b
      hopper.ring_release %r, %x : !r, !b
    }
  }
  tile.return
}

// A product that all warps have issued behind the get, and waited for, tells as
// much. It need not read the buffer, nor be in the same block.
// CHECK-LABEL: tile.kernel @behind_product
// CHECK: } consumer {
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.wait
// CHECK-NOT: hopper.named_sync
// CHECK: hopper.mbarrier_arrive
// CHECK-NOT: hopper.named_sync
// CHECK: tile.return
tile.kernel @behind_product(%k: !n, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 56 : i64, consumer_registers = 256 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %x = hopper.ring_get %r : !r -> !b
      %y = hopper.ring_get %r : !r -> !b
      %p = hopper.wgmma %x, %x contract(1, 1) : !b, !b -> !p
      %s = hopper.wait %p younger 0 : !p -> !v
      hopper.ring_release %r, %x : !r, !b
      scf.if %c {
        hopper.ring_release %r, %y : !r, !b
      } else {
        hopper.ring_release %r, %y : !r, !b
      }
    }
  }
  tile.return
}

// A loop may be empty, and a branch not be taken: what they wait for does not
// count.
// CHECK-LABEL: tile.kernel @behind_loop
// CHECK: } consumer {
// CHECK: scf.for
// CHECK: scf.for
// CHECK: hopper.wait
// CHECK: }
// CHECK-NEXT: hopper.warpgroup
// CHECK: hopper.named_sync
// CHECK: hopper.mbarrier_arrive
// CHECK: scf.if
// CHECK: hopper.wait
// CHECK: }
// CHECK-NEXT: hopper.named_sync
// CHECK: hopper.mbarrier_arrive
tile.kernel @behind_loop(%k: !n, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 56 : i64, consumer_registers = 256 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %x = hopper.ring_get %r : !r -> !b
      scf.for %j = %c0 to %i step %c1 {
        %p = hopper.wgmma %x, %x contract(1, 1) : !b, !b -> !p
        %s = hopper.wait %p younger 0 : !p -> !v
      }
      hopper.ring_release %r, %x : !r, !b
      %y = hopper.ring_get %r : !r -> !b
      scf.if %c {
        %p = hopper.wgmma %y, %y contract(1, 1) : !b, !b -> !p
        %s = hopper.wait %p younger 0 : !p -> !v
      }
      hopper.ring_release %r, %y : !r, !b
    }
  }
  tile.return
}

// Nor does a product that was issued before the get, though it is waited for behind
// it: warps may have issued it and still wait for the buffer.
// CHECK-LABEL: tile.kernel @older_product
// CHECK: } consumer {
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.wgmma
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.wait
// The first buffer's release is behind its product.
// CHECK-NOT: hopper.named_sync
// CHECK: hopper.mbarrier_arrive
// CHECK: hopper.named_sync
// CHECK: hopper.mbarrier_arrive
tile.kernel @older_product(%k: !n, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 56 : i64, consumer_registers = 256 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
      hopper.ring_put %r, %k[%i, %c0] dims [0, 1] : !r, !n
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %x = hopper.ring_get %r : !r -> !b
      %p = hopper.wgmma %x, %x contract(1, 1) : !b, !b -> !p
      %y = hopper.ring_get %r : !r -> !b
      %s = hopper.wait %p younger 0 : !p -> !v
      hopper.ring_release %r, %x : !r, !b
      hopper.ring_release %r, %y : !r, !b
    }
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @no_rings
// CHECK-NEXT: tile.return
tile.kernel @no_rings() {
  tile.return
}
