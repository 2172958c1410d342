// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @spec(%x: tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{operand #0 must be 4D tensor of bfloat16 type or 16-bit float values}}
  %y, %d = attn.quantize %x : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>, tensor<?x?xf32>) {
  // expected-error@+1 {{result #0 must be 4D tensor of f8E4M3FN type or f8E5M2 type values}}
  %y, %d = attn.quantize %x : tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x64xbf16>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?xf32>) {
  // expected-error@+1 {{result #1 must be 2D tensor of 32-bit float values or 3D tensor of 32-bit float values}}
  %y, %d = attn.quantize %x : tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x64x?xf8E4M3FN>, tensor<?x?x?xf32>) {
  // expected-error@+1 {{has no factors of rows for an interleaved tensor}}
  %y, %d = attn.quantize %x interleaved : tensor<?x?x?x64xbf16> -> tensor<?x?x64x?xf8E4M3FN>, tensor<?x?x?xf32>
  return %y, %d : tensor<?x?x64x?xf8E4M3FN>, tensor<?x?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x8x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x9xf32>) {
  // expected-error@+1 {{seqlen of x is 8, but that of descale is 9}}
  %y, %d = attn.quantize %x : tensor<?x8x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x9xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x9xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x?xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{head dim (dimension 3) of x must be static}}
  %y, %d = attn.quantize %x : tensor<?x?x?x?xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{head dim (dimension 2) of y must be static}}
  %y, %d = attn.quantize %x interleaved : tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x72xbf16>) -> (tensor<?x?x?x72xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{head dim of x is 72; it must be a multiple of 16 from 16 to 256}}
  %y, %d = attn.quantize %x : tensor<?x?x?x72xbf16> -> tensor<?x?x?x72xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x72xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{head dim of x is 64, but that of y is 128}}
  %y, %d = attn.quantize %x : tensor<?x?x?x64xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<2x?x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<3x?xf32>) {
  // expected-error@+1 {{batch of x is 2, but that of descale is 3}}
  %y, %d = attn.quantize %x : tensor<2x?x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<3x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<3x?xf32>
}

// -----

func.func @spec(%x: tensor<?x10x?x64xbf16>) -> (tensor<?x11x?x64xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{seqlen of x is 10, but that of y is 11}}
  %y, %d = attn.quantize %x : tensor<?x10x?x64xbf16> -> tensor<?x11x?x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x11x?x64xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x4x64xbf16>) -> (tensor<?x?x8x64xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{number of heads of x is 4, but that of y is 8}}
  %y, %d = attn.quantize %x : tensor<?x?x4x64xbf16> -> tensor<?x?x8x64xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x8x64xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x4x64xbf16>) -> (tensor<?x?x4x64xf8E4M3FN>, tensor<?x0xf32>) {
  // expected-error@+1 {{needs at least one head}}
  %y, %d = attn.quantize %x : tensor<?x?x4x64xbf16> -> tensor<?x?x4x64xf8E4M3FN>, tensor<?x0xf32>
  return %y, %d : tensor<?x?x4x64xf8E4M3FN>, tensor<?x0xf32>
}

// -----

func.func @spec(%x: tensor<?x?x6x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x4xf32>) {
  // expected-error@+1 {{the 6 heads must be a multiple of the 4 groups}}
  %y, %d = attn.quantize %x : tensor<?x?x6x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x4xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x4xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x64x100xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{keys of y are 100; interleaved, they must be a multiple of 16 that is not less than those of x}}
  %y, %d = attn.quantize %x interleaved : tensor<?x?x?x64xbf16> -> tensor<?x?x64x100xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x64x100xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x100x?x64xbf16>) -> (tensor<?x?x64x96xf8E4M3FN>, tensor<?x?xf32>) {
  // expected-error@+1 {{keys of y are 96; interleaved, they must be a multiple of 16 that is not less than those of x}}
  %y, %d = attn.quantize %x interleaved : tensor<?x100x?x64xbf16> -> tensor<?x?x64x96xf8E4M3FN>, tensor<?x?xf32>
  return %y, %d : tensor<?x?x64x96xf8E4M3FN>, tensor<?x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x4x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x2x?xf32>) {
  // expected-error@+1 {{number of heads of x is 4, but that of descale is 2}}
  %y, %d = attn.quantize %x : tensor<?x?x4x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x2x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x2x?xf32>
}

// -----

func.func @spec(%x: tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xf8E4M3FN>, tensor<?x0x?xf32>) {
  // expected-error@+1 {{needs at least one head}}
  %y, %d = attn.quantize %x : tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xf8E4M3FN>, tensor<?x0x?xf32>
  return %y, %d : tensor<?x?x?x64xf8E4M3FN>, tensor<?x0x?xf32>
}
