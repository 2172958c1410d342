//===- AllocateSharedMemory.cpp - Offsets of rings and mbarriers ----------===//

#include "fa3/Hopper/HopperOps.h"
#include "fa3/Transforms/Passes.h"
#include "fa3/Transforms/RingLayout.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "fa3-allocate-shared-memory"

namespace fa3 {
#define GEN_PASS_DEF_ALLOCATESHAREDMEMORYPASS
#include "fa3/Transforms/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

constexpr auto kRemark = remark::RemarkOpts::name(DEBUG_TYPE).category("fa3");

constexpr int64_t kBarrierBytes = 8;
/// Dynamic shared memory that a CTA may have on sm_90.
constexpr int64_t kSharedMemoryLimit = 232448;

struct AllocateSharedMemoryPass
    : fa3::impl::AllocateSharedMemoryPassBase<AllocateSharedMemoryPass> {
  void runOnOperation() override {
    tile::KernelOp kernel = getOperation();
    Builder builder(&getContext());
    SmallVector<hopper::RingAllocOp> rings;
    kernel.walk([&](hopper::RingAllocOp ring) { rings.push_back(ring); });

    int64_t offset = 0;
    for (hopper::RingAllocOp ring : rings) {
      hopper::RingType type = ring.getRing().getType();
      offset = llvm::alignTo(offset, bufferAlignment(type));
      ring.setOffset(offset);
      offset += type.getStages() * bufferStride(type);
    }
    for (hopper::RingAllocOp ring : rings) {
      if (!isLoaded(ring))
        continue;
      ring.setBarriers(offset);
      offset += 2 * ring.getRing().getType().getStages() * kBarrierBytes;
    }
    if (offset > kSharedMemoryLimit) {
      kernel.emitError("the schedule needs ")
          << offset << " bytes of shared memory; a CTA has "
          << kSharedMemoryLimit << ": choose smaller tiles or fewer stages";
      return signalPassFailure();
    }
    kernel->setAttr(hopper::kSharedMemoryAttrName,
                    builder.getI64IntegerAttr(offset));
    remark::analysis(kernel.getLoc(), kRemark)
        << llvm::formatv("{0} bytes of shared memory for {1} rings", offset,
                         rings.size())
               .str();
  }
};

} // namespace
