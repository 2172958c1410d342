// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-rings),canonicalize,cse)' | FileCheck %s

// Rings of f32 that ride on the mbarriers of the panels in front of them.

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!l = memref<?x?xf32, strided<[?, 1]>>
!rl = !hopper.ring<2, vector<1x64xf32>>
!bl = !hopper.buffer<vector<1x64xf32>, 1>
!r1 = !hopper.ring<1, vector<1x64xf32>>

// Both are announced at once, 8192 + 256 bytes, and waited for once. A buffer is
// free when a thread of each of two warpgroups has released the panels and each
// of their eight warps the row: TMA overwrites the row only after the fence.
// CHECK-LABEL: tile.kernel @rider
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 10{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 10{{$}}
// CHECK-NOT: hopper.mbarrier_init
// CHECK: producer {
// CHECK: scf.for
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.mbarrier_expect %[[FULL:.*]], 8448
// CHECK: hopper.tma_load %{{.*}}, %[[FULL]] : <0, [64, 64]>
// CHECK-NOT: hopper.mbarrier_
// CHECK: hopper.tma_load %{{.*}}, %[[FULL]] : <1, [1, 64], linear>
// CHECK: } consumer {
// CHECK: scf.for
// CHECK: hopper.mbarrier_wait
// CHECK-NOT: hopper.mbarrier_wait
// CHECK: hopper.view %{{.*}} : <vector<1x64xf32>, 1>
// CHECK: hopper.buffer_load
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.warp_sync
// CHECK-NEXT: %[[LANE:.*]] = arith.andi %{{.*}}, %c31_i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK: hopper.mbarrier_arrive %[[EMPTY:.*]] if %[[FIRST]]
// CHECK: %[[IN:.*]] = arith.andi %{{.*}}, %c127_i32
// CHECK-NEXT: %[[ONE:.*]] = arith.cmpi eq, %[[IN]], %c0_i32
// CHECK-NEXT: hopper.mbarrier_arrive %[[EMPTY]] if %[[ONE]]
tile.kernel @rider(%k: !m, %l: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !rl, !bl
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// Where fewer warpgroups work, five arrivals of each of those free a buffer.
// CHECK-LABEL: tile.kernel @active
// CHECK-SAME: %[[ACTIVE:[a-z0-9]+]]: i32
// CHECK: %[[COUNT:.*]] = arith.muli %[[ACTIVE]], %c5_i32
// CHECK: hopper.mbarrier_init %{{.*}}, 10 active %[[COUNT]]
// CHECK: hopper.mbarrier_init %{{.*}}, 10 active %[[COUNT]]
// CHECK-NOT: hopper.mbarrier_init
tile.kernel @active(%k: !m, %l: !l, %n: index, %active: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  hopper.specialize active %active {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !rl, !bl
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// A share between the row's release and the panels' has a fence and a barrier of
// all threads: the panels' release stands for both.
// CHECK-LABEL: tile.kernel @shared_between
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 2{{$}}
// CHECK: consumer {
// CHECK: hopper.buffer_load
// CHECK-NOT: hopper.warp_sync
// CHECK-NOT: hopper.mbarrier_arrive
// CHECK: hopper.buffer_store
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %c4_i32, 256
// CHECK: hopper.mbarrier_arrive
// CHECK-NOT: hopper.mbarrier_arrive
tile.kernel @shared_between(%k: !m, %l: !l, %n: index, %h: vector<64x64xbf16>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  %rs = hopper.ring_alloc {consumers = 2 : i64, offset = 32768 : i64} : !hopper.ring<2, vector<64x128xbf16>>
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !rl, !bl
      %s = hopper.share %h, %rs : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// Then as many arrivals free a buffer as warpgroups work.
// CHECK-LABEL: tile.kernel @shared_between_active
// CHECK-SAME: %[[ACTIVE:[a-z0-9]+]]: i32
// CHECK: hopper.mbarrier_init %{{.*}}, 2 active %[[ACTIVE]]
tile.kernel @shared_between_active(%k: !m, %l: !l, %n: index, %h: vector<64x64xbf16>, %active: i32) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  %rs = hopper.ring_alloc {consumers = 2 : i64, offset = 32768 : i64} : !hopper.ring<2, vector<64x128xbf16>>
  hopper.specialize active %active {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !rl, !bl
      %s = hopper.share %h, %rs : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// A share in front of the row's release orders nothing.
// CHECK-LABEL: tile.kernel @shared_before
// CHECK: hopper.mbarrier_init %{{.*}}, 10{{$}}
// CHECK: consumer {
// CHECK: hopper.named_sync
// CHECK: hopper.fence_proxy_async
// CHECK-NEXT: hopper.warp_sync
// CHECK: hopper.mbarrier_arrive
// CHECK: hopper.mbarrier_arrive
tile.kernel @shared_before(%k: !m, %l: !l, %n: index, %h: vector<64x64xbf16>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  %rs = hopper.ring_alloc {consumers = 2 : i64, offset = 32768 : i64} : !hopper.ring<2, vector<64x128xbf16>>
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      %s = hopper.share %h, %rs : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
      hopper.ring_release %rl, %bl : !rl, !bl
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// A row that comes first, or under a condition, or that has other stages, has
// mbarriers of its own.
// CHECK-LABEL: tile.kernel @row_first
// CHECK: hopper.mbarrier_init %{{.*}}, 2{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 8{{$}}
// CHECK: producer {
// CHECK: hopper.mbarrier_expect %{{.*}}, 8192
// CHECK: hopper.mbarrier_expect %{{.*}}, 256
// CHECK: consumer {
// CHECK: hopper.mbarrier_wait
// CHECK: hopper.mbarrier_wait
tile.kernel @row_first(%k: !m, %l: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %bl = hopper.ring_get %rl : !rl -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !rl, !bl
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @conditional
// CHECK: hopper.mbarrier_init %{{.*}}, 2{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 8{{$}}
// CHECK: hopper.mbarrier_expect %{{.*}}, 8192
// CHECK: hopper.mbarrier_expect %{{.*}}, 256
tile.kernel @conditional(%k: !m, %l: !l, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      scf.if %c {
        hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
      }
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
      scf.if %c {
        %bl = hopper.ring_get %rl : !rl -> !bl
        hopper.ring_release %rl, %bl : !rl, !bl
      }
    }
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @other_stages
// CHECK: hopper.mbarrier_init %{{.*}}, 2{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 8{{$}}
// CHECK: hopper.mbarrier_expect %{{.*}}, 8192
// CHECK: hopper.mbarrier_expect %{{.*}}, 256
tile.kernel @other_stages(%k: !m, %l: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !r1
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !r1, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !r1 -> !bl
      %x = hopper.buffer_load %bl : !bl -> vector<1x64xf32>
      hopper.ring_release %rl, %bl : !r1, !bl
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// Two rows ride on one ring of panels: nine arrivals of each warpgroup.
// CHECK-LABEL: tile.kernel @two_riders
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 18{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 18{{$}}
// CHECK-NOT: hopper.mbarrier_init
// CHECK: hopper.mbarrier_expect %{{.*}}, 8704
// CHECK-NOT: hopper.mbarrier_expect
tile.kernel @two_riders(%k: !m, %l: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 65536 : i64} : !r
  %rl = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64, barriers = 65568 : i64} : !rl
  %rd = hopper.ring_alloc {consumers = 2 : i64, offset = 24576 : i64, barriers = 65600 : i64} : !rl
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rl, %l[%c0, %i] dims [-1, 1] : !rl, !l
      hopper.ring_put %rd, %l[%c1, %i] dims [-1, 1] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      %bl = hopper.ring_get %rl : !rl -> !bl
      hopper.ring_release %rl, %bl : !rl, !bl
      %bd = hopper.ring_get %rd : !rl -> !bl
      hopper.ring_release %rd, %bd : !rl, !bl
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}
