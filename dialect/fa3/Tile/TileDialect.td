//===- TileDialect.td - The tile dialect -------------------*- tablegen -*-===//

#ifndef FA3_TILE_TILEDIALECT_TD
#define FA3_TILE_TILEDIALECT_TD

include "mlir/IR/OpBase.td"

def TileDialect : Dialect {
  let name = "tile";
  let cppNamespace = "::fa3::tile";
  let summary = "How one CTA computes: whole tiles as values";
  let description = [{
    A `tile.kernel` is the program of one cooperative thread array (CTA). Tiles
    are builtin vectors of rank two, so `arith` and `math` are the elementwise
    operations and `scf` is the control flow; this dialect adds only what is
    missing: the kernel and its grid, moving tiles from and to strided memory,
    reductions that keep their dimension, coordinates, and the matrix product.

    Semantics are sequential. A tile program can be read, and executed, as plain
    matrix code; no thread, warp or shared memory appears in it.

    Every tile has rank two: a statistic per row is `vector<Mx1xf32>`, one per
    column `vector<1xNxf32>`. A tile's distribution over threads is therefore a
    function of its type, and no layout has to be inferred.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
  let useDefaultAttributePrinterParser = 1;
}

#endif // FA3_TILE_TILEDIALECT_TD
