//===- Manifest.cpp - What the runtime must know --------------------------===//

#include "fa3/Target/Manifest.h"

#include "fa3/Analysis/SizeExpressions.h"
#include "fa3/Hopper/HopperOps.h"
#include "fa3/Target/Codegen.h"
#include "fa3/runtime/abi.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace fa3;

/// The size of an element type, by its name in a manifest.
static int64_t getDTypeBytes(StringRef dtype) {
  return llvm::StringSwitch<int64_t>(dtype)
      .Cases({"e4m3", "e5m2"}, 1)
      .Cases({"bf16", "f16"}, 2)
      .Default(4);
}

namespace {

/// Writes attributes as the JSON that they spell.
class ManifestWriter {
public:
  ManifestWriter(gpu::GPUModuleOp gpuModule, llvm::raw_ostream &os)
      : gpuModule(gpuModule), json(os) {}

  LogicalResult write(StringRef ptxasVersion) {
    auto tensors =
        gpuModule->getAttrOfType<ArrayAttr>(hopper::kTensorsAttrName);
    if (!tensors)
      return gpuModule.emitError("has no '")
             << hopper::kTensorsAttrName << "' attribute";
    json.objectBegin();
    json.attribute("format", FA3_MANIFEST_FORMAT);
    json.attribute("name", gpuModule.getName());
    json.attributeObject("compiler", [&] {
      json.attribute("version", getCompilerVersion());
      json.attribute("ptxas", ptxasVersion.empty()
                                  ? llvm::json::Value(nullptr)
                                  : llvm::json::Value(ptxasVersion));
    });
    json.attribute("target", kTargetChip);
    json.attribute("min_driver", kMinimumDriver);
    if (Attribute problem = gpuModule->getAttr(hopper::kProblemAttrName))
      writeEntry("operation", problem);
    writeSymbols(tensors);
    json.attributeArray("tensors", [&] {
      for (Attribute tensor : tensors)
        if (!isScratch(tensor))
          writeObject(cast<DictionaryAttr>(tensor),
                      {"name", "role", "dtype", "dims"});
    });
    writeConstraints();
    writeWorkspace(tensors);
    json.attributeBegin("kernels");
    json.arrayBegin();
    for (LLVM::LLVMFuncOp kernel : gpuModule.getOps<LLVM::LLVMFuncOp>())
      if (failed(writeKernel(kernel)))
        return failure();
    json.arrayEnd();
    json.attributeEnd();
    json.objectEnd();
    json.flush();
    return success(valid);
  }

private:
  void writeEntry(StringRef name, Attribute value) {
    json.attributeBegin(name);
    writeValue(value);
    json.attributeEnd();
  }

  void writeValue(Attribute value) {
    llvm::TypeSwitch<Attribute>(value)
        .Case([&](BoolAttr boolean) { json.value(boolean.getValue()); })
        .Case([&](IntegerAttr integer) {
          json.value(integer.getValue().getSExtValue());
        })
        .Case([&](FloatAttr number) { json.value(number.getValueAsDouble()); })
        .Case([&](StringAttr string) { json.value(string.getValue()); })
        .Case([&](UnitAttr) { json.value(true); })
        .Case([&](ArrayAttr array) {
          json.array([&] {
            for (Attribute element : array)
              writeValue(element);
          });
        })
        .Case(
            [&](DictionaryAttr dictionary) { writeObject(dictionary, {"op"}); })
        .Case([&](TypeAttr type) {
          std::string name;
          llvm::raw_string_ostream(name) << type.getValue();
          json.value(name);
        })
        .Default([&](Attribute other) {
          gpuModule.emitError("a manifest cannot express ") << other;
          valid = false;
          json.value(nullptr);
        });
  }

  /// The entries named in `first` come first, in that order: a dictionary
  /// attribute is sorted by name, which reads badly.
  void writeObject(DictionaryAttr dictionary, ArrayRef<StringRef> first) {
    json.object([&] {
      for (StringRef name : first)
        if (Attribute value = dictionary.get(name))
          writeEntry(name, value);
      for (NamedAttribute entry : dictionary)
        if (!llvm::is_contained(first, entry.getName().getValue()))
          writeEntry(entry.getName().getValue(), entry.getValue());
    });
  }

  void writeSymbols(ArrayAttr tensors) {
    llvm::SetVector<StringRef> symbols;
    for (Attribute tensor : tensors)
      if (!isScratch(tensor))
        for (Attribute dim :
             cast<DictionaryAttr>(tensor).getAs<ArrayAttr>("dims"))
          if (auto symbol = dyn_cast<StringAttr>(dim))
            symbols.insert(symbol.getValue());
    json.attributeArray("symbols", [&] {
      for (StringRef symbol : symbols)
        json.value(symbol);
    });
  }

  /// A pair [a, b] says that a divides b.
  void writeConstraints() {
    auto constraints =
        gpuModule->getAttrOfType<ArrayAttr>(hopper::kConstraintsAttrName);
    if (!constraints)
      return;
    json.attributeArray("constraints", [&] {
      for (Attribute constraint : constraints)
        json.object([&] {
          for (NamedAttribute relation : cast<DictionaryAttr>(constraint))
            writeEntry(relation.getName(), relation.getValue());
        });
    });
  }

  /// Whether kernels of the package pass the tensor on to each other, and the
  /// caller knows nothing of it.
  static bool isScratch(Attribute tensor) {
    return cast<DictionaryAttr>(tensor).getAs<StringAttr>("role") ==
           "workspace";
  }

  /// Scratch tensors lie one behind another, aligned as the workspace is.
  void writeWorkspace(ArrayAttr tensors) {
    Builder builder(gpuModule.getContext());
    Attribute offset;
    SmallVector<DictionaryAttr> placed;
    for (Attribute tensor : tensors) {
      if (!isScratch(tensor))
        continue;
      auto dictionary = cast<DictionaryAttr>(tensor);
      placed.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("name", dictionary.get("name")),
           builder.getNamedAttr("dtype", dictionary.get("dtype")),
           builder.getNamedAttr("dims", dictionary.get("dims")),
           builder.getNamedAttr(
               "offset", offset ? offset : builder.getI64IntegerAttr(0))}));
      Attribute bytes = getAlignedBytes(dictionary);
      offset = offset ? combineSizes(builder.getContext(), "add", offset, bytes)
                      : bytes;
    }
    writeEntry("workspace", offset ? offset : builder.getI64IntegerAttr(0));
    if (placed.empty())
      return;
    json.attributeArray("workspace_tensors", [&] {
      for (DictionaryAttr tensor : placed)
        writeObject(tensor, {"name", "dtype", "dims", "offset"});
    });
  }

  /// The bytes of a contiguous tensor, up to where the next one may start.
  Attribute getAlignedBytes(DictionaryAttr tensor) {
    MLIRContext *context = gpuModule.getContext();
    auto dtype = tensor.getAs<StringAttr>("dtype");
    int64_t fixed = getDTypeBytes(dtype.getValue());
    SmallVector<Attribute> factors;
    for (Attribute dim : tensor.getAs<ArrayAttr>("dims")) {
      if (auto known = dyn_cast<IntegerAttr>(dim))
        fixed *= known.getInt();
      else
        factors.push_back(dim);
    }
    factors.push_back(Builder(context).getI64IntegerAttr(fixed));
    Attribute bytes = multiplySizes(context, factors);
    if (fixed % FA3_WORKSPACE_ALIGNMENT == 0)
      return bytes;
    return alignSize(context, bytes, FA3_WORKSPACE_ALIGNMENT);
  }

  LogicalResult writeKernel(LLVM::LLVMFuncOp kernel) {
    auto threads = kernel->getAttrOfType<IntegerAttr>(hopper::kThreadsAttrName);
    auto sharedMemory =
        kernel->getAttrOfType<IntegerAttr>(hopper::kSharedMemoryAttrName);
    auto params = kernel->getAttrOfType<ArrayAttr>(hopper::kParametersAttrName);
    Attribute grid = kernel->getAttr(hopper::kGridAttrName);
    if (!threads || !sharedMemory || !params || !grid)
      return kernel.emitError("lacks the attributes that describe its launch");
    json.object([&] {
      json.attribute("name", kernel.getName());
      json.attributeArray("grid", [&] {
        writeValue(grid);
        json.value(1);
        json.value(1);
      });
      json.attributeArray("block", [&] {
        json.value(threads.getInt());
        json.value(1);
        json.value(1);
      });
      json.attribute("cluster", llvm::json::Array{1, 1, 1});
      json.attribute("shared_memory", sharedMemory.getInt());
      if (Attribute condition = kernel->getAttr(hopper::kLaunchIfAttrName))
        writeEntry("launch_if", condition);
      json.attributeArray("params", [&] {
        for (Attribute param : params)
          writeObject(cast<DictionaryAttr>(param), {"kind", "tensor", "dim"});
      });
    });
    return success();
  }

  gpu::GPUModuleOp gpuModule;
  llvm::json::OStream json;
  bool valid = true;
};

} // namespace

std::string fa3::getCompilerVersion() {
  return "fa3 " FA3_VERSION ", LLVM " LLVM_VERSION_STRING;
}

FailureOr<std::string> fa3::writeManifest(gpu::GPUModuleOp gpuModule,
                                          StringRef ptxasVersion) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(ManifestWriter(gpuModule, os).write(ptxasVersion)))
    return failure();
  return text;
}
