//===- backward.h - A backward pass of attention --------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_BACKWARD_H
#define FA3_TOOLS_FA3_RUN_BACKWARD_H

#include "attention.h"

#include <string>
#include <vector>

namespace fa3::run {

/// What a backward pass multiplies with, for the query heads of one key head.
struct GradientFactors {
  double score;  ///< of q.k
  double rise;   ///< of do.v
  double offset; ///< of o.do
  double query;  ///< of the sums of ds * k
  double key;    ///< of the sums of ds * q
  double value;  ///< of the sums of p * do
  double
      stored; ///< of ds, before it is rounded, if rows have none of their own
};

/// What the reference needs to know about a backward pass.
struct Backward : Attention {
  Backward(const nlohmann::json &operation, const Tensors &tensors);

  const Tensor &o;
  const Tensor &lse;
  const Tensor &outputGradient;
  const Tensor *lseGradient; ///< these are null if the package has none
  const Tensor *queryDescale;
  const Tensor *keyDescale;
  const Tensor *valueDescale;
  const Tensor *outputGradientDescale;
  const Tensor *gradientScale;

  /// What probabilities are rounded to, and the factor that they have then.
  fa3_dtype probabilityType;
  double probabilityScale = 1;
  /// What the gradients of scores are rounded to.
  fa3_dtype gradientType;

  /// Whether tensor cores multiply 8-bit values.
  bool hasFp8() const { return isFp8(q.dtype()); }
  bool hasFp8Gradients() const { return isFp8(gradientType); }
  /// Whether each row of gradients of scores has a factor of its own.
  bool hasRowFactors() const { return hasFp8Gradients() && !gradientScale; }
  /// The factor of a row whose largest gradient is that: the least that a
  /// kernel, which finds it while running, has at the end.
  static double rowFactor(double largest);

  GradientFactors factors(int64_t batch, int64_t keyHead) const;
  int64_t keyHeadOf(int64_t queryHead) const { return queryHead / ratio(); }

private:
  void setFp8Types(const nlohmann::json &operation);
};

/// Keys and values of one head.
struct GradientSlice {
  GradientSlice(const Backward &backward, int64_t batch, int64_t keyHead);

  HeadRows keys;
  HeadRows values;
  GradientFactors factors;
};

/// A query with everything that its gradient depends on besides the keys.
struct QueryRow {
  QueryRow(const Backward &backward, int64_t batch, int64_t head,
           int64_t query);

  int64_t index;
  std::vector<float> q;
  std::vector<float> outputGradient;
  double lse;
  double offset; ///< dlse - o.do
  double queryLength;
  double gradientLength;
  double outputLength;
};

/// All queries of a head.
std::vector<QueryRow> queriesOfHead(const Backward &backward, int64_t batch,
                                    int64_t head);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_BACKWARD_H
