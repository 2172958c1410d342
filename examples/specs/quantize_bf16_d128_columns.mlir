// Quantization of bfloat16 to 8-bit floats (e4m3), head dim 128, for values, as
// the tensor cores take them: (batch, heads, head dim, keys), each 16 keys in the
// order of tile.interleave, with zeros behind the last one.
func.func @quantize_bf16_d128_columns(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x128x?xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %descale = attn.quantize %x interleaved : tensor<?x?x?x128xbf16> -> tensor<?x?x128x?xf8E4M3FN>, tensor<?x?xf32>
  return %y, %descale : tensor<?x?x128x?xf8E4M3FN>, tensor<?x?xf32>
}
