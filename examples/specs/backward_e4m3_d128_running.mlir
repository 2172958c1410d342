// Attention, backward, float8 e4m3, head dim 128, factors of dS found while running.
//
// Without ds_scale each row of dS, the gradient of the scores, is rounded to e4m3 with
// a power of two of its own, which follows the row's largest element: nothing has to be
// known from the step before. Rows are queries where dq is computed and keys where dk
// is, so that these are two kernels.
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). lse is (batch,
// heads, seqlen_q).
func.func @backward_e4m3_d128_running(
    %q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>,
    %o: tensor<?x?x?x128xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x128xf8E4M3FN>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>,
      tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x128xf8E4M3FN>
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>
}
