//===- attention.h - What references of attention share -------------------===//

#ifndef FA3_TOOLS_FA3_RUN_ATTENTION_H
#define FA3_TOOLS_FA3_RUN_ATTENTION_H

#include "reference.h"
#include "sampling.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace fa3::run {

/// The size of an attention problem with these tensors.
AttentionShape shapeOf(const Tensor &q, const Tensor &k, const Tensor &v);

/// The tensors and attributes that every kind of attention has.
struct Attention {
  /// Throws UsageError when the operation has an attribute that is not in
  /// `attributes`, or tensors are not (batch, seqlen, heads, head dim).
  Attention(const nlohmann::json &operation, const Tensors &tensors,
            std::initializer_list<std::string_view> attributes);

  const Tensor &q;
  const Tensor &k;
  const Tensor &v;
  AttentionShape shape;
  double scale;
  bool causal;

  /// Keys that a query attends to: the first so many, aligned bottom-right.
  int64_t visibleKeys(int64_t query) const;

  /// The first query that attends to a key; all after it do too.
  int64_t firstQuery(int64_t key) const;

  /// The first of the query heads that share a key head, and how many do.
  int64_t firstQueryHead(int64_t keyHead) const { return keyHead * ratio(); }
  int64_t ratio() const { return shape.queryHeads / shape.keyHeads; }
};

/// Throws UsageError unless a tensor is (batch, seqlen, heads, head dim).
void requireHeads(const Tensor &tensor);

/// Whether elements have 8 bits.
bool isFp8(fa3_dtype dtype);

/// Throws UsageError for other element types than bf16 and f16.
void requireHalfPrecision(const Tensor &tensor);

/// Throws UsageError unless the tensor has the type that this attribute of the
/// operation names, or without it the attribute "dtype".
void requireType(const nlohmann::json &operation, const char *attribute,
                 const Tensor &tensor);

/// The dot product in fp64, in lanes that the compiler can keep in vectors.
double dot(const float *a, const float *b, int64_t count);

/// The Euclidean length.
double length(const float *vector, int64_t count);

/// The rows of one head of a generated (batch, seqlen, heads, head dim) tensor,
/// or of one with transposed keys.
struct HeadRows {
  HeadRows(const Tensor &tensor, int64_t batch, int64_t head,
           ValueKind kind = ValueKind::Stored);

  const float *row(int64_t index) const { return &values[index * columns]; }

  int64_t columns;
  std::vector<float> values;
  std::vector<double> lengths; ///< Euclidean, of each row
  double largest = 0;          ///< magnitude of an element
  double longest = 0;          ///< of the lengths

private:
  void generateTransposed(const Tensor &tensor, int64_t batch, int64_t head,
                          ValueKind kind);
};

/// A row of attention in fp64, and the buffers to compute it.
struct AttendedRow {
  explicit AttendedRow(const AttentionShape &shape)
      : scores(shape.keys), output(shape.valueDim) {}

  /// The query attends to the first `count` keys; their dot products are
  /// multiplied with `scale`, and with the key's factor if there are any.
  void compute(double scale, const float *query, const HeadRows &keys,
               const HeadRows &values, int64_t count,
               std::span<const float> keyFactors = {});

  std::vector<double> scores; ///< scaled; of the keys attended to
  std::vector<double> output;
  double lse = 0;
  double largest = 0;   ///< of the scores
  double magnitude = 0; ///< largest of a score
};

} // namespace fa3::run

#endif // FA3_TOOLS_FA3_RUN_ATTENTION_H
