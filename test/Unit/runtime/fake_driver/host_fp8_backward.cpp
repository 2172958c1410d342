//===- host_fp8_backward.cpp - 8-bit gradients that the fake driver computes =//

#include "host_fp8_backward.h"

#include "host_formats.h"
#include "host_memory.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace fa3::fake {

namespace {

using P = Fp8BackwardParameter;

enum class Variant { Right, OneDescale, Coarse, First, Amax, Unshifted };

/// A row of 8-bit values, and their exponents as a tensor core sees them: that
/// of the smallest normal number for smaller ones, and none for 0.
struct Row {
  std::vector<float> values;
  std::vector<int> exponents;
};

struct Arguments {
  explicit Arguments(void **parameters)
      : parameters(parameters), seqlenQ(size(P::SeqlenQ)),
        headsQ(size(P::HeadsQ)), seqlenK(size(P::SeqlenK)),
        headsKv(size(P::HeadsKv)), dim(size(P::HeadDim)),
        isE5m2(size(P::IsE5m2) != 0),
        hasRowFactors(size(P::HasRowFactors) != 0) {}

  int64_t size(int index) const { return get<int32_t>(parameters, index); }
  template <typename Element>
  Element *row(int tensor, int64_t b, int64_t i, int64_t h) const {
    const auto stride = [&](int dim) {
      return get<int64_t>(parameters, P::Strides + 3 * (tensor - P::Q) + dim);
    };
    return get<Element *>(parameters, tensor) + b * stride(0) + i * stride(1) +
           h * stride(2);
  }
  Row fp8Row(int tensor, int64_t b, int64_t i, int64_t h) const {
    const auto *stored = row<const uint8_t>(tensor, b, i, h);
    const bool coarse = tensor == P::DO && isE5m2;
    Row decoded;
    for (int64_t c = 0; c < dim; ++c) {
      const float value = coarse ? loadE5m2(stored + c) : loadE4m3(stored + c);
      decoded.values.push_back(value);
      decoded.exponents.push_back(
          value == 0
              ? -1000
              : std::max(std::ilogb(value), 1 - (coarse ? e5m2 : e4m3).bias));
    }
    return decoded;
  }
  /// An element of a tensor (batch, key head); 1 without it.
  float ofGroup(int tensor, int64_t b, int64_t h) const {
    const auto *values = get<const float *>(parameters, tensor);
    return values ? values[b * headsKv + h] : 1.0f;
  }

  void **parameters;
  int64_t seqlenQ;
  int64_t headsQ;
  int64_t seqlenK;
  int64_t headsKv;
  int64_t dim;
  bool isE5m2;
  bool hasRowFactors;
};

struct Score {
  float probability;
  float gradient;
};

/// The gradients of one key head.
template <Variant variant> class Group {
public:
  Group(const Arguments &arguments, int64_t batch, int64_t keyHead)
      : a(arguments), b(batch), keyHead(keyHead), dk(a.seqlenK * a.dim),
        dv(a.seqlenK * a.dim), largestOfKeys(a.seqlenK) {
    const int64_t scaled = variant == Variant::OneDescale ? 0 : keyHead;
    qDescale = a.ofGroup(P::QDescale, b, scaled);
    kDescale = a.ofGroup(P::KDescale, b, scaled);
    vDescale = a.ofGroup(P::VDescale, b, scaled);
    doDescale = a.ofGroup(P::DODescale, b, scaled);
    dsScale = a.ofGroup(P::DSScale, b, keyHead);
    scale = get<float>(a.parameters, P::Scale);
    for (int64_t j = 0; j < a.seqlenK; ++j) {
      k.push_back(a.fp8Row(P::K, b, j, keyHead));
      v.push_back(a.fp8Row(P::V, b, j, keyHead));
    }
  }

  void run();

private:
  void look(int64_t h, int64_t i);
  void addQuery(int64_t h, int64_t i);
  std::vector<Score> scoresOf(int64_t h, int64_t i, const Row &q,
                              const Row &gradient) const;
  float rounded(float gradient, float factor) const;
  float factorOf(float largestOfRow) const;
  static void follow(float &largestOfRow, float gradient);

  const Arguments &a;
  int64_t b;
  int64_t keyHead;
  float qDescale, kDescale, vDescale, doDescale, dsScale, scale;
  float largest = 0;
  std::vector<Row> k;
  std::vector<Row> v;
  std::vector<float> dk;
  std::vector<float> dv;
  std::vector<float> largestOfKeys; ///< if rows have factors
};

} // namespace

/// As tensor cores add: of each 32 products and the sum before, what is below
/// 2^-13 of the largest exponent is cut off, and of their sum the same.
static float dot(const Row &x, const Row &y) {
  const auto cut = [](double value, double place) {
    return static_cast<double>(static_cast<int64_t>(value / place)) * place;
  };
  double sum = 0;
  for (size_t first = 0; first < x.values.size(); first += 32) {
    const size_t end = std::min(first + 32, x.values.size());
    int top = sum == 0 ? -100 : std::ilogb(sum);
    for (size_t c = first; c < end; ++c)
      top = std::max(top, x.exponents[c] + y.exponents[c]);
    const double place = std::ldexp(1.0, top - 13);
    double total = cut(sum, place);
    for (size_t c = first; c < end; ++c)
      total += cut(static_cast<double>(x.values[c]) * y.values[c], place);
    sum = total == 0 ? 0 : cut(total, std::ldexp(1.0, std::ilogb(total) - 13));
  }
  return static_cast<float>(sum);
}

template <Variant variant>
float Group<variant>::rounded(float gradient, float factor) const {
  if (!a.hasRowFactors && !get<const float *>(a.parameters, P::DSScale))
    return load(std::vector{round(gradient)}.data());
  return round(gradient * factor, variant == Variant::Coarse ? e5m2 : e4m3) /
         factor;
}

/// A row's power of two, or ds_scale.
template <Variant variant>
float Group<variant>::factorOf(float largestOfRow) const {
  if (!a.hasRowFactors)
    return dsScale;
  const float exponent = std::ceil(std::log2(largestOfRow));
  return std::exp2(6.0f - std::max(exponent, -100.0f));
}

template <Variant variant>
void Group<variant>::follow(float &largestOfRow, float gradient) {
  if (variant != Variant::First || largestOfRow == 0)
    largestOfRow = std::max(largestOfRow, std::abs(gradient));
}

/// The scores of the keys that a query sees.
template <Variant variant>
std::vector<Score> Group<variant>::scoresOf(int64_t h, int64_t i, const Row &q,
                                            const Row &gradient) const {
  const int64_t row = (b * a.headsQ + h) * a.seqlenQ + i;
  const auto *o = a.template row<const uint16_t>(P::O, b, i, h);
  const auto *lseGradient = get<const float *>(a.parameters, P::DLse);
  float offset = 0;
  for (int64_t c = 0; c < a.dim; ++c)
    offset -= doDescale * load(o + c) * gradient.values[c];
  if (lseGradient)
    offset += lseGradient[row];
  int64_t keys = a.seqlenK;
  if (a.size(P::Causal))
    keys = std::max<int64_t>(0, i + 1 + keys - a.seqlenQ);
  std::vector<Score> scores;
  for (int64_t j = 0; j < keys; ++j) {
    const float p = std::exp(scale * qDescale * kDescale * dot(q, k[j]) -
                             get<const float *>(a.parameters, P::Lse)[row]);
    scores.push_back(
        {p, p * (doDescale * vDescale * dot(gradient, v[j]) + offset)});
  }
  return scores;
}

/// Looks at a query, before any are added.
template <Variant variant> void Group<variant>::look(int64_t h, int64_t i) {
  if (!a.hasRowFactors)
    return;
  const std::vector<Score> scores =
      scoresOf(h, i, a.fp8Row(P::Q, b, i, h), a.fp8Row(P::DO, b, i, h));
  for (size_t j = 0; j < scores.size(); ++j)
    follow(largestOfKeys[j], scores[j].gradient);
}

template <Variant variant> void Group<variant>::addQuery(int64_t h, int64_t i) {
  const Row q = a.fp8Row(P::Q, b, i, h);
  const Row gradient = a.fp8Row(P::DO, b, i, h);
  const std::vector<Score> scores = scoresOf(h, i, q, gradient);
  float largestOfQuery = 0;
  for (const Score &score : scores) {
    largest = std::max(largest, std::abs(score.gradient));
    follow(largestOfQuery, score.gradient);
  }
  const float shift = variant == Variant::Unshifted ? 1.0f : 256.0f;
  std::vector<float> dq(a.dim);
  for (int64_t j = 0; j < static_cast<int64_t>(scores.size()); ++j) {
    const auto [p, ds] = scores[j];
    const float storedP = round(p * shift, e4m3) / shift;
    const float ofQuery = rounded(ds, factorOf(largestOfQuery));
    const float ofKey = rounded(ds, factorOf(largestOfKeys[j]));
    for (int64_t c = 0; c < a.dim; ++c) {
      dv[j * a.dim + c] += storedP * gradient.values[c];
      dk[j * a.dim + c] += ofKey * q.values[c];
      dq[c] += ofQuery * k[j].values[c];
    }
  }
  for (int64_t c = 0; c < a.dim; ++c)
    a.template row<uint16_t>(P::DQ, b, i, h)[c] =
        round(dq[c] * scale * kDescale);
}

template <Variant variant> void Group<variant>::run() {
  const int64_t ratio = a.headsQ / a.headsKv;
  for (const auto visit : {&Group::look, &Group::addQuery})
    for (int64_t h = keyHead * ratio; h < (keyHead + 1) * ratio; ++h)
      for (int64_t i = 0; i < a.seqlenQ; ++i)
        (this->*visit)(h, i);
  for (int64_t j = 0; j < a.seqlenK; ++j)
    for (int64_t c = 0; c < a.dim; ++c) {
      a.template row<uint16_t>(P::DK, b, j, keyHead)[c] =
          round(dk[j * a.dim + c] * scale * qDescale);
      a.template row<uint16_t>(P::DV, b, j, keyHead)[c] =
          round(dv[j * a.dim + c] * doDescale);
    }
  if (auto *result = get<float *>(a.parameters, P::DSAmax))
    result[b * a.headsKv + keyHead] =
        largest * (variant == Variant::Amax ? dsScale : 1.0f);
}

template <Variant variant> static void backward(void **parameters) {
  const Arguments a(parameters);
  for (int64_t b = 0; b < a.size(P::Batch); ++b)
    for (int64_t h = 0; h < a.headsKv; ++h)
      Group<variant>(a, b, h).run();
}

const HostKernel *findHostFp8Backward(const char *name) {
  static constexpr HostKernel kernels[] = {
      {"fp8_backward", backward<Variant::Right>, P::Count},
      {"fp8_backward_one_descale", backward<Variant::OneDescale>, P::Count},
      {"fp8_backward_coarse", backward<Variant::Coarse>, P::Count},
      {"fp8_backward_first", backward<Variant::First>, P::Count},
      {"fp8_backward_amax", backward<Variant::Amax>, P::Count},
      {"fp8_backward_unshifted", backward<Variant::Unshifted>, P::Count},
  };
  for (const HostKernel &kernel : kernels)
    if (std::strcmp(kernel.name, name) == 0)
      return &kernel;
  return nullptr;
}

} // namespace fa3::fake
