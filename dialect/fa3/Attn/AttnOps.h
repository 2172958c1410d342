//===- AttnOps.h - Operations of the attn dialect ---------------*- C++ -*-===//

#ifndef FA3_ATTN_ATTNOPS_H
#define FA3_ATTN_ATTNOPS_H

#include "fa3/Attn/AttnDialect.h"
#include "fa3/Tile/TileOps.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "fa3/Attn/AttnOps.h.inc"

#endif // FA3_ATTN_ATTNOPS_H
