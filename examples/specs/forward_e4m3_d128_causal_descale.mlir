// Causal attention, forward, on 8-bit floats (e4m3), head dim 128, with a result in
// bfloat16.
//
// What is meant is q * q_descale, k * k_descale and v * v_descale, each factor one
// for a batch and key head, (batch, heads_kv). Blocks of keys are added in f32
// (two_level), so that the error does not grow with their number: the tensor cores
// add products of 8-bit floats with fewer bits.
func.func @forward_e4m3_d128_causal_descale(%q: tensor<?x?x?x128xf8E4M3FN>, %k: tensor<?x?x?x128xf8E4M3FN>, %v: tensor<?x?x?x128xf8E4M3FN>, %q_descale: tensor<?x?xf32>,
    %k_descale: tensor<?x?xf32>, %v_descale: tensor<?x?xf32>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.forward %q, %k, %v descale(%q_descale, %k_descale, %v_descale) causal two_level
    : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?x128xf8E4M3FN>
      descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
      -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
}
