//===- problem.cpp - The problem that the options describe ----------------===//

#include "problem.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace fa3::run {

std::vector<int64_t> symbolValues(const Package &package,
                                  const Options &options) {
  static constexpr std::pair<std::string_view, std::string_view> flags[] = {
      {"batch", "--batch"},       {"heads_q", "--heads"},
      {"heads_kv", "--kv-heads"}, {"seqlen_q", "--seqlen-q"},
      {"seqlen_k", "--seqlen-k"}, {"heads", "--heads"},
      {"groups", "--kv-heads"},   {"seqlen", "--seqlen-k"},
  };
  std::vector<int64_t> values;
  for (const std::string &symbol : package.symbols()) {
    const auto found = options.symbols.find(symbol);
    if (found == options.symbols.end()) {
      const auto *flag = std::ranges::find(
          flags, symbol, &std::pair<std::string_view, std::string_view>::first);
      throw UsageError(flag == std::end(flags)
                           ? "the package needs --size " + symbol + "=N"
                           : "the package needs " + std::string(flag->second));
    }
    values.push_back(found->second);
  }
  return values;
}

Tensor &findTensor(std::vector<Tensor> &tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  if (found == tensors.end())
    throw UsageError("the package has no tensor '" + std::string(name) + "'");
  return *found;
}

std::vector<Tensor> makeTensors(const Package &package,
                                const Options &options) {
  const std::vector<int64_t> values = symbolValues(package, options);
  const std::vector<fa3_tensor_info> infos = package.tensors();
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < infos.size(); ++i)
    tensors.emplace_back(infos[i],
                         package.tensorSizes(static_cast<int32_t>(i), values),
                         options);
  const auto operation = nlohmann::json::parse(package.manifest())
                             .value("operation", nlohmann::json::object());
  const std::string layout = operation.value("value_layout", "rows");
  if (layout != "rows" && layout != "columns")
    throw UsageError("operation.value_layout is '" + layout +
                     "', expected rows or columns");
  // Of a quantization it is the layout of an output.
  if (layout == "columns" && operation.value("kind", "") != "quantize")
    findTensor(tensors, "v")
        .transposeKeys(findTensor(tensors, "k").sizes().at(1));
  const bool isScaled = std::ranges::any_of(tensors, [](const Tensor &tensor) {
    return tensor.name().ends_with("_descale");
  });
  if (options.descales != Options().descales && !isScaled)
    throw UsageError("--descale-range: the package takes no descales");
  return tensors;
}

} // namespace fa3::run
