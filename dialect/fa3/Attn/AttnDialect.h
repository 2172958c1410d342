//===- AttnDialect.h - The attn dialect -------------------------*- C++ -*-===//

#ifndef FA3_ATTN_ATTNDIALECT_H
#define FA3_ATTN_ATTNDIALECT_H

#include "mlir/IR/Dialect.h"

#include "fa3/Attn/AttnDialect.h.inc"

#endif // FA3_ATTN_ATTNDIALECT_H
