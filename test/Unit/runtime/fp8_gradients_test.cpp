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
  Problem(int64_t queries, int64_t keys, const std::string &scoreGradients) {
    for (const char *name : {"q", "do", "k", "v"})
      add(name, FA3_DTYPE_E4M3,
          {1, *name == 'q' || *name == 'd' ? queries : keys, 1, depth});
    add("o", FA3_DTYPE_BF16, {1, queries, 1, depth});
    add("lse", FA3_DTYPE_F32, {1, 1, queries});
    for (const char *name :
         {"q_descale", "k_descale", "v_descale", "do_descale"})
      add(name, FA3_DTYPE_F32, {1, 1});
    operation["ds_dtype"] = scoreGradients;
    if (scoreGradients == "e4m3")
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

  /// Of the first key and the first value.
  std::pair<GradientRow, GradientRow> keyRows() const {
    const Backward problem = backward();
    const GradientSlice slice(problem, 0, 0);
    KeyGradients gradients(problem, slice, {0});
    gradients.add(queriesOfHead(problem, 0, 0));
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
