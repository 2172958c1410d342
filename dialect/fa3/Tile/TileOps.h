//===- TileOps.h - Operations of the tile dialect ---------------*- C++ -*-===//

#ifndef FA3_TILE_TILEOPS_H
#define FA3_TILE_TILEOPS_H

#include "fa3/Tile/TileDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "fa3/Tile/TileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "fa3/Tile/TileAttrs.h.inc"
#define GET_OP_CLASSES
#include "fa3/Tile/TileOps.h.inc"

namespace fa3::tile {

/// Name of the argument attribute that holds a #tile.argument.
inline constexpr llvm::StringLiteral kArgumentAttrName = "tile.argument";

/// Whether `attribute` is an expression of sizes as in a package's manifest: an
/// integer, a symbol, or {op, args = [., .]}.
bool isSizeExpression(mlir::Attribute attribute);

/// Takes the index of a piece apart into its coordinates in a grid of these
/// extents, the fastest varying first.
llvm::SmallVector<mlir::Value> splitIndex(mlir::OpBuilder &builder,
                                          mlir::Location loc, mlir::Value index,
                                          mlir::ValueRange extents);

/// The same in groups that have at most `groupTiles` pieces, a power of two,
/// and in which the first dimension varies slowest (tile.program_id). Only
/// where `condition` holds, if there is one.
llvm::SmallVector<mlir::Value>
splitGrouped(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value index,
             mlir::ValueRange extents, int64_t groupTiles,
             mlir::Value condition = {});

} // namespace fa3::tile

#endif // FA3_TILE_TILEOPS_H
