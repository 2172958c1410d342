//===- fp8_model_test.cpp - What 8-bit arithmetic may cost ----------------===//

#include "forward_model.h"
#include "key_order.h"

#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

using namespace fa3;
using namespace fa3::run;

namespace {

/// A problem with one head, whose values tests choose.
class Problem {
public:
  explicit Problem(int64_t keyCount) {
    add("q", FA3_DTYPE_E4M3, {1, 1, 1, depth});
    add("k", FA3_DTYPE_E4M3, {1, keyCount, 1, depth});
    add("v", FA3_DTYPE_E4M3, {1, keyCount, 1, depth});
    add("o", FA3_DTYPE_BF16, {1, 1, 1, depth}, FA3_ROLE_OUTPUT);
    for (const char *name : {"q", "k", "v"}) {
      at(name).replaceValues();
      for (int64_t row = 0; row < at(name).rows(); ++row)
        set(name, row, {});
    }
  }

  /// The first elements of a row; the others are 0.
  void set(const std::string &name, int64_t row, std::vector<float> values) {
    values.resize(depth);
    at(name).setRow(row, values.data());
  }

  /// The query's row in 8-bit arithmetic and in fp64.
  ModelRow compute() {
    const Forward forward({{"kind", "forward"},
                           {"dtype", "e4m3"},
                           {"output_dtype", "bf16"},
                           {"scale", 1.0}},
                          Tensors(tensors));
    const Slice slice(forward, 0, 0);
    QueryBlock queries = {.values = std::vector<float>(depth),
                          .scales = {forward.scoreScale(0, 0, 0)},
                          .counts = {forward.shape.keys}};
    forward.q.generateRow(0, queries.values.data());
    AttendedRow row(forward.shape);
    row.compute(queries.scales[0], queries.values.data(), slice.keys,
                slice.values, queries.counts[0], slice.keyFactors);
    exact = row.output;
    const auto model = makeFp8Model(forward);
    model->begin(slice, queries);
    return model->compare(0, row);
  }

  /// Factors of the query and of the keys.
  void setFactors(float query, std::vector<float> keys) {
    add("q_descale", FA3_DTYPE_F32, {1, 1, 1});
    add("k_descale", FA3_DTYPE_F32, {1, 1, static_cast<int64_t>(keys.size())});
    for (const char *name : {"q_descale", "k_descale"})
      at(name).replaceValues();
    at("q_descale").setRow(0, &query);
    at("k_descale").setRow(0, keys.data());
  }

  static constexpr int64_t depth = 64;
  std::vector<double> exact;

private:
  void add(const char *name, fa3_dtype dtype, const std::vector<int64_t> &sizes,
           fa3_role role = FA3_ROLE_INPUT) {
    fa3_tensor_info info{};
    info.name = name;
    info.role = role;
    info.dtype = dtype;
    info.rank = static_cast<int32_t>(sizes.size());
    tensors.emplace_back(info, sizes, Options());
  }
  Tensor &at(const std::string &name) {
    return *std::ranges::find(tensors, name, &Tensor::name);
  }

  std::vector<Tensor> tensors;
};

} // namespace

TEST(Fp8ModelTest, OneKeyIsExact) {
  Problem problem(1);
  problem.set("q", 0, {1.5f, -2});
  problem.set("k", 0, {0.75f, 3});
  problem.set("v", 0, {0.3125f, -448});
  const ModelRow row = problem.compute();
  EXPECT_EQ(row.outputError, 0);
  EXPECT_EQ(row.output, problem.exact);
  // It is its own reference, and not rounded.
  EXPECT_EQ(row.rounding, std::vector<double>(Problem::depth));
  EXPECT_EQ(row.lseError, 0);
}

// 7168 + 1/4 - 7168 is 0 in one step of a tensor core, and 1/4 in two.
TEST(Fp8ModelTest, ScoresAreCutAsTensorCoresDo) {
  Problem problem(1);
  problem.set("q", 0, {16, 0.5f, -16});
  problem.set("k", 0, {448, 0.5f, 448});
  EXPECT_EQ(problem.compute().lseError, 2 * 0.25);
  std::vector<float> query(64);
  std::vector<float> key(64);
  query[0] = 16;
  query[1] = -16;
  key[0] = key[1] = 448;
  query[40] = key[40] = 0.5f;
  problem.set("q", 0, query);
  problem.set("k", 0, key);
  EXPECT_EQ(problem.compute().lseError, 0);
}

// What is added to a sum 2^13 times as large is lost.
TEST(Fp8ModelTest, LongSumsLoseSmallTerms) {
  constexpr int64_t keys = 96;
  Problem problem(keys);
  for (int64_t j = 0; j < keys; ++j)
    problem.set("v", j, {j == 0 ? 448.0f : j < 32 ? 0.0f : 0x1p-6f});
  // The large one comes first, in a step of its own.
  const ModelRow row = problem.compute();
  EXPECT_NEAR(problem.exact[0], (448 + 64 * 0x1p-6) / 96, 1e-6);
  EXPECT_GE(row.outputError, 64 * 0x1p-6 / 96);
}

// All other probabilities are below half of e4m3's smallest number.
TEST(Fp8ModelTest, SmallProbabilitiesVanish) {
  constexpr int64_t keys = 1024;
  Problem problem(keys);
  problem.set("q", 0, {1});
  problem.set("k", 0, {12});
  for (int64_t j = 1; j < keys; ++j)
    problem.set("v", j, {1});
  const ModelRow row = problem.compute();
  const double lost = (keys - 1) * std::exp(-12.0);
  EXPECT_NEAR(problem.exact[0], lost / (1 + lost), 1e-9);
  EXPECT_DOUBLE_EQ(row.outputError, problem.exact[0]);
  EXPECT_EQ(row.output[0], 0);
  EXPECT_GT(row.lseError, 2 * std::log(1 + lost));
}

// The largest probability may lie between two numbers of e4m3.
TEST(Fp8ModelTest, ReferencesMayLag) {
  Problem problem(2);
  problem.set("q", 0, {1});
  problem.set("k", 0, {20});
  problem.set("v", 0, {3, -1});
  const ModelRow row = problem.compute();
  EXPECT_NEAR(row.rounding[0], 3.0 / 16, 1e-6);
  EXPECT_NEAR(row.rounding[1], 1.0 / 16, 1e-6);
  EXPECT_EQ(row.rounding[2], 0);
  EXPECT_NEAR(row.lseError, 1.0 / 16, 1e-6);
}

TEST(Fp8ModelTest, ManyRoundingsCancelEachOther) {
  constexpr int64_t keys = 4096;
  Problem problem(keys);
  for (int64_t j = 0; j < keys; ++j)
    problem.set("v", j, {j % 2 ? -2.0f : 2.0f});
  const ModelRow row = problem.compute();
  EXPECT_EQ(problem.exact[0], 0);
  EXPECT_EQ(row.outputError, 0);
  EXPECT_NEAR(row.rounding[0], 3 * 2 / 64.0 / 16, 1e-6);
  EXPECT_NEAR(row.lseError, 3 / 64.0 / 16, 1e-6);
}

// Scores 3 and 1 before the factors, 6 and 8 with them.
TEST(Fp8ModelTest, RowsHaveFactors) {
  Problem problem(2);
  problem.set("q", 0, {1, 1});
  problem.set("k", 0, {3});
  problem.set("k", 1, {0, 1});
  problem.set("v", 0, {1});
  problem.set("v", 1, {0, 1});
  problem.setFactors(4, {0.5f, 2});
  const ModelRow row = problem.compute();
  const double small = std::exp(-2.0);
  EXPECT_NEAR(problem.exact[0], small / (1 + small), 1e-12);
  EXPECT_NEAR(problem.exact[1], 1 / (1 + small), 1e-12);
  // 16 e^-2 is rounded to 2.25.
  EXPECT_NEAR(row.output[0], 2.25 / (16 + 2.25), 0x1p-12);
  EXPECT_LT(row.outputError, 0.01);
}

TEST(KeyOrderTest, InterleavesGroupsOf16) {
  const int64_t keys[] = {0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15};
  for (int64_t position = 0; position < 64; ++position) {
    EXPECT_EQ(keyAt(position), position / 16 * 16 + keys[position % 16]);
    EXPECT_EQ(positionOf(keyAt(position)), position);
  }
  EXPECT_EQ(paddedKeys(0), 0);
  EXPECT_EQ(paddedKeys(1), 16);
  EXPECT_EQ(paddedKeys(16), 16);
}

TEST(TensorTest, TransposedKeys) {
  constexpr int64_t batch = 2;
  constexpr int64_t keys = 37;
  constexpr int64_t heads = 3;
  constexpr int64_t depth = 8;
  fa3_tensor_info info{};
  info.name = "v";
  info.role = FA3_ROLE_INPUT;
  info.dtype = FA3_DTYPE_E4M3;
  info.rank = 4;
  Options options;
  options.distribution = Distribution::Outlier;
  const Tensor rows(info, {batch, keys, heads, depth}, options);
  Tensor columns(info, {batch, heads, depth, 64}, options);
  columns.transposeKeys(keys);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      for (ValueKind kind : {ValueKind::Stored, ValueKind::Unrounded}) {
        const HeadRows expected(rows, b, h, kind);
        const HeadRows found(columns, b, h, kind);
        EXPECT_EQ(found.values, expected.values);
        EXPECT_EQ(found.lengths, expected.lengths);
      }
      for (int64_t position = 0; position < 64; ++position)
        if (keyAt(position) >= keys)
          EXPECT_EQ(columns.generateElement(columns.rowAt({b, h, 5}), position),
                    0)
              << position;
    }
}

// TMA reads the factors of keys, and a row of those of queries may begin
// anywhere.
TEST(TensorTest, FactorsOfRows) {
  const auto stridesOf = [](const char *name, Layout layout,
                            const std::vector<int64_t> &sizes) {
    fa3_tensor_info info{};
    info.name = name;
    info.role = FA3_ROLE_INPUT;
    info.dtype = FA3_DTYPE_F32;
    info.rank = 3;
    Options options;
    options.layout = layout;
    const fa3_tensor tensor = Tensor(info, sizes, options).descriptor();
    return std::vector<int64_t>(tensor.strides, tensor.strides + 3);
  };
  using Strides = std::vector<int64_t>;
  EXPECT_EQ(stridesOf("q_descale", Layout::Bshd, {2, 3, 37}),
            (Strides{111, 37, 1}));
  EXPECT_EQ(stridesOf("k_descale", Layout::Bshd, {2, 3, 37}),
            (Strides{120, 40, 1}));
  EXPECT_EQ(stridesOf("k_descale", Layout::Bshd, {2, 3, 40}),
            (Strides{120, 40, 1}));
  EXPECT_EQ(stridesOf("q_descale", Layout::Bhsd, {2, 3, 37}),
            (Strides{37, 74, 1}));
  EXPECT_EQ(stridesOf("k_descale", Layout::Bhsd, {2, 3, 37}),
            (Strides{40, 80, 1}));
  EXPECT_EQ(stridesOf("q_descale", Layout::Sliced, {2, 3, 37}),
            (Strides{207, 69, 1}));
  EXPECT_EQ(stridesOf("k_descale", Layout::Sliced, {2, 3, 37}),
            (Strides{216, 72, 1}));
  EXPECT_EQ(stridesOf("k_descale", Layout::Bshd, {1, 1, 0}),
            (Strides{4, 4, 1}));
}

TEST(TensorTest, DescalesLieInTheirRange) {
  fa3_tensor_info info{};
  info.name = "k_descale";
  info.role = FA3_ROLE_INPUT;
  info.dtype = FA3_DTYPE_F32;
  info.rank = 2;
  Options options;
  EXPECT_EQ(Tensor(info, {5, 40}, options).generateElement(4, 39), 1);
  options.descales = {0.01, 2};
  const Tensor tensor(info, {5, 40}, options);
  std::set<float> found;
  int64_t small = 0;
  for (int64_t b = 0; b < 5; ++b)
    for (int64_t h = 0; h < 40; ++h) {
      const float value = tensor.generateElement(b, h);
      EXPECT_GE(value, 0.01f);
      EXPECT_LE(value, 2.0f);
      small += value < 0.1414f;
      found.insert(value);
    }
  EXPECT_EQ(found.size(), 200u);
  // Every order of magnitude has as many.
  EXPECT_NEAR(static_cast<double>(small), 100, 30);
}
