//===- KeyOperandProgram.cpp - Keys as products with dS take them ---------===//
//
// One CTA reads a block of 8-bit keys and writes it as the product takes it
// that gives dq: transposed or, where dS keeps 16 bits, in those. The first
// block of a head also clears the largest |dS|.
//
//===----------------------------------------------------------------------===//

#include "BackwardPrograms.h"
#include "GradientProgram.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Keys of a CTA.
constexpr int64_t kBlockKeys = 128;

class KeyOperandProgram : public GradientProgram {
public:
  KeyOperandProgram(OpBuilder &builder, attn::BackwardOp backward)
      : GradientProgram(builder, backward, getFields()) {}

private:
  static ScheduleFields getFields();
  void addArguments() override;
  void writeBody() override;

  void clearLargest(Value block, Value head, Value batch);
};

} // namespace

/// Nothing is reused and nothing is multiplied: all threads move data.
ScheduleFields KeyOperandProgram::getFields() {
  ScheduleFields fields;
  fields.blockQ = fields.blockKv = kBlockKeys;
  fields.stages = 1;
  fields.overlap = fields.specialize = fields.pingpong = false;
  return fields;
}

void KeyOperandProgram::addArguments() {
  addTensor("k", "input");
  addDsOperand("k");
  if (backward.getDsAmax())
    addTensor("ds_amax", "output");
}

void KeyOperandProgram::clearLargest(Value block, Value head, Value batch) {
  auto loop = scf::ForOp::create(b, block, index(1), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  tile::StoreOp::create(b, splat(floatTile(1, 1), 0.0), argument("ds_amax"),
                        ValueRange{batch, head}, ArrayRef<int64_t>{-1, -1});
}

void KeyOperandProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_k"), index(cols));
  // Without keys, too, there is a largest |dS|.
  if (backward.getDsAmax())
    blocks = arith::MaxUIOp::create(b, blocks, index(1));
  SmallVector<Value> ids = programIds({blocks, dim("heads_kv"), dim("batch")});
  Value key0 = arith::MulIOp::create(b, ids[0], index(cols));
  if (backward.getDsAmax())
    clearLargest(/*block=*/ids[0], /*head=*/ids[1], /*batch=*/ids[2]);
  storeDsOperand("k", /*batch=*/ids[2], key0, /*head=*/ids[1], cols,
                 pairsKeys());
}

tile::KernelOp fa3::writeKeyOperandProgram(OpBuilder &builder, StringRef name,
                                           attn::BackwardOp backward) {
  return KeyOperandProgram(builder, backward).write(name);
}
