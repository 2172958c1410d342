// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-recompute-indices),cse)' | FileCheck %s

!o = memref<?x?xf32, strided<[?, 1]>>

// Behind the role's last loop what comes from indices is computed again, from
// registers that are read there. The loop's own values and sizes stay.
// CHECK-LABEL: tile.kernel @role
// CHECK-SAME: (%[[O:[a-z0-9]+]]: memref<{{.*}}>, %[[N:[a-z0-9]+]]: index, %[[HEADS:[a-z0-9]+]]: index
// CHECK: %[[IDS:.*]]:2 = tile.program_id(%[[N]], %[[HEADS]])
// CHECK: %[[THREAD:.*]] = hopper.thread_id : i32
// CHECK: consumer
// CHECK: %[[SUM:.*]] = scf.for %[[I:.*]] = %[[IDS]]#0 to %[[N]]
// CHECK: hopper.global_store %{{.*}} if
// CHECK: }
// CHECK-NEXT: %[[CTA:.*]] = hopper.block_id again : i32
// CHECK-NEXT: %[[INDEX:.*]] = arith.index_castui %[[CTA]]
// CHECK-NEXT: %[[HEAD:.*]] = arith.divui %[[INDEX]], %[[N]]
// CHECK-NEXT: %[[HEAD32:.*]] = arith.index_cast %[[HEAD]]
// CHECK-DAG: %[[W:.*]] = hopper.warpgroup again : i32
// CHECK-DAG: %[[T:.*]] = hopper.thread_id again : i32
// CHECK: %[[COLUMN:.*]] = arith.addi %[[T]], %[[W]]
// CHECK-NEXT: hopper.global_store %[[O]][%[[HEAD32]], %[[COLUMN]]], %[[SUM]] if %true
tile.kernel @role(%o: !o, %n: index, %heads: index, %x: f32) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c1 = arith.constant 1 : index
  %true = arith.constant true
  %i, %h = tile.program_id(%n, %heads) : index, index
  %head = arith.index_cast %h : index to i32
  %t = hopper.thread_id : i32
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.cta_sync
  } consumer {
    %w = hopper.warpgroup : i32
    %column = arith.addi %t, %w : i32
    %sum = scf.for %k = %i to %n step %c1 iter_args(%s = %x) -> f32 {
      hopper.global_store %o[%head, %column], %s if %true : !o, f32
      scf.yield %s : f32
    }
    hopper.global_store %o[%head, %column], %sum if %true : !o, f32
  }
  tile.return
}

// Without a loop nothing is in the way. What is computed from memory, or in the
// loop, is not computed again.
// CHECK-LABEL: tile.kernel @none
// CHECK-NOT: again
tile.kernel @none(%o: !o, %x: f32) {
  %true = arith.constant true
  %zero = arith.constant 0 : i32
  %t = hopper.thread_id : i32
  hopper.global_store %o[%zero, %t], %x if %true : !o, f32
  tile.return
}

// CHECK-LABEL: tile.kernel @carried
// CHECK-NOT: again
tile.kernel @carried(%o: !o, %n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %true = arith.constant true
  %t = hopper.thread_id : i32
  %column = scf.for %k = %c0 to %n step %c1 iter_args(%s = %t) -> i32 {
    %next = arith.addi %s, %t : i32
    scf.yield %next : i32
  }
  hopper.global_store %o[%column, %column], %x if %true : !o, f32
  tile.return
}

// The same where heads are in groups.
// CHECK-LABEL: tile.kernel @grouped
// CHECK-SAME: (%[[O:[a-z0-9]+]]: memref<{{.*}}>, %[[N:[a-z0-9]+]]: index, %[[HEADS:[a-z0-9]+]]: index
// CHECK: %[[IDS:.*]]:2 = tile.program_id(%[[N]], %[[HEADS]]) grouped 16
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %[[IDS]]#0 to %[[N]]
// CHECK: }
// CHECK-NEXT: %[[CTA:.*]] = hopper.block_id again : i32
// CHECK-NEXT: %[[INDEX:.*]] = arith.index_castui %[[CTA]]
// CHECK: math.ctlz
// CHECK: math.cttz
// CHECK: %[[SHIFT:.*]] = arith.maxsi
// CHECK: %[[SIZE:.*]] = arith.shli %{{.*}}, %[[SHIFT]]
// CHECK: %[[MASK:.*]] = arith.subi %[[SIZE]], %{{.*}}
// CHECK: %[[ROW:.*]] = arith.remui %[[INDEX]], %[[N]]
// CHECK: %[[HEAD:.*]] = arith.divui %[[INDEX]], %[[N]]
// CHECK: %[[MEMBER:.*]] = arith.andi %[[HEAD]], %[[MASK]]
// CHECK: %[[BEFORE:.*]] = arith.muli %[[MEMBER]], %[[N]]
// CHECK: %[[NUMBER:.*]] = arith.addi %[[BEFORE]], %[[ROW]]
// CHECK: %[[I:.*]] = arith.shrui %[[NUMBER]], %[[SHIFT]]
// CHECK: %[[FIRST:.*]] = arith.subi %[[HEAD]], %[[MEMBER]]
// CHECK: %[[PLACE:.*]] = arith.andi %[[NUMBER]], %[[MASK]]
// CHECK: %[[H:.*]] = arith.addi %[[FIRST]], %[[PLACE]]
// CHECK-DAG: %[[H32:.*]] = arith.index_cast %[[H]]
// CHECK-DAG: %[[I32:.*]] = arith.index_cast %[[I]]
// CHECK: hopper.global_store %[[O]][%[[H32]], %[[I32]]], %[[SUM]] if %true
tile.kernel @grouped(%o: !o, %n: index, %heads: index, %x: f32) {
  %c1 = arith.constant 1 : index
  %true = arith.constant true
  %i, %h = tile.program_id(%n, %heads) grouped 16 : index, index
  %row = arith.index_cast %i : index to i32
  %head = arith.index_cast %h : index to i32
  %sum = scf.for %k = %i to %n step %c1 iter_args(%s = %x) -> f32 {
    scf.yield %s : f32
  }
  hopper.global_store %o[%head, %row], %sum if %true : !o, f32
  tile.return
}
