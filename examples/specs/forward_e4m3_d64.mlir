// Attention, forward, on 8-bit floats (e4m3), head dim 64, with a result in bfloat16.
//
// Queries, keys and values are what they are: there are no scales. Tensors and
// their sizes are those of the 16-bit specs. Products of 8 bits take values
// transposed, which the package does, in the kernel or, for many keys, in front of it.
func.func @forward_e4m3_d64(%q: tensor<?x?x?x64xf8E4M3FN>, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xf8E4M3FN>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v
    : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>
      -> tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
}
