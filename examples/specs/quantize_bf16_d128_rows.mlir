// Quantization of bfloat16 to 8-bit floats (e4m3), head dim 128, each row with a
// factor of its own, (batch, heads, seqlen), and rotated by a Hadamard matrix: for
// queries and keys.
func.func @quantize_bf16_d128_rows(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>) {
  %y, %descale = attn.quantize %x rotate : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>
  return %y, %descale : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?x?xf32>
}
