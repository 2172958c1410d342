// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-turns))' | FileCheck %s

#two = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>
#three = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, producer_registers = 32, consumer_registers = 160>

// The last warpgroup gives the first one its first turn; each waits at its own
// barrier and arrives at the next one's.
// CHECK-LABEL: tile.kernel @roles
// CHECK: consumer {
// CHECK-NEXT: %[[MINE:.*]] = hopper.warpgroup : i32
// CHECK-NEXT: %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-NEXT: %[[BARRIER:.*]] = arith.addi %[[MINE]], %[[ONE]]
// CHECK-NEXT: %[[LAST:.*]] = arith.constant 2 : i32
// CHECK-NEXT: %[[ISLAST:.*]] = arith.cmpi eq, %[[MINE]], %[[LAST]]
// CHECK: %[[FOLLOWING:.*]] = arith.addi %[[BARRIER]], %{{.*}}
// CHECK: %[[NEXT:.*]] = arith.select %[[ISLAST]], %{{.*}}, %[[FOLLOWING]]
// CHECK-NEXT: scf.if %[[ISLAST]] {
// CHECK: hopper.named_arrive %{{.*}}, 256
// CHECK-NEXT: }
// CHECK: scf.for
// CHECK-NEXT: hopper.named_sync %[[BARRIER]], 256
// CHECK-NEXT: hopper.named_arrive %[[NEXT]], 256
// CHECK-NOT: hopper.turn
tile.kernel @roles(%n: index) attributes {schedule = #three} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 3 : i64, producer_registers = 32 : i64, consumer_registers = 160 : i64} producer {
    hopper.cta_sync
  } consumer {
    scf.for %j = %c0 to %n step %c1 {
      hopper.turn_wait
      hopper.turn_pass
    }
  }
  tile.return
}

// Without roles every thread of the kernel is a consumer's.
// CHECK-LABEL: tile.kernel @no_roles
// CHECK-NEXT: hopper.warpgroup
// CHECK: hopper.named_sync
// CHECK-NEXT: hopper.named_arrive
tile.kernel @no_roles() attributes {schedule = #two} {
  hopper.turn_wait
  hopper.turn_pass
  tile.return
}

// CHECK-LABEL: tile.kernel @no_turns
// CHECK-NEXT: tile.return
tile.kernel @no_turns() attributes {schedule = #two} {
  tile.return
}
