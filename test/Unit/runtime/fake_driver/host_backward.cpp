//===- host_backward.cpp - Gradients that the fake driver computes --------===//

#include "host_backward.h"

#include "host_memory.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fa3::fake {

namespace {

using P = BackwardParameter;

/// Queries in a block of the accumulators, as the manifest says.
constexpr int64_t blockQ = 64;
/// The rows of neg_lse and neg_sum are padded to a multiple of this.
constexpr int64_t rowPadding = 128;

struct Arguments {
  explicit Arguments(void **parameters)
      : parameters(parameters), batch(size(P::Batch)),
        seqlenQ(size(P::SeqlenQ)), headsQ(size(P::HeadsQ)),
        seqlenK(size(P::SeqlenK)), headsKv(size(P::HeadsKv)),
        dim(size(P::HeadDim)), causal(size(P::Causal) != 0),
        scale(get<float>(parameters, P::Scale)) {}

  int64_t size(int index) const { return get<int32_t>(parameters, index); }
  uint16_t *row(int tensor, int64_t b, int64_t i, int64_t h) const {
    const auto stride = [&](int dim) {
      return get<int64_t>(parameters, P::Strides + 3 * (tensor - P::Q) + dim);
    };
    return get<uint16_t *>(parameters, tensor) + b * stride(0) + i * stride(1) +
           h * stride(2);
  }
  int64_t rowOfHead(int64_t b, int64_t h) const { return b * headsQ + h; }
  float &padded(int tensor, int64_t b, int64_t h, int64_t i) const {
    const int64_t rows = (seqlenQ + rowPadding - 1) / rowPadding * rowPadding;
    return get<float *>(parameters, tensor)[rowOfHead(b, h) * rows + i];
  }
  float *accumulators(int64_t b, int64_t h, int64_t i) const {
    const int64_t blocks = (seqlenQ + blockQ - 1) / blockQ;
    return get<float *>(parameters, P::DQAcc) +
           (rowOfHead(b, h) * blocks * blockQ + i) * dim;
  }

  void **parameters;
  int64_t batch;
  int64_t seqlenQ;
  int64_t headsQ;
  int64_t seqlenK;
  int64_t headsKv;
  int64_t dim;
  bool causal;
  float scale;
};

} // namespace

static float dot(const uint16_t *a, const uint16_t *b, int64_t count) {
  float sum = 0;
  for (int64_t c = 0; c < count; ++c)
    sum += load(a + c) * load(b + c);
  return sum;
}

template <bool clear> static void preprocess(void **parameters) {
  const Arguments a(parameters);
  const auto *lseGradient = get<float *>(parameters, P::DLse);
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t h = 0; h < a.headsQ; ++h)
      for (int64_t i = 0; i < a.seqlenQ; ++i) {
        const int64_t row = a.rowOfHead(b, h) * a.seqlenQ + i;
        a.padded(P::NegLse, b, h, i) = -get<float *>(parameters, P::Lse)[row];
        a.padded(P::NegSum, b, h, i) =
            (lseGradient ? lseGradient[row] : 0) -
            dot(a.row(P::O, b, i, h), a.row(P::DO, b, i, h), a.dim);
        if (clear)
          std::fill_n(a.accumulators(b, h, i), a.dim, 0.0f);
      }
}

static void addKey(const Arguments &a, int64_t b, int64_t j, int64_t keyHead) {
  const uint16_t *k = a.row(P::K, b, j, keyHead);
  const uint16_t *v = a.row(P::V, b, j, keyHead);
  const int64_t ratio = a.headsQ / a.headsKv;
  std::vector<float> dk(a.dim);
  std::vector<float> dv(a.dim);
  for (int64_t h = keyHead * ratio; h < (keyHead + 1) * ratio; ++h)
    for (int64_t i = a.causal ? std::max<int64_t>(0, j + a.seqlenQ - a.seqlenK)
                              : 0;
         i < a.seqlenQ; ++i) {
      const uint16_t *q = a.row(P::Q, b, i, h);
      const uint16_t *gradient = a.row(P::DO, b, i, h);
      const float p =
          std::exp(dot(q, k, a.dim) * a.scale + a.padded(P::NegLse, b, h, i));
      const float ds =
          p * (dot(gradient, v, a.dim) + a.padded(P::NegSum, b, h, i));
      float *dq = a.accumulators(b, h, i);
      for (int64_t c = 0; c < a.dim; ++c) {
        dv[c] += p * load(gradient + c);
        dk[c] += ds * load(q + c);
        dq[c] += ds * load(k + c);
      }
    }
  for (int64_t c = 0; c < a.dim; ++c) {
    a.row(P::DK, b, j, keyHead)[c] = round(dk[c] * a.scale);
    a.row(P::DV, b, j, keyHead)[c] = round(dv[c]);
  }
}

template <bool wrong> static void mainKernel(void **parameters) {
  const Arguments a(parameters);
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t h = 0; h < a.headsKv; ++h)
      for (int64_t j = 0; j < a.seqlenK; ++j)
        addKey(a, b, j, h);
  if (wrong) {
    uint16_t *element = a.row(P::DK, 0, 0, 0) + 1;
    *element = round(load(element) * 1.05f + 0.01f);
  }
}

static void postprocess(void **parameters) {
  const Arguments a(parameters);
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t h = 0; h < a.headsQ; ++h)
      for (int64_t i = 0; i < a.seqlenQ; ++i)
        for (int64_t c = 0; c < a.dim; ++c)
          a.row(P::DQ, b, i, h)[c] =
              round(a.accumulators(b, h, i)[c] * a.scale);
}

const HostKernel *findHostBackward(const char *name) {
  static constexpr HostKernel kernels[] = {
      {"backward_preprocess", preprocess<true>, P::Count},
      {"backward_preprocess_lazy", preprocess<false>, P::Count},
      {"backward_main", mainKernel<false>, P::Count},
      {"backward_main_wrong", mainKernel<true>, P::Count},
      {"backward_postprocess", postprocess, P::Count},
  };
  for (const HostKernel &kernel : kernels)
    if (std::strcmp(kernel.name, name) == 0)
      return &kernel;
  return nullptr;
}

} // namespace fa3::fake
