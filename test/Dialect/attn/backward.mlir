// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

// CHECK-LABEL: func.func @dynamic
// CHECK: %[[DQ:.*]], %[[DK:.*]], %[[DV:.*]] = attn.backward %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
// CHECK: return %[[DQ]], %[[DK]], %[[DV]]
!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @dynamic(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// Static sizes, grouped heads, the logsumexp's gradient, every option.
// CHECK-LABEL: func.func @static
// CHECK: attn.backward %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} causal deterministic scale = 1.250000e-01 {schedule = #tile.schedule<block_q = 64, block_kv = 64, transpose_dkv = true>} : {{.*}}, tensor<2x100x8x64xf16>, tensor<2x8x100xf32> -> tensor<2x100x8x64xf16>, tensor<2x200x2x64xf16>, tensor<2x200x2x64xf16>
!sq = tensor<2x100x8x64xf16>
!sk = tensor<2x200x2x64xf16>
!sl = tensor<2x8x100xf32>
func.func @static(%q: !sq, %k: !sk, %v: !sk, %o: !sq, %lse: !sl, %do: !sq, %dlse: !sl) -> (!sq, !sk, !sk) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do, %dlse causal deterministic scale = 0.125
      {schedule = #tile.schedule<block_q = 64, block_kv = 64, transpose_dkv = true>}
    : !sq, !sk, !sk, !sq, !sl, !sq, !sl -> !sq, !sk, !sk
  return %dq, %dk, %dv : !sq, !sk, !sk
}

// A size may be static in one tensor and dynamic in another.
// CHECK-LABEL: func.func @mixed
// CHECK: attn.backward %{{.*}} deterministic : tensor<?x?x16x8xbf16>, tensor<3x?x?x8xbf16>,
func.func @mixed(%q: tensor<?x?x16x8xbf16>, %k: tensor<3x?x?x8xbf16>, %v: tensor<?x77x4x8xbf16>, %o: tensor<?x?x?x8xbf16>, %lse: tensor<?x?x40xf32>, %do: tensor<?x?x?x8xbf16>)
    -> (tensor<?x40x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic
    : tensor<?x?x16x8xbf16>, tensor<3x?x?x8xbf16>, tensor<?x77x4x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x40xf32>, tensor<?x?x?x8xbf16>
      -> tensor<?x40x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>
  return %dq, %dk, %dv : tensor<?x40x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>
}
