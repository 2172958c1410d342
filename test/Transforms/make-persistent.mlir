// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-make-persistent))' | FileCheck %s

!matrix = memref<?x?x64xf32, strided<[?, ?, 1]>>
#none = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 56, consumer_registers = 256, persistent = 0>
#all = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 56, consumer_registers = 256, persistent = 2147483647>
#some = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 56, consumer_registers = 256, persistent = 32>

// Without a limit the grid's pieces become the iterations of a loop over all of
// them.
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
tile.kernel @copy(%a: !matrix, %b: !matrix) attributes {schedule = #all} {
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
tile.kernel @as_it_is(%a: !matrix) attributes {schedule = #none} {
  %c1 = arith.constant 1 : index
  %i = tile.program_id(%c1) : index
  tile.return
}

// A limit: with more than 32 blocks along the first dimension, however many
// heads there are, all pieces have CTAs of their own.
// CHECK-LABEL: tile.kernel @limit
// CHECK-SAME: (%[[BLOCKS:[a-z0-9]+]]: index, %[[HEADS:[a-z0-9]+]]: index
// CHECK: %[[FIRST_PRODUCT:.*]] = arith.muli %{{.*}}, %[[BLOCKS]]
// CHECK: %[[PIECES:.*]] = arith.muli %[[FIRST_PRODUCT]], %[[HEADS]]
// CHECK: %[[RESIDENT:.*]] = arith.minsi %[[PIECES]], %{{.*}}
// CHECK: %[[LIMIT:.*]] = arith.constant 32 : index
// CHECK: %[[EXCESS:.*]] = arith.subi %[[BLOCKS]], %[[LIMIT]]
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[MORE:.*]] = arith.maxsi %[[EXCESS]], %[[ZERO]]
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[EXCEEDS:.*]] = arith.minsi %[[MORE]], %[[ONE]]
// CHECK: %[[ALL:.*]] = arith.muli %[[EXCEEDS]], %[[PIECES]]
// CHECK: %[[CTAS:.*]] = arith.maxsi %[[RESIDENT]], %[[ALL]]
// CHECK: %[[FIRST:.*]] = tile.program_id(%[[CTAS]])
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[PIECES]] step %[[CTAS]]
tile.kernel @limit(%blocks: index, %heads: index, %a: !matrix) attributes {schedule = #some} {
  %c0 = arith.constant 0 : index
  %i, %h = tile.program_id(%blocks, %heads) : index, index
  %t = tile.load %a[%h, %i, %c0] dims [1, 2] : !matrix, vector<64x64xf32>
  tile.return
}

// The length of a loop depends on the block: a loop over rounds, of which the odd
// ones go backwards through the CTAs. Of the last round some have no piece.
// CHECK-LABEL: tile.kernel @turns
// CHECK-SAME: (%[[BLOCKS:[a-z0-9]+]]: index, %[[HEADS:[a-z0-9]+]]: index
// CHECK: %[[PIECES:.*]] = arith.muli %{{.*}}, %[[HEADS]]
// CHECK: %[[CTAS:.*]] = arith.minsi %[[PIECES]]
// CHECK: %[[CTA:.*]] = tile.program_id(%[[CTAS]])
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[LAST:.*]] = arith.subi %[[CTAS]], %[[ONE]]
// CHECK: %[[OPPOSITE:.*]] = arith.subi %[[LAST]], %[[CTA]]
// CHECK: %[[FULL:.*]] = arith.divui %[[PIECES]], %[[CTAS]]
// CHECK: %[[GIVEN:.*]] = arith.muli %[[FULL]], %[[CTAS]]
// CHECK: %[[LEFT:.*]] = arith.subi %[[PIECES]], %[[GIVEN]]
// CHECK: %[[LAST_PARITY:.*]] = arith.andi %[[FULL]], %[[ONE]]
// CHECK: %[[LAST_EVEN:.*]] = arith.cmpi eq, %[[LAST_PARITY]], %[[ZERO]]
// CHECK: %[[LAST_PLACE:.*]] = arith.select %[[LAST_EVEN]], %[[CTA]], %[[OPPOSITE]]
// CHECK: %[[HAS_ONE_MORE:.*]] = arith.cmpi slt, %[[LAST_PLACE]], %[[LEFT]]
// CHECK: %[[ONE_MORE:.*]] = arith.addi %[[FULL]], %[[ONE]]
// CHECK: %[[ROUNDS:.*]] = arith.select %[[HAS_ONE_MORE]], %[[ONE_MORE]], %[[FULL]]
// CHECK: scf.for %[[ROUND:.*]] = %[[ZERO]] to %[[ROUNDS]] step %[[ONE]]
// CHECK: %[[START:.*]] = arith.muli %[[ROUND]], %[[CTAS]]
// CHECK: %[[PARITY:.*]] = arith.andi %[[ROUND]], %[[ONE]]
// CHECK: %[[EVEN:.*]] = arith.cmpi eq, %[[PARITY]], %[[ZERO]]
// CHECK: %[[PLACE:.*]] = arith.select %[[EVEN]], %[[CTA]], %[[OPPOSITE]]
// CHECK: %[[PIECE:.*]] = arith.addi %[[START]], %[[PLACE]]
// CHECK: %[[BLOCK:.*]] = arith.remui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[HEAD:.*]] = arith.divui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[END:.*]] = arith.addi %[[BLOCK]]
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %[[END]]
// CHECK: tile.load %{{.*}}[%[[HEAD]], %[[J]]
tile.kernel @turns(%blocks: index, %heads: index, %a: !matrix) attributes {schedule = #all} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %i, %h = tile.program_id(%blocks, %heads) : index, index
  %end = arith.addi %i, %c1 : index
  scf.for %j = %c0 to %end step %c1 {
    %t = tile.load %a[%h, %j, %c0] dims [1, 2] : !matrix, vector<64x64xf32>
  }
  tile.return
}

// A loop that is as long for each piece needs no turns, even if the piece is used
// in it.
// CHECK-LABEL: tile.kernel @no_turns
// CHECK: %[[CTA:.*]] = tile.program_id
// CHECK-NOT: arith.select
// CHECK: scf.for %{{.*}} = %[[CTA]] to
// CHECK-NOT: arith.select
// CHECK: scf.for
tile.kernel @no_turns(%blocks: index, %n: index, %a: !matrix) attributes {schedule = #all} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %i = tile.program_id(%blocks) : index
  scf.for %j = %c0 to %n step %c1 {
    %t = tile.load %a[%i, %j, %c0] dims [1, 2] : !matrix, vector<64x64xf32>
  }
  tile.return
}

// CTAs that compute piece after piece take head after head. Only with more blocks
// than the limit, where each piece has a CTA of its own, are heads in groups: else
// groups have one head, whose number needs 0 bits.
// CHECK-LABEL: tile.kernel @grouped
// CHECK-SAME: (%[[BLOCKS:[a-z0-9]+]]: index, %[[HEADS:[a-z0-9]+]]: index, %[[BATCH:[a-z0-9]+]]: index
// CHECK: tile.program_id(%{{[^,]*}}) : index
// CHECK: scf.for %[[PIECE:[a-z0-9]+]] =
// CHECK: %[[LIMIT:.*]] = arith.constant 32 : index
// CHECK: %[[EXCEEDS:.*]] = arith.cmpi ugt, %[[BLOCKS]], %[[LIMIT]]
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[LAST:.*]] = arith.subi %[[BLOCKS]], %[[ONE]]
// CHECK: %[[LAST32:.*]] = arith.index_castui %[[LAST]] : index to i32
// CHECK: %[[FREE:.*]] = math.ctlz %[[LAST32]] : i32
// CHECK: %[[FREE1:.*]] = arith.index_castui %[[FREE]]
// 32 - log2(16)
// CHECK: %[[C28:.*]] = arith.constant 28 : index
// CHECK: %[[BITS:.*]] = arith.subi %[[FREE1]], %[[C28]]
// CHECK: %[[HEADS32:.*]] = arith.index_castui %[[HEADS]] : index to i32
// CHECK: %[[EVEN:.*]] = math.cttz %[[HEADS32]] : i32
// CHECK: %[[EVEN1:.*]] = arith.index_castui %[[EVEN]]
// CHECK: %[[BITS1:.*]] = arith.minsi %[[BITS]], %[[EVEN1]]
// CHECK: %[[BITS2:.*]] = arith.maxsi %[[BITS1]], %c0{{[_0-9]*}}
// CHECK: %[[SHIFT:.*]] = arith.select %[[EXCEEDS]], %[[BITS2]], %c0{{[_0-9]*}}
// CHECK: %[[SIZE:.*]] = arith.shli %[[ONE]], %[[SHIFT]]
// CHECK: %[[MASK:.*]] = arith.subi %[[SIZE]], %[[ONE]]
// CHECK: %[[BLOCK:.*]] = arith.remui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[REST:.*]] = arith.divui %[[PIECE]], %[[BLOCKS]]
// CHECK: %[[HEAD:.*]] = arith.remui %[[REST]], %[[HEADS]]
// CHECK: %[[B:.*]] = arith.divui %[[REST]], %[[HEADS]]
// CHECK: %[[MEMBER:.*]] = arith.andi %[[HEAD]], %[[MASK]]
// CHECK: %[[BEFORE:.*]] = arith.muli %[[MEMBER]], %[[BLOCKS]]
// CHECK: %[[NUMBER:.*]] = arith.addi %[[BEFORE]], %[[BLOCK]]
// CHECK: %[[I:.*]] = arith.shrui %[[NUMBER]], %[[SHIFT]]
// CHECK: %[[FIRST:.*]] = arith.subi %[[HEAD]], %[[MEMBER]]
// CHECK: %[[PLACE:.*]] = arith.andi %[[NUMBER]], %[[MASK]]
// CHECK: %[[H:.*]] = arith.addi %[[FIRST]], %[[PLACE]]
// CHECK: tile.load %{{.*}}[%[[B]], %[[I]], %[[H]]]
tile.kernel @grouped(%blocks: index, %heads: index, %batch: index, %a: !matrix) attributes {schedule = #some} {
  %i, %h, %b = tile.program_id(%blocks, %heads, %batch) grouped 16 : index, index, index
  %t = tile.load %a[%b, %i, %h] dims [1, 2] : !matrix, vector<64x64xf32>
  tile.return
}

// Without a limit they never are.
// CHECK-LABEL: tile.kernel @never_grouped
// CHECK-SAME: (%[[BLOCKS:[a-z0-9]+]]: index
// CHECK-NOT: grouped
// CHECK: scf.for %[[PIECE:[a-z0-9]+]] =
// CHECK-NEXT: %[[BLOCK:.*]] = arith.remui %[[PIECE]], %[[BLOCKS]]
// CHECK-NEXT: %[[HEAD:.*]] = arith.divui %[[PIECE]], %[[BLOCKS]]
// CHECK-NEXT: tile.load %{{.*}}[%[[HEAD]], %[[BLOCK]]
tile.kernel @never_grouped(%blocks: index, %heads: index, %a: !matrix) attributes {schedule = #all} {
  %c0 = arith.constant 0 : index
  %i, %h = tile.program_id(%blocks, %heads) grouped 16 : index, index
  %t = tile.load %a[%h, %i, %c0] dims [1, 2] : !matrix, vector<64x64xf32>
  tile.return
}

// Nor does anything happen to a kernel whose pieces all have CTAs of their own.
// CHECK-LABEL: tile.kernel @grouped_as_it_is
// CHECK-NOT: scf.for
// CHECK: tile.program_id(%{{.*}}, %{{.*}}) grouped 16
tile.kernel @grouped_as_it_is(%blocks: index, %heads: index) attributes {schedule = #none} {
  %i, %h = tile.program_id(%blocks, %heads) grouped 16 : index, index
  tile.return
}
