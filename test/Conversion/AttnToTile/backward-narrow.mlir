// The kernels of a backward pass of 8-bit elements.
// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!q = tensor<?x?x?x128xf8E4M3FN>
!d = tensor<?x?x?x128xf8E5M2>
!o = tensor<?x?x?x128xbf16>
!h = tensor<?x?x?x128xf16>
!l = tensor<?x?x?xf32>
!s = tensor<?x?xf32>
!q64 = tensor<?x?x?x64xf8E4M3FN>
!o64 = tensor<?x?x?x64xbf16>

// Everything there is. Products contract columns, so that the preprocess also
// writes queries and do as columns, in the order that tile.interleave gives P
// and dS. A key head's first query head writes keys as columns, in the order of
// shared pairs of rows, and, also if there is no key, clears the largest |dS|.

// CHECK: module @scaled {
// CHECK: tile.kernel @scaled_preprocess(
// CHECK-SAME: %[[O:[a-z0-9]+]]: memref<?x?x?x128xbf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"o", "input",
// CHECK-SAME: %[[LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"lse", "input",
// CHECK-SAME: %[[DO:[a-z0-9]+]]: memref<?x?x?x128xf8E5M2, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"do", "input",
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_sum", "workspace",
// CHECK-SAME: #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<?x?x?x128xf8E4M3FN, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q", "input",
// CHECK-SAME: %[[K:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k", "input",
// CHECK-SAME: %[[DO_DESCALE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do_descale", "input", ["batch", "heads_kv"]>}
// CHECK-SAME: %[[DS_SCALE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_scale", "input", ["batch", "heads_kv"]>}
// CHECK-SAME: %[[DO_COLUMNS:[a-z0-9]+]]: memref<?x?x128x?xf8E5M2, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"do_columns", "workspace", ["batch", "heads_q", 128 : i64, {args = [{args = ["seqlen_q", 16], op = "ceildiv"}, 16], op = "mul"}]>}
// CHECK-SAME: %[[Q_COLUMNS:[a-z0-9]+]]: memref<?x?x128x?xf8E4M3FN, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q_columns", "workspace", ["batch", "heads_q", 128 : i64, {args = [{args = ["seqlen_q", 16], op = "ceildiv"}, 16], op = "mul"}]>}
// CHECK-SAME: %[[K_COLUMNS:[a-z0-9]+]]: memref<?x?x128x?xf8E4M3FN, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"k_columns", "workspace", ["batch", "heads_kv", 128 : i64, {args = [{args = ["seqlen_k", 16], op = "ceildiv"}, 16], op = "mul"}]>}
// CHECK-SAME: %[[AMAX:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_amax", "output", ["batch", "heads_kv"]>}
// CHECK-SAME: problem = {causal = false, deterministic = false, ds_dtype = "e4m3", dtype = "e4m3", gradient_dtype = "e5m2", head_dim = 128 : i64, kind = "backward", output_dtype = "bf16", scale = 5.000000e-01 : f64}
// CHECK-DAG: %[[EIGHTH:.*]] = arith.constant dense<3.906250e-03> : vector<1x1xf32>
// CHECK-DAG: %[[LIFT:.*]] = arith.constant dense<8.000000e+00> : vector<128x1xf32>
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant dense<0xFF800000> : vector<128x1xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<1x1xf32>
// CHECK: %[[SEQLEN_Q:.*]] = memref.dim %[[O]], %c1
// CHECK: %[[Q_BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_Q]], %c128
// CHECK: %[[SEQLEN_K:.*]] = memref.dim %[[K]], %c1
// CHECK: %[[K_BLOCKS:.*]] = arith.ceildivui %[[SEQLEN_K]], %c128
// CHECK: %[[BLOCKS:.*]] = arith.maxui %[[Q_BLOCKS]], %[[K_BLOCKS]]
// CHECK: %[[BLOCKS1:.*]] = arith.maxui %[[BLOCKS]], %c1
// CHECK: %[[ID:.*]]:3 = tile.program_id(%[[BLOCKS1]],
// CHECK: %[[ROW0:.*]] = arith.muli %[[ID]]#0, %c128
// CHECK: %[[IS_QUERY:.*]] = arith.cmpi ult, %[[ROW0]], %[[SEQLEN_Q]]
// CHECK: scf.if %[[IS_QUERY]] {
// CHECK: %[[QT:.*]] = tile.load %[[Q]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3] : {{.*}} vector<128x128xf8E4M3FN>
// CHECK: tile.store %[[QT]], %[[Q_COLUMNS]][%[[ID]]#2, %[[ID]]#1, %c0, %[[ROW0]]] dims [3, 2] interleaved : vector<128x128xf8E4M3FN>
// CHECK: %[[DOT:.*]] = tile.load %[[DO]][%[[ID]]#2, %[[ROW0]], %[[ID]]#1, %c0] dims [1, 3] : {{.*}} vector<128x128xf8E5M2>
// CHECK: tile.store %[[DOT]], %[[DO_COLUMNS]][%[[ID]]#2, %[[ID]]#1, %c0, %[[ROW0]]] dims [3, 2] interleaved : vector<128x128xf8E5M2>
// CHECK: %[[GROUP:.*]] = arith.divui
// CHECK: %[[KV_HEAD:.*]] = arith.divui %[[ID]]#1, %[[GROUP]]
// CHECK: %[[MEMBER:.*]] = arith.remui %[[ID]]#1, %[[GROUP]]
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %[[MEMBER]], %c0
// CHECK: %[[IS_KEY:.*]] = arith.cmpi ult, %[[ROW0]], %[[SEQLEN_K]]
// CHECK: %[[COPIES:.*]] = arith.andi %[[IS_FIRST]], %[[IS_KEY]]
// CHECK: scf.if %[[COPIES]] {
// CHECK: %[[KT:.*]] = tile.load %[[K]][%[[ID]]#2, %[[ROW0]], %[[KV_HEAD]], %c0] dims [1, 3]
// CHECK: tile.store %[[KT]], %[[K_COLUMNS]][%[[ID]]#2, %[[KV_HEAD]], %c0, %[[ROW0]]] dims [3, 2] paired : vector<128x128xf8E4M3FN>
// CHECK: %[[IS_BLOCK:.*]] = arith.cmpi eq, %[[ID]]#0, %c0
// CHECK: %[[CLEARS:.*]] = arith.andi %[[IS_FIRST]], %[[IS_BLOCK]]
// CHECK: scf.if %[[CLEARS]] {
// CHECK-NEXT: tile.store %[[ZERO]], %[[AMAX]][%[[ID]]#2, %[[KV_HEAD]]] dims [-1, -1] : vector<1x1xf32>
// P is 2^8 times as large, by way of what the logsumexp adds to the exponent.
// CHECK: %[[L:.*]] = tile.load %[[LSE]]
// CHECK: %[[NL:.*]] = arith.mulf %[[L]], %{{.*}}
// CHECK: %[[NL1:.*]] = arith.addf %[[NL]], %[[LIFT]]
// CHECK: %[[NONE:.*]] = arith.cmpf oeq, %[[L]], %[[LOWEST]]
// CHECK: %[[NL2:.*]] = arith.select %[[NONE]], %[[LOWEST]], %[[NL1]]
// CHECK: tile.store %[[NL2]], %[[NEG_LSE]]
// The sum has the descale of do, and all of it what brings dP to the size of
// dS in 8 bits: ds_scale / 2^8. Factors are those of the key head.
// CHECK: %[[OW:.*]] = arith.extf %{{.*}} : vector<128x128xbf16>
// CHECK: %[[DOW:.*]] = arith.extf %{{.*}} : vector<128x128xf8E5M2> to vector<128x128xf32>
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[OW]], %[[DOW]]
// CHECK: %[[SUM:.*]] = tile.reduce add %[[PRODUCT]] dim 1
// CHECK: %[[DOD:.*]] = tile.load %[[DO_DESCALE]][%[[ID]]#2, %[[KV_HEAD]]] dims [-1, -1] : {{.*}} vector<1x1xf32>
// CHECK: %[[DSS:.*]] = tile.load %[[DS_SCALE]][%[[ID]]#2, %[[KV_HEAD]]] dims [-1, -1]
// CHECK: %[[COMMON:.*]] = arith.mulf %[[DSS]], %[[EIGHTH]]
// CHECK: %[[DODS:.*]] = vector.broadcast %[[DOD]] : vector<1x1xf32> to vector<128x1xf32>
// CHECK: %[[SUM1:.*]] = arith.mulf %[[SUM]], %[[DODS]]
// CHECK: %[[NS:.*]] = arith.subf %{{.*}}, %[[SUM1]]
// CHECK: %[[COMMONS:.*]] = vector.broadcast %[[COMMON]]
// CHECK: %[[NS1:.*]] = arith.mulf %[[NS]], %[[COMMONS]]
// CHECK: tile.store %[[NS1]], %[[NEG_SUM]]
// CHECK: tile.return

// CHECK: tile.kernel @scaled_main(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q", "input",
// CHECK-SAME: %[[K:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k", "input",
// CHECK-SAME: %[[V:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"v", "input",
// CHECK-SAME: %[[DO:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do", "input",
// CHECK-SAME: %[[QD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_descale", "input",
// CHECK-SAME: %[[KD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_descale", "input",
// CHECK-SAME: %[[VD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"v_descale", "input",
// CHECK-SAME: %[[DOD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do_descale", "input",
// CHECK-SAME: %[[DSS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_scale", "input",
// CHECK-SAME: %[[NEG_LSE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_sum", "workspace",
// CHECK-SAME: %[[DO_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do_columns", "workspace",
// CHECK-SAME: %[[Q_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_columns", "workspace",
// CHECK-SAME: %[[K_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_columns", "workspace",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[DK:[a-z0-9]+]]: memref<?x?x?x128xbf16, {{[^{]*}} {tile.argument = #tile.argument<"dk", "output",
// CHECK-SAME: %[[DV:[a-z0-9]+]]: memref<?x?x?x128xbf16, {{[^{]*}} {tile.argument = #tile.argument<"dv", "output",
// CHECK-SAME: %[[AMAX:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_amax", "output",
// CHECK-DAG: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<1x1xf32>
// CHECK-DAG: %[[LOG:.*]] = arith.constant dense<0.72134751> : vector<1x1xf32>
// CHECK-DAG: %[[EIGHTH:.*]] = arith.constant dense<3.906250e-03> : vector<1x1xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<1x1xf32>
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0.000000e+00> : vector<128x1xf32>
// CHECK: %[[ID:.*]]:3 = tile.program_id(
// The factors of scores, of dP, of dk and of dv.
// CHECK: %[[QF:.*]] = tile.load %[[QD]][%[[ID]]#2, %[[ID]]#1] dims [-1, -1] : {{.*}} vector<1x1xf32>
// CHECK: %[[KF:.*]] = tile.load %[[KD]][%[[ID]]#2, %[[ID]]#1]
// CHECK: %[[QK:.*]] = arith.mulf %[[QF]], %[[KF]]
// CHECK: %[[SF:.*]] = arith.mulf %[[QK]], %[[LOG]]
// CHECK: %[[VF:.*]] = tile.load %[[VD]]
// CHECK: %[[DOF:.*]] = tile.load %[[DOD]]
// CHECK: %[[VDO:.*]] = arith.mulf %[[VF]], %[[DOF]]
// CHECK: %[[DSF:.*]] = tile.load %[[DSS]]
// CHECK: %[[RISE:.*]] = arith.mulf %[[VDO]], %[[DSF]]
// CHECK: %[[DPF:.*]] = arith.mulf %[[RISE]], %[[EIGHTH]]
// CHECK: %[[QDS:.*]] = arith.divf %[[QF]], %[[DSF]]
// CHECK: %[[DKF:.*]] = arith.mulf %[[QDS]], %[[HALF]]
// CHECK: %[[DVF:.*]] = arith.mulf %[[DOF]], %[[EIGHTH]]
// CHECK: %[[KEY:.*]] = tile.load %[[K]][{{.*}}] dims [1, 3] : {{.*}} vector<128x128xf8E4M3FN>
// CHECK: %[[VALUE:.*]] = tile.load %[[V]][{{.*}}] dims [1, 3]
// CHECK: %[[KEYT:.*]] = tile.load %[[K_COLUMNS]][%[[ID]]#2, %[[ID]]#1, %c0, %{{.*}}] dims [2, 3] : {{.*}} vector<128x128xf8E4M3FN>
// CHECK: %[[R:.*]]:3 = scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[NONE]])
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%[[DK0:.*]] = %{{.*}}, %[[DV0:.*]] = %{{.*}}, %[[M0:.*]] = %{{.*}})
// CHECK:   %[[QUERY:.*]] = tile.load %[[Q]]
// CHECK:   %[[S:.*]] = tile.dot %[[KEY]], %[[QUERY]] contract(1, 1)
// CHECK:   %[[GRAD:.*]] = tile.load %[[DO]]
// CHECK:   %[[DP:.*]] = tile.dot %[[VALUE]], %[[GRAD]] contract(1, 1) : vector<128x128xf8E4M3FN>, vector<64x128xf8E5M2> -> vector<128x64xf32>
// CHECK:   %[[X:.*]] = arith.select %{{.*}}, %[[S]],
// CHECK:   %[[SFS:.*]] = vector.broadcast %[[SF]] : vector<1x1xf32> to vector<128x64xf32>
// CHECK:   %[[E:.*]] = math.fma %[[X]], %[[SFS]], %{{.*}}
// CHECK:   %[[P:.*]] = math.exp2 %[[E]]
// CHECK:   %[[SUMS:.*]] = vector.broadcast %{{.*}} : vector<1x64xf32> to vector<128x64xf32>
// CHECK:   %[[DPFS:.*]] = vector.broadcast %[[DPF]] : vector<1x1xf32> to vector<128x64xf32>
// CHECK:   %[[DIFF:.*]] = math.fma %[[DP]], %[[DPFS]], %[[SUMS]]
// CHECK:   %[[DS:.*]] = arith.mulf %[[P]], %[[DIFF]]
// dS twice: for the product that gives dk in registers, for dq shared.
// CHECK:   %[[PB:.*]] = tile.interleave %[[P]] : vector<128x64xf32> -> vector<128x64xf8E4M3FN>
// CHECK:   %[[DSB:.*]] = tile.interleave %[[DS]]
// CHECK:   %[[DSP:.*]] = tile.pair_rows %[[DS]] : vector<128x64xf32> -> vector<128x64xf8E4M3FN>
// CHECK:   %[[GRADT:.*]] = tile.load %[[DO_COLUMNS]][{{.*}}] dims [2, 3] : {{.*}} vector<128x64xf8E5M2>
// CHECK:   %[[DV1:.*]] = tile.dot %[[PB]], %[[GRADT]], %[[DV0]] contract(1, 1) : vector<128x64xf8E4M3FN>, vector<128x64xf8E5M2>, vector<128x128xf32>
// CHECK:   %[[DQT:.*]] = tile.dot %[[KEYT]], %[[DSP]] contract(1, 0) : {{.*}} -> vector<128x64xf32>
// CHECK:   %[[QUERYT:.*]] = tile.load %[[Q_COLUMNS]][{{.*}}] dims [2, 3] : {{.*}} vector<128x64xf8E4M3FN>
// CHECK:   %[[DK1:.*]] = tile.dot %[[DSB]], %[[QUERYT]], %[[DK0]] contract(1, 1)
// CHECK:   tile.reduce_store %[[DQT]], %[[DQ]]
// CHECK:   %[[ABS:.*]] = math.absf %[[DS]]
// CHECK:   %[[M:.*]] = tile.reduce maxnum %[[ABS]] dim 1 : vector<128x64xf32> -> vector<128x1xf32>
// CHECK:   %[[M1:.*]] = arith.maxnumf %[[M0]], %[[M]]
// CHECK:   scf.yield %[[DK1]], %[[DV1]], %[[M1]]
// CHECK: %[[DKFS:.*]] = vector.broadcast %[[DKF]] : vector<1x1xf32> to vector<128x128xf32>
// CHECK: %[[DKS:.*]] = arith.mulf %[[R]]#0, %[[DKFS]]
// CHECK: %[[DKB:.*]] = arith.truncf %[[DKS]] : {{.*}} to vector<128x128xbf16>
// CHECK: tile.store %[[DKB]], %[[DK]]
// CHECK: %[[DVFS:.*]] = vector.broadcast %[[DVF]] : vector<1x1xf32> to vector<128x128xf32>
// CHECK: %[[DVS:.*]] = arith.mulf %[[R]]#1, %[[DVFS]]
// CHECK: %[[DVB:.*]] = arith.truncf %[[DVS]]
// CHECK: tile.store %[[DVB]], %[[DV]]
// CHECK: %[[BACK:.*]] = arith.divf %[[ONE]], %{{.*}} : vector<1x1xf32>
// CHECK: %[[BACKS:.*]] = vector.broadcast %[[BACK]] : vector<1x1xf32> to vector<128x1xf32>
// CHECK: %[[LARGEST:.*]] = arith.mulf %[[R]]#2, %[[BACKS]]
// CHECK: tile.max_store %[[LARGEST]], %[[AMAX]][%[[ID]]#2, %[[ID]]#1] : vector<128x1xf32>
// CHECK: tile.return

// CHECK: tile.kernel @scaled_postprocess(
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq_acc", "workspace",
// CHECK-SAME: %[[KD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_descale", "input",
// CHECK-SAME: %[[DSS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_scale", "input",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: memref<?x?x?x128xbf16, {{[^{]*}} {tile.argument = #tile.argument<"dq", "output",
// CHECK: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<1x1xf32>
// CHECK: %[[ID:.*]]:3 = tile.program_id(
// CHECK: %[[BLOCK:.*]] = arith.subi %{{.*}}, %[[ID]]#0
// CHECK: %[[HEAD:.*]] = arith.subi %{{.*}}, %[[ID]]#1
// CHECK: %[[BATCH:.*]] = arith.subi %{{.*}}, %[[ID]]#2
// CHECK: %[[SUMS:.*]] = tile.load %[[ACC]][%[[BATCH]], %[[HEAD]], %[[BLOCK]], %c0]
// CHECK: %[[KV_HEAD:.*]] = arith.divui %[[HEAD]], %{{.*}}
// CHECK: %[[KF:.*]] = tile.load %[[KD]][%[[BATCH]], %[[KV_HEAD]]]
// CHECK: %[[DSF:.*]] = tile.load %[[DSS]][%[[BATCH]], %[[KV_HEAD]]]
// CHECK: %[[F:.*]] = arith.divf %[[KF]], %[[DSF]]
// CHECK: %[[FS:.*]] = arith.mulf %[[F]], %[[HALF]]
// CHECK: %[[FT:.*]] = vector.broadcast %[[FS]] : vector<1x1xf32> to vector<128x64xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SUMS]], %[[FT]]
// CHECK: %[[NARROW:.*]] = arith.truncf %[[SCALED]]
// CHECK: tile.store %[[NARROW]], %[[DQ]]
func.func @scaled(%q: !q, %k: !q, %v: !q, %o: !o, %lse: !l, %do: !d, %a: !s, %b: !s, %c: !s, %d: !s, %s: !s) -> (!o, !o, !o, !s) {
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) ds_scale(%s) scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true>}
    : !q, !q, !q, !o, !l, !d descale(!s, !s, !s, !s) ds_scale(!s) -> !o, !o, !o, !s
  return %dq, %dk, %dv, %amax : !o, !o, !o, !s
}

// dS in 16 bits: its products read queries and keys in 16 bits, too, as rows.
// Without descales all factors are numbers.

// CHECK: tile.kernel @wide_preprocess(
// CHECK-NOT: "ds_scale"
// CHECK-SAME: #tile.argument<"do_columns", "workspace",
// CHECK-SAME: %[[WIDE:[a-z0-9]+]]: memref<?x?x?x128xf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"q_wide", "workspace", ["batch", "seqlen_q", "heads_q", 128 : i64]>}
// CHECK-SAME: %[[KEYS:[a-z0-9]+]]: memref<?x?x?x128xf16, strided<[?, ?, ?, 1]>> {tile.argument = #tile.argument<"k_wide", "workspace", ["batch", "seqlen_k", "heads_kv", 128 : i64]>}
// CHECK-NOT: "ds_amax"
// CHECK-SAME: ds_dtype = "f16", dtype = "e4m3", gradient_dtype = "e4m3", head_dim = 128 : i64, kind = "backward", output_dtype = "f16"
// CHECK: %[[EIGHTH:.*]] = arith.constant dense<3.906250e-03> : vector<128x1xf32>
// CHECK: %[[QT:.*]] = tile.load %{{.*}} dims [1, 3] : {{.*}} vector<128x128xf8E4M3FN>
// CHECK: %[[QF:.*]] = arith.extf %[[QT]]
// CHECK: %[[QH:.*]] = arith.truncf %[[QF]] : vector<128x128xf32> to vector<128x128xf16>
// CHECK: tile.store %[[QH]], %[[WIDE]][{{.*}}] dims [1, 3] : vector<128x128xf16>
// CHECK: tile.store {{.*}} dims [3, 2] interleaved : vector<128x128xf8E4M3FN>
// CHECK: arith.extf
// CHECK: arith.truncf {{.*}} to vector<128x128xf16>
// CHECK: tile.store %{{.*}}, %[[KEYS]][{{.*}}] dims [1, 3] : vector<128x128xf16>
// CHECK: %[[NS:.*]] = arith.subf
// CHECK: arith.mulf %[[NS]], %[[EIGHTH]]
// CHECK: tile.kernel @wide_main(
// CHECK-SAME: %[[DO_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do_columns", "workspace",
// CHECK-SAME: %[[Q_WIDE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_wide", "workspace",
// CHECK-SAME: %[[K_WIDE:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_wide", "workspace",
// CHECK-NOT: "ds_amax"
// CHECK-DAG: %[[DVF:.*]] = arith.constant dense<3.906250e-03> : vector<128x128xf32>
// CHECK-DAG: %[[DKF:.*]] = arith.constant dense<5.000000e-01> : vector<128x128xf32>
// CHECK-DAG: %[[DPF:.*]] = arith.constant dense<3.906250e-03> : vector<128x64xf32>
// CHECK-DAG: %[[SF:.*]] = arith.constant dense<0.72134751> : vector<128x64xf32>
// CHECK: %[[KEYS:.*]] = tile.load %[[K_WIDE]][{{.*}}] dims [1, 3] : {{.*}} vector<128x128xf16>
// CHECK: math.fma %{{.*}}, %[[SF]], %{{.*}}
// CHECK: %[[P:.*]] = math.exp2
// CHECK: %[[DIFF:.*]] = math.fma %{{.*}}, %[[DPF]], %{{.*}}
// CHECK: %[[DS:.*]] = arith.mulf %[[P]], %[[DIFF]]
// CHECK: %[[PB:.*]] = tile.interleave %[[P]]
// CHECK: %[[DSH:.*]] = arith.truncf %[[DS]] : vector<128x64xf32> to vector<128x64xf16>
// CHECK-NOT: tile.pair_rows
// CHECK: %[[GRADT:.*]] = tile.load %[[DO_COLUMNS]]
// CHECK: tile.dot %[[PB]], %[[GRADT]], %{{.*}} contract(1, 1)
// CHECK: tile.dot %[[KEYS]], %[[DSH]] contract(0, 0) : vector<128x128xf16>, vector<128x64xf16> -> vector<128x64xf32>
// CHECK: %[[QUERIES:.*]] = tile.load %[[Q_WIDE]][{{.*}}] dims [1, 3] : {{.*}} vector<64x128xf16>
// CHECK: tile.dot %[[DSH]], %[[QUERIES]], %{{.*}} contract(1, 0)
// CHECK-NOT: math.absf
// CHECK: arith.mulf %{{.*}}#0, %[[DKF]]
// CHECK: arith.mulf %{{.*}}#1, %[[DVF]]
// CHECK-NOT: tile.max_store
// CHECK: tile.kernel @wide_postprocess(
// CHECK: arith.constant dense<5.000000e-01> : vector<128x64xf32>
func.func @wide(%q: !q, %k: !q, %v: !q, %o: !h, %lse: !l, %do: !q) -> (!h, !h, !h) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = f16 scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, transpose_dq = true>}
    : !q, !q, !q, !h, !l, !q -> !h, !h, !h
  return %dq, %dk, %dv : !h, !h, !h
}

// Queries as rows of the scores: P and dS are paired where queries are
// contracted, so that these are paired in memory; dS in registers takes keys
// that are interleaved.

// CHECK: tile.kernel @queries_preprocess(
// CHECK-COUNT-2: tile.store {{.*}} dims [3, 2] paired : vector<128x64xf8E4M3FN>
// CHECK: tile.store {{.*}} dims [3, 2] interleaved : vector<128x64xf8E4M3FN>
// CHECK: tile.kernel @queries_main(
// CHECK: %[[P:.*]] = math.exp2
// CHECK: %[[DS:.*]] = arith.mulf %[[P]],
// CHECK: %[[PP:.*]] = tile.pair_rows %[[P]]
// CHECK: %[[DSP:.*]] = tile.pair_rows %[[DS]]
// CHECK: %[[DSI:.*]] = tile.interleave %[[DS]]
// CHECK: tile.dot %{{.*}}, %[[PP]], %{{.*}} contract(1, 0) : vector<64x128xf8E4M3FN>, vector<128x64xf8E4M3FN>, vector<64x64xf32> -> vector<64x64xf32>
// CHECK: tile.dot %[[DSI]], %{{.*}} contract(1, 1) : vector<128x64xf8E4M3FN>, vector<64x64xf8E4M3FN> -> vector<128x64xf32>
// CHECK: tile.dot %{{.*}}, %[[DSP]], %{{.*}} contract(1, 0)
// CHECK: tile.store {{.*}} dims [3, 1] : vector<64x64xbf16>
// CHECK: tile.kernel @queries_postprocess(
func.func @queries(%q: !q64, %k: !q64, %v: !q64, %o: !o64, %lse: !l, %do: !q64, %s: !s) -> (!o64, !o64, !o64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s)
    {schedule = #tile.schedule<block_q = 128, block_kv = 64, transpose_dkv = true>}
    : !q64, !q64, !q64, !o64, !l, !q64 ds_scale(!s) -> !o64, !o64, !o64
  return %dq, %dk, %dv : !o64, !o64, !o64
}

// dq in a kernel of its own: nothing is added to memory, dS is needed once, and
// that kernel reads the keys as columns.

// CHECK: tile.kernel @separate_preprocess(
// CHECK-NOT: "dq_acc"
// CHECK: tile.store {{.*}} dims [3, 2] paired
// CHECK: tile.store {{.*}} dims [3, 2] paired
// CHECK: tile.store {{.*}} dims [3, 2] interleaved
// CHECK: tile.kernel @separate_main(
// CHECK-NOT: "k_columns"
// CHECK-SAME: separate_dq = true>
// CHECK: tile.pair_rows
// CHECK: tile.pair_rows
// CHECK-NOT: tile.interleave
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} contract(0, 1) : vector<128x64xf8E4M3FN>, vector<64x128xf8E4M3FN>, vector<64x64xf32>
// CHECK-NOT: tile.reduce_store
// CHECK: tile.max_store
// CHECK: tile.kernel @separate_dq(
// CHECK-SAME: %[[QD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_descale", "input",
// CHECK-SAME: %[[KD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_descale", "input",
// CHECK-SAME: "v_descale"
// CHECK-SAME: "do_descale"
// CHECK-SAME: %[[DSS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_scale", "input",
// CHECK-SAME: %[[K_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_columns", "workspace",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq", "output",
// CHECK-NOT: "ds_amax"
// CHECK: %[[KF:.*]] = tile.load %[[KD]][%{{.*}}#2, %[[KV_HEAD:.*]]] dims [-1, -1]
// CHECK: %[[DSF:.*]] = tile.load %[[DSS]][%{{.*}}#2, %[[KV_HEAD]]] dims [-1, -1]
// CHECK: %[[F:.*]] = arith.divf %[[KF]], %[[DSF]]
// CHECK: %[[FS:.*]] = arith.mulf %[[F]], %{{.*}}
// CHECK: scf.for
// CHECK:   %[[KEYS:.*]] = tile.load %[[K_COLUMNS]][{{.*}}] dims [2, 3] : {{.*}} vector<64x128xf8E4M3FN>
// CHECK:   %[[DS:.*]] = tile.interleave
// CHECK:   tile.dot %[[DS]], %[[KEYS]], %{{.*}} contract(1, 1)
// CHECK: %[[FT:.*]] = vector.broadcast %[[FS]]
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[FT]]
// CHECK: %[[NARROW:.*]] = arith.truncf %[[SCALED]]
// CHECK: tile.store %[[NARROW]], %[[DQ]]
// CHECK-NOT: tile.kernel @separate_postprocess
// CHECK: tile.kernel @deterministic_preprocess(
func.func @separate(%q: !q64, %k: !q64, %v: !q64, %o: !o64, %lse: !l, %do: !q64, %a: !s, %b: !s, %c: !s, %d: !s, %s: !s) -> (!o64, !o64, !o64, !s) {
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) ds_scale(%s) causal
    {schedule = #tile.schedule<block_q = 128, block_kv = 64, separate_dq = true>}
    : !q64, !q64, !q64, !o64, !l, !q64 descale(!s, !s, !s, !s) ds_scale(!s) -> !o64, !o64, !o64, !s
  return %dq, %dk, %dv, %amax : !o64, !o64, !o64, !s
}

// The same kernels without the field; keys in 16 bits where dS has them.

// CHECK-NOT: "dq_acc"
// CHECK: "k_wide"
// CHECK: tile.kernel @deterministic_main(
// CHECK-SAME: deterministic = true
// CHECK-NOT: tile.reduce_store
// CHECK: tile.kernel @deterministic_dq(
// CHECK: %[[KEYS:.*]] = tile.load %{{.*}} dims [1, 3] : {{.*}} vector<128x64xbf16>
// CHECK: %[[DS:.*]] = arith.truncf %{{.*}} : vector<128x128xf32> to vector<128x128xbf16>
// CHECK: tile.dot %[[DS]], %[[KEYS]], %{{.*}} contract(1, 0) : vector<128x128xbf16>, vector<128x64xbf16>, vector<128x64xf32>
func.func @deterministic(%q: !q64, %k: !q64, %v: !q64, %o: !o64, %lse: !l, %do: !q64) -> (!o64, !o64, !o64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic ds_precision = bf16
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true>}
    : !q64, !q64, !q64, !o64, !l, !q64 -> !o64, !o64, !o64
  return %dq, %dk, %dv : !o64, !o64, !o64
}
