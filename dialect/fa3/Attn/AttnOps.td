//===- AttnOps.td - Operations of the attn dialect ---------*- tablegen -*-===//

#ifndef FA3_ATTN_ATTNOPS_TD
#define FA3_ATTN_ATTNOPS_TD

include "fa3/Attn/AttnDialect.td"
include "fa3/Tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class AttnOp<string mnemonic, list<Trait> traits = []> : Op<AttnDialect, mnemonic, traits>;

// Query, key, value or output: (batch, seqlen, heads, head dim).
def AttnTensor : 4DTensorOf<[BF16, F16]>;
// A statistic per query: (batch, heads, seqlen).
def AttnRowTensor : 3DTensorOf<[F32]>;

def Attn_ForwardOp : AttnOp<"forward", [Pure]> {
  let summary = "Scaled dot-product attention";
  let description = [{
    For every batch and query head computes `o = softmax(scale * q k^T) v` and
    `lse`, the natural logarithm of the sum of exponentials of each row.

    - `q` and `o` are (batch, seqlen_q, heads_q, head dim), `k` and `v` (batch,
      seqlen_k, heads_kv, head dim), `lse` (batch, heads_q, seqlen_q). All but
      the head dim may be dynamic; equal sizes are either equal or dynamic.
    - `heads_kv` divides `heads_q`: query head h uses key head h /
      (heads_q / heads_kv), which covers GQA and MQA.
    - `causal`: query i sees keys j <= i + seqlen_k - seqlen_q, that is, the
      diagonal ends in the bottom right corner.
    - `scale` defaults to 1/sqrt(head dim).
    - A row that sees no key gives o = 0 and lse = -inf.
    - `schedule` fixes how the kernel runs; without it `fa3-select-schedule`
      chooses.

    ```mlir
    %o, %lse = attn.forward %q, %k, %v causal scale = 0.125
      : tensor<?x?x16x64xbf16>, tensor<?x?x8x64xbf16>, tensor<?x?x8x64xbf16>
        -> tensor<?x?x16x64xbf16>, tensor<?x16x?xf32>
    ```
  }];
  let arguments = (ins AttnTensor:$q, AttnTensor:$k, AttnTensor:$v, UnitAttr:$causal,
                       OptionalAttr<F64Attr>:$scale, OptionalAttr<TileScheduleAttr>:$schedule);
  let results = (outs AttnTensor:$o, AttnRowTensor:$lse);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`causal` $causal^)? (`scale` `=` $scale^)? attr-dict
    `:` type($q) `,` type($k) `,` type($v) `->` type($o) `,` type($lse)
  }];
  let extraClassDeclaration = [{
    /// Size of the contraction, which is static.
    int64_t getHeadDim();
    /// The scale, or its default.
    double getScaleOrDefault();
  }];
  let hasVerifier = 1;
}

#endif // FA3_ATTN_ATTNOPS_TD
