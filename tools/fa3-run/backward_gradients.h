//===- backward_gradients.h - Rows of attention's gradients ---------------===//
//
// With s = scale * q.k, p = exp(s - lse), ds = p * (do.v - o.do + dlse):
//   dq = scale * sum over keys of ds * k
//   dk = scale * sum over queries of ds * q
//   dv = sum over queries of p * do
//
// 8-bit values stand for themselves times their descales.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H
#define FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H

#include "score_gradient.h"
#include "weighted_sums.h"

#include <span>
#include <vector>

namespace fa3::run {

/// A row of a gradient.
struct GradientRow {
  explicit GradientRow(int64_t columns) : exact(columns), model(columns) {}

  /// Adds a row times a weight; `error` bounds what fp32 arithmetic may cost
  /// one of the model's elements.
  void add(double weight, double error, const float *row);
  /// Multiplies with a factor. The model's sums, which have another factor, are
  /// those of a result, and are rounded.
  void finish(double factor, const WeightedSums &sums, int64_t result,
              double sumFactor, fa3_dtype dtype);

  std::vector<double> exact;
  /// As kernels compute: with weights, and at last the result, rounded.
  std::vector<double> model;
  /// What fp32 arithmetic and another order of sums may cost an element.
  double uncertainty = 0;
};

/// The largest magnitude of gradients of scores.
struct LargestGradient {
  void add(const ExactScore &exact, const ModelScore &model);
  void merge(const LargestGradient &other);

  double exact = 0;
  double model = 0;
  double bound = 0; ///< of the model, with what fp32 arithmetic may cost
};

/// How many rows are best computed together, at most.
int64_t gradientRowsAtOnce(const Backward &backward);

/// The gradients of queries that share their keys, at most gradientRowsAtOnce,
/// and the largest gradient of their scores.
std::vector<GradientRow> queryGradients(const Backward &backward,
                                        const GradientSlice &slice,
                                        std::span<const QueryRow> queries,
                                        LargestGradient &largest);

/// Gradients of keys and values that share their queries.
class KeyGradients {
public:
  /// Of the keys with these numbers, at most gradientRowsAtOnce.
  KeyGradients(const Backward &backward, const GradientSlice &slice,
               std::vector<int64_t> keys);

  /// Looks at the queries of one head, before any are added: rows of gradients
  /// that have factors of their own get these.
  void look(const std::vector<QueryRow> &queries);
  /// Adds what the queries of one head contribute.
  void add(const std::vector<QueryRow> &queries);
  void finish();

  const std::vector<int64_t> &indices() const { return keys; }
  /// After finish: by position in `indices`.
  const GradientRow &key(size_t i) const { return keyRows[i]; }
  const GradientRow &value(size_t i) const { return valueRows[i]; }

private:
  /// Calls a function for each score with its key's position, the query's and
  /// both forms of the score, and another one behind steps of queries, with
  /// their first and their number.
  template <typename Score, typename Step>
  void visit(std::span<const QueryRow> queries, Score visitScore,
             Step visitStep) const;
  /// The queries that see one of the keys, from the start of a step on.
  std::span<const QueryRow>
  seeing(const std::vector<QueryRow> &allQueries) const;
  double storedFactor(int64_t i) const;

  const Backward &backward;
  const GradientSlice &slice;
  std::vector<int64_t> keys;
  std::vector<double> largest; ///< gradients of scores, of each key
  std::vector<GradientRow> keyRows;
  std::vector<GradientRow> valueRows;
  WeightedSums keySums;
  WeightedSums valueSums;
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_BACKWARD_GRADIENTS_H
