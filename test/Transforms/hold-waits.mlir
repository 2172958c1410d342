// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-sink-waits))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-sink-waits))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

#late = #tile.schedule<block_q = 128, block_kv = 64, late_waits = true>
#early = #tile.schedule<block_q = 128, block_kv = 64>

// The branch is decided while the product runs: both arms wait for it, and
// release what it has read. LLVM must not find their waits equal.
// CHECK-LABEL: tile.kernel @both_arms
// CHECK-SAME: (%[[O:[a-z0-9]+]]: f32, %[[S:[a-z0-9]+]]: f32, %{{[a-z0-9]+}}: i1, %[[B:[a-z0-9]+]]: i32
// CHECK: hopper.wgmma_commit
// CHECK-NEXT: %[[GROW:.*]] = hopper.vote_any
// CHECK-NEXT: %[[E:.*]] = math.exp2 %[[S]]
// CHECK-NEXT: %[[R:.*]] = scf.if %[[GROW]] -> (f32) {
// CHECK-NEXT: %[[FIRST:.*]] = hopper.wgmma_wait 0(%[[O]]) : (f32) -> f32
// CHECK-NEXT: hopper.mbarrier_arrive %[[B]]
// CHECK-NEXT: %[[M:.*]] = arith.mulf %[[FIRST]], %[[E]]
// CHECK-NEXT: scf.yield %[[M]]
// CHECK-NEXT: } else {
// CHECK-NEXT: %[[SECOND:.*]] = hopper.wgmma_wait 0(%[[O]]) {arm = 1 : i64} : (f32) -> f32
// CHECK-NEXT: hopper.mbarrier_arrive %[[B]]
// CHECK-NEXT: scf.yield %[[SECOND]]
// CHECK-NEXT: }
// CHECK-NEXT: arith.addf %[[R]], %[[E]]
// CHECK-NEXT: tile.return
// REMARK: the wait for a product is behind the branch that is decided under it
tile.kernel @both_arms(%o: f32, %s: f32, %p: i1, %b: i32) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %e = math.exp2 %s : f32
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  hopper.mbarrier_arrive %b
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %e : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  %a = arith.addf %r, %e : f32
  tile.return
}

// A value that is used behind the conditional as well is one of its results. What
// is computed from the values in front of it comes behind it, in order; what is
// not stays.
// CHECK-LABEL: tile.kernel @used_behind
// CHECK-SAME: (%[[O:[a-z0-9]+]]: f32, %[[P:[a-z0-9]+]]: f32, %[[S:[a-z0-9]+]]: f32
// CHECK: hopper.vote_any
// CHECK-NEXT: %[[D:.*]] = arith.addf %[[S]], %[[S]]
// CHECK-NEXT: %[[R:.*]]:2 = scf.if %{{.*}} -> (f32, f32) {
// CHECK-NEXT: %[[FIRST:.*]]:2 = hopper.wgmma_wait 0(%[[O]], %[[P]]) : (f32, f32) -> (f32, f32)
// CHECK-NEXT: %[[M:.*]] = arith.mulf %[[FIRST]]#0, %[[D]]
// CHECK-NEXT: scf.yield %[[M]], %[[FIRST]]#1
// CHECK-NEXT: } else {
// CHECK-NEXT: %[[SECOND:.*]]:2 = hopper.wgmma_wait 0(%[[O]], %[[P]]) {arm = 1 : i64}
// CHECK-NEXT: scf.yield %[[SECOND]]#0, %[[SECOND]]#1
// CHECK-NEXT: }
// CHECK-NEXT: %[[T:.*]] = arith.mulf %[[R]]#1, %[[D]]
// CHECK-NEXT: %[[U:.*]] = arith.addf %[[T]], %[[R]]#1
// CHECK-NEXT: arith.addf %[[R]]#0, %[[U]]
// CHECK-NEXT: tile.return
tile.kernel @used_behind(%o: f32, %p: f32, %s: f32, %grows: i1) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %grows
  %w:2 = hopper.wgmma_wait 0 (%o, %p) : (f32, f32) -> (f32, f32)
  %d = arith.addf %s, %s : f32
  %t = arith.mulf %w#1, %d : f32
  %u = arith.addf %t, %w#1 : f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w#0, %d : f32
    scf.yield %m : f32
  } else {
    scf.yield %w#0 : f32
  }
  %a = arith.addf %r, %u : f32
  tile.return
}

// A conditional without results gets those that are needed behind it.
// CHECK-LABEL: tile.kernel @no_results
// CHECK: %[[R:.*]] = scf.if
// CHECK-NEXT: %[[FIRST:.*]] = hopper.wgmma_wait
// CHECK: scf.yield %[[FIRST]] : f32
// CHECK-NEXT: } else {
// CHECK-NEXT: %[[SECOND:.*]] = hopper.wgmma_wait {{.*}}arm = 1
// CHECK-NEXT: scf.yield %[[SECOND]] : f32
// CHECK: arith.addf %[[R]], %[[R]]
tile.kernel @no_results(%o: f32, %p: i1, %l: memref<?xf32, strided<[1]>>, %i: i32) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  scf.if %grow {
    hopper.global_store %l[%i], %w if %p : memref<?xf32, strided<[1]>>, f32
  } else {
  }
  %a = arith.addf %w, %w : f32
  tile.return
}

// The wait stays in front of the branch: the schedule does not ask for it,
// CHECK-LABEL: tile.kernel @not_late
// CHECK: hopper.wgmma_wait
// CHECK: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @not_late(%o: f32, %p: i1) attributes {schedule = #early} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %w : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  tile.return
}

// it was decided before the products were issued,
// CHECK-LABEL: tile.kernel @known_before
// CHECK: hopper.wgmma_wait
// CHECK: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @known_before(%o: f32, %p: i1) attributes {schedule = #late} {
  %grow = hopper.vote_any %p
  hopper.wgmma_commit
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %w : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  tile.return
}

// or before the youngest of them,
// CHECK-LABEL: tile.kernel @known_between
// CHECK: hopper.wgmma_wait
// CHECK: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @known_between(%o: f32, %p: i1) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  hopper.wgmma_commit
  %w = hopper.wgmma_wait 1 (%o) : (f32) -> f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %w : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  tile.return
}

// there is no second arm,
// CHECK-LABEL: tile.kernel @one_arm
// CHECK: hopper.wgmma_wait
// CHECK: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @one_arm(%o: f32, %p: i1, %l: memref<?xf32, strided<[1]>>, %i: i32) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  scf.if %grow {
    hopper.global_store %l[%i], %w if %p : memref<?xf32, strided<[1]>>, f32
  }
  tile.return
}

// no arm needs the values,
// CHECK-LABEL: tile.kernel @not_needed
// CHECK: hopper.wgmma_wait
// CHECK: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @not_needed(%o: f32, %s: f32, %p: i1) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %s, %s : f32
    scf.yield %m : f32
  } else {
    scf.yield %s : f32
  }
  %a = arith.addf %r, %w : f32
  tile.return
}

// an arm needs what is computed from them in front of the branch,
// CHECK-LABEL: tile.kernel @used_in_front
// CHECK: hopper.wgmma_wait
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @used_in_front(%o: f32, %p: i1) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %t = arith.mulf %w, %w : f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %t : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  tile.return
}

// the values decide it,
// CHECK-LABEL: tile.kernel @decided_by_product
// CHECK: hopper.wgmma_wait
// CHECK-NEXT: arith.cmpf
// CHECK-NEXT: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @decided_by_product(%o: f32, %s: f32) attributes {schedule = #late} {
  hopper.wgmma_commit
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %grow = arith.cmpf ogt, %w, %s : f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %w : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  tile.return
}

// something with effects needs them in front of it, or gives others a value.
// CHECK-LABEL: tile.kernel @effects
// CHECK: hopper.wgmma_wait
// CHECK-NEXT: hopper.global_store
// CHECK-NEXT: scf.if
// CHECK-NOT: hopper.wgmma_wait 0(%{{.*}}) {arm
// CHECK: hopper.wgmma_wait
// CHECK-NEXT: hopper.global_load
// CHECK-NEXT: scf.if
// CHECK-NOT: hopper.wgmma_wait
// CHECK: tile.return
tile.kernel @effects(%o: f32, %p: i1, %l: memref<?xf32, strided<[1]>>, %i: i32) attributes {schedule = #late} {
  hopper.wgmma_commit
  %grow = hopper.vote_any %p
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  hopper.global_store %l[%i], %w if %p : memref<?xf32, strided<[1]>>, f32
  %r = scf.if %grow -> (f32) {
    %m = arith.mulf %w, %w : f32
    scf.yield %m : f32
  } else {
    scf.yield %w : f32
  }
  hopper.wgmma_commit
  %grow1 = hopper.vote_any %p
  %w1 = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %x = hopper.global_load %l[%i] if %p : memref<?xf32, strided<[1]>> -> f32
  %r1 = scf.if %grow1 -> (f32) {
    %m = arith.mulf %w1, %x : f32
    scf.yield %m : f32
  } else {
    scf.yield %w1 : f32
  }
  tile.return
}
