//===- Passes.td - Passes of the conversion library ---------*- tablegen -*-===//

#ifndef FA3_CONVERSION_PASSES_TD
#define FA3_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AttnToTilePass : Pass<"fa3-attn-to-tile", "::mlir::ModuleOp"> {
  let summary = "Writes the tile program of an attention spec";
}

#endif // FA3_CONVERSION_PASSES_TD
