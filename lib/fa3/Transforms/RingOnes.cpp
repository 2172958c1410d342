//===- RingOnes.cpp - Rows of ones in a ring's buffers --------------------===//

#include "fa3/Transforms/RingOnes.h"

#include "fa3/Transforms/RingLayout.h"

using namespace mlir;
using namespace fa3;

/// Bytes that a thread stores at once.
static constexpr int64_t kStoreBytes = 16;
/// Threads that store: one for each part of a panel's rows.
static constexpr int64_t kThreads =
    tile::LoadOp::kOnesRows * kPanelBytes / kStoreBytes;

static Value createI32(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}

static Value createF32(OpBuilder &builder, Location loc, const APInt &bits) {
  return arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(),
                                        APFloat(APFloat::IEEEsingle(), bits));
}

/// The thread's part of the rows in every panel of every buffer. All of a row
/// is the same, so that the swizzle does not matter.
static void writePart(OpBuilder &builder, Value thread,
                      hopper::RingAllocOp ring) {
  Location loc = ring.getLoc();
  hopper::RingType type = ring.getRing().getType();
  auto element = cast<FloatType>(type.getTile().getElementType());
  APInt one = APFloat(element.getFloatSemantics(), 1).bitcastToAPInt();
  Value isFirstRow =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread,
                            createI32(builder, loc, kPanelBytes / kStoreBytes));
  Value word =
      arith::SelectOp::create(builder, loc, isFirstRow,
                              createF32(builder, loc, APInt::getSplat(32, one)),
                              createF32(builder, loc, APInt::getZero(32)));
  Value place = arith::MulIOp::create(builder, loc, thread,
                                      createI32(builder, loc, kStoreBytes));
  int64_t panelBytes = type.getTile().getDimSize(0) * kPanelBytes;
  for (int64_t stage = 0; stage < type.getStages(); ++stage)
    for (int64_t panel = 0; panel < type.getStageBytes(); panel += panelBytes) {
      Value first = hopper::SharedAddressOp::create(
          builder, loc, builder.getI32Type(),
          *ring.getOffset() + stage * bufferStride(type) + panel +
              loadedRows(ring) * kPanelBytes);
      hopper::SharedStoreOp::create(
          builder, loc, arith::AddIOp::create(builder, loc, first, place),
          SmallVector<Value>(kStoreBytes / sizeof(float), word));
    }
}

void fa3::writeOnes(OpBuilder &builder, Value thread,
                    ArrayRef<hopper::RingAllocOp> rings) {
  if (llvm::none_of(rings,
                    [](hopper::RingAllocOp ring) { return ring.getOnes(); }))
    return;
  Location loc = thread.getLoc();
  Value writes =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread,
                            createI32(builder, loc, kThreads));
  auto ifOp = scf::IfOp::create(builder, loc, writes);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(ifOp.thenBlock());
  for (hopper::RingAllocOp ring : rings)
    if (ring.getOnes())
      writePart(builder, thread, ring);
  // Products read them through the async proxy.
  hopper::FenceProxyAsyncOp::create(builder, loc);
}
