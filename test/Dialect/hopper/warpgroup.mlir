// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>>

// CHECK-LABEL: tile.kernel @rings
tile.kernel @rings(%k: !m {tile.argument = #tile.argument<"k", "input", ["b", "s", "h", "d"]>}) {
  %c0 = arith.constant 0 : index
  %row = arith.constant 64 : i32
  // CHECK: %[[RING:.*]] = hopper.ring_alloc {consumers = 2 : i64} : <2, vector<128x64xbf16>>
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<2, vector<128x64xbf16>>
  // CHECK: hopper.ring_alloc {barriers = 32768 : i64, offset = 16384 : i64} : <1, vector<64x128xf8E4M3FN>>
  %placed = hopper.ring_alloc {barriers = 32768 : i64, offset = 16384 : i64} : !hopper.ring<1, vector<64x128xf8E4M3FN>>
  // CHECK: hopper.ring_alloc {ones} : <1, vector<72x128xf8E4M3FN>>
  %ones = hopper.ring_alloc {ones} : !hopper.ring<1, vector<72x128xf8E4M3FN>>
  // CHECK: hopper.ring_put %[[RING]], %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] dims [1, 3] : <2, vector<128x64xbf16>>, memref<
  hopper.ring_put %ring, %k[%c0, %c0, %c0, %c0] dims [1, 3] : !hopper.ring<2, vector<128x64xbf16>>, !m
  // CHECK: %[[BUFFER:.*]] = hopper.ring_get %[[RING]] : <2, vector<128x64xbf16>> -> <vector<128x64xbf16>, 128>
  %buffer = hopper.ring_get %ring : !hopper.ring<2, vector<128x64xbf16>> -> !hopper.buffer<vector<128x64xbf16>, 128>
  // CHECK: hopper.rows %[[BUFFER]][%{{.*}}] : <vector<128x64xbf16>, 128> -> <vector<64x64xbf16>, 128>
  %rows = hopper.rows %buffer[%row] : !hopper.buffer<vector<128x64xbf16>, 128> -> !hopper.buffer<vector<64x64xbf16>, 128>
  // CHECK: hopper.ring_release %[[RING]], %[[BUFFER]] : <2, vector<128x64xbf16>>, <vector<128x64xbf16>, 128>
  hopper.ring_release %ring, %buffer : !hopper.ring<2, vector<128x64xbf16>>, !hopper.buffer<vector<128x64xbf16>, 128>
  tile.return
}

// CHECK-LABEL: tile.kernel @products
tile.kernel @products() {
  %address = arith.constant 0 : i32
  // CHECK: hopper.view %{{.*}} : <vector<64x64xbf16>, 128>
  %q = hopper.view %address : !hopper.buffer<vector<64x64xbf16>, 128>
  %k = hopper.view %address : !hopper.buffer<vector<96x64xbf16>, 96>
  // CHECK: %[[S:.*]] = hopper.wgmma %{{.*}}, %{{.*}} contract(1, 1) : !hopper.buffer<vector<64x64xbf16>, 128>, <vector<96x64xbf16>, 96> -> <vector<64x96xf32>>
  %s = hopper.wgmma %q, %k contract(1, 1) : !hopper.buffer<vector<64x64xbf16>, 128>, !hopper.buffer<vector<96x64xbf16>, 96> -> !hopper.pending<vector<64x96xf32>>
  // CHECK: %[[W:.*]] = hopper.wait %[[S]] younger 0 : <vector<64x96xf32>> -> vector<64x96xf32>
  %w = hopper.wait %s younger 0 : !hopper.pending<vector<64x96xf32>> -> vector<64x96xf32>
  %p = arith.truncf %w : vector<64x96xf32> to vector<64x96xbf16>
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  // CHECK: hopper.wgmma %{{.*}}, %{{.*}}, %{{.*}} contract(1, 0) : vector<64x96xbf16>, <vector<96x64xbf16>, 96>, vector<64x64xf32> -> <vector<64x64xf32>>
  %o = hopper.wgmma %p, %k, %zero contract(1, 0) : vector<64x96xbf16>, !hopper.buffer<vector<96x64xbf16>, 96>, vector<64x64xf32> -> !hopper.pending<vector<64x64xf32>>
  tile.return
}

// CHECK-LABEL: tile.kernel @roles
tile.kernel @roles() {
  // CHECK: hopper.specialize {consumer_registers = 240 : i64, producer_registers = 24 : i64, warpgroups = 2 : i64} producer {
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  // CHECK: } consumer {
  } consumer {
    // CHECK: hopper.warpgroup : i32
    %w = hopper.warpgroup : i32
    // CHECK: hopper.warpgroup again : i32
    %wagain = hopper.warpgroup again : i32
    // CHECK: hopper.turn_wait
    hopper.turn_wait
    // CHECK: hopper.turn_pass
    hopper.turn_pass
  // CHECK-NOT: drain
  // CHECK: tile.return
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @drain
tile.kernel @drain(%active: i32) {
  // CHECK: hopper.specialize active %{{.*}} {consumer_registers = 160 : i64, producer_registers = 32 : i64, warpgroups = 3 : i64} producer {
  hopper.specialize active %active {warpgroups = 3 : i64, producer_registers = 32 : i64, consumer_registers = 160 : i64} producer {
  // CHECK-NEXT: } consumer {
  } consumer {
  // CHECK-NEXT: } drain {
  } drain {
    // CHECK-NEXT: hopper.bulk_wait{{$}}
    hopper.bulk_wait
  }
  tile.return
}

// Tiles of f32 are in rings without panels: a row of 64 queries, packed tiles.
!row = !hopper.ring<2, vector<1x64xf32>>
!rowb = !hopper.buffer<vector<1x64xf32>, 1>
!out = !hopper.ring<1, vector<128x64xf32>>
!outb = !hopper.buffer<vector<128x64xf32>, 128>

// CHECK-LABEL: tile.kernel @shared_memory
tile.kernel @shared_memory(%l: memref<?xf32, strided<[1]>>, %acc: memref<?x8192xf32, strided<[?, 1]>>,
                           %x: vector<128x64xf32>, %p: vector<64x32xbf16>, %i: index, %first: i32) {
  // Buffers of f32 need no period of the swizzle.
  // CHECK: %[[ROWS:.*]] = hopper.ring_alloc {barriers = 16 : i64, offset = 128 : i64} : <2, vector<1x64xf32>>
  %rows = hopper.ring_alloc {barriers = 16 : i64, offset = 128 : i64} : !row
  // CHECK: hopper.ring_put %[[ROWS]], %{{.*}}[%{{.*}}] dims [-1, 0] : <2, vector<1x64xf32>>, memref<?xf32, strided<[1]>>
  hopper.ring_put %rows, %l[%i] dims [-1, 0] : !row, memref<?xf32, strided<[1]>>
  // CHECK: %[[ROW:.*]] = hopper.ring_get %[[ROWS]] : <2, vector<1x64xf32>> -> <vector<1x64xf32>, 1>
  %row = hopper.ring_get %rows : !row -> !rowb
  // CHECK: %[[PART:.*]] = hopper.columns %[[ROW]][%{{.*}}] : <vector<1x64xf32>, 1> -> <vector<1x32xf32>, 1>
  %part = hopper.columns %row[%first] : !rowb -> !hopper.buffer<vector<1x32xf32>, 1>
  // CHECK: hopper.buffer_load %[[PART]] : <vector<1x32xf32>, 1> -> vector<1x32xf32>
  %loaded = hopper.buffer_load %part : !hopper.buffer<vector<1x32xf32>, 1> -> vector<1x32xf32>
  hopper.ring_release %rows, %row : !row, !rowb

  // CHECK: %[[OUT:.*]] = hopper.ring_alloc : <1, vector<128x64xf32>>
  %out = hopper.ring_alloc : !out
  // CHECK: hopper.out_put %{{.*}}, %[[OUT]] : vector<128x64xf32>, <1, vector<128x64xf32>>
  hopper.out_put %x, %out : vector<128x64xf32>, !out
  // CHECK: hopper.out_reduce %[[OUT]], %{{.*}}[%{{.*}}, %{{.*}}] : <1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>{{$}}
  hopper.out_reduce %out, %acc[%i, %i] : !out, memref<?x8192xf32, strided<[?, 1]>>
  // CHECK: hopper.out_reduce %[[OUT]], %{{.*}}[%{{.*}}, %{{.*}}] begun %{{.*}} : <1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>, memref<?xf32, strided<[1]>>
  hopper.out_reduce %out, %acc[%i, %i] begun %l : !out, memref<?x8192xf32, strided<[?, 1]>>, memref<?xf32, strided<[1]>>
  // CHECK: %[[VIEW:.*]] = hopper.view %{{.*}} : <vector<128x64xf32>, 128>
  %view = hopper.view %first : !outb
  // CHECK: hopper.buffer_store %{{.*}}, %[[VIEW]][%{{.*}}, %{{.*}}] : vector<128x64xf32>, <vector<128x64xf32>, 128>
  hopper.buffer_store %x, %view[%first, %first] : vector<128x64xf32>, !outb

  // Columns of the tile or its rows are a warpgroup's part.
  // CHECK: %[[RING:.*]] = hopper.ring_alloc : <2, vector<64x64xbf16>>
  %ring = hopper.ring_alloc : !hopper.ring<2, vector<64x64xbf16>>
  // CHECK: %[[TILE:.*]] = hopper.share %{{.*}}, %[[RING]] : vector<64x32xbf16>, <2, vector<64x64xbf16>> -> <vector<64x64xbf16>, 64>
  %tile = hopper.share %p, %ring : vector<64x32xbf16>, !hopper.ring<2, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  %wide = hopper.ring_alloc : !hopper.ring<1, vector<32x128xbf16>>
  // CHECK: %[[SHARED:.*]] = hopper.share %{{.*}}, %{{.*}} : vector<64x32xbf16>, <1, vector<32x128xbf16>> -> <vector<32x128xbf16>, 32>
  %shared = hopper.share %p, %wide : vector<64x32xbf16>, !hopper.ring<1, vector<32x128xbf16>> -> !hopper.buffer<vector<32x128xbf16>, 32>
  // CHECK: hopper.columns %[[SHARED]][%{{.*}}] : <vector<32x128xbf16>, 32> -> <vector<32x64xbf16>, 32>
  %panel = hopper.columns %shared[%first] : !hopper.buffer<vector<32x128xbf16>, 32> -> !hopper.buffer<vector<32x64xbf16>, 32>
  // A tile is stored transposed where products read it.
  // CHECK: hopper.buffer_store %{{.*}}, %[[SHARED]][%{{.*}}, %{{.*}}] : vector<64x32xbf16>, <vector<32x128xbf16>, 32>
  hopper.buffer_store %p, %shared[%first, %first] : vector<64x32xbf16>, !hopper.buffer<vector<32x128xbf16>, 32>
  tile.return
}

!ring = !hopper.ring<1, vector<64x128xf8E4M3FN>>
!buffer = !hopper.buffer<vector<64x128xf8E4M3FN>, 64>
!gradients = !hopper.buffer<vector<128x128xf8E5M2>, 128>

// 8-bit floats: pairs of rows go through shared memory, and operands may have
// different types.
// CHECK-LABEL: tile.kernel @narrow
tile.kernel @narrow(%x: vector<128x64xf32>, %a: i32, %p: vector<64x128xf8E4M3FN>) {
  %ring = hopper.ring_alloc : !ring
  // CHECK: %[[P:.*]] = tile.pair_rows
  %pairs = tile.pair_rows %x : vector<128x64xf32> -> vector<128x64xf8E4M3FN>
  // CHECK: %[[B:.*]] = hopper.share %[[P]], %{{.*}} : vector<128x64xf8E4M3FN>, <1, vector<64x128xf8E4M3FN>> -> <vector<64x128xf8E4M3FN>, 64>
  %b = hopper.share %pairs, %ring : vector<128x64xf8E4M3FN>, !ring -> !buffer
  // CHECK: hopper.buffer_store %[[P]], %[[B]][%{{.*}}, %{{.*}}] : vector<128x64xf8E4M3FN>, <vector<64x128xf8E4M3FN>, 64>
  hopper.buffer_store %pairs, %b[%a, %a] : vector<128x64xf8E4M3FN>, !buffer
  // CHECK: %[[G:.*]] = hopper.view
  %g = hopper.view %a : !gradients
  // CHECK: hopper.wgmma %[[B]], %[[G]] contract(1, 1) : !hopper.buffer<vector<64x128xf8E4M3FN>, 64>, <vector<128x128xf8E5M2>, 128> -> <vector<64x128xf32>>
  %s = hopper.wgmma %b, %g contract(1, 1) : !buffer, !gradients -> !hopper.pending<vector<64x128xf32>>
  // CHECK: hopper.wgmma %{{.*}}, %[[G]] contract(1, 1) : vector<64x128xf8E4M3FN>, <vector<128x128xf8E5M2>, 128> -> <vector<64x128xf32>>
  %t = hopper.wgmma %p, %g contract(1, 1) : vector<64x128xf8E4M3FN>, !gradients -> !hopper.pending<vector<64x128xf32>>
  tile.return
}
