//===- ValueColumnsProgram.cpp - Values as 8-bit products take them -------===//
//
// One CTA reads a block of keys' values and writes it transposed.
//
//===----------------------------------------------------------------------===//

#include "AttentionProgram.h"
#include "ForwardProgram.h"

#include "fa3/Analysis/ScheduleFields.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Keys of a CTA.
constexpr int64_t kBlockKeys = 128;

class ValueColumnsProgram : public AttentionProgram {
public:
  ValueColumnsProgram(OpBuilder &builder, attn::ForwardOp forward)
      : AttentionProgram(builder, forward,
                         getFields().get([&] { return forward.emitOpError(); },
                                         builder.getContext())),
        forward(forward) {}

private:
  static ScheduleFields getFields();
  void addArguments() override;
  Attribute launchCondition() override {
    return getLaunchCondition(forward, ValueSource::workspace);
  }
  void writeBody() override;

  attn::ForwardOp forward;
};

} // namespace

/// Nothing is reused and nothing is multiplied: all threads move data.
ScheduleFields ValueColumnsProgram::getFields() {
  ScheduleFields fields;
  fields.blockQ = fields.blockKv = kBlockKeys;
  fields.stages = 1;
  fields.overlap = fields.specialize = fields.pingpong = false;
  return fields;
}

void ValueColumnsProgram::addArguments() {
  addTensor("v", "input");
  addValueColumns(forward);
}

void ValueColumnsProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_k"), index(cols));
  SmallVector<Value> ids = programIds({blocks, dim("heads_kv"), dim("batch")});
  Value head = ids[1], batch = ids[2];
  Value key0 = arith::MulIOp::create(b, ids[0], index(cols));
  copyColumns("v", kValueColumns, batch, key0, head, cols, /*paired=*/false);
}

tile::KernelOp fa3::writeValueColumnsProgram(OpBuilder &builder, StringRef name,
                                             attn::ForwardOp forward) {
  return ValueColumnsProgram(builder, forward).write(name);
}
