// Attention, backward, bfloat16, head dim 64.
//
// o and lse are the results of the forward pass, do is the gradient of o. dq, dk
// and dv are those of q, k and v; where several query heads share a key head, its
// gradient is the sum over them. The backward pass of a loss that uses lse takes
// the gradient of lse as another operand.
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). lse is (batch,
// heads, seqlen_q).
func.func @backward_bf16_d64(
    %q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
    %o: tensor<?x?x?x64xbf16>, %lse: tensor<?x?x?xf32>, %do: tensor<?x?x?x64xbf16>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) {
  %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do
    : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
      tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16>
      -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
  return %dq, %dk, %dv : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
}
