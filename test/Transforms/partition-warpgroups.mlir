// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-partition-warpgroups))' | FileCheck %s

!o = memref<?x32xf32, strided<[?, 1]>>
!l = memref<?xf32, strided<[1]>>

// Two warpgroups of 64 rows: operands in shared memory, coordinates and stores
// move by the share's first row; columns and scalars stay.
// CHECK-LABEL: tile.kernel @two
// CHECK: %[[W:.*]] = hopper.warpgroup : i32
// CHECK: %[[Q:.*]] = hopper.ring_get %{{.*}} -> <vector<128x64xbf16>, 128>
// CHECK: %[[K:.*]] = hopper.ring_get
// CHECK: %[[C64:.*]] = arith.constant 64 : i32
// CHECK: %[[FIRST:.*]] = arith.muli %[[W]], %[[C64]] : i32
// CHECK: %[[MINE:.*]] = hopper.rows %[[Q]][%[[FIRST]]] : <vector<128x64xbf16>, 128> -> <vector<64x64xbf16>, 128>
// CHECK: hopper.wgmma %[[MINE]], %[[K]] contract(1, 1) {{.*}} -> <vector<64x32xf32>>
// CHECK: hopper.wait {{.*}} -> vector<64x32xf32>
// CHECK: %[[ROWS:.*]] = tile.iota 0 : vector<64x1xi32>
// CHECK: arith.addi %[[ROWS]], %{{.*}} : vector<64x1xi32>
// CHECK: tile.iota 1 : vector<1x32xi32>
// CHECK: arith.constant dense<0xFF800000> : vector<64x32xf32>
// CHECK: %[[I:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK: tile.store %{{.*}}, %{{.*}}[%[[I]], %{{.*}}] dims [0, 1] : vector<64x32xf32>
tile.kernel @two(%o: !o, %i: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %rq = hopper.ring_alloc : !hopper.ring<1, vector<128x64xbf16>>
  %rk = hopper.ring_alloc : !hopper.ring<1, vector<32x64xbf16>>
  %q = hopper.ring_get %rq : !hopper.ring<1, vector<128x64xbf16>> -> !hopper.buffer<vector<128x64xbf16>, 128>
  %k = hopper.ring_get %rk : !hopper.ring<1, vector<32x64xbf16>> -> !hopper.buffer<vector<32x64xbf16>, 32>
  %p = hopper.wgmma %q, %k contract(1, 1) : !hopper.buffer<vector<128x64xbf16>, 128>, !hopper.buffer<vector<32x64xbf16>, 32> -> !hopper.pending<vector<128x32xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<128x32xf32>> -> vector<128x32xf32>
  %rows = tile.iota 0 : vector<128x1xi32>
  %cols = tile.iota 1 : vector<1x32xi32>
  %rowsb = vector.broadcast %rows : vector<128x1xi32> to vector<128x32xi32>
  %colsb = vector.broadcast %cols : vector<1x32xi32> to vector<128x32xi32>
  %ok = arith.cmpi sle, %colsb, %rowsb : vector<128x32xi32>
  %ninf = arith.constant dense<0xFF800000> : vector<128x32xf32>
  %x = arith.select %ok, %s, %ninf : vector<128x32xi1>, vector<128x32xf32>
  tile.store %x, %o[%i, %c0] dims [0, 1] : vector<128x32xf32>, !o
  tile.return
}

// A tile that a loop carries is divided before the loop's body is: its store
// moves by 64 rows, not by 192.
// CHECK-LABEL: tile.kernel @carried
// CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (vector<64x1xf32>)
// CHECK-NEXT: %[[C64:.*]] = arith.constant 64 : i32
// CHECK-NEXT: %[[FIRST:.*]] = arith.muli %{{.*}}, %[[C64]] : i32
// CHECK-NEXT: %[[OFFSET:.*]] = arith.index_cast %[[FIRST]]
// CHECK-NEXT: %[[I:.*]] = arith.addi %{{.*}}, %[[OFFSET]]
// CHECK-NEXT: tile.store %[[ACC]], %{{.*}}[%[[I]]] dims [0, -1] : vector<64x1xf32>
// CHECK: scf.if {{.*}} -> (vector<64x1xf32>)
tile.kernel @carried(%l: !l, %n: index, %c: i1) attributes {schedule = #tile.schedule<block_q = 192, block_kv = 32, warpgroups = 3, producer_registers = 32, consumer_registers = 160>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %init = tile.load %l[%c0] dims [0, -1] : !l, vector<192x1xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%x = %init) -> (vector<192x1xf32>) {
    tile.store %x, %l[%j] dims [0, -1] : vector<192x1xf32>, !l
    %y = scf.if %c -> vector<192x1xf32> {
      %z = arith.addf %x, %x : vector<192x1xf32>
      scf.yield %z : vector<192x1xf32>
    } else {
      scf.yield %x : vector<192x1xf32>
    }
    scf.yield %y : vector<192x1xf32>
  }
  tile.return
}

// One warpgroup has all rows.
// CHECK-LABEL: tile.kernel @one
// CHECK-NOT: hopper.warpgroup
// CHECK: tile.load {{.*}} vector<128x1xf32>
tile.kernel @one(%l: !l) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 1>} {
  %c0 = arith.constant 0 : index
  %x = tile.load %l[%c0] dims [0, -1] : !l, vector<128x1xf32>
  tile.store %x, %l[%c0] dims [0, -1] : vector<128x1xf32>, !l
  tile.return
}

// Without a schedule there is one warpgroup.
// CHECK-LABEL: tile.kernel @no_schedule
// CHECK-NOT: hopper.warpgroup
// CHECK: tile.return
tile.kernel @no_schedule(%l: !l) {
  %c0 = arith.constant 0 : index
  %x = tile.load %l[%c0] dims [0, -1] : !l, vector<64x1xf32>
  tile.store %x, %l[%c0] dims [0, -1] : vector<64x1xf32>, !l
  tile.return
}
