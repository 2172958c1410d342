//===- AttnOps.td - Operations of the attn dialect ---------*- tablegen -*-===//

#ifndef FA3_ATTN_ATTNOPS_TD
#define FA3_ATTN_ATTNOPS_TD

include "fa3/Attn/AttnDialect.td"
include "fa3/Attn/AttnInterfaces.td"
include "fa3/Tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class AttnOp<string mnemonic, list<Trait> traits = []> : Op<AttnDialect, mnemonic, traits> {
  let extraClassDeclaration = [{
    ::llvm::SmallVector<SpecTensor> getTensors();
  }];
  let hasVerifier = 1;
}

// Query, key, value or output: (batch, seqlen, heads, head dim).
def AttnTensor : 4DTensorOf<[BF16, F16]>;
// Query, key or value, possibly in 8 bits.
def AttnOperand : 4DTensorOf<[BF16, F16, F8E4M3FN]>;
// Gradient of the output, possibly in 8 bits.
def AttnGradient : 4DTensorOf<[BF16, F16, F8E4M3FN, F8E5M2]>;
// What quantization makes of such a tensor.
def AttnNarrowTensor : 4DTensorOf<[F8E4M3FN, F8E5M2]>;
// A factor for each batch and key head.
def AttnScaleTensor : 2DTensorOf<[F32]>;
// The same, or a factor for each row.
def AttnFactorTensor : AnyTypeOf<[AttnScaleTensor, 3DTensorOf<[F32]>]>;
// A statistic per query: (batch, heads, seqlen).
def AttnRowTensor : 3DTensorOf<[F32]>;

def Attn_ForwardOp : AttnOp<"forward", [Pure, AttrSizedOperandSegments, AttentionOpInterface]> {
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

    `q`, `k` and `v` have the same element type. Where it is f8E4M3FN, `o` is bf16
    or f16, and

    - `descale` gives factors, (batch, heads_kv), for q, k and v: what is meant is
      q * q_descale, and so on. They are positive. Without them they are 1.
      Those of q and of k may also be one for each row, (batch, heads_q,
      seqlen_q) and (batch, heads_kv, seqlen_k); TMA reads the latter, so that
      its strides are multiples of 16 bytes. Those of keys take a multiplication
      for each score.
    - the probabilities, between 0 and 1, are rounded to f8E4M3FN relative to
      the largest of their row: with a factor of 2^(8 - lazy_rescale).
    - `two_level`: the tensor cores add up products of 8-bit numbers with fewer
      bits than f32 has. With it they do so for a block of keys only; blocks are
      added in f32, so that the error does not grow with the number of keys.
    - with `values_interleaved`, `v` is (batch, heads_kv, head dim, keys), the
      operand as the tensor cores take it: each 16 keys in the order of
      `tile.interleave`, keys a multiple of 16 that is at least seqlen_k, and
      zeros behind key seqlen_k - 1. Otherwise a kernel of the same package
      writes that to the workspace first.

    ```mlir
    %o, %lse = attn.forward %q, %k, %v causal scale = 0.125
      : tensor<?x?x16x64xbf16>, tensor<?x?x8x64xbf16>, tensor<?x?x8x64xbf16>
        -> tensor<?x?x16x64xbf16>, tensor<?x16x?xf32>
    ```
  }];
  let arguments = (ins AttnOperand:$q, AttnOperand:$k, AttnOperand:$v,
                       Optional<AttnFactorTensor>:$q_descale, Optional<AttnFactorTensor>:$k_descale,
                       Optional<AttnScaleTensor>:$v_descale, UnitAttr:$causal, UnitAttr:$two_level,
                       UnitAttr:$values_interleaved,
                       OptionalAttr<F64Attr>:$scale, OptionalAttr<TileScheduleAttr>:$schedule);
  let results = (outs AttnTensor:$o, AttnRowTensor:$lse);
  let extraClassDeclaration = [{
    ::llvm::SmallVector<SpecTensor> getTensors();
    /// Whether queries, whether keys have a factor for each row.
    bool hasQueryFactors();
    bool hasKeyFactors();
  }];
  let assemblyFormat = [{
    $q `,` $k `,` $v (`descale` `(` $q_descale^ `,` $k_descale `,` $v_descale `)`)? (`causal` $causal^)?
    (`two_level` $two_level^)? (`values_interleaved` $values_interleaved^)? (`scale` `=` $scale^)? attr-dict
    `:` type($q) `,` type($k) `,` type($v)
    (`descale` `(` type($q_descale)^ `,` type($k_descale) `,` type($v_descale) `)`)?
    `->` type($o) `,` type($lse)
  }];
}

def Attn_BackwardOp : AttnOp<"backward", [Pure, AttrSizedOperandSegments, AttentionOpInterface]> {
  let summary = "Gradients of scaled dot-product attention";
  let description = [{
    For a loss whose gradients by the results of `attn.forward` are `do` and
    `dlse`, computes its gradients `dq`, `dk` and `dv` by that operation's
    operands. With S = scale * q k^T and P = exp(S - lse), recomputed from the
    forward pass's `lse`:

        dv = P^T do
        dS = P * (do v^T - rowsum(o * do) + dlse)
        dq = scale * dS k
        dk = scale * dS^T q

    - `q`, `o`, `do` and `dq` are (batch, seqlen_q, heads_q, head dim), `k`, `v`,
      `dk` and `dv` (batch, seqlen_k, heads_kv, head dim), `lse` and `dlse`
      (batch, heads_q, seqlen_q).
    - `dlse` may be absent; it is then 0, as for a loss that uses `o` only.
    - `causal`, `scale`, grouped heads and dynamic sizes: as in `attn.forward`.
      A key head's gradient is the sum over its group of query heads.
    - A row that sees no key has lse = -inf; it gives dq = 0 and adds nothing to
      dk and dv.
    - `deterministic`: the same operands give the same bits. Without it the sum
      that is dq may be in a different order each time.
    - `schedule` fixes how the kernels run; without it `fa3-select-schedule`
      chooses.

    `q`, `k` and `v` have the same element type. Where it is f8E4M3FN, `do` is
    f8E4M3FN or f8E5M2, everything else bf16 or f16, and

    - `descale` gives factors, (batch, heads_kv), for q, k, v and do: what is
      meant is q * q_descale, and so on. They are positive. Without them they
      are 1.
    - P, between 0 and 1, is rounded to f8E4M3FN with a factor of 2^8.
    - dS is rounded to f8E4M3FN with the factor `ds_scale`, (batch, heads_kv),
      positive: dS * ds_scale should come close to 448, and what is beyond
      becomes 448. A step of training uses the largest |dS| of the one before,
      `ds_amax` (delayed scaling).
    - without `ds_scale`, each row of dS has a factor of its own, a power of two
      that is found while running (current scaling): it shrinks when the row's largest |dS| so far
      grows, and the sums that the row goes into with it. Rows are queries where
      dq is computed, keys where dk is, so that these are two kernels; the head
      dim is 128 at most.
    - with `ds_precision`, the type of dq, dS stays in it, as do the two
      products that it feeds; there is no `ds_scale` then, and no factor.
    - `ds_amax`, (batch, heads_kv), which may be asked for, is the largest |dS|.

    `fa3-derive-backward` writes this operation from an `attn.forward`.

    ```mlir
    %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
      : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xbf16>
        -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>

    %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do descale(%qd, %kd, %vd, %dod) ds_scale(%s)
      : tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E4M3FN>,
        tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>, tensor<?x?x?x64xf8E5M2>
        descale(tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) ds_scale(tensor<?x?xf32>)
        -> tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
    ```
  }];
  let arguments = (ins AttnOperand:$q, AttnOperand:$k, AttnOperand:$v, AttnTensor:$o, AttnRowTensor:$lse,
                       AttnGradient:$d_o, Optional<AttnRowTensor>:$dlse, Optional<AttnScaleTensor>:$q_descale,
                       Optional<AttnScaleTensor>:$k_descale, Optional<AttnScaleTensor>:$v_descale,
                       Optional<AttnScaleTensor>:$do_descale, Optional<AttnScaleTensor>:$ds_scale,
                       UnitAttr:$causal, UnitAttr:$deterministic, OptionalAttr<TypeAttr>:$ds_precision,
                       OptionalAttr<F64Attr>:$scale, OptionalAttr<TileScheduleAttr>:$schedule);
  let results = (outs AttnTensor:$dq, AttnTensor:$dk, AttnTensor:$dv, Optional<AttnScaleTensor>:$ds_amax);
  let assemblyFormat = [{
    $q `,` $k `,` $v `,` $o `,` $lse `,` $d_o (`,` $dlse^)?
    (`descale` `(` $q_descale^ `,` $k_descale `,` $v_descale `,` $do_descale `)`)? (`ds_scale` `(` $ds_scale^ `)`)?
    (`causal` $causal^)? (`deterministic` $deterministic^)? (`ds_precision` `=` $ds_precision^)?
    (`scale` `=` $scale^)? attr-dict
    `:` type($q) `,` type($k) `,` type($v) `,` type($o) `,` type($lse) `,` type($d_o) (`,` type($dlse)^)?
    (`descale` `(` type($q_descale)^ `,` type($k_descale) `,` type($v_descale) `,` type($do_descale) `)`)?
    (`ds_scale` `(` type($ds_scale)^ `)`)?
    `->` type($dq) `,` type($dk) `,` type($dv) (`,` type($ds_amax)^)?
  }];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<SpecTensor> getTensors();
    /// Whether q, k, v and do have 8 bits.
    bool isNarrow();
    /// Whether dq is summed up in the workspace, and has no kernel of its own.
    bool sumsDq(::fa3::tile::ScheduleAttr schedule) {
      return !getDeterministic() && !schedule.getSeparateDq();
    }
    /// Whether dS is rounded to 8 bits, too.
    bool hasNarrowDs() { return isNarrow() && !getDsPrecision(); }
    /// Whether dS has a factor for each row, which is found while running.
    bool hasRunningDsScale() { return hasNarrowDs() && !getDsScale(); }
  }];
}

def Attn_QuantizeOp : AttnOp<"quantize", [Pure, SpecOpInterface]> {
  let summary = "Rounds to 8-bit floats, relative to the largest element";
  let description = [{
    Makes operands of an `attn.forward` on 8-bit elements: `y` and the factors
    `descale` such that y * descale is about x.

        descale = max |x| / M
        y = x / descale, rounded to nearest even

    - `x` is (batch, seqlen, heads, head dim), `descale` (batch, groups), `y` as
      `x`. `groups` divides `heads`; the elements of heads / groups consecutive
      heads have one factor. For queries, groups are the key heads.
    - Or `descale` is (batch, heads, seqlen), and each row has a factor of its
      own, from its own maximum: one kernel, which reads x once. Of an
      `interleaved` `y` rows have no factors.
    - M is the largest finite number of `y`'s type, 448 or 57344. `descale` is 1
      where all elements are 0.
    - The maximum ignores NaN, which stays NaN in `y`. Where an element is
      infinite, so is `descale`: the group's elements are then 0 in `y`, or NaN
      for what is infinite, and their products with `descale` NaN.
    - The head dim is a multiple of 16.
    - `interleaved`: `y` is (batch, heads, head dim, keys), which `attn.forward`
      takes for values with `values_interleaved`: each 16 keys in the order of
      `tile.interleave`, keys a multiple of 16 that is at least seqlen, and
      zeros behind key seqlen - 1.
    - `rotate`: what is quantized is not x but its product with an orthonormal
      matrix: head dims are cut into blocks of n, the largest power of two that
      divides them, and each is multiplied by a Hadamard matrix, whose element
      (i, j) is (-1)^popcount(i & j) / sqrt(n). Of queries and keys that are both
      rotated the scores stay what they are, while outliers are spread over n
      elements, so that they cost less precision (incoherent processing,
      FlashAttention-3 section 3.3).

    ```mlir
    %y, %descale = attn.quantize %x rotate
      : tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xf8E4M3FN>, tensor<?x?xf32>
    ```
  }];
  let arguments = (ins AttnTensor:$x, UnitAttr:$rotate, UnitAttr:$interleaved);
  let results = (outs AttnNarrowTensor:$y, AttnFactorTensor:$descale);
  let extraClassDeclaration = [{
    ::llvm::SmallVector<SpecTensor> getTensors();
    /// Whether each row has a factor.
    bool hasRowFactors();
  }];
  let assemblyFormat = [{
    $x (`rotate` $rotate^)? (`interleaved` $interleaved^)? attr-dict
    `:` type($x) `->` type($y) `,` type($descale)
  }];
}

#endif // FA3_ATTN_ATTNOPS_TD
