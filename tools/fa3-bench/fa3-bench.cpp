//===- fa3-bench.cpp - Times kernel packages ------------------------------===//

#include "bench_options.h"
#include "key_order.h"
#include "numeric.h"
#include "random.h"

#include "fa3/runtime/runtime.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>

using namespace fa3;
using namespace fa3::bench;
using nlohmann::json;

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half]
                           : (values[half - 1] + values[half]) / 2;
}

/// A package with its problem in device memory.
class Contestant {
public:
  Contestant(const Driver &driver, const std::string &path)
      : package(Package::fromFile(path)), module(driver, package),
        operation(json::parse(package.manifest()).at("operation")) {}

  std::string name() const { return package.name(); }

  /// Allocates and fills the tensors for one sequence length.
  void prepare(const Driver &driver, const Options &options, int64_t seqlen) {
    const int64_t depth = operation.at("head_dim");
    const int64_t heads =
        options.heads.value_or(std::max<int64_t>(1, options.hidden / depth));
    const int64_t batch =
        options.batch.value_or(std::max<int64_t>(1, options.tokens / seqlen));
    std::vector<int64_t> symbols;
    for (const std::string &symbol : package.symbols()) {
      if (symbol == "batch")
        symbols.push_back(batch);
      else if (symbol == "seqlen_q" || symbol == "seqlen_k")
        symbols.push_back(seqlen);
      else if (symbol == "heads_q")
        symbols.push_back(heads);
      else if (symbol == "heads_kv")
        symbols.push_back(options.kvHeads.value_or(heads));
      else if (symbol == "keys_padded")
        symbols.push_back(run::paddedKeys(seqlen));
      else
        throw UsageError(name() + " depends on '" + symbol +
                         "', which fa3-bench does not know");
    }

    problem.clear();
    memory.clear();
    const std::vector<fa3_tensor_info> tensors = package.tensors();
    std::vector<int64_t> querySizes;
    for (size_t i = 0; i < tensors.size(); ++i) {
      std::vector<int64_t> sizes =
          package.tensorSizes(static_cast<int32_t>(i), symbols);
      if (tensors[i].name == std::string("q"))
        querySizes = sizes;
      const std::vector<int64_t> padded = padRows(sizes, tensors[i].dtype);
      int64_t elements = 1;
      for (int64_t size : padded)
        elements *= size;
      const size_t bytes = elements * fa3_dtype_size(tensors[i].dtype);
      DeviceMemory &block = memory.emplace_back(driver, bytes);
      if (tensors[i].role != FA3_ROLE_OUTPUT)
        fill(block, tensors[i].dtype, i, tensors[i].name, seqlen);
      fa3_tensor operand =
          tensor(tensors[i].name, block.data(), tensors[i].dtype, padded);
      std::ranges::copy(sizes, operand.sizes);
      problem.push_back(operand);
    }
    workspace = DeviceMemory(driver, package.workspaceSize(problem));
    module.prepare();

    // Two products of 2 flops a multiplication; backward has five.
    const double products = operation.at("kind") == "backward" ? 5 : 2;
    const double pairs = static_cast<double>(seqlen) *
                         static_cast<double>(seqlen) /
                         (operation.value("causal", false) ? 2 : 1);
    flops = products * 2 * pairs * static_cast<double>(depth) *
            static_cast<double>(querySizes.at(0)) *
            static_cast<double>(querySizes.at(2));
  }

  void launch(const Stream &stream) {
    module.launch(stream.get(), problem, workspace.data(), workspace.size());
  }

  /// TFLOP/s when a call takes this long.
  double speed(double milliseconds) const { return flops / milliseconds / 1e9; }

private:
  /// Sizes of a tensor whose rows, along the last dimension, begin where
  /// kernels may want them to.
  static std::vector<int64_t> padRows(std::vector<int64_t> sizes,
                                      fa3_dtype dtype) {
    constexpr int64_t rowBytes = 16;
    const auto multiple =
        rowBytes / static_cast<int64_t>(fa3_dtype_size(dtype));
    if (!sizes.empty())
      sizes.back() = (sizes.back() + multiple - 1) / multiple * multiple;
    return sizes;
  }

  /// Mean and deviation of an input: an LSE is about what the forward pass
  /// gives for normal inputs, so that a backward pass sees probabilities.
  static std::pair<float, float> statistics(const std::string &tensor,
                                            int64_t seqlen) {
    if (tensor == "lse")
      return {std::log(static_cast<float>(seqlen)) + 0.5f, 1.0f};
    if (tensor.ends_with("_descale"))
      return {1.0f, 0.0f};
    // The gradients of scores are as small as the probabilities.
    if (tensor == "ds_scale")
      return {0.1f * static_cast<float>(seqlen), 0.0f};
    return {0.0f, 1.0f};
  }

  /// Normal values, repeated with a period that caches cannot exploit.
  static void fill(DeviceMemory &block, fa3_dtype dtype, uint64_t stream,
                   const std::string &tensor, int64_t seqlen) {
    constexpr int64_t period = 1 << 20;
    const auto [mean, deviation] = statistics(tensor, seqlen);
    const run::CounterRandom random(0, stream);
    std::vector<float> values(period);
    for (int64_t i = 0; i < period; ++i)
      values[i] = mean + deviation * random.normal(i);
    std::vector<std::byte> encoded(period * fa3_dtype_size(dtype));
    run::encode(dtype, values.data(), period, encoded.data());
    for (size_t offset = 0; offset < block.size(); offset += encoded.size())
      block.copyFromHost(encoded.data(),
                         std::min(encoded.size(), block.size() - offset),
                         offset);
  }

  Package package;
  Module module;
  json operation;
  std::vector<DeviceMemory> memory;
  DeviceMemory workspace;
  std::vector<fa3_tensor> problem;
  double flops = 0;
};

/// Median time of a call in milliseconds.
double measure(const Driver &driver, const Stream &stream,
               Contestant &contestant, double milliseconds) {
  auto time = [&](int64_t calls) {
    std::vector<Event> events;
    for (int64_t i = 0; i <= calls; ++i)
      events.emplace_back(driver);
    events[0].record(stream);
    for (int64_t i = 0; i < calls; ++i) {
      contestant.launch(stream);
      events[i + 1].record(stream);
    }
    events[calls].synchronize();
    std::vector<double> times;
    for (int64_t i = 0; i < calls; ++i)
      times.push_back(events[i + 1].millisecondsSince(events[i]));
    return median(std::move(times));
  };
  const double once = std::max(time(2), 1e-3);
  return time(
      std::clamp<int64_t>(static_cast<int64_t>(milliseconds / once), 3, 400));
}

void writeFile(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write '" + path + "'");
}

int benchmark(const Options &options) {
  const Driver driver = options.driver ? Driver(*options.driver) : Driver();
  const Context context(driver);
  const Stream stream(driver);
  std::vector<Contestant> contestants;
  for (const std::string &path : options.packages)
    contestants.emplace_back(driver, path);

  json rows = json::array();
  std::string table = "kernel,seqlen,milliseconds,tflops\n";
  std::printf("%-40s %8s %12s %8s\n", "kernel", "seqlen", "median ms",
              "TFLOP/s");
  for (int64_t seqlen : options.seqlens) {
    std::vector<std::vector<double>> times(contestants.size());
    for (Contestant &contestant : contestants)
      contestant.prepare(driver, options, seqlen);
    for (int64_t round = 0; round < options.rounds; ++round)
      for (size_t i = 0; i < contestants.size(); ++i) {
        const size_t turn = (i + round) % contestants.size();
        times[turn].push_back(
            measure(driver, stream, contestants[turn], options.milliseconds));
      }
    for (size_t i = 0; i < contestants.size(); ++i) {
      const double time = median(times[i]);
      const double speed = contestants[i].speed(time);
      const std::string name = contestants[i].name();
      std::printf("%-40s %8lld %12.4f %8.1f\n", name.c_str(),
                  static_cast<long long>(seqlen), time, speed);
      std::fflush(stdout);
      table += name + "," + std::to_string(seqlen) + "," +
               std::to_string(time) + "," + std::to_string(speed) + "\n";
      rows.push_back({{"package", options.packages[i]},
                      {"kernel", name},
                      {"seqlen", seqlen},
                      {"median_ms", time},
                      {"tflops", speed},
                      {"rounds_ms", times[i]}});
    }
  }
  if (options.csv)
    writeFile(*options.csv, table);
  if (options.json)
    writeFile(
        *options.json,
        json{{"device", driver.device(0).name}, {"results", rows}}.dump(1) +
            "\n");
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  try {
    const Options options = parseOptions(argc, argv);
    if (options.help) {
      std::cout << usage;
      return 0;
    }
    return benchmark(options);
  } catch (const UsageError &error) {
    std::cerr << "fa3-bench: " << error.what() << "\n\n" << usage;
    return 2;
  } catch (const std::exception &error) {
    std::cerr << "fa3-bench: " << error.what() << "\n";
    return 1;
  }
}
