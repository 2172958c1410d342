// RUN: fa3-opt %s --fa3-derive-backward | FileCheck %s
// RUN: fa3-opt %s --fa3-derive-backward='deterministic=true dlse=true' | FileCheck %s --check-prefix=OPTIONS
// RUN: fa3-opt %s --fa3-derive-backward=running-ds-scale=true | FileCheck %s --check-prefix=RUNNING
// RUN: fa3-opt %s --fa3-derive-backward --verify-diagnostics --remarks-filter=.* -o /dev/null

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>

// CHECK-NOT: attn.forward
// CHECK-LABEL: func.func @my_backward_bf16(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x64xbf16>, %[[K:[a-z0-9]+]]: tensor<?x?x?x64xbf16>, %[[V:[a-z0-9]+]]: tensor<?x?x?x64xbf16>, %[[O:[a-z0-9]+]]: tensor<?x?x?x64xbf16>, %[[LSE:[a-z0-9]+]]: tensor<?x?x?xf32>, %[[DO:[a-z0-9]+]]: tensor<?x?x?x64xbf16>)
// CHECK-SAME: -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
// CHECK: %[[DQ:.*]], %[[DK:.*]], %[[DV:.*]] = attn.backward %[[Q]], %[[K]], %[[V]], %[[O]], %[[LSE]], %[[DO]] causal scale = 2.500000e-01 :
// CHECK: return %[[DQ]], %[[DK]], %[[DV]]
// OPTIONS-LABEL: func.func @my_backward_bf16(
// OPTIONS-SAME: %[[DLSE:[a-z0-9]+]]: tensor<?x?x?xf32>)
// OPTIONS: attn.backward %{{.*}}, %[[DLSE]] causal deterministic scale = 2.500000e-01 :
// In 16 bits dS has no factor.
// RUNNING-LABEL: func.func @my_backward_bf16(
// RUNNING-SAME: %[[DO:[a-z0-9]+]]: tensor<?x?x?x64xbf16>)
// RUNNING: attn.backward %{{.*}}, %[[DO]] causal scale = 2.500000e-01 : {{.*}} -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>{{$}}
func.func @my_forward_bf16(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v causal scale = 0.25 : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// Each result has the type of its operand; the forward pass's schedule says
// nothing about the backward pass.
// CHECK-LABEL: func.func @attention_backward(
// CHECK: attn.backward %{{[^{]*}} : tensor<?x?x8x64xf16>, tensor<?x50x2x64xf16>, tensor<?x?x2x64xf16>, tensor<3x?x?x64xf16>, tensor<?x?x?xf32>, tensor<3x?x?x64xf16> -> tensor<?x?x8x64xf16>, tensor<?x50x2x64xf16>, tensor<?x?x2x64xf16>
func.func @attention(%v: tensor<?x?x2x64xf16>, %q: tensor<?x?x8x64xf16>, %k: tensor<?x50x2x64xf16>) -> (tensor<3x?x?x64xf16>, !l) {
  // expected-remark@+1 {{the schedule is dropped: it is one of the forward pass}}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>}
    : tensor<?x?x8x64xf16>, tensor<?x50x2x64xf16>, tensor<?x?x2x64xf16> -> tensor<3x?x?x64xf16>, !l
  return %o, %lse : tensor<3x?x?x64xf16>, !l
}

// What is no forward spec stays.
// CHECK-LABEL: func.func @gradients(
// CHECK: attn.backward
// CHECK-LABEL: func.func @other(
func.func @gradients(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
func.func @other(%x: f32) -> f32 {
  return %x : f32
}

!n = tensor<?x?x?x64xf8E4M3FN>
!s = tensor<?x?xf32>

// 8-bit elements: so is the output's gradient, dS has a factor, and the gradients
// have the output's type.
// CHECK-LABEL: func.func @narrow_backward(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x64xf8E4M3FN>, %[[K:[a-z0-9]+]]: tensor<?x?x?x64xf8E4M3FN>, %[[V:[a-z0-9]+]]: tensor<?x?x?x64xf8E4M3FN>, %[[O:[a-z0-9]+]]: tensor<?x?x?x64xf16>, %[[LSE:[a-z0-9]+]]: tensor<?x?x?xf32>, %[[DO:[a-z0-9]+]]: tensor<?x?x?x64xf8E4M3FN>, %[[S:[a-z0-9]+]]: tensor<?x?xf32>)
// CHECK-SAME: -> (tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>)
// CHECK: attn.backward %[[Q]], %[[K]], %[[V]], %[[O]], %[[LSE]], %[[DO]] ds_scale(%[[S]]) causal : {{.*}} ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>{{$}}
// OPTIONS-LABEL: func.func @narrow_backward(
// OPTIONS-SAME: %[[DLSE:[a-z0-9]+]]: tensor<?x?x?xf32>, %[[S:[a-z0-9]+]]: tensor<?x?xf32>)
// OPTIONS: attn.backward %{{.*}}, %[[DLSE]] ds_scale(%[[S]]) causal deterministic :
// The kernels may find the factor of dS, too.
// RUNNING-NOT: ds_scale
// RUNNING-LABEL: func.func @narrow_backward(
// RUNNING-SAME: %{{.*}}: tensor<?x?x?xf32>, %[[DO:[a-z0-9]+]]: tensor<?x?x?x64xf8E4M3FN>)
// RUNNING-NOT: ds_scale
// RUNNING: attn.backward %{{.*}}, %[[DO]] causal : {{.*}}, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>{{$}}
func.func @narrow(%q: !n, %k: !n, %v: !n) -> (tensor<?x?x?x64xf16>, !l) {
  %o, %lse = attn.forward %q, %k, %v causal two_level : !n, !n, !n -> tensor<?x?x?x64xf16>, !l
  return %o, %lse : tensor<?x?x?x64xf16>, !l
}

// Where queries, keys and values have descales, so has the output's gradient.
// CHECK-LABEL: func.func @backward_descaled(
// CHECK-SAME: %[[QD:[a-z0-9]+]]: tensor<?x?xf32>, %[[KD:[a-z0-9]+]]: tensor<?x?xf32>, %[[VD:[a-z0-9]+]]: tensor<?x?xf32>, %{{.*}}: tensor<?x?x?x64xbf16>, %{{.*}}: tensor<?x?x?xf32>, %{{.*}}: tensor<?x?x?x64xf8E4M3FN>, %[[DOD:[a-z0-9]+]]: tensor<?x?xf32>, %[[S:[a-z0-9]+]]: tensor<?x?xf32>)
// CHECK: attn.backward %{{.*}} descale(%[[QD]], %[[KD]], %[[VD]], %[[DOD]]) ds_scale(%[[S]]) scale = 2.500000e-01 : {{.*}} descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) ds_scale(tensor<?x?xf32>) ->
// RUNNING-LABEL: func.func @backward_descaled(
// RUNNING-SAME: %[[QD:[a-z0-9]+]]: tensor<?x?xf32>, %[[KD:[a-z0-9]+]]: tensor<?x?xf32>, %[[VD:[a-z0-9]+]]: tensor<?x?xf32>, %{{.*}}: tensor<?x?x?x64xf8E4M3FN>, %[[DOD:[a-z0-9]+]]: tensor<?x?xf32>)
// RUNNING: attn.backward %{{.*}} descale(%[[QD]], %[[KD]], %[[VD]], %[[DOD]]) scale = 2.500000e-01 :
// RUNNING-NOT: ds_scale
func.func @forward_descaled(%q: !n, %k: !n, %v: !n, %a: !s, %b: !s, %c: !s) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) scale = 0.25 : !n, !n, !n descale(!s, !s, !s) -> !t, !l
  return %o, %lse : !t, !l
}
