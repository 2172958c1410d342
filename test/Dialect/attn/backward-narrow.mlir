// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

// Gradients of attention on 8-bit elements.

!q = tensor<?x?x?x128xf8E4M3FN>
!d = tensor<?x?x?x128xf8E5M2>
!o = tensor<?x?x?x128xbf16>
!h = tensor<?x?x?x128xf16>
!l = tensor<?x?x?xf32>
!s = tensor<?x?xf32>

// CHECK-LABEL: func.func @scaled
// CHECK: attn.backward %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} ds_scale(%arg6) : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>{{$}}
func.func @scaled(%q: !q, %k: !q, %v: !q, %o: !o, %lse: !l, %do: !q, %s: !s) -> (!o, !o, !o) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s)
    : !q, !q, !q, !o, !l, !q ds_scale(!s) -> !o, !o, !o
  return %dq, %dk, %dv : !o, !o, !o
}

// Everything that may be there; do in the other 8-bit type.
// CHECK-LABEL: func.func @all
// CHECK: %[[DQ:.*]], %[[DK:.*]], %[[DV:.*]], %[[AMAX:.*]] = attn.backward %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %arg5, %arg6 descale(%arg7, %arg8, %arg9, %arg10) ds_scale(%arg11) causal deterministic scale = 1.250000e-01 {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true>} : {{.*}}, tensor<?x?x?x128xf8E5M2>, tensor<?x?x?xf32> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>{{$}}
// CHECK: return %[[DQ]], %[[DK]], %[[DV]], %[[AMAX]]
func.func @all(%q: !q, %k: !q, %v: !q, %o: !o, %lse: !l, %do: !d, %dlse: !l, %a: !s, %b: !s, %c: !s, %d: !s, %s: !s) -> (!o, !o, !o, !s) {
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do, %dlse descale(%a, %b, %c, %d) ds_scale(%s) causal deterministic scale = 0.125
      {schedule = #tile.schedule<block_q = 64, block_kv = 128, transpose_s = true>}
    : !q, !q, !q, !o, !l, !d, !l descale(!s, !s, !s, !s) ds_scale(!s) -> !o, !o, !o, !s
  return %dq, %dk, %dv, %amax : !o, !o, !o, !s
}

// dS in 16 bits, with its largest and without.
// CHECK-LABEL: func.func @wide_ds
// CHECK: attn.backward %{{.*}} descale(%arg6, %arg7, %arg8, %arg9) ds_precision = f16 : {{.*}} descale({{.*}}) -> tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>{{$}}
// CHECK: attn.backward %{{.*}} causal ds_precision = f16 scale = 5.000000e-01 : {{.*}} -> tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?xf32>{{$}}
func.func @wide_ds(%q: !q, %k: !q, %v: !q, %o: !h, %lse: !l, %do: !d, %a: !s, %b: !s, %c: !s, %d: !s) -> (!h, !s) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) ds_precision = f16
    : !q, !q, !q, !h, !l, !d descale(!s, !s, !s, !s) -> !h, !h, !h
  %eq, %ek, %ev, %amax = attn.backward %q, %k, %v, %o, %lse, %do causal ds_precision = f16 scale = 0.5
    : !q, !q, !q, !h, !l, !d -> !h, !h, !h, !s
  return %dq, %amax : !h, !s
}

// Factors of dS that are found while running.
// CHECK-LABEL: func.func @running
// CHECK: attn.backward %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %arg5 : tensor<?x?x?x128xf8E4M3FN>, {{.*}}, tensor<?x?x?x128xf8E5M2> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>{{$}}
// CHECK: attn.backward %{{.*}} descale(%arg6, %arg7, %arg8, %arg9) causal : {{.*}} descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>{{$}}
func.func @running(%q: !q, %k: !q, %v: !q, %o: !o, %lse: !l, %do: !d, %a: !s, %b: !s, %c: !s, %d: !s) -> (!o, !s) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : !q, !q, !q, !o, !l, !d -> !o, !o, !o
  %eq, %ek, %ev, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) causal
    : !q, !q, !q, !o, !l, !d descale(!s, !s, !s, !s) -> !o, !o, !o, !s
  return %dq, %amax : !o, !s
}

// Static sizes; factors have a number for each key head.
// CHECK-LABEL: func.func @static
// CHECK: attn.backward %{{.*}} ds_scale(%{{.*}}) : tensor<2x100x8x64xf8E4M3FN>, tensor<2x200x2x64xf8E4M3FN>, {{.*}} ds_scale(tensor<2x2xf32>) -> {{.*}}, tensor<2x2xf32>{{$}}
func.func @static(%q: tensor<2x100x8x64xf8E4M3FN>, %k: tensor<2x200x2x64xf8E4M3FN>, %o: tensor<2x100x8x64xbf16>, %lse: tensor<2x8x100xf32>, %s: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %k, %o, %lse, %q ds_scale(%s)
    : tensor<2x100x8x64xf8E4M3FN>, tensor<2x200x2x64xf8E4M3FN>, tensor<2x200x2x64xf8E4M3FN>, tensor<2x100x8x64xbf16>, tensor<2x8x100xf32>, tensor<2x100x8x64xf8E4M3FN>
      ds_scale(tensor<2x2xf32>) -> tensor<2x100x8x64xbf16>, tensor<2x200x2x64xbf16>, tensor<2x200x2x64xbf16>, tensor<2x2xf32>
  return %amax : tensor<2x2xf32>
}
