// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-specialize-warps,fa3-verify-hopper),canonicalize)' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-specialize-warps))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

!m = memref<?x64xbf16, strided<[?, 1]>>
!f = memref<?x64xf32, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
#s = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>

// The producer has the puts, their loop and conditional and the index that the
// loop carries for them; tiles stay with the consumers. A division is not moved
// in front of the roles: both have it.
// CHECK-LABEL: tile.kernel @roles
// CHECK: hopper.ring_alloc
// CHECK: hopper.specialize {{.*}}warpgroups = 2 : i64} producer {
// CHECK-NEXT: %[[N:.*]] = arith.divui
// CHECK-NEXT: scf.for %[[J:.*]] = %c0 to %[[N]] step %c1 iter_args(%[[ROW:.*]] = %c0) -> (index) {
// CHECK-NEXT: scf.if
// CHECK-NEXT: hopper.ring_put {{.*}}[%[[ROW]], %c0]
// CHECK-NEXT: }
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[ROW]], %[[J]]
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK-NEXT: }
// CHECK-NEXT: } consumer {
// CHECK: arith.divui
// CHECK: scf.for {{.*}} -> (index, vector<64x64xf32>)
// CHECK-NOT: hopper.ring_put
// CHECK: scf.if
// CHECK: hopper.ring_get
// CHECK: hopper.ring_release
// CHECK: tile.store
// REMARK: one producer thread issues the loads for 2 consumer warpgroups
tile.kernel @roles(%k: !m, %o: !f, %a: index, %g: index, %c: i1, %x: vector<64x64xf32>) attributes {schedule = #s} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.divui %a, %g : index
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%row = %c0, %acc = %x) -> (index, vector<64x64xf32>) {
    scf.if %c {
      hopper.ring_put %rk, %k[%row, %c0] dims [0, 1] : !r, !m
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
    %y = math.exp2 %acc : vector<64x64xf32>
    %next = arith.addi %row, %j : index
    scf.yield %next, %y : index, vector<64x64xf32>
  }
  tile.store %r#1, %o[%r#0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// A ring in a loop in a loop; conditionals with an else; a scalar that one of
// them gives; lengths that are read from memory.
// CHECK-LABEL: tile.kernel @nested
// CHECK: producer {
// CHECK: %[[N:.*]] = memref.load
// CHECK: scf.for %[[I:.*]] =
// CHECK: %[[FIRST:.*]] = scf.if {{.*}} -> (index) {
// CHECK: } else {
// CHECK: }
// CHECK-NEXT: scf.for %[[J:.*]] = %[[FIRST]] to %[[N]]
// CHECK-NEXT: hopper.ring_put {{.*}}[%[[J]], %c0]
// CHECK: } consumer {
// CHECK: %[[N1:.*]] = memref.load
// CHECK: scf.for
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[N1]]
// CHECK-NEXT: hopper.ring_get
tile.kernel @nested(%k: !m, %lengths: memref<?xindex>, %m: index, %c: i1, %d: index, %e: index) attributes {schedule = #s} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.load %lengths[%c0] : memref<?xindex>
  scf.for %i = %c0 to %m step %c1 {
    %first = scf.if %c -> index {
      %q = arith.divui %d, %e : index
      scf.yield %q : index
    } else {
      scf.yield %i : index
    }
    scf.for %j = %first to %n step %c1 {
      hopper.ring_put %rk, %k[%j, %c0] dims [0, 1] : !r, !m
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @both_arms
// CHECK: producer {
// CHECK: scf.if
// CHECK-NEXT: hopper.ring_put {{.*}}[%c0, %c0]
// CHECK-NEXT: } else {
// CHECK-NEXT: hopper.ring_put {{.*}}[%c1, %c0]
// CHECK: } consumer {
tile.kernel @both_arms(%k: !m, %c: i1) attributes {schedule = #s} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.if %c {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  } else {
    hopper.ring_put %rk, %k[%c1, %c0] dims [0, 1] : !r, !m
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// Nothing to load through a ring: no roles.
// CHECK-LABEL: tile.kernel @no_puts
// CHECK-NOT: hopper.specialize
// CHECK: tile.return
tile.kernel @no_puts(%l: memref<?xf32, strided<[1]>>) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %x = tile.load %l[%c0] dims [0, -1] : memref<?xf32, strided<[1]>>, vector<64x1xf32>
  tile.store %x, %l[%c0] dims [0, -1] : vector<64x1xf32>, memref<?xf32, strided<[1]>>
  tile.return
}

// CHECK-LABEL: tile.kernel @off
// CHECK-NOT: hopper.specialize
// CHECK: hopper.ring_put
tile.kernel @off(%k: !m) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, specialize = false>} {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b : !r, !b
  tile.return
}

// What is added to memory is added by the drain: it goes through the same loops
// as the consumers that put it, whose registers it does not take.
!acc = memref<?x4096xf32, strided<[?, 1]>>
!out = !hopper.ring<1, vector<64x64xf32>>
// CHECK-LABEL: tile.kernel @drain
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: memref<?x4096xf32
// CHECK: %[[OUT:.*]] = hopper.ring_alloc : <1, vector<64x64xf32>>
// CHECK: producer {
// CHECK-NOT: hopper.out_
// CHECK: hopper.ring_put
// CHECK-NOT: hopper.out_
// CHECK: } consumer {
// CHECK: scf.for
// CHECK: hopper.ring_get
// CHECK: hopper.out_put %{{.*}}, %[[OUT]]
// CHECK-NOT: hopper.out_reduce
// CHECK: } drain {
// CHECK-NOT: hopper.ring_
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: %[[TWICE:.*]] = arith.addi %[[I]], %[[I]]
// CHECK: hopper.out_reduce %[[OUT]], %[[ACC]][%[[TWICE]], %{{.*}}]
// CHECK-NOT: vector<
// CHECK: tile.return
tile.kernel @drain(%k: !m, %acc: !acc, %x: vector<64x64xf32>, %n: index) attributes {schedule = #s} {
  %rk = hopper.ring_alloc : !r
  %ro = hopper.ring_alloc : !out
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    hopper.ring_put %rk, %k[%i, %c0] dims [0, 1] : !r, !m
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
    %y = arith.addf %x, %x : vector<64x64xf32>
    %twice = arith.addi %i, %i : index
    hopper.out_put %y, %ro : vector<64x64xf32>, !out
    hopper.out_reduce %ro, %acc[%twice, %c0] : !out, !acc
  }
  tile.return
}

// Without loads there are no roles: the warpgroups add by themselves.
// CHECK-LABEL: tile.kernel @no_loads
// CHECK-NOT: drain
// CHECK: hopper.out_put
// CHECK-NEXT: hopper.out_reduce
tile.kernel @no_loads(%acc: !acc, %x: vector<64x64xf32>, %i: index) attributes {schedule = #s} {
  %ro = hopper.ring_alloc : !out
  hopper.out_put %x, %ro : vector<64x64xf32>, !out
  hopper.out_reduce %ro, %acc[%i, %i] : !out, !acc
  tile.return
}

// What the producer loads is transposed by a role of its own, through the same loops
// and conditionals: it needs their bounds, but no address.
!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!rv = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!rt = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!bt = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
// CHECK-LABEL: tile.kernel @transpose
// CHECK: %[[V:.*]] = hopper.ring_alloc : <2, vector<32x64xf8E4M3FN>>
// CHECK: %[[T:.*]] = hopper.ring_alloc : <2, vector<64x32xf8E4M3FN>>
// CHECK: producer {
// CHECK-NOT: hopper.ring_transpose
// CHECK: hopper.ring_put %[[V]]
// CHECK-NOT: hopper.ring_transpose
// CHECK: } consumer {
// CHECK: scf.for
// CHECK: scf.if
// CHECK-NEXT: hopper.ring_get %[[T]]
// CHECK-NEXT: hopper.ring_release %[[T]]
// CHECK-NOT: hopper.ring_transpose
// CHECK: } transpose {
// CHECK-NEXT: %[[N:.*]] = arith.divui
// CHECK-NEXT: scf.for %{{.*}} = %c0 to %[[N]] step %c1 {
// CHECK-NEXT: scf.if
// CHECK-NEXT: hopper.ring_transpose %[[V]], %[[T]]
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: tile.return
tile.kernel @transpose(%v: !n, %o: !f, %a: index, %g: index, %c: i1, %x: vector<64x64xf32>) attributes {schedule = #s} {
  %rv = hopper.ring_alloc : !rv
  %rt = hopper.ring_alloc : !rt
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.divui %a, %g : index
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%row = %c0, %acc = %x) -> (index, vector<64x64xf32>) {
    scf.if %c {
      hopper.ring_put %rv, %v[%row, %c0] dims [0, 1] : !rv, !n
      hopper.ring_transpose %rv, %rt : !rv to !rt
      %b = hopper.ring_get %rt : !rt -> !bt
      hopper.ring_release %rt, %b : !rt, !bt
    }
    %y = math.exp2 %acc : vector<64x64xf32>
    %next = arith.addi %row, %j : index
    scf.yield %next, %y : index, vector<64x64xf32>
  }
  tile.store %r#1, %o[%r#0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// All four roles.
// CHECK-LABEL: tile.kernel @drain_and_transpose
// CHECK: producer {
// CHECK: hopper.ring_put
// CHECK: } consumer {
// CHECK: hopper.ring_get
// CHECK: hopper.out_put
// CHECK: } drain {
// CHECK-NOT: hopper.ring_
// CHECK: hopper.out_reduce
// CHECK: } transpose {
// CHECK-NOT: hopper.out_
// CHECK: hopper.ring_transpose
// CHECK-NOT: hopper.out_
// CHECK: tile.return
tile.kernel @drain_and_transpose(%v: !n, %acc: !acc, %x: vector<64x64xf32>, %n: index) attributes {schedule = #s} {
  %rv = hopper.ring_alloc : !rv
  %rt = hopper.ring_alloc : !rt
  %ro = hopper.ring_alloc : !out
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    hopper.ring_put %rv, %v[%i, %c0] dims [0, 1] : !rv, !n
    hopper.ring_transpose %rv, %rt : !rv to !rt
    %b = hopper.ring_get %rt : !rt -> !bt
    hopper.ring_release %rt, %b : !rt, !bt
    hopper.out_put %x, %ro : vector<64x64xf32>, !out
    hopper.out_reduce %ro, %acc[%i, %c0] : !out, !acc
  }
  tile.return
}
