// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-stage-stores),canonicalize,cse)' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-stage-stores))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

!t = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>>
!wide = memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>>
!ring = !hopper.ring<1, vector<128x64xbf16>>
!buffer = !hopper.buffer<vector<128x64xbf16>, 128>
!part = !hopper.buffer<vector<64x64xbf16>, 128>
!f32 = vector<128x64xf32>

// The tile takes the place of the rows that its warpgroup alone has used: no
// warpgroup waits for another one.
// CHECK-LABEL: tile.kernel @own
// CHECK-SAME: (%[[O:[a-z0-9]+]]: memref<{{.*}}>, %[[T:[a-z0-9]+]]: vector<64x64xbf16>
// CHECK-SAME: %[[MAP:[a-z0-9]+]]: !hopper.tensor_map<0, [1, 64, 1, 64]>
// CHECK-SAME: hopper.shared_memory = 16400 : i64
// CHECK: hopper.ring_release
// CHECK-NEXT: %[[BASE:.*]] = hopper.shared_address 0
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[BASE]] : <vector<128x64xbf16>, 128>
// CHECK-NEXT: hopper.buffer_store %[[T]], %[[B]][%{{.*}}, %c0_i32] straight
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: %[[BARRIER:.*]] = arith.addi %[[W:.*]], %c11_i32
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK-NEXT: %[[ROW:.*]] = arith.index_cast
// CHECK-NEXT: %[[BYTES:.*]] = arith.muli %[[W]], %c8192_i32
// CHECK-NEXT: %[[ADDRESS:.*]] = arith.addi %[[BASE]], %[[BYTES]]
// CHECK: %[[ELECTED:.*]] = arith.cmpi eq
// CHECK-NEXT: hopper.tma_store %[[MAP]][%c0_i32, %[[ROW]], %c0_i32, %c0_i32], %[[ADDRESS]] if %[[ELECTED]]
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: tile.return
// REMARK: 1 stores go through shared memory"
tile.kernel @own(%o: !t, %t: vector<64x64xbf16>, %r: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 16400 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : i32
  %w = hopper.warpgroup : i32
  %first = arith.muli %w, %c64 : i32
  %rows = arith.index_cast %first : i32 to index
  %row = arith.addi %r, %rows : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 16384 : i64} : !ring
  hopper.ring_put %ring, %o[%c0, %r, %c0, %c0] dims [1, 3] : !ring, !t
  %q = hopper.ring_get %ring : !ring -> !buffer
  %part = hopper.rows %q[%first] : !buffer -> !part
  hopper.ring_release %ring, %q : !ring, !buffer
  tile.store %t, %o[%c0, %row, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  tile.return
}

// All warpgroups have used the ring as a whole: they wait for each other, once.
// The second tile does not take the place of the first, nor of sums that a copy
// may still be reading, but that behind everything. Its rows run along the
// tensor's last dimension: it is stored transposed, in panels of 64 of them.
// CHECK-LABEL: tile.kernel @all
// CHECK-SAME: hopper.shared_memory = 82944 : i64
// CHECK: hopper.named_sync %c14_i32, 256
// CHECK: hopper.shared_address 0
// CHECK: hopper.buffer_store %{{.*}} straight : vector<64x64xbf16>, <vector<128x64xbf16>, 128>
// CHECK: hopper.tma_store
// CHECK: %[[BASE:.*]] = hopper.shared_address 50176
// CHECK: hopper.buffer_store %{{.*}}, %{{.*}}[%c0_i32, %{{.*}}] : vector<128x64xbf16>, <vector<64x256xbf16>, 64>
// CHECK: arith.muli %{{.*}}, %c16384_i32
// CHECK: %[[PANEL:.*]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: hopper.tma_store %{{.*}}, %[[PANEL]] if
// CHECK-DAG: %[[NEXT:.*]] = arith.addi %[[PANEL]], %c8192_i32
// CHECK-DAG: %[[COLUMN:.*]] = arith.addi %{{.*}}, %c64_i32
// CHECK: hopper.tma_store %{{.*}}, %[[COLUMN]]], %[[NEXT]] if %{{.*}} : <1, [1, 64, 1, 64]>
// CHECK-NOT: hopper.named_sync %c14_i32
// CHECK: hopper.bulk_wait{{$}}
// REMARK: 2 stores go through shared memory, behind a barrier of all warpgroups
tile.kernel @all(%o: !t, %p: !wide, %t: vector<64x64xbf16>, %u: vector<128x64xbf16>, %s: vector<64x64xf32>, %r: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 49200 : i64} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 49184 : i64} : !ring
  %sums = hopper.ring_alloc {consumers = 2 : i64, offset = 16384 : i64} : !hopper.ring<1, !f32>
  hopper.out_put %s, %sums : vector<64x64xf32>, !hopper.ring<1, !f32>
  hopper.ring_put %ring, %o[%c0, %r, %c0, %c0] dims [1, 3] : !ring, !t
  %q = hopper.ring_get %ring : !ring -> !buffer
  %zero = arith.constant 0 : i32
  %part = hopper.rows %q[%zero] : !buffer -> !part
  hopper.ring_release %ring, %q : !ring, !buffer
  tile.store %t, %o[%c0, %r, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  tile.store %u, %p[%c0, %r, %c0, %r] dims [3, 1] : vector<128x64xbf16>, !wide
  tile.return
}

// Threads that add to memory wait for all of their copies at the end.
// CHECK-LABEL: tile.kernel @reduces
// CHECK: hopper.tma_store
// CHECK-NOT: hopper.bulk_wait
tile.kernel @reduces(%o: !t, %acc: memref<?x8192xf32, strided<[?, 1]>>, %t: vector<64x64xbf16>, %s: vector<64x64xf32>, %r: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 32768 : i64} {
  %c0 = arith.constant 0 : index
  %sums = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64} : !hopper.ring<1, !f32>
  hopper.out_put %s, %sums : vector<64x64xf32>, !hopper.ring<1, !f32>
  hopper.out_reduce %sums, %acc[%r, %c0] : !hopper.ring<1, !f32>, memref<?x8192xf32, strided<[?, 1]>>
  tile.store %t, %o[%c0, %r, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  tile.return
}

// Where some warpgroups do not work, nobody can wait for all of them; the tile
// goes behind the rings.
// CHECK-LABEL: tile.kernel @idle
// CHECK-SAME: hopper.shared_memory = 33792 : i64
// CHECK: consumer
// CHECK-NOT: hopper.named_sync %c14_i32
// CHECK: hopper.shared_address 17408
// CHECK: hopper.tma_store
// CHECK: hopper.bulk_wait{{$}}
// CHECK-NEXT: }
tile.kernel @idle(%o: !t, %t: vector<64x64xbf16>, %r: index, %active: i32) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>, hopper.shared_memory = 16400 : i64} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 16384 : i64} : !ring
  hopper.specialize active %active {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %ring, %o[%c0, %r, %c0, %c0] dims [1, 3] : !ring, !t
  } consumer {
    %zero = arith.constant 0 : i32
    %q = hopper.ring_get %ring : !ring -> !buffer
    %part = hopper.rows %q[%zero] : !buffer -> !part
    hopper.ring_release %ring, %q : !ring, !buffer
    tile.store %t, %o[%c0, %r, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  }
  tile.return
}

// Threads store their registers: in front of other uses of rings, f32, 8-bit
// floats, and a tile that ends within a panel and within the tensor.
// CHECK-LABEL: tile.kernel @not
// CHECK-NOT: hopper.tma_store
// CHECK-COUNT-4: tile.store
// CHECK-NOT: hopper.bulk_wait
tile.kernel @not(%o: !t, %f: memref<?x64xf32>, %t: vector<64x64xbf16>, %u: vector<64x32xbf16>, %l: vector<64x64xf32>, %bytes: memref<?x128xf8E4M3FN>, %b: vector<64x128xf8E4M3FN>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, specialize = false>, hopper.shared_memory = 16400 : i64} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !ring
  tile.store %t, %o[%c0, %c0, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  hopper.ring_put %ring, %o[%c0, %c0, %c0, %c0] dims [1, 3] : !ring, !t
  tile.store %l, %f[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32>
  tile.store %b, %bytes[%c0, %c0] dims [0, 1] : vector<64x128xf8E4M3FN>, memref<?x128xf8E4M3FN>
  tile.store %u, %o[%c0, %c0, %c0, %c0] dims [1, 3] : vector<64x32xbf16>, !t
  tile.return
}

// In a loop rings are in use: tiles have places behind them. The first store of an
// iteration waits until the copies of the last one have read those; the second
// one, transposed, need not.
// CHECK-LABEL: tile.kernel @loop
// CHECK-SAME: hopper.shared_memory = 66560 : i64
// CHECK: consumer
// CHECK: scf.for
// CHECK: hopper.ring_release
// CHECK-NOT: hopper.named_sync
// CHECK: %[[FIRST:.*]] = hopper.shared_address 17408
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[FIRST]]
// CHECK-NEXT: hopper.bulk_wait
// CHECK-NEXT: %[[BARRIER:.*]] = arith.addi %{{.*}}, %c11_i32
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK-NEXT: hopper.buffer_store %{{.*}}, %[[B]]
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK: hopper.tma_store
// CHECK-NOT: hopper.bulk_wait
// CHECK: %[[SECOND:.*]] = hopper.shared_address 33792
// CHECK-NEXT: hopper.view %[[SECOND]]
// CHECK-NEXT: hopper.buffer_store
// CHECK-NEXT: hopper.fence_proxy_async
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 128
// CHECK: hopper.tma_store
// CHECK: hopper.tma_store
// CHECK: }
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: }
// REMARK: 2 stores go through shared memory"
tile.kernel @loop(%o: !t, %p: !wide, %t: vector<64x64xbf16>, %u: vector<128x64xbf16>, %n: index, %active: i32) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>, hopper.shared_memory = 16400 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 16384 : i64} : !ring
  hopper.specialize active %active {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %i = %c0 to %n step %c1 {
      hopper.ring_put %ring, %o[%c0, %i, %c0, %c0] dims [1, 3] : !ring, !t
    }
  } consumer {
    scf.for %i = %c0 to %n step %c1 {
      %q = hopper.ring_get %ring : !ring -> !buffer
      hopper.ring_release %ring, %q : !ring, !buffer
      tile.store %t, %o[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
      tile.store %u, %p[%c0, %i, %c0, %c0] dims [3, 1] : vector<128x64xbf16>, !wide
    }
  }
  tile.return
}

// There is no room for another tile: the second one takes the first one's place,
// once the copies have read that. One of which there is no equal stays with the
// threads.
// CHECK-LABEL: tile.kernel @full
// CHECK-SAME: hopper.shared_memory = 231424 : i64
// CHECK: scf.for
// CHECK: %[[BASE:.*]] = hopper.shared_address 215040
// CHECK: %[[B:.*]] = hopper.view %[[BASE]]
// CHECK: hopper.bulk_wait
// CHECK: hopper.named_sync
// CHECK-NEXT: hopper.buffer_store %{{.*}}, %[[B]]
// CHECK: hopper.tma_store
// CHECK: tile.store {{.*}} : vector<64x128xbf16>
// CHECK-NEXT: hopper.bulk_wait
// CHECK-NEXT: hopper.named_sync
// CHECK-NEXT: hopper.buffer_store %{{.*}}, %[[B]]
// CHECK: hopper.tma_store
// CHECK: }
// CHECK-NEXT: hopper.bulk_wait
// REMARK: 2 stores go through shared memory"
tile.kernel @full(%o: !t, %p: !wide, %t: vector<64x64xbf16>, %u: vector<64x128xbf16>, %n: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 214500 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    tile.store %t, %o[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
    tile.store %u, %p[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x128xbf16>, !wide
    tile.store %t, %o[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  }
  tile.return
}

// One byte more, and not even one tile has room.
// CHECK-LABEL: tile.kernel @no_room
// CHECK-SAME: hopper.shared_memory = 216065 : i64
// CHECK: scf.for
// CHECK-NEXT: tile.store
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @no_room(%o: !t, %t: vector<64x64xbf16>, %n: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 216065 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    tile.store %t, %o[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  }
  tile.return
}

// The tile behind the loop takes the place of a ring that all warpgroups use in
// it: they wait for each other behind the loop, not in front of the store in it,
// which has a place of its own.
// CHECK-LABEL: tile.kernel @loop_and_end
// CHECK-SAME: hopper.shared_memory = 66560 : i64
// CHECK-NOT: hopper.named_sync
// CHECK: scf.for
// CHECK: hopper.ring_release
// CHECK-NOT: hopper.named_sync %c14_i32
// CHECK: hopper.shared_address 50176
// CHECK-NOT: hopper.named_sync %c14_i32
// CHECK: hopper.tma_store
// CHECK-NOT: hopper.named_sync
// CHECK: }
// CHECK-NEXT: hopper.named_sync %c14_i32, 256
// CHECK: %[[BASE:.*]] = hopper.shared_address 0
// CHECK-NEXT: %[[B:.*]] = hopper.view %[[BASE]]
// CHECK-NEXT: hopper.buffer_store %{{.*}}, %[[B]]
// CHECK-NOT: hopper.named_sync %c14_i32
// CHECK: hopper.tma_store
// CHECK-NEXT: hopper.bulk_wait{{$}}
// CHECK-NEXT: tile.return
// REMARK: 2 stores go through shared memory, behind a barrier of all warpgroups
tile.kernel @loop_and_end(%o: !t, %t: vector<64x64xbf16>, %n: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2, specialize = false>, hopper.shared_memory = 49200 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %ring = hopper.ring_alloc {consumers = 2 : i64, offset = 0 : i64, barriers = 49184 : i64} : !ring
  scf.for %i = %c0 to %n step %c1 {
    hopper.ring_put %ring, %o[%c0, %i, %c0, %c0] dims [1, 3] : !ring, !t
    %q = hopper.ring_get %ring : !ring -> !buffer
    %part = hopper.rows %q[%zero] : !buffer -> !part
    hopper.ring_release %ring, %q : !ring, !buffer
    tile.store %t, %o[%c0, %i, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  }
  tile.store %t, %o[%c0, %c0, %c0, %c0] dims [1, 3] : vector<64x64xbf16>, !t
  tile.return
}
