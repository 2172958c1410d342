// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-make-persistent))' | FileCheck %s

!matrix = memref<?x?x64xf32, strided<[?, ?, 1]>>

// The grid's pieces become the iterations of a loop over all of them.
// CHECK-LABEL: tile.kernel @copy
// CHECK: %[[ROWS:.*]] = memref.dim %{{.*}}, %{{.*}}
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui
// CHECK: %[[HEADS:.*]] = memref.dim
// CHECK: %[[FIRST_PRODUCT:.*]] = arith.muli %{{.*}}, %[[BLOCKS]]
// CHECK: %[[PIECES:.*]] = arith.muli %[[FIRST_PRODUCT]], %[[HEADS]]
// CHECK: %[[MOST:.*]] = tile.resident_ctas
// CHECK: %[[CTAS:.*]] = arith.minsi %[[PIECES]], %[[MOST]]
// CHECK: %[[FIRST:.*]] = tile.program_id(%[[CTAS]])
// CHECK: scf.for %[[PIECE:.*]] = %[[FIRST]] to %[[PIECES]] step %[[CTAS]]
// CHECK: %[[BLOCK:.*]] = arith.remui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[HEAD:.*]] = arith.divui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[ROW:.*]] = arith.muli %[[BLOCK]]
// CHECK: tile.load %{{.*}}[%[[HEAD]], %[[ROW]]
// CHECK: tile.store %{{.*}}[%[[HEAD]], %[[ROW]]
// CHECK: tile.return
tile.kernel @copy(%a: !matrix, %b: !matrix) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 56, consumer_registers = 256, persistent = true>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %rows = memref.dim %a, %c1 : !matrix
  %blocks = arith.ceildivui %rows, %c64 : index
  %heads = memref.dim %a, %c0 : !matrix
  %i, %h = tile.program_id(%blocks, %heads) : index, index
  %row = arith.muli %i, %c64 : index
  %t = tile.load %a[%h, %row, %c0] dims [1, 2] : !matrix, vector<64x64xf32>
  tile.store %t, %b[%h, %row, %c0] dims [1, 2] : vector<64x64xf32>, !matrix
  tile.return
}

// Nothing happens where the schedule does not ask for it.
// CHECK-LABEL: tile.kernel @as_it_is
// CHECK-NOT: scf.for
// CHECK: tile.program_id
tile.kernel @as_it_is(%a: !matrix) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64>} {
  %c1 = arith.constant 1 : index
  %i = tile.program_id(%c1) : index
  tile.return
}
