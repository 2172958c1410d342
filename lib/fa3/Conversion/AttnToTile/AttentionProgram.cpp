//===- AttentionProgram.cpp - What programs of attention share ------------===//

#include "AttentionProgram.h"

#include "fa3/Analysis/ScheduleModel.h"
#include "fa3/Analysis/SizeExpressions.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fa3;

AttentionProgram::AttentionProgram(OpBuilder &builder,
                                   attn::AttentionOpInterface attention,
                                   tile::ScheduleAttr schedule)
    : ProgramBuilder(builder, attention, schedule, getTileColumns(attention)),
      attention(attention), element(attention.getElementType()),
      outputElement(attention.getOutputElementType()),
      rows(schedule.getBlockQ()), cols(schedule.getBlockKv()),
      scale(attention.getScaleOrDefault()),
      exponentScale(scale * llvm::numbers::log2e) {}

void AttentionProgram::addConstraints() {
  if (isDynamic("heads_q") || isDynamic("heads_kv"))
    constrain("divides", "heads_kv", "heads_q");
  if (hasSize("keys_padded"))
    constrain("at_most", "seqlen_k", "keys_padded");
}

void AttentionProgram::describe(NamedAttrList &problem) {
  problem.set("dtype", b.getStringAttr(getElementTypeName(element)));
  if (element != outputElement) {
    problem.set("output_dtype",
                b.getStringAttr(getElementTypeName(outputElement)));
    bool interleaved =
        cast<attn::ForwardOp>(attention.getOperation()).getValuesInterleaved();
    problem.set("value_layout",
                b.getStringAttr(interleaved ? "columns" : "rows"));
  }
  problem.set("head_dim", b.getI64IntegerAttr(attention.getHeadDim()));
  problem.set("causal", b.getBoolAttr(attention.getCausal()));
  problem.set("scale", b.getF64FloatAttr(scale));
  if (auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation()))
    problem.set("deterministic", b.getBoolAttr(backward.getDeterministic()));
}

void AttentionProgram::addValueColumns() {
  Attribute keys =
      alignSize(b.getContext(), size("seqlen_k"), kInterleavedKeys);
  addWorkspace(kValueColumns,
               {size("batch"), size("heads_kv"), size("head_dim"), keys},
               element);
}

Value AttentionProgram::round(Value tile) {
  return arith::TruncFOp::create(
      b, cast<VectorType>(tile.getType()).clone(outputElement), tile);
}

AttentionProgram::QueryBlock AttentionProgram::queryBlock() {
  Value heads = dim("heads_q");
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  SmallVector<Value> ids = programIds({blocks, heads, dim("batch")});
  Value block = ids[0], head = ids[1], batch = ids[2];
  if (schedule.getLongestFirst()) {
    // Causal work grows with the block's index.
    Value last = arith::SubIOp::create(b, blocks, index(1));
    block = arith::SubIOp::create(b, last, block);
  }
  Value keyHead = b.createOrFold<arith::DivUIOp>(head, groupSize());
  Value row0 = arith::MulIOp::create(b, block, index(rows));
  return {batch, head, keyHead, row0};
}

Value AttentionProgram::groupSize() {
  Value queryHeads = dim("heads_q"), keyHeads = dim("heads_kv");
  return b.createOrFold<arith::DivUIOp>(queryHeads, keyHeads);
}
