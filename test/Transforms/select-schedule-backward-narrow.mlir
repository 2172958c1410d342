// Schedules of the gradients of 8-bit elements, which have a table of their own:
// keys are rows of the scores up to a head dim of 128; beyond it dq has a kernel
// of its own. Sizes are measured, and not checked here.
// RUN: fa3-opt %s --fa3-select-schedule | FileCheck %s
// RUN: fa3-opt %s --fa3-select-schedule --verify-diagnostics --remarks-filter=.* -o /dev/null

// CHECK-LABEL: func.func @d64(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}persistent = 32, transpose_s = true{{[^}]*}}>} :
func.func @d64(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: func.func @d64_causal(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}longest_first = true, group_tiles = 256, persistent = 32, transpose_s = true{{[^}]*}}>} :
func.func @d64_causal(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: func.func @d128(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}persistent = 32, transpose_s = true{{[^}]*}}>} :
func.func @d128(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func.func @d128_causal(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}longest_first = true, group_tiles = 256, transpose_s = true{{[^}]*}}>} :
func.func @d128_causal(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E5M2>, %a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>, %d: tensor<?x?xf32>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) ds_scale(%s) causal : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E5M2> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %amax : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
}

// CHECK-LABEL: func.func @d256(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d256(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// CHECK-LABEL: func.func @d256_causal(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}longest_first = true, group_tiles = 256, separate_dq = true{{[^}]*}}>} :
func.func @d256_causal(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) causal : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// dS in 16 bits takes more memory.
// CHECK-LABEL: func.func @d64_wide(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @d64_wide(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = bf16 : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: func.func @d128_wide(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}transpose_s = true{{[^}]*}}>} :
func.func @d128_wide(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = bf16 : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func.func @d256_wide(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d256_wide(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>, %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>) -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = bf16 : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN> -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}

// CHECK-LABEL: func.func @d128_deterministic(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}persistent = 32, transpose_s = true{{[^}]*}}>} :
func.func @d128_deterministic(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) deterministic : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// A head dim between two of the table's has the larger one's schedule.
// CHECK-LABEL: func.func @d72(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}persistent = 32, transpose_s = true{{[^}]*}}>} :
func.func @d72(%q: tensor<?x?x?x72xf8E4M3FN>, %k: tensor<?x?x?x72xf8E4M3FN>, %v: tensor<?x?x?x72xf8E4M3FN>, %o: tensor<?x?x?x72xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x72xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x72xf8E4M3FN>, tensor<?x?x?x72xf8E4M3FN>, tensor<?x?x?x72xf8E4M3FN>, tensor<?x?x?x72xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x72xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>, tensor<?x?x?x72xbf16>
}

// CHECK-LABEL: func.func @d136(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d136(%q: tensor<?x?x?x136xf8E4M3FN>, %k: tensor<?x?x?x136xf8E4M3FN>, %v: tensor<?x?x?x136xf8E4M3FN>, %o: tensor<?x?x?x136xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x136xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x136xf8E4M3FN>, tensor<?x?x?x136xf8E4M3FN>, tensor<?x?x?x136xf8E4M3FN>, tensor<?x?x?x136xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x136xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>, tensor<?x?x?x136xbf16>
}

// These would be refused where dS has 8 bits, or dq is summed up in memory.
// CHECK-LABEL: func.func @wide(
// CHECK: transpose_dq = true
func.func @wide(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark@+1 {{given in the spec)}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = bf16 {schedule = #tile.schedule<block_q = 64, block_kv = 128, stages = 1, overlap = false, transpose_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func.func @separate(
// CHECK: transpose_dq = true, separate_dq = true
func.func @separate(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark@+1 {{given in the spec)}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) {schedule = #tile.schedule<block_q = 64, block_kv = 128, stages = 1, overlap = false, transpose_dq = true, separate_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// Maxima of dS take registers: at head dim 64 there is one buffer of what is
// loaded, and where dS keeps 16 bits dq has a kernel of its own.
// CHECK-LABEL: func.func @maxima(
// CHECK: block_q = 128, block_kv = 128, stages = 1,
// CHECK-NOT: separate_dq
func.func @maxima(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>) {
  // expected-remark@+1 {{from the table)}}
  %dq, %dk, %dv, %m = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %m : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
}

// CHECK-LABEL: func.func @wide_maxima(
// CHECK: separate_dq = true
func.func @wide_maxima(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>) {
  // expected-remark@+1 {{from the table)}}
  %dq, %dk, %dv, %m = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = bf16 : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %m : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
}

// Factors of dS that are found while running: keys are rows, and in dq's own kernel
// queries are. A factor stays while the row grows at most fourfold.
// CHECK-LABEL: func.func @d64_running(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}lazy_rescale = 2, {{[^}]*}}transpose_s = true, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d64_running(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: func.func @d64_causal_running(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}lazy_rescale = 2, longest_first = true, {{[^}]*}}transpose_s = true, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d64_causal_running(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E5M2>, %a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>, %d: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do descale(%a, %b, %c, %d) causal : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E5M2> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %amax : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
}

// CHECK-LABEL: func.func @d128_running(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}lazy_rescale = 2, {{[^}]*}}transpose_s = true, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d128_running(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func.func @d128_causal_running(
// CHECK: {schedule = #tile.schedule<block_q = {{[0-9]+}}, block_kv = {{[0-9]+}}, {{[^}]*}}overlap = false, pingpong = false, {{[^}]*}}lazy_rescale = 2, longest_first = true, {{[^}]*}}transpose_s = true, {{[^}]*}}separate_dq = true{{[^}]*}}>} :
func.func @d128_causal_running(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark-re@+1 {{from the table): {{[0-9]+}} of 232448 bytes of shared memory, about {{[0-9]+}} of 240 registers in a consumer thread}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// That may be less.
// CHECK-LABEL: func.func @running_growth(
// CHECK: block_q = 64, {{.*}}lazy_rescale = 1, transpose_s = true, separate_dq = true
func.func @running_growth(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark@+1 {{given in the spec)}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, lazy_rescale = 1, transpose_s = true, separate_dq = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}

// Deterministic gradients need no field for dq's own kernel.
// CHECK-LABEL: func.func @running_deterministic(
// CHECK: #tile.schedule<block_q = 64, block_kv = 128, {{.*}}transpose_s = true>
func.func @running_deterministic(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>) -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  // expected-remark@+1 {{given in the spec)}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do deterministic {schedule = #tile.schedule<block_q = 64, block_kv = 128, overlap = false, transpose_s = true>} : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN> -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}
