// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-partition-warpgroups))' | FileCheck %s

// Tiles that have too few rows for all warpgroups are divided by columns.

!o = memref<?x80xf32, strided<[?, 1]>>
!l = memref<?x?xf32, strided<[?, 1]>>

// Scores of 64 rows and 80 columns: each warpgroup has 40 columns, whose keys
// are rows of the second operand. Stores, coordinates and rows of statistics
// move; a column of statistics, and a reduction of one, have all rows.
// CHECK-LABEL: tile.kernel @columns
// CHECK: %[[W:.*]] = hopper.warpgroup : i32
// CHECK: %[[Q:.*]] = hopper.ring_get %{{.*}} -> <vector<64x64xbf16>, 64>
// CHECK: %[[K:.*]] = hopper.ring_get %{{.*}} -> <vector<80x64xbf16>, 80>
// CHECK: %[[C40:.*]] = arith.constant 40 : i32
// CHECK: %[[FIRST:.*]] = arith.muli %[[W]], %[[C40]] : i32
// CHECK: %[[MINE:.*]] = hopper.rows %[[K]][%[[FIRST]]] : <vector<80x64xbf16>, 80> -> <vector<40x64xbf16>, 80>
// CHECK: hopper.wgmma %[[Q]], %[[MINE]] contract(1, 1) {{.*}} -> <vector<64x40xf32>>
// CHECK: hopper.wait {{.*}} -> vector<64x40xf32>
// CHECK: tile.iota 0 : vector<64x1xi32>
// CHECK-NOT: arith.addi %{{.*}} : vector<64x1xi32>
// CHECK: tile.iota 1 : vector<1x40xi32>
// CHECK: arith.addi %{{.*}}, %{{.*}} : vector<1x40xi32>
// CHECK: arith.constant dense<0xFF800000> : vector<64x40xf32>
// CHECK: tile.load %{{.*}}[%[[I:[a-z0-9]+]], %{{.*}}] dims [0, -1] : {{.*}}, vector<64x1xf32>
// CHECK: %[[J:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK: tile.load %{{.*}}[%{{.*}}, %[[J]]] dims [-1, 1] : {{.*}}, vector<1x40xf32>
// CHECK: tile.reduce add %{{.*}} dim 0 : vector<64x40xf32> -> vector<1x40xf32>
// CHECK: %[[K0:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %[[K0]]] dims [0, 1] : vector<64x40xf32>
tile.kernel @columns(%o: !o, %l: !l, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %rq = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  %rk = hopper.ring_alloc : !hopper.ring<1, vector<80x64xbf16>>
  %q = hopper.ring_get %rq : !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  %k = hopper.ring_get %rk : !hopper.ring<1, vector<80x64xbf16>> -> !hopper.buffer<vector<80x64xbf16>, 80>
  %p = hopper.wgmma %q, %k contract(1, 1) : !hopper.buffer<vector<64x64xbf16>, 64>, !hopper.buffer<vector<80x64xbf16>, 80> -> !hopper.pending<vector<64x80xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x80xf32>> -> vector<64x80xf32>
  %rows = tile.iota 0 : vector<64x1xi32>
  %cols = tile.iota 1 : vector<1x80xi32>
  %rowsb = vector.broadcast %rows : vector<64x1xi32> to vector<64x80xi32>
  %colsb = vector.broadcast %cols : vector<1x80xi32> to vector<64x80xi32>
  %ok = arith.cmpi sle, %colsb, %rowsb : vector<64x80xi32>
  %ninf = arith.constant dense<0xFF800000> : vector<64x80xf32>
  %x = arith.select %ok, %s, %ninf : vector<64x80xi1>, vector<64x80xf32>
  %column = tile.load %l[%i, %c0] dims [0, -1] : !l, vector<64x1xf32>
  %columnb = vector.broadcast %column : vector<64x1xf32> to vector<64x80xf32>
  %y = arith.addf %x, %columnb : vector<64x80xf32>
  %row = tile.load %l[%i, %c0] dims [-1, 1] : !l, vector<1x80xf32>
  %rowb = vector.broadcast %row : vector<1x80xf32> to vector<64x80xf32>
  %z = arith.addf %y, %rowb : vector<64x80xf32>
  %sum = tile.reduce add %z dim 0 : vector<64x80xf32> -> vector<1x80xf32>
  %sumb = vector.broadcast %sum : vector<1x80xf32> to vector<64x80xf32>
  %v = arith.addf %z, %sumb : vector<64x80xf32>
  tile.store %v, %o[%i, %c0] dims [0, 1] : vector<64x80xf32>, !o
  tile.return
}

// A second operand that is stored with the contraction as rows: each warpgroup
// reads its columns, whole panels.
// CHECK-LABEL: tile.kernel @columns_of_the_second
// CHECK: %[[V:.*]] = hopper.ring_get %{{.*}} -> <vector<64x128xbf16>, 64>
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c64_i32
// CHECK: %[[MINE:.*]] = hopper.columns %[[V]][%[[FIRST]]] : <vector<64x128xbf16>, 64> -> <vector<64x64xbf16>, 64>
// CHECK: hopper.wgmma %{{.*}}, %[[MINE]] contract(1, 0) {{.*}} -> <vector<64x64xf32>>
tile.kernel @columns_of_the_second() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 2>} {
  %ra = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  %rv = hopper.ring_alloc : !hopper.ring<1, vector<64x128xbf16>>
  %a = hopper.ring_get %ra : !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  %v = hopper.ring_get %rv : !hopper.ring<1, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  %p = hopper.wgmma %a, %v contract(1, 0) : !hopper.buffer<vector<64x64xbf16>, 64>, !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.pending<vector<64x128xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x128xf32>> -> vector<64x128xf32>
  tile.return
}

// A first operand with the contraction as rows: the product's rows are its
// columns.
// CHECK-LABEL: tile.kernel @columns_of_the_first
// CHECK: %[[K:.*]] = hopper.ring_get
// CHECK: %[[MINE:.*]] = hopper.columns %[[K]][%{{.*}}] : <vector<64x128xbf16>, 64> -> <vector<64x64xbf16>, 64>
// CHECK: hopper.wgmma %[[MINE]], %[[K]] contract(0, 0) {{.*}} -> <vector<64x128xf32>>
tile.kernel @columns_of_the_first() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 2>} {
  %ra = hopper.ring_alloc : !hopper.ring<1, vector<64x128xbf16>>
  %a = hopper.ring_get %ra : !hopper.ring<1, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  %p = hopper.wgmma %a, %a contract(0, 0) : !hopper.buffer<vector<64x128xbf16>, 64>, !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.pending<vector<128x128xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<128x128xf32>> -> vector<128x128xf32>
  tile.return
}

// Rows where they suffice, also beside a tile of columns: what is shared, and
// read from shared memory, belongs to all warpgroups, so that products may be
// divided in another way than what they multiply.
// CHECK-LABEL: tile.kernel @shared
// CHECK: %[[P:.*]] = arith.truncf %{{.*}} : vector<64x40xf32> to vector<64x40xbf16>
// CHECK: %[[B:.*]] = hopper.share %[[P]], %{{.*}} : vector<64x40xbf16>, <1, vector<80x64xbf16>> -> <vector<80x64xbf16>, 80>
// CHECK: %[[MINE:.*]] = hopper.columns %{{.*}}[%{{.*}}] : <vector<80x128xbf16>, 80> -> <vector<80x64xbf16>, 80>
// CHECK: hopper.wgmma %[[MINE]], %[[B]] contract(0, 0) {{.*}} -> <vector<64x64xf32>>
tile.kernel @shared(%x: memref<?x80xf32, strided<[?, 1]>>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %ra = hopper.ring_alloc : !hopper.ring<1, vector<80x128xbf16>>
  %rs = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<80x64xbf16>>
  %a = hopper.ring_get %ra : !hopper.ring<1, vector<80x128xbf16>> -> !hopper.buffer<vector<80x128xbf16>, 80>
  %s = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x80xf32, strided<[?, 1]>>, vector<64x80xf32>
  %p = arith.truncf %s : vector<64x80xf32> to vector<64x80xbf16>
  %b = hopper.share %p, %rs : vector<64x80xbf16>, !hopper.ring<1, vector<80x64xbf16>> -> !hopper.buffer<vector<80x64xbf16>, 80>
  %d = hopper.wgmma %a, %b contract(0, 0) : !hopper.buffer<vector<80x128xbf16>, 80>, !hopper.buffer<vector<80x64xbf16>, 80> -> !hopper.pending<vector<128x64xf32>>
  %r = hopper.wait %d younger 0 : !hopper.pending<vector<128x64xf32>> -> vector<128x64xf32>
  tile.return
}

// Statistics come from buffers that all warpgroups read: the share's rows or
// columns, or all of them.
// CHECK-LABEL: tile.kernel @buffers
// CHECK: %[[COL:.*]] = hopper.ring_get %{{.*}} -> <vector<64x1xf32>, 64>
// CHECK-NEXT: hopper.buffer_load %[[COL]] : <vector<64x1xf32>, 64> -> vector<64x1xf32>
// CHECK: %[[ROW:.*]] = hopper.ring_get %{{.*}} -> <vector<1x80xf32>, 1>
// CHECK: %[[PART:.*]] = hopper.columns %[[ROW]][%{{.*}}] : <vector<1x80xf32>, 1> -> <vector<1x40xf32>, 1>
// CHECK: hopper.buffer_load %[[PART]] : <vector<1x40xf32>, 1> -> vector<1x40xf32>
// CHECK: %[[MANY:.*]] = hopper.ring_get %{{.*}} -> <vector<128x1xf32>, 128>
// CHECK: %[[ROWS:.*]] = hopper.rows %[[MANY]][%{{.*}}] : <vector<128x1xf32>, 128> -> <vector<64x1xf32>, 128>
// CHECK: hopper.buffer_load %[[ROWS]] : <vector<64x1xf32>, 128> -> vector<64x1xf32>
tile.kernel @buffers(%o: !o, %l: !l) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %rc = hopper.ring_alloc : !hopper.ring<1, vector<64x1xf32>>
  %rr = hopper.ring_alloc : !hopper.ring<1, vector<1x80xf32>>
  %rm = hopper.ring_alloc : !hopper.ring<1, vector<128x1xf32>>
  %cb = hopper.ring_get %rc : !hopper.ring<1, vector<64x1xf32>> -> !hopper.buffer<vector<64x1xf32>, 64>
  %c = hopper.buffer_load %cb : !hopper.buffer<vector<64x1xf32>, 64> -> vector<64x1xf32>
  %rb = hopper.ring_get %rr : !hopper.ring<1, vector<1x80xf32>> -> !hopper.buffer<vector<1x80xf32>, 1>
  %r = hopper.buffer_load %rb : !hopper.buffer<vector<1x80xf32>, 1> -> vector<1x80xf32>
  %x = vector.broadcast %c : vector<64x1xf32> to vector<64x80xf32>
  %y = vector.broadcast %r : vector<1x80xf32> to vector<64x80xf32>
  %z = arith.addf %x, %y : vector<64x80xf32>
  tile.store %z, %o[%c0, %c0] dims [0, 1] : vector<64x80xf32>, !o
  %mb = hopper.ring_get %rm : !hopper.ring<1, vector<128x1xf32>> -> !hopper.buffer<vector<128x1xf32>, 128>
  %m = hopper.buffer_load %mb : !hopper.buffer<vector<128x1xf32>, 128> -> vector<128x1xf32>
  tile.store %m, %l[%c0, %c0] dims [0, -1] : vector<128x1xf32>, !l
  tile.return
}

// One constant in tiles that are divided in different ways becomes two.
// CHECK-LABEL: tile.kernel @constants
// CHECK-DAG: arith.constant dense<0.000000e+00> : vector<64x40xf32>
// CHECK-DAG: arith.constant dense<0.000000e+00> : vector<64x1xf32>
// CHECK-DAG: arith.constant dense<0.000000e+00> : vector<1x40xf32>
// CHECK-DAG: arith.constant dense<0.000000e+00> : vector<1x80xf32>
tile.kernel @constants(%o: !o, %l: !l) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<1x80xf32>
  // Beside 64 rows it is divided.
  %x = vector.broadcast %zero : vector<1x80xf32> to vector<64x80xf32>
  %y = arith.constant dense<0.0> : vector<64x80xf32>
  %z = arith.addf %x, %y : vector<64x80xf32>
  tile.store %z, %o[%c0, %c0] dims [0, 1] : vector<64x80xf32>, !o
  // Beside 128 rows it is not.
  %s = arith.constant dense<0.0> : vector<128x1xf32>
  %u = vector.broadcast %zero : vector<1x80xf32> to vector<128x80xf32>
  %v = vector.broadcast %s : vector<128x1xf32> to vector<128x80xf32>
  %w = arith.addf %u, %v : vector<128x80xf32>
  tile.store %w, %o[%c0, %c0] dims [0, 1] : vector<128x80xf32>, !o
  tile.return
}

!w = memref<?x8192xf32, strided<[?, 1]>>

// A packed tile's rows are consecutive in memory: 64 rows of 64 elements. What
// all warpgroups have put is added as a whole.
// CHECK-LABEL: tile.kernel @packed
// CHECK: %[[C4096:.*]] = arith.constant 4096 : i32
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %[[C4096]]
// CHECK: %[[CAST:.*]] = arith.index_cast %[[FIRST]]
// CHECK: %[[E:.*]] = arith.addi %{{.*}}, %[[CAST]] : index
// CHECK: %[[X:.*]] = tile.load %{{.*}}[%[[I:.*]], %[[E]]] dims [] : {{.*}}, vector<64x64xf32>
// CHECK: tile.store %[[X]], %{{.*}}[%[[I]], %{{[a-z0-9]+}}] dims [] : vector<64x64xf32>
// CHECK: arith.addi
// CHECK: tile.reduce_store %[[X]], %{{.*}}[%[[I]], %{{[a-z0-9]+}}] : vector<64x64xf32>
// CHECK-NOT: arith.addi
// CHECK: hopper.out_put %[[X]], %[[OUT:.*]] : vector<64x64xf32>, <1, vector<128x64xf32>>
// CHECK-NEXT: hopper.out_reduce %[[OUT]], %{{.*}}[%[[I]], %{{[a-z0-9]+}}] : <1, vector<128x64xf32>>
tile.kernel @packed(%w: !w, %i: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<128x64xf32>>
  %x = tile.load %w[%i, %c0] dims [] : !w, vector<128x64xf32>
  tile.store %x, %w[%i, %c0] dims [] : vector<128x64xf32>, !w
  tile.reduce_store %x, %w[%i, %c0] : vector<128x64xf32>, !w
  hopper.out_put %x, %ring : vector<128x64xf32>, !hopper.ring<1, vector<128x64xf32>>
  hopper.out_reduce %ring, %w[%i, %c0] : !hopper.ring<1, vector<128x64xf32>>, !w
  tile.return
}

// A factor, a tile of one element, has no share: tiles that it is broadcast to
// are divided each in its own way. So are those whose largest element goes to
// memory; every warpgroup raises the same element.
// CHECK-LABEL: tile.kernel @factor
// CHECK: %[[F:.*]] = tile.load %{{.*}} dims [-1, -1] : {{.*}}, vector<1x1xf32>
// CHECK: %[[G:.*]] = arith.mulf %[[F]], %{{.*}} : vector<1x1xf32>
// CHECK: vector.broadcast %[[G]] : vector<1x1xf32> to vector<64x40xf32>
// CHECK: %[[FEW:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<64x40xf32>
// CHECK: vector.broadcast %[[G]] : vector<1x1xf32> to vector<64x80xf32>
// CHECK: %[[MANY:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<64x80xf32>
// CHECK: %[[M:.*]] = tile.reduce maxnum %[[MANY]] dim 1 : vector<64x80xf32> -> vector<64x1xf32>
// CHECK: tile.max_store %[[M]], %[[L:.*]][%[[I:.*]], %[[J:.*]]] : vector<64x1xf32>
// CHECK-NEXT: tile.max_store %[[FEW]], %[[L]][%[[I]], %[[J]]] : vector<64x40xf32>
// CHECK-NEXT: tile.max_store %[[F]], %[[L]][%[[I]], %[[J]]] : vector<1x1xf32>
tile.kernel @factor(%o: !o, %l: !l, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %loaded = tile.load %l[%i, %c0] dims [-1, -1] : !l, vector<1x1xf32>
  %half = arith.constant dense<0.5> : vector<1x1xf32>
  %factor = arith.mulf %loaded, %half : vector<1x1xf32>
  %few = vector.broadcast %factor : vector<1x1xf32> to vector<64x80xf32>
  %x = tile.load %o[%i, %c0] dims [0, 1] : !o, vector<64x80xf32>
  %y = arith.mulf %x, %few : vector<64x80xf32>
  %many = vector.broadcast %factor : vector<1x1xf32> to vector<128x80xf32>
  %z = tile.load %o[%i, %c0] dims [0, 1] : !o, vector<128x80xf32>
  %w = arith.mulf %z, %many : vector<128x80xf32>
  %m = tile.reduce maxnum %w dim 1 : vector<128x80xf32> -> vector<128x1xf32>
  tile.max_store %m, %l[%i, %c0] : vector<128x1xf32>, !l
  tile.max_store %y, %l[%i, %c0] : vector<64x80xf32>, !l
  tile.max_store %loaded, %l[%i, %c0] : vector<1x1xf32>, !l
  tile.return
}

// Pairs of rows are in one warp: such a tile is divided by rows, columns of what
// is shared.
// CHECK-LABEL: tile.kernel @pairs
// CHECK: %[[P:.*]] = tile.pair_rows %{{.*}} : vector<64x80xf32> -> vector<64x80xf8E4M3FN>
// CHECK: hopper.share %[[P]], %{{.*}} : vector<64x80xf8E4M3FN>, <1, vector<80x128xf8E4M3FN>> -> <vector<80x128xf8E4M3FN>, 80>
tile.kernel @pairs(%o: !o, %i: index) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 80, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<80x128xf8E4M3FN>>
  %x = tile.load %o[%i, %c0] dims [0, 1] : !o, vector<128x80xf32>
  %p = tile.pair_rows %x : vector<128x80xf32> -> vector<128x80xf8E4M3FN>
  %b = hopper.share %p, %ring : vector<128x80xf8E4M3FN>, !hopper.ring<1, vector<80x128xf8E4M3FN>> -> !hopper.buffer<vector<80x128xf8E4M3FN>, 80>
  tile.return
}
