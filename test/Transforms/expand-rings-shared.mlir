// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-rings),canonicalize,cse)' | FileCheck %s

// Rings of f32, rings of shared tiles, and their counters.

!l = memref<?x?x?xf32, strided<[?, ?, 1]>>
!rl = !hopper.ring<2, vector<1x80xf32>>
!bl = !hopper.buffer<vector<1x80xf32>, 1>
!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>

// A row is one copy of consecutive elements. Every warp of the consumers
// releases the buffer when all of its lanes have read it, which TMA must not
// overwrite before: hence the fence. Buffers are 384 bytes
// apart, 320 of which are loaded.
// CHECK-LABEL: tile.kernel @row
// CHECK-SAME: %[[MAP:[a-z0-9]+]]: !hopper.tensor_map<0, [1, 1, 80], linear>)
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 8{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 1{{$}}
// CHECK: hopper.mbarrier_init %{{.*}}, 8{{$}}
// CHECK: producer {
// CHECK: hopper.mbarrier_expect %[[FULL:.*]], 320
// CHECK: %[[DISTANCE:.*]] = arith.muli %{{.*}}, %c384_i32
// CHECK: %[[BUFFER:.*]] = arith.addi %{{.*}}, %[[DISTANCE]]
// CHECK: hopper.tma_load %[[MAP]][%{{.*}}, %{{.*}}, %{{.*}}], %[[BUFFER]], %[[FULL]] : <0, [1, 1, 80], linear>
// CHECK: } consumer {
// CHECK: hopper.view %{{.*}} : <vector<1x80xf32>, 1>
// CHECK: hopper.buffer_load
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.warp_sync
// CHECK-NEXT: %[[LANE:.*]] = arith.andi %{{.*}}, %c31_i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK: hopper.mbarrier_arrive %{{.*}} if %[[FIRST]]
tile.kernel @row(%l: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 768 : i64} : !rl
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %l[%c0, %c0, %i] dims [-1, 2] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %r : !rl -> !bl
      %x = hopper.buffer_load %b : !bl -> vector<1x80xf32>
      hopper.ring_release %r, %b : !rl, !bl
    }
  }
  tile.return
}

// Where fewer warpgroups work, four warps of each of those release it.
// CHECK-LABEL: tile.kernel @active
// CHECK: scf.if
// CHECK: %[[WARPS:.*]] = arith.muli %{{.*}}, %c4_i32
// CHECK: hopper.mbarrier_init %{{.*}}, 8 active %[[WARPS]]
tile.kernel @active(%l: !l, %n: index, %active: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 768 : i64} : !rl
  hopper.specialize active %active {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %r, %l[%c0, %c0, %i] dims [-1, 2] : !rl, !l
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %b = hopper.ring_get %r : !rl -> !bl
      hopper.ring_release %r, %b : !rl, !bl
    }
  }
  tile.return
}

// Rings that advance side by side have one counter in each role.
// CHECK-LABEL: tile.kernel @one_counter
// CHECK: producer {
// CHECK: scf.for %{{.*}} iter_args(%[[N:.*]] = %c0_i32) -> (i32)
// CHECK: hopper.tma_load
// CHECK: %[[NEXT:.*]] = arith.addi %[[N]], %c1_i32
// CHECK: hopper.tma_load
// CHECK-NEXT: scf.yield %[[NEXT]] : i32
// CHECK: consumer {
// CHECK: scf.for %{{.*}} iter_args(%[[N:.*]] = %c0_i32) -> (i32)
// CHECK: %[[PARITY:.*]] = arith.andi
// CHECK: hopper.mbarrier_wait %{{.*}}, %[[PARITY]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[N]], %c1_i32
// CHECK: hopper.mbarrier_wait %{{.*}}, %[[PARITY]]
// CHECK: scf.yield %[[NEXT]] : i32
tile.kernel @one_counter(%k: !m, %v: !m, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {offset = 0 : i64, barriers = 32768 : i64} : !r
  %rv = hopper.ring_alloc {offset = 16384 : i64, barriers = 32800 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %bk = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %bk : !r, !b
      %bv = hopper.ring_get %rv : !r -> !b
      hopper.ring_release %rv, %bv : !r, !b
    }
  }
  tile.return
}

// A ring that gets a buffer more, in front of the loop, has its own.
// CHECK-LABEL: tile.kernel @two_counters
// CHECK: producer {
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %c1_i32, %{{.*}} = %c0_i32) -> (i32, i32)
// CHECK: consumer {
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %c1_i32, %{{.*}} = %c0_i32) -> (i32, i32)
tile.kernel @two_counters(%k: !m, %v: !m, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {offset = 0 : i64, barriers = 32768 : i64} : !r
  %rv = hopper.ring_alloc {offset = 16384 : i64, barriers = 32800 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
    scf.for %i = %c0 to %n step %c1 {
      %bk = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %bk : !r, !b
      %bv = hopper.ring_get %rv : !r -> !b
      hopper.ring_release %rv, %bv : !r, !b
    }
  }
  tile.return
}

// So has one that advances under a condition or beside a nested loop.
// CHECK-LABEL: tile.kernel @conditional
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %c0_i32, %{{.*}} = %c0_i32) -> (i32, i32)
tile.kernel @conditional(%k: !m, %v: !m, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rk = hopper.ring_alloc {offset = 0 : i64, barriers = 32768 : i64} : !r
  %rv = hopper.ring_alloc {offset = 16384 : i64, barriers = 32800 : i64} : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
      scf.if %c {
        hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !r, !m
      }
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %bk = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %bk : !r, !b
      scf.if %c {
        %bv = hopper.ring_get %rv : !r -> !b
        hopper.ring_release %rv, %bv : !r, !b
      }
    }
  }
  tile.return
}

// A shared tile with two buffers: each warpgroup stores its rows as columns
// of the buffer, makes them visible to products, and waits for the others.
// CHECK-LABEL: tile.kernel @two_buffers
// CHECK-SAME: (%[[X:[a-z0-9]+]]: vector<64x64xbf16>
// CHECK-NOT: hopper.mbarrier_init
// CHECK: scf.for %{{.*}} iter_args(%[[N:.*]] = %c0_i32) -> (i32)
// CHECK: %[[SLOT:.*]] = arith.remui %[[N]], %c2_i32
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 0
// CHECK-NEXT: %[[DISTANCE:.*]] = arith.muli %[[SLOT]], %c16384_i32
// CHECK-NEXT: %[[ADDRESS:.*]] = arith.addi %[[BASE]], %[[DISTANCE]]
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[ADDRESS]] : <vector<64x128xbf16>, 64>
// CHECK-NEXT: %[[W:.*]] = hopper.warpgroup
// CHECK-NEXT: %[[COLUMN:.*]] = arith.muli %[[W]], %c64_i32
// CHECK-NEXT: hopper.buffer_store %[[X]], %[[B]][%c0_i32, %[[COLUMN]]]
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %c4_i32, 256
// CHECK: hopper.wgmma %[[B]], %[[B]]
// CHECK-NOT: hopper.named_sync
tile.kernel @two_buffers(%x: vector<64x64xbf16>, %n: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64} : !hopper.ring<2, vector<64x128xbf16>>
  scf.for %i = %c0 to %n step %c1 {
    %b = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
    %p = hopper.wgmma %b, %b contract(1, 1) : !hopper.buffer<vector<64x128xbf16>, 64>, !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.pending<vector<64x64xf32>>
    %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  }
  tile.return
}

// With one buffer, a barrier in front tells that the last tile has been read.
// Columns of the tile are rows of the buffer.
// CHECK-LABEL: tile.kernel @one_buffer
// CHECK: scf.for
// CHECK: hopper.named_sync %c4_i32, 256
// CHECK-NEXT: hopper.shared_address 0
// CHECK: %[[ROW:.*]] = arith.muli %{{.*}}, %c40_i32
// CHECK: hopper.buffer_store %{{.*}}, %{{.*}}[%[[ROW]], %c0_i32] : vector<64x40xbf16>, <vector<80x64xbf16>, 80>
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %c4_i32, 256
tile.kernel @one_buffer(%x: vector<64x40xbf16>, %n: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64} : !hopper.ring<1, vector<80x64xbf16>>
  scf.for %i = %c0 to %n step %c1 {
    %b = hopper.share %x, %r : vector<64x40xbf16>, !hopper.ring<1, vector<80x64xbf16>> -> !hopper.buffer<vector<80x64xbf16>, 80>
  }
  tile.return
}

// One warpgroup shares with itself; a ring of tiles on their way out is
// fa3-expand-reductions'.
// CHECK-LABEL: tile.kernel @one_warpgroup
// CHECK: hopper.ring_alloc {offset = 8192 : i64} : <1, vector<64x64xf32>>
// CHECK: hopper.buffer_store %{{.*}}, %{{.*}}[%c0_i32, %c0_i32]
// CHECK: hopper.named_sync %c4_i32, 128
tile.kernel @one_warpgroup(%x: vector<64x64xbf16>, %y: vector<64x64xf32>, %acc: memref<?x4096xf32>, %i: index) {
  %r = hopper.ring_alloc {offset = 0 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  %o = hopper.ring_alloc {offset = 8192 : i64} : !hopper.ring<1, vector<64x64xf32>>
  %b = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x64xbf16>> -> !b
  hopper.out_put %y, %o : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  hopper.out_reduce %o, %acc[%i, %i] : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32>
  tile.return
}
