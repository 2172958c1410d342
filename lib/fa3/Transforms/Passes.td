//===- Passes.td - Passes of the transforms library ----------*- tablegen -*-===//

#ifndef FA3_TRANSFORMS_PASSES_TD
#define FA3_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def PipelineLoopsPass : Pass<"fa3-pipeline-loops", "::fa3::tile::KernelOp"> {
  let summary = "Issues the next iteration's first products ahead of this one's dependent ones";
  let description = [{
    In a loop in which a `tile.dot` needs another one's result of the same
    iteration, the dependent product moves to the next iteration's turn: it runs
    on the tensor cores while the elementwise work between the two is done for
    the next block (FlashAttention-3 section 3.2). Loads that only the deferred
    products use are deferred with them. Prologue and epilogue come from
    `scf::pipelineForLoop`; a guard skips all of it when the loop is empty.
    Does nothing unless the schedule says `overlap`.

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

def TakeTurnsPass : Pass<"fa3-take-turns", "::fa3::tile::KernelOp"> {
  let summary = "Warpgroups take turns on the tensor cores (ping-pong)";
  let description = [{
    Encloses every straight run of product issues in `hopper.turn_wait` and
    `hopper.turn_pass`, so that the warpgroups' products alternate and one
    warpgroup's softmax runs under another one's products (FlashAttention-3
    section 3.1). Does nothing unless the schedule says `pingpong` and has two
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

#endif // FA3_TRANSFORMS_PASSES_TD
