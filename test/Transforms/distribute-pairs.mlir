// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute),canonicalize,cse)' | FileCheck %s

// Pairs of rows of 8-bit floats that are 8 apart, and how memory gets them.

!f = memref<?x48xf32, strided<[?, 1]>>

// A thread has both rows of a pair: for each 16 columns a quadruple of either,
// whose bytes become two columns of pairs in each of two registers. These are
// 8x8 matrices of 16-bit elements, which stmatrix transposes. Lane 8 i + r has
// row r of matrix i, four groups of columns at a time; a warp's 16 rows are one
// chunk of 16 bytes, which the swizzle moves by the row modulo 8. 48 columns
// are 6 groups: an instruction of 4 matrices, and one of 2.
// CHECK-LABEL: tile.kernel @pairs
// CHECK-SAME: %[[ROW:[a-z0-9]+]]: i32, %[[COLUMN:[a-z0-9]+]]: i32
// CHECK-DAG: %[[A:.*]] = hopper.shared_address 0
// CHECK-DAG: %[[T:.*]] = hopper.thread_id
// CHECK-DAG: %[[T5:.*]] = arith.shrui %[[T]], %c5_i32
// CHECK-DAG: %[[WARP:.*]] = arith.andi %[[T5]], %c3_i32
// CHECK: %[[U0:.*]] = hopper.pack %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} to f8E4M3FN
// CHECK: %[[L0:.*]] = hopper.pack %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} to f8E4M3FN
// 0x5140 and 0x7362.
// CHECK: %[[P0:.*]] = hopper.permute_bytes %[[U0]], %[[L0]], 20800
// CHECK: %[[P1:.*]] = hopper.permute_bytes %[[U0]], %[[L0]], 29538
// CHECK: %[[U1:.*]] = hopper.pack
// CHECK: %[[L1:.*]] = hopper.pack
// CHECK: %[[P2:.*]] = hopper.permute_bytes %[[U1]], %[[L1]], 20800
// CHECK: %[[P3:.*]] = hopper.permute_bytes %[[U1]], %[[L1]], 29538
// CHECK: %[[P4:.*]] = hopper.permute_bytes %{{.*}}, %{{.*}}, 20800
// CHECK: %[[P5:.*]] = hopper.permute_bytes %{{.*}}, %{{.*}}, 29538
// CHECK: %[[R:.*]] = arith.andi %[[T]], %c7_i32
// CHECK: %[[T3:.*]] = arith.shrui %[[T]], %c3_i32
// CHECK: %[[MATRIX:.*]] = arith.andi %[[T3]], %c3_i32
// CHECK: %[[M8:.*]] = arith.muli %[[MATRIX]], %c8_i32
// CHECK: %[[IN:.*]] = arith.addi %[[M8]], %[[R]]
// CHECK: %[[LINE:.*]] = arith.addi %[[IN]], %[[ROW]]
// Panels have 128 columns; here, 48 rows.
// CHECK: %[[PANEL:.*]] = arith.shrui %[[COLUMN]], %c7_i32
// CHECK: %[[C4:.*]] = arith.shrui %[[COLUMN]], %c4_i32
// CHECK: %[[FIRST:.*]] = arith.andi %[[C4]], %c7_i32
// CHECK: %[[CHUNK:.*]] = arith.addi %[[FIRST]], %[[WARP]]
// CHECK: %[[SWIZZLED:.*]] = arith.xori %[[CHUNK]], %[[R]]
// CHECK: %[[PANEL0:.*]] = arith.muli %[[PANEL]], %c6144_i32
// CHECK: %[[B:.*]] = arith.addi %[[A]], %[[PANEL0]]
// CHECK: %[[LINE0:.*]] = arith.muli %[[LINE]], %c128_i32
// CHECK: %[[D:.*]] = arith.addi %[[B]], %[[LINE0]]
// CHECK: %[[PLACE:.*]] = arith.muli %[[SWIZZLED]], %c16_i32
// CHECK: %[[E:.*]] = arith.addi %[[D]], %[[PLACE]]
// CHECK: hopper.store_matrix %[[E]], %[[P0]], %[[P1]], %[[P2]], %[[P3]] : i32, i32, i32, i32
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[E]], %c4096_i32
// CHECK-NEXT: hopper.store_matrix %[[NEXT]], %[[P4]], %[[P5]] : i32, i32{{$}}
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @pairs(%x: !f, %row: i32, %column: i32) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<48x256xf8E4M3FN>, 48>
  %t = tile.load %x[%c0, %c0] dims [0, 1] : !f, vector<64x48xf32>
  %p = tile.pair_rows %t : vector<64x48xf32> -> vector<64x48xf8E4M3FN>
  hopper.buffer_store %p, %b[%row, %column] : vector<64x48xf8E4M3FN>, !hopper.buffer<vector<48x256xf8E4M3FN>, 48>
  tile.return
}

// 64 rows are half of a panel: of 192 rows, the first 64 and the next ones share
// the first panel, and the last ones are in the second, 16 rows of 128 bytes
// further on.
// CHECK-LABEL: tile.kernel @panels
// CHECK: %[[SWIZZLED:.*]] = arith.xori
// CHECK: %[[PLACE:.*]] = arith.muli %[[SWIZZLED]], %c16_i32
// CHECK: %[[FIRST:.*]] = arith.addi %[[ROWS:.*]], %[[PLACE]]
// CHECK-NEXT: hopper.store_matrix %[[FIRST]], %{{.*}}, %{{.*}} : i32, i32{{$}}
// CHECK-NEXT: %[[HALF:.*]] = arith.xori %[[SWIZZLED]], %c4_i32
// CHECK-NEXT: %[[PLACE1:.*]] = arith.muli %[[HALF]], %c16_i32
// CHECK-NEXT: %[[SECOND:.*]] = arith.addi %[[ROWS]], %[[PLACE1]]
// CHECK-NEXT: hopper.store_matrix %[[SECOND]], %{{.*}}, %{{.*}} : i32, i32{{$}}
// CHECK-NEXT: %[[THIRD:.*]] = arith.addi %[[FIRST]], %c2048_i32
// CHECK-NEXT: hopper.store_matrix %[[THIRD]], %{{.*}}, %{{.*}} : i32, i32{{$}}
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @panels(%x: !f) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<16x192xf8E5M2>, 16>
  %t = tile.load %x[%c0, %c0] dims [0, 1] : !f, vector<192x16xf32>
  %p = tile.pair_rows %t : vector<192x16xf32> -> vector<192x16xf8E5M2>
  hopper.buffer_store %p, %b[%zero, %zero] : vector<192x16xf8E5M2>, !hopper.buffer<vector<16x192xf8E5M2>, 16>
  tile.return
}

// In global memory the same order takes the bytes of two transposed matrices in
// turn, 0x6240 and 0x7351, where tile.interleave has those of one after the
// other's.
!v = memref<?x?x?x64xf8E4M3FN, strided<[?, ?, ?, 1]>>
!t = memref<?x?x64x?xf8E4M3FN, strided<[?, ?, ?, 1]>>
// CHECK-LABEL: tile.kernel @stored
// CHECK: %[[X0:.*]] = hopper.global_load %arg0
// CHECK: %[[X1:.*]] = hopper.global_load %arg0
// CHECK: %[[T0:.*]] = hopper.transpose_matrix %[[X0]]
// CHECK: %[[T1:.*]] = hopper.transpose_matrix %[[X1]]
// CHECK: %[[B0:.*]] = hopper.permute_bytes %[[T0]], %[[T1]], 25152
// CHECK: hopper.global_store %arg1[%c0_i32, %c0_i32, %[[EVEN:.*]], %[[PLACE:.*]]], %[[B0]] if
// CHECK: %[[ODD:.*]] = arith.addi %[[EVEN]], %c1_i32
// CHECK: %[[B1:.*]] = hopper.permute_bytes %[[T0]], %[[T1]], 29521
// CHECK: hopper.global_store %arg1[%c0_i32, %c0_i32, %[[ODD]], %[[PLACE]]], %[[B1]] if
// CHECK-NOT: hopper.global_store
// CHECK: tile.return
tile.kernel @stored(%v: !v, %t: !t) {
  %c0 = arith.constant 0 : index
  %x = tile.load %v[%c0, %c0, %c0, %c0] dims [1, 3] : !v, vector<64x16xf8E4M3FN>
  tile.store %x, %t[%c0, %c0, %c0, %c0] dims [3, 2] paired : vector<64x16xf8E4M3FN>, !t
  tile.return
}

// A tile that is only copied is transposed by whole warps, in that order, too.
// CHECK-LABEL: tile.kernel @copied
// CHECK-COUNT-8: hopper.global_load %arg0
// CHECK-NOT: hopper.global_load
// CHECK-COUNT-8: hopper.transpose_matrix
// CHECK-COUNT-4: hopper.permute_bytes {{.*}}, 25152
// CHECK: hopper.global_store %arg1[{{.*}}], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} if
// CHECK-COUNT-4: hopper.permute_bytes {{.*}}, 29521
// CHECK: hopper.global_store %arg1[{{.*}}], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} if
// CHECK-NOT: hopper.global_store
// CHECK: tile.return
tile.kernel @copied(%v: !v, %t: !t) {
  %c0 = arith.constant 0 : index
  %x = tile.load %v[%c0, %c0, %c0, %c0] dims [1, 3] : !v, vector<64x64xf8E4M3FN>
  tile.store %x, %t[%c0, %c0, %c0, %c0] dims [3, 2] paired : vector<64x64xf8E4M3FN>, !t
  tile.return
}
