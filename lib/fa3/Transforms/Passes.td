//===- Passes.td - Passes of the transforms library ----------*- tablegen -*-===//

#ifndef FA3_TRANSFORMS_PASSES_TD
#define FA3_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

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
