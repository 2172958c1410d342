// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// RUN: fa3-opt %s --fa3-select-schedule=override=specialize=false,pingpong=false,warpgroups=2,block_q=128 | FileCheck %s --check-prefix=ALONE

// Up to how many keys 8-bit values are transposed by the kernel that needs them so:
// some where heads are narrow, and none where they are wide or where the caller has
// values as columns. Without roles nobody transposes.
// ALONE-NOT: transpose_v
// ALONE: specialize = false
// ALONE-NOT: transpose_v

// CHECK-LABEL: func.func @d64(
// CHECK: transpose_v = 2048,
func.func @d64(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d64_causal(
// CHECK: transpose_v = 4096,
func.func @d64_causal(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d96(
// CHECK: transpose_v = 2048,
func.func @d96(%q: tensor<?x?x?x96xf8E4M3FN>, %k: tensor<?x?x?x96xf8E4M3FN>, %v: tensor<?x?x?x96xf8E4M3FN>) -> (tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x96xf8E4M3FN>, tensor<?x?x?x96xf8E4M3FN>, tensor<?x?x?x96xf8E4M3FN> -> tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d128(
// CHECK: transpose_v = 2048,
func.func @d128(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d128_causal(
// CHECK: transpose_v = 4096,
func.func @d128_causal(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d192(
// CHECK-NOT: transpose_v
// CHECK: return
func.func @d192(%q: tensor<?x?x?x192xf8E4M3FN>, %k: tensor<?x?x?x192xf8E4M3FN>, %v: tensor<?x?x?x192xf8E4M3FN>) -> (tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x192xf8E4M3FN>, tensor<?x?x?x192xf8E4M3FN>, tensor<?x?x?x192xf8E4M3FN> -> tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d256(
// CHECK-NOT: transpose_v
// CHECK: return
func.func @d256(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN> -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @d256_causal(
// CHECK-NOT: transpose_v
// CHECK: return
func.func @d256_causal(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN> -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @interleaved(
// CHECK-NOT: transpose_v
// CHECK: return
func.func @interleaved(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x128x?xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v values_interleaved : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x128x?xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// Nor beside sums on two levels, whose schedules leave it out.
// CHECK-LABEL: func.func @two_level(
// CHECK-NOT: transpose_v
// CHECK: return
func.func @two_level(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v two_level : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
