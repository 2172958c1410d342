// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{descale, two_level and values_interleaved are for 8-bit elements, not 'bf16'}}
  %o, %lse = attn.forward %q, %k, %v descale(%s, %s, %s) : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{descale, two_level and values_interleaved are for 8-bit elements, not 'f16'}}
  %o, %lse = attn.forward %q, %k, %v two_level : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf16>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{elements of q are 'f8E4M3FN', but those of v are 'f16'}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E5M2>, %k: tensor<?x?x?x64xf8E5M2>, %v: tensor<?x?x?x64xf8E5M2>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{operand #0 must be 4D tensor of bfloat16 type or 16-bit float or f8E4M3FN type values}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xf8E5M2>, tensor<?x?x?x64xf8E5M2>, tensor<?x?x?x64xf8E5M2> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x96x?xf8E4M3FN>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of q is 64, but that of v is 96}}
  %o, %lse = attn.forward %q, %k, %v values_interleaved : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x96x?xf8E4M3FN> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x64x100xf8E4M3FN>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{keys of v are 100; interleaved, they must be a multiple of 16 that is not less than those of k}}
  %o, %lse = attn.forward %q, %k, %v values_interleaved : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x64x100xf8E4M3FN> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x2x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x3xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{number of heads of k is 2, but that of q_descale is 3}}
  %o, %lse = attn.forward %q, %k, %v descale(%s, %s, %s) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x2x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %a: tensor<?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{operand #3 must be 2D tensor of 32-bit float values or 3D tensor of 32-bit float values}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>, %c: tensor<?x?x?xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{operand #5 must be 2D tensor of 32-bit float values}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x4x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %a: tensor<?x2x?xf32>, %b: tensor<?x?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{number of heads of q is 4, but that of q_descale is 2}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : tensor<?x?x4x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x2x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x100x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %a: tensor<?x?x101xf32>, %b: tensor<?x?x?xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{seqlen of q is 100, but that of q_descale is 101}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : tensor<?x100x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x?x101xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x100x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %a: tensor<?x?x?xf32>, %b: tensor<?x?x101xf32>, %c: tensor<?x?xf32>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{seqlen of k is 100, but that of k_descale is 101}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : tensor<?x?x?x64xf8E4M3FN>, tensor<?x100x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN> descale(tensor<?x?x?xf32>, tensor<?x?x101xf32>, tensor<?x?xf32>) -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

// The assembly has all of them or none.
func.func @spec(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>, %s: tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{must have a descale for each of its operands, or none}}
  %o, %lse = "attn.forward"(%q, %k, %v, %s) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0>}> : (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>)
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
