//===- Passes.td - Passes of the transforms library ----------*- tablegen -*-===//

#ifndef FA3_TRANSFORMS_PASSES_TD
#define FA3_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DeriveBackwardPass : Pass<"fa3-derive-backward", "::mlir::ModuleOp"> {
  let summary = "Makes a spec of the gradients out of one of attention";
  let description = [{
    Replaces the `attn.forward` of every spec by the `attn.backward` with the
    same mask, scale and tensor types. The function gets the forward pass's
    results and their gradients as further arguments, and a name in which
    "backward" takes the place of "forward" or, without that, is the suffix.
    A schedule is dropped, since it is one of the forward pass. Of 8-bit
    elements, the output's gradient has their type, and the function gets its
    descale, if the others have one, and `ds_scale`.

    `deterministic` asks for gradients that are the same bits every time, `dlse`
    for an argument with the gradient of the logsumexp, `running-ds-scale` for
    factors of dS that the kernels find while running, instead of `ds_scale`.

    Precondition: none. Postcondition: no `attn.forward` is left.

    ```mlir
    func.func @forward_bf16(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
      %o, %lse = attn.forward %q, %k, %v causal : !t, !t, !t -> !t, !l
      return %o, %lse : !t, !l
    }
    // becomes
    func.func @backward_bf16(%q: !t, %k: !t, %v: !t, %o: !t, %lse: !l, %do: !t) -> (!t, !t, !t) {
      %dq, %dk, %dv = attn.backward %q, %k, %v, %o, %lse, %do causal
        : !t, !t, !t, !t, !l, !t -> !t, !t, !t
      return %dq, %dk, %dv : !t, !t, !t
    }
    ```
  }];
  let options = [Option<"deterministic", "deterministic", "bool", "false",
                        "Gradients are the same bits every time">,
                 Option<"dlse", "dlse", "bool", "false",
                        "Take the gradient of the logsumexp">,
                 Option<"runningDsScale", "running-ds-scale", "bool", "false",
                        "Find the factors of 8-bit gradients of scores while "
                        "running">];
  let dependentDialects = ["::fa3::attn::AttnDialect"];
}

def SelectSchedulePass : Pass<"fa3-select-schedule", "::mlir::func::FuncOp"> {
  let summary = "Chooses how a kernel is executed";
  let description = [{
    Gives every attention operation its `#tile.schedule`. The schedule comes
    from a table, by head dim and mask; a head dim between two of the table's
    has the larger one's schedule. One that the spec already has is kept. The
    `override` option then changes single fields:
    `override=block_kv=128,pingpong=false`. If it changes the number of
    warpgroups and not the registers, the registers follow.

    The result must fit the machine: shared memory (the tiles that stay, `stages`
    of each that is loaded in the loop, computed operands of products, mbarriers)
    and registers (fragments of scores, results and operands). What it takes is
    reported as a remark; one that does not fit is an error. For `attn.backward`
    it is the schedule of the kernel that computes dk and dv; the smaller kernels
    derive theirs from it.

    Precondition: none. Postcondition: attention operations have a schedule.

    ```mlir
    %o, %lse = attn.forward %q, %k, %v causal : ...
    // becomes
    %o, %lse = attn.forward %q, %k, %v causal {schedule = #tile.schedule<block_q = 128, block_kv = 128,
      lazy_rescale = 8, longest_first = true>} : ...
    ```
  }];
  let options = [Option<"overrides", "override", "std::string", "\"\"",
                        "Fields to change: field=value,field=value">];
  let dependentDialects = ["::fa3::tile::TileDialect"];
}

def MaskAnalysisPass : Pass<"fa3-mask-analysis", "::fa3::tile::KernelOp"> {
  let summary = "Finds out where a mask does nothing";
  let description = [{
    An `arith.select` of tiles on a comparison of coordinates is a mask. Bounds
    of both sides of the comparison follow by interval arithmetic over `tile.iota`,
    broadcasts, sums, differences, products with constants, minima and maxima,
    as affine expressions of the loop's index; divisions by constants may be
    part of them. Where they prove that the mask hides nothing it is skipped:
    the select moves into an `scf.if`, or is dropped if that is so in all
    iterations. If all bounds cross in one direction, the condition compares the
    loop's index with a threshold that is computed in front of the loop, which
    is what `fa3-split-loops` needs; otherwise it is a disjunction of scalar
    comparisons. Coordinates are taken to fit in 32 bits.

    Masks of a loop that are applied on the same side of their thresholds share
    the outermost one, so that the loop has two parts and not four. A bound that
    the loop does not change moves the threshold to the loop's other end where it
    hides something: `%threshold = arith.select %hides, %ub, %t`.

    Blocks that are hidden entirely are not this pass's business: loop bounds
    leave them out.

    Precondition: none. Postcondition: same results; masks that are not
    understood stay, with a remark that says why.

    ```mlir
    scf.for %j = %c0 to %n step %c1 ... {
      %ok = arith.cmpi slt, %cols, %limit : vector<128x176xi32>   // falls with %j
      %s1 = arith.select %ok, %s, %hidden : vector<128x176xi1>, vector<128x176xf32>
    }
    // becomes
    %threshold = ...
    scf.for %j = %c0 to %n step %c1 ... {
      %mixed = arith.cmpi slt, %j, %threshold : index
      %s1 = scf.if %mixed -> (vector<128x176xf32>) {
        %ok = arith.cmpi slt, %cols, %limit : vector<128x176xi32>
        %x = arith.select %ok, %s, %hidden : vector<128x176xi1>, vector<128x176xf32>
        scf.yield %x : vector<128x176xf32>
      } else {
        scf.yield %s : vector<128x176xf32>
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def LazyRescalePass : Pass<"fa3-lazy-rescale", "::fa3::tile::KernelOp"> {
  let summary = "Rescales accumulators only when the row maximum has grown much";
  let description = [{
    An online softmax carries sums relative to the running row maximum m, and
    multiplies them by a = 2^((m0 - m1) * c) when the maximum goes from m0 to
    m1. Rows that are scaled by the exponent m of their largest element do the
    same, without c. The pass finds this recurrence by its uses, whatever the
    kernel: a carried value whose next value is `arith.maxnumf` of it, whose
    factor a multiplies every other value with these rows that the loop carries
    and that depends on m1. While
    (m1 - m0) * c is at most the schedule's `lazy_rescale` for all rows of a
    group, m0 stays the reference: a is then 1 and the products with tiles
    wider than 8 columns are skipped by a uniform branch. Does nothing when
    `lazy_rescale` is 0.

    Exact in exact arithmetic: o = acc / l and log l + m do not depend on the
    reference m, as long as all sums have the same one. In floating point terms
    may be up to 2^lazy_rescale instead of 1, which a 32-bit sum and a 16-bit
    term with 5 exponent bits or more hold. Where a group has not grown, the
    rows' m0 is finite and m1 is replaced by it, so a = 2^0 is exactly 1 and
    skipping the product changes no bit; a row that has seen nothing has m1 - m0
    = NaN, which counts as grown. Results do not depend on the grouping beyond
    rounding.

    Precondition: no pipelining yet. Postcondition: same results up to rounding.

    ```mlir
    %m1 = arith.maxnumf %m0, %x : vector<128x1xf32>
    %d = arith.subf %m0, %m1 : vector<128x1xf32>
    %e = arith.mulf %d, %c : vector<128x1xf32>
    %a = math.exp2 %e : vector<128x1xf32>
    %wide = vector.broadcast %a : vector<128x1xf32> to vector<128x128xf32>
    %acc1 = arith.mulf %acc0, %wide : vector<128x128xf32>
    // becomes
    %max = arith.maxnumf %m0, %x : vector<128x1xf32>
    %growth = arith.subf %max, %m0 : vector<128x1xf32>
    %scaled = arith.mulf %growth, %c : vector<128x1xf32>
    %grown = arith.cmpf ugt, %scaled, %threshold : vector<128x1xf32>
    %vote = tile.vote_any %grown : vector<128x1xi1>
    %m1 = arith.select %vote, %max, %m0 : vector<128x1xi1>, vector<128x1xf32>
    ...
    %acc1 = tile.uniform_if %vote, %acc0 {
      %p = arith.mulf %acc0, %wide : vector<128x128xf32>
      tile.yield %p : vector<128x128xf32>
    } : vector<128x1xi1>, vector<128x128xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::fa3::tile::TileDialect"];
}

def SplitLoopsPass : Pass<"fa3-split-loops", "::fa3::tile::KernelOp"> {
  let summary = "Splits loops where a condition of their index changes";
  let description = [{
    A loop with an `scf.if` on a signed comparison that is affine in the loop's
    index becomes two loops, one behind the other, in each of which the
    condition is a constant and the branch is gone. The bound between them is
    computed in front of the loops and clamped to their range, so either may be
    empty. Parts are split again for other conditions, up to three times. Where
    the definitions of the loop's bounds and of the threshold prove that one part
    is always empty, there is only the other: of 80 columns in a block at most 79
    are past the end, so that a loop that begins with the second block needs no
    mask. Does nothing unless the schedule says `split_loops`.

    Runs after `fa3-pipeline-loops`, so that a loop has one prologue and one
    epilogue, whatever its parts.

    Precondition: loops step by 1. Postcondition: same results; conditions that
    are not understood stay, with a remark.

    ```mlir
    %r = scf.for %j = %lb to %ub step %c1 iter_args(%x = %init) -> (f32) {
      %mixed = arith.cmpi slt, %j, %threshold : index
      %y = scf.if %mixed -> (f32) { A } else { B }
      ...
    }
    // becomes
    %t = arith.maxsi %threshold, %lb : index
    %middle = arith.minsi %t, %ub : index
    %s = scf.for %j = %lb to %middle step %c1 iter_args(%x = %init) -> (f32) { A ... }
    %r = scf.for %j = %middle to %ub step %c1 iter_args(%x = %s) -> (f32) { B ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def MakePersistentPass : Pass<"fa3-make-persistent", "::fa3::tile::KernelOp"> {
  let summary = "One CTA for each multiprocessor computes piece after piece";
  let description = [{
    Replaces the grid by a loop over its pieces, with as many CTAs as run at
    once: CTA c computes pieces c, c + ctas, c + 2 ctas, ... in the grid's order.
    Where the length of a loop depends on the piece, CTAs take their turns
    backwards in every second round: who had the longest piece of one has the
    shortest of the next.

    Does nothing unless the schedule says `persistent`. With more pieces along the
    grid's first dimension than that there is a CTA for each piece, which the
    grid's expression of sizes decides: the loop then has one iteration. Only
    there does a `grouped` grid keep its groups.

    Precondition: one `tile.program_id` at the top level of the kernel, and its
    extents do not depend on it. Postcondition: the same pieces are computed.

    ```mlir
    %i, %h = tile.program_id(%blocks, %heads)
    ...
    // becomes
    %pieces = arith.muli %blocks, %heads
    %ctas = arith.minsi %pieces, %most    // without a limit
    %first = tile.program_id(%ctas)
    scf.for %piece = %first to %pieces step %ctas {
      %i = arith.remui %piece, %blocks
      %h = arith.divui %piece, %blocks
      ...
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];
}

def PipelineLoopsPass : Pass<"fa3-pipeline-loops", "::fa3::tile::KernelOp"> {
  let summary = "Issues the next iteration's first products ahead of this one's dependent ones";
  let description = [{
    In a loop in which a `tile.dot` needs another one's result of the same
    iteration, the dependent product moves to the next iteration's turn: it runs
    on the tensor cores while the elementwise work between the two is done for
    the next block (FlashAttention-3 section 3.2). Loads that only the deferred
    products use are deferred with them, transposed or not. Prologue and epilogue come from
    `scf::pipelineForLoop`; a guard skips all of it when the loop is empty.
    Does nothing unless the schedule says `overlap`, and leaves a loop alone,
    with a remark that says why, where two iterations cannot overlap.

    Precondition: loops step by a positive amount. Postcondition: same results;
    no product in the loop needs another one of the same iteration.

    ```mlir
    scf.for %j = %c0 to %n {            // S(j), P(j), O(j)
      %s = tile.dot %q, %k ...
      %p = math.exp2 %s
      %o1 = tile.dot %p, %v, %o ...
    }
    // becomes
    scf.if %runs {
      %s0 = tile.dot %q, %k0 ...        // S(0), P(0)
      %p0 = math.exp2 %s0
      scf.for %j = %c0 to %n1 iter_args(%p = %p0, ...) {
        %s = tile.dot %q, %k ...        // S(j+1), O(j), P(j+1)
        %o1 = tile.dot %p, %v, %o ...
        %p1 = math.exp2 %s
      }
      %o2 = tile.dot %p2, %v ...        // O(n-1)
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def PartitionWarpgroupsPass : Pass<"fa3-partition-warpgroups", "::fa3::tile::KernelOp"> {
  let summary = "Divides every tile among the consumer warpgroups";
  let description = [{
    Turns the program of a CTA into that of one consumer warpgroup: each tile
    keeps 1/warpgroups of its rows, or of its columns where it has too few rows
    for that. Tiles that are combined element by element, or are the same tile at
    another time, are divided alike; a dimension of size 1 stays. Coordinates,
    loads and stores move by the share's first row or column.

    Operands of products in shared memory belong to all warpgroups: the one that
    has the product's rows (its columns, where those are divided) is read through
    `hopper.rows` or `hopper.columns`, so that a product may be divided in another
    way than what it multiplies. A tile in registers that is a first operand, is
    packed, added to memory or voted on is divided by rows only.

    Precondition: tiles that feed products are in rings or in registers.
    Postcondition: every tile with rows has a multiple of 64 of them, with columns
    a multiple of 8. Fails where a tile can be divided in neither way, where
    columns of an operand are not whole panels, and where a reduction runs along
    the divided dimension.

    ```mlir
    %s = hopper.wgmma %q, %k ... -> !hopper.pending<vector<128x176xf32>>
    // becomes, with two warpgroups
    %w = hopper.warpgroup : i32
    %mine = hopper.rows %q[%first] ...
    %s = hopper.wgmma %mine, %k ... -> !hopper.pending<vector<64x176xf32>>

    %s = hopper.wgmma %q, %k contract(1, 1) ... -> !hopper.pending<vector<64x80xf32>>
    // becomes
    %mine = hopper.rows %k[%first] ...
    %s = hopper.wgmma %q, %mine contract(1, 1) ... -> !hopper.pending<vector<64x40xf32>>
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect"];
}

def SplitReductionsPass : Pass<"fa3-split-reductions", "::fa3::tile::KernelOp"> {
  let summary = "Products that are only added to memory need fewer registers";
  let description = [{
    A product of several blocks of 64 rows whose result is only added to memory
    becomes one product for each block. The first is issued where the whole was,
    every other one when the one before has been added.

    ```mlir
    %p = hopper.wgmma %k, %ds contract(0, 1) : ... -> !hopper.pending<vector<128x64xf32>>
    %d = hopper.wait %p younger 0 : ...
    tile.reduce_store %d, %acc[%i, %e] : vector<128x64xf32>, memref<?x16384xf32, strided<[?, 1]>>
    // becomes
    %k0 = hopper.columns %k[%c0] : ...
    %p0 = hopper.wgmma %k0, %ds contract(0, 1) : ... -> !hopper.pending<vector<64x64xf32>>
    %d0 = hopper.wait %p0 younger 0 : ...
    tile.reduce_store %d0, %acc[%i, %e] : vector<64x64xf32>, memref<?x16384xf32, strided<[?, 1]>>
    %k1 = hopper.columns %k[%c64] : ...
    ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::fa3::hopper::HopperDialect"];
}

def PlaceWaitsPass : Pass<"fa3-place-waits", "::fa3::tile::KernelOp"> {
  let summary = "Waits for products as late as is legal";
  let description = [{
    Moves every `hopper.wait` down to the first use of its value, but not past
    the end of its block, a region with products of its own, a put that waits
    for a buffer of the product or the next share of its ring, and not past the
    wait for a younger product, which has waited for this one, too; counts the
    younger products that may still run; moves the release of a buffer behind the
    waits of the products that read it; computes a loop's next register operand
    after the wait of the product that still reads the last one (PTX ISA,
    "wgmma.wait_group").

    Pure operations on the value of a block's last product, if it adds to an
    accumulator, move down first.

    A `hopper.buffer_load` between a product and its wait would queue behind the
    product: it moves behind the wait, with its release, unless its value or its
    buffer is needed before.

    Precondition: a wait stands in the block of its product. Postcondition: the
    same, and no value of a product is used before its wait.

    ```mlir
    %p = hopper.wgmma %q, %k ...
    %s = hopper.wait %p younger 0 ...
    %r = hopper.wgmma %a, %v, %o ...
    use %s
    // becomes
    %p = hopper.wgmma %q, %k ...
    %r = hopper.wgmma %a, %v, %o ...
    %s = hopper.wait %p younger 1 ...
    use %s
    ```
  }];
}

def SpecializeWarpsPass : Pass<"fa3-specialize-warps", "::fa3::tile::KernelOp"> {
  let summary = "Divides a kernel into a producer, consumers, a drain and transposing warps";
  let description = [{
    The producer gets the puts of all rings with the control flow and index
    arithmetic that they need; the drain, if there are any, gets the reductions
    of tiles on their way out in the same way, and the role `transpose`, if there
    are any, the transpositions from one ring to another; the consumers get
    everything else. Scalar code that all need stays in front. Does nothing unless the
    schedule says `specialize` (FlashAttention-3 section 3.1) or if nothing is
    loaded.

    Postcondition: a put is only in the producer, a get only in the consumers, a
    reduction only in the drain, a transposition only in its role, and all see
    the same sequences of buffers.

    ```mlir
    scf.for ... {
      hopper.ring_put %ring, %k[...] ...
      %b = hopper.ring_get %ring ...
      ...
      hopper.out_put %t, %out ...
      hopper.out_reduce %out, %acc[...] ...
    }
    // becomes
    hopper.specialize producer {
      scf.for ... { hopper.ring_put %ring, %k[...] ... }
    } consumer {
      scf.for ... { %b = hopper.ring_get %ring ... hopper.out_put %t, %out ... }
    } drain {
      scf.for ... { hopper.out_reduce %out, %acc[...] ... }
    }
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect"];
}

def SkipIdleWarpgroupsPass : Pass<"fa3-skip-idle-warpgroups", "::fa3::tile::KernelOp"> {
  let summary = "Warpgroups whose rows do not exist do not work";
  let description = [{
    A tile at the end of a dimension may have rows outside of the tensor. Stores
    of such rows write nothing, so a warpgroup that has only such rows is left
    out: the tile's other warpgroups have the tensor cores to themselves, and
    buffers are released by as many warpgroups as work. Only for kernels whose
    consumers have no effect but stores and whose rows are known in front of the
    roles.

    Precondition: roles and shares are made. Postcondition: same results.

    ```mlir
    hopper.specialize {warpgroups = 3} producer {...} consumer {...}
    // becomes
    %active = (rows left, in shares, from 1 to 3)
    hopper.specialize active %active {warpgroups = 3} producer {...} consumer {...}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def TakeTurnsPass : Pass<"fa3-take-turns", "::fa3::tile::KernelOp"> {
  let summary = "Warpgroups take turns on the tensor cores (ping-pong)";
  let description = [{
    Encloses every straight run of product issues in `hopper.turn_wait` and
    `hopper.turn_pass`, so that the warpgroups' products alternate and one
    warpgroup's softmax runs under another one's products (FlashAttention-3
    section 3.1). A run ends at a wait and at a share, which waits for the other
    warpgroups. Does nothing unless the schedule says `pingpong` and has two
    warpgroups or more.

    Precondition: waits are placed. Postcondition: every path through the kernel
    executes turn_wait and turn_pass alternately.

    ```mlir
    %s = hopper.wgmma %q, %k ...
    %o = hopper.wgmma %p, %v ...
    %s1 = hopper.wait %s younger 1 ...
    // becomes
    hopper.turn_wait
    %s = hopper.wgmma %q, %k ...
    %o = hopper.wgmma %p, %v ...
    hopper.turn_pass
    %s1 = hopper.wait %s younger 1 ...
    ```
  }];
}

def VerifyHopperPass : Pass<"fa3-verify-hopper", "::fa3::tile::KernelOp"> {
  let summary = "Proves a warpgroup-level program's waits, buffers and turns";
  let description = [{
    The legality check at the end of the warpgroup level; changes nothing. A
    program that fails would compute wrong results or never end, so every
    failure is a defect of the passes before (or of hand-written IR), reported
    where it is. It proves that

    - every product is waited for in its own block, by a wait whose `younger` is
      not greater than the number of products issued in between;
    - a loop does not compute the next iteration's register operand while a
      product still reads this iteration's one;
    - every buffer is released exactly once on every path, after the waits of
      the products that read it and before its ring needs it again, and threads
      do not read it later;
    - a shared tile is read in the block that shares it, and the products that
      read it are waited for before the next share of its ring;
    - producer and consumers see the same sequence of buffers: puts and gets
      stand in the same order, in loops with the same bounds and conditionals
      with the same conditions;
    - the producer has no tiles and gets no buffers, and consumers put none;
    - turns are waited for and passed alternately on every path, and no tile is
      shared, which waits for all warpgroups, with the turn.

    Precondition: waits are placed. Roles may be divided or not.

    ```mlir
    %p = hopper.wgmma %a, %b ...
    %r = hopper.wait %p younger 1 ...   // error: allows 1 younger products to
                                        // run, but only 0 are issued
    ```
  }];
}

def AllocateSharedMemoryPass : Pass<"fa3-allocate-shared-memory", "::fa3::tile::KernelOp"> {
  let summary = "Gives every ring its place in shared memory";
  let description = [{
    Buffers first, each aligned to 1024 bytes (the period of the 128-byte
    swizzle) or, of f32, to 128 bytes, then all mbarriers. Sets `offset` of every
    ring, `barriers` of those that TMA fills (shared tiles, and tiles on their way
    out, have none) and the kernel's `hopper.shared_memory`. Fails when a CTA does
    not have as much.
  }];
}

def ExpandRingsPass : Pass<"fa3-expand-rings", "::fa3::tile::KernelOp"> {
  let summary = "Rings become mbarriers, addresses and TMA copies";
  let description = [{
    Counts puts and gets through the control flow. The n-th one uses buffer
    n mod stages; a get waits for phase n / stages of the full mbarrier, a put
    for the phase before it of the empty one, announces the buffer's bytes and
    issues a copy for each panel. Tensors get a `!hopper.tensor_map` argument.
    A ring that is never refilled has no empty mbarriers. Rings that are filled
    and emptied side by side have one counter.

    A row or column of f32 is one copy without swizzle. Threads read it, not
    products, so every warp of the consumers releases it by itself, with a fence
    in front of TMA's next write; a buffer that products read is released by one
    thread of each warpgroup, behind a barrier of it where no product tells that
    all warps have seen the buffer full.

    A ring of rows or columns rides on the mbarriers of a ring of panels with
    as many stages that is put and got just before it each time: one
    announcement and one wait for both. Its release counts there, too, unless a
    share stands between it and that of the panels: the share has a fence and a
    barrier, and one release is enough.

    A transposition gets from one ring and puts into another: each of the role's
    warps waits for the one's full and the other's empty buffer, writes its part,
    makes it visible to the async proxy, and arrives at the full mbarrier of the
    one that it has written and at the empty one of what it has read.

    The n-th share of a ring goes to buffer n mod stages, too: every consumer
    warpgroup stores its part, makes its writes visible to the async proxy, and
    waits at a named barrier for the others. With one buffer, another barrier in
    front tells that all products that read the last tile are done; with two,
    the barrier of the share in between does.

    Precondition: rings have their place. Postcondition: no ring remains.

    ```mlir
    %b = hopper.ring_get %ring : ...
    // becomes
    hopper.mbarrier_wait %full, %parity
    %b = hopper.view %address : ...

    %b = hopper.share %t, %ring : vector<64x64xbf16>, !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
    // becomes
    %b = hopper.view %address : !hopper.buffer<vector<64x128xbf16>, 64>
    hopper.buffer_store %t, %b[%c0, %column] : vector<64x64xbf16>, !hopper.buffer<vector<64x128xbf16>, 64>
    hopper.fence_proxy_async
    hopper.named_sync %c4, 256
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::fa3::hopper::HopperDialect"];
}

def StageStoresPass : Pass<"fa3-stage-stores", "::fa3::tile::KernelOp"> {
  let summary = "Tiles that are stored at the end go through shared memory and TMA";
  let description = [{
    Each warpgroup writes its tile of 16-bit floats to shared memory, and one of
    its threads starts TMA copies to the tensor, which write whole rows and leave
    out what is outside of it. The tile goes where a ring was: first choice is
    one of which each warpgroup has only used the rows that its tile takes;
    otherwise all consumer warpgroups wait for each other first. Where there is
    no room, threads store their registers.

    In a loop the rings are in use: tiles have a place beside them. The first
    store of an iteration waits until the copies of the last one have read it.
    Where there is no room for another tile it takes the place of an equal one
    of the same iteration, and waits likewise.

    Precondition: shared memory is allocated. Only stores behind all uses of
    rings, and stores in loops, are taken.

    ```mlir
    tile.store %t, %o[%b, %r, %h, %c0] dims [1, 3] : vector<64x64xbf16>, memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>>
    // becomes
    hopper.buffer_store %t, %b[%row, %c0_i32] straight : vector<64x64xbf16>, !hopper.buffer<vector<128x64xbf16>, 128>
    hopper.fence_proxy_async
    hopper.named_sync %barrier, 128
    hopper.tma_store %map[%b, %r, %h, %c0], %address if %first : <0, [1, 64, 1, 64]>
    hopper.bulk_wait
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect", "::mlir::arith::ArithDialect"];
}

def ExpandReductionsPass : Pass<"fa3-expand-reductions", "::fa3::tile::KernelOp"> {
  let summary = "Tiles that are added to memory go through shared memory and bulk copies";
  let description = [{
    A put waits until the last bulk reduction has read the warpgroup's part of
    the buffer and stores the tile there. In a kernel with a drain, one of the
    drain's threads starts the reductions; each warpgroup and the drain meet at
    two named barriers, one for full and one for empty. Otherwise a thread of
    each warpgroup starts that of its part. The kernel ends when all reductions
    are complete. There is one ring of such tiles: named barriers are few.

    Of tiles with `begun`, the drain's thread claims the place while the
    warpgroups compute; it stores the tile if it is the first one, and publishes
    that it has. Without a drain this is an error.

    Precondition: shared memory is allocated. Postcondition: no `hopper.out_put`
    and `hopper.out_reduce`.

    ```mlir
    hopper.out_put %t, %ring : vector<64x64xf32>, !hopper.ring<1, vector<128x64xf32>>
    // becomes
    hopper.named_sync %empty, 160
    hopper.buffer_store %t, %b[%row, %c0] : vector<64x64xf32>, !hopper.buffer<vector<128x64xf32>, 128>
    hopper.fence_proxy_async
    hopper.named_arrive %full, 160

    hopper.out_reduce %ring, %acc[%i, %e] : !hopper.ring<1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>
    // becomes, for each warpgroup's part,
    hopper.named_sync %full, 160
    hopper.bulk_reduce %part, %acc[%i, %e], 16384 if %elected : memref<?x8192xf32, strided<[?, 1]>>
    hopper.bulk_wait
    hopper.named_arrive %empty, 160

    hopper.out_reduce %ring, %acc[%i, %e] begun %begun : !hopper.ring<1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>, memref<?xf32, strided<[1]>>
    // becomes
    %first = hopper.claim %begun[%i] if %elected : memref<?xf32, strided<[1]>>
    hopper.named_sync %full, 160
    hopper.bulk_store %part, %acc[%i, %e], 16384 if %first : memref<?x8192xf32, strided<[?, 1]>>
    hopper.bulk_reduce %part, %acc[%i, %e], 16384 if %other : memref<?x8192xf32, strided<[?, 1]>>
    hopper.bulk_wait
    hopper.named_arrive %empty, 160
    hopper.publish %begun[%i] if %first : memref<?xf32, strided<[1]>>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::fa3::hopper::HopperDialect"];
}

def ExpandTurnsPass : Pass<"fa3-expand-turns", "::fa3::tile::KernelOp"> {
  let summary = "Turns become named barriers";
  let description = [{
    Warpgroup w waits for its turn at named barrier 1 + w, at which the warpgroup
    before it arrives when it passes the turn. The last warpgroup arrives once
    at the start, which gives warpgroup 0 the first turn.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::fa3::hopper::HopperDialect"];
}

def DistributePass : Pass<"fa3-distribute", "::fa3::tile::KernelOp"> {
  let summary = "Tiles become registers of threads";
  let description = [{
    Replaces the warpgroup-level program by that of one thread. Every tile is
    distributed in wgmma's accumulator layout (see Fragment.h), so elementwise
    operations need no communication, a row reduction ends with two shuffles
    among the four threads of a row, and a product's result is the first operand
    of the next one as it stands. `chains` of the schedule is the number of
    independent chains of a row reduction.

    Of a row or column of f32 in shared memory each thread reads its part; a
    16-bit tile goes to panels by `stmatrix`, transposed. A packed tile in memory
    is what threads hold: four registers of each of the 128 threads, then the
    next four. 16-bit tiles in global memory are loaded and stored in pairs of
    columns; a tile whose rows run along the last dimension is transposed in
    registers, 8x8 elements at a time. 8-bit tiles are stored in groups of 16
    columns: lanes of a quad exchange what they have, so that each has neighbours.
    From one buffer to another they are transposed by `ldmatrix`, byte
    permutations and `stmatrix`, in turns of the role's warps.

    Precondition: rings, turns, shares and reductions are expanded. Postcondition: no vector and no
    warpgroup-level operation remains.

    ```mlir
    %p = math.exp2 %x : vector<64x16xf32>
    // becomes
    %p0 = math.exp2 %x0 : f32
    ...
    %p7 = math.exp2 %x7 : f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::fa3::hopper::HopperDialect"];
}

def HoldWaitsPass : Pass<"fa3-hold-waits", "::fa3::tile::KernelOp"> {
  let summary = "Waits for products stay behind what is computed under them";
  let description = [{
    ptxas moves `wgmma.wait_group` up, above arithmetic that does not use the
    product, and may leave nothing of it to run beside the product. In front of a
    wait in a loop, `hopper.hold` keeps it behind the floats that the loop
    computes between the youngest product and the wait, and carries into its next
    iteration. Does nothing unless the schedule says `late_waits`.

    ```mlir
    hopper.wgmma_commit
    %e = math.exp2 %s : f32
    %l1 = arith.addf %l, %e : f32
    %o1 = hopper.wgmma_wait 0 (%o) : (f32) -> f32
    scf.yield %l1, %o1 : f32, f32
    // becomes
    hopper.wgmma_commit
    %e = math.exp2 %s : f32
    %l1 = arith.addf %l, %e : f32
    hopper.hold %l1 : f32
    %o1 = hopper.wgmma_wait 0 (%o) : (f32) -> f32
    scf.yield %l1, %o1 : f32, f32
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect"];
}

def RecomputeIndicesPass : Pass<"fa3-recompute-indices", "::fa3::tile::KernelOp"> {
  let summary = "Indices of threads and CTAs are computed again behind loops";
  let description = [{
    A loop that keeps every register of a thread busy has none for where its
    results go. What is used behind the last loop of a kernel or role, and
    computed in front of it from the index of the thread, warpgroup or CTA by
    arithmetic alone, is computed again there from registers that are read at
    that place.

    ```mlir
    %i, %h = tile.program_id(%n, %heads) : index, index
    scf.for ... { ... }
    hopper.tma_store %map[%h32, ...] ...
    // becomes, with %h32 a cast of %h,
    scf.for ... { ... }
    %c = hopper.block_id again : i32
    ...
    %h1 = arith.divui %c1, %n : index
    %h2 = arith.index_cast %h1 : index to i32
    hopper.tma_store %map[%h2, ...] ...
    ```
  }];
  let dependentDialects = ["::fa3::hopper::HopperDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

#endif // FA3_TRANSFORMS_PASSES_TD
