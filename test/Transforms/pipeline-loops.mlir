// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-pipeline-loops),canonicalize,cse)' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-pipeline-loops))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

!m = memref<?x64xbf16, strided<[?, 1]>>
!f = memref<?x64xf32, strided<[?, 1]>>
#s = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>

// The second product moves behind the next iteration's first one, its load goes
// with it; the last one comes after the loop; nothing runs if the loop is empty.
// CHECK-LABEL: tile.kernel @attention
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<{{.*}}>, %[[K:[a-z0-9]+]]: memref<{{.*}}>, %[[V:[a-z0-9]+]]: memref<{{.*}}>, %{{.*}}: memref<{{.*}}>, %[[N:.*]]: index
// CHECK: %[[RUNS:.*]] = arith.cmpi sgt, %[[N]], %c0
// CHECK: scf.if %[[RUNS]]
// CHECK: tile.load %[[K]][%c0,
// CHECK: %[[S0:.*]] = tile.dot
// CHECK: %[[P0:.*]] = arith.truncf %[[S0]]
// CHECK: %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK: %[[R:.*]]:2 = scf.for %[[J:.*]] = %c0 to %[[LAST]] step %c1 iter_args(%[[ACC:.*]] = %{{.*}}, %[[P:.*]] = %[[P0]])
// CHECK: %[[NEXT:.*]] = arith.addi %[[J]], %c1
// CHECK: tile.load %[[K]][%[[NEXT]],
// CHECK: %[[S:.*]] = tile.dot {{.*}} contract(1, 1)
// CHECK: tile.load %[[V]][%[[J]],
// CHECK: %[[O:.*]] = tile.dot %[[P]], %{{.*}}, %[[ACC]] contract(1, 0)
// CHECK: %[[P1:.*]] = arith.truncf %[[S]]
// CHECK: scf.yield %[[O]], %[[P1]]
// CHECK: %[[I:.*]] = arith.maxsi %[[LAST]], %c0
// CHECK-NEXT: tile.load %[[V]][%[[I]],
// CHECK: tile.dot %[[R]]#1, %{{.*}}, %[[R]]#0 contract(1, 0)
// CHECK: } else {
// CHECK-NEXT: scf.yield %cst
// REMARK: pipelined: the next iteration's first products are issued ahead of this iteration's dependent ones
tile.kernel @attention(%q: !m, %k: !m, %v: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V, %acc contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %O : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// Any bounds and step; an index that the loop carries is carried for both
// iterations: the deferred load reads the older one.
// CHECK-LABEL: tile.kernel @carried_index
// CHECK-SAME: %[[LO:[a-z0-9]+]]: index, %[[HI:[a-z0-9]+]]: index, %[[STEP:[a-z0-9]+]]: index
// CHECK-SAME: memref<{{.*}}>, %[[K:[a-z0-9]+]]: memref<{{.*}}>, %[[V:[a-z0-9]+]]: memref<{{.*}}>, %[[OUT:[a-z0-9]+]]: memref
// CHECK: arith.cmpi slt, %[[LO]], %[[HI]]
// CHECK: tile.load %[[K]][%c0, %c0]
// CHECK: %[[LAST:.*]] = arith.subi %[[HI]], %[[STEP]]
// CHECK: scf.for %{{.*}} = %[[LO]] to %[[LAST]] step %[[STEP]] iter_args(%[[ROW:.*]] = %c64, %[[ACC:.*]] = %{{.*}}, %[[OLD:.*]] = %c0, %[[P:.*]] = %{{.*}})
// CHECK: tile.load %[[K]][%[[ROW]], %c0]
// CHECK: tile.load %[[V]][%[[OLD]], %c0]
// CHECK: %[[NEXT:.*]] = arith.addi %[[ROW]], %c64
// CHECK: scf.yield %[[NEXT]], %{{.*}}, %[[ROW]], %{{.*}}
tile.kernel @carried_index(%lo: index, %hi: index, %step: index, %q: !m, %k: !m, %v: !m, %o: !f) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %r:2 = scf.for %j = %lo to %hi step %step iter_args(%row = %c0, %acc = %zero) -> (index, vector<64x64xf32>) {
    %K = tile.load %k[%row, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%row, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V, %acc contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
    %next = arith.addi %row, %c64 : index
    scf.yield %next, %O : index, vector<64x64xf32>
  }
  tile.store %r#1, %o[%r#0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// A guard has no results where the loop has none.
// CHECK-LABEL: tile.kernel @no_results
// CHECK: scf.if
// CHECK: tile.dot
// CHECK: scf.for
// CHECK: tile.dot {{.*}} contract(1, 1)
// CHECK: tile.dot {{.*}} contract(1, 0)
// CHECK: tile.store
// CHECK: }
// CHECK: tile.dot {{.*}} contract(1, 0)
// CHECK: tile.store
// CHECK-NOT: else
tile.kernel @no_results(%q: !m, %k: !m, %v: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.for %j = %c0 to %n step %c1 {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    tile.store %O, %o[%j, %c0] dims [0, 1] : vector<64x64xf32>, !f
  }
  tile.return
}

// The inner loop is pipelined, inside of the outer one.
// CHECK-LABEL: tile.kernel @nested
// CHECK: scf.for
// CHECK: scf.if
// CHECK: tile.dot {{.*}} contract(1, 1)
// CHECK: scf.for
// CHECK: tile.dot {{.*}} contract(1, 1)
// CHECK: tile.dot {{.*}} contract(1, 0)
// CHECK: scf.yield
// CHECK: tile.dot {{.*}} contract(1, 0)
tile.kernel @nested(%q: !m, %k: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  scf.for %i = %c0 to %n step %c1 {
    %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %r = scf.for %j = %c0 to %i step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
      %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
      %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
      %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
      %V = tile.load %q[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
      %O = tile.dot %P, %V, %acc contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
      scf.yield %O : vector<64x64xf32>
    }
    tile.store %r, %o[%i, %c0] dims [0, 1] : vector<64x64xf32>, !f
  }
  tile.return
}

// Independent products have nothing to overlap with.
// CHECK-LABEL: tile.kernel @independent
// CHECK-NOT: scf.if
// CHECK: scf.for
// REMARK: not pipelined: no product of the loop needs another product of the same iteration
tile.kernel @independent(%q: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
    %Q = tile.load %q[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %Q, %acc contract(0, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %S : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// As in a backward pass: both products of an iteration read one buffer.
// CHECK-LABEL: tile.kernel @shared_load
// CHECK-NOT: scf.if
// REMARK: not pipelined: products of two iterations would share a loaded tile: a buffer in shared memory belongs to one iteration
tile.kernel @shared_load(%q: !m, %k: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %K = tile.load %k[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%dk = %zero) -> (vector<64x64xf32>) {
    %Q = tile.load %q[%i, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %K, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %D = tile.dot %P, %Q, %dk contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %D : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// What is transposed in shared memory between is deferred with its load and the
// product.
!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
// CHECK-LABEL: tile.kernel @transposed_load
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<{{.*}}>, %[[K:[a-z0-9]+]]: memref<{{.*}}>, %[[V:[a-z0-9]+]]: memref<{{.*}}>, %{{.*}}: memref<{{.*}}>, %[[N:.*]]: index
// CHECK: scf.if
// CHECK-NOT: tile.transpose
// CHECK: scf.for %[[J:.*]] = %c0 to %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}})
// CHECK: tile.load %[[K]]
// CHECK: tile.dot
// CHECK: %[[VALUES:.*]] = tile.load %[[V]][%[[J]],
// CHECK: %[[T:.*]] = tile.transpose %[[VALUES]]
// CHECK: tile.dot %[[P]], %[[T]], %[[ACC]] contract(1, 1)
// CHECK: }
// CHECK: %[[LAST:.*]] = tile.load %[[V]]
// CHECK: %[[U:.*]] = tile.transpose %[[LAST]]
// CHECK: tile.dot %{{.*}}, %[[U]], %{{.*}} contract(1, 1)
// CHECK: } else {
// REMARK: pipelined: the next iteration's first products are issued ahead of this iteration's dependent ones
tile.kernel @transposed_load(%q: !n, %k: !n, %v: !n, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !t
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !n, !t
    %S = tile.dot %Q, %K contract(1, 1) : !t, !t -> vector<64x64xf32>
    %P = tile.interleave %S : vector<64x64xf32> -> !t
    %V = tile.load %v[%j, %c0] dims [0, 1] : !n, !t
    %T = tile.transpose %V : !t -> !t
    %O = tile.dot %P, %T, %acc contract(1, 1) : !t, !t, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %O : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// It is in a buffer of shared memory, too, which belongs to one iteration.
// CHECK-LABEL: tile.kernel @shared_transpose
// CHECK-NOT: scf.if
// REMARK: not pipelined: products of two iterations would share a loaded tile: a buffer in shared memory belongs to one iteration
tile.kernel @shared_transpose(%q: !n, %k: !n, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !t
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !n, !t
    %T = tile.transpose %K : !t -> !t
    %S = tile.dot %Q, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
    %P = tile.interleave %S : vector<64x64xf32> -> !t
    %O = tile.dot %P, %T, %acc contract(1, 1) : !t, !t, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %O : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// The first product needs what the second one gave an iteration before.
// CHECK-LABEL: tile.kernel @recurrence
// CHECK-NOT: scf.if
// REMARK: not pipelined: the next iteration's first products need the results of this iteration's dependent ones
tile.kernel @recurrence(%k: !m, %v: !m, %o: !f, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%x = %zero) -> (vector<64x64xf32>) {
    %X = arith.truncf %x : vector<64x64xf32> to vector<64x64xbf16>
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %X, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    scf.yield %O : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// CHECK-LABEL: tile.kernel @swapped_arguments
// CHECK-NOT: scf.if
// REMARK: not pipelined: the loop yields one of its arguments: a value would live for two iterations
tile.kernel @swapped_arguments(%k: !m, %v: !m, %o: !f, %n: index, %x0: vector<64x64xbf16>, %y0: vector<64x64xbf16>) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %x0, %y = %y0, %acc = %zero) -> (vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32>) {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %x, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V, %acc contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32> -> vector<64x64xf32>
    scf.yield %y, %x, %O : vector<64x64xbf16>, vector<64x64xbf16>, vector<64x64xf32>
  }
  tile.store %r#2, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !f
  tile.return
}

// A deferred load would pass a store.
// CHECK-LABEL: tile.kernel @read_and_written
// CHECK-NOT: scf.if
// REMARK: not pipelined: the loop may read memory that it writes
tile.kernel @read_and_written(%q: !m, %k: !m, %v: !m, %n: index) attributes {schedule = #s} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.for %j = %c0 to %n step %c1 {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    tile.store %P, %v[%j, %c0] dims [0, 1] : vector<64x64xbf16>, !m
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %T = arith.truncf %O : vector<64x64xf32> to vector<64x64xbf16>
    tile.store %T, %v[%j, %c0] dims [0, 1] : vector<64x64xbf16>, !m
  }
  tile.return
}

// The schedule decides.
// CHECK-LABEL: tile.kernel @no_overlap
// CHECK-NOT: scf.if
// CHECK: tile.return
tile.kernel @no_overlap(%q: !m, %k: !m, %v: !m, %o: !f, %n: index)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, overlap = false>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  scf.for %j = %c0 to %n step %c1 {
    %K = tile.load %k[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    %P = arith.truncf %S : vector<64x64xf32> to vector<64x64xbf16>
    %V = tile.load %v[%j, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %O = tile.dot %P, %V contract(1, 0) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    tile.store %O, %o[%j, %c0] dims [0, 1] : vector<64x64xf32>, !f
  }
  tile.return
}
