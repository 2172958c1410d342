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

/// Writes one kernel of an attention operation. A program derives from it,
/// declares its tensors and writes its body.
class ProgramBuilder {
public:
  virtual ~ProgramBuilder() = default;

  tile::KernelOp write(llvm::StringRef name);

protected:
  ProgramBuilder(mlir::OpBuilder &builder, attn::AttentionOpInterface attention,
                 tile::ScheduleAttr schedule);

  /// Calls addTensor and addWorkspace for every argument, in order.
  virtual void addArguments() = 0;
  virtual void writeBody() = 0;

  //===--- Signature ------------------------------------------------------===//

  /// Adds the operand or result of the attention operation that has this name.
  void addTensor(llvm::StringRef name, llvm::StringRef role);
  /// Adds a tensor in the workspace, of f32 by default.
  void addWorkspace(llvm::StringRef name, llvm::ArrayRef<mlir::Attribute> dims,
                    mlir::Type elementType = {});
  /// Adds the workspace's values as products of 8 bits take them: (batch,
  /// heads_kv, head dim, keys), each 16 keys in the order of tile.interleave.
  void addValueColumns();
  static constexpr llvm::StringLiteral kValueColumns = "v_columns";
  /// A size as a dimension of a workspace tensor: a symbol, or a number if it
  /// is static.
  mlir::Attribute size(llvm::StringRef name);
  mlir::Attribute size(int64_t value) { return b.getI64IntegerAttr(value); }

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
  /// Rounds a tile of f32 to the type of the attention operation's output.
  mlir::Value round(mlir::Value tile);
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
  /// The CTA's coordinates in a grid of these extents, fastest first.
  llvm::SmallVector<mlir::Value> programIds(llvm::ArrayRef<mlir::Value> grid);
  /// The block of `rows` queries that a CTA owns, in a grid of all of them.
  struct QueryBlock {
    mlir::Value batch, head, keyHead, row0;
  };
  QueryBlock queryBlock();
  /// How many query heads share a key head.
  mlir::Value groupSize();

  mlir::ImplicitLocOpBuilder b;
  attn::AttentionOpInterface attention;
  tile::ScheduleAttr schedule;
  /// The type of queries, keys and values.
  mlir::Type element;
  /// The 16-bit type of the output.
  mlir::Type outputElement;
  int64_t rows, cols;
  /// Columns of tiles of queries, keys and values.
  int64_t columns;
  double scale;
  /// What scores are multiplied by in front of exp2.
  double exponentScale;

private:
  void resolveSizes();
  /// The manifest's "operation".
  mlir::DictionaryAttr getProblem();
  void addArgument(llvm::StringRef name, llvm::StringRef role,
                   llvm::ArrayRef<mlir::Attribute> dims,
                   llvm::ArrayRef<int64_t> shape, mlir::Type elementType);

  llvm::StringMap<int64_t> sizes;
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<tile::ArgumentAttr> arguments;
  mlir::Block *body = nullptr;
};

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_PROGRAMBUILDER_H
