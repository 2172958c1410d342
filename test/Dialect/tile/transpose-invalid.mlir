// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: vector<32x64xbf16>) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x64xbf16>'}}
  %t = tile.transpose %x : vector<32x64xbf16> -> vector<64x32xbf16>
  return
}

// -----

func.func @f(%x: vector<48x64xf8E4M3FN>) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<48x64xf8E4M3FN>'}}
  %t = tile.transpose %x : vector<48x64xf8E4M3FN> -> vector<64x48xf8E4M3FN>
  return
}

// -----

func.func @f(%x: vector<32x80xf8E4M3FN>) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x80xf8E4M3FN>'}}
  %t = tile.transpose %x : vector<32x80xf8E4M3FN> -> vector<80x32xf8E4M3FN>
  return
}

// -----

func.func @f(%x: vector<32x64xf8E4M3FN>) {
  // expected-error@+1 {{result must be 'vector<64x32xf8E4M3FN>', not 'vector<32x64xf8E4M3FN>'}}
  %t = tile.transpose %x : vector<32x64xf8E4M3FN> -> vector<32x64xf8E4M3FN>
  return
}

// -----

func.func @f(%x: vector<32x64xf8E4M3FN>) {
  // expected-error@+1 {{result must be 'vector<64x32xf8E4M3FN>', not 'vector<64x32xf8E5M2>'}}
  %t = tile.transpose %x : vector<32x64xf8E4M3FN> -> vector<64x32xf8E5M2>
  return
}

// -----

func.func @f(%x: vector<32x64xf8E4M3FN>) {
  // expected-error@+1 {{result must be 'vector<64x32xf8E4M3FN>', not 'vector<72x32xf8E4M3FN>'}}
  %t = tile.transpose %x : vector<32x64xf8E4M3FN> -> vector<72x32xf8E4M3FN>
  return
}

// -----

func.func @f(%x: vector<32x64xf8E4M3FN>) {
  // expected-error@+1 {{result must be 'vector<72x32xf8E4M3FN>', not 'vector<64x32xf8E4M3FN>'}}
  %t = tile.transpose %x ones : vector<32x64xf8E4M3FN> -> vector<64x32xf8E4M3FN>
  return
}

// -----

// A condition is a name or an expression, with an operation that there is, of
// two operands that are ones, too.

// expected-error@+1 {{launch_if must be an expression of sizes, not true}}
tile.kernel @k() attributes {launch_if = true} {
  tile.return
}

// -----

// expected-error@+1 {{launch_if must be an expression of sizes, not ""}}
tile.kernel @k() attributes {launch_if = ""} {
  tile.return
}

// -----

// expected-error@+1 {{launch_if must be an expression of sizes, not {args = ["seqlen_k", 4096], op = "greater"}}}
tile.kernel @k() attributes {launch_if = {args = ["seqlen_k", 4096], op = "greater"}} {
  tile.return
}

// -----

// expected-error@+1 {{launch_if must be an expression of sizes, not {args = ["seqlen_k"], op = "sub"}}}
tile.kernel @k() attributes {launch_if = {args = ["seqlen_k"], op = "sub"}} {
  tile.return
}

// -----

// expected-error@+1 {{launch_if must be an expression of sizes, not {args = ["seqlen_k", 1.000000e+00 : f32], op = "sub"}}}
tile.kernel @k() attributes {launch_if = {args = ["seqlen_k", 1.0 : f32], op = "sub"}} {
  tile.return
}
