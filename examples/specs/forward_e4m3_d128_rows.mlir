// Attention, forward, on 8-bit floats (e4m3), head dim 128, with a result in
// bfloat16 and a factor for each row of the queries, (batch, heads_q, seqlen_q),
// and of the keys, (batch, heads_kv, seqlen_k); values have one for each batch and
// key head, (batch, heads_kv). Strides of the keys' factors are multiples of 16
// bytes.
func.func @forward_e4m3_d128_rows(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>,
    %q_descale: tensor<?x?x?xf32>, %k_descale: tensor<?x?x?xf32>, %v_descale: tensor<?x?xf32>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v descale(%q_descale, %k_descale, %v_descale)
    : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>
      descale(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>)
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
