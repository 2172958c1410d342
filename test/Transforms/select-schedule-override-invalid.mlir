// What an override refuses, with the place in the spec.

// RUN: not fa3-opt %s --fa3-select-schedule=override=blockq=1 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: {{.*}}schedule override: no field 'blockq'; there are block_q, block_kv, warpgroups, stages, early_stages, overlap, specialize, pingpong, split_loops, late_waits, lazy_rescale, chains, product_sums, transpose_v, longest_first, group_tiles, persistent, transpose_s, transpose_dkv, transpose_dq, share_operands, separate_dq, bulk_reduce, store_first, producer_registers, consumer_registers
// RUN: not fa3-opt %s --fa3-select-schedule=override==1 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: {{.*}}schedule override: no field ''
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: {{.*}}schedule override: block_kv takes an integer, not ''
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv=wide 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: {{.*}}schedule override: block_kv takes an integer, not 'wide'
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv=99999999999999999999 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: {{.*}}schedule override: block_kv takes an integer, not '99999999999999999999'
// RUN: not fa3-opt %s --fa3-select-schedule=override=pingpong=1 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: {{.*}}schedule override: pingpong takes true or false, not '1'
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv=100 2>&1 | FileCheck %s --check-prefix=E6
// E6: error: {{.*}}impossible schedule: block_kv must be a multiple of 16, not 100
// RUN: not fa3-opt %s --fa3-select-schedule=override=warpgroups=7 2>&1 | FileCheck %s --check-prefix=E7
// E7: error: {{.*}}impossible schedule: warpgroups must be from 1 to 3, not 7
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_q=128 2>&1 | FileCheck %s --check-prefix=E8
// E8: error: {{.*}}impossible schedule: block_q must be a multiple of 64 * warpgroups = 192, not 128
// RUN: not fa3-opt %s --fa3-select-schedule=override=stages=8 2>&1 | FileCheck %s --check-prefix=E9
// E9: error: {{.*}}needs 377104 bytes of shared memory, but a CTA has 232448
// RUN: not fa3-opt %s --fa3-select-schedule=override=block_kv=192,warpgroups=2,block_q=256,stages=1 2>&1 | FileCheck %s --check-prefix=E10
// E10: error: {{.*}}registers in a consumer thread, which has 240
// RUN: not fa3-opt %s --fa3-select-schedule=override=product_sums=true 2>&1 | FileCheck %s --check-prefix=E11
// E11: error: {{.*}}impossible schedule: product_sums needs 8-bit elements
// RUN: not fa3-opt %s --fa3-select-schedule=override=persistent=true 2>&1 | FileCheck %s --check-prefix=E12
// E12: error: {{.*}}schedule override: persistent takes an integer, not 'true'
// RUN: not fa3-opt %s --fa3-select-schedule=override=persistent=-1 2>&1 | FileCheck %s --check-prefix=E13
// E13: error: {{.*}}impossible schedule: persistent must be from 0 to 2147483647, not -1
// RUN: not fa3-opt %s --fa3-select-schedule=override=late_waits=1 2>&1 | FileCheck %s --check-prefix=E14
// E14: error: {{.*}}schedule override: late_waits takes true or false, not '1'
// RUN: not fa3-opt %s --fa3-select-schedule=override=group_tiles=true 2>&1 | FileCheck %s --check-prefix=E15
// E15: error: {{.*}}schedule override: group_tiles takes an integer, not 'true'
// RUN: not fa3-opt %s --fa3-select-schedule=override=group_tiles=48 2>&1 | FileCheck %s --check-prefix=E16
// E16: error: {{.*}}impossible schedule: group_tiles must be 0 or a power of two, not 48
// RUN: not fa3-opt %s --fa3-select-schedule=override=group_tiles=131072 2>&1 | FileCheck %s --check-prefix=E17
// E17: error: {{.*}}impossible schedule: group_tiles must be from 0 to 65536, not 131072
// RUN: not fa3-opt %s --fa3-select-schedule=override=store_first=true 2>&1 | FileCheck %s --check-prefix=E18
// E18: error: {{.*}}schedule override: store_first takes an integer, not 'true'
// RUN: not fa3-opt %s --fa3-select-schedule=override=store_first=-1 2>&1 | FileCheck %s --check-prefix=E19
// E19: error: {{.*}}impossible schedule: store_first must be from 0 to 2147483647, not -1
// RUN: not fa3-opt %s --fa3-select-schedule=override=specialize=false,store_first=16 2>&1 | FileCheck %s --check-prefix=E20
// RUN: not fa3-opt %s --fa3-select-schedule=override=bulk_reduce=false,store_first=16 2>&1 | FileCheck %s --check-prefix=E20
// E20: error: {{.*}}impossible schedule: store_first needs specialize and bulk_reduce

!t = tensor<?x?x?x128xbf16>
!l = tensor<?x?x?xf32>
func.func @spec(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}
