// Attention, forward, on 8-bit floats (e4m3), head dim 128, with a result in
// bfloat16, from values as products of 8 bits take them.
//
// Values are (batch, heads, head dim, keys), each 16 keys in the order of
// tile.interleave, rounded up to a multiple of 16 with zeros. There is no other
// kernel in the package, and no workspace.
func.func @forward_e4m3_d128_columns(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x128x?xf8E4M3FN>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v values_interleaved
    : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x128x?xf8E4M3FN>
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
