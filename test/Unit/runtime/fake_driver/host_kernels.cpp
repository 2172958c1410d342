//===- host_kernels.cpp - Kernels that the fake driver executes -----------===//

#include "host_kernels.h"

#include "host_backward.h"
#include "host_fp8.h"
#include "host_fp8_backward.h"
#include "host_memory.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace fa3::fake {

namespace {
enum class Defect { None, Wrong, Unwritten, Stray, Unsteady };
} // namespace

template <Defect defect> static void attention(void **parameters) {
  using P = AttentionParameter;
  const auto size = [&](int index) { return get<int32_t>(parameters, index); };
  const auto at = [&](int tensor, int strides, int64_t b, int64_t i,
                      int64_t h) {
    return get<uint16_t *>(parameters, tensor) +
           b * get<int64_t>(parameters, strides) +
           i * get<int64_t>(parameters, strides + 1) +
           h * get<int64_t>(parameters, strides + 2);
  };
  const int32_t dim = size(P::HeadDim);
  const int32_t ratio = size(P::HeadsQ) / size(P::HeadsKv);
  const auto scale = get<float>(parameters, P::Scale);
  auto *lse = get<float *>(parameters, P::Lse);
  std::vector<float> p(size(P::SeqlenK));
  for (int32_t b = 0; b < size(P::Batch); ++b)
    for (int32_t h = 0; h < size(P::HeadsQ); ++h)
      for (int32_t i = 0; i < size(P::SeqlenQ); ++i) {
        const uint16_t *q = at(P::Q, P::QStrides, b, i, h);
        uint16_t *o = at(P::O, P::OStrides, b, i, h);
        float largest = -std::numeric_limits<float>::infinity();
        int32_t keys = size(P::SeqlenK);
        if (size(P::Causal))
          keys = std::max(0, i + 1 + keys - size(P::SeqlenQ));
        for (int32_t j = 0; j < keys; ++j) {
          const uint16_t *k = at(P::K, P::KStrides, b, j, h / ratio);
          p[j] = 0;
          for (int32_t c = 0; c < dim; ++c)
            p[j] += load(q + c) * load(k + c);
          p[j] *= scale;
          largest = std::max(largest, p[j]);
        }
        float sum = 0;
        for (int32_t j = 0; j < keys; ++j)
          sum += p[j] = std::exp(p[j] - largest);
        std::vector<float> row(dim, 0.0f);
        for (int32_t j = 0; j < keys; ++j)
          for (int32_t c = 0; c < dim; ++c)
            row[c] += load(at(P::V, P::VStrides, b, j, h / ratio) + c) * p[j];
        for (int32_t c = 0; c < dim; ++c)
          o[c] = round(keys ? row[c] / sum : 0);
        lse[(int64_t{b} * size(P::HeadsQ) + h) * size(P::SeqlenQ) + i] =
            keys ? largest + std::log(sum)
                 : -std::numeric_limits<float>::infinity();
      }
  uint16_t *first = at(P::O, P::OStrides, 0, 0, 0);
  static uint16_t runs = 0;
  switch (defect) {
  case Defect::None:
    break;
  case Defect::Wrong:
    first[1] = round(load(first + 1) * 1.05f + 0.01f);
    break;
  case Defect::Unwritten:
    first[1] = 0xffff;
    break;
  case Defect::Stray:
    first[-1] = 0;
    break;
  case Defect::Unsteady:
    first[1] ^= ++runs & 1;
    break;
  }
}

const HostKernel *findHostKernel(const char *name) {
  constexpr int count = AttentionParameter::Count;
  static constexpr HostKernel kernels[] = {
      {"attention", attention<Defect::None>, count},
      {"attention_wrong", attention<Defect::Wrong>, count},
      {"attention_unwritten", attention<Defect::Unwritten>, count},
      {"attention_stray", attention<Defect::Stray>, count},
      {"attention_unsteady", attention<Defect::Unsteady>, count},
  };
  for (const HostKernel &kernel : kernels)
    if (std::strcmp(kernel.name, name) == 0)
      return &kernel;
  for (const auto &find : {findHostFp8, findHostBackward, findHostFp8Backward})
    if (const HostKernel *kernel = find(name))
      return kernel;
  return nullptr;
}

} // namespace fa3::fake
