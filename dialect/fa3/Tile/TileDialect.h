//===- TileDialect.h - The tile dialect -------------------------*- C++ -*-===//

#ifndef FA3_TILE_TILEDIALECT_H
#define FA3_TILE_TILEDIALECT_H

#include "mlir/IR/Dialect.h"

#include "fa3/Tile/TileDialect.h.inc"

#endif // FA3_TILE_TILEDIALECT_H
