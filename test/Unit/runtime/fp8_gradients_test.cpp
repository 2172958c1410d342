//===- fp8_gradients_test.cpp - Gradients of 8-bit values -----------------===//

#include "backward_gradients.h"

#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace fa3;
using namespace fa3::run;

namespace {

constexpr int64_t depth = 64;

/// A problem with one head, whose values tests choose; they are 0 at first.
class Problem {
public:
  Problem(int64_t queries, int64_t keys, const std::string &scoreGradients,
          bool withScale = true) {
    for (const char *name : {"q", "do", "k", "v"})
      add(name, FA3_DTYPE_E4M3,
          {1, *name == 'q' || *name == 'd' ? queries : keys, 1, depth});
    add("o", FA3_DTYPE_BF16, {1, queries, 1, depth});
    add("lse", FA3_DTYPE_F32, {1, 1, queries});
    for (const char *name :
         {"q_descale", "k_descale", "v_descale", "do_descale"})
      add(name, FA3_DTYPE_F32, {1, 1});
    operation["ds_dtype"] = scoreGradients;
    if (scoreGradients == "e4m3" && withScale)
      add("ds_scale", FA3_DTYPE_F32, {1, 1});
    for (Tensor &tensor : tensors)
      if (tensor.columns() == 1 && tensor.sizes().size() == 2)
        set(tensor.name(), 0, {1});
    std::vector<float> lse(queries, std::log(static_cast<float>(keys)));
    set("lse", 0, lse);
  }

  /// The first elements of a row; the others are 0.
  void set(const std::string &name, int64_t row, std::vector<float> values) {
    Tensor &tensor = *std::ranges::find(tensors, name, &Tensor::name);
    values.resize(tensor.columns());
    tensor.setRow(row, values.data());
  }

  Backward backward() const { return {operation, Tensors(tensors)}; }

  /// The gradient of the first query.
  GradientRow queryRow() {
    const Backward problem = backward();
    const QueryRow query(problem, 0, 0, 0);
    largest = {};
    return queryGradients(problem, GradientSlice(problem, 0, 0), {&query, 1},
                          largest)
        .at(0);
  }

  /// Of a key and its value.
  std::pair<GradientRow, GradientRow> keyRows(int64_t key = 0) const {
    const Backward problem = backward();
    const GradientSlice slice(problem, 0, 0);
    KeyGradients gradients(problem, slice, {key});
    const std::vector<QueryRow> queries = queriesOfHead(problem, 0, 0);
    gradients.look(queries);
    gradients.add(queries);
    gradients.finish();
    return {gradients.key(0), gradients.value(0)};
  }

  LargestGradient largest; ///< of the last queryRow

private:
  void add(const char *name, fa3_dtype dtype, std::vector<int64_t> sizes) {
    fa3_tensor_info info{};
    info.name = name;
    info.role = FA3_ROLE_INPUT;
    info.dtype = dtype;
    info.rank = static_cast<int32_t>(sizes.size());
    tensors.emplace_back(info, std::move(sizes), Options()).replaceValues();
  }

  nlohmann::json operation = {
      {"kind", "backward"},       {"dtype", "e4m3"}, {"output_dtype", "bf16"},
      {"gradient_dtype", "e4m3"}, {"scale", 0.5},    {"causal", false},
  };
  std::vector<Tensor> tensors;
};

double largestError(const GradientRow &row) {
  double error = 0;
  for (int64_t c = 0; c < depth; ++c)
    error = std::max(error, std::abs(row.model[c] - row.exact[c]));
  return error;
}

} // namespace

// By hand: s = 0.5 * 2 * 4 * (1.5 * 0.25), p = exp(s - lse),
// ds = p * (3 * 0.5 * (0.5 * -2) - 3 * (0.5 * 1.5)).
TEST(Fp8GradientsTest, DescalesMultiply) {
  for (const char *type : {"e4m3", "bf16", "f16"}) {
    Problem problem(1, 1, type);
    problem.set("q", 0, {1.5f});
    problem.set("k", 0, {0.25f});
    problem.set("v", 0, {-2});
    problem.set("do", 0, {0.5f});
    problem.set("o", 0, {1.5f});
    problem.set("lse", 0, {1});
    problem.set("q_descale", 0, {2});
    problem.set("k_descale", 0, {4});
    problem.set("v_descale", 0, {0.5f});
    problem.set("do_descale", 0, {3});
    if (std::string(type) == "e4m3")
      problem.set("ds_scale", 0, {10});
    const double p = std::exp(1.5 - 1);
    const double ds = p * (-1.5 - 2.25);
    const GradientRow dq = problem.queryRow();
    EXPECT_NEAR(dq.exact[0], 0.5 * 4 * ds * 0.25, 1e-12);
    EXPECT_NEAR(problem.largest.exact, -ds, 1e-12);
    EXPECT_NEAR(problem.largest.model, -ds, 1e-5);
    EXPECT_GT(problem.largest.bound, problem.largest.model);
    const auto [dk, dv] = problem.keyRows();
    EXPECT_NEAR(dk.exact[0], 0.5 * 2 * ds * 1.5, 1e-12);
    EXPECT_NEAR(dv.exact[0], 3 * p * 0.5, 1e-12);
    // The models are off by what one rounding may cost, and are not exact.
    const double most = std::string(type) == "e4m3" ? 0x1p-4 : 0x1p-7;
    for (const GradientRow *row : {&dq, &dk}) {
      EXPECT_LE(largestError(*row), most * std::abs(row->exact[0])) << type;
      EXPECT_GT(largestError(*row), 0) << type;
    }
    EXPECT_LE(largestError(dv), 0x1p-4 * dv.exact[0]);
    EXPECT_EQ(dq.exact[1], 0);
  }
}

TEST(Fp8GradientsTest, StoredGradientsSaturate) {
  Problem problem(1, 1, "e4m3");
  problem.set("k", 0, {1});
  problem.set("v", 0, {2});
  problem.set("do", 0, {1});
  // ds is 2, of which the range leaves 448 / 448.
  problem.set("ds_scale", 0, {448});
  const GradientRow row = problem.queryRow();
  EXPECT_EQ(row.exact[0], 0.5 * 2);
  EXPECT_EQ(row.model[0], 0.5 * 1);
  EXPECT_EQ(row.uncertainty, 0);
}

// A power of two that is not below the largest gradient becomes 2^6.
TEST(Fp8GradientsTest, FactorsOfRows) {
  EXPECT_EQ(Backward::rowFactor(1), 0x1p6);
  EXPECT_EQ(Backward::rowFactor(1.0625), 0x1p5);
  EXPECT_EQ(Backward::rowFactor(0.9375), 0x1p6);
  EXPECT_EQ(Backward::rowFactor(0.5), 0x1p7);
  EXPECT_EQ(Backward::rowFactor(0x1p20), 0x1p-14);
  EXPECT_EQ(Backward::rowFactor(0x1p-99), 0x1p105);
  // Smaller ones are as good as 0.
  for (double largest : {0x1p-100, 0x1p-101, 0x1p-1000, 0.0})
    EXPECT_EQ(Backward::rowFactor(largest), 0x1p106) << largest;
}

TEST(Fp8GradientsTest, RowsHaveFactors) {
  EXPECT_TRUE(Problem(1, 1, "e4m3", false).backward().hasRowFactors());
  EXPECT_FALSE(Problem(1, 1, "e4m3").backward().hasRowFactors());
  EXPECT_FALSE(Problem(1, 1, "bf16").backward().hasRowFactors());

  // Of any size.
  for (float size : {0x1p-60f, 0x1p-20f, 1.0f, 0x1p60f}) {
    Problem problem(1, 1, "e4m3", false);
    problem.set("k", 0, {0, 1});
    problem.set("q", 0, {0, 0, 1});
    problem.set("v", 0, {1});
    problem.set("do", 0, {1.5f});
    problem.set("v_descale", 0, {size});
    const GradientRow dq = problem.queryRow();
    EXPECT_EQ(dq.exact[1], 0.5 * 1.5 * size);
    EXPECT_EQ(dq.model[1], dq.exact[1]);
    const GradientRow dk = problem.keyRows().first;
    EXPECT_EQ(dk.exact[2], 0.5 * 1.5 * size);
    EXPECT_EQ(dk.model[2], dk.exact[2]);
  }
}

// What is 2^-17 of the largest of its row vanishes, wherever the latter is: the
// row of a query or the one of a key.
TEST(Fp8GradientsTest, SmallGradientsVanishInTheirRow) {
  for (int64_t large : {0, 1}) {
    const int64_t small = 1 - large;
    Problem keys(1, 2, "e4m3", false);
    keys.set("lse", 0, {0});
    keys.set("q", 0, {0, 0, 1});
    keys.set("do", 0, {1, 0x1p-8f});
    keys.set("v", large, {1});
    keys.set("v", small, {0, 0x1p-9f});
    keys.set("k", large, {1});
    keys.set("k", small, {0, 1});
    const GradientRow dq = keys.queryRow();
    EXPECT_EQ(dq.model[0], 0.5);
    EXPECT_EQ(dq.exact[1], 0x1p-18);
    EXPECT_EQ(dq.model[1], 0);
    EXPECT_EQ(keys.keyRows(large).first.model[2], 0.5);
    EXPECT_EQ(keys.keyRows(small).first.model[2], 0x1p-18);

    Problem queries(2, 1, "e4m3", false);
    queries.set("k", 0, {0, 0, 1});
    queries.set("v", 0, {1, 0x1p-9f});
    queries.set("do", large, {1});
    queries.set("do", small, {0, 0x1p-8f});
    queries.set("q", large, {1});
    queries.set("q", small, {0, 1});
    const GradientRow dk = queries.keyRows().first;
    EXPECT_EQ(dk.model[0], 0.5);
    EXPECT_EQ(dk.exact[1], 0x1p-18);
    EXPECT_EQ(dk.model[1], 0);
    EXPECT_EQ(queries.queryRow().model[2], large == 0 ? 0.5 : 0x1p-18);
  }
}

// 17 / 16 lies between two numbers: which one it becomes, fp32 decides.
TEST(Fp8GradientsTest, TiesAreUncertain) {
  for (float value : {1.0625f, 1.125f, 1.09375f}) {
    Problem problem(1, 1, "e4m3");
    problem.set("k", 0, {1});
    problem.set("v", 0, {1});
    problem.set("do", 0, {1});
    problem.set("ds_scale", 0, {value});
    const GradientRow row = problem.queryRow();
    if (value == 1.0625f)
      EXPECT_NEAR(row.uncertainty, 0.5 / 8 / value, 1e-6);
    else
      EXPECT_EQ(row.uncertainty, 0) << value;
  }
}

// What is added to a sum 2^13 times as large is lost.
TEST(Fp8GradientsTest, LongSumsLoseSmallTerms) {
  constexpr int64_t count = 256;
  const auto valueAt = [](int64_t i) {
    return i == 0 ? 448.0f : i < 32 ? 0.0f : 0x1p-6f;
  };
  Problem queries(count, 1, "e4m3");
  for (int64_t i = 0; i < count; ++i)
    queries.set("do", i, {valueAt(i)});
  const GradientRow dv = queries.keyRows().second;
  EXPECT_EQ(dv.exact[0], 448 + (count - 32) * 0x1p-6);
  EXPECT_EQ(dv.model[0], 448);
  // Each of 7 steps loses 32 terms.
  EXPECT_DOUBLE_EQ(dv.uncertainty, 3 * std::sqrt(7) * 32 * 0x1p-6);

  for (const char *type : {"e4m3", "f16"}) {
    Problem keys(1, count, type);
    keys.set("do", 0, {1});
    if (std::string(type) == "e4m3")
      keys.set("ds_scale", 0, {static_cast<float>(count)});
    for (int64_t j = 0; j < count; ++j) {
      keys.set("v", j, {1});
      keys.set("k", j, {0, valueAt(j)});
    }
    const GradientRow dq = keys.queryRow();
    EXPECT_NEAR(dq.exact[1] * count / 0.5, 448 + (count - 32) * 0x1p-6, 1e-4);
    // With gradients of scores in 16 bits nothing is, but in the last rounding.
    EXPECT_EQ(dq.model[1] * count / 0.5, *type == 'e' ? 448 : 452);
  }
}

TEST(Fp8GradientsTest, SmallProbabilitiesVanish) {
  Problem problem(1, 1, "e4m3");
  problem.set("do", 0, {1});
  for (int exponent : {-17, -18, -19}) {
    problem.set("lse", 0, {static_cast<float>(-exponent * std::log(2.0))});
    const GradientRow dv = problem.keyRows().second;
    EXPECT_NEAR(dv.exact[0], std::ldexp(1, exponent), 1e-10);
    if (exponent != -18) // half of the smallest number of e4m3
      EXPECT_EQ(dv.model[0], exponent == -17 ? 0x1p-17 : 0) << exponent;
  }
}
