//===- TileDivision.h - How tiles are divided among warpgroups --*- C++ -*-===//

#ifndef FA3_TRANSFORMS_TILEDIVISION_H
#define FA3_TRANSFORMS_TILEDIVISION_H

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Tile/TileOps.h"

#include "llvm/ADT/EquivalenceClasses.h"

namespace fa3 {

/// Chooses for every tile of a kernel whether warpgroups divide its rows or its
/// columns. Tiles that are combined element by element, or are the same tile at
/// another time, are divided alike: they form a class. A class is divided by
/// rows if each share has whole blocks of rows, else by columns.
class TileDivision {
public:
  /// Fails, with a diagnostic, where a class can be divided in neither way.
  static mlir::FailureOr<TileDivision> compute(tile::KernelOp kernel,
                                               int64_t warpgroups);

  /// The dimension of `value`, a tile or the product of one, that is divided.
  int64_t dimOf(mlir::Value value) const;

  /// The share of `type`, one tile of a class that is divided along `dim`.
  mlir::Type shareOf(mlir::Type type, int64_t dim) const;
  mlir::VectorType shareOf(mlir::VectorType type, int64_t dim) const;

private:
  explicit TileDivision(int64_t warpgroups) : warpgroups(warpgroups) {}

  void unite(mlir::Value a, mlir::Value b);
  void collect(mlir::Operation *op);
  mlir::LogicalResult choose(mlir::Operation *op);
  bool canDivide(mlir::Value leader, int64_t dim) const;
  bool needsRows(mlir::Value value) const;

  int64_t warpgroups;
  llvm::EquivalenceClasses<void *> classes;
  llvm::DenseMap<void *, int64_t> dims;
  /// Tiles whose rows have to be divided, and why.
  llvm::DenseSet<void *> byRows;
};

/// The tile type of a tile or of the product of one, null for other types.
mlir::VectorType getTileType(mlir::Type type);

} // namespace fa3

#endif // FA3_TRANSFORMS_TILEDIVISION_H
