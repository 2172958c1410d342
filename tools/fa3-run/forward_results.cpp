//===- forward_results.cpp - Inputs that a forward pass makes -------------===//

#include "forward_results.h"

#include "backward.h"
#include "gradient_scales.h"
#include "parallel.h"
#include "problem.h"
#include "session.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace fa3::run {

/// Multiply-adds that the reference may spend: a minute on two cores.
static constexpr double budget = 1e11;

static void computeHead(const Backward &backward, int64_t batch,
                        int64_t keyHead, Tensor &o, Tensor &lse) {
  const HeadRows keys(backward.k, batch, keyHead);
  const HeadRows values(backward.v, batch, keyHead);
  const GradientFactors factors = backward.factors(batch, keyHead);
  // Of values, without that of the outputs' gradients.
  const double valueScale = factors.rise / factors.offset;
  const int64_t queries = backward.shape.queries;
  for (int64_t i = 0; i < backward.ratio(); ++i) {
    const int64_t head = backward.firstQueryHead(keyHead) + i;
    std::vector<float> rowOfLse(queries);
    parallelFor(queries, 16, [&](int64_t begin, int64_t end) {
      AttendedRow row(backward.shape);
      std::vector<float> query(backward.shape.headDim);
      for (int64_t index = begin; index < end; ++index) {
        backward.q.generateRow(backward.q.rowAt({batch, index, head}),
                               query.data());
        row.compute(factors.score, query.data(), keys, values,
                    backward.visibleKeys(index));
        std::vector<float> narrowed(row.output.begin(), row.output.end());
        for (float &element : narrowed)
          element = static_cast<float>(element * valueScale);
        o.setRow(o.rowAt({batch, index, head}), narrowed.data());
        rowOfLse[index] = static_cast<float>(row.lse);
      }
    });
    lse.setRow(lse.rowAt({batch, head}), rowOfLse.data());
  }
}

static void computeResults(const nlohmann::json &operation,
                           std::vector<Tensor> &tensors, Tensor &o,
                           Tensor &lse) {
  const Backward backward(operation, Tensors(tensors));
  const AttentionShape &shape = backward.shape;
  const double cost = static_cast<double>(shape.batch * shape.queryHeads) *
                      static_cast<double>(shape.queries) *
                      static_cast<double>(shape.keys) *
                      static_cast<double>(shape.headDim + shape.valueDim) /
                      (backward.causal ? 2 : 1);
  if (cost > budget)
    throw UsageError("the forward pass of this problem takes the reference too "
                     "long; --forward names a package that computes it");
  for (int64_t batch = 0; batch < shape.batch; ++batch)
    for (int64_t head = 0; head < shape.keyHeads; ++head)
      computeHead(backward, batch, head, o, lse);
}

/// Throws UsageError unless a package computes the forward pass of `operation`.
static void requireForwardOf(const nlohmann::json &operation,
                             const nlohmann::json &forward) {
  if (forward.value("kind", "") != "forward")
    throw UsageError("--forward: the package computes '" +
                     forward.value("kind", "") + "'");
  for (const char *attribute : {"dtype", "output_dtype", "head_dim", "causal"})
    if (forward.value(attribute, nlohmann::json()) !=
        operation.value(attribute, nlohmann::json()))
      throw UsageError("--forward: the packages differ in '" +
                       std::string(attribute) + "'");
  const double scale = operation.value("scale", 0.0);
  if (std::abs(forward.value("scale", 0.0) - scale) > 1e-6 * std::abs(scale))
    throw UsageError("--forward: the packages differ in 'scale'");
}

static void requireSameSizes(const Tensor &forward, const Tensor &backward) {
  if (forward.sizes() != backward.sizes())
    throw UsageError("--forward: the packages differ in the sizes of '" +
                     forward.name() + "'");
}

static void launchForward(const Driver &driver, const nlohmann::json &operation,
                          const std::vector<Tensor> &backward, Tensor &o,
                          Tensor &lse, const Options &options) {
  const Package package = Package::fromFile(*options.forward);
  const nlohmann::json manifest = nlohmann::json::parse(package.manifest());
  requireForwardOf(operation,
                   manifest.value("operation", nlohmann::json::object()));
  Options plain;
  plain.symbols = options.symbols;
  plain.device = options.device;
  plain.seed = options.seed;
  plain.distribution = options.distribution;
  plain.descales = options.descales;
  plain.strideZero = options.strideZero;
  // The same names and seed give the same inputs.
  std::vector<Tensor> tensors = makeTensors(package, plain);
  for (const Tensor &source : tensors)
    if (source.name().ends_with("_descale"))
      requireSameSizes(source, Tensors(backward).at(source.name()));
  Session(driver, package, tensors, plain).run();
  for (Tensor *target : {&o, &lse}) {
    const Tensor &source = findTensor(tensors, target->name());
    requireSameSizes(source, *target);
    parallelFor(source.rows(), 256, [&](int64_t begin, int64_t end) {
      std::vector<float> values(source.columns());
      for (int64_t row = begin; row < end; ++row) {
        source.readRow(row, values.data());
        target->setRow(row, values.data());
      }
    });
  }
}

void makeForwardResults(const Driver &driver, const nlohmann::json &operation,
                        std::vector<Tensor> &tensors, const Options &options) {
  Tensor &o = findTensor(tensors, "o");
  Tensor &lse = findTensor(tensors, "lse");
  o.replaceValues();
  lse.replaceValues();
  if (options.forward)
    launchForward(driver, operation, tensors, o, lse, options);
  else
    computeResults(operation, tensors, o, lse);
  makeGradientScales(operation, tensors);
}

} // namespace fa3::run
