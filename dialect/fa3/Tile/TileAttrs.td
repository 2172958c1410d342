//===- TileAttrs.td - Attributes of the tile dialect -------*- tablegen -*-===//

#ifndef FA3_TILE_TILEATTRS_TD
#define FA3_TILE_TILEATTRS_TD

include "fa3/Tile/TileDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class TileAttr<string attrName, string attrMnemonic> : AttrDef<TileDialect, attrName> {
  let mnemonic = attrMnemonic;
}

def TileScheduleAttr : TileAttr<"Schedule", "schedule"> {
  let summary = "Every decision of how a kernel is executed";
  let description = [{
    The one place where execution decisions live. `fa3-select-schedule` chooses
    it; a user may write it by hand or override single fields.

    - `block_q`, `block_kv`: rows of the query tile and of the key/value tile,
      multiples of 16, at most 256. The scores' rows (queries, or keys with
      `transpose_s`) are a multiple of 64, and of 64 * `warpgroups` unless their
      columns are a multiple of 8 * `warpgroups`.
    - `warpgroups`: consumer warpgroups, 1 to 3; they divide the rows of every
      tile, or its columns where it has too few rows.
    - `stages`: buffers of every tile that is loaded inside a loop, 1 to 16.
    - `early_stages`: buffers of those that no product reads after the last but
      one of an iteration, whose loading the last product hides: as `stages` if
      0.
    - `overlap`: issue the next block's first product ahead of this block's
      second one (software pipelining, FlashAttention-3 section 3.2).
    - `specialize`: a producer warp moves data, consumer warpgroups compute.
    - `pingpong`: warpgroups take turns on the tensor cores (FlashAttention-3
      section 3.1).
    - `split_loops`: separate loops for blocks that need a mask and those that
      do not.
    - `late_waits`: a wait for a product stays behind what a loop computes while
      the product runs; otherwise ptxas decides.
    - `lazy_rescale`: keep the old row maximum while the scores have grown by no
      more than 2^lazy_rescale, 0 to 15; 0 rescales always. In 8 bits it is 8 at
      most: what is rounded is smaller by this factor. So it is with rows of dS
      whose factors are found while running, where it is 2 at most.
    - `chains`: independent dependence chains of a row reduction: 1, 2, 4 or 8.
    - `product_sums`: the second product also sums the rows of its first operand,
      by a row of ones below the other one; the operands must be of 8 bits.
    - `transpose_v`: up to this many keys, 8-bit values are transposed by warps of
      the kernel that needs them so; for more, and if 0 always, by a kernel in
      front of it. 2147483647 is for all.
    - `longest_first`: start the blocks with most work first.
    - `group_tiles`: with `longest_first`, do so for several heads at once, and
      not for one after the other; so the last CTAs to start have little work. A
      group of heads has at most this many blocks, or is one head; its size is a
      power of two that divides the number of heads. 0, for no groups, or a power
      of two, to 65536. Where CTAs compute piece after piece (`persistent`) there
      are no groups.
    - `persistent`: as many CTAs as run at once, each of which computes piece
      after piece: the loads of the next one run under the end of this one. With
      more than this many pieces along the grid's first dimension, and if 0
      always, a CTA for each piece: the hardware divides long pieces better.
      2147483647 is for all.
    - `transpose_s`: scores have keys as rows: K Q^T in place of Q K^T, so that
      P^T and dS^T can be first operands in registers.
    - `transpose_dkv`, `transpose_dq`: the gradients of keys and values, of
      queries, are computed with the head dim as rows.
    - `share_operands`: computed first operands of products go through shared
      memory even where registers could take them.
    - `separate_dq`: the gradient of queries has a kernel of its own, as that of
      a deterministic operation has: two products more, but nothing is added to
      memory.
    - `bulk_reduce`: tiles that are added to memory go through shared memory and
      a bulk copy; otherwise every thread adds its registers.
    - `store_first`: up to this many blocks of queries, of the tiles that are
      added to a place in memory the first one is stored: nobody has to clear the
      sums. For more blocks, and if 0 always, they are cleared: a CTA that comes
      to a place while another one stores there waits for it, and in long
      sequences many follow one. The package has kernels for both. 2147483647 is
      for all. It needs `specialize` and `bulk_reduce`.
    - `producer_registers`, `consumer_registers`: registers per thread after
      `setmaxnreg`, multiples of 8 in [24, 256]. All of them together must not
      exceed what the CTA starts with, or `setmaxnreg` would wait for ever.
  }];
  let parameters = (ins
    "int64_t":$block_q,
    "int64_t":$block_kv,
    DefaultValuedParameter<"int64_t", "2">:$warpgroups,
    DefaultValuedParameter<"int64_t", "2">:$stages,
    DefaultValuedParameter<"int64_t", "0">:$early_stages,
    DefaultValuedParameter<"bool", "true">:$overlap,
    DefaultValuedParameter<"bool", "true">:$specialize,
    DefaultValuedParameter<"bool", "true">:$pingpong,
    DefaultValuedParameter<"bool", "true">:$split_loops,
    DefaultValuedParameter<"bool", "false">:$late_waits,
    DefaultValuedParameter<"int64_t", "0">:$lazy_rescale,
    DefaultValuedParameter<"int64_t", "4">:$chains,
    DefaultValuedParameter<"bool", "false">:$product_sums,
    DefaultValuedParameter<"int64_t", "0">:$transpose_v,
    DefaultValuedParameter<"bool", "false">:$longest_first,
    DefaultValuedParameter<"int64_t", "0">:$group_tiles,
    DefaultValuedParameter<"int64_t", "0">:$persistent,
    DefaultValuedParameter<"bool", "false">:$transpose_s,
    DefaultValuedParameter<"bool", "false">:$transpose_dkv,
    DefaultValuedParameter<"bool", "false">:$transpose_dq,
    DefaultValuedParameter<"bool", "false">:$share_operands,
    DefaultValuedParameter<"bool", "false">:$separate_dq,
    DefaultValuedParameter<"bool", "true">:$bulk_reduce,
    DefaultValuedParameter<"int64_t", "0">:$store_first,
    DefaultValuedParameter<"int64_t", "24">:$producer_registers,
    DefaultValuedParameter<"int64_t", "240">:$consumer_registers);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The `transpose_v`, `persistent` and `store_first` that nothing exceeds.
    static constexpr int64_t kNoLimit = 2147483647;
    /// Registers per thread that each of `warpgroups` gets at launch: an equal
    /// share of the multiprocessor's, rounded down to the allocation granularity.
    static int64_t getLaunchRegisters(int64_t warpgroups);
  }];
}

def TileArgumentAttr : TileAttr<"Argument", "argument"> {
  let summary = "What a kernel argument is to the caller";
  let description = [{
    `name` is the tensor's name in the package, `role` is "input", "output" or
    "workspace" (scratch memory that kernels of a package share), and `dims`
    names each dimension; a dynamic dimension's name is a symbol that every
    tensor of the package shares, e.g. "seqlen_q". A dimension of a workspace
    tensor may also be an expression as in a package's manifest: an integer, a
    symbol, or {op, args = [., .]}.

    ```mlir
    #tile.argument<"q", "input", ["batch", "seqlen_q", "heads_q", "head_dim"]>
    #tile.argument<"rows", "workspace", ["batch", {op = "ceildiv", args = ["seqlen_q", 64]}, "row"]>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"tensor name">:$name,
    StringRefParameter<"input, output or workspace">:$role,
    ArrayRefParameter<"::mlir::Attribute", "a name for each dimension">:$dims);
  let assemblyFormat = "`<` $name `,` $role `,` `[` $dims `]` `>`";
  let genVerifyDecl = 1;
}

def TileReduceKind : I32EnumAttr<"ReduceKind", "how tile.reduce combines", [
    I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"maxnum", 1>]> {
  let cppNamespace = "::fa3::tile";
  let genSpecializedAttr = 0;
}
def TileReduceKindAttr : EnumAttr<TileDialect, TileReduceKind, "reduce_kind"> {
  let assemblyFormat = "$value";
}

#endif // FA3_TILE_TILEATTRS_TD
