// Heads are in groups where blocks come longest first. How many blocks of theirs
// are computed together follows the head dim: their keys and values should stay in
// L2.
// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s --check-prefixes=CHECK,TABLE
// RUN: fa3-opt %s --fa3-select-schedule=override=group_tiles=64 | FileCheck %s --check-prefixes=CHECK,GIVEN
// RUN: fa3-opt %s --fa3-select-schedule=override=group_tiles=0 | FileCheck %s --implicit-check-not='group_tiles ='

!b40 = tensor<?x?x?x40xbf16>
!b64 = tensor<?x?x?x64xbf16>
!b72 = tensor<?x?x?x72xbf16>
!b128 = tensor<?x?x?x128xbf16>
!b136 = tensor<?x?x?x136xbf16>
!b192 = tensor<?x?x?x192xbf16>
!b200 = tensor<?x?x?x200xbf16>
!b256 = tensor<?x?x?x256xbf16>
!e64 = tensor<?x?x?x64xf8E4M3FN>
!e128 = tensor<?x?x?x128xf8E4M3FN>
!e256 = tensor<?x?x?x256xf8E4M3FN>
!l = tensor<?x?x?xf32>
!s = tensor<?x?xf32>

// CHECK-LABEL: func.func @forward_d40(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d40(%q: !b40, %k: !b40, %v: !b40) -> (!b40, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b40, !b40, !b40 -> !b40, !l
  return %o, %lse : !b40, !l
}

// CHECK-LABEL: func.func @forward_d64(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d64(%q: !b64, %k: !b64, %v: !b64) -> (!b64, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b64, !b64, !b64 -> !b64, !l
  return %o, %lse : !b64, !l
}

// CHECK-LABEL: func.func @forward_d72(
// TABLE: longest_first = true, group_tiles = 512{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d72(%q: !b72, %k: !b72, %v: !b72) -> (!b72, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b72, !b72, !b72 -> !b72, !l
  return %o, %lse : !b72, !l
}

// CHECK-LABEL: func.func @forward_d128(
// TABLE: longest_first = true, group_tiles = 512{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d128(%q: !b128, %k: !b128, %v: !b128) -> (!b128, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b128, !b128, !b128 -> !b128, !l
  return %o, %lse : !b128, !l
}

// CHECK-LABEL: func.func @forward_d136(
// TABLE: longest_first = true, group_tiles = 128{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d136(%q: !b136, %k: !b136, %v: !b136) -> (!b136, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b136, !b136, !b136 -> !b136, !l
  return %o, %lse : !b136, !l
}

// CHECK-LABEL: func.func @forward_d256(
// TABLE: longest_first = true, group_tiles = 128{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_d256(%q: !b256, %k: !b256, %v: !b256) -> (!b256, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !b256, !b256, !b256 -> !b256, !l
  return %o, %lse : !b256, !l
}

// CHECK-LABEL: func.func @narrow_d64(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @narrow_d64(%q: !e64, %k: !e64, %v: !e64) -> (!b64, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !e64, !e64, !e64 -> !b64, !l
  return %o, %lse : !b64, !l
}

// CHECK-LABEL: func.func @narrow_d128(
// TABLE: longest_first = true, group_tiles = 512{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @narrow_d128(%q: !e128, %k: !e128, %v: !e128) -> (!b128, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !e128, !e128, !e128 -> !b128, !l
  return %o, %lse : !b128, !l
}

// CHECK-LABEL: func.func @narrow_d256(
// TABLE: longest_first = true, group_tiles = 128{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @narrow_d256(%q: !e256, %k: !e256, %v: !e256) -> (!b256, !l) {
  %o, %lse = attn.forward %q, %k, %v causal : !e256, !e256, !e256 -> !b256, !l
  return %o, %lse : !b256, !l
}

// CHECK-LABEL: func.func @two_level_d128(
// TABLE: longest_first = true, group_tiles = 512{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @two_level_d128(%q: !e128, %k: !e128, %v: !e128) -> (!b128, !l) {
  %o, %lse = attn.forward %q, %k, %v causal two_level : !e128, !e128, !e128 -> !b128, !l
  return %o, %lse : !b128, !l
}

// All blocks of a head have the same work.
// CHECK-LABEL: func.func @forward_full(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_full(%q: !b64, %k: !b64, %v: !b64) -> (!b64, !l) {
  %o, %lse = attn.forward %q, %k, %v : !b64, !b64, !b64 -> !b64, !l
  return %o, %lse : !b64, !l
}

// CHECK-LABEL: func.func @forward_full_d128(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @forward_full_d128(%q: !b128, %k: !b128, %v: !b128) -> (!b128, !l) {
  %o, %lse = attn.forward %q, %k, %v : !b128, !b128, !b128 -> !b128, !l
  return %o, %lse : !b128, !l
}

// CHECK-LABEL: func.func @narrow_full(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @narrow_full(%q: !e128, %k: !e128, %v: !e128) -> (!b128, !l) {
  %o, %lse = attn.forward %q, %k, %v : !e128, !e128, !e128 -> !b128, !l
  return %o, %lse : !b128, !l
}

// CHECK-LABEL: func.func @backward_d64(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_d64(%q: !b64, %k: !b64, %v: !b64, %o: !b64, %lse: !l, %do: !b64) -> (!b64, !b64, !b64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !b64, !b64, !b64, !b64, !l, !b64 -> !b64, !b64, !b64
  return %dq, %dk, %dv : !b64, !b64, !b64
}

// CHECK-LABEL: func.func @backward_d128(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_d128(%q: !b128, %k: !b128, %v: !b128, %o: !b128, %lse: !l, %do: !b128) -> (!b128, !b128, !b128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !b128, !b128, !b128, !b128, !l, !b128 -> !b128, !b128, !b128
  return %dq, %dk, %dv : !b128, !b128, !b128
}

// CHECK-LABEL: func.func @backward_deterministic(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_deterministic(%q: !b128, %k: !b128, %v: !b128, %o: !b128, %lse: !l, %do: !b128) -> (!b128, !b128, !b128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal deterministic : !b128, !b128, !b128, !b128, !l, !b128 -> !b128, !b128, !b128
  return %dq, %dk, %dv : !b128, !b128, !b128
}

// CHECK-LABEL: func.func @backward_d192(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_d192(%q: !b192, %k: !b192, %v: !b192, %o: !b192, %lse: !l, %do: !b192) -> (!b192, !b192, !b192) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !b192, !b192, !b192, !b192, !l, !b192 -> !b192, !b192, !b192
  return %dq, %dk, %dv : !b192, !b192, !b192
}

// At the widest heads one after the other is better, unless they have 8 bits.
// CHECK-LABEL: func.func @backward_d200(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_d200(%q: !b200, %k: !b200, %v: !b200, %o: !b200, %lse: !l, %do: !b200) -> (!b200, !b200, !b200) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !b200, !b200, !b200, !b200, !l, !b200 -> !b200, !b200, !b200
  return %dq, %dk, %dv : !b200, !b200, !b200
}

// CHECK-LABEL: func.func @backward_d256(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_d256(%q: !b256, %k: !b256, %v: !b256, %o: !b256, %lse: !l, %do: !b256) -> (!b256, !b256, !b256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : !b256, !b256, !b256, !b256, !l, !b256 -> !b256, !b256, !b256
  return %dq, %dk, %dv : !b256, !b256, !b256
}

// CHECK-LABEL: func.func @backward_narrow_d128(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_narrow_d128(%q: !e128, %k: !e128, %v: !e128, %o: !b128, %lse: !l, %do: !e128, %s: !s) -> (!b128, !b128, !b128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal : !e128, !e128, !e128, !b128, !l, !e128 ds_scale(!s) -> !b128, !b128, !b128
  return %dq, %dk, %dv : !b128, !b128, !b128
}

// CHECK-LABEL: func.func @backward_narrow_d256(
// TABLE: longest_first = true, group_tiles = 256{{[,>]}}
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_narrow_d256(%q: !e256, %k: !e256, %v: !e256, %o: !b256, %lse: !l, %do: !e256, %s: !s) -> (!b256, !b256, !b256) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal : !e256, !e256, !e256, !b256, !l, !e256 ds_scale(!s) -> !b256, !b256, !b256
  return %dq, %dk, %dv : !b256, !b256, !b256
}

// CHECK-LABEL: func.func @backward_full(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_full(%q: !b64, %k: !b64, %v: !b64, %o: !b64, %lse: !l, %do: !b64) -> (!b64, !b64, !b64) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : !b64, !b64, !b64, !b64, !l, !b64 -> !b64, !b64, !b64
  return %dq, %dk, %dv : !b64, !b64, !b64
}

// CHECK-LABEL: func.func @backward_narrow_full(
// TABLE-NOT: group_tiles =
// GIVEN: group_tiles = 64{{[,>]}}
// CHECK: return
func.func @backward_narrow_full(%q: !e128, %k: !e128, %v: !e128, %o: !b128, %lse: !l, %do: !e128, %s: !s) -> (!b128, !b128, !b128) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : !e128, !e128, !e128, !b128, !l, !e128 ds_scale(!s) -> !b128, !b128, !b128
  return %dq, %dk, %dv : !b128, !b128, !b128
}
