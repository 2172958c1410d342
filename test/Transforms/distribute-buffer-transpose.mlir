// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute),canonicalize,cse)' | FileCheck %s

// Buffers of 8-bit floats that two warps transpose.

#s = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>
!b32 = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>

// Lane l loads row l, 16 bytes: chunk `warp` of it, which the swizzle moves.
// CHECK-LABEL: tile.kernel @tile
// CHECK: %[[FROM:.*]] = hopper.shared_address 0
// CHECK: %[[TO:.*]] = hopper.shared_address 65536
// CHECK: %[[T:.*]] = hopper.thread_id again
// CHECK: %[[W:.*]] = arith.shrui %[[T]], %c5_i32
// CHECK: %[[WARP:.*]] = arith.andi %[[W]], %c1_i32
// CHECK: %[[LANE:.*]] = arith.andi %[[T]], %c31_i32
// CHECK: %[[IN_ATOM:.*]] = arith.andi %[[LANE]], %c7_i32
// CHECK: %[[CHUNK:.*]] = arith.xori %[[WARP]], %[[IN_ATOM]]
// CHECK: %[[ROW:.*]] = arith.muli %[[LANE]], %c128_i32
// CHECK: %[[MOVED:.*]] = arith.muli %[[CHUNK]], %c16_i32
// CHECK: %[[PLACE:.*]] = arith.addi %[[ROW]], %[[MOVED]]
// Stored, its row is column 16 warp + 2 (l % 8) + l / 8 % 2, whose half of 16 bytes is
// l / 16, but the other one if l % 8 is 4 or more.
// CHECK: %[[L16:.*]] = arith.shrui %[[T]], %c4_i32
// CHECK: %[[UPPER:.*]] = arith.andi %[[L16]], %c1_i32
// CHECK: %[[L4:.*]] = arith.shrui %[[T]], %c2_i32
// CHECK: %[[SWAPPED:.*]] = arith.andi %[[L4]], %c1_i32
// CHECK: %[[HALF:.*]] = arith.xori %[[UPPER]], %[[SWAPPED]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[WARP]], %c16_i32
// CHECK: %[[L:.*]] = arith.andi %[[T]], %c7_i32
// CHECK: %[[EVEN:.*]] = arith.muli %[[L]], %c2_i32
// CHECK: %[[L8:.*]] = arith.shrui %[[T]], %c3_i32
// CHECK: %[[ODD:.*]] = arith.andi %[[L8]], %c1_i32
// CHECK: %[[PAIR:.*]] = arith.addi %[[EVEN]], %[[ODD]]
// CHECK: %[[COLUMN:.*]] = arith.addi %[[FIRST]], %[[PAIR]]
// CHECK: %[[COLUMN_IN_ATOM:.*]] = arith.andi %[[COLUMN]], %c7_i32
// CHECK: %[[TO_CHUNK:.*]] = arith.xori %[[HALF]], %[[COLUMN_IN_ATOM]]
// CHECK: %[[TO_ROW:.*]] = arith.muli %[[COLUMN]], %c128_i32
// CHECK: %[[TO_MOVED:.*]] = arith.muli %[[TO_CHUNK]], %c16_i32
// CHECK: %[[TO_PLACE:.*]] = arith.addi %[[TO_ROW]], %[[TO_MOVED]]
// What a lane has is of row l / 4 of each matrix: its halves change places if that
// is 4 or more.
// CHECK: %[[SWAPS:.*]] = arith.cmpi ne, %[[UPPER]], %c0_i32
// CHECK: %[[SOURCE:.*]] = arith.addi %[[FROM]], %[[PLACE]]
// CHECK: %[[M:.*]]:4 = hopper.load_matrix %[[SOURCE]] : i32, i32, i32, i32
// CHECK: %[[TARGET:.*]] = arith.addi %[[TO]], %[[TO_PLACE]]
// CHECK: %[[A:.*]] = arith.select %[[SWAPS]], %[[M]]#2, %[[M]]#0
// CHECK: %[[B:.*]] = arith.select %[[SWAPS]], %[[M]]#3, %[[M]]#1
// CHECK: %[[C:.*]] = arith.select %[[SWAPS]], %[[M]]#0, %[[M]]#2
// CHECK: %[[D:.*]] = arith.select %[[SWAPS]], %[[M]]#1, %[[M]]#3
// Even columns' bytes of both matrices, then those of odd ones.
// CHECK: %[[X0:.*]] = hopper.permute_bytes %[[A]], %[[B]], 25632
// CHECK: %[[X1:.*]] = hopper.permute_bytes %[[A]], %[[B]], 30001
// CHECK: %[[X2:.*]] = hopper.permute_bytes %[[C]], %[[D]], 25632
// CHECK: %[[X3:.*]] = hopper.permute_bytes %[[C]], %[[D]], 30001
// CHECK: hopper.store_matrix %[[TARGET]], %[[X0]], %[[X1]], %[[X2]], %[[X3]] straight
// CHECK-NOT: hopper.load_matrix
// CHECK: tile.return
tile.kernel @tile() attributes {schedule = #s} {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  %from = hopper.view %a : !b32
  %to = hopper.view %b : !b32
  hopper.buffer_transpose %from, %to : !b32 to !b32
  tile.return
}

// 256 columns are two panels of 32 rows: in a panel, chunks differ by what is
// exchanged in the address; 32 rows of the target are 4096 bytes. The rows of ones
// are left alone.
!wide = !hopper.buffer<vector<32x256xf8E4M3FN>, 32>
!tall = !hopper.buffer<vector<264x32xf8E4M3FN>, 264>
// CHECK-LABEL: tile.kernel @panels
// CHECK: %[[FROM:.*]] = hopper.shared_address 0
// CHECK: %[[TO:.*]] = hopper.shared_address 65536
// CHECK: %[[SOURCE:.*]] = arith.addi %[[FROM]], %[[PLACE:.*]] : i32
// CHECK: hopper.load_matrix %[[SOURCE]]
// CHECK: %[[TARGET:.*]] = arith.addi %[[TO]], %{{.*}} : i32
// CHECK: hopper.store_matrix %[[TARGET]],
// CHECK: %[[PLACE2:.*]] = arith.xori %[[PLACE]], %c32_i32
// CHECK: %[[SOURCE2:.*]] = arith.addi %[[FROM]], %[[PLACE2]]
// CHECK: hopper.load_matrix %[[SOURCE2]]
// CHECK: %[[TARGET2:.*]] = arith.addi %[[TARGET]], %c4096_i32
// CHECK: hopper.store_matrix %[[TARGET2]],
// CHECK: arith.xori %[[PLACE]], %c64_i32
// CHECK: arith.addi %[[TARGET]], %c8192_i32
// CHECK: arith.xori %[[PLACE]], %c96_i32
// CHECK: arith.addi %[[TARGET]], %c12288_i32
// The second panel.
// CHECK: %[[SOURCE8:.*]] = arith.addi %[[SOURCE]], %c4096_i32
// CHECK: hopper.load_matrix %[[SOURCE8]]
// CHECK: arith.addi %[[TARGET]], %c16384_i32
// CHECK: %[[SOURCE10:.*]] = arith.addi %[[SOURCE2]], %c4096_i32
// CHECK: hopper.load_matrix %[[SOURCE10]]
// CHECK-COUNT-2: hopper.load_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK: %[[LAST:.*]] = arith.addi %[[TARGET]], %c28672_i32
// CHECK: hopper.store_matrix %[[LAST]],
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @panels() attributes {schedule = #s} {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  %from = hopper.view %a : !wide
  %to = hopper.view %b : !tall
  hopper.buffer_transpose %from, %to : !wide to !tall
  tile.return
}

// Of 160 rows, each 32 are 4096 bytes of the source and two chunks of the target's
// rows; the last ones are in its second panel, behind the 40 rows of the first one.
!rows = !hopper.buffer<vector<160x32xf8E4M3FN>, 160>
!columns = !hopper.buffer<vector<40x160xf8E4M3FN>, 40>
// CHECK-LABEL: tile.kernel @rows
// CHECK: hopper.load_matrix %[[SOURCE:.*]] : i32
// CHECK: hopper.store_matrix
// CHECK: %[[SOURCE32:.*]] = arith.addi %[[SOURCE]], %c4096_i32
// CHECK: hopper.load_matrix %[[SOURCE32]]
// CHECK: arith.xori %[[PLACE:.*]], %c32_i32
// CHECK: hopper.store_matrix
// CHECK: %[[SOURCE64:.*]] = arith.addi %[[SOURCE]], %c8192_i32
// CHECK: hopper.load_matrix %[[SOURCE64]]
// CHECK: arith.xori %[[PLACE]], %c64_i32
// CHECK: hopper.store_matrix
// CHECK: %[[SOURCE96:.*]] = arith.addi %[[SOURCE]], %c12288_i32
// CHECK: hopper.load_matrix %[[SOURCE96]]
// CHECK: arith.xori %[[PLACE]], %c96_i32
// CHECK: hopper.store_matrix
// CHECK: %[[SOURCE128:.*]] = arith.addi %[[SOURCE]], %c16384_i32
// CHECK: hopper.load_matrix %[[SOURCE128]]
// CHECK: %[[SECOND:.*]] = arith.addi %{{.*}}, %c5120_i32
// CHECK: hopper.store_matrix %[[SECOND]],
// CHECK-NOT: hopper.store_matrix
// CHECK: tile.return
tile.kernel @rows() attributes {schedule = #s} {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  %from = hopper.view %a : !rows
  %to = hopper.view %b : !columns
  hopper.buffer_transpose %from, %to : !rows to !columns
  tile.return
}

// Registers of the role's threads beyond 24 are for loads ahead of stores, 8 each.
// CHECK-LABEL: tile.kernel @ahead
// CHECK-NOT: hopper.store_matrix
// CHECK: hopper.load_matrix
// CHECK-NOT: hopper.store_matrix
// CHECK: hopper.load_matrix
// CHECK-NOT: hopper.store_matrix
// CHECK: %[[THIRD:.*]]:4 = hopper.load_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NOT: hopper.store_matrix
// CHECK: hopper.load_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK: hopper.store_matrix
// CHECK-NOT: hopper.load_matrix
// CHECK: arith.select %{{.*}}, %[[THIRD]]#2, %[[THIRD]]#0
// CHECK-NOT: hopper.load_matrix
// CHECK-COUNT-2: hopper.store_matrix
// CHECK: tile.return
!half = !hopper.buffer<vector<32x128xf8E4M3FN>, 32>
!half_t = !hopper.buffer<vector<128x32xf8E4M3FN>, 128>
tile.kernel @ahead() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 40, consumer_registers = 240>} {
  %a = hopper.shared_address 0 : i32
  %b = hopper.shared_address 65536 : i32
  %from = hopper.view %a : !half
  %to = hopper.view %b : !half_t
  hopper.buffer_transpose %from, %to : !half to !half_t
  tile.return
}
