// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute),canonicalize,cse)' | FileCheck %s

// Shared memory and packed tiles of one thread.

!row = !hopper.buffer<vector<1x16xf32>, 1>
!col = !hopper.buffer<vector<64x1xf32>, 64>
!o = memref<?x16xf32, strided<[?, 1]>>
!w = memref<?x4096xf32, strided<[?, 1]>>
!h = memref<?x64xbf16, strided<[?, 1]>>

// Of a row, a thread reads its two columns of each group of 8: 2 * (lane % 4),
// 4 bytes each, 32 bytes from group to group.
// CHECK-LABEL: tile.kernel @row
// CHECK-DAG: %[[A:.*]] = hopper.shared_address 0
// CHECK-DAG: %[[FOUR:.*]] = arith.andi %{{.*}}, %c3_i32
// CHECK: %[[FIRST:.*]] = arith.addi %[[A]], %{{.*}}
// CHECK: %[[X:.*]]:2 = hopper.shared_load %[[FIRST]] : f32, f32
// CHECK-NEXT: %[[SECOND:.*]] = arith.addi %[[FIRST]], %c32_i32
// CHECK-NEXT: %[[Y:.*]]:2 = hopper.shared_load %[[SECOND]] : f32, f32
// CHECK-NOT: hopper.shared_load
// CHECK: hopper.global_store %{{.*}}, %[[X]]#0, %[[X]]#1 if
// CHECK: hopper.global_store %{{.*}}, %[[Y]]#0, %[[Y]]#1 if
tile.kernel @row(%o: !o) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !row
  %x = hopper.buffer_load %b : !row -> vector<1x16xf32>
  %y = vector.broadcast %x : vector<1x16xf32> to vector<64x16xf32>
  tile.store %y, %o[%c0, %c0] dims [0, 1] : vector<64x16xf32>, !o
  tile.return
}

// Of a column, its rows lane / 4 and 8 further on; 64 rows are 256 bytes.
// CHECK-LABEL: tile.kernel @column
// CHECK: %[[X0:.*]] = hopper.shared_load %[[FIRST:.*]] : f32
// CHECK: %[[AT:.*]] = arith.addi %[[FIRST]], %c32_i32
// CHECK: %[[X1:.*]] = hopper.shared_load %[[AT]] : f32
// CHECK: %[[BLOCK:.*]] = arith.addi %[[FIRST]], %c256_i32
// CHECK: hopper.shared_load %[[BLOCK]] : f32
// CHECK: %[[LAST:.*]] = arith.addi %[[FIRST]], %c288_i32
// CHECK: hopper.shared_load %[[LAST]] : f32
// CHECK-NOT: hopper.shared_load
// CHECK: tile.return
tile.kernel @column(%o: memref<?xf32, strided<[1]>>) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<128x1xf32>, 128>
  %x = hopper.buffer_load %b : !hopper.buffer<vector<128x1xf32>, 128> -> vector<128x1xf32>
  tile.store %x, %o[%c0] dims [0, -1] : vector<128x1xf32>, memref<?xf32, strided<[1]>>
  tile.return
}

// Parts of buffers: rows of panels are 128 bytes apart, panels 128 bytes for
// each row of the whole buffer; elements of a row or column of f32 4 bytes,
// rows of a packed tile follow each other.
// CHECK-LABEL: tile.kernel @parts
// CHECK-SAME: (%[[I:[a-z0-9]+]]: i32
// CHECK-DAG: arith.muli %[[I]], %c128_i32
// CHECK-DAG: arith.muli %[[I]], %c192_i32
// CHECK-DAG: arith.muli %[[I]], %c4_i32
// CHECK-DAG: arith.muli %[[I]], %c64_i32
tile.kernel @parts(%i: i32, %x: memref<?x16xf32, strided<[?, 1]>>, %o: memref<?xf32, strided<[1]>>, %m: memref<?x64xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %a = hopper.shared_address 0 : i32
  %k = hopper.view %a : !hopper.buffer<vector<128x64xbf16>, 128>
  %rows = hopper.rows %k[%i] : !hopper.buffer<vector<128x64xbf16>, 128> -> !hopper.buffer<vector<64x64xbf16>, 128>
  %v = hopper.view %a : !hopper.buffer<vector<96x128xbf16>, 96>
  %columns = hopper.columns %v[%i] : !hopper.buffer<vector<96x128xbf16>, 96> -> !hopper.buffer<vector<96x64xbf16>, 96>
  %v64 = hopper.rows %columns[%zero] : !hopper.buffer<vector<96x64xbf16>, 96> -> !hopper.buffer<vector<64x64xbf16>, 96>
  %p = hopper.wgmma %rows, %v64 contract(1, 1) : !hopper.buffer<vector<64x64xbf16>, 128>, !hopper.buffer<vector<64x64xbf16>, 96> -> !hopper.pending<vector<64x64xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  tile.store %s, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  %l = hopper.view %a : !hopper.buffer<vector<128x1xf32>, 128>
  %part = hopper.rows %l[%i] : !hopper.buffer<vector<128x1xf32>, 128> -> !hopper.buffer<vector<64x1xf32>, 128>
  %y = hopper.buffer_load %part : !hopper.buffer<vector<64x1xf32>, 128> -> vector<64x1xf32>
  tile.store %y, %o[%c0] dims [0, -1] : vector<64x1xf32>, memref<?xf32, strided<[1]>>
  %t = hopper.view %a : !hopper.buffer<vector<128x16xf32>, 128>
  %second = hopper.rows %t[%i] : !hopper.buffer<vector<128x16xf32>, 128> -> !hopper.buffer<vector<64x16xf32>, 128>
  %z = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x16xf32, strided<[?, 1]>>, vector<64x16xf32>
  hopper.buffer_store %z, %second[%zero, %zero] : vector<64x16xf32>, !hopper.buffer<vector<64x16xf32>, 128>
  tile.return
}

// A tile goes to panels transposed, by stmatrix: lane 8 i + r has row r of
// matrix i. Matrices 1 and 3 are the lower rows, 2 and 3 the next 8 columns; a
// warp's 16 rows are two chunks of 16 bytes, which the swizzle moves by the row
// modulo 8. 40 columns are 5 groups: two instructions of 4 matrices, one of 2.
// CHECK-LABEL: tile.kernel @matrices
// CHECK-SAME: (%[[ROW:[a-z0-9]+]]: i32, %[[COLUMN:[a-z0-9]+]]: i32
// CHECK: %[[T:.*]] = hopper.thread_id
// CHECK: %[[T5:.*]] = arith.shrui %[[T]], %c5_i32
// CHECK: %[[WARP:.*]] = arith.andi %[[T5]], %c3_i32
// CHECK: %[[R:.*]] = arith.andi %[[T]], %c7_i32
// CHECK: %[[T3:.*]] = arith.shrui %[[T]], %c3_i32
// CHECK: %[[HALF:.*]] = arith.andi %[[T3]], %c1_i32
// CHECK: %[[T4:.*]] = arith.shrui %[[T]], %c4_i32
// CHECK: %[[GROUP:.*]] = arith.andi %[[T4]], %c1_i32
// CHECK: %[[G8:.*]] = arith.muli %[[GROUP]], %c8_i32
// CHECK: %[[IN:.*]] = arith.addi %[[G8]], %[[R]]
// CHECK: %[[LINE:.*]] = arith.addi %[[IN]], %[[ROW]]
// CHECK: %[[W2:.*]] = arith.muli %[[WARP]], %c2_i32
// CHECK: %[[CHUNK:.*]] = arith.addi %[[W2]], %[[HALF]]
// CHECK: %[[SWIZZLED:.*]] = arith.xori %[[CHUNK]], %[[R]]
// CHECK: %[[PANEL:.*]] = arith.shrui %[[COLUMN]], %c6_i32
// CHECK: arith.muli %[[PANEL]], %c10240_i32
// CHECK: arith.muli %[[LINE]], %c128_i32
// CHECK: arith.muli %[[SWIZZLED]], %c16_i32
// CHECK: hopper.store_matrix %[[A:[a-z0-9]+]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : i32, i32, i32, i32
// CHECK-NEXT: %[[B:.*]] = arith.addi %[[A]], %c2048_i32
// CHECK-NEXT: hopper.store_matrix %[[B]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : i32, i32, i32, i32
// CHECK-NEXT: %[[C:.*]] = arith.addi %[[A]], %c4096_i32
// CHECK-NEXT: hopper.store_matrix %[[C]], %{{.*}}, %{{.*}} : i32, i32{{$}}
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @matrices(%row: i32, %column: i32, %x: memref<?x40xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<80x64xbf16>, 80>
  %X = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x40xf32, strided<[?, 1]>>, vector<64x40xf32>
  %h = arith.truncf %X : vector<64x40xf32> to vector<64x40xbf16>
  hopper.buffer_store %h, %b[%row, %column] : vector<64x40xbf16>, !hopper.buffer<vector<80x64xbf16>, 80>
  tile.return
}

// Every 64 rows of the tile are a panel.
// CHECK-LABEL: tile.kernel @two_panels
// CHECK: hopper.store_matrix %[[A:[a-z0-9]+]], %{{.*}}, %{{.*}} : i32, i32{{$}}
// CHECK-NEXT: %[[B:.*]] = arith.addi %[[A]], %c1024_i32
// CHECK-NEXT: hopper.store_matrix %[[B]], %{{.*}}, %{{.*}} : i32, i32{{$}}
tile.kernel @two_panels(%x: memref<?x8xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<8x128xf16>, 8>
  %X = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x8xf32, strided<[?, 1]>>, vector<128x8xf32>
  %h = arith.truncf %X : vector<128x8xf32> to vector<128x8xf16>
  hopper.buffer_store %h, %b[%zero, %zero] : vector<128x8xf16>, !hopper.buffer<vector<8x128xf16>, 8>
  tile.return
}

// A tile of f32 is stored packed: 4 registers of each of the 128 threads, then
// the next 4. Rows before it take 64 bytes each.
// CHECK-LABEL: tile.kernel @packed_buffer
// CHECK-SAME: (%[[ROW:[a-z0-9]+]]: i32
// CHECK: %[[START:.*]] = arith.muli %[[ROW]], %c64_i32
// CHECK: hopper.shared_store %[[A:[a-z0-9]+]], %{{.*}} : f32, f32, f32, f32
// CHECK-NEXT: %[[B:.*]] = arith.addi %[[A]], %c2048_i32
// CHECK-NEXT: hopper.shared_store %[[B]], %{{.*}} : f32, f32, f32, f32
// CHECK-NOT: hopper.shared_store
// CHECK: tile.return
tile.kernel @packed_buffer(%row: i32, %x: !o) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<128x16xf32>, 128>
  %X = tile.load %x[%c0, %c0] dims [0, 1] : !o, vector<64x16xf32>
  hopper.buffer_store %X, %b[%row, %zero] : vector<64x16xf32>, !hopper.buffer<vector<128x16xf32>, 128>
  tile.return
}

// The same order in global memory: 512 elements from one four to the next.
// CHECK-LABEL: tile.kernel @packed
// CHECK: %[[IN:.*]] = arith.andi %{{.*}}, %c127_i32
// CHECK: %[[E:.*]] = arith.muli %[[IN]], %c4_i32
// CHECK: %[[X:.*]]:4 = hopper.global_load %{{.*}}[%[[I:.*]], %[[E]]] if %true {{.*}} -> f32, f32, f32, f32
// CHECK: %[[F:.*]] = arith.addi %[[E]], %c512_i32
// CHECK: %[[Y:.*]]:4 = hopper.global_load %{{.*}}[%[[I]], %[[F]]] if %true
// CHECK: hopper.global_store %{{.*}}[%[[I]], %[[E]]], %[[X]]#0, %[[X]]#1, %[[X]]#2, %[[X]]#3 if %true
// CHECK: hopper.global_store %{{.*}}[%[[I]], %[[F]]], %[[Y]]#0, %[[Y]]#1, %[[Y]]#2, %[[Y]]#3 if %true
// CHECK: hopper.global_reduce %{{.*}}[%[[I]], %[[E]]], %[[X]]#0, %[[X]]#1, %[[X]]#2, %[[X]]#3
// CHECK: hopper.global_reduce %{{.*}}[%[[I]], %[[F]]], %[[Y]]#0, %[[Y]]#1, %[[Y]]#2, %[[Y]]#3
tile.kernel @packed(%w: !w, %i: index) {
  %c0 = arith.constant 0 : index
  %x = tile.load %w[%i, %c0] dims [] : !w, vector<64x16xf32>
  tile.store %x, %w[%i, %c0] dims [] : vector<64x16xf32>, !w
  tile.reduce_store %x, %w[%i, %c0] : vector<64x16xf32>, !w
  tile.return
}

// 16-bit elements are loaded in pairs, which are unpacked where they are
// widened.
// CHECK-LABEL: tile.kernel @halves
// CHECK: hopper.global_load %{{.*}} -> i32
// CHECK: hopper.global_load %{{.*}} -> i32
// CHECK-NOT: hopper.global_load
// CHECK-COUNT-4: arith.extf %{{.*}} : bf16 to f32
tile.kernel @halves(%h: !h, %o: !o) {
  %c0 = arith.constant 0 : index
  %x = tile.load %h[%c0, %c0] dims [0, 1] : !h, vector<64x8xbf16>
  %y = arith.extf %x : vector<64x8xbf16> to vector<64x8xf32>
  tile.store %y, %o[%c0, %c0] dims [0, 1] : vector<64x8xf32>, !o
  tile.return
}

// A tile whose rows run along the tensor's last dimension is transposed 8x8 by
// 8x8; a thread then has column lane / 4, and rows 2 * (lane % 4) + 16 * warp.
// CHECK-LABEL: tile.kernel @transposed_store
// CHECK: %[[P0:.*]] = hopper.pack
// CHECK: %[[P1:.*]] = hopper.pack
// CHECK: %[[T0:.*]] = hopper.transpose_matrix %[[P0]]
// CHECK: hopper.global_store %{{.*}}[%[[COLUMN:.*]], %[[ROW:.*]]], %[[T0]] if %{{.*}} : {{.*}}, i32
// CHECK: %[[DOWN:.*]] = arith.addi %[[ROW]], %c8_i32
// CHECK: %[[T1:.*]] = hopper.transpose_matrix %[[P1]]
// CHECK: hopper.global_store %{{.*}}[%[[COLUMN]], %[[DOWN]]], %[[T1]] if
tile.kernel @transposed_store(%h: !h, %o: !o) {
  %c0 = arith.constant 0 : index
  %x = tile.load %o[%c0, %c0] dims [0, 1] : !o, vector<64x8xf32>
  %y = arith.truncf %x : vector<64x8xf32> to vector<64x8xbf16>
  tile.store %y, %h[%c0, %c0] dims [1, 0] : vector<64x8xbf16>, !h
  tile.return
}

// As it is, a row of the tile is one of the buffer: a warp's 16 rows and two
// groups of columns at a time, a chunk's place changed by its row. Panels of 64
// columns are 128 rows apart.
// CHECK-LABEL: tile.kernel @straight
// CHECK-SAME: (%[[ROW:[a-z0-9]+]]: i32
// CHECK: %[[R:.*]] = arith.andi %{{.*}}, %c7_i32
// CHECK: %[[G:.*]] = arith.andi %{{.*}}, %c1_i32
// CHECK: %[[SWIZZLE:.*]] = arith.xori %[[G:.*]], %[[R]]
// CHECK: %[[C0:.*]] = arith.muli %[[SWIZZLE]], %c16_i32
// CHECK: hopper.store_matrix %[[A:[a-z0-9]+]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} straight : i32, i32, i32, i32
// CHECK: %[[X2:.*]] = arith.xori %[[SWIZZLE]], %c2_i32
// CHECK: hopper.store_matrix %{{.*}} straight : i32, i32, i32, i32
// CHECK: arith.xori %[[SWIZZLE]], %c4_i32
// CHECK: hopper.store_matrix %{{.*}} straight : i32, i32, i32, i32
// CHECK: arith.xori %[[SWIZZLE]], %c6_i32
// CHECK: hopper.store_matrix %{{.*}} straight : i32, i32, i32, i32
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[A]], %c16384_i32
// CHECK-NEXT: hopper.store_matrix %[[NEXT]], %{{.*}}, %{{.*}} straight : i32, i32{{$}}
// CHECK-NOT: hopper.store_matrix
tile.kernel @straight(%row: i32, %x: memref<?x72xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !hopper.buffer<vector<128x72xbf16>, 128>
  %X = tile.load %x[%c0, %c0] dims [0, 1] : memref<?x72xf32, strided<[?, 1]>>, vector<64x72xf32>
  %h = arith.truncf %X : vector<64x72xf32> to vector<64x72xbf16>
  hopper.buffer_store %h, %b[%row, %zero] straight : vector<64x72xbf16>, !hopper.buffer<vector<128x72xbf16>, 128>
  tile.return
}
