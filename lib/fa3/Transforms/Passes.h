//===- Passes.h - Passes of the transforms library --------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_PASSES_H
#define FA3_TRANSFORMS_PASSES_H

#include "fa3/Attn/AttnOps.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace fa3 {

#define GEN_PASS_DECL
#include "fa3/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "fa3/Transforms/Passes.h.inc"

} // namespace fa3

#endif // FA3_TRANSFORMS_PASSES_H
