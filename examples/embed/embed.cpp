//===- embed.cpp - A program with an attention kernel inside --------------===//
//
// Runs causal attention whose result is known without computing it: with
// queries of zero all scores are equal, so that row i of the output is the mean
// of the first i + 1 values, and its LSE is log(i + 1).
//
//===----------------------------------------------------------------------===//

#include "fa3/kernels/forward_bf16_d128_causal.h"

#include "fa3/runtime/runtime.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr int64_t batch = 1;
constexpr int64_t seqlen = 300;
constexpr int64_t heads = 2;
constexpr int64_t headDim = 128;
constexpr size_t elements = batch * seqlen * heads * headDim;
constexpr size_t rows = batch * heads * seqlen;

uint16_t toBf16(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>(bits >> 16);
}

float fromBf16(uint16_t value) {
  const uint32_t bits = uint32_t{value} << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

/// The value of token j: 0, 1, 0, 1, ...
float tokenValue(int64_t j) { return static_cast<float>(j % 2); }

bool run(const fa3::Driver &driver) {
  const fa3::Package package =
      fa3::Package::fromMemory(fa3_kernel_forward_bf16_d128_causal,
                               fa3_kernel_forward_bf16_d128_causal_size);
  const fa3::Context context(driver);
  fa3::Module module(driver, package);
  const fa3::Stream stream(driver);

  const std::vector<uint16_t> zeros(elements, 0);
  std::vector<uint16_t> values(elements);
  for (size_t i = 0; i < elements; ++i)
    values[i] = toBf16(
        tokenValue(static_cast<int64_t>(i) / (heads * headDim) % seqlen));
  constexpr size_t bytes = elements * sizeof(uint16_t);
  fa3::DeviceMemory q(driver, bytes);
  fa3::DeviceMemory k(driver, bytes);
  fa3::DeviceMemory v(driver, bytes);
  fa3::DeviceMemory o(driver, bytes);
  fa3::DeviceMemory lse(driver, rows * sizeof(float));
  q.copyFromHost(zeros.data(), bytes);
  k.copyFromHost(zeros.data(), bytes);
  v.copyFromHost(values.data(), bytes);

  const std::vector<int64_t> sizes = {batch, seqlen, heads, headDim};
  const std::vector<fa3_tensor> problem = {
      fa3::tensor("q", q.data(), FA3_DTYPE_BF16, sizes),
      fa3::tensor("k", k.data(), FA3_DTYPE_BF16, sizes),
      fa3::tensor("v", v.data(), FA3_DTYPE_BF16, sizes),
      fa3::tensor("o", o.data(), FA3_DTYPE_BF16, sizes),
      fa3::tensor("lse", lse.data(), FA3_DTYPE_F32, {batch, heads, seqlen}),
  };
  if (const auto reason = package.whyUnsupported(problem)) {
    std::fprintf(stderr, "unsupported: %s\n", reason->c_str());
    return false;
  }
  fa3::DeviceMemory workspace(driver, package.workspaceSize(problem));
  module.launch(stream.get(), problem, workspace.data(), workspace.size());
  stream.synchronize();

  std::vector<uint16_t> output(elements);
  std::vector<float> outputLse(rows);
  o.copyToHost(output.data(), bytes);
  lse.copyToHost(outputLse.data(), rows * sizeof(float));
  for (int64_t i = 0; i < seqlen; ++i)
    for (int64_t h = 0; h < heads; ++h) {
      const auto count = static_cast<float>(i + 1);
      const float mean = std::floor(count / 2) / count;
      const float found =
          fromBf16(output[static_cast<size_t>((i * heads + h) * headDim)]);
      const float foundLse = outputLse[static_cast<size_t>(h * seqlen + i)];
      // Negated, so that NaN fails.
      if (!(std::abs(found - mean) < 0.004f) ||
          !(std::abs(foundLse - std::log(count)) < 0.004f)) {
        std::fprintf(stderr, "row %d is %g, lse %g; expected %g and %g\n",
                     static_cast<int>(i), found, foundLse, mean,
                     std::log(count));
        return false;
      }
    }
  std::printf("%s: right (%s)\n", package.name().c_str(),
              driver.device(0).name);
  return true;
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 2 || std::string(argv[1]) == "cuda")
      return run(fa3::Driver()) ? 0 : 1;
    return run(fa3::Driver(argv[1])) ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 2;
  }
}
