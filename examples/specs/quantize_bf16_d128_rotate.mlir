// Quantization of bfloat16 to 8-bit floats (e4m3), head dim 128, rotated by a
// Hadamard matrix: for queries and keys, whose scores stay what they are while
// outliers cost less precision.
func.func @quantize_bf16_d128_rotate(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %descale = attn.quantize %x rotate : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %descale : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}
