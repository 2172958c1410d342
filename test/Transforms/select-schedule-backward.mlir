// Schedules of the gradients: products of one block are not overlapped with those
// of the next, blocks of a causal mask come longest first, and registers follow
// the warpgroups. Sizes are measured, and not checked here.
// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// RUN: fa3-opt %s --fa3-select-schedule --verify-diagnostics --remarks-filter=.* -o /dev/null

// CHECK-LABEL: func.func @bf16_d64(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @bf16_d64(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: func.func @f16_d96(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @f16_d96(%q: tensor<?x?x?x96xf16>, %k: tensor<?x?x?x96xf16>, %v: tensor<?x?x?x96xf16>, %o: tensor<?x?x?x96xf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x96xf16>) -> (tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?xf32>, tensor<?x?x?x96xf16> -> tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>
  return %dq, %dk, %dv : tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>, tensor<?x?x?x96xf16>
}

// CHECK-LABEL: func.func @bf16_d128_causal(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}longest_first = true, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @bf16_d128_causal(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func.func @bf16_d192(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, warpgroups = 3, {{[^}]*}}transpose_dkv = true, transpose_dq = true, {{[^}]*}}producer_registers = 32, consumer_registers = 160>} :
func.func @bf16_d192(%q: tensor<?x?x?x192xbf16>, %k: tensor<?x?x?x192xbf16>, %v: tensor<?x?x?x192xbf16>, %o: tensor<?x?x?x192xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x192xbf16>) -> (tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x192xbf16> -> tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>
}

// CHECK-LABEL: func.func @bf16_d256(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_dkv = true, transpose_dq = true{{[^}]*}}>} :
func.func @bf16_d256(%q: tensor<?x?x?x256xbf16>, %k: tensor<?x?x?x256xbf16>, %v: tensor<?x?x?x256xbf16>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xbf16>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xbf16> -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// CHECK-LABEL: func.func @deterministic(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @deterministic(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// A head dim between two of the table's has the larger one's schedule.
// CHECK-LABEL: func.func @between(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
!t72 = tensor<?x?x?x72xbf16>
func.func @between(%q: !t72, %k: !t72, %v: !t72, %o: !t72, %lse: tensor<?x?x?xf32>, %do: !t72) -> (!t72, !t72, !t72) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of {{160|240}} registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : !t72, !t72, !t72, !t72, tensor<?x?x?xf32>, !t72 -> !t72, !t72, !t72
  return %dq, %dk, %dv : !t72, !t72, !t72
}
