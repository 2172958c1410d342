//===- expression_test.cpp - Arithmetic without undefined behavior --------===//

#include "expression.h"

#include "gtest/gtest.h"

#include <limits>

using fa3::Expression;
using Operation = fa3::Expression::Operation;

static constexpr int64_t least = std::numeric_limits<int64_t>::min();
static constexpr int64_t most = std::numeric_limits<int64_t>::max();

/// The result of an operation, or an error.
struct Result {
  int64_t value;
  const char *problem;
};

static Result apply(Operation operation, int64_t a, int64_t b) {
  Expression expression;
  expression.pushLiteral(a);
  expression.pushSymbol(0);
  expression.pushOperation(operation);
  Result result{};
  result.problem = expression.evaluate(&b, result.value);
  return result;
}

static int64_t valueOf(Operation operation, int64_t a, int64_t b) {
  const Result result = apply(operation, a, b);
  EXPECT_EQ(result.problem, nullptr);
  return result.value;
}

TEST(ExpressionTest, Values) {
  EXPECT_EQ(valueOf(Operation::Add, 2, 3), 5);
  EXPECT_EQ(valueOf(Operation::Sub, 2, 3), -1);
  EXPECT_EQ(valueOf(Operation::Mul, -2, 3), -6);
  EXPECT_EQ(valueOf(Operation::Min, -2, 3), -2);
  EXPECT_EQ(valueOf(Operation::Max, -2, 3), 3);
}

TEST(ExpressionTest, DivisionRounds) {
  for (int64_t a = -9; a <= 9; ++a)
    for (int64_t b = -4; b <= 4; ++b) {
      if (b == 0)
        continue;
      EXPECT_EQ(valueOf(Operation::Div, a, b), a / b);
      EXPECT_EQ(valueOf(Operation::Rem, a, b), a % b);
      const int64_t ceiling = valueOf(Operation::CeilDiv, a, b);
      const double exact = static_cast<double>(a) / static_cast<double>(b);
      EXPECT_GE(static_cast<double>(ceiling), exact) << a << " / " << b;
      EXPECT_LT(static_cast<double>(ceiling), exact + 1) << a << " / " << b;
    }
}

TEST(ExpressionTest, OverflowIsAnError) {
  EXPECT_STREQ(apply(Operation::Add, most, 1).problem,
               "the result exceeds 64 bits");
  EXPECT_NE(apply(Operation::Sub, least, 1).problem, nullptr);
  EXPECT_NE(apply(Operation::Mul, most, 2).problem, nullptr);
  for (Operation operation :
       {Operation::Div, Operation::CeilDiv, Operation::Rem})
    EXPECT_NE(apply(operation, least, -1).problem, nullptr);
  EXPECT_EQ(valueOf(Operation::CeilDiv, most, 2), most / 2 + 1);
}

TEST(ExpressionTest, DivisionByZeroIsAnError) {
  for (Operation operation :
       {Operation::Div, Operation::CeilDiv, Operation::Rem})
    EXPECT_STREQ(apply(operation, 1, 0).problem, "division by zero");
}

TEST(ExpressionTest, KnowsABareSymbol) {
  Expression symbol;
  symbol.pushSymbol(3);
  EXPECT_EQ(symbol.asSymbol(), 3);
  Expression literal;
  literal.pushLiteral(3);
  EXPECT_EQ(literal.asSymbol(), -1);
}
