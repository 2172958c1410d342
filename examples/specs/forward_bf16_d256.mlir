// Attention, forward, bfloat16, head dim 256.
//
// Every query sees every key.
//
// Tensors are (batch, seqlen, heads, head dim); batch, lengths and numbers of
// heads are run-time values, strides too (but the last, which is 1). Fewer key
// heads than query heads mean grouped or multi-query attention. lse, (batch,
// heads, seqlen_q), is the natural logarithm of each row's sum of exponentials,
// as a backward pass needs it. The scale is 1/sqrt(256) because none is given.
func.func @forward_bf16_d256(%q: tensor<?x?x?x256xbf16>, %k: tensor<?x?x?x256xbf16>, %v: tensor<?x?x?x256xbf16>)
    -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v
    : tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>
      -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}
