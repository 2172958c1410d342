// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute),canonicalize,cse)' | FileCheck %s

// Buffers of 8-bit floats that the last warps of the producer's warpgroup transpose.

!rows = !hopper.buffer<vector<160x32xf8E4M3FN>, 160>
!columns = !hopper.buffer<vector<40x160xf8E4M3FN>, 40>

// Beside a drain these are warps 2 and 3: each takes one of two chunks of 16 columns.
// CHECK-LABEL: tile.kernel @rows
// CHECK: %[[FROM:.*]] = hopper.shared_address 0
// CHECK: %[[TO:.*]] = hopper.shared_address 65536
// CHECK: } transpose {
// CHECK-NOT: scf.if
// CHECK: %[[T:.*]] = hopper.thread_id again
// CHECK: %[[LANE:.*]] = arith.andi %[[T]], %c31_i32
// CHECK: %[[T32:.*]] = arith.shrui %[[T]], %c5_i32
// CHECK: %[[WARP:.*]] = arith.andi %[[T32]], %c3_i32
// CHECK: %[[CHUNK:.*]] = arith.addi %[[WARP]], %c-2_i32
// What lane l has loaded is of row l / 4 of each matrix: its halves change places if
// that is 4 or more.
// CHECK: %[[SWAPS:.*]] = arith.cmpi uge, %[[LANE]], %c16_i32
// It stores column 2 (l % 8) + l / 8 % 2 of the chunk, its half l / 16, but the other
// one if l % 8 is 4 or more.
// CHECK: %[[L16:.*]] = arith.shrui %[[LANE]], %c4_i32
// CHECK: %[[UPPER:.*]] = arith.andi %[[L16]], %c1_i32
// CHECK: %[[L4:.*]] = arith.shrui %[[LANE]], %c2_i32
// CHECK: %[[SWAPPED:.*]] = arith.andi %[[L4]], %c1_i32
// CHECK: %[[HALF:.*]] = arith.xori %[[UPPER]], %[[SWAPPED]]
// CHECK: %[[L:.*]] = arith.andi %[[LANE]], %c7_i32
// CHECK: %[[EVEN:.*]] = arith.muli %[[L]], %c2_i32
// CHECK: %[[L8:.*]] = arith.shrui %[[LANE]], %c3_i32
// CHECK: %[[ODD:.*]] = arith.andi %[[L8]], %c1_i32
// CHECK: %[[COLUMN:.*]] = arith.addi %[[EVEN]], %[[ODD]]
// It loads row l, the 16 bytes of the chunk, which the swizzle moves; a panel of the
// source has 160 rows.
// CHECK: %[[PANEL:.*]] = arith.shrui %[[CHUNK]], %c3_i32
// CHECK: %[[IN_PANEL:.*]] = arith.andi %[[CHUNK]], %c7_i32
// CHECK: %[[SWIZZLED:.*]] = arith.xori %[[IN_PANEL]], %[[L]]
// CHECK: %[[ROW:.*]] = arith.muli %[[LANE]], %c128_i32
// CHECK: %[[MOVED:.*]] = arith.muli %[[SWIZZLED]], %c16_i32
// CHECK: %[[IN_ROWS:.*]] = arith.addi %[[ROW]], %[[MOVED]]
// CHECK: %[[PANELS:.*]] = arith.muli %[[PANEL]], %c20480_i32
// CHECK: %[[PLACE:.*]] = arith.addi %[[IN_ROWS]], %[[PANELS]]
// CHECK: %[[SOURCE:.*]] = arith.addi %[[FROM]], %[[PLACE]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[CHUNK]], %c16_i32
// CHECK: %[[TO_ROW:.*]] = arith.addi %[[FIRST]], %[[COLUMN]]
// CHECK: %[[TO_IN_ATOM:.*]] = arith.andi %[[TO_ROW]], %c7_i32
// CHECK: %[[TO_SWIZZLED:.*]] = arith.xori %[[HALF]], %[[TO_IN_ATOM]]
// CHECK: %[[TO_ROWS:.*]] = arith.muli %[[TO_ROW]], %c128_i32
// CHECK: %[[TO_MOVED:.*]] = arith.muli %[[TO_SWIZZLED]], %c16_i32
// CHECK: %[[TO_PLACE:.*]] = arith.addi %[[TO_ROWS]], %[[TO_MOVED]]
// Each 32 rows are 4096 bytes of the source. Beside 8 registers, 24 have room for two
// loads.
// CHECK: %[[M:.*]]:4 = hopper.load_matrix %[[SOURCE]] : i32, i32, i32, i32
// CHECK-NEXT: %[[SOURCE32:.*]] = arith.addi %[[SOURCE]], %c4096_i32
// CHECK-NEXT: %[[N:.*]]:4 = hopper.load_matrix %[[SOURCE32]] :
// CHECK-NEXT: %[[A:.*]] = arith.select %[[SWAPS]], %[[M]]#2, %[[M]]#0
// CHECK-NEXT: %[[B:.*]] = arith.select %[[SWAPS]], %[[M]]#3, %[[M]]#1
// CHECK-NEXT: %[[C:.*]] = arith.select %[[SWAPS]], %[[M]]#0, %[[M]]#2
// CHECK-NEXT: %[[D:.*]] = arith.select %[[SWAPS]], %[[M]]#1, %[[M]]#3
// Even columns' bytes of both matrices, then those of odd ones.
// CHECK-NEXT: %[[X0:.*]] = hopper.permute_bytes %[[A]], %[[B]], 25632
// CHECK-NEXT: %[[X1:.*]] = hopper.permute_bytes %[[A]], %[[B]], 30001
// CHECK-NEXT: %[[X2:.*]] = hopper.permute_bytes %[[C]], %[[D]], 25632
// CHECK-NEXT: %[[X3:.*]] = hopper.permute_bytes %[[C]], %[[D]], 30001
// CHECK-NEXT: %[[TARGET:.*]] = arith.addi %[[TO]], %[[TO_PLACE]]
// CHECK-NEXT: hopper.store_matrix %[[TARGET]], %[[X0]], %[[X1]], %[[X2]], %[[X3]] straight
// 32 rows of the source are two chunks of the target's rows.
// CHECK-NEXT: arith.select %[[SWAPS]], %[[N]]#2, %[[N]]#0
// CHECK: %[[PLACE32:.*]] = arith.xori %[[TO_PLACE]], %c32_i32
// CHECK-NEXT: %[[TARGET32:.*]] = arith.addi %[[TO]], %[[PLACE32]]
// CHECK-NEXT: hopper.store_matrix %[[TARGET32]],
// CHECK-NEXT: %[[SOURCE64:.*]] = arith.addi %[[SOURCE]], %c8192_i32
// CHECK-NEXT: %[[M64:.*]]:4 = hopper.load_matrix %[[SOURCE64]] :
// CHECK-NEXT: %[[SOURCE96:.*]] = arith.addi %[[SOURCE]], %c12288_i32
// CHECK-NEXT: %[[M96:.*]]:4 = hopper.load_matrix %[[SOURCE96]] :
// CHECK-NEXT: arith.select %[[SWAPS]], %[[M64]]#2, %[[M64]]#0
// CHECK: arith.xori %[[TO_PLACE]], %c64_i32
// CHECK: hopper.store_matrix
// CHECK-NEXT: arith.select %[[SWAPS]], %[[M96]]#2, %[[M96]]#0
// CHECK: arith.xori %[[TO_PLACE]], %c96_i32
// CHECK: hopper.store_matrix
// The last rows go to the second panel, behind the 40 rows of the first one.
// CHECK-NEXT: %[[SOURCE128:.*]] = arith.addi %[[SOURCE]], %c16384_i32
// CHECK-NEXT: hopper.load_matrix %[[SOURCE128]]
// CHECK: %[[TARGET128:.*]] = arith.addi %[[TARGET]], %c5120_i32
// CHECK-NEXT: hopper.store_matrix %[[TARGET128]],
// CHECK-NEXT: }
tile.kernel @rows() {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
  } transpose {
    %from = hopper.view %a : !rows
    %to = hopper.view %b : !columns
    hopper.buffer_transpose %from, %to : !rows to !columns
  }
  tile.return
}

// 40 registers have room for four loads.
// CHECK-LABEL: tile.kernel @more_registers
// CHECK-COUNT-4: hopper.load_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK-COUNT-4: hopper.store_matrix
// CHECK-NOT: hopper.store_matrix
// CHECK: hopper.load_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @more_registers() {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 40 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
  } transpose {
    %from = hopper.view %a : !rows
    %to = hopper.view %b : !columns
    hopper.buffer_transpose %from, %to : !rows to !columns
  }
  tile.return
}

// Without a drain there are three warps. They take 16 chunks of two panels of 32 rows
// in turn; the last one is the first warp's. The rows of ones are left alone.
!wide = !hopper.buffer<vector<32x256xf8E4M3FN>, 32>
!tall = !hopper.buffer<vector<264x32xf8E4M3FN>, 264>
// CHECK-LABEL: tile.kernel @turns
// CHECK: %[[FROM:.*]] = hopper.shared_address 0
// CHECK: %[[TO:.*]] = hopper.shared_address 65536
// CHECK: } transpose {
// CHECK: %[[WARP:.*]] = arith.andi %{{.*}}, %c3_i32
// CHECK: arith.addi %[[WARP]], %c-1_i32
// CHECK: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NEXT: %[[CHUNK3:.*]] = arith.addi %[[WARP]], %c2_i32
// CHECK-NEXT: %[[PANEL:.*]] = arith.shrui %[[CHUNK3]], %c3_i32
// CHECK-NEXT: arith.andi %[[CHUNK3]], %c7_i32
// CHECK: %[[IN_ROWS:.*]] = arith.addi
// CHECK-NEXT: %[[PANELS:.*]] = arith.muli %[[PANEL]], %c4096_i32
// CHECK-NEXT: %[[PLACE:.*]] = arith.addi %[[IN_ROWS]], %[[PANELS]]
// CHECK-NEXT: %[[SOURCE:.*]] = arith.addi %[[FROM]], %[[PLACE]]
// CHECK-NEXT: arith.muli %[[CHUNK3]], %c16_i32
// CHECK: hopper.load_matrix %[[SOURCE]]
// CHECK: hopper.store_matrix
// CHECK-NEXT: arith.addi %[[WARP]], %c5_i32
// CHECK: hopper.store_matrix
// CHECK-NEXT: arith.addi %[[WARP]], %c8_i32
// CHECK: hopper.store_matrix
// CHECK-NEXT: arith.addi %[[WARP]], %c11_i32
// CHECK: hopper.store_matrix
// CHECK-NEXT: %[[CHUNK15:.*]] = arith.addi %[[WARP]], %c14_i32
// CHECK-NEXT: %[[INSIDE:.*]] = arith.cmpi ult, %[[CHUNK15]], %c16_i32
// CHECK-NEXT: scf.if %[[INSIDE]] {
// CHECK-NEXT: arith.shrui %[[CHUNK15]], %c3_i32
// CHECK: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NEXT: }
// CHECK-NEXT: }
tile.kernel @turns() {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } transpose {
    %from = hopper.view %a : !wide
    %to = hopper.view %b : !tall
    hopper.buffer_transpose %from, %to : !wide to !tall
  }
  tile.return
}

// The third of three warps has nothing of two chunks.
!b32 = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
// CHECK-LABEL: tile.kernel @few_chunks
// CHECK: %[[CHUNK:.*]] = arith.addi %{{.*}}, %c-1_i32
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[CHUNK]], %c2_i32
// CHECK-NOT: hopper.load_matrix
// CHECK: scf.if %[[INSIDE]] {
// CHECK: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NEXT: }
// CHECK-NEXT: }
tile.kernel @few_chunks() {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } transpose {
    %from = hopper.view %a : !b32
    %to = hopper.view %b : !b32
    hopper.buffer_transpose %from, %to : !b32 to !b32
  }
  tile.return
}
