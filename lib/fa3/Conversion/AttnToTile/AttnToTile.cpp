//===- AttnToTile.cpp - From attention specs to tile programs -------------===//

#include "BackwardPrograms.h"
#include "ForwardProgram.h"
#include "QuantizePrograms.h"

#include "fa3/Analysis/Spec.h"
#include "fa3/Conversion/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "fa3-attn-to-tile"

namespace fa3 {
#define GEN_PASS_DEF_ATTNTOTILEPASS
#include "fa3/Conversion/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

struct AttnToTilePass : fa3::impl::AttnToTilePassBase<AttnToTilePass> {
  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(convert(function)))
        return signalPassFailure();
  }

  LogicalResult convert(func::FuncOp function) {
    FailureOr<attn::SpecOpInterface> spec = getSpec(function);
    if (failed(spec))
      return failure();
    if (!*spec)
      return success();
    if (auto attention =
            dyn_cast<attn::AttentionOpInterface>(spec->getOperation());
        attention && !attention.getScheduleAttr())
      return attention->emitError(
          "has no schedule; run fa3-select-schedule before this pass");
    // A package is called like its spec, whatever its kernels are called.
    if (!getOperation().getSymName())
      getOperation().setSymName(function.getName());
    OpBuilder builder(function);
    llvm::TypeSwitch<Operation *>(spec->getOperation())
        .Case<attn::ForwardOp>([&](attn::ForwardOp forward) {
          writeForwardPrograms(builder, function.getName(), forward);
        })
        .Case<attn::BackwardOp>([&](attn::BackwardOp backward) {
          writeBackwardPrograms(builder, function.getName(), backward);
        })
        .Case<attn::QuantizeOp>([&](attn::QuantizeOp quantize) {
          writeQuantizePrograms(builder, function.getName(), quantize);
        });
    function.erase();
    return success();
  }

  static void writeForwardPrograms(OpBuilder &builder, StringRef name,
                                   attn::ForwardOp forward) {
    SmallVector<ValueSource> sources = getValueSources(forward);
    for (ValueSource source : sources) {
      if (source == ValueSource::workspace)
        writeValueColumnsProgram(builder, (name + "_values").str(), forward);
      bool isOther = source == ValueSource::rows && sources.size() > 1;
      writeForwardProgram(builder, (name + (isOther ? "_short" : "")).str(),
                          forward, source);
    }
  }

  static void writeBackwardPrograms(OpBuilder &builder, StringRef name,
                                    attn::BackwardOp backward) {
    SmallVector<SumStart> starts = getSumStarts(backward);
    for (SumStart start : starts) {
      bool isOther = start == SumStart::stored && starts.size() > 1;
      auto kernelName = [&](StringRef part) {
        return (name + "_" + part + (isOther ? "_short" : "")).str();
      };
      writeRowStatisticsProgram(builder, kernelName("preprocess"), backward,
                                start);
      writeBackwardProgram(builder, kernelName("main"), backward, start);
      if (backward.sumsDq(backward.getScheduleAttr()))
        writeScaleGradientProgram(builder, kernelName("postprocess"), backward,
                                  start);
      else
        writeQueryGradientProgram(builder, kernelName("dq"), backward);
    }
  }

  static void writeQuantizePrograms(OpBuilder &builder, StringRef name,
                                    attn::QuantizeOp quantize) {
    // Rows have their maxima to themselves.
    if (!quantize.hasRowFactors()) {
      writeRowMaximaProgram(builder, (name + "_maxima").str(), quantize);
      writeDescaleProgram(builder, (name + "_descale").str(), quantize);
    }
    writeNarrowProgram(builder, name, quantize);
  }
};

} // namespace
