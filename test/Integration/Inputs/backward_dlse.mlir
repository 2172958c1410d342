// Gradients of a loss that uses the logsumexp, too.
!t = tensor<?x?x?x64xbf16>
!l = tensor<?x?x?xf32>
func.func @backward_dlse(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t, %dlse: !l) -> (!t, !t, !t) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do, %dlse causal
    : !t, !t, !t, !t, !l, !t, !l -> !t, !t, !t
  return %dq, %dk, %dv : !t, !t, !t
}
