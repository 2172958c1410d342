// Attention, forward, on 8-bit floats (e4m3), head dim 256, with a result in bfloat16.
//
// Queries, keys and values are what they are: there are no scales. Tensors and
// their sizes are those of the 16-bit specs. Products of 8 bits take values
// transposed, which a first kernel of the package does.
func.func @forward_e4m3_d256(%q: tensor<?x?x?x256xf8E4M3FN>, %k: tensor<?x?x?x256xf8E4M3FN>, %v: tensor<?x?x?x256xf8E4M3FN>)
    -> (tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v
    : tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>, tensor<?x?x?x256xf8E4M3FN>
      -> tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x256xbf16>, tensor<?x?x?xf32>
}
