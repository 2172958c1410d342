// Attention, backward, float8 e4m3, head dim 128, causal, with a descale for each batch
// and key head.
//
// do has the type e5m2. ds_amax is the largest |dS|, (batch, heads_kv): 448 / ds_amax is
// the ds_scale of the next step (delayed scaling).
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). lse is (batch,
// heads, seqlen_q).
func.func @backward_e4m3_d128_causal_descale(
    %q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>,
    %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E5M2>,
    %q_descale: tensor<?x?xf32>, %k_descale: tensor<?x?xf32>, %v_descale: tensor<?x?xf32>, %do_descale: tensor<?x?xf32>,
    %ds_scale: tensor<?x?xf32>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>) {
  %dq, %dk, %dv, %ds_amax = attn.backward %q, %k, %v, %o, %lse, %do
    descale(%q_descale, %k_descale, %v_descale, %do_descale) ds_scale(%ds_scale) causal
    : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>,
      tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E5M2>
      descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
      ds_scale(tensor<?x?xf32>)
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
  return %dq, %dk, %dv, %ds_amax : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?xf32>
}
