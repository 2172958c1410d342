// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

// CHECK-LABEL: func @plain
// CHECK: attn.quantize %{{.*}} : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
func.func @plain(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}

// CHECK-LABEL: func @rotated
// CHECK: attn.quantize %{{.*}} rotate : tensor<2x100x8x96xf16> -> tensor<2x100x8x96xf8E5M2>, tensor<2x4xf32>
func.func @rotated(%x: tensor<2x100x8x96xf16>) -> (tensor<2x100x8x96xf8E5M2>, tensor<2x4xf32>) {
  %y, %d = attn.quantize %x rotate : tensor<2x100x8x96xf16> -> tensor<2x100x8x96xf8E5M2>, tensor<2x4xf32>
  return %y, %d : tensor<2x100x8x96xf8E5M2>, tensor<2x4xf32>
}

// CHECK-LABEL: func @columns
// CHECK: attn.quantize %{{.*}} rotate interleaved : tensor<?x100x?x64xbf16> -> tensor<?x?x64x112xf8E4M3FN>, tensor<?x?xf32>
func.func @columns(%x: tensor<?x100x?x64xbf16>) -> (tensor<?x?x64x112xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x rotate interleaved : tensor<?x100x?x64xbf16> -> tensor<?x?x64x112xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x64x112xf8E4M3FN>, tensor<?x?xf32>
}

// CHECK-LABEL: func @rows
// CHECK: attn.quantize %{{.*}} rotate : tensor<2x100x8x96xf16> -> tensor<2x100x8x96xf8E4M3FN>, tensor<2x8x100xf32>
func.func @rows(%x: tensor<2x100x8x96xf16>) -> (tensor<2x100x8x96xf8E4M3FN>, tensor<2x8x100xf32>) {
  %y, %d = attn.quantize %x rotate : tensor<2x100x8x96xf16> -> tensor<2x100x8x96xf8E4M3FN>, tensor<2x8x100xf32>
  return %y, %d : tensor<2x100x8x96xf8E4M3FN>, tensor<2x8x100xf32>
}
