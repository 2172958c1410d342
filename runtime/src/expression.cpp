//===- expression.cpp - Integer expressions of a manifest -----------------===//

#include "expression.h"

#include <algorithm>
#include <limits>

namespace fa3 {

static const char *apply(Expression::Operation operation, int64_t a, int64_t b,
                         int64_t &result) {
  using Operation = Expression::Operation;
  static constexpr const char *overflow = "the result exceeds 64 bits";
  switch (operation) {
  case Operation::Add:
    return __builtin_add_overflow(a, b, &result) ? overflow : nullptr;
  case Operation::Sub:
    return __builtin_sub_overflow(a, b, &result) ? overflow : nullptr;
  case Operation::Mul:
    return __builtin_mul_overflow(a, b, &result) ? overflow : nullptr;
  case Operation::Div:
  case Operation::CeilDiv:
  case Operation::Rem:
    if (b == 0)
      return "division by zero";
    if (a == std::numeric_limits<int64_t>::min() && b == -1)
      return overflow;
    if (operation == Operation::Rem)
      result = a % b;
    else if (operation == Operation::Div)
      result = a / b;
    else
      result = a / b + (a % b != 0 && (a % b < 0) == (b < 0) ? 1 : 0);
    return nullptr;
  case Operation::Min:
    result = std::min(a, b);
    return nullptr;
  case Operation::Max:
    result = std::max(a, b);
    return nullptr;
  case Operation::Literal:
  case Operation::Symbol:
    break;
  }
  return "malformed expression";
}

const char *Expression::evaluate(const int64_t *symbols,
                                 int64_t &result) const {
  // One operand waits per enclosing operation, and one is being computed.
  int64_t stack[FA3_MAX_EXPRESSION_DEPTH + 2];
  int depth = 0;
  for (const Step &step : steps) {
    switch (step.operation) {
    case Operation::Literal:
      stack[depth++] = step.value;
      break;
    case Operation::Symbol:
      stack[depth++] = symbols[step.value];
      break;
    default:
      --depth;
      if (const char *problem = apply(step.operation, stack[depth - 1],
                                      stack[depth], stack[depth - 1]))
        return problem;
    }
  }
  result = stack[0];
  return nullptr;
}

} // namespace fa3
