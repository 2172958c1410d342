// The kernels of a backward pass of 8-bit elements that finds the factors of dS
// while running: a power of two for each row.
// RUN: fa3-opt %s --fa3-attn-to-tile --canonicalize --cse | FileCheck %s

!q = tensor<?x?x?x128xf8E4M3FN>
!d = tensor<?x?x?x64xf8E5M2>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
!s = tensor<?x?xf32>
!q64 = tensor<?x?x?x64xf8E4M3FN>
!o64 = tensor<?x?x?x64xbf16>

// dP only loses what P has too much, 2^8: the factor of dS comes later. Keys are
// written in the order that dS has in registers, not in pairs of rows.

// CHECK: module @running {
// CHECK: tile.kernel @running_preprocess(
// CHECK-NOT: "ds_scale"
// CHECK-SAME: #tile.argument<"neg_lse", "workspace",
// CHECK-SAME: %[[NEG_SUM:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"neg_sum", "workspace",
// CHECK-NOT: "dq_acc"
// CHECK-SAME: %[[K_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_columns", "workspace",
// CHECK-SAME: ds_dtype = "e4m3", dtype = "e4m3",
// CHECK: %[[EIGHTH:.*]] = arith.constant dense<3.906250e-03> : vector<128x1xf32>
// CHECK: tile.store %{{.*}}, %[[K_COLUMNS]][{{.*}}] dims [3, 2] interleaved : vector<128x128xf8E4M3FN>
// CHECK: %[[NS:.*]] = arith.subf
// CHECK: %[[NS1:.*]] = arith.mulf %[[NS]], %[[EIGHTH]]
// CHECK: tile.store %[[NS1]], %[[NEG_SUM]]

// Rows are keys: what dS adds to dk has their factors, dv has none. A row's exponent
// comes from its largest |dS|; 2^(8 - lazy_rescale - exponent) is its factor, so that
// a row may grow by lazy_rescale powers and stays below 2^8.

// CHECK: tile.kernel @running_main(
// CHECK-NOT: "ds_scale"
// CHECK-SAME: %[[DO_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"do_columns", "workspace",
// CHECK-SAME: %[[Q_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_columns", "workspace",
// CHECK-NOT: "k_columns"
// CHECK-SAME: %[[DK:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dk", "output",
// CHECK-SAME: %[[DV:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dv", "output",
// CHECK-DAG: %[[RISE:.*]] = arith.constant dense<6.000000e+00> : vector<128x1xf32>
// CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-1.000000e+02> : vector<128x1xf32>
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0.000000e+00> : vector<128x128xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : vector<128x128xf32>
// CHECK-DAG: %[[DVF:.*]] = arith.constant dense<3.906250e-03> : vector<128x128xf32>
// Queries of all heads of a group go to the same sums.
// CHECK: %[[R:.*]]:3 = scf.for {{.*}} iter_args(%[[DK_GROUP:.*]] = %[[NONE]], %[[DV_GROUP:.*]] = %[[NONE]], %[[E_GROUP:.*]] = %[[LEAST]])
// CHECK: scf.for {{.*}} iter_args(%[[DK0:.*]] = %[[DK_GROUP]], %[[DV0:.*]] = %[[DV_GROUP]], %[[E0:.*]] = %[[E_GROUP]])
// CHECK:   %[[P:.*]] = math.exp2
// CHECK:   %[[DS:.*]] = arith.mulf %[[P]], %{{.*}} : vector<128x64xf32>
// CHECK:   %[[ABS:.*]] = math.absf %[[DS]]
// CHECK:   %[[LARGEST:.*]] = tile.reduce maxnum %[[ABS]] dim 1 : vector<128x64xf32> -> vector<128x1xf32>
// CHECK:   %[[LOG:.*]] = math.log2 %[[LARGEST]]
// CHECK:   %[[EXPONENT:.*]] = math.ceil %[[LOG]]
// CHECK:   %[[E1:.*]] = arith.maxnumf %[[E0]], %[[EXPONENT]]
// CHECK:   %[[CHANGE:.*]] = arith.subf %[[E0]], %[[E1]]
// CHECK:   %[[POWER:.*]] = arith.subf %[[RISE]], %[[E1]]
// CHECK:   %[[FACTOR:.*]] = math.exp2 %[[POWER]]
// CHECK:   %[[FACTORS:.*]] = vector.broadcast %[[FACTOR]] : vector<128x1xf32> to vector<128x64xf32>
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[DS]], %[[FACTORS]]
// CHECK:   %[[RESCALE:.*]] = math.exp2 %[[CHANGE]]
// CHECK:   %[[RESCALES:.*]] = vector.broadcast %[[RESCALE]] : vector<128x1xf32> to vector<128x128xf32>
// CHECK:   %[[DK0S:.*]] = arith.mulf %[[DK0]], %[[RESCALES]]
// CHECK:   %[[PB:.*]] = tile.interleave %[[P]]
// CHECK:   %[[DSB:.*]] = tile.interleave %[[SCALED]] : vector<128x64xf32> -> vector<128x64xf8E4M3FN>
// CHECK-NOT: tile.pair_rows
// CHECK:   %[[GRADT:.*]] = tile.load %[[DO_COLUMNS]]
// CHECK:   %[[DV1:.*]] = tile.dot %[[PB]], %[[GRADT]], %[[DV0]] contract(1, 1)
// CHECK:   %[[QUERYT:.*]] = tile.load %[[Q_COLUMNS]]
// CHECK:   %[[DK1:.*]] = tile.dot %[[DSB]], %[[QUERYT]], %[[DK0S]] contract(1, 1)
// CHECK-NOT: tile.reduce_store
// CHECK:   scf.yield %[[DK1]], %[[DV1]], %[[E1]]
// CHECK: %[[BACK:.*]] = arith.subf %[[R]]#2, %[[RISE]]
// CHECK: %[[UNSCALE:.*]] = math.exp2 %[[BACK]]
// CHECK: %[[UNSCALES:.*]] = vector.broadcast %[[UNSCALE]] : vector<128x1xf32> to vector<128x128xf32>
// CHECK: %[[DKU:.*]] = arith.mulf %[[R]]#0, %[[UNSCALES]]
// CHECK: %[[DKS:.*]] = arith.mulf %[[DKU]], %[[SCALE]]
// CHECK: %[[DKB:.*]] = arith.truncf %[[DKS]]
// CHECK: tile.store %[[DKB]], %[[DK]]
// CHECK: %[[DVS:.*]] = arith.mulf %[[R]]#1, %[[DVF]]
// CHECK: %[[DVB:.*]] = arith.truncf %[[DVS]]
// CHECK: tile.store %[[DVB]], %[[DV]]
// CHECK: tile.return

// Rows are queries.

// CHECK: tile.kernel @running_dq(
// CHECK-NOT: "ds_scale"
// CHECK-SAME: %[[K_COLUMNS:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"k_columns", "workspace",
// CHECK-SAME: %[[DQ:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"dq", "output",
// CHECK-DAG: %[[RISE:.*]] = arith.constant dense<6.000000e+00> : vector<128x1xf32>
// CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-1.000000e+02> : vector<128x1xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : vector<128x128xf32>
// CHECK: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[DQ0:.*]] = %{{.*}}, %[[E0:.*]] = %[[LEAST]])
// CHECK:   %[[P:.*]] = math.exp2
// CHECK:   %[[DS:.*]] = arith.mulf %[[P]],
// CHECK:   %[[KEYT:.*]] = tile.load %[[K_COLUMNS]]
// CHECK:   %[[ABS:.*]] = math.absf %[[DS]]
// CHECK:   %[[LARGEST:.*]] = tile.reduce maxnum %[[ABS]] dim 1
// CHECK:   %[[LOG:.*]] = math.log2 %[[LARGEST]]
// CHECK:   %[[EXPONENT:.*]] = math.ceil %[[LOG]]
// CHECK:   %[[E1:.*]] = arith.maxnumf %[[E0]], %[[EXPONENT]]
// CHECK:   %[[CHANGE:.*]] = arith.subf %[[E0]], %[[E1]]
// CHECK:   %[[POWER:.*]] = arith.subf %[[RISE]], %[[E1]]
// CHECK:   %[[FACTOR:.*]] = math.exp2 %[[POWER]]
// CHECK:   %[[FACTORS:.*]] = vector.broadcast %[[FACTOR]]
// CHECK:   %[[SCALED:.*]] = arith.mulf %[[DS]], %[[FACTORS]]
// CHECK:   %[[RESCALE:.*]] = math.exp2 %[[CHANGE]]
// CHECK:   %[[RESCALES:.*]] = vector.broadcast %[[RESCALE]]
// CHECK:   %[[DQ0S:.*]] = arith.mulf %[[DQ0]], %[[RESCALES]]
// CHECK:   %[[DSB:.*]] = tile.interleave %[[SCALED]]
// CHECK:   %[[DQ1:.*]] = tile.dot %[[DSB]], %[[KEYT]], %[[DQ0S]] contract(1, 1)
// CHECK:   scf.yield %[[DQ1]], %[[E1]]
// CHECK: %[[BACK:.*]] = arith.subf %[[R]]#1, %[[RISE]]
// CHECK: %[[UNSCALE:.*]] = math.exp2 %[[BACK]]
// CHECK: %[[UNSCALES:.*]] = vector.broadcast %[[UNSCALE]]
// CHECK: %[[DQU:.*]] = arith.mulf %[[R]]#0, %[[UNSCALES]]
// CHECK: %[[DQS:.*]] = arith.mulf %[[DQU]], %[[SCALE]]
// CHECK: %[[DQB:.*]] = arith.truncf %[[DQS]]
// CHECK: tile.store %[[DQB]], %[[DQ]]
// CHECK-NOT: tile.kernel @running_postprocess
// CHECK: tile.kernel @all_preprocess(
func.func @running(%q: !q, %k: !q, %v: !q, %o: !o, %lse: !l, %do: !q) -> (!o, !o, !o) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do scale = 0.5
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, lazy_rescale = 2, transpose_s = true, separate_dq = true>}
    : !q, !q, !q, !o, !l, !q -> !o, !o, !o
  return %dq, %dk, %dv : !o, !o, !o
}

// The largest |dS| is one of dS without a factor, so that nothing is to be taken
// back; descales stay factors of whole tiles. Without lazy_rescale the factor has all
// powers there are.

// CHECK: tile.kernel @all_main(
// CHECK-SAME: %[[QD:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"q_descale", "input",
// CHECK-SAME: %[[AMAX:[a-z0-9]+]]: {{[^{]*}} {tile.argument = #tile.argument<"ds_amax", "output",
// CHECK-DAG: %[[RISE:.*]] = arith.constant dense<8.000000e+00> : vector<128x1xf32>
// CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-1.000000e+02> : vector<128x1xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<128x1xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<1.250000e-01> : vector<1x1xf32>
// CHECK: %[[QF:.*]] = tile.load %[[QD]]
// CHECK: %[[DKF:.*]] = arith.mulf %[[QF]], %[[SCALE]]
// CHECK: %[[R:.*]]:4 = scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[ZERO]], %{{.*}} = %[[LEAST]])
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[M0:.*]] = %{{.*}}, %[[E0:.*]] = %{{.*}})
// CHECK:   %[[LARGEST:.*]] = tile.reduce maxnum
// CHECK:   %[[E1:.*]] = arith.maxnumf %[[E0]], %{{.*}}
// CHECK:   arith.subf %[[RISE]], %[[E1]]
// CHECK:   %[[M1:.*]] = arith.maxnumf %[[M0]], %[[LARGEST]]
// CHECK:   scf.yield %{{.*}}, %{{.*}}, %[[M1]], %[[E1]]
// CHECK: %[[BACK:.*]] = arith.subf %[[R]]#3, %[[RISE]]
// CHECK: %[[UNSCALE:.*]] = math.exp2 %[[BACK]]
// CHECK: %[[UNSCALES:.*]] = vector.broadcast %[[UNSCALE]]
// CHECK: %[[DKU:.*]] = arith.mulf %[[R]]#0, %[[UNSCALES]]
// CHECK: %[[DKFS:.*]] = vector.broadcast %[[DKF]]
// CHECK: arith.mulf %[[DKU]], %[[DKFS]]
// CHECK: tile.max_store %[[R]]#2, %[[AMAX]]
// CHECK: tile.kernel @all_dq(
// CHECK-NOT: "ds_amax"
// CHECK: %[[RISE:.*]] = arith.constant dense<8.000000e+00> : vector<128x1xf32>
// CHECK: arith.subf %[[RISE]],
func.func @all(%q: !q64, %k: !q64, %v: !q64, %o: !o64, %lse: !l, %do: !d, %a: !s, %b: !s, %c: !s, %d: !s) -> (!o64, !o64, !o64, !s) {
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) causal
    {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true, separate_dq = true>}
    : !q64, !q64, !q64, !o64, !l, !d descale(!s, !s, !s, !s) -> !o64, !o64, !o64, !s
  return %dq, %dk, %dv, %amax : !o64, !o64, !o64, !s
}
