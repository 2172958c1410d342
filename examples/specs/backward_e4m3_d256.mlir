// Attention, backward, float8 e4m3, head dim 256.
//
// o, in 16 bits, and lse are the results of the forward pass, do is the gradient of o.
// dS, the gradient of the scores, is rounded to e4m3 with the factor ds_scale, (batch,
// heads_kv). The gradients have 16 bits.
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). lse is (batch,
// heads, seqlen_q).
func.func @backward_e4m3_d256(
    %q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>,
    %o: tensor<?x?x?x256xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x256xf8E4M3FN>,
    %ds_scale: tensor<?x?xf32>)
    -> (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do ds_scale(%ds_scale)
    : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>,
      tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x256xf8E4M3FN>
      ds_scale(tensor<?x?xf32>)
      -> tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
}
