// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

// CHECK-LABEL: func.func @dynamic
// CHECK: %[[O:.*]], %[[LSE:.*]] = attn.forward %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
func.func @dynamic(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v
    : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// Static sizes, grouped heads, every option.
// CHECK-LABEL: func.func @static
// CHECK: attn.forward %{{.*}}, %{{.*}}, %{{.*}} causal scale = 1.250000e-01 {schedule = #tile.schedule<block_q = 64, block_kv = 96, warpgroups = 1>} :
func.func @static(%q: tensor<2x100x8x64xf16>, %k: tensor<2x200x2x64xf16>, %v: tensor<2x200x2x64xf16>)
    -> (tensor<2x100x8x64xf16>, tensor<2x8x100xf32>) {
  %o, %lse = attn.forward %q, %k, %v causal scale = 0.125
      {schedule = #tile.schedule<block_q = 64, block_kv = 96, warpgroups = 1>}
    : tensor<2x100x8x64xf16>, tensor<2x200x2x64xf16>, tensor<2x200x2x64xf16>
      -> tensor<2x100x8x64xf16>, tensor<2x8x100xf32>
  return %o, %lse : tensor<2x100x8x64xf16>, tensor<2x8x100xf32>
}

// A size may be static in one tensor and dynamic in another; scale without causal.
// CHECK-LABEL: func.func @mixed
// CHECK: attn.forward %{{.*}}, %{{.*}}, %{{.*}} scale = 2.000000e+00 : tensor<?x?x16x8xbf16>
func.func @mixed(%q: tensor<?x?x16x8xbf16>, %k: tensor<3x?x?x8xbf16>, %v: tensor<?x77x4x8xbf16>)
    -> (tensor<?x?x?x8xbf16>, tensor<?x16x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v scale = 2.0
    : tensor<?x?x16x8xbf16>, tensor<3x?x?x8xbf16>, tensor<?x77x4x8xbf16>
      -> tensor<?x?x?x8xbf16>, tensor<?x16x?xf32>
  return %o, %lse : tensor<?x?x?x8xbf16>, tensor<?x16x?xf32>
}
