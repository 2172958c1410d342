//===- HopperDialect.td - The hopper dialect ---------------*- tablegen -*-===//

#ifndef FA3_HOPPER_HOPPERDIALECT_TD
#define FA3_HOPPER_HOPPERDIALECT_TD

include "mlir/IR/OpBase.td"

def HopperDialect : Dialect {
  let name = "hopper";
  let cppNamespace = "::fa3::hopper";
  let summary = "The mechanisms of sm_90a that a tile program uses";
  let description = [{
    Two levels share the dialect. At the *warpgroup level* values are still
    tiles: rings of shared-memory buffers filled by TMA (`hopper.ring_*`),
    asynchronous matrix products (`hopper.wgmma`, `hopper.wait`), roles
    (`hopper.specialize`). At the *thread level*, after `fa3-distribute`, values
    are scalars in registers and every operation is one PTX instruction or a
    short fixed sequence of them.
  }];
  let dependentDialects = ["::fa3::tile::TileDialect"];
  let useDefaultTypePrinterParser = 1;
}

#endif // FA3_HOPPER_HOPPERDIALECT_TD
