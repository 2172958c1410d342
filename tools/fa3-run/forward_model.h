//===- forward_model.h - Attention in the precision of kernels ------------===//
//
// How far rows are off that are computed as kernels may compute them. The
// tolerance of a row follows from it.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_TOOLS_FA3_RUN_FORWARD_MODEL_H
#define FA3_TOOLS_FA3_RUN_FORWARD_MODEL_H

#include "attention.h"

#include <memory>
#include <optional>
#include <vector>

namespace fa3::run {

/// What the references need to know about a forward pass.
struct Forward : Attention {
  Forward(const nlohmann::json &operation, const Tensors &tensors);

  const Tensor &o;
  const Tensor *lse;          ///< null if the package does not return it
  const Tensor *queryDescale; ///< these too, if it does not take them
  const Tensor *keyDescale;
  const Tensor *valueDescale;

  /// Whether the inputs stand for values of a wider type.
  bool hasOriginal() const { return isFp8(q.dtype()); }

  /// What a query's dot products are multiplied with, besides the factors that
  /// keys have of their own: those are in the slice.
  double scoreScale(int64_t batch, int64_t queryHead, int64_t query) const;
};

/// Keys and values of one head, as they are stored or before they were rounded.
struct Slice {
  Slice(const Forward &forward, int64_t batch, int64_t keyHead,
        ValueKind kind = ValueKind::Stored);

  HeadRows keys;
  HeadRows values;
  /// Of the keys' dot products; empty where all keys of a head have the same.
  std::vector<float> keyFactors;
  double longestKey = 0; ///< Euclidean length, with the factor
  double valueScale;
};

/// Queries that are computed together.
struct QueryBlock {
  std::vector<float> values;   ///< of all queries, one after another
  std::vector<double> scales;  ///< see Forward::scoreScale
  std::vector<int64_t> counts; ///< how many keys each attends to
};

/// A row in a kernel's precision.
struct ModelRow {
  std::vector<double> output;
  double outputError = 0; ///< largest difference from the exact one
  /// What rounding probabilities in another place may cost each element.
  std::vector<double> rounding;
  /// What LSE may be off by, beside what fp32 arithmetic costs.
  double lseError = 0;
};

/// Computes rows that share their keys. One per thread.
class ForwardModel {
public:
  virtual ~ForwardModel() = default;

  /// How many rows are best computed together.
  virtual int64_t rowsAtOnce() const = 0;

  /// Takes queries, which stay where they are until the last was compared.
  virtual void begin(const Slice &slice, const QueryBlock &queries) = 0;

  /// Compares one of these queries' rows with the exact one, which has real
  /// values. The result is good until the next call.
  virtual const ModelRow &compare(int64_t index, const AttendedRow &exact) = 0;
};

/// As PyTorch computes with 16-bit types: fp32 scores, probabilities and result
/// rounded to the type.
std::unique_ptr<ForwardModel> makeHalfModel(const Forward &forward);

/// As a kernel with 8-bit types computes: see fp8_model.cpp.
std::unique_ptr<ForwardModel> makeFp8Model(const Forward &forward);

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_FORWARD_MODEL_H
