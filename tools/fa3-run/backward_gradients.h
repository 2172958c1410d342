//===- backward_gradients.h - Rows of attention's gradients ---------------===//
//
// With s = scale * q.k, p = exp(s - lse), ds = p * (do.v - o.do + dlse):
//   dq = scale * sum over keys of ds * k
//   dk = scale * sum over queries of ds * q
//   dv = sum over queries of p * do
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H
#define FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H

#include "attention.h"

#include <vector>

namespace fa3::run {

/// What the reference needs to know about a backward pass.
struct Backward : Attention {
  Backward(const nlohmann::json &operation, const Tensors &tensors);

  const Tensor &o;
  const Tensor &lse;
  const Tensor &outputGradient;
  const Tensor *lseGradient; ///< null if the package does not take it
};

/// A query with everything that its gradient depends on besides the keys.
struct QueryRow {
  QueryRow(const Backward &backward, int64_t batch, int64_t head,
           int64_t query);

  std::vector<float> q;
  std::vector<float> outputGradient;
  double lse;
  double offset; ///< dlse - o.do
  double queryLength;
  double gradientLength;
  double outputLength;
};

/// A row of a gradient.
struct GradientRow {
  explicit GradientRow(int64_t columns) : exact(columns), model(columns) {}

  /// Adds a row times a weight; `error` bounds what fp32 arithmetic may cost
  /// one of its elements.
  void add(double weight, double modelWeight, double error, const float *row);
  /// Multiplies with a factor and rounds the model's elements.
  void finish(double factor, fa3_dtype dtype);

  std::vector<double> exact;
  /// As PyTorch computes: with weights, and at last the result, rounded to the
  /// element type.
  std::vector<double> model;
  /// What fp32 arithmetic may cost an element.
  double uncertainty = 0;
};

/// The gradient of a query, from the keys and values of its head.
GradientRow queryGradient(const Backward &backward, const QueryRow &query,
                          int64_t queryIndex, const HeadRows &keys,
                          const HeadRows &values);

/// Gradients of a key and a value.
struct KeyGradients {
  explicit KeyGradients(const AttentionShape &shape)
      : key(shape.headDim), value(shape.valueDim) {}

  /// Adds what the queries of one head contribute.
  void add(const Backward &backward, const std::vector<QueryRow> &queries,
           int64_t keyIndex, const HeadRows &keys, const HeadRows &values);
  void finish(const Backward &backward);

  GradientRow key;
  GradientRow value;
};

/// All queries of a head.
std::vector<QueryRow> queriesOfHead(const Backward &backward, int64_t batch,
                                    int64_t head);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H
