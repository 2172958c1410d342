//===- Passes.td - Passes of the conversion library ----------*- tablegen -*-===//

#ifndef FA3_CONVERSION_PASSES_TD
#define FA3_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // FA3_CONVERSION_PASSES_TD
