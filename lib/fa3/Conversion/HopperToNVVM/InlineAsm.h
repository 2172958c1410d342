//===- InlineAsm.h - Inline PTX ---------------------------------*- C++ -*-===//

#ifndef FA3_CONVERSION_HOPPERTONVVM_INLINEASM_H
#define FA3_CONVERSION_HOPPERTONVVM_INLINEASM_H

#include "mlir/IR/Builders.h"

namespace fa3 {

/// One inline PTX statement. Operands are numbered results first, then inputs
/// in the order in which they were added.
class InlineAsm {
public:
  InlineAsm(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  /// Adds results; they come before every input.
  InlineAsm &results(mlir::TypeRange types);
  /// Adds an input in a register; returns its placeholder, e.g. "$3".
  std::string input(mlir::Value value);
  /// Adds inputs; returns their placeholders, e.g. "{$0, $1}".
  std::string inputList(mlir::ValueRange values);
  /// Adds one input, or several as a vector: "$0", or "{$0, $1}".
  std::string vectorInput(mlir::ValueRange values);
  /// Adds inputs that share the registers of the results.
  InlineAsm &tied(mlir::ValueRange values);
  /// The statement may not move across memory accesses.
  InlineAsm &clobbersMemory();
  /// The statement has no side effect and may be moved or removed.
  InlineAsm &pure();
  /// Placeholders of the results, e.g. "{$0, $1}".
  std::string resultList() const;
  /// Placeholder of one result, or of several as a vector.
  std::string vectorResult() const;
  /// What an instruction's name has for that many registers: "" or ".v4".
  static std::string vectorSuffix(size_t count);

  /// Emits the statement `text`. With a predicate, all of it is executed only
  /// on threads where the predicate holds; `text` must be one instruction then.
  llvm::SmallVector<mlir::Value> emit(const llvm::Twine &text,
                                      mlir::Value predicate = {});

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Type> resultTypes;
  llvm::SmallVector<mlir::Value> operands;
  std::string constraints;
  bool memory = false;
  bool sideEffects = true;

  void addConstraint(llvm::StringRef constraint);
};

} // namespace fa3

#endif // FA3_CONVERSION_HOPPERTONVVM_INLINEASM_H
