//===- AttnToTile.cpp - From attention specs to tile programs -------------===//

#include "ForwardProgram.h"

#include "fa3/Analysis/Spec.h"
#include "fa3/Conversion/Passes.h"

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
    FailureOr<attn::ForwardOp> forward = getSpec(function);
    if (failed(forward))
      return failure();
    if (!*forward)
      return success();
    if (!forward->getScheduleAttr())
      return forward->emitError(
          "has no schedule; run fa3-select-schedule before this pass");
    OpBuilder builder(function);
    writeForwardProgram(builder, function.getName(), *forward);
    function.erase();
    return success();
  }
};

} // namespace
