// RUN: fa3-opt %s --fa3-split-loops | FileCheck %s
// RUN: fa3-opt %s --fa3-split-loops --verify-diagnostics --remarks-filter=.* -o /dev/null

#on = #tile.schedule<block_q = 128, block_kv = 128>
#off = #tile.schedule<block_q = 128, block_kv = 128, split_loops = false>
!m = memref<?xf32, strided<[1]>>

// CHECK-LABEL: tile.kernel @below(
// CHECK-SAME: %[[LB:[a-z0-9]+]]: index, %[[UB:[a-z0-9]+]]: index, %[[T:[a-z0-9]+]]: index, %[[X:[a-z0-9]+]]: f32
// CHECK: %[[LOW:.*]] = arith.maxsi %[[T]], %[[LB]]
// CHECK: %[[MIDDLE:.*]] = arith.minsi %[[LOW]], %[[UB]]
// CHECK: %[[FIRST:.*]] = scf.for %{{.*}} = %[[LB]] to %[[MIDDLE]] step %{{.*}} iter_args(%[[A:.*]] = %[[X]])
// CHECK-NEXT: %[[B:.*]] = arith.addf %[[A]], %[[A]]
// CHECK-NEXT: scf.yield %[[B]]
// CHECK: scf.for %{{.*}} = %[[MIDDLE]] to %[[UB]] step %{{.*}} iter_args(%[[C:.*]] = %[[FIRST]])
// CHECK-NEXT: %[[D:.*]] = arith.mulf %[[C]], %[[C]]
// CHECK-NEXT: scf.yield %[[D]]
tile.kernel @below(%lb: index, %ub: index, %t: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c1 = arith.constant 1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  %r = scf.for %j = %lb to %ub step %c1 iter_args(%a = %x) -> (f32) {
    %mixed = arith.cmpi slt, %j, %t : index
    %b = scf.if %mixed -> (f32) {
      %y = arith.addf %a, %a : f32
      scf.yield %y : f32
    } else {
      %z = arith.mulf %a, %a : f32
      scf.yield %z : f32
    }
    scf.yield %b : f32
  }
  memref.store %r, %m[%lb] : !m
  tile.return
}

// The index of the next iteration, as the pipeliner writes it, through a cast:
// j + 1 <= t is j < t, and j + 1 < t is j < t - 1.

// CHECK-LABEL: tile.kernel @next(
// CHECK-SAME: %[[UB:[a-z0-9]+]]: index, %[[T:[a-z0-9]+]]: i32
// CHECK: %[[CAST:.*]] = arith.index_cast %[[T]] : i32 to index
// CHECK: %[[BEFORE:.*]] = arith.addi %[[CAST]], %c-1
// CHECK: %[[LOW:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK: %[[MIDDLE:.*]] = arith.minsi %[[LOW]], %[[UB]]
// CHECK: scf.for %{{.*}} = %c0 to %[[MIDDLE]]
// CHECK-NOT: scf.if
// CHECK: scf.for %{{.*}} = %[[MIDDLE]] to %[[UB]]
// CHECK-NOT: scf.if
// CHECK: tile.return
tile.kernel @next(%ub: index, %t: i32, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  %r = scf.for %j = %c0 to %ub step %c1 iter_args(%a = %x) -> (f32) {
    %next = arith.addi %j, %c1 : index
    %next32 = arith.index_cast %next : index to i32
    %mixed = arith.cmpi slt, %next32, %t : i32
    %b = scf.if %mixed -> (f32) {
      %y = arith.addf %a, %a : f32
      scf.yield %y : f32
    } else {
      scf.yield %a : f32
    }
    scf.yield %b : f32
  }
  memref.store %r, %m[%c0] : !m
  tile.return
}

// From a threshold on: false in the first part. Without results, without else,
// and in a loop over i32.

// CHECK-LABEL: tile.kernel @above(
// CHECK: %[[LOW:.*]] = arith.maxsi %{{.*}}, %c0_i32
// CHECK: %[[MIDDLE:.*]] = arith.minsi %[[LOW]], %{{.*}} : i32
// CHECK: scf.for %{{.*}} = %c0_i32 to %[[MIDDLE]] step %{{.*}} : i32 {
// CHECK-NEXT: }
// CHECK: scf.for %{{.*}} = %[[MIDDLE]] to %{{.*}} step %{{.*}} : i32 {
// CHECK-NEXT:   memref.store
// CHECK-NEXT: }
tile.kernel @above(%ub: i32, %t: i32, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %z to %ub step %one : i32 {
    %last = arith.cmpi sge, %j, %t : i32
    scf.if %last {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Two conditions: both parts are split again. A condition's other uses see its
// value, too.

// CHECK-LABEL: tile.kernel @two(
// CHECK-COUNT-4: scf.for
// CHECK-NOT: scf.if
// CHECK: tile.return
tile.kernel @two(%ub: index, %s: index, %t: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  %r = scf.for %j = %c0 to %ub step %c1 iter_args(%a = %x) -> (f32) {
    %first = arith.cmpi slt, %j, %s : index
    %second = arith.cmpi sgt, %j, %t : index
    %b = scf.if %first -> (f32) {
      %y = arith.addf %a, %a : f32
      scf.yield %y : f32
    } else {
      scf.yield %a : f32
    }
    %c = scf.if %second -> (f32) {
      %y = arith.mulf %b, %b : f32
      scf.yield %y : f32
    } else {
      scf.yield %b : f32
    }
    %d = arith.select %first, %c, %x : f32
    scf.yield %d : f32
  }
  memref.store %r, %m[%c0] : !m
  tile.return
}

// The schedule decides.

// CHECK-LABEL: tile.kernel @off(
// CHECK-COUNT-1: scf.for
// CHECK: scf.if
// CHECK: tile.return
tile.kernel @off(%ub: index, %t: index, %x: f32, %m: !m) attributes {schedule = #off} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %j = %c0 to %ub step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}
