// Up to how many blocks of queries the first tiles of dq are stored: what is best
// differs between head dims and masks. Who adds without bulk copies, without
// roles, or nothing at all stores none, unless that is asked for.
// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s --check-prefixes=CHECK,TABLE
// RUN: fa3-opt %s --fa3-select-schedule=override=stages=1 | FileCheck %s --check-prefixes=CHECK,TABLE
// RUN: fa3-opt %s --fa3-select-schedule=override=specialize=false | FileCheck %s --implicit-check-not=store_first
// RUN: fa3-opt %s --fa3-select-schedule=override=bulk_reduce=false | FileCheck %s --implicit-check-not=store_first
// RUN: fa3-opt %s --fa3-select-schedule=override=separate_dq=true | FileCheck %s --implicit-check-not=store_first
// RUN: fa3-opt %s --fa3-select-schedule=override=store_first=0 | FileCheck %s --implicit-check-not=store_first
// RUN: fa3-opt %specs/backward_bf16_d128.mlir --fa3-select-schedule=override=store_first=5 | FileCheck %s --check-prefix=ASKED
// RUN: fa3-opt %specs/backward_bf16_d128_deterministic.mlir --fa3-select-schedule=override=store_first=5 | FileCheck %s --check-prefix=ASKED
// ASKED: store_first = 5>
// RUN: fa3-opt %specs/forward_bf16_d128.mlir --fa3-select-schedule=override=store_first=5 | FileCheck %s --check-prefix=FORWARD
// FORWARD: store_first = 5,
// RUN: not fa3-opt %s --fa3-select-schedule=override=store_first=5 2>&1 | FileCheck %s --check-prefix=REFUSED
// REFUSED: error: {{.*}}impossible schedule: store_first needs specialize and bulk_reduce

!t64 = tensor<?x?x?x64xbf16>
!t128 = tensor<?x?x?x128xbf16>
!t192 = tensor<?x?x?x192xbf16>
!t256 = tensor<?x?x?x256xbf16>
!n64 = tensor<?x?x?x64xf8E4M3FN>
!n128 = tensor<?x?x?x128xf8E4M3FN>
!n256 = tensor<?x?x?x256xf8E4M3FN>
!l = tensor<?x?x?xf32>
!f = tensor<?x?xf32>

// CHECK-LABEL: func.func @d64(
// TABLE: store_first = 8>
// CHECK: return
func.func @d64(%q: !t64, %k: !t64, %v: !t64, %o: !t64, %lse: !l, %do: !t64) -> (!t64, !t64, !t64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : !t64, !t64, !t64, !t64, !l, !t64 -> !t64, !t64, !t64
  return %dq, %dk, %dv : !t64, !t64, !t64
}

// CHECK-LABEL: func.func @d64_causal(
// TABLE: store_first = 16>
// CHECK: return
func.func @d64_causal(%q: !t64, %k: !t64, %v: !t64, %o: !t64, %lse: !l, %do: !t64) -> (!t64, !t64, !t64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    : !t64, !t64, !t64, !t64, !l, !t64 -> !t64, !t64, !t64
  return %dq, %dk, %dv : !t64, !t64, !t64
}

// CHECK-LABEL: func.func @d128(
// TABLE: store_first = 64>
// CHECK: return
func.func @d128(%q: !t128, %k: !t128, %v: !t128, %o: !t128, %lse: !l, %do: !t128) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : !t128, !t128, !t128, !t128, !l, !t128 -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}

// CHECK-LABEL: func.func @d128_causal(
// TABLE: store_first = 16>
// CHECK: return
func.func @d128_causal(%q: !t128, %k: !t128, %v: !t128, %o: !t128, %lse: !l, %do: !t128) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    : !t128, !t128, !t128, !t128, !l, !t128 -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}

// Threads of these add their registers.
// CHECK-LABEL: func.func @d192(
// TABLE-NOT: store_first
// CHECK: return
func.func @d192(%q: !t192, %k: !t192, %v: !t192, %o: !t192, %lse: !l, %do: !t192) -> (!t192, !t192, !t192) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : !t192, !t192, !t192, !t192, !l, !t192 -> !t192, !t192, !t192
  return %dq, %dk, %dv : !t192, !t192, !t192
}

// CHECK-LABEL: func.func @d192_causal(
// TABLE-NOT: store_first
// CHECK: return
func.func @d192_causal(%q: !t192, %k: !t192, %v: !t192, %o: !t192, %lse: !l, %do: !t192) -> (!t192, !t192, !t192) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    : !t192, !t192, !t192, !t192, !l, !t192 -> !t192, !t192, !t192
  return %dq, %dk, %dv : !t192, !t192, !t192
}

// CHECK-LABEL: func.func @d256(
// TABLE-NOT: store_first
// CHECK: return
func.func @d256(%q: !t256, %k: !t256, %v: !t256, %o: !t256, %lse: !l, %do: !t256) -> (!t256, !t256, !t256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : !t256, !t256, !t256, !t256, !l, !t256 -> !t256, !t256, !t256
  return %dq, %dk, %dv : !t256, !t256, !t256
}

// CHECK-LABEL: func.func @d256_causal(
// TABLE-NOT: store_first
// CHECK: return
func.func @d256_causal(%q: !t256, %k: !t256, %v: !t256, %o: !t256, %lse: !l, %do: !t256) -> (!t256, !t256, !t256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
    : !t256, !t256, !t256, !t256, !l, !t256 -> !t256, !t256, !t256
  return %dq, %dk, %dv : !t256, !t256, !t256
}

// CHECK-LABEL: func.func @e4m3_d64(
// TABLE: store_first = 32>
// CHECK: return
func.func @e4m3_d64(%q: !n64, %k: !n64, %v: !n64, %o: !t64, %lse: !l, %do: !n64, %s: !f) -> (!t64, !t64, !t64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s)
    : !n64, !n64, !n64, !t64, !l, !n64 ds_scale(!f) -> !t64, !t64, !t64
  return %dq, %dk, %dv : !t64, !t64, !t64
}

// CHECK-LABEL: func.func @e4m3_d64_causal(
// TABLE: store_first = 16>
// CHECK: return
func.func @e4m3_d64_causal(%q: !n64, %k: !n64, %v: !n64, %o: !t64, %lse: !l, %do: !n64, %s: !f) -> (!t64, !t64, !t64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal
    : !n64, !n64, !n64, !t64, !l, !n64 ds_scale(!f) -> !t64, !t64, !t64
  return %dq, %dk, %dv : !t64, !t64, !t64
}

// CHECK-LABEL: func.func @e4m3_d128(
// TABLE: store_first = 16>
// CHECK: return
func.func @e4m3_d128(%q: !n128, %k: !n128, %v: !n128, %o: !t128, %lse: !l, %do: !n128, %s: !f) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s)
    : !n128, !n128, !n128, !t128, !l, !n128 ds_scale(!f) -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}

// CHECK-LABEL: func.func @e4m3_d128_causal(
// TABLE: store_first = 16>
// CHECK: return
func.func @e4m3_d128_causal(%q: !n128, %k: !n128, %v: !n128, %o: !t128, %lse: !l, %do: !n128, %s: !f) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal
    : !n128, !n128, !n128, !t128, !l, !n128 ds_scale(!f) -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}

// dq has a kernel of its own.
// CHECK-LABEL: func.func @e4m3_d256(
// TABLE-NOT: store_first
// CHECK: return
func.func @e4m3_d256(%q: !n256, %k: !n256, %v: !n256, %o: !t256, %lse: !l, %do: !n256, %s: !f) -> (!t256, !t256, !t256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s)
    : !n256, !n256, !n256, !t256, !l, !n256 ds_scale(!f) -> !t256, !t256, !t256
  return %dq, %dk, %dv : !t256, !t256, !t256
}

// CHECK-LABEL: func.func @e4m3_d256_causal(
// TABLE-NOT: store_first
// CHECK: return
func.func @e4m3_d256_causal(%q: !n256, %k: !n256, %v: !n256, %o: !t256, %lse: !l, %do: !n256, %s: !f) -> (!t256, !t256, !t256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal
    : !n256, !n256, !n256, !t256, !l, !n256 ds_scale(!f) -> !t256, !t256, !t256
  return %dq, %dk, %dv : !t256, !t256, !t256
}

// CHECK-LABEL: func.func @deterministic(
// TABLE-NOT: store_first
// CHECK: return
func.func @deterministic(%q: !t128, %k: !t128, %v: !t128, %o: !t128, %lse: !l, %do: !t128) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic
    : !t128, !t128, !t128, !t128, !l, !t128 -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}

// One that is given is changed in the same way.
// CHECK-LABEL: func.func @given(
// TABLE: store_first = 7>
// CHECK: return
func.func @given(%q: !t128, %k: !t128, %v: !t128, %o: !t128, %lse: !l, %do: !t128) -> (!t128, !t128, !t128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, pingpong = false, transpose_s = true, transpose_dq = true, store_first = 7>}
    : !t128, !t128, !t128, !t128, !l, !t128 -> !t128, !t128, !t128
  return %dq, %dk, %dv : !t128, !t128, !t128
}
