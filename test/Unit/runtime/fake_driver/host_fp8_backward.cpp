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

enum class Variant { Right, OneDescale, Coarse, Amax, Unshifted };

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
        isE5m2(size(P::IsE5m2) != 0) {}

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
};

/// The gradients of one key head.
template <Variant variant> class Group {
public:
  Group(const Arguments &arguments, int64_t batch, int64_t keyHead)
      : a(arguments), b(batch), keyHead(keyHead), dk(a.seqlenK * a.dim),
        dv(a.seqlenK * a.dim) {
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
  void addQuery(int64_t h, int64_t i);
  float rounded(float gradient) const;

  const Arguments &a;
  int64_t b;
  int64_t keyHead;
  float qDescale, kDescale, vDescale, doDescale, dsScale, scale;
  float largest = 0;
  std::vector<Row> k;
  std::vector<Row> v;
  std::vector<float> dk;
  std::vector<float> dv;
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

template <Variant variant> float Group<variant>::rounded(float gradient) const {
  if (!get<const float *>(a.parameters, P::DSScale))
    return load(std::vector{round(gradient)}.data());
  return round(gradient * dsScale, variant == Variant::Coarse ? e5m2 : e4m3) /
         dsScale;
}

template <Variant variant> void Group<variant>::addQuery(int64_t h, int64_t i) {
  const Row q = a.fp8Row(P::Q, b, i, h);
  const Row gradient = a.fp8Row(P::DO, b, i, h);
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
  const float shift = variant == Variant::Unshifted ? 1.0f : 256.0f;
  std::vector<float> dq(a.dim);
  for (int64_t j = 0; j < keys; ++j) {
    const float p = std::exp(scale * qDescale * kDescale * dot(q, k[j]) -
                             get<const float *>(a.parameters, P::Lse)[row]);
    const float ds = p * (doDescale * vDescale * dot(gradient, v[j]) + offset);
    largest = std::max(largest, std::abs(ds));
    const float storedP = round(p * shift, e4m3) / shift;
    const float storedDs = rounded(ds);
    for (int64_t c = 0; c < a.dim; ++c) {
      dv[j * a.dim + c] += storedP * gradient.values[c];
      dk[j * a.dim + c] += storedDs * q.values[c];
      dq[c] += storedDs * k[j].values[c];
    }
  }
  for (int64_t c = 0; c < a.dim; ++c)
    a.template row<uint16_t>(P::DQ, b, i, h)[c] =
        round(dq[c] * scale * kDescale);
}

template <Variant variant> void Group<variant>::run() {
  const int64_t ratio = a.headsQ / a.headsKv;
  for (int64_t h = keyHead * ratio; h < (keyHead + 1) * ratio; ++h)
    for (int64_t i = 0; i < a.seqlenQ; ++i)
      addQuery(h, i);
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
      {"fp8_backward_amax", backward<Variant::Amax>, P::Count},
      {"fp8_backward_unshifted", backward<Variant::Unshifted>, P::Count},
  };
  for (const HostKernel &kernel : kernels)
    if (std::strcmp(kernel.name, name) == 0)
      return &kernel;
  return nullptr;
}

} // namespace fa3::fake
