//===- expression.h - Integer expressions of a manifest -------------------===//

#ifndef FA3_RUNTIME_SRC_EXPRESSION_H
#define FA3_RUNTIME_SRC_EXPRESSION_H

#include "fa3/runtime/abi.h"

#include <cstdint>
#include <vector>

namespace fa3 {

/// An expression over 64-bit integers and the problem's symbols, in postfix
/// order, so that evaluating it neither recurses nor allocates.
class Expression {
public:
  enum class Operation : uint8_t {
    Literal,
    Symbol,
    Add,
    Sub,
    Mul,
    Div,
    CeilDiv,
    Rem,
    Min,
    Max,
  };

  void pushLiteral(int64_t value) {
    steps.push_back({Operation::Literal, value});
  }
  void pushSymbol(int index) { steps.push_back({Operation::Symbol, index}); }
  /// Combines the two results pushed last. At most FA3_MAX_EXPRESSION_DEPTH
  /// operations may be nested.
  void pushOperation(Operation operation) { steps.push_back({operation, 0}); }

  /// The symbol that the whole expression consists of, or -1.
  int asSymbol() const {
    return steps.size() == 1 && steps[0].operation == Operation::Symbol
               ? static_cast<int>(steps[0].value)
               : -1;
  }

  /// Evaluates into `result`. Returns null, or what went wrong.
  const char *evaluate(const int64_t *symbols, int64_t &result) const;

private:
  struct Step {
    Operation operation;
    int64_t value;
  };
  std::vector<Step> steps;
};

} // namespace fa3

#endif // FA3_RUNTIME_SRC_EXPRESSION_H
