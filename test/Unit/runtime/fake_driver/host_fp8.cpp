//===- host_fp8.cpp - Attention in 8 bits that the fake driver computes ---===//

#include "host_fp8.h"

#include "host_formats.h"
#include "host_memory.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace fa3::fake {

namespace {

using P = Fp8Parameter;

enum class Variant { Right, Lazy, OneDescale, OneRow, InOrder, Short, Coarse };

constexpr int64_t blockKeys = 32;

struct Arguments {
  explicit Arguments(void **parameters)
      : parameters(parameters), batch(size(P::Batch)),
        seqlenQ(size(P::SeqlenQ)), headsQ(size(P::HeadsQ)),
        seqlenK(size(P::SeqlenK)), headsKv(size(P::HeadsKv)),
        dim(size(P::HeadDim)), causal(size(P::Causal) != 0),
        rowFactors(size(P::RowFactors) != 0),
        scale(get<float>(parameters, P::Scale)) {}

  int64_t size(int index) const { return get<int32_t>(parameters, index); }
  template <typename Element>
  Element *at(int tensor, int strides, int64_t x, int64_t y, int64_t z) const {
    return get<Element *>(parameters, tensor) +
           x * get<int64_t>(parameters, strides) +
           y * get<int64_t>(parameters, strides + 1) +
           z * get<int64_t>(parameters, strides + 2);
  }
  float descale(int tensor, int64_t b, int64_t h) const {
    const auto *values = get<const float *>(parameters, tensor);
    return values ? values[b * headsKv + h] : 1.0f;
  }

  float rowFactor(int tensor, int strides, int64_t b, int64_t h,
                  int64_t row) const {
    return get<const float *>(
        parameters, tensor)[b * get<int64_t>(parameters, strides) +
                            h * get<int64_t>(parameters, strides + 1) + row];
  }

  void **parameters;
  int64_t batch;
  int64_t seqlenQ;
  int64_t headsQ;
  int64_t seqlenK;
  int64_t headsKv;
  int64_t dim;
  bool causal;
  bool rowFactors;
  float scale;
};

} // namespace

/// Where a key lies among 16, which come in the order 0 1 8 9 2 3 10 11 ...
static int64_t interleaved(int64_t key) {
  static constexpr int64_t places[] = {0, 1, 4, 5, 8,  9,  12, 13,
                                       2, 3, 6, 7, 10, 11, 14, 15};
  return key / 16 * 16 + places[key % 16];
}

static void transpose(void **parameters) {
  const Arguments a(parameters);
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t h = 0; h < a.headsKv; ++h)
      for (int64_t c = 0; c < a.dim; ++c)
        for (int64_t j = 0; j < a.seqlenK; ++j)
          a.at<uint8_t>(P::VTransposed, P::VTransposedStrides, b, h,
                        c)[interleaved(j)] =
              a.at<uint8_t>(P::V, P::VStrides, b, j, h)[c];
}

namespace {

/// One query's result, block by block.
template <Variant variant> struct Row {
  explicit Row(int64_t dim) : output(dim, 0.0f) {}

  void add(const Arguments &a, const std::vector<float> &scores, int64_t first,
           int64_t b, int64_t h);

  float reference = -std::numeric_limits<float>::infinity();
  float sum = 0;
  std::vector<float> output;
};

} // namespace

template <Variant variant>
void Row<variant>::add(const Arguments &a, const std::vector<float> &scores,
                       int64_t first, int64_t b, int64_t h) {
  // In powers of two.
  const float largest = *std::ranges::max_element(scores);
  const float lag = variant == Variant::Lazy ? 4.0f : 0.0f;
  if (largest > reference + lag) {
    const float factor = std::exp2(reference - largest);
    sum *= factor;
    for (float &element : output)
      element *= factor;
    reference = largest;
  }
  const float shift = variant == Variant::Lazy ? 4.0f : 8.0f;
  for (size_t i = 0; i < scores.size(); ++i) {
    const float weight = std::exp2(scores[i] - reference + shift);
    const float rounded =
        round(weight, variant == Variant::Coarse ? e5m2 : e4m3);
    sum += variant == Variant::Lazy ? rounded : weight;
    const int64_t key = first + static_cast<int64_t>(i);
    for (size_t c = 0; c < output.size(); ++c)
      output[c] +=
          rounded *
          loadE4m3(a.at<uint8_t>(P::VTransposed, P::VTransposedStrides, b, h,
                                 static_cast<int64_t>(c)) +
                   (variant == Variant::InOrder ? key : interleaved(key)));
  }
}

template <Variant variant>
static void attend(const Arguments &a, int64_t b, int64_t h, int64_t i) {
  const int64_t keyHead = h / (a.headsQ / a.headsKv);
  const int64_t scaled = variant == Variant::OneDescale ? 0 : keyHead;
  const auto rowOf = [](int64_t row) {
    return variant == Variant::OneRow ? 0 : row;
  };
  const float queryFactor =
      a.rowFactors
          ? a.rowFactor(P::QDescale, P::QDescaleStrides, b, h, rowOf(i))
          : a.descale(P::QDescale, b, scaled);
  const auto keyFactor = [&](int64_t key) {
    return a.rowFactors ? a.rowFactor(P::KDescale, P::KDescaleStrides, b,
                                      keyHead, rowOf(key))
                        : a.descale(P::KDescale, b, scaled);
  };
  const float scale = a.scale * queryFactor * 1.442695041f;
  int64_t keys = a.seqlenK;
  if (a.causal)
    keys = std::max<int64_t>(0, i + 1 + keys - a.seqlenQ);
  const auto *q = a.at<uint8_t>(P::Q, P::QStrides, b, i, h);
  Row<variant> row(a.dim);
  const int64_t blocks = (keys + blockKeys - 1) / blockKeys;
  for (int64_t block = blocks; block-- > 0;) {
    if (variant == Variant::Short && block == 1)
      continue;
    const int64_t first = block * blockKeys;
    std::vector<float> scores;
    for (int64_t j = first; j < std::min(first + blockKeys, keys); ++j) {
      const auto *k = a.at<uint8_t>(P::K, P::KStrides, b, j, keyHead);
      float score = 0;
      for (int64_t c = 0; c < a.dim; ++c)
        score += loadE4m3(q + c) * loadE4m3(k + c);
      scores.push_back(score * scale * keyFactor(j));
    }
    row.add(a, scores, first, b, keyHead);
  }
  const float factor = keys ? a.descale(P::VDescale, b, scaled) / row.sum : 0;
  const float shift = variant == Variant::Lazy ? 4.0f : 8.0f;
  for (int64_t c = 0; c < a.dim; ++c)
    a.at<_Float16>(P::O, P::OStrides, b, i, h)[c] =
        static_cast<_Float16>(row.output[c] * factor);
  get<float *>(a.parameters, P::Lse)[(b * a.headsQ + h) * a.seqlenQ + i] =
      keys ? (row.reference - shift + std::log2(row.sum)) * 0.6931471806f
           : -std::numeric_limits<float>::infinity();
}

template <Variant variant> static void attention(void **parameters) {
  const Arguments a(parameters);
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t h = 0; h < a.headsQ; ++h)
      for (int64_t i = 0; i < a.seqlenQ; ++i)
        attend<variant>(a, b, h, i);
}

const HostKernel *findHostFp8(const char *name) {
  static constexpr HostKernel kernels[] = {
      {"fp8_transpose", transpose, P::Count},
      {"fp8_attention", attention<Variant::Right>, P::Count},
      {"fp8_attention_lazy", attention<Variant::Lazy>, P::Count},
      {"fp8_attention_one_descale", attention<Variant::OneDescale>, P::Count},
      {"fp8_attention_one_row", attention<Variant::OneRow>, P::Count},
      {"fp8_attention_in_order", attention<Variant::InOrder>, P::Count},
      {"fp8_attention_short", attention<Variant::Short>, P::Count},
      {"fp8_attention_coarse", attention<Variant::Coarse>, P::Count},
  };
  for (const HostKernel &kernel : kernels)
    if (std::strcmp(kernel.name, name) == 0)
      return &kernel;
  return nullptr;
}

} // namespace fa3::fake
