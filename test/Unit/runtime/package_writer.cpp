//===- package_writer.cpp - Packages for tests ----------------------------===//

#include "package_writer.h"

#include <cmath>
#include <cstring>

namespace fa3::test {

static size_t align(size_t offset) {
  return (offset + FA3_SECTION_ALIGNMENT - 1) / FA3_SECTION_ALIGNMENT *
         FA3_SECTION_ALIGNMENT;
}

void fixHeader(std::string &package) {
  fa3_file_header header;
  std::memcpy(&header, package.data(), sizeof(header));
  header.header_crc = 0;
  const uint32_t crc = fa3_crc32(
      fa3_crc32(0, &header, sizeof(header)), package.data() + sizeof(header),
      header.section_count * sizeof(fa3_file_section));
  header.header_crc = crc;
  std::memcpy(package.data(), &header, sizeof(header));
}

std::string writePackage(const Sections &sections) {
  fa3_file_header header{};
  std::memcpy(header.magic, FA3_MAGIC, FA3_MAGIC_SIZE);
  header.version = FA3_FILE_VERSION;
  header.section_count = static_cast<uint32_t>(sections.size());
  std::string table;
  std::string contents(
      sizeof(header) + sections.size() * sizeof(fa3_file_section), '\0');
  for (const auto &[kind, bytes] : sections) {
    contents.resize(align(contents.size()), '\0');
    const fa3_file_section section = {kind,
                                      fa3_crc32(0, bytes.data(), bytes.size()),
                                      contents.size(), bytes.size()};
    table.append(reinterpret_cast<const char *>(&section), sizeof(section));
    contents += bytes;
  }
  header.file_size = contents.size();
  std::memcpy(contents.data(), &header, sizeof(header));
  contents.replace(sizeof(header), table.size(), table);
  fixHeader(contents);
  return contents;
}

std::string writePackage(const nlohmann::json &manifest,
                         const std::string &cubin, const std::string &ptx) {
  Sections sections = {{FA3_SECTION_MANIFEST, manifest.dump()}};
  if (!cubin.empty())
    sections.emplace_back(FA3_SECTION_CUBIN, cubin);
  if (!ptx.empty())
    sections.emplace_back(FA3_SECTION_PTX, ptx + '\0');
  return writePackage(sections);
}

nlohmann::json forwardManifest() {
  return nlohmann::json::parse(R"({
    "format": 1,
    "name": "forward_bf16_d128_causal",
    "compiler": {"version": "fa3 test", "ptxas": null},
    "target": "sm_90a",
    "min_driver": 12030,
    "operation": {"kind": "forward", "dtype": "bf16", "head_dim": 128,
                  "causal": true, "scale": 0.08838834764831845},
    "symbols": ["batch", "seqlen_q", "heads_q", "seqlen_k", "heads_kv"],
    "tensors": [
      {"name": "q", "role": "input", "dtype": "bf16",
       "dims": ["batch", "seqlen_q", "heads_q", 128]},
      {"name": "k", "role": "input", "dtype": "bf16",
       "dims": ["batch", "seqlen_k", "heads_kv", 128]},
      {"name": "v", "role": "input", "dtype": "bf16",
       "dims": ["batch", "seqlen_k", "heads_kv", 128]},
      {"name": "o", "role": "output", "dtype": "bf16",
       "dims": ["batch", "seqlen_q", "heads_q", 128]},
      {"name": "lse", "role": "output", "dtype": "f32",
       "dims": ["batch", "heads_q", "seqlen_q"]}],
    "constraints": [{"divides": ["heads_kv", "heads_q"]}],
    "workspace": {"op": "mul", "args": [{"op": "mul",
        "args": ["batch", "heads_q"]}, 256]},
    "workspace_tensors": [{"name": "scratch", "dtype": "f32",
        "dims": ["batch", "heads_q", 32],
        "offset": {"op": "mul", "args": [{"op": "mul",
          "args": ["batch", "heads_q"]}, 128]}}],
    "kernels": [
      {"name": "forward", "grid": [{"op": "mul", "args": ["batch",
          {"op": "mul", "args": ["heads_q",
            {"op": "ceildiv", "args": ["seqlen_q", 128]}]}]}, 1, 1],
       "block": [384, 1, 1], "cluster": [1, 1, 1], "shared_memory": 147584,
       "params": [
         {"kind": "i32", "value": {"op": "div", "args": ["heads_q",
             {"op": "max", "args": ["heads_kv", 1]}]}},
         {"kind": "tensor_map", "tensor": "q", "box": [1, 128, 1, 64],
          "swizzle": 128, "name": "q_map"},
         {"kind": "tensor_map", "tensor": "k", "box": [1, 176, 1, 64],
          "swizzle": 128, "name": "k_map"},
         {"kind": "size", "tensor": "q", "dim": 1},
         {"kind": "pointer", "tensor": "o"},
         {"kind": "stride", "tensor": "o", "dim": 2},
         {"kind": "f32", "value": 0.5},
         {"kind": "i64", "value": {"op": "mul", "args":
             ["seqlen_k", 4294967296]}},
         {"kind": "pointer", "tensor": "scratch"}]},
      {"name": "finish", "grid": ["batch", "heads_q", 1],
       "block": [128, 1, 1], "cluster": [1, 2, 1], "shared_memory": 0,
       "launch_if": {"op": "rem", "args": ["seqlen_q", 2]},
       "params": [{"kind": "pointer", "tensor": "lse"}]}]
  })");
}

/// The sizes, the scale and the strides that host kernels take behind pointers.
static void addSizes(nlohmann::json &parameters, bool causal, double scale,
                     const std::vector<std::string> &strided) {
  for (const char *size :
       {"batch", "seqlen_q", "heads_q", "seqlen_k", "heads_kv"})
    parameters.push_back({{"kind", "i32"}, {"value", size}});
  parameters.push_back({{"kind", "size"}, {"tensor", "q"}, {"dim", 3}});
  parameters.push_back({{"kind", "i32"}, {"value", causal ? 1 : 0}});
  parameters.push_back({{"kind", "f32"}, {"value", scale}});
  for (const std::string &tensor : strided)
    for (int dim = 0; dim < 3; ++dim)
      parameters.push_back(
          {{"kind", "stride"}, {"tensor", tensor}, {"dim", dim}});
}

nlohmann::json hostManifest(const std::string &kernel, bool causal,
                            int headDim) {
  nlohmann::json manifest = forwardManifest();
  manifest["operation"]["head_dim"] = headDim;
  manifest["operation"]["scale"] = 1 / std::sqrt(headDim);
  for (nlohmann::json &tensor : manifest["tensors"])
    if (tensor["dims"].size() == 4)
      tensor["dims"][3] = headDim;
  manifest["name"] = kernel;
  manifest["operation"]["causal"] = causal;
  manifest["workspace"] = 0;
  manifest.erase("workspace_tensors");
  nlohmann::json parameters = nlohmann::json::array();
  for (const char *tensor : {"q", "k", "v", "o", "lse"})
    parameters.push_back({{"kind", "pointer"}, {"tensor", tensor}});
  addSizes(parameters, causal, manifest["operation"]["scale"],
           {"q", "k", "v", "o"});
  manifest["kernels"] = {
      {{"name", kernel},
       {"grid", {{{"op", "mul"}, {"args", {"batch", "seqlen_q"}}}, 1, 1}},
       {"block", {128, 1, 1}},
       {"cluster", {1, 1, 1}},
       {"shared_memory", 0},
       {"params", parameters}}};
  return manifest;
}

nlohmann::json hostFp8Manifest(const HostFp8 &options) {
  using Json = nlohmann::json;
  const auto call = [](const char *op, const Json &a, const Json &b) {
    return Json{{"op", op}, {"args", {a, b}}};
  };
  const int depth = options.headDim;
  Json manifest = forwardManifest();
  manifest["name"] = options.kernel;
  manifest["operation"] = {
      {"kind", "forward"},
      {"dtype", "e4m3"},
      {"output_dtype", "f16"},
      {"head_dim", depth},
      {"causal", options.causal},
      {"scale", 1 / std::sqrt(depth)},
      {"value_layout", options.columns ? "columns" : "rows"}};
  Json tensors = Json::array();
  const auto add = [&](const char *name, const char *role, const char *dtype,
                       const Json &dims) {
    tensors.push_back(
        {{"name", name}, {"role", role}, {"dtype", dtype}, {"dims", dims}});
  };
  const Json padded = options.columns
                          ? Json("keys_padded")
                          : call("mul", call("ceildiv", "seqlen_k", 32), 32);
  const Json transposed = {"batch", "heads_kv", depth, padded};
  add("q", "input", "e4m3", {"batch", "seqlen_q", "heads_q", depth});
  add("k", "input", "e4m3", {"batch", "seqlen_k", "heads_kv", depth});
  add("v", "input", "e4m3",
      options.columns ? transposed
                      : Json{"batch", "seqlen_k", "heads_kv", depth});
  const Json groups = {"batch", "heads_kv"};
  if (options.descales) {
    add("q_descale", "input", "f32",
        options.rowFactors ? Json{"batch", "heads_q", "seqlen_q"} : groups);
    add("k_descale", "input", "f32",
        options.rowFactors ? Json{"batch", "heads_kv", "seqlen_k"} : groups);
    add("v_descale", "input", "f32", groups);
  }
  add("o", "output", "f16", {"batch", "seqlen_q", "heads_q", depth});
  add("lse", "output", "f32", {"batch", "heads_q", "seqlen_q"});
  manifest["tensors"] = tensors;
  manifest["workspace"] = 0;
  manifest.erase("workspace_tensors");
  if (options.columns) {
    manifest["symbols"].push_back("keys_padded");
    manifest["constraints"].push_back(
        {{"at_most", {"seqlen_k", "keys_padded"}}});
  } else {
    manifest["workspace"] = call("mul", call("mul", "batch", "heads_kv"),
                                 call("mul", padded, depth));
    manifest["workspace_tensors"] = {{{"name", "v_transposed"},
                                      {"dtype", "e4m3"},
                                      {"dims", transposed},
                                      {"offset", 0}}};
  }

  const char *values = options.columns ? "v" : "v_transposed";
  Json parameters = Json::array();
  for (const char *tensor : {"q", "k", "v", values, "o", "lse"})
    parameters.push_back({{"kind", "pointer"}, {"tensor", tensor}});
  for (const char *tensor : {"q_descale", "k_descale", "v_descale"})
    if (options.descales)
      parameters.push_back({{"kind", "pointer"}, {"tensor", tensor}});
    else
      parameters.push_back({{"kind", "i64"}, {"value", 0}});
  addSizes(parameters, options.causal, manifest["operation"]["scale"],
           {"q", "k", "v", values, "o"});
  parameters.push_back(
      {{"kind", "i32"}, {"value", options.rowFactors ? 1 : 0}});
  for (const char *tensor : {"q_descale", "k_descale"})
    for (int dim = 0; dim < 2; ++dim)
      parameters.push_back(
          options.rowFactors
              ? Json{{"kind", "stride"}, {"tensor", tensor}, {"dim", dim}}
              : Json{{"kind", "i64"}, {"value", 0}});
  manifest["kernels"] = Json::array();
  const auto launch = [&](const std::string &name, const Json &grid) {
    manifest["kernels"].push_back({{"name", name},
                                   {"grid", {grid, 1, 1}},
                                   {"block", {128, 1, 1}},
                                   {"cluster", {1, 1, 1}},
                                   {"shared_memory", 0},
                                   {"params", parameters}});
  };
  if (!options.columns)
    launch("fp8_transpose", call("mul", "batch", "heads_kv"));
  launch(options.kernel, call("mul", "batch", "seqlen_q"));
  return manifest;
}

/// The pointers, sizes and strides that a backward kernel takes.
static nlohmann::json backwardParameters(const HostBackward &options,
                                         double scale) {
  nlohmann::json parameters = nlohmann::json::array();
  const std::vector<std::string> strided = {"q",  "k",  "v",  "o",
                                            "do", "dq", "dk", "dv"};
  for (const std::string &tensor : strided)
    parameters.push_back({{"kind", "pointer"}, {"tensor", tensor}});
  for (const std::string tensor :
       {"lse", "dlse", "neg_lse", "neg_sum", "dq_acc"})
    if (tensor != "dlse" || options.withLseGradient)
      parameters.push_back({{"kind", "pointer"}, {"tensor", tensor}});
    else
      parameters.push_back({{"kind", "i64"}, {"value", 0}});
  addSizes(parameters, options.causal, scale, strided);
  return parameters;
}

nlohmann::json hostBackwardManifest(const HostBackward &options) {
  using Json = nlohmann::json;
  const auto call = [](const char *op, const Json &a, const Json &b) {
    return Json{{"op", op}, {"args", {a, b}}};
  };
  constexpr int depth = 64;
  const double scale = 0.125;
  const Json queries = {"batch", "seqlen_q", "heads_q", depth};
  const Json keys = {"batch", "seqlen_k", "heads_kv", depth};
  const Json rows = {"batch", "heads_q", "seqlen_q"};
  const Json padded = call("mul", call("ceildiv", "seqlen_q", 128), 128);
  const Json blocks = call("ceildiv", "seqlen_q", 64);
  const Json heads = call("mul", "batch", "heads_q");
  const Json rowBytes = call("mul", heads, call("mul", padded, 4));
  Json tensors = Json::array();
  const auto add = [&](const char *name, const char *role, const char *dtype,
                       const Json &dims) {
    tensors.push_back(
        {{"name", name}, {"role", role}, {"dtype", dtype}, {"dims", dims}});
  };
  for (const char *name : {"q", "o", "do"})
    add(name, "input", "bf16", queries);
  for (const char *name : {"k", "v"})
    add(name, "input", "bf16", keys);
  add("lse", "input", "f32", rows);
  if (options.withLseGradient)
    add("dlse", "input", "f32", rows);
  add("dq", "output", "bf16", queries);
  for (const char *name : {"dk", "dv"})
    add(name, "output", "bf16", keys);

  Json manifest = forwardManifest();
  manifest["name"] = "backward";
  manifest["operation"] = {{"kind", "backward"}, {"dtype", "bf16"},
                           {"head_dim", depth},  {"causal", options.causal},
                           {"scale", scale},     {"deterministic", true}};
  manifest["tensors"] = tensors;
  manifest["workspace"] =
      call("add", call("mul", rowBytes, 2),
           call("mul", heads, call("mul", blocks, 64 * depth * 4)));
  manifest["workspace_tensors"] = {
      {{"name", "neg_lse"},
       {"dtype", "f32"},
       {"dims", {"batch", "heads_q", padded}},
       {"offset", 0}},
      {{"name", "neg_sum"},
       {"dtype", "f32"},
       {"dims", {"batch", "heads_q", padded}},
       {"offset", rowBytes}},
      {{"name", "dq_acc"},
       {"dtype", "f32"},
       {"dims", {"batch", "heads_q", blocks, 64 * depth}},
       {"offset", call("mul", rowBytes, 2)}}};
  const std::vector<std::pair<std::string, Json>> kernels = {
      {"backward_preprocess" + options.suffixes.at(0), blocks},
      {"backward_main" + options.suffixes.at(1),
       call("ceildiv", "seqlen_k", 128)},
      {"backward_postprocess" + options.suffixes.at(2), blocks}};
  manifest["kernels"] = Json::array();
  for (const auto &[name, grid] : kernels)
    manifest["kernels"].push_back(
        {{"name", name},
         {"grid", {call("mul", call("mul", grid, "heads_q"), "batch"), 1, 1}},
         {"block", {128, 1, 1}},
         {"cluster", {1, 1, 1}},
         {"shared_memory", 0},
         {"params", backwardParameters(options, scale)}});
  return manifest;
}

nlohmann::json hostFp8BackwardManifest(const HostFp8Backward &options) {
  using Json = nlohmann::json;
  constexpr int depth = 64;
  const double scale = 0.125;
  Json tensors = Json::array();
  Json parameters = Json::array();
  // A parameter of each tensor; null where the package has none.
  const auto add = [&](const char *name, const char *role,
                       const std::string &dtype, const Json &dims,
                       bool exists = true) {
    if (!exists) {
      parameters.push_back({{"kind", "i64"}, {"value", 0}});
      return;
    }
    tensors.push_back(
        {{"name", name}, {"role", role}, {"dtype", dtype}, {"dims", dims}});
    parameters.push_back({{"kind", "pointer"}, {"tensor", name}});
  };
  const Json queries = {"batch", "seqlen_q", "heads_q", depth};
  const Json keys = {"batch", "seqlen_k", "heads_kv", depth};
  const Json rows = {"batch", "heads_q", "seqlen_q"};
  const Json groups = {"batch", "heads_kv"};
  add("q", "input", "e4m3", queries);
  add("k", "input", "e4m3", keys);
  add("v", "input", "e4m3", keys);
  add("o", "input", "bf16", queries);
  add("do", "input", options.gradientType, queries);
  add("dq", "output", "bf16", queries);
  add("dk", "output", "bf16", keys);
  add("dv", "output", "bf16", keys);
  add("lse", "input", "f32", rows);
  add("dlse", "input", "f32", rows, options.withLseGradient);
  for (const char *name : {"q_descale", "k_descale", "v_descale", "do_descale"})
    add(name, "input", "f32", groups, options.descales);
  add("ds_scale", "input", "f32", groups,
      options.scoreGradientType == "e4m3" && !options.rowFactors);
  add("ds_amax", "output", "f32", groups, options.withLargest);
  for (const bool flag : {options.gradientType == "e5m2", options.rowFactors})
    parameters.push_back({{"kind", "i32"}, {"value", flag ? 1 : 0}});
  addSizes(parameters, options.causal, scale,
           {"q", "k", "v", "o", "do", "dq", "dk", "dv"});

  Json manifest = forwardManifest();
  manifest["name"] = options.kernel;
  manifest["operation"] = {{"kind", "backward"},
                           {"dtype", "e4m3"},
                           {"output_dtype", "bf16"},
                           {"gradient_dtype", options.gradientType},
                           {"ds_dtype", options.scoreGradientType},
                           {"head_dim", depth},
                           {"causal", options.causal},
                           {"scale", scale},
                           {"deterministic", true}};
  manifest["tensors"] = tensors;
  manifest["workspace"] = 0;
  manifest.erase("workspace_tensors");
  manifest["kernels"] = {{{"name", options.kernel},
                          {"grid", {"heads_kv", "batch", 1}},
                          {"block", {128, 1, 1}},
                          {"cluster", {1, 1, 1}},
                          {"shared_memory", 0},
                          {"params", parameters}}};
  return manifest;
}

std::string cubinOf(const std::string &kernel) {
  return "CUBIN .entry " + kernel + "() .entry finish()";
}

std::string ptxOf(const std::string &kernel) {
  return ".version 8.0\n.entry " + kernel + "() {}\n.entry finish() {}\n";
}

std::string ptxOfKernels(const nlohmann::json &manifest) {
  std::string ptx = ".version 8.0\n";
  for (const nlohmann::json &kernel : manifest["kernels"])
    ptx += ".entry " + kernel["name"].get<std::string>() + "() {}\n";
  return ptx;
}

} // namespace fa3::test
