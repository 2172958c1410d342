// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

!q = tensor<?x?x?x128xf8E4M3FN>
!o = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
!s = tensor<?x?xf32>

// CHECK-LABEL: func.func @plain
// CHECK: attn.forward %{{.*}}, %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
func.func @plain(%q: !q, %k: !q, %v: !q) -> (tensor<?x?x?x128xf16>, !l) {
  %o, %lse = attn.forward %q, %k, %v : !q, !q, !q -> tensor<?x?x?x128xf16>, !l
  return %o, %lse : tensor<?x?x?x128xf16>, !l
}

// CHECK-LABEL: func.func @descaled
// CHECK: attn.forward %{{.*}}, %{{.*}}, %{{.*}} descale(%arg3, %arg4, %arg5) causal two_level scale = 1.250000e-01 : {{.*}} descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
func.func @descaled(%q: !q, %k: !q, %v: !q, %a: !s, %b: !s, %c: !s) -> (!o, !l) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) causal two_level scale = 0.125
    : !q, !q, !q descale(!s, !s, !s) -> !o, !l
  return %o, %lse : !o, !l
}

// CHECK-LABEL: func.func @interleaved
// CHECK: attn.forward %{{.*}}, %{{.*}}, %{{.*}} values_interleaved : {{.*}}, tensor<?x?x128x?xf8E4M3FN> ->
func.func @interleaved(%q: !q, %k: !q, %v: tensor<?x?x128x?xf8E4M3FN>) -> (!o, !l) {
  %o, %lse = attn.forward %q, %k, %v values_interleaved : !q, !q, tensor<?x?x128x?xf8E4M3FN> -> !o, !l
  return %o, %lse : !o, !l
}

// Queries, keys or both may have a factor for each row.
// CHECK-LABEL: func.func @rows
// CHECK: attn.forward %{{.*}} descale(%arg3, %arg4, %arg5) : {{.*}} descale(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) ->
// CHECK: attn.forward %{{.*}} descale(%arg5, %arg4, %arg5) : {{.*}} descale(tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) ->
func.func @rows(%q: !q, %k: !q, %v: !q, %a: !l, %b: !l, %c: !s) -> (!o, !o) {
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : !q, !q, !q descale(!l, !l, !s) -> !o, !l
  %p, %lsf = attn.forward %q, %k, %v descale(%c, %b, %c) : !q, !q, !q descale(!s, !l, !s) -> !o, !l
  return %o, %p : !o, !o
}
