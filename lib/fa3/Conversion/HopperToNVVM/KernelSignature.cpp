//===- KernelSignature.cpp - Parameters of a kernel -----------------------===//

#include "fa3/Conversion/HopperToNVVM/KernelSignature.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace fa3;

namespace {

constexpr unsigned kGlobalMemory = 1;
constexpr int64_t kTensorMapBytes = 128;
constexpr int64_t kTensorMapAlignment = 64;
constexpr int64_t kSwizzleBytes = 128;

/// The manifest's name of an element type, empty if it has none.
StringRef getDTypeName(Type type) {
  return llvm::TypeSwitch<Type, StringRef>(type)
      .Case<BFloat16Type>([](auto) { return "bf16"; })
      .Case<Float16Type>([](auto) { return "f16"; })
      .Case<Float32Type>([](auto) { return "f32"; })
      .Case<Float8E4M3FNType>([](auto) { return "e4m3"; })
      .Case<Float8E5M2Type>([](auto) { return "e5m2"; })
      .Case<IntegerType>([](IntegerType integer) {
        return integer.getWidth() == 32 ? "i32" : "";
      })
      .Default([](auto) { return ""; });
}

class SignatureBuilder {
public:
  SignatureBuilder(tile::KernelOp kernel)
      : kernel(kernel), builder(kernel.getContext()) {}

  FailureOr<KernelSignature> build() {
    for (auto [index, type] : llvm::enumerate(kernel.getArgumentTypes())) {
      LogicalResult added =
          llvm::TypeSwitch<Type, LogicalResult>(type)
              .Case([&](MemRefType memref) { return addMemRef(index, memref); })
              .Case([&](hopper::TensorMapType map) {
                return addTensorMap(index, map);
              })
              .Default([&](Type) {
                return error(index) << "is neither a memref "
                                       "nor a tensor map";
              });
      if (failed(added))
        return failure();
    }
    return std::move(signature);
  }

private:
  InFlightDiagnostic error(int64_t index) {
    return emitError(kernel.getArgument(index).getLoc())
           << "argument " << index << " of kernel @" << kernel.getName() << " ";
  }

  DictionaryAttr dictionary(ArrayRef<NamedAttribute> entries) {
    return builder.getDictionaryAttr(entries);
  }
  NamedAttribute entry(StringRef name, Attribute value) {
    return builder.getNamedAttr(name, value);
  }

  void addParameter(Type type, DictionaryAttr param,
                    ArrayRef<NamedAttribute> attrs = {}) {
    signature.types.push_back(type);
    signature.argAttrs.push_back(dictionary(attrs));
    signature.params.push_back(param);
  }

  tile::ArgumentAttr getArgument(int64_t index) {
    return kernel.getArgAttrOfType<tile::ArgumentAttr>(index,
                                                       tile::kArgumentAttrName);
  }

  LogicalResult addMemRef(int64_t index, MemRefType type) {
    tile::ArgumentAttr argument = getArgument(index);
    if (!argument)
      return error(index) << "has no '" << tile::kArgumentAttrName
                          << "' attribute";
    int64_t rank = type.getRank();
    if (static_cast<int64_t>(argument.getDims().size()) != rank)
      return error(index) << "has rank " << rank << " but '"
                          << tile::kArgumentAttrName << "' names "
                          << argument.getDims().size() << " dimensions";
    StringRef dtype = getDTypeName(type.getElementType());
    if (dtype.empty())
      return error(index) << "has element type " << type.getElementType()
                          << ", which a package cannot express";
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(type.getStridesAndOffset(strides, offset)) || offset != 0)
      return error(index) << "must be strided without an offset";
    if (rank != 0 && strides.back() != 1)
      return error(index) << "must have stride 1 in its last dimension";
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      if (!ShapedType::isDynamic(strides[dim]))
        return error(index)
               << "must have a dynamic stride in dimension " << dim;

    StringAttr name = builder.getStringAttr(argument.getName());
    SmallVector<Attribute> dims;
    for (int64_t dim = 0; dim < rank; ++dim)
      dims.push_back(type.isDynamicDim(dim)
                         ? Attribute(argument.getDims()[dim])
                         : builder.getI64IntegerAttr(type.getDimSize(dim)));
    signature.tensors.push_back(
        dictionary({entry("name", name),
                    entry("role", builder.getStringAttr(argument.getRole())),
                    entry("dtype", builder.getStringAttr(dtype)),
                    entry("dims", builder.getArrayAttr(dims))}));

    auto param = [&](StringRef kind) {
      return dictionary(
          {entry("kind", builder.getStringAttr(kind)), entry("tensor", name)});
    };
    auto dimParam = [&](StringRef kind, int64_t dim) {
      return dictionary({entry("kind", builder.getStringAttr(kind)),
                         entry("tensor", name),
                         entry("dim", builder.getI64IntegerAttr(dim))});
    };
    addParameter(LLVM::LLVMPointerType::get(kernel.getContext(), kGlobalMemory),
                 param("pointer"));
    for (int64_t dim = 0; dim < rank; ++dim)
      if (type.isDynamicDim(dim))
        addParameter(builder.getI32Type(), dimParam("size", dim));
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      addParameter(builder.getI64Type(), dimParam("stride", dim));
    return success();
  }

  LogicalResult addTensorMap(int64_t index, hopper::TensorMapType type) {
    ArrayRef<Type> arguments = kernel.getArgumentTypes();
    int64_t tensor = type.getTensor();
    auto memref = tensor >= 0 && tensor < static_cast<int64_t>(arguments.size())
                      ? dyn_cast<MemRefType>(arguments[tensor])
                      : nullptr;
    tile::ArgumentAttr argument = memref ? getArgument(tensor) : nullptr;
    if (!argument)
      return error(index) << "maps argument " << tensor
                          << ", which is no tensor of the package";
    if (static_cast<int64_t>(type.getBox().size()) != memref.getRank())
      return error(index) << "has a box of rank " << type.getBox().size()
                          << " for a tensor of rank " << memref.getRank();
    addParameter(
        LLVM::LLVMPointerType::get(kernel.getContext()),
        dictionary(
            {entry("kind", builder.getStringAttr("tensor_map")),
             entry("tensor", builder.getStringAttr(argument.getName())),
             entry("box", builder.getI64ArrayAttr(type.getBox())),
             entry("swizzle", builder.getI64IntegerAttr(
                                  type.getSwizzled() ? kSwizzleBytes : 0)),
             entry("name",
                   builder.getStringAttr(argument.getName() + "_map"))}),
        // Without grid_constant LLVM copies the map to the stack, where TMA
        // cannot read it.
        {entry(LLVM::LLVMDialect::getByValAttrName(),
               TypeAttr::get(LLVM::LLVMArrayType::get(builder.getI8Type(),
                                                      kTensorMapBytes))),
         entry(LLVM::LLVMDialect::getAlignAttrName(),
               builder.getI64IntegerAttr(kTensorMapAlignment)),
         entry(NVVM::NVVMDialect::getGridConstantAttrName(),
               builder.getUnitAttr())});
    return success();
  }

  tile::KernelOp kernel;
  Builder builder;
  KernelSignature signature;
};

} // namespace

FailureOr<KernelSignature> KernelSignature::get(tile::KernelOp kernel) {
  return SignatureBuilder(kernel).build();
}
