//===- Fragment.h - A tile's registers in one thread ------------*- C++ -*-===//
//
// How a tile is distributed over the 128 threads of a warpgroup. The rule is
// wgmma's accumulator layout (PTX ISA, "Register Fragments for
// wgmma.mma_async.m64nNk16"), applied to every tile:
//
//   row    = 64 * block + 16 * warp + 8 * half + lane / 4
//   column = 8 * group + 2 * (lane % 4) + pair
//
// A thread holds rows (block, half) and columns (group, pair); a dimension of
// size 1 is held by every thread. A tile's registers are ordered as wgmma
// orders them: by block, group, half, pair.
//
// Tiles of 8-bit floats have the layout of wgmma's first operand: column = 16 *
// group + 4 * (lane % 4) + byte, registers by block, group, half.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TRANSFORMS_FRAGMENT_H
#define FA3_TRANSFORMS_FRAGMENT_H

#include "mlir/IR/BuiltinTypes.h"

namespace fa3 {

/// The shape of a tile's share in one thread.
class Fragment {
public:
  static constexpr int64_t kBlockRows = 64;
  static constexpr int64_t kGroupColumns = 8;
  /// Columns of a group of 8-bit floats.
  static constexpr int64_t kQuadColumns = 16;
  /// Lanes that share a row.
  static constexpr int64_t kQuadLanes = 4;
  /// Neighbouring registers of a thread in one group of columns, which packed
  /// tiles keep together.
  static constexpr int64_t kPackedRun = 4;

  explicit Fragment(mlir::VectorType tile)
      : tileRows(tile.getDimSize(0)), tileColumns(tile.getDimSize(1)) {}

  /// Elements in a 32-bit register: 16-bit and 8-bit floats travel with their
  /// neighbouring columns, as products take them.
  static int64_t perRegister(mlir::Type element) {
    if (!mlir::isa<mlir::FloatType>(element))
      return 1;
    return std::max<int64_t>(1, 32 / element.getIntOrFloatBitWidth());
  }
  static bool isPacked(mlir::Type element) { return perRegister(element) > 1; }

  /// Whether a warpgroup can hold such a tile: each dimension is 1, or fills
  /// whole blocks of rows and whole groups of columns. Packed tiles have
  /// columns.
  static bool isSupported(mlir::VectorType tile) {
    return tile.getRank() == 2 &&
           (tile.getDimSize(0) == 1 || tile.getDimSize(0) % kBlockRows == 0) &&
           (tile.getDimSize(1) == 1
                ? !isPacked(tile.getElementType())
                : tile.getDimSize(1) % (perRegister(tile.getElementType()) == 4
                                            ? kQuadColumns
                                            : kGroupColumns) ==
                      0);
  }

  /// Rows and columns that a thread holds.
  int64_t rows() const { return hasRows() ? 2 * (tileRows / kBlockRows) : 1; }
  int64_t columns() const {
    return hasColumns() ? 2 * (tileColumns / kGroupColumns) : 1;
  }
  int64_t size() const { return rows() * columns(); }

  bool hasRows() const { return tileRows != 1; }
  bool hasColumns() const { return tileColumns != 1; }

  /// Register of the thread's row `row` and column `column`. A dimension that
  /// the tile does not have ignores its coordinate.
  int64_t index(int64_t row, int64_t column) const {
    if (!hasRows())
      row = 0;
    if (!hasColumns())
      return row;
    if (!hasRows())
      return column;
    int64_t block = row / 2, half = row % 2;
    int64_t group = column / 2, pair = column % 2;
    return block * 2 * columns() + group * 4 + half * 2 + pair;
  }

  /// The register of 8-bit floats that holds the thread's row `row` of group
  /// `group`.
  int64_t quadIndex(int64_t row, int64_t group) const {
    int64_t block = row / 2, half = row % 2;
    return (block * (tileColumns / kQuadColumns) + group) * 2 + half;
  }

private:
  int64_t tileRows;
  int64_t tileColumns;
};

} // namespace fa3

#endif // FA3_TRANSFORMS_FRAGMENT_H
