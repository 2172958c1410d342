// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-hold-waits))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-hold-waits))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK --implicit-check-not=remark:

#late = #tile.schedule<block_q = 128, block_kv = 64, late_waits = true>
#early = #tile.schedule<block_q = 128, block_kv = 64>

// What the loop computes while the product runs, and carries on, holds the wait
// back: not what was computed before the product, nor behind the wait. The wait's
// own result goes with the product.
// CHECK-LABEL: tile.kernel @sums
// CHECK: scf.for
// CHECK: hopper.wgmma_commit
// CHECK-NEXT: %[[E:.*]] = math.exp2
// CHECK-NEXT: %[[L:.*]] = arith.addf %{{.*}}, %[[E]]
// CHECK-NEXT: %[[M:.*]] = arith.mulf
// CHECK-NEXT: hopper.hold %[[L]], %[[M]] : f32, f32
// CHECK-NEXT: hopper.wgmma_wait 0
// CHECK-NOT: hopper.hold
// CHECK: tile.return
// REMARK: hold-waits.mlir:[[#@LINE+10]]:{{.*}}2 values hold the wait for a product back
tile.kernel @sums(%n: index, %o: f32, %s: f32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:5 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %l = %s, %m = %s, %a = %s, %b = %s) -> (f32, f32, f32, f32, f32) {
    %before = arith.addf %a, %s : f32
    hopper.wgmma_commit
    %e = math.exp2 %s : f32
    %l1 = arith.addf %l, %e : f32
    %m1 = arith.mulf %m, %s : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    %behind = arith.addf %b, %w : f32
    scf.yield %w, %l1, %m1, %before, %behind : f32, f32, f32, f32, f32
  }
  tile.return
}

// The sum needs the exponential, which needs the maximum: it stands for both, and
// is named once.
// CHECK-LABEL: tile.kernel @sources
// CHECK: hopper.wgmma_commit
// CHECK: %[[L:.*]] = arith.addf
// CHECK-NEXT: hopper.hold %[[L]] : f32
// CHECK-NEXT: hopper.wgmma_wait 0
// REMARK: hold-waits.mlir:[[#@LINE+10]]:{{.*}}1 values hold the wait for a product back
tile.kernel @sources(%n: index, %o: f32, %s: f32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:5 = scf.for %i = %c0 to %n step %c1 iter_args(%m = %s, %e = %s, %l = %s, %k = %s, %x = %o) -> (f32, f32, f32, f32, f32) {
    hopper.wgmma_commit
    %m1 = arith.maxnumf %m, %s : f32
    %d = arith.subf %s, %m1 : f32
    %e1 = math.exp2 %d : f32
    %l1 = arith.addf %l, %e1 : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    scf.yield %m1, %e1, %l1, %l1, %w : f32, f32, f32, f32, f32
  }
  tile.return
}

// Whatever the loop's order, and where an arm needs it.
// CHECK-LABEL: tile.kernel @sources_behind
// CHECK: hopper.wgmma_commit
// CHECK: %[[L:.*]] = scf.if
// CHECK: hopper.hold %[[L]] : f32
// CHECK-NEXT: hopper.wgmma_wait 0
// REMARK: remark: {{.*}}1 values hold the wait for a product back
tile.kernel @sources_behind(%n: index, %s: f32, %p: i1) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%l = %s, %e = %s, %m = %s) -> (f32, f32, f32) {
    hopper.wgmma_commit
    %m1 = arith.maxnumf %m, %s : f32
    %e1 = math.exp2 %m1 : f32
    %l1 = scf.if %p -> (f32) {
      %x = arith.mulf %l, %e1 : f32
      scf.yield %x : f32
    } else {
      scf.yield %l : f32
    }
    hopper.wgmma_wait 0 () : () -> ()
    scf.yield %l1, %e1, %m1 : f32, f32, f32
  }
  tile.return
}

// Only what is computed behind the youngest product runs under it.
// CHECK-LABEL: tile.kernel @youngest
// CHECK: hopper.wgmma_commit
// CHECK: hopper.wgmma_commit
// CHECK-NEXT: %[[B:.*]] = arith.mulf
// CHECK-NEXT: hopper.hold %[[B]] : f32
// CHECK-NEXT: hopper.wgmma_wait 1
// REMARK: remark: {{.*}}1 values hold the wait for a product back
tile.kernel @youngest(%n: index, %o: f32, %s: f32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %a = %s, %b = %s) -> (f32, f32, f32) {
    hopper.wgmma_commit
    %a1 = arith.addf %a, %s : f32
    hopper.wgmma_commit
    %b1 = arith.mulf %b, %s : f32
    %w = hopper.wgmma_wait 1 (%x) : (f32) -> f32
    scf.yield %w, %a1, %b1 : f32, f32, f32
  }
  tile.return
}

// The older product's values are there: the wait for the younger one is held back
// by what is computed from them, not by the wait that gave them.
// CHECK-LABEL: tile.kernel @older_wait
// CHECK: hopper.wgmma_commit
// CHECK-NEXT: hopper.wgmma_commit
// CHECK-NEXT: %[[S:.*]]:2 = hopper.wgmma_wait 1
// CHECK-NEXT: %[[L:.*]] = arith.addf %{{.*}}, %[[S]]#0
// CHECK-NEXT: hopper.hold %[[L]] : f32
// CHECK-NEXT: hopper.wgmma_wait 0
// REMARK: remark: {{.*}}1 values hold the wait for a product back
tile.kernel @older_wait(%n: index, %o: f32, %s: f32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %y = %s, %l = %s) -> (f32, f32, f32) {
    hopper.wgmma_commit
    hopper.wgmma_commit
    %v:2 = hopper.wgmma_wait 1 (%s, %y) : (f32, f32) -> (f32, f32)
    %l1 = arith.addf %l, %v#0 : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    scf.yield %w, %v#1, %l1 : f32, f32, f32
  }
  tile.return
}

// A wait without values is held back as well, and what a conditional gives holds
// it.
// CHECK-LABEL: tile.kernel @conditional
// CHECK: hopper.wgmma_commit
// CHECK: %[[L:.*]] = scf.if
// CHECK: hopper.hold %[[L]] : f32
// CHECK-NEXT: hopper.wgmma_wait 0() : () -> ()
// CHECK-NEXT: hopper.mbarrier_arrive
// REMARK: remark: {{.*}}1 values hold the wait for a product back
tile.kernel @conditional(%n: index, %s: f32, %p: i1, %b: i32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%l = %s) -> (f32) {
    hopper.wgmma_commit
    %l1 = scf.if %p -> (f32) {
      %m = arith.mulf %l, %s : f32
      scf.yield %m : f32
    } else {
      scf.yield %l : f32
    }
    hopper.wgmma_wait 0 () : () -> ()
    hopper.mbarrier_arrive %b
    scf.yield %l1 : f32
  }
  tile.return
}

// Nothing is held back: the schedule does not ask for it,
// CHECK-LABEL: tile.kernel @not_late
// CHECK-NOT: hopper.hold
// CHECK: tile.return
tile.kernel @not_late(%n: index, %o: f32, %s: f32) attributes {schedule = #early} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %l = %s) -> (f32, f32) {
    hopper.wgmma_commit
    %l1 = arith.addf %l, %s : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    scf.yield %w, %l1 : f32, f32
  }
  tile.return
}

// there is none,
// CHECK-LABEL: tile.kernel @no_schedule
// CHECK-NOT: hopper.hold
// CHECK: tile.return
tile.kernel @no_schedule(%n: index, %o: f32, %s: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %l = %s) -> (f32, f32) {
    hopper.wgmma_commit
    %l1 = arith.addf %l, %s : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    scf.yield %w, %l1 : f32, f32
  }
  tile.return
}

// no loop carries anything on from under the product, behind it or in an arm,
// CHECK-LABEL: tile.kernel @no_loop
// CHECK-NOT: hopper.hold
// CHECK: tile.return
tile.kernel @no_loop(%n: index, %o: f32, %s: f32, %p: i1) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%l = %s) -> (f32) {
    %b = scf.if %p -> (f32) {
      hopper.wgmma_commit
      %l1 = arith.addf %l, %s : f32
      hopper.wgmma_wait 0 () : () -> ()
      scf.yield %l1 : f32
    } else {
      scf.yield %l : f32
    }
    scf.yield %b : f32
  }
  hopper.wgmma_commit
  %e = math.exp2 %r : f32
  %w = hopper.wgmma_wait 0 (%o) : (f32) -> f32
  %a = arith.addf %w, %e : f32
  tile.return
}

// nothing is computed under the product, or what is ends with the iteration,
// CHECK-LABEL: tile.kernel @nothing
// CHECK-NOT: hopper.hold
// CHECK: tile.return
tile.kernel @nothing(%n: index, %o: f32, %s: f32) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %l = %s, %k = %s) -> (f32, f32, f32) {
    %l1 = arith.addf %l, %s : f32
    hopper.wgmma_commit
    %e = math.exp2 %s : f32
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    %y = arith.addf %w, %e : f32
    scf.yield %y, %l1, %l : f32, f32, f32
  }
  tile.return
}

// or it is no f32.
// CHECK-LABEL: tile.kernel @integers
// CHECK-NOT: hopper.hold
// CHECK: tile.return
tile.kernel @integers(%n: index, %o: f32, %s: i32, %h: f16) attributes {schedule = #late} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %o, %parity = %s, %k = %h) -> (f32, i32, f16) {
    hopper.wgmma_commit
    %next = arith.xori %parity, %s : i32
    %k1 = arith.addf %k, %h : f16
    %w = hopper.wgmma_wait 0 (%x) : (f32) -> f32
    scf.yield %w, %next, %k1 : f32, i32, f16
  }
  tile.return
}
