// Sums of dq that begin with the first tile that comes to them, and sums that are
// cleared. The schedule says up to how many blocks of queries; the package has
// kernels for both then, and the number of queries decides.
// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
!q = tensor<?x512x?x128xbf16>
!s = tensor<1x512x4x128xbf16>
!sl = tensor<1x4x512xf32>

// For more of them the sums are cleared, and all tiles are added.

// CHECK-LABEL: tile.kernel @full_preprocess(
// CHECK-NOT: dq_begun
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace", ["batch", "heads_q", {args = ["seqlen_q", 64], op = "ceildiv"}, 8192 : i64]>}
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 1024], op = "max"}, 1024], op = "sub"}
// CHECK: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : vector<128x64xf32>
// CHECK: %[[ID:.*]]:3 = tile.program_id(
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c1
// CHECK-NEXT: tile.store %[[ZEROS]], %[[ACC]][%[[ID]]#2, %[[ID]]#1, %[[I]], %c0] dims [] : vector<128x64xf32>
// CHECK-NEXT: }

// CHECK-LABEL: tile.kernel @full_main(
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 1024], op = "max"}, 1024], op = "sub"}
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %c0 to
// CHECK-NEXT: arith.muli %[[I]], %c64
// CHECK-NOT: begun
// CHECK:   tile.reduce_store {{.*}} : vector<128x64xf32>, memref<?x?x?x8192xf32, strided<[?, ?, ?, 1]>>{{$}}

// CHECK-LABEL: tile.kernel @full_postprocess(
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 1024], op = "max"}, 1024], op = "sub"}
// CHECK: %[[SUMS:.*]] = tile.load %{{.*}} dims [] : {{.*}} vector<128x64xf32>
// CHECK-NOT: tile.load
// CHECK: arith.mulf %[[SUMS]],

// Up to that it is enough to say that nothing has begun.

// CHECK-LABEL: tile.kernel @full_preprocess_short(
// CHECK-SAME: %[[BEGUN:[a-z0-9]+]]: memref<?x?x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"dq_begun", "workspace", ["batch", "heads_q", {args = ["seqlen_q", 64], op = "ceildiv"}]>}
// CHECK-SAME: launch_if = {args = [1025, {args = ["seqlen_q", 1025], op = "min"}], op = "sub"}
// CHECK: %[[NO:.*]] = arith.constant dense<0.000000e+00> : vector<1x1xf32>
// CHECK: %[[ID:.*]]:3 = tile.program_id(
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c1
// CHECK-NEXT: tile.store %[[NO]], %[[BEGUN]][%[[ID]]#2, %[[ID]]#1, %[[I]]] dims [-1, -1] : vector<1x1xf32>
// CHECK-NEXT: }

// Blocks of keys begin with the queries at the same place, and go round and
// round: each of them stores other first tiles. Behind the last query they begin
// with the first one.
// CHECK-LABEL: tile.kernel @full_main_short(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q", "input",
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[BEGUN:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_begun", "workspace", ["batch", "heads_q", {args = ["seqlen_q", 64], op = "ceildiv"}]>}
// CHECK-SAME: {tile.argument = #tile.argument<"dk", "output",
// CHECK-SAME: launch_if = {args = [1025, {args = ["seqlen_q", 1025], op = "min"}], op = "sub"}
// CHECK-SAME: schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true, store_first = 16>
// CHECK: %[[ID:.*]]:3 = tile.program_id(
// CHECK: %[[KEY0:.*]] = arith.muli %[[ID]]#0, %c128
// CHECK: %[[SEQLEN:.*]] = memref.dim %[[Q]], %c1
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[SEQLEN]], %c64
// CHECK: %[[FIRST:.*]] = arith.divui %[[KEY0]], %c64
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %c0 to %[[BLOCKS]] step %c1
// CHECK-NEXT: %[[EXISTS:.*]] = arith.cmpi ult, %[[FIRST]], %[[BLOCKS]] : index
// CHECK-NEXT: %[[FROM:.*]] = arith.select %[[EXISTS]], %[[FIRST]], %c0 : index
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[FROM]], %[[I]] : index
// CHECK-NEXT: %[[BEFORE_END:.*]] = arith.cmpi ult, %[[NEXT]], %[[BLOCKS]] : index
// CHECK-NEXT: %[[AGAIN:.*]] = arith.subi %[[NEXT]], %[[BLOCKS]] : index
// CHECK-NEXT: %[[BLOCK:.*]] = arith.select %[[BEFORE_END]], %[[NEXT]], %[[AGAIN]] : index
// CHECK-NEXT: %[[ROW0:.*]] = arith.muli %[[BLOCK]], %c64
// CHECK-NEXT: tile.load %[[Q]][%[[ID]]#2, %[[ROW0]], %[[H:.*]], %c0]
// CHECK-NEXT: tile.load %[[NEG_LSE]][%[[ID]]#2, %[[H]], %[[ROW0]]]
// CHECK:     tile.reduce_store %{{.*}}, %[[ACC]][%[[ID]]#2, %[[H]], %[[BLOCK]], %c0] begun %[[BEGUN]] : vector<128x64xf32>
// CHECK: tile.return

// Queries that see no key have no sum then.
// CHECK-LABEL: tile.kernel @full_postprocess_short(
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[BEGUN:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_begun", "workspace",
// CHECK-SAME: {tile.argument = #tile.argument<"dq", "output",
// CHECK-SAME: launch_if = {args = [1025, {args = ["seqlen_q", 1025], op = "min"}], op = "sub"}
// CHECK-DAG: %[[C:.*]] = arith.constant dense<5.000000e-01> : vector<128x64xf32>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : vector<128x64xf32>
// CHECK: %[[SUMS:.*]] = tile.load %[[ACC]][%[[BATCH:.*]], %[[HEAD:.*]], %[[BLOCK:.*]], %c0] dims [] : {{.*}} vector<128x64xf32>
// CHECK-NEXT: %[[STATE:.*]] = tile.load %[[BEGUN]][%[[BATCH]], %[[HEAD]], %[[BLOCK]]] dims [-1, -1] : {{.*}} vector<1x1xf32>
// CHECK-NEXT: %[[STATES:.*]] = vector.broadcast %[[STATE]] : vector<1x1xf32> to vector<128x64xf32>
// CHECK-NEXT: %[[EMPTY:.*]] = arith.cmpf oeq, %[[STATES]], %[[ZEROS]]
// CHECK-NEXT: %[[ALL:.*]] = arith.select %[[EMPTY]], %[[ZEROS]], %[[SUMS]]
// CHECK: arith.mulf %[[ALL]], %[[C]]
func.func @full(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true, store_first = 16>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Causal: the diagonal is where they begin anyway.

// CHECK-LABEL: tile.kernel @causal_preprocess(
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 512], op = "max"}, 512], op = "sub"}
// CHECK-LABEL: tile.kernel @causal_main(
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 512], op = "max"}, 512], op = "sub"}
// CHECK-NOT: begun %
// CHECK-LABEL: tile.kernel @causal_postprocess(
// CHECK-NOT: dq_begun
// CHECK-SAME: launch_if = {args = [{args = ["seqlen_q", 512], op = "max"}, 512], op = "sub"}
// CHECK-LABEL: tile.kernel @causal_preprocess_short(
// CHECK-SAME: "dq_begun", "workspace"
// CHECK-SAME: launch_if = {args = [513, {args = ["seqlen_q", 513], op = "min"}], op = "sub"}
// CHECK-LABEL: tile.kernel @causal_main_short(
// CHECK-SAME: %[[BEGUN:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_begun", "workspace",
// CHECK-SAME: launch_if = {args = [513, {args = ["seqlen_q", 513], op = "min"}], op = "sub"}
// CHECK: %[[BEGIN:.*]] = arith.divui %{{.*}}, %c128
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %{{.*}}, %c128
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %[[BEGIN]] to %[[BLOCKS]] step %c1
// CHECK-NEXT: arith.muli %[[I]], %c128
// CHECK:   tile.reduce_store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %[[I]], %c0] begun %[[BEGUN]] :
// CHECK-LABEL: tile.kernel @causal_postprocess_short(
// CHECK-SAME: "dq_begun", "workspace"
// CHECK-SAME: launch_if = {args = [513, {args = ["seqlen_q", 513], op = "min"}], op = "sub"}
func.func @causal(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 128, transpose_s = true, store_first = 4>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Where one way is for all there is one set of kernels, which need no condition:
// 2147483647 stores first tiles always,

// CHECK-LABEL: tile.kernel @always_preprocess(
// CHECK-NOT: launch_if
// CHECK-SAME: "dq_begun", "workspace"
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @always_main(
// CHECK-NOT: launch_if
// CHECK: tile.reduce_store {{.*}} begun %
// CHECK-LABEL: tile.kernel @always_postprocess(
// CHECK-NOT: launch_if
// CHECK: tile.load %{{.*}} dims [-1, -1]
// CHECK-NOT: tile.kernel @always
func.func @always(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, store_first = 2147483647>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// 0 never,

// CHECK-LABEL: tile.kernel @never_preprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK: tile.store %{{.*}} dims [] : vector<128x64xf32>
// CHECK-LABEL: tile.kernel @never_main(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %c0 to
// CHECK-NEXT: arith.muli %[[I]], %c64
// CHECK-NOT: begun
// CHECK:   tile.reduce_store {{.*}} : vector<64x128xf32>, memref<?x?x?x8192xf32, strided<[?, ?, ?, 1]>>{{$}}
// CHECK-LABEL: tile.kernel @never_postprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-NOT: tile.kernel @never
func.func @never(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, store_first = 0>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// and a number of queries that is known is up to the limit

// CHECK-LABEL: tile.kernel @few_preprocess(
// CHECK-NOT: launch_if
// CHECK-SAME: %[[BEGUN:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_begun", "workspace", [1 : i64, 4 : i64, {args = [512, 64], op = "ceildiv"}]>}
// CHECK-NOT: launch_if
// CHECK: scf.for
// CHECK-NEXT: tile.store %{{.*}}, %[[BEGUN]]
// CHECK-NEXT: }
// CHECK-LABEL: tile.kernel @few_main(
// CHECK-NOT: launch_if
// CHECK: tile.reduce_store {{.*}} begun %
// CHECK-LABEL: tile.kernel @few_postprocess(
// CHECK-NOT: launch_if
// CHECK: tile.load %{{.*}} dims [-1, -1]
// CHECK-NOT: tile.kernel @few
func.func @few(%q: !s, %k: !s, %v: !s, %o: !s, %lse: !sl, %do: !s) -> (!s, !s, !s) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, store_first = 8>}
    : !s, !s, !s, !s, !sl, !s -> !s, !s, !s
  return %dq, %dk, %dv : !s, !s, !s
}

// or beyond: it is enough that one tensor says it.

// CHECK-LABEL: tile.kernel @many_preprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK: tile.store %{{.*}} dims [] : vector<128x64xf32>
// CHECK-LABEL: tile.kernel @many_main(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-NOT: begun %
// CHECK-LABEL: tile.kernel @many_postprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-NOT: tile.kernel @many
func.func @many(%q: !q, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!q, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, store_first = 7>}
    : !q, !t, !t, !t, !l, !t -> !q, !t, !t
  return %dq, %dk, %dv : !q, !t, !t
}

// No sums.

// CHECK-LABEL: tile.kernel @deterministic_preprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @deterministic_main(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK: scf.for
// CHECK:   scf.for %[[I:.*]] = %c0 to
// CHECK-NEXT: arith.muli %[[I]], %c64
// CHECK: tile.return
// CHECK-LABEL: tile.kernel @deterministic_dq(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-NOT: tile.kernel @deterministic
func.func @deterministic(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, store_first = 16>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// CHECK-LABEL: tile.kernel @separate_preprocess(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @separate_main(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-LABEL: tile.kernel @separate_dq(
// CHECK-NOT: dq_begun
// CHECK-NOT: launch_if
// CHECK-NOT: tile.kernel
func.func @separate(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, separate_dq = true, store_first = 16>}
    : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
