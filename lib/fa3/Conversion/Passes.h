//===- Passes.h - Passes of the conversion library --------------*- C++ -*-===//

#ifndef FA3_CONVERSION_PASSES_H
#define FA3_CONVERSION_PASSES_H

#include "fa3/Attn/AttnOps.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace fa3 {

#define GEN_PASS_DECL
#include "fa3/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "fa3/Conversion/Passes.h.inc"

} // namespace fa3

#endif // FA3_CONVERSION_PASSES_H
