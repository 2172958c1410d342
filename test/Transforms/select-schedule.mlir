// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// RUN: fa3-opt %s --fa3-select-schedule=override=block_kv=64,pingpong=false,chains=2 | FileCheck %s --check-prefix=OVERRIDE
// RUN: fa3-opt %s --fa3-select-schedule --verify-diagnostics --remarks-filter=.* -o /dev/null

// CHECK-LABEL: func.func @bf16_d128(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 80, warpgroups = 3, pingpong = false, late_waits = true, lazy_rescale = 8, chains = 2, persistent = 32, producer_registers = 32, consumer_registers = 160>}
// OVERRIDE-LABEL: func.func @bf16_d128(
// OVERRIDE: {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, pingpong = false, late_waits = true, lazy_rescale = 8, chains = 2, producer_registers = 32, consumer_registers = 160>}
func.func @bf16_d128(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{from the table): 131152 of 232448 bytes of shared memory, about 148 of 160 registers in a consumer thread}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @f16_d128_causal(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 80, warpgroups = 3, stages = 3, pingpong = false, late_waits = true, lazy_rescale = 8, longest_first = true, group_tiles = 512, producer_registers = 32, consumer_registers = 160>}
// OVERRIDE-LABEL: func.func @f16_d128_causal(
// OVERRIDE: {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, stages = 3, pingpong = false, late_waits = true, lazy_rescale = 8, chains = 2, longest_first = true, group_tiles = 512, producer_registers = 32, consumer_registers = 160>}
func.func @f16_d128_causal(%q: tensor<?x?x?x128xf16>, %k: tensor<?x?x?x128xf16>, %v: tensor<?x?x?x128xf16>) -> (tensor<?x?x?x128xf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{from the table): 172144 of 232448 bytes of shared memory, about 148 of 160 registers in a consumer thread}}
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16>, tensor<?x?x?x128xf16> -> tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @f16_d64(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 128, warpgroups = 3, lazy_rescale = 8, chains = 8, producer_registers = 32, consumer_registers = 160>}
// OVERRIDE-LABEL: func.func @f16_d64(
// OVERRIDE: {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, pingpong = false, lazy_rescale = 8, chains = 2, producer_registers = 32, consumer_registers = 160>}
func.func @f16_d64(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{from the table): 90192 of 232448 bytes of shared memory, about 152 of 160 registers in a consumer thread}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @bf16_d64_causal(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 128, warpgroups = 3, stages = 3, lazy_rescale = 8, chains = 8, longest_first = true, group_tiles = 256, producer_registers = 32, consumer_registers = 160>}
// OVERRIDE-LABEL: func.func @bf16_d64_causal(
// OVERRIDE: {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, stages = 3, pingpong = false, lazy_rescale = 8, chains = 2, longest_first = true, group_tiles = 256, producer_registers = 32, consumer_registers = 160>}
func.func @bf16_d64_causal(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{from the table): 122992 of 232448 bytes of shared memory, about 152 of 160 registers in a consumer thread}}
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// Other head dims; what lies between two of the table has the larger one's.

// CHECK-LABEL: func.func @bf16_d40(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 128, warpgroups = 3, lazy_rescale = 8, chains = 8, producer_registers = 32, consumer_registers = 160>}
func.func @bf16_d40(%q: tensor<?x?x?x40xbf16>, %k: tensor<?x?x?x40xbf16>, %v: tensor<?x?x?x40xbf16>) -> (tensor<?x?x?x40xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{90192 of 232448 bytes of shared memory, about 144 of 160 registers}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x40xbf16>, tensor<?x?x?x40xbf16>, tensor<?x?x?x40xbf16> -> tensor<?x?x?x40xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x40xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @bf16_d96(
// CHECK: {schedule = #tile.schedule<block_q = 192, block_kv = 112, warpgroups = 3, pingpong = false, late_waits = true, lazy_rescale = 8, persistent = 32, producer_registers = 32, consumer_registers = 160>}
func.func @bf16_d96(%q: tensor<?x?x?x96xbf16>, %k: tensor<?x?x?x96xbf16>, %v: tensor<?x?x?x96xbf16>) -> (tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{163920 of 232448 bytes of shared memory, about 156 of 160 registers}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x96xbf16>, tensor<?x?x?x96xbf16>, tensor<?x?x?x96xbf16> -> tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x96xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @bf16_d192_causal(
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = 112, pingpong = false, lazy_rescale = 8, longest_first = true, group_tiles = 128>}
func.func @bf16_d192_causal(%q: tensor<?x?x?x192xbf16>, %k: tensor<?x?x?x192xbf16>, %v: tensor<?x?x?x192xbf16>) -> (tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{221264 of 232448 bytes of shared memory, about 204 of 240 registers}}
  %o, %lse = attn.forward %q, %k, %v causal : tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16>, tensor<?x?x?x192xbf16> -> tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x192xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @bf16_d200(
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = 80, pingpong = false, lazy_rescale = 8>}
func.func @bf16_d200(%q: tensor<?x?x?x200xbf16>, %k: tensor<?x?x?x200xbf16>, %v: tensor<?x?x?x200xbf16>) -> (tensor<?x?x?x200xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{229456 of 232448 bytes of shared memory, about 188 of 240 registers}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x200xbf16>, tensor<?x?x?x200xbf16>, tensor<?x?x?x200xbf16> -> tensor<?x?x?x200xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x200xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @bf16_d256(
// CHECK: {schedule = #tile.schedule<block_q = 128, block_kv = 80, pingpong = false, lazy_rescale = 8>}
func.func @bf16_d256(%q: tensor<?x?x?x256xbf16>, %k: tensor<?x?x?x256xbf16>, %v: tensor<?x?x?x256xbf16>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{229456 of 232448 bytes of shared memory, about 212 of 240 registers}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16> -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}

// A schedule that the spec gives is kept.
// CHECK-LABEL: func.func @given(
// CHECK: {schedule = #tile.schedule<block_q = 64, block_kv = 32, warpgroups = 1, overlap = false>}
// OVERRIDE-LABEL: func.func @given(
// OVERRIDE: {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, overlap = false, pingpong = false, chains = 2>}
func.func @given(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-remark@+1 {{given in the spec): }}
  %o, %lse = attn.forward %q, %k, %v {schedule = #tile.schedule<block_q = 64, block_kv = 32, warpgroups = 1, overlap = false>} : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// Functions without attention are left alone.
// CHECK-LABEL: func.func @other(
// OVERRIDE-LABEL: func.func @other(
func.func @other(%x: f32) -> f32 {
  return %x : f32
}
