// Attention, backward, float8 e4m3, head dim 64, causal, with a descale for each batch
// and key head, factors of dS found while running.
//
// Without ds_scale each row of dS, the gradient of the scores, is rounded to e4m3 with
// a power of two of its own, which follows the row's largest element. do has the type
// e5m2. ds_amax is the largest |dS|, (batch, heads_kv): the ds_scale of a next step that
// is given one is 448 / ds_amax.
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). lse is (batch,
// heads, seqlen_q).
func.func @backward_e4m3_d64_causal_running(
    %q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>,
    %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xf8E5M2>,
    %q_descale: tensor<?x?xf32>, %k_descale: tensor<?x?xf32>, %v_descale: tensor<?x?xf32>, %do_descale: tensor<?x?xf32>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>) {
  %dq, %dk, %dv, %ds_amax = attn.backward %q, %k, %v, %o, %lse, %do
    descale(%q_descale, %k_descale, %v_descale, %do_descale) causal
    : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>,
      tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E5M2>
      descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
      -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %ds_amax : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?xf32>
}
