// RUN: fa3-opt %s --fa3-derive-backward --split-input-file --verify-diagnostics

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
// expected-error@+1 {{its backward pass would be called @backward, but there is a function of that name}}
func.func @forward(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}
func.func @backward(%x: f32) -> f32 {
  return %x : f32
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @not_a_spec(%q: !t, %k: !t, %v: !t) -> !l {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  // expected-error@+1 {{a spec must return all results of its attn operation, in order}}
  return %lse : !l
}

// -----

!t = tensor<?x?x?x64xf8E4M3FN>
!o = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @columns(%q: !t, %k: !t, %v: tensor<?x?x64x?xf8E4M3FN>) -> (!o, !l) {
  // expected-error@+1 {{attn.backward takes values as rows: the gradients of a forward pass with values_interleaved cannot be derived}}
  %o, %lse = attn.forward %q, %k, %v values_interleaved : !t, !t, tensor<?x?x64x?xf8E4M3FN> -> !o, !l
  return %o, %lse : !o, !l
}

// -----

!t = tensor<?x?x?x64xf8E4M3FN>
!o = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @rows(%q: !t, %k: !t, %v: !t, %a: !l, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> (!o, !l) {
  // expected-error@+1 {{attn.backward takes a factor for each head: the gradients of a forward pass with factors of rows cannot be derived}}
  %o, %lse = attn.forward %q, %k, %v descale(%a, %b, %c) : !t, !t, !t descale(!l, tensor<?x?xf32>, tensor<?x?xf32>) -> !o, !l
  return %o, %lse : !o, !l
}
