//===- Passes.td - Passes of the conversion library ---------*- tablegen -*-===//

#ifndef FA3_CONVERSION_PASSES_TD
#define FA3_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AttnToTilePass : Pass<"fa3-attn-to-tile", "::mlir::ModuleOp"> {
  let summary = "Writes the tile programs of a spec";
  let description = [{
    Replaces every spec (a function whose body is one `attn` operation) by the
    `tile.kernel`s that compute it, and names the module after the first spec.
    Arguments are tensors in global memory, called like the operation's operands
    and results, with any strides but the last, which is 1, and scratch tensors
    that kernels pass on to each other. Tiles of queries, keys and values have
    as many columns as the head dim, rounded up to a multiple of 64; the rest
    reads as 0 and is not written.

    The forward program is FlashAttention's (Dao et al., FlashAttention-2,
    algorithm 1, and FlashAttention-3): for `block_q` queries it visits blocks
    of `block_kv` keys from right to left and carries the row maximum, the row
    sums and the unnormalised output. Every block is masked;
    `fa3-mask-analysis` finds out which ones need it. A row that sees no key
    gives 0 and a logsumexp of -inf.

    In 8 bits values are columns. Up to the schedule's `transpose_v` keys the
    kernel transposes the rows that it loads; for more, `NAME_values` does so in
    front of it, to the workspace. Where the number of keys is dynamic there are
    both, each with a `launch_if`; the former is `NAME_short` then.

    A backward pass is three kernels, launched one after another:

    - `NAME_preprocess` writes, for each query, `neg_lse` = -lse * log2(e) and
      `neg_sum` = dlse - rowsum(o * do), and clears `dq_acc`, the sums of dq.
    - `NAME_main` owns `block_kv` keys. It visits the query heads of the key
      head's group and their blocks of `block_q` queries, computes P and dS
      again, sums dk and dv up, and adds the block's dq to `dq_acc`. The
      schedule's `transpose_s`, `transpose_dkv` and `transpose_dq` say which
      products are computed transposed.
    - `NAME_postprocess` scales and rounds `dq_acc` to dq.

    A deterministic backward pass has no `dq_acc`: in place of the last kernel,
    `NAME_dq` owns a block of queries and sums dq up over blocks of keys.

    A quantization is three kernels, too, with fixed schedules:

    - `NAME_maxima` deals out the blocks of 64 rows of each group's heads to 32
      CTAs, each of which writes the maxima of 64 rows to `row_maxima`.
    - `NAME_descale` computes the factor of a group from these.
    - `NAME` rounds the quotients of a block of 64 rows by that factor.

    The first and the last kernel of one that rotates multiply pieces of 64
    columns with a Hadamard matrix on the tensor cores, and combine pieces of
    larger blocks by additions.

    Precondition: specs of attention have a schedule (`fa3-select-schedule`).
    Postcondition:
    no `attn` operation is left.

    ```mlir
    func.func @attention(%q: tensor<?x?x?x64xbf16>, ...) -> (tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>) {
      %o, %lse = attn.forward %q, %k, %v {schedule = ...} : ...
      return %o, %lse : tensor<?x?x?x64xbf16>, tensor<?x?x?xf32>
    }
    // becomes
    tile.kernel @attention(%q: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>> {tile.argument = ...}, ...) {
      %i, %h, %b = tile.program_id(%blocks, %heads, %batch) : index, index, index
      %Q = tile.load %q[%b, %row0, %h, %c0] dims [1, 3] : ...
      %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %l0 = %zero8, %acc0 = %zero) {
        %K = tile.load %k[%b, %col0, %hk, %c0] dims [1, 3] : ...
        %S = tile.dot %Q, %K contract(1, 1) : ...
        %s = arith.select %visible, %S, %hidden : ...
        %x = tile.reduce maxnum %s dim 1 : ...
        %m = arith.maxnumf %m0, %x : ...
        %p = math.exp2 %exponent : ...
        %a = math.exp2 %change : ...
        ...
        %acc = tile.dot %P, %V, %scaled contract(1, 0) : ...
        scf.yield %m, %l, %acc
      }
      tile.store %O, %o[%b, %row0, %h, %c0] dims [1, 3] : ...
      tile.store %L, %lse[%b, %h, %row0] dims [2, -1] : ...
      tile.return
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::fa3::tile::TileDialect"];
}

def TileToHopperPass : Pass<"fa3-tile-to-hopper", "::fa3::tile::KernelOp"> {
  let summary = "Rings for the operands of products, wgmma for products";
  let description = [{
    A `tile.load` that feeds a product goes through a ring of shared-memory
    buffers: one ring for each tensor and tile, with the schedule's `stages` if
    a load of it is in a loop and one buffer otherwise; more buffers, or a ring
    of its own, for a tile that is used while others of its kind are loaded. A
    `tile.dot` becomes `hopper.wgmma` and a `hopper.wait` right behind it;
    buffers are released after their last use, in each arm of a conditional for
    itself. The program stays sequential.
    What is transposed (`tile.transpose`) behind its load has a second ring, of
    as many buffers, and `hopper.ring_transpose` from the one to the other.

    A computed operand that registers cannot hold, a second one or a first one
    that is contracted over its rows, is shared (`hopper.share`) in front of the
    first product that needs it; `share_operands` does the same with every
    computed operand. It is shared transposed, so that the products contract its
    other dimension. In a loop there are two buffers, if the schedule has as many
    `stages`. Shares in blocks that follow each other have one ring.

    A row or column of f32 that each iteration of a loop loads anew goes through
    a ring, too, if there is a producer to load it ahead (`specialize`) and TMA
    can copy it: along the last dimension of a kernel argument of rank 2 to 5, a
    multiple of 4 elements, at most 256. `hopper.buffer_load` reads it to
    registers. Other loads stay.

    With `bulk_reduce`, `tile.reduce_store` becomes `hopper.out_put` and
    `hopper.out_reduce` with one buffer for all tiles of a type.

    Tiles that no product reads after the last but one of an iteration have
    `early_stages` buffers, if the schedule says so; a row or column has as many
    as the tile in front of it.

    Precondition: products have shapes and types of wgmma and stand in `scf.for`
    and `scf.if` only; what they load, TMA can load: from a kernel argument,
    columns along its last dimension. Postcondition: no tile.dot remains.

    ```mlir
    %k = tile.load %K[...] ... : vector<128x64xbf16>
    %s = tile.dot %q, %k contract(1, 1) ...
    // becomes
    hopper.ring_put %ring, %K[...] ...
    %k = hopper.ring_get %ring ...
    %p = hopper.wgmma %q, %k contract(1, 1) ...
    %s = hopper.wait %p younger 0 ...
    hopper.ring_release %ring, %k ...

    %t = tile.dot %a, %p contract(1, 0) ... // p is computed
    // becomes
    %b = hopper.share %p, %shared ...
    %q = hopper.wgmma %a, %b contract(1, 1) ...
    %t = hopper.wait %q younger 0 ...
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect"];
}

def HopperToNVVMPass : Pass<"fa3-hopper-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lowers kernels from hopper's thread level to NVVM and inline PTX";
  let description = [{
    Moves every `tile.kernel` into one `gpu.module` as an `llvm.func`.

    A memref argument becomes a pointer to global memory, an i32 for each
    dynamic size and an i64 for each stride but the last; a tensor map becomes a
    pointer to a 128-byte parameter. The function's attributes say how the
    runtime computes each parameter (`hopper.parameters`) and the grid
    (`hopper.grid`). The index type becomes i32, since every size is below 2^31;
    addresses are computed in 64 bits. Coordinates of a tile are compared by
    their constant part, so that they need no registers.

    Precondition: bodies are at the thread level: `scf`, `memref.dim` and `arith`
    and `math` on scalars, `tile.program_id`, thread-level `hopper` operations;
    the kernel has `hopper.shared_memory`, and a schedule or `hopper.threads`.
    Postcondition: the module has one `gpu.module` of LLVM-dialect functions.

    ```mlir
    tile.kernel @k(%a: memref<?x64xf32, strided<[?, 1]>> {tile.argument = #tile.argument<"a", "input", ["n", "d"]>}) {
      hopper.cta_sync
      tile.return
    }
    // becomes
    gpu.module @k {
      llvm.func @k(%a: !llvm.ptr<1>, %n: i32, %s: i64) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 384>, ...} {
        nvvm.barrier0
        llvm.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::cf::ControlFlowDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

#endif // FA3_CONVERSION_PASSES_TD
