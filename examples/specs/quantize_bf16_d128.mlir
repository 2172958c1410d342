// Quantization of bfloat16 to 8-bit floats (e4m3), head dim 128: operands of
// attention on 8-bit floats. Each group of heads has a factor: for queries,
// groups are the key heads.
func.func @quantize_bf16_d128(%x: tensor<?x?x?x128xbf16>) -> (tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>) {
  %y, %descale = attn.quantize %x : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
  return %y, %descale : tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
}
