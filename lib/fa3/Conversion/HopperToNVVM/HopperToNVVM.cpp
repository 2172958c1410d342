//===- HopperToNVVM.cpp - Kernels to the NVVM and LLVM dialects -----------===//
//
// Three steps for each kernel: its signature becomes pointers, sizes, strides
// and tensor maps; hopper operations become NVVM operations and inline PTX; the
// scalar rest goes through the upstream conversions with a 32-bit index.
//
//===----------------------------------------------------------------------===//

#include "fa3/Analysis/SizeExpressions.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"
#include "fa3/Conversion/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#define DEBUG_TYPE "fa3-hopper-to-nvvm"

namespace fa3 {
#define GEN_PASS_DEF_HOPPERTONVVMPASS
#include "fa3/Conversion/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

/// The manifest's expression for the number of CTAs.
FailureOr<Attribute> getGrid(tile::KernelOp kernel) {
  SmallVector<tile::ProgramIdOp> grids(kernel.getOps<tile::ProgramIdOp>());
  if (grids.size() > 1)
    return grids[1].emitError("a kernel has one grid");
  SmallVector<Attribute> extents;
  if (!grids.empty())
    for (Value extent : grids.front().getExtents()) {
      FailureOr<Attribute> expression = getManifestExpression(extent);
      if (failed(expression))
        return failure();
      extents.push_back(*expression);
    }
  return multiplySizes(kernel.getContext(), extents);
}

/// The number of threads of a CTA: `hopper.threads` if the kernel says so, else
/// what its schedule's warpgroups have, and one more warpgroup that produces.
std::optional<int64_t> getThreads(tile::KernelOp kernel) {
  if (auto threads =
          kernel->getAttrOfType<IntegerAttr>(hopper::kThreadsAttrName))
    return threads.getInt();
  tile::ScheduleAttr schedule = kernel.getScheduleAttr();
  if (!schedule)
    return std::nullopt;
  return 128 * (schedule.getWarpgroups() + (schedule.getSpecialize() ? 1 : 0));
}

/// The LLVM function of `kernel`, still without a body, with everything that
/// the runtime has to know to launch it.
FailureOr<LLVM::LLVMFuncOp> createFunction(OpBuilder &builder,
                                           tile::KernelOp kernel,
                                           const KernelSignature &signature) {
  std::optional<int64_t> threads = getThreads(kernel);
  auto sharedMemory =
      kernel->getAttrOfType<IntegerAttr>(hopper::kSharedMemoryAttrName);
  if (!threads || !sharedMemory)
    return kernel.emitError("needs '")
           << hopper::kSharedMemoryAttrName << "' and a schedule or '"
           << hopper::kThreadsAttrName << "'";
  FailureOr<Attribute> grid = getGrid(kernel);
  if (failed(grid))
    return failure();
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), signature.types);
  auto function = LLVM::LLVMFuncOp::create(builder, kernel.getLoc(),
                                           kernel.getName(), type);
  function.setAllArgAttrs(signature.argAttrs);
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  // Without both of these ptxas ignores setmaxnreg.
  function->setAttr(
      NVVM::NVVMDialect::getMaxntidAttrName(),
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(*threads)}));
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    builder.getI32IntegerAttr(1));
  function->setAttr(hopper::kThreadsAttrName,
                    builder.getI64IntegerAttr(*threads));
  function->setAttr(hopper::kSharedMemoryAttrName, sharedMemory);
  function->setAttr(hopper::kGridAttrName, *grid);
  if (std::optional<Attribute> condition = kernel.getLaunchIf())
    function->setAttr(hopper::kLaunchIfAttrName, *condition);
  function->setAttr(hopper::kParametersAttrName,
                    builder.getArrayAttr(signature.params));
  return function;
}

/// Appends the parameters of `signature` to the entry block, in front of which
/// the kernel's own arguments still stand, and says which replace which.
LoweredArguments addParameters(Block &entry, tile::KernelOp kernel,
                               const KernelSignature &signature) {
  LoweredArguments lowered;
  unsigned count = entry.getNumArguments();
  for (Type type : signature.types)
    entry.addArgument(type, kernel.getLoc());
  ArrayRef<BlockArgument> parameters = entry.getArguments().drop_front(count);
  auto next = [&]() -> Value {
    Value value = parameters.front();
    parameters = parameters.drop_front();
    return value;
  };
  for (BlockArgument argument : entry.getArguments().take_front(count)) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type) {
      lowered.tensorMaps[argument] = next();
      continue;
    }
    MemRefParameters memref{next(), {}, {}};
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      memref.sizes.push_back(type.isDynamicDim(dim) ? next() : Value());
    for (int64_t dim = 0; dim + 1 < type.getRank(); ++dim)
      memref.strides.push_back(next());
    lowered.memrefs[argument] = std::move(memref);
  }
  return lowered;
}

/// Rewrites every operation of the hopper and tile dialects.
LogicalResult lowerHopper(LLVM::LLVMFuncOp function,
                          const LoweredArguments &arguments) {
  RewritePatternSet patterns(function.getContext());
  populateSynchronizationPatterns(patterns);
  populateMemoryPatterns(patterns, arguments);
  populateClaimPatterns(patterns, arguments);
  populateWgmmaPatterns(patterns);
  populateSharedPatterns(patterns);
  populateRolePatterns(patterns);
  populateArithmeticPatterns(patterns);
  walkAndApplyPatterns(function, std::move(patterns));
  WalkResult rest = function.walk([](Operation *op) {
    if (!isa_and_present<hopper::HopperDialect, tile::TileDialect>(
            op->getDialect()))
      return WalkResult::advance();
    op->emitError("cannot be lowered: it does not belong to the thread level");
    return WalkResult::interrupt();
  });
  return failure(rest.wasInterrupted());
}

/// Lowers control flow, then scalar arithmetic, to the LLVM dialect.
LogicalResult lowerScalars(LLVM::LLVMFuncOp function) {
  MLIRContext *context = function.getContext();
  {
    RewritePatternSet patterns(context);
    populateSCFToControlFlowConversionPatterns(patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    ConversionTarget target(*context);
    target.addIllegalDialect<scf::SCFDialect>();
    target.addIllegalOp<arith::CeilDivSIOp, arith::CeilDivUIOp,
                        arith::FloorDivSIOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(function, target, std::move(patterns))))
      return failure();
  }
  LowerToLLVMOptions options(context);
  options.overrideIndexBitwidth(32);
  LLVMTypeConverter converter(context, options);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  ConversionTarget target(*context);
  target.addLegalDialect<LLVM::LLVMDialect, NVVM::NVVMDialect>();
  // Functions that the target has no instruction for would become calls.
  target.addLegalDialect<math::MathDialect>();
  target.addIllegalOp<math::FmaOp, math::AbsFOp, math::CopySignOp,
                      math::FloorOp, math::CeilOp, math::RoundEvenOp,
                      math::TruncOp, math::SqrtOp, math::CtPopOp,
                      math::CountLeadingZerosOp, math::CountTrailingZerosOp>();
  if (failed(applyFullConversion(function, target, std::move(patterns))))
    return failure();
  WalkResult rest = function.walk([](Operation *op) {
    if (!isa<math::MathDialect>(op->getDialect()))
      return WalkResult::advance();
    op->emitError("has no lowering for sm_90a");
    return WalkResult::interrupt();
  });
  return failure(rest.wasInterrupted());
}

struct HopperToNVVMPass : fa3::impl::HopperToNVVMPassBase<HopperToNVVMPass> {
  void runOnOperation() override {
    SmallVector<tile::KernelOp> kernels(
        getOperation().getOps<tile::KernelOp>());
    if (kernels.empty())
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    tile::KernelOp first = kernels.front();
    StringRef name = getOperation().getSymName().value_or(first.getName());
    auto gpuModule = gpu::GPUModuleOp::create(builder, first.getLoc(), name);
    if (auto problem = first.getProblemAttr())
      gpuModule->setAttr(hopper::kProblemAttrName, problem);
    if (auto constraints = first.getConstraintsAttr())
      gpuModule->setAttr(hopper::kConstraintsAttrName, constraints);
    SmallVector<Attribute> tensors;
    for (tile::KernelOp kernel : kernels)
      if (failed(lowerKernel(kernel, gpuModule, tensors)))
        return signalPassFailure();
    gpuModule->setAttr(hopper::kTensorsAttrName, builder.getArrayAttr(tensors));
  }

  /// Moves `kernel` into `gpuModule`, lowered, and adds its tensors.
  LogicalResult lowerKernel(tile::KernelOp kernel, gpu::GPUModuleOp gpuModule,
                            SmallVectorImpl<Attribute> &tensors) {
    FailureOr<KernelSignature> signature = KernelSignature::get(kernel);
    if (failed(signature) || failed(addTensors(kernel, *signature, tensors)))
      return failure();
    OpBuilder builder = OpBuilder::atBlockEnd(gpuModule.getBody());
    FailureOr<LLVM::LLVMFuncOp> function =
        createFunction(builder, kernel, *signature);
    if (failed(function))
      return failure();
    unsigned count = kernel.getNumArguments();
    function->getBody().takeBody(kernel.getBody());
    Block &entry = function->getBody().front();
    LoweredArguments arguments = addParameters(entry, kernel, *signature);
    kernel.erase();
    if (failed(lowerHopper(*function, arguments)))
      return failure();
    for (BlockArgument argument : entry.getArguments().take_front(count))
      if (!argument.use_empty())
        return (*argument.user_begin())
            ->emitError("uses a kernel argument in a way that cannot be "
                        "lowered");
    entry.eraseArguments(0, count);
    return lowerScalars(*function);
  }

  /// Adds the tensors of `kernel` to those of the package. A tensor that
  /// several kernels use is one tensor, and all must say the same about it.
  LogicalResult addTensors(tile::KernelOp kernel,
                           const KernelSignature &signature,
                           SmallVectorImpl<Attribute> &tensors) {
    for (Attribute tensor : signature.tensors) {
      Attribute name = cast<DictionaryAttr>(tensor).get("name");
      auto known = llvm::find_if(tensors, [&](Attribute other) {
        return cast<DictionaryAttr>(other).get("name") == name;
      });
      if (known == tensors.end())
        tensors.push_back(tensor);
      else if (*known != tensor)
        return kernel.emitError("tensor ")
               << name << " differs from the tensor of that name in another "
               << "kernel";
    }
    return success();
  }
};

} // namespace
