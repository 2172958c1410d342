//===- ProgramBuilder.h - What all tile programs share ----------*- C++ -*-===//
//
// The signature of a kernel, the sizes of its tensors, and short names for the
// operations of tile programs.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_PROGRAMBUILDER_H
#define FA3_CONVERSION_ATTNTOTILE_PROGRAMBUILDER_H

#include "fa3/Attn/AttnOps.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fa3 {

/// Keys that `tile.interleave` and interleaved stores reorder among each other.
inline constexpr int64_t kInterleavedKeys = 16;

/// The manifest's name of an element type of tensors.
llvm::StringRef getElementTypeName(mlir::Type type);

/// Writes one kernel of a spec. A program derives from it, declares its tensors
/// and writes its body.
class ProgramBuilder {
public:
  virtual ~ProgramBuilder() = default;

  tile::KernelOp write(llvm::StringRef name);

protected:
  /// `columns` is the width of tiles that hold rows of matrices.
  ProgramBuilder(mlir::OpBuilder &builder, attn::SpecOpInterface spec,
                 tile::ScheduleAttr schedule, int64_t columns);

  /// Calls addTensor and addWorkspace for every argument, in order.
  virtual void addArguments() = 0;
  /// Calls constrain for everything that must hold of the sizes.
  virtual void addConstraints() = 0;
  /// Adds to the manifest's "operation", which says its kind already.
  virtual void describe(mlir::NamedAttrList &problem) = 0;
  virtual void writeBody() = 0;
  /// Where the kernel runs: an expression of sizes that is not 0 there, or null
  /// for everywhere.
  virtual mlir::Attribute launchCondition() { return {}; }

  //===--- Signature ------------------------------------------------------===//

  /// Adds the operand or result of the spec's operation that has this name.
  void addTensor(llvm::StringRef name, llvm::StringRef role);
  /// Adds a tensor in the workspace, of f32 by default.
  void addWorkspace(llvm::StringRef name, llvm::ArrayRef<mlir::Attribute> dims,
                    mlir::Type elementType = {});
  /// A size as a dimension of a workspace tensor: a symbol, or a number if it
  /// is static.
  mlir::Attribute size(llvm::StringRef name);
  mlir::Attribute size(int64_t value) { return b.getI64IntegerAttr(value); }
  /// Whether the spec has dimensions of this name, and whether their size is
  /// dynamic.
  bool hasSize(llvm::StringRef name) { return sizes.contains(name); }
  bool isDynamic(llvm::StringRef name) {
    return mlir::ShapedType::isDynamic(sizes.at(name));
  }
  /// Requires "divides" or "at_most" of two sizes.
  void constrain(llvm::StringRef relation, llvm::StringRef lhs,
                 llvm::StringRef rhs);

  /// The argument with this name.
  mlir::Value argument(llvm::StringRef name);
  /// The size of a dimension, by its name.
  mlir::Value dim(llvm::StringRef name);

  //===--- Builders -------------------------------------------------------===//

  mlir::VectorType tileOf(int64_t r, int64_t c, mlir::Type type) {
    return mlir::VectorType::get({r, c}, type);
  }
  mlir::VectorType floatTile(int64_t r, int64_t c) {
    return tileOf(r, c, b.getF32Type());
  }
  mlir::Value index(int64_t value);
  mlir::Value splat(mlir::VectorType type, double value);
  mlir::Value broadcast(mlir::Value value, mlir::VectorType type);
  mlir::Value dot(mlir::Value lhs, int64_t contractLhs, mlir::Value rhs,
                  int64_t contractRhs, mlir::Value acc = {});
  mlir::Value scaled(mlir::Value tile, double factor);
  /// Loads rows [row, row + count) of a head's matrix.
  mlir::Value loadRows(llvm::StringRef tensor, mlir::Value batch,
                       mlir::Value row, mlir::Value head, int64_t count);
  /// Stores a tile of rows, or, if `transposed`, of columns of a head's matrix,
  /// from `column` on.
  void storeRows(mlir::Value tile, llvm::StringRef tensor, mlir::Value batch,
                 mlir::Value row, mlir::Value head, bool transposed = false,
                 int64_t column = 0);
  /// Loads a statistic of rows [row, row + count): a column, or, if
  /// `transposed`, a row.
  mlir::Value loadStatistic(llvm::StringRef tensor, mlir::Value batch,
                            mlir::Value row, mlir::Value head, int64_t count,
                            bool transposed = false);
  void storeStatistic(mlir::Value tile, llvm::StringRef tensor,
                      mlir::Value batch, mlir::Value row, mlir::Value head);
  /// The CTA's coordinates in a grid of these extents, fastest first, or
  /// in groups as the schedule says, where work becomes less along the first.
  llvm::SmallVector<mlir::Value> programIds(llvm::ArrayRef<mlir::Value> grid,
                                            bool longestFirst = false);

  mlir::ImplicitLocOpBuilder b;
  attn::SpecOpInterface spec;
  tile::ScheduleAttr schedule;
  int64_t columns;

private:
  void resolveSizes();
  mlir::DictionaryAttr getProblem();
  void addArgument(llvm::StringRef name, llvm::StringRef role,
                   llvm::ArrayRef<mlir::Attribute> dims,
                   llvm::ArrayRef<int64_t> shape, mlir::Type elementType);

  llvm::StringMap<int64_t> sizes;
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<tile::ArgumentAttr> arguments;
  llvm::SmallVector<mlir::Attribute> constraints;
  mlir::Block *body = nullptr;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_PROGRAMBUILDER_H
