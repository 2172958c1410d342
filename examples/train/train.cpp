//===- train.cpp - Gradient descent through attention ---------------------===//
//
// Some steps of training without a framework: the forward kernel, a loss, the
// backward kernel, and an update of queries, keys and values that must make the
// loss smaller. The loss is half the squared distance of the output from a
// target, so that its gradient is their difference.
//
//===----------------------------------------------------------------------===//

#include "fa3/kernels/backward_bf16_d64_causal.h"
#include "fa3/kernels/forward_bf16_d64_causal.h"

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
constexpr int64_t seqlen = 100;
constexpr int64_t heads = 2;
constexpr int64_t headDim = 64;
constexpr size_t elements = batch * seqlen * heads * headDim;
constexpr size_t rows = batch * heads * seqlen;
constexpr int steps = 3;
constexpr float rate = 0.05f;

uint16_t toBf16(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float fromBf16(uint16_t value) {
  const uint32_t bits = uint32_t{value} << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

/// A bf16 tensor on the device, with the values in fp32 on the host.
class Values {
public:
  explicit Values(const fa3::Driver &driver)
      : host(elements), memory(driver, elements * sizeof(uint16_t)) {}

  void upload() {
    std::vector<uint16_t> narrow(elements);
    for (size_t i = 0; i < elements; ++i)
      narrow[i] = toBf16(host[i]);
    memory.copyFromHost(narrow.data(), elements * sizeof(uint16_t));
  }
  void download() {
    std::vector<uint16_t> narrow(elements);
    memory.copyToHost(narrow.data(), elements * sizeof(uint16_t));
    for (size_t i = 0; i < elements; ++i)
      host[i] = fromBf16(narrow[i]);
  }
  fa3_tensor named(const char *name) const {
    return fa3::tensor(name, memory.data(), FA3_DTYPE_BF16,
                       {batch, seqlen, heads, headDim});
  }

  std::vector<float> host;

private:
  fa3::DeviceMemory memory;
};

/// A kernel with its tensors and its workspace, which is allocated once.
class Kernel {
public:
  Kernel(const fa3::Driver &driver, const fa3::Package &package,
         std::vector<fa3_tensor> tensors)
      : problem(std::move(tensors)), module(driver, package),
        workspace(driver, package.workspaceSize(problem)) {}

  void launch(const fa3::Stream &stream) {
    module.launch(stream.get(), problem, workspace.data(), workspace.size());
  }

private:
  std::vector<fa3_tensor> problem;
  fa3::Module module;
  fa3::DeviceMemory workspace;
};

float loss(const std::vector<float> &output, const std::vector<float> &target) {
  float sum = 0;
  for (size_t i = 0; i < elements; ++i)
    sum += (output[i] - target[i]) * (output[i] - target[i]) / 2;
  return sum;
}

bool run(const fa3::Driver &driver) {
  const fa3::Context context(driver);
  const fa3::Stream stream(driver);
  Values q(driver), k(driver), v(driver), o(driver);
  Values dOutput(driver), dq(driver), dk(driver), dv(driver);
  fa3::DeviceMemory lseMemory(driver, rows * sizeof(float));
  const fa3_tensor lse = fa3::tensor("lse", lseMemory.data(), FA3_DTYPE_F32,
                                     {batch, heads, seqlen});
  Kernel forward(
      driver,
      fa3::Package::fromMemory(fa3_kernel_forward_bf16_d64_causal,
                               fa3_kernel_forward_bf16_d64_causal_size),
      {q.named("q"), k.named("k"), v.named("v"), o.named("o"), lse});
  Kernel backward(
      driver,
      fa3::Package::fromMemory(fa3_kernel_backward_bf16_d64_causal,
                               fa3_kernel_backward_bf16_d64_causal_size),
      {q.named("q"), k.named("k"), v.named("v"), o.named("o"), lse,
       dOutput.named("do"), dq.named("dq"), dk.named("dk"), dv.named("dv")});

  std::vector<float> target(elements);
  for (size_t i = 0; i < elements; ++i) {
    const auto position = static_cast<float>(i);
    q.host[i] = std::sin(position * 0.37f);
    k.host[i] = std::sin(position * 0.73f);
    v.host[i] = std::sin(position * 1.31f);
    target[i] = std::sin(position * 0.11f);
  }
  float before = INFINITY;
  for (int step = 0;; ++step) {
    for (Values *parameter : {&q, &k, &v})
      parameter->upload();
    forward.launch(stream);
    stream.synchronize();
    o.download();
    const float now = loss(o.host, target);
    std::printf("step %d: loss %.2f\n", step, now);
    // Negated, so that NaN fails.
    if (!(now < before)) {
      std::fprintf(stderr, "the loss did not become smaller\n");
      return false;
    }
    if (step == steps)
      return true;
    before = now;
    for (size_t i = 0; i < elements; ++i)
      dOutput.host[i] = o.host[i] - target[i];
    dOutput.upload();
    backward.launch(stream);
    stream.synchronize();
    const std::pair<Values *, Values *> updates[] = {
        {&q, &dq}, {&k, &dk}, {&v, &dv}};
    for (const auto &[parameter, gradient] : updates) {
      gradient->download();
      for (size_t i = 0; i < elements; ++i)
        parameter->host[i] -= rate * gradient->host[i];
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 2 || std::string(argv[1]) == "cuda")
      return run(fa3::Driver()) ? 0 : 1;
    return run(fa3::Driver(argv[1])) ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "train: %s\n", error.what());
    return 2;
  }
}
