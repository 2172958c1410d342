// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv=80 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: {{.*}}impossible schedule: with 8-bit elements, block_kv must be a multiple of 32, not 80
// RUN: not fa3-opt %s --fa3-select-schedule=override=lazy_rescale=9 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: {{.*}}impossible schedule: with 8-bit elements, lazy_rescale must be 8 at most, not 9
// RUN: not fa3-opt %s --fa3-select-schedule=override=product_sums=true 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: {{.*}}impossible schedule: product_sums needs 8 more columns than the head dim has, 256 at most
// RUN: not fa3-opt %s --fa3-select-schedule=override=transpose_v=64,specialize=false,pingpong=false 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: {{.*}}impossible schedule: transpose_v needs specialize

!t = tensor<?x?x?x256xf8E4M3FN>
!o = tensor<?x?x?x256xbf16>
!l = tensor<?x?x?xf32>
func.func @spec(%q: !t, %k: !t, %v: !t) -> (!o, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !o, !l
  return %o, %lse : !o, !l
}
