//===- gradients_test.cpp - The reference of the backward pass ------------===//
//
// Its gradients against finite differences of a forward pass that is written
// here, in fp64 throughout.
//
//===----------------------------------------------------------------------===//

#include "backward_gradients.h"

#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

using namespace fa3;
using namespace fa3::run;

namespace {

using Values = std::vector<double>;

struct Sizes {
  int64_t queries;
  int64_t keys;
  int64_t queryHeads = 2;
  int64_t keyHeads = 1;
};

constexpr int64_t batch = 2;
constexpr int64_t depth = 8;
constexpr double scale = 0.3;

/// A problem in fp32, so that rounding does not hide the gradients' errors.
class Problem {
public:
  Problem(const Sizes &sizes, bool causal, bool withLseGradient);

  Tensor &at(const std::string &name) {
    return *std::ranges::find(tensors, name, &Tensor::name);
  }
  /// The elements of an input.
  Values values(const std::string &name);
  /// What the gradients are of: the sum of o * do and of lse * dlse.
  double loss(const Values &q, const Values &k, const Values &v);
  /// How the loss changes with each element of q, k or v.
  Values differences(const std::string &name);

  const Sizes sizes;
  const bool causal;
  const bool withLseGradient;
  std::vector<Tensor> tensors;

  Backward backward() const {
    return {{{"kind", "backward"}, {"causal", causal}, {"scale", scale}},
            Tensors(tensors)};
  }

private:
  void forward(const Values &q, const Values &k, const Values &v,
               const std::function<void(const std::vector<int64_t> &row,
                                        const Values &o, double lse)> &body);
};

} // namespace

Problem::Problem(const Sizes &sizes, bool causal, bool withLseGradient)
    : sizes(sizes), causal(causal), withLseGradient(withLseGradient) {
  const auto add = [&](const char *name, const std::vector<int64_t> &dims) {
    fa3_tensor_info info{};
    info.name = name;
    info.role = FA3_ROLE_INPUT;
    info.dtype = FA3_DTYPE_F32;
    info.rank = static_cast<int32_t>(dims.size());
    tensors.emplace_back(info, dims, Options());
  };
  for (const char *name : {"q", "o", "do"})
    add(name, {batch, sizes.queries, sizes.queryHeads, depth});
  for (const char *name : {"k", "v"})
    add(name, {batch, sizes.keys, sizes.keyHeads, depth});
  add("lse", {batch, sizes.queryHeads, sizes.queries});
  if (withLseGradient)
    add("dlse", {batch, sizes.queryHeads, sizes.queries});

  Tensor &o = at("o");
  Tensor &lse = at("lse");
  std::vector<float> allLse(batch * sizes.queryHeads * sizes.queries);
  o.replaceValues();
  forward(values("q"), values("k"), values("v"),
          [&](const std::vector<int64_t> &row, const Values &output,
              double lseOfRow) {
            const std::vector<float> narrowed(output.begin(), output.end());
            o.setRow(o.rowAt(row), narrowed.data());
            allLse[lse.rowAt({row[0], row[2]}) * sizes.queries + row[1]] =
                static_cast<float>(lseOfRow);
          });
  lse.replaceValues();
  for (int64_t row = 0; row < lse.rows(); ++row)
    lse.setRow(row, &allLse[row * sizes.queries]);
}

Values Problem::values(const std::string &name) {
  const Tensor &tensor = at(name);
  std::vector<float> elements(tensor.rows() * tensor.columns());
  for (int64_t row = 0; row < tensor.rows(); ++row)
    tensor.generateRow(row, &elements[row * tensor.columns()]);
  return {elements.begin(), elements.end()};
}

void Problem::forward(
    const Values &q, const Values &k, const Values &v,
    const std::function<void(const std::vector<int64_t> &row, const Values &o,
                             double lse)> &body) {
  const int64_t ratio = sizes.queryHeads / sizes.keyHeads;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < sizes.queries; ++i)
      for (int64_t h = 0; h < sizes.queryHeads; ++h) {
        Values output(depth);
        double sum = 0;
        for (int64_t j = 0; j < sizes.keys; ++j) {
          if (causal && j > i + sizes.keys - sizes.queries)
            continue;
          const int64_t query = (b * sizes.queries + i) * sizes.queryHeads + h;
          const int64_t key = (b * sizes.keys + j) * sizes.keyHeads + h / ratio;
          double score = 0;
          for (int64_t c = 0; c < depth; ++c)
            score += scale * q[query * depth + c] * k[key * depth + c];
          sum += std::exp(score);
          for (int64_t c = 0; c < depth; ++c)
            output[c] += std::exp(score) * v[key * depth + c];
        }
        for (double &element : output)
          element = sum == 0 ? 0 : element / sum;
        body({b, i, h}, output, std::log(sum));
      }
}

double Problem::loss(const Values &q, const Values &k, const Values &v) {
  double total = 0;
  forward(
      q, k, v,
      [&](const std::vector<int64_t> &row, const Values &output, double lse) {
        std::vector<float> gradient(depth);
        const Tensor &outputGradient = at("do");
        outputGradient.generateRow(outputGradient.rowAt(row), gradient.data());
        for (int64_t c = 0; c < depth; ++c)
          total += output[c] * gradient[c];
        if (withLseGradient && std::isfinite(lse))
          total += lse * at("dlse").generateElement(
                             at("dlse").rowAt({row[0], row[2]}), row[1]);
      });
  return total;
}

Values Problem::differences(const std::string &name) {
  constexpr double step = 1e-4;
  Values q = values("q");
  Values k = values("k");
  Values v = values("v");
  Values &changed = name == "q" ? q : name == "k" ? k : v;
  Values result;
  for (double &element : changed) {
    const double before = element;
    element = before + step;
    const double above = loss(q, k, v);
    element = before - step;
    const double below = loss(q, k, v);
    element = before;
    result.push_back((above - below) / (2 * step));
  }
  return result;
}

static void expectNear(const Values &found, const double *expected,
                       const char *tensor, int64_t row) {
  for (int64_t c = 0; c < depth; ++c)
    EXPECT_NEAR(found[c], expected[c], 2e-6)
        << tensor << ", row " << row << ", column " << c;
}

static void expectGradients(const Sizes &sizes, bool causal,
                            bool withLseGradient) {
  Problem problem(sizes, causal, withLseGradient);
  const Backward backward = problem.backward();
  const Values dq = problem.differences("q");
  const Values dk = problem.differences("k");
  const Values dv = problem.differences("v");
  std::vector<int64_t> allKeys(sizes.keys);
  std::iota(allKeys.begin(), allKeys.end(), int64_t{0});
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t keyHead = 0; keyHead < sizes.keyHeads; ++keyHead) {
      const GradientSlice slice(backward, b, keyHead);
      KeyGradients gradients(backward, slice, allKeys);
      for (int64_t i = 0; i < backward.ratio(); ++i) {
        const int64_t head = backward.firstQueryHead(keyHead) + i;
        const std::vector<QueryRow> queries = queriesOfHead(backward, b, head);
        LargestGradient largest;
        const std::vector<GradientRow> rows =
            queryGradients(backward, slice, queries, largest);
        for (int64_t query = 0; query < sizes.queries; ++query) {
          const int64_t row = backward.q.rowAt({b, query, head});
          expectNear(rows[query].exact, &dq[row * depth], "dq", row);
        }
        gradients.add(queries);
      }
      gradients.finish();
      for (int64_t key = 0; key < sizes.keys; ++key) {
        const int64_t row = backward.k.rowAt({b, key, keyHead});
        expectNear(gradients.key(key).exact, &dk[row * depth], "dk", row);
        expectNear(gradients.value(key).exact, &dv[row * depth], "dv", row);
      }
    }
}

TEST(GradientsTest, MatchFiniteDifferences) {
  for (const Sizes &sizes :
       {Sizes{5, 5}, Sizes{3, 6}, Sizes{6, 3}, Sizes{1, 1}, Sizes{4, 5, 6, 2}})
    for (bool causal : {false, true})
      for (bool withLseGradient : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << sizes.queries << " queries, " << sizes.keys
                     << " keys, causal " << causal << ", dlse "
                     << withLseGradient);
        expectGradients(sizes, causal, withLseGradient);
      }
}

TEST(GradientsTest, QueriesWithoutKeysHaveNone) {
  Problem problem({6, 3}, true, true);
  const Backward backward = problem.backward();
  const GradientSlice slice(backward, 0, 0);
  for (int64_t i = 0; i < 6; ++i) {
    const QueryRow query(backward, 0, 1, i);
    EXPECT_EQ(std::isinf(query.lse), i < 3);
    LargestGradient largest;
    const GradientRow gradient =
        queryGradients(backward, slice, {&query, 1}, largest).at(0);
    EXPECT_EQ(largest.exact == 0, i < 3) << i;
    EXPECT_EQ(gradient.exact == Values(depth), i < 3) << i;
    EXPECT_EQ(gradient.uncertainty == 0, i < 3) << i;
  }
}

TEST(GradientsTest, UnknownAttributes) {
  Problem problem({2, 2}, false, false);
  EXPECT_THROW(
      Backward({{"kind", "backward"}, {"window", 3}}, Tensors(problem.tensors)),
      UsageError);
}
