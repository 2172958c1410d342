// RUN: fa3-opt %s --fa3-mask-analysis --canonicalize | FileCheck %s
// RUN: fa3-opt %s --fa3-mask-analysis --verify-diagnostics --remarks-filter=.* -o /dev/null
// RUN: fa3-opt %s --fa3-mask-analysis --canonicalize --fa3-split-loops --canonicalize | FileCheck %s --check-prefix=SPLIT

// Masks that do not depend on the loop's index, and loops with several masks.
// A block of 128 keys, from %kv0 on; blocks of 64 queries in the loop.

#schedule = #tile.schedule<block_q = 128, block_kv = 128>
!m = memref<128x64xf32, strided<[64, 1]>>
!s = vector<128x64xf32>
!i = vector<128x64xi32>

// Keys (rows) past the end: all iterations mask, or none.

// CHECK-LABEL: tile.kernel @end(
// CHECK-SAME: %[[LENGTH:[a-z0-9]+]]: index, %[[KV0:[a-z0-9]+]]: index, %[[LO:[a-z0-9]+]]: index, %[[HI:[a-z0-9]+]]: index
// CHECK: %[[PAST:.*]] = arith.cmpi sgt, %{{.*}}, %c0
// CHECK: %[[T:.*]] = arith.select %[[PAST]], %[[HI]], %[[LO]] : index
// CHECK: scf.for %[[I:.*]] = %[[LO]] to %[[HI]]
// CHECK:   %[[MASKED:.*]] = arith.cmpi slt, %[[I]], %[[T]] : index
// CHECK:   scf.if %[[MASKED]]

// SPLIT-LABEL: tile.kernel @end(
// SPLIT: scf.for
// SPLIT:   arith.select {{.*}}vector<128x64xf32>
// SPLIT: scf.for {{.*}} iter_args(%[[S:.*]] = %
// SPLIT-NEXT: arith.addf %[[S]], %[[S]]
// SPLIT-NEXT: scf.yield
// SPLIT-NOT: scf.for
// SPLIT: tile.return
tile.kernel @end(%length: index, %kv0: index, %lo: index, %hi: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %left = arith.subi %length, %kv0 : index
  %left32 = arith.index_cast %left : index to i32
  %ends = vector.broadcast %left32 : i32 to !i
  %key = tile.iota 0 : vector<128x1xi32>
  %keys = vector.broadcast %key : vector<128x1xi32> to !i
  %r = scf.for %i = %lo to %hi step %c1 iter_args(%s = %init) -> (!s) {
    %ok = arith.cmpi slt, %keys, %ends : !i
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %ok, %s, %hidden : vector<128x64xi1>, !s
    %z = arith.addf %x, %x : !s
    scf.yield %z : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}

// And the diagonal, which hides queries (columns) before their keys: it is
// behind the first block that sees a key. One condition for both masks. The
// loop over the heads of a group stays whole.

// CHECK-LABEL: tile.kernel @end_and_diagonal(
// CHECK-SAME: %[[SHIFT:[a-z0-9]+]]: index, %[[LENGTH:[a-z0-9]+]]: index, %[[KV0:[a-z0-9]+]]: index, %[[HI:[a-z0-9]+]]: index
// CHECK: %[[SEEN:.*]] = arith.floordivsi
// CHECK: %[[LO:.*]] = arith.maxsi %[[SEEN]], %c0
// CHECK: scf.for
// CHECK:   %[[DIAGONAL:.*]] = arith.ceildivsi %{{.*}}, %c64
// CHECK:   %[[PAST:.*]] = arith.cmpi sgt, %{{.*}}, %c0
// CHECK:   %[[T:.*]] = arith.select %[[PAST]], %[[HI]], %[[DIAGONAL]] : index
// CHECK:   scf.for %[[I:.*]] = %[[LO]] to %[[HI]]
// CHECK-COUNT-1: arith.cmpi slt, %[[I]], %[[T]] : index
// CHECK:     scf.if
// CHECK:       arith.select
// CHECK:       arith.select
// CHECK:     } else {
// CHECK-NOT: scf.if
// CHECK: tile.return

// SPLIT-LABEL: tile.kernel @end_and_diagonal(
// SPLIT: scf.for {{.*}} = %c0 to
// SPLIT-NOT: scf.for {{.*}} = %c0 to
// SPLIT: scf.for
// SPLIT-COUNT-2: arith.select {{.*}}vector<128x64xf32>
// SPLIT: scf.for {{.*}} iter_args(%[[S:.*]] = %
// SPLIT-NEXT: arith.addf %[[S]], %[[S]]
// SPLIT-NEXT: scf.yield
// SPLIT-NOT: scf.for
// SPLIT: tile.return
tile.kernel @end_and_diagonal(%shift: index, %length: index, %kv0: index, %hi: index, %group: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %left = arith.subi %length, %kv0 : index
  %left32 = arith.index_cast %left : index to i32
  %ends = vector.broadcast %left32 : i32 to vector<128x1xi32>
  %key = tile.iota 0 : vector<128x1xi32>
  %query = tile.iota 1 : vector<1x64xi32>
  %queries = vector.broadcast %query : vector<1x64xi32> to !i
  %first = arith.subi %kv0, %shift : index
  %seen = arith.floordivsi %first, %c64 : index
  %lo = arith.maxsi %seen, %c0 : index
  %r = scf.for %g = %c0 to %group step %c1 iter_args(%before = %init) -> (!s) {
    %r = scf.for %i = %lo to %hi step %c1 iter_args(%s = %before) -> (!s) {
      %keys = vector.broadcast %key : vector<128x1xi32> to !i
      %wide_ends = vector.broadcast %ends : vector<128x1xi32> to !i
      %ok = arith.cmpi slt, %keys, %wide_ends : !i
      // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
      %x = arith.select %ok, %s, %hidden : vector<128x64xi1>, !s
      %q0 = arith.muli %i, %c64 : index
      %distance = arith.subi %first, %q0 : index
      %distance32 = arith.index_cast %distance : index to i32
      %distances = vector.broadcast %distance32 : i32 to vector<128x1xi32>
      %limit = arith.addi %key, %distances : vector<128x1xi32>
      %limits = vector.broadcast %limit : vector<128x1xi32> to !i
      %visible = arith.cmpi sge, %queries, %limits : !i
      // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
      %y = arith.select %visible, %x, %hidden : vector<128x64xi1>, !s
      %z = arith.addf %y, %y : !s
      scf.yield %z : !s
    }
    scf.yield %r : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}

// The same with the queries as rows, the limit on the left, and bounds that are
// computed in the loop: no query block begins before 0.

// CHECK-LABEL: tile.kernel @queries_as_rows(
// CHECK-SAME: %[[SHIFT:[a-z0-9]+]]: index, %[[LENGTH:[a-z0-9]+]]: index, %[[KV0:[a-z0-9]+]]: index, %[[COUNT:[a-z0-9]+]]: index
// CHECK: %[[T:.*]] = arith.select %{{.*}}, %[[COUNT]], %{{.*}} : index
// CHECK: scf.for %[[I:.*]] = %c0 to %[[COUNT]]
// CHECK:   arith.cmpi slt, %[[I]], %[[T]] : index
// CHECK:   scf.if
// CHECK:     arith.select
// CHECK:     arith.select
// CHECK-NOT: scf.if
// CHECK: tile.return

// SPLIT-LABEL: tile.kernel @queries_as_rows(
// SPLIT: scf.for
// SPLIT-COUNT-2: arith.select {{.*}}vector<128x64xf32>
// SPLIT: scf.for {{.*}} iter_args(%[[S:.*]] = %
// SPLIT-NEXT: arith.addf %[[S]], %[[S]]
// SPLIT-NEXT: scf.yield
tile.kernel @queries_as_rows(%shift: index, %length: index, %kv0: index, %count: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %query = tile.iota 0 : vector<128x1xi32>
  %queries = vector.broadcast %query : vector<128x1xi32> to !i
  %key = tile.iota 1 : vector<1x64xi32>
  %keys = vector.broadcast %key : vector<1x64xi32> to !i
  %left = arith.subi %length, %kv0 : index
  %left32 = arith.index_cast %left : index to i32
  %ends = vector.broadcast %left32 : i32 to !i
  %before = arith.subi %kv0, %shift : index
  %r = scf.for %j = %c0 to %count step %c1 iter_args(%s = %init) -> (!s) {
    %seen = arith.floordivsi %before, %c128 : index
    %lo = arith.maxsi %seen, %c0 : index
    %i = arith.addi %lo, %j : index
    %q0 = arith.muli %i, %c128 : index
    %distance = arith.subi %before, %q0 : index
    %distance32 = arith.index_cast %distance : index to i32
    %distances = vector.broadcast %distance32 : i32 to !i
    %limit = arith.addi %keys, %distances : !i
    %behind = arith.cmpi sgt, %limit, %queries : !i
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %behind, %hidden, %s : vector<128x64xi1>, !s
    %past = arith.cmpi sle, %ends, %keys : !i
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %y = arith.select %past, %hidden, %x : vector<128x64xi1>, !s
    %z = arith.addf %y, %y : !s
    scf.yield %z : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}

// The other mask is applied from a threshold on: so is the invariant one.

// CHECK-LABEL: tile.kernel @above(
// CHECK-SAME: %[[LENGTH:[a-z0-9]+]]: index, %[[END:[a-z0-9]+]]: index, %[[LO:[a-z0-9]+]]: index, %[[HI:[a-z0-9]+]]: index
// CHECK: %[[FIRST:.*]] = arith.floordivsi
// CHECK: %[[T:.*]] = arith.select %{{.*}}, %[[LO]], %{{.*}} : index
// CHECK: scf.for %[[I:.*]] = %[[LO]] to %[[HI]]
// CHECK:   arith.cmpi sge, %[[I]], %[[T]] : index

// SPLIT-LABEL: tile.kernel @above(
// SPLIT: scf.for {{.*}} iter_args(%[[S:.*]] = %
// SPLIT-NEXT: arith.addf %[[S]], %[[S]]
// SPLIT-NEXT: scf.yield
// SPLIT: scf.for
// SPLIT-COUNT-2: arith.select {{.*}}vector<128x64xf32>
tile.kernel @above(%length: index, %end: index, %lo: index, %hi: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %row = tile.iota 0 : vector<128x1xi32>
  %rows = vector.broadcast %row : vector<128x1xi32> to !i
  %column = tile.iota 1 : vector<1x64xi32>
  %columns = vector.broadcast %column : vector<1x64xi32> to !i
  %end32 = arith.index_cast %end : index to i32
  %ends = vector.broadcast %end32 : i32 to !i
  %r = scf.for %i = %lo to %hi step %c1 iter_args(%s = %init) -> (!s) {
    %above = arith.cmpi slt, %rows, %ends : !i
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %x = arith.select %above, %s, %hidden : vector<128x64xi1>, !s
    %column0 = arith.muli %i, %c64 : index
    %left = arith.subi %length, %column0 : index
    %left32 = arith.index_cast %left : index to i32
    %lefts = vector.broadcast %left32 : i32 to !i
    %ok = arith.cmpi slt, %columns, %lefts : !i
    // expected-remark@+1 {{the mask is applied on one side of a threshold of the loop's index}}
    %y = arith.select %ok, %x, %hidden : vector<128x64xi1>, !s
    %z = arith.addf %y, %y : !s
    scf.yield %z : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}

// A division of the index is not linear in it: a condition of its own.

// CHECK-LABEL: tile.kernel @divided(
// CHECK: scf.for
// CHECK:   arith.cmpi sgt
// CHECK:   scf.if
tile.kernel @divided(%length: index, %hi: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %row = tile.iota 0 : vector<128x1xi32>
  %rows = vector.broadcast %row : vector<128x1xi32> to !i
  %r = scf.for %i = %c0 to %hi step %c1 iter_args(%s = %init) -> (!s) {
    %third = arith.divui %i, %c3 : index
    %end = arith.subi %length, %third : index
    %end32 = arith.index_cast %end : index to i32
    %ends = vector.broadcast %end32 : i32 to !i
    %above = arith.cmpi slt, %rows, %ends : !i
    // expected-remark@+1 {{the mask is applied where a scalar condition holds}}
    %x = arith.select %above, %s, %hidden : vector<128x64xi1>, !s
    scf.yield %x : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}

// 1024 keys are eight blocks of 128, of which this is one.

// CHECK-LABEL: tile.kernel @whole_blocks(
// CHECK-NOT: arith.select
// CHECK: tile.return
tile.kernel @whole_blocks(%hi: index, %init: !s, %m: !m)
    attributes {schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %hidden = arith.constant dense<0xFF800000> : !s
  %length = arith.constant 1024 : index
  %blocks = arith.ceildivui %length, %c128 : index
  %block = tile.program_id(%blocks) : index
  %kv0 = arith.muli %block, %c128 : index
  %left = arith.subi %length, %kv0 : index
  %left32 = arith.index_cast %left : index to i32
  %ends = vector.broadcast %left32 : i32 to !i
  %row = tile.iota 0 : vector<128x1xi32>
  %rows = vector.broadcast %row : vector<128x1xi32> to !i
  %r = scf.for %i = %c0 to %hi step %c1 iter_args(%s = %init) -> (!s) {
    %ok = arith.cmpi slt, %rows, %ends : !i
    // expected-remark@+1 {{the mask hides nothing and is dropped}}
    %x = arith.select %ok, %s, %hidden : vector<128x64xi1>, !s
    scf.yield %x : !s
  }
  tile.store %r, %m[%c0, %c0] dims [0, 1] : !s, !m
  tile.return
}
