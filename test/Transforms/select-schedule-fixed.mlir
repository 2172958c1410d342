// The schedules of some kernels are fixed: nothing is chosen, and an override has
// nothing to change.

// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// CHECK: attn.quantize
// CHECK-NOT: schedule
// RUN: not fa3-opt %s --fa3-select-schedule=override=stages=2 2>&1 | FileCheck %s --check-prefix=OVERRIDE
// OVERRIDE: [[@LINE+2]]:12: error: schedule override: the schedules of its kernels are fixed
func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %d = attn.quantize %x : tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
}
