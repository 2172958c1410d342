//===- manifest.cpp - What a package says about its kernels ---------------===//

#include "manifest.h"

#include "dtype.h"
#include "invalid_package.h"
#include "json_view.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace fa3 {

static constexpr int64_t int32Max = std::numeric_limits<int32_t>::max();
static constexpr int64_t int64Max = std::numeric_limits<int64_t>::max();
static constexpr int64_t int64Min = std::numeric_limits<int64_t>::min();

/// The pointer and stride alignment that TMA demands, in bytes.
static constexpr int64_t tensorMapAlignment = 16;

/// Kernels access types narrower than 32 bits in vectors.
static constexpr int64_t vectorAlignment = 16;

namespace {

/// One entry of a table from the manifest's words to the runtime's values.
template <typename Value> struct Word {
  std::string_view name;
  Value value;
};

/// Reads a manifest part by part, in the order of their dependence.
class Parser {
public:
  explicit Parser(const JsonView &root) : root(root) {}

  Manifest parse();

private:
  void parseTarget();
  void parseSymbols();
  void parseTensors();
  void parseWorkspace();
  void parseConstraints();
  void parseKernel(const JsonView &view);
  ParameterSpec parseParameter(const JsonView &view, int &offset);
  void parseTensorMap(const JsonView &view, ParameterSpec &parameter);

  Expression parseExpression(const JsonView &view) const;
  void appendExpression(const JsonView &view, Expression &expression,
                        int depth) const;
  std::vector<Expression> parseDims(const JsonView &view) const;
  TensorReference findTensor(const JsonView &view) const;
  size_t rank(TensorReference tensor) const;
  fa3_dtype dtype(TensorReference tensor) const;

  const JsonView &root;
  Manifest manifest;
  /// Whether what is parsed now is evaluated by a launch, which knows the
  /// device, and by nothing else.
  bool inKernel = false;
};

} // namespace

template <typename Value, size_t count>
static Value oneOf(const JsonView &view, const Word<Value> (&words)[count]) {
  const std::string name = view.string();
  std::string expected;
  for (const Word<Value> &word : words) {
    if (word.name == name)
      return word.value;
    expected += (expected.empty() ? "" : ", ") + std::string(word.name);
  }
  view.fail("unknown value '" + name + "', expected one of " + expected);
}

static fa3_dtype dtypeOf(const JsonView &view) {
  const std::string name = view.string();
  std::optional<fa3_dtype> dtype = parseDtype(name);
  if (!dtype)
    view.fail("unknown element type '" + name +
              "', expected one of bf16, f16, f32, e4m3, e5m2, i32");
  return *dtype;
}

static std::array<unsigned, 3> extents(const JsonView &view, int64_t most) {
  std::array<unsigned, 3> result;
  const std::vector<JsonView> views = view.elements(3, 3);
  int64_t product = 1;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t extent = views[i].integer(1, most);
    result[i] = static_cast<unsigned>(extent);
    product *= extent;
  }
  if (product > most)
    view.fail("the product of the extents is " + std::to_string(product) +
              ", expected at most " + std::to_string(most));
  return result;
}

void Parser::appendExpression(const JsonView &view, Expression &expression,
                              int depth) const {
  using Operation = Expression::Operation;
  static constexpr Word<Operation> operations[] = {
      {"add", Operation::Add},         {"sub", Operation::Sub},
      {"mul", Operation::Mul},         {"div", Operation::Div},
      {"ceildiv", Operation::CeilDiv}, {"rem", Operation::Rem},
      {"min", Operation::Min},         {"max", Operation::Max},
  };
  if (view.isString()) {
    const std::string symbol = view.string();
    if (symbol == FA3_MULTIPROCESSORS_SYMBOL) {
      if (!inKernel)
        view.fail("only kernels may depend on '" + symbol + "'");
      expression.pushSymbol(multiprocessorsIndex);
      return;
    }
    auto found = std::ranges::find(manifest.symbols, symbol);
    if (found == manifest.symbols.end())
      view.fail("'" + symbol + "' is not among the symbols");
    expression.pushSymbol(static_cast<int>(found - manifest.symbols.begin()));
    return;
  }
  if (!view.isObject()) {
    expression.pushLiteral(view.integer(int64Min, int64Max));
    return;
  }
  if (depth == FA3_MAX_EXPRESSION_DEPTH)
    view.fail("expressions may be nested " +
              std::to_string(FA3_MAX_EXPRESSION_DEPTH) + " deep at most");
  for (const JsonView &argument : view.at("args").elements(2, 2))
    appendExpression(argument, expression, depth + 1);
  expression.pushOperation(oneOf(view.at("op"), operations));
}

Expression Parser::parseExpression(const JsonView &view) const {
  Expression expression;
  appendExpression(view, expression, 0);
  return expression;
}

std::vector<Expression> Parser::parseDims(const JsonView &view) const {
  std::vector<Expression> dims;
  for (const JsonView &dim : view.elements(1, FA3_MAX_RANK))
    dims.push_back(parseExpression(dim));
  return dims;
}

void Parser::parseTarget() {
  const JsonView view = root.at("target");
  const std::string target = view.string();
  manifest.architectureSpecific = target.back() == 'a';
  const char *first = target.data() + std::min<size_t>(3, target.size());
  const char *last =
      target.data() + target.size() - (manifest.architectureSpecific ? 1 : 0);
  const auto [end, failure] =
      std::from_chars(first, last, manifest.computeCapability);
  if (!target.starts_with("sm_") || failure != std::errc() || end != last)
    view.fail("expected an architecture such as sm_90a, found '" + target +
              "'");
}

void Parser::parseSymbols() {
  for (const JsonView &view : root.at("symbols").elements(0, FA3_MAX_SYMBOLS)) {
    std::string symbol = view.string();
    if (symbol == FA3_MULTIPROCESSORS_SYMBOL)
      view.fail("the runtime gives '" + symbol + "' its value");
    if (std::ranges::count(manifest.symbols, symbol))
      view.fail("'" + symbol + "' is already a symbol");
    manifest.symbols.push_back(std::move(symbol));
  }
}

void Parser::parseTensors() {
  static constexpr Word<fa3_role> roles[] = {
      {"input", FA3_ROLE_INPUT},
      {"output", FA3_ROLE_OUTPUT},
      {"inout", FA3_ROLE_INOUT},
  };
  for (const JsonView &view : root.at("tensors").elements(1, FA3_MAX_TENSORS)) {
    TensorSpec tensor;
    tensor.name = view.at("name").string();
    if (std::ranges::count(manifest.tensors, tensor.name, &TensorSpec::name))
      view.fail("'" + tensor.name + "' is already a tensor");
    tensor.role = oneOf(view.at("role"), roles);
    tensor.dtype = dtypeOf(view.at("dtype"));
    tensor.dims = parseDims(view.at("dims"));
    const auto least = static_cast<int64_t>(fa3_dtype_size(tensor.dtype));
    tensor.alignment = least < 4 ? vectorAlignment : least;
    if (std::optional<JsonView> alignment = view.find("alignment")) {
      tensor.alignment = alignment->integer(1, FA3_WORKSPACE_ALIGNMENT);
      if (tensor.alignment % least != 0)
        alignment->fail("expected a multiple of the element size " +
                        std::to_string(least));
    }
    manifest.tensors.push_back(std::move(tensor));
  }
  // A launch reads every symbol's value off the tensors' sizes.
  for (size_t i = 0; i < manifest.symbols.size(); ++i)
    if (std::ranges::none_of(manifest.tensors, [&](const TensorSpec &tensor) {
          return std::ranges::count(tensor.dims, static_cast<int>(i),
                                    &Expression::asSymbol);
        }))
      root.fail("symbol '" + manifest.symbols[i] +
                "' is not a dimension of any tensor");
}

void Parser::parseWorkspace() {
  manifest.workspace = parseExpression(root.at("workspace"));
  const std::optional<JsonView> tensors = root.find("workspace_tensors");
  if (!tensors)
    return;
  for (const JsonView &view : tensors->elements(0, FA3_MAX_WORKSPACE_TENSORS)) {
    WorkspaceTensorSpec tensor;
    tensor.name = view.at("name").string();
    if (std::ranges::count(manifest.tensors, tensor.name, &TensorSpec::name) ||
        std::ranges::count(manifest.workspaceTensors, tensor.name,
                           &WorkspaceTensorSpec::name))
      view.fail("'" + tensor.name + "' is already a tensor");
    tensor.dtype = dtypeOf(view.at("dtype"));
    tensor.dims = parseDims(view.at("dims"));
    tensor.offset = parseExpression(view.at("offset"));
    tensor.alignment = static_cast<int64_t>(fa3_dtype_size(tensor.dtype));
    manifest.workspaceTensors.push_back(std::move(tensor));
  }
}

void Parser::parseConstraints() {
  using Kind = ConstraintSpec::Kind;
  const std::optional<JsonView> constraints = root.find("constraints");
  if (!constraints)
    return;
  for (const JsonView &view : constraints->elements(0, 64)) {
    ConstraintSpec constraint;
    std::optional<JsonView> operands = view.find("divides");
    constraint.kind = operands ? Kind::Divides : Kind::AtMost;
    if (!operands)
      operands = view.find("at_most");
    if (!operands)
      view.fail("unknown constraint, expected 'divides' or 'at_most'");
    const std::vector<JsonView> views = operands->elements(2, 2);
    std::array<std::string, 2> names;
    for (size_t i = 0; i < 2; ++i) {
      constraint.operands[i] = parseExpression(views[i]);
      names[i] = views[i].text();
    }
    constraint.text = names[0] +
                      (constraint.kind == Kind::Divides ? " must divide "
                                                        : " must be at most ") +
                      names[1];
    manifest.constraints.push_back(std::move(constraint));
  }
}

TensorReference Parser::findTensor(const JsonView &view) const {
  const std::string name = view.string();
  auto tensor = std::ranges::find(manifest.tensors, name, &TensorSpec::name);
  if (tensor != manifest.tensors.end())
    return {false, static_cast<int>(tensor - manifest.tensors.begin())};
  auto inWorkspace = std::ranges::find(manifest.workspaceTensors, name,
                                       &WorkspaceTensorSpec::name);
  if (inWorkspace == manifest.workspaceTensors.end())
    view.fail("there is no tensor '" + name + "'");
  return {true,
          static_cast<int>(inWorkspace - manifest.workspaceTensors.begin())};
}

size_t Parser::rank(TensorReference tensor) const {
  return tensor.inWorkspace
             ? manifest.workspaceTensors[tensor.index].dims.size()
             : manifest.tensors[tensor.index].dims.size();
}

fa3_dtype Parser::dtype(TensorReference tensor) const {
  return tensor.inWorkspace ? manifest.workspaceTensors[tensor.index].dtype
                            : manifest.tensors[tensor.index].dtype;
}

void Parser::parseTensorMap(const JsonView &view, ParameterSpec &parameter) {
  const size_t dims = rank(parameter.tensor);
  if (dims > FA3_MAX_TENSOR_MAP_RANK)
    view.at("tensor").fail(
        "a tensor map has at most " + std::to_string(FA3_MAX_TENSOR_MAP_RANK) +
        " dimensions, the tensor has " + std::to_string(dims));
  const JsonView boxView = view.at("box");
  const std::vector<JsonView> box = boxView.elements(dims, dims);
  for (size_t i = 0; i < dims; ++i)
    parameter.map.box[i] = static_cast<uint32_t>(box[i].integer(1, 256));
  const int64_t rowBytes =
      parameter.map.box[dims - 1] *
      static_cast<int64_t>(fa3_dtype_size(dtype(parameter.tensor)));
  if (rowBytes % tensorMapAlignment != 0)
    boxView.fail("the box's rows have " + std::to_string(rowBytes) +
                 " bytes, expected a multiple of " +
                 std::to_string(tensorMapAlignment));
  const JsonView swizzleView = view.at("swizzle");
  const int64_t swizzle = swizzleView.integer(0, 128);
  switch (swizzle) {
  case 0:
    parameter.map.swizzle = cu::CU_TENSOR_MAP_SWIZZLE_NONE;
    break;
  case 32:
    parameter.map.swizzle = cu::CU_TENSOR_MAP_SWIZZLE_32B;
    break;
  case 64:
    parameter.map.swizzle = cu::CU_TENSOR_MAP_SWIZZLE_64B;
    break;
  case 128:
    parameter.map.swizzle = cu::CU_TENSOR_MAP_SWIZZLE_128B;
    break;
  default:
    swizzleView.fail("expected 0, 32, 64 or 128, found " +
                     std::to_string(swizzle));
  }
  if (swizzle != 0 && rowBytes > swizzle)
    boxView.fail("the box's rows have " + std::to_string(rowBytes) +
                 " bytes, more than the swizzle's " + std::to_string(swizzle));
  int64_t &alignment =
      parameter.tensor.inWorkspace
          ? manifest.workspaceTensors[parameter.tensor.index].alignment
          : manifest.tensors[parameter.tensor.index].alignment;
  alignment = std::max(alignment, tensorMapAlignment);
}

ParameterSpec Parser::parseParameter(const JsonView &view, int &offset) {
  using Kind = ParameterSpec::Kind;
  static constexpr Word<Kind> kinds[] = {
      {"tensor_map", Kind::TensorMap},
      {"pointer", Kind::Pointer},
      {"size", Kind::Size},
      {"stride", Kind::Stride},
      {"i32", Kind::I32},
      {"i64", Kind::I64},
      {"f32", Kind::F32},
  };
  ParameterSpec parameter;
  parameter.kind = oneOf(view.at("kind"), kinds);
  int size = 0;
  int alignment = 0;
  switch (parameter.kind) {
  case Kind::TensorMap:
    parameter.tensor = findTensor(view.at("tensor"));
    parseTensorMap(view, parameter);
    size = FA3_TENSOR_MAP_SIZE;
    alignment = FA3_TENSOR_MAP_ALIGNMENT;
    break;
  case Kind::Pointer:
    parameter.tensor = findTensor(view.at("tensor"));
    size = alignment = 8;
    break;
  case Kind::Size:
  case Kind::Stride:
    parameter.tensor = findTensor(view.at("tensor"));
    parameter.dim = static_cast<int>(view.at("dim").integer(
        0, static_cast<int64_t>(rank(parameter.tensor)) - 1));
    size = alignment = parameter.kind == Kind::Size ? 4 : 8;
    break;
  case Kind::I32:
  case Kind::I64:
    parameter.value = parseExpression(view.at("value"));
    size = alignment = parameter.kind == Kind::I32 ? 4 : 8;
    break;
  case Kind::F32: {
    const JsonView valueView = view.at("value");
    const double value = valueView.number();
    if (!(std::abs(value) <= std::numeric_limits<float>::max()))
      valueView.fail("expected a number that fits 32-bit floating point");
    parameter.number = static_cast<float>(value);
    size = alignment = 4;
    break;
  }
  }
  parameter.offset = (offset + alignment - 1) / alignment * alignment;
  offset = parameter.offset + size;
  if (offset > FA3_MAX_PARAMETER_BYTES)
    view.fail("the parameters exceed " +
              std::to_string(FA3_MAX_PARAMETER_BYTES) + " bytes");
  return parameter;
}

void Parser::parseKernel(const JsonView &view) {
  KernelSpec kernel;
  kernel.name = view.at("name").string();
  const std::vector<JsonView> grid = view.at("grid").elements(3, 3);
  for (size_t i = 0; i < 3; ++i)
    kernel.grid[i] = parseExpression(grid[i]);
  kernel.block = extents(view.at("block"), 1024);
  kernel.cluster = extents(view.at("cluster"), 8);
  kernel.sharedMemory =
      static_cast<int>(view.at("shared_memory").integer(0, int32Max));
  if (std::optional<JsonView> condition = view.find("launch_if")) {
    kernel.conditional = true;
    kernel.launchIf = parseExpression(*condition);
  }
  int offset = 0;
  for (const JsonView &parameter :
       view.at("params").elements(0, FA3_MAX_PARAMETERS))
    kernel.parameters.push_back(parseParameter(parameter, offset));
  manifest.kernels.push_back(std::move(kernel));
}

Manifest Parser::parse() {
  const JsonView format = root.at("format");
  const int64_t version = format.integer(0, int64Max);
  if (version != FA3_MANIFEST_FORMAT)
    format.fail("manifest format " + std::to_string(version) +
                ", but this runtime reads format " +
                std::to_string(FA3_MANIFEST_FORMAT));
  manifest.name = root.at("name").string();
  manifest.minDriver =
      static_cast<int>(root.at("min_driver").integer(0, int32Max));
  parseTarget();
  parseSymbols();
  parseTensors();
  parseWorkspace();
  parseConstraints();
  inKernel = true;
  for (const JsonView &kernel : root.at("kernels").elements(1, FA3_MAX_KERNELS))
    parseKernel(kernel);
  return std::move(manifest);
}

Manifest parseManifest(std::string_view text) {
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception &exception) {
    throw InvalidPackage(std::string("manifest: ") + exception.what());
  }
  return Parser(JsonView(json, "")).parse();
}

} // namespace fa3
