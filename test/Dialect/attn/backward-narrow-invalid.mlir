// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>, %d: tensor<?x?xf32>) {
  // expected-error@+1 {{descale, ds_scale, ds_precision and ds_amax are for 8-bit elements, not 'bf16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do descale(%d, %d, %d, %d) : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{descale, ds_scale, ds_precision and ds_amax are for 8-bit elements, not 'bf16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>, %o: tensor<?x?x?x64xf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf16>) {
  // expected-error@+1 {{descale, ds_scale, ds_precision and ds_amax are for 8-bit elements, not 'f16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = f16 : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>) {
  // expected-error@+1 {{descale, ds_scale, ds_precision and ds_amax are for 8-bit elements, not 'bf16'}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>) {
  // expected-error@+1 {{ds_precision must be the type of dq, 'bf16', not 'f16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = f16 : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>) {
  // expected-error@+1 {{ds_precision must be the type of dq, 'bf16', not 'f8E4M3FN'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_precision = f8E4M3FN : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{has no use for ds_scale beside ds_precision}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) ds_precision = bf16 : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E5M2>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{operand #0 must be 4D tensor of bfloat16 type or 16-bit float or f8E4M3FN type values}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E5M2>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xf8E4M3FN>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{operand #3 must be 4D tensor of bfloat16 type or 16-bit float values}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf32>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{operand #5 must be 4D tensor of bfloat16 type or 16-bit float or f8E4M3FN type or f8E5M2 type values}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf32> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?xf32>) {
  // expected-error@+1 {{operand #6 must be 2D tensor of 32-bit float values}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{result #0 must be 4D tensor of bfloat16 type or 16-bit float values}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{result #3 must be 2D tensor of 32-bit float values}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{elements of q are 'f8E4M3FN', but those of v are 'bf16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

// The output's gradient has 8 bits only if everything else has.
func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E5M2>) {
  // expected-error@+1 {{elements of q are 'bf16', but those of do are 'f8E5M2'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E5M2> -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{elements of q are 'f8E4M3FN': those of do must have 8 bits, not be 'bf16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{elements of q are 'f8E4M3FN': those of dk must have 16 bits, as those of o, not be 'f16'}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E5M2>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{head dim of q is 64, but that of do is 128}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E5M2> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x2x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %d: tensor<?x3xf32>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{number of heads of k is 2, but that of q_descale is 3}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do descale(%d, %d, %d, %d) ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x2x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x3xf32>) ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x2x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x3xf32>) {
  // expected-error@+1 {{number of heads of k is 2, but that of ds_scale is 3}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x2x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x3xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return
}

// -----

func.func @spec(%q: tensor<2x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{batch of q is 2, but that of ds_amax is 3}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<2x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<3x?xf32>
  return
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x4xf32>) {
  // expected-error@+1 {{number of heads of ds_scale is 4, but that of ds_amax is 8}}
  %dq, %dk, %dv, %amax = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN> ds_scale(tensor<?x4xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x8xf32>
  return
}

// -----

// The assembly has all of them or none.
func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) {
  // expected-error@+1 {{must have a descale for each of its operands, or none}}
  %dq, %dk, %dv = "attn.backward"(%q, %k, %v, %o, %lse, %do, %s, %s) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1>}> : (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>, tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
  return
}
