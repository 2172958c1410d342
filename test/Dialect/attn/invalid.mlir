// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @spec(%q: tensor<?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{operand #0 must be 4D tensor of bfloat16 type or 16-bit float or f8E4M3FN type values}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{operand #1 must be 4D tensor of bfloat16 type or 16-bit float or f8E4M3FN type values}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xbf16>) {
  // expected-error@+1 {{result #1 must be 3D tensor of 32-bit float values}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xbf16>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xbf16>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{elements of q are 'bf16', but those of k are 'f16'}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{elements of q are 'f16', but those of v are 'bf16'}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{elements of q are 'bf16', but those of o are 'f16'}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x?xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim (dimension 3) of q must be static}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x?xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim (dimension 3) of o must be static}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x60xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of q is 60; it must be a multiple of 8 from 8 to 256}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x60xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x264xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of v is 264; it must be a multiple of 8 from 8 to 256}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x264xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x0xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of k is 0; it must be a multiple of 8 from 8 to 256}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x0xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of q is 64, but that of k is 128}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{head dim of q is 64, but that of v is 128}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<2x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<3x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{batch of q is 2, but that of v is 3}}
  %o, %lse = attn.forward %q, %k, %v : tensor<2x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<3x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<2x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<4x?x?xf32>) {
  // expected-error@+1 {{batch of k is 2, but that of lse is 4}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<2x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<4x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<4x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x10x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x11xf32>) {
  // expected-error@+1 {{seqlen of q is 10, but that of lse is 11}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x10x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x11xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x11xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x10x?x64xbf16>, %v: tensor<?x11x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{seqlen of k is 10, but that of v is 11}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x10x?x64xbf16>, tensor<?x11x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x4x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x8x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{number of heads of q is 4, but that of o is 8}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x4x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x8x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x8x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x4x64xbf16>, %v: tensor<?x?x8x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{number of heads of k is 4, but that of v is 8}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x4x64xbf16>, tensor<?x?x8x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x6x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x4x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{the 6 query heads must be a multiple of the 4 key heads}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x6x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x4x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x4x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x2x?xf32>) {
  // expected-error@+1 {{the 2 query heads must be a multiple of the 4 key heads}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x4x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x2x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x2x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x0x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{needs at least one head}}
  %o, %lse = attn.forward %q, %k, %v : tensor<?x?x?x64xbf16>, tensor<?x?x0x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32, but is 0.0}}
  %o, %lse = attn.forward %q, %k, %v scale = 0.0 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32, but is -1.0}}
  %o, %lse = attn.forward %q, %k, %v scale = -1.0 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32}}
  %o, %lse = attn.forward %q, %k, %v scale = 0x7FF0000000000000 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32}}
  %o, %lse = attn.forward %q, %k, %v scale = 0x7FF8000000000000 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32}}
  %o, %lse = attn.forward %q, %k, %v scale = 1.0e-300 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{scale must be finite, greater than 0 and normal in f32}}
  %o, %lse = attn.forward %q, %k, %v scale = 3.0e38 : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
