// RUN: fa3-opt %s --fa3-attn-to-tile --split-input-file --verify-diagnostics

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @no_schedule(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{has no schedule; run fa3-select-schedule before this pass}}
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @something_else(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{a spec must contain nothing but one attn operation}}
  %c = arith.constant 0 : index
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @two(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  // expected-error@+1 {{a spec must contain nothing but one attn operation}}
  %o1, %lse1 = attn.forward %o, %k, %v : !t, !t, !t -> !t, !l
  return %o1, %lse1 : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
// expected-error@+1 {{a spec must have 3 arguments, the operands of its attn operation, not 4}}
func.func @unused_argument(%q: !t, %k: !t, %v: !t, %x: f32) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @same_argument(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  // expected-error@+1 {{operands must be different arguments of the spec's function}}
  %o, %lse = attn.forward %q, %k, %k : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @one_result(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  // expected-error@+1 {{a spec must return all results of its attn operation, in order}}
  return %o : !t
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @argument_returned(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  // expected-error@+1 {{a spec must return all results of its attn operation, in order}}
  return %q, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
// expected-error@+1 {{a spec must have a single block}}
func.func @blocks(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  cf.br ^next
^next:
  %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @nested(%q: !t, %k: !t, %v: !t, %c: i1) {
  // expected-error@+1 {{a spec must contain nothing but one attn operation}}
  scf.if %c {
    %o, %lse = attn.forward %q, %k, %v : !t, !t, !t -> !t, !l
  }
  return
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @no_schedule_backward(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
  // expected-error@+1 {{has no schedule; run fa3-select-schedule before this pass}}
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do : !t, !t, !t, !t, !l, !t -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}

// -----

!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
// expected-error@+1 {{a spec must have 7 arguments, the operands of its attn operation, not 8}}
func.func @unused_argument_backward(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t, %dlse: !l, %x: f32) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do, %dlse : !t, !t, !t, !t, !l, !t, !l -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
