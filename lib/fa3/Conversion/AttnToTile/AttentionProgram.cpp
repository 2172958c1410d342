//===- AttentionProgram.cpp - What programs of attention share ------------===//

#include "AttentionProgram.h"

#include "ValueSource.h"

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
  auto setType = [&](StringRef name, Type type) {
    problem.set(name, b.getStringAttr(getElementTypeName(type)));
  };
  auto forward = dyn_cast<attn::ForwardOp>(attention.getOperation());
  auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation());
  if (element != outputElement) {
    setType("output_dtype", outputElement);
    if (forward)
      problem.set(
          "value_layout",
          b.getStringAttr(forward.getValuesInterleaved() ? "columns" : "rows"));
    if (backward) {
      setType("gradient_dtype", backward.getDO().getType().getElementType());
      setType("ds_dtype", backward.getDsPrecision().value_or(element));
    }
  }
  problem.set("head_dim", b.getI64IntegerAttr(attention.getHeadDim()));
  problem.set("causal", b.getBoolAttr(attention.getCausal()));
  problem.set("scale", b.getF64FloatAttr(scale));
  if (backward)
    problem.set("deterministic", b.getBoolAttr(backward.getDeterministic()));
}

void AttentionProgram::addColumns(StringRef name, StringRef heads,
                                  StringRef seqlen, Type elementType) {
  Attribute rows = alignSize(b.getContext(), size(seqlen), kInterleavedKeys);
  addWorkspace(name, {size("batch"), size(heads), size("head_dim"), rows},
               elementType);
}

void AttentionProgram::addValueColumns(attn::ForwardOp forward) {
  Attribute condition = getLaunchCondition(forward, ValueSource::workspace);
  if (!condition)
    return addColumns(kValueColumns, "heads_kv", "seqlen_k", element);
  MLIRContext *context = b.getContext();
  Attribute exists = combineSizes(context, "min", condition, size(1));
  Attribute keys = multiplySizes(
      context,
      {alignSize(context, size("seqlen_k"), kInterleavedKeys), exists});
  addWorkspace(kValueColumns,
               {size("batch"), size("heads_kv"), size("head_dim"), keys},
               element);
}

void AttentionProgram::copyColumns(StringRef from, StringRef to, Value batch,
                                   Value row, Value head, int64_t count,
                                   bool paired) {
  tile::StoreOp::create(b, loadRows(from, batch, row, head, count),
                        argument(to), ValueRange{batch, head, index(0), row},
                        ArrayRef<int64_t>{3, 2}, /*interleaved=*/!paired,
                        paired);
}

Value AttentionProgram::loadFactor(StringRef name, Value batch, Value keyHead) {
  return tile::LoadOp::create(b, floatTile(1, 1), argument(name),
                              ValueRange{batch, keyHead},
                              ArrayRef<int64_t>{-1, -1});
}

Value AttentionProgram::round(Value tile) {
  return arith::TruncFOp::create(
      b, cast<VectorType>(tile.getType()).clone(outputElement), tile);
}

AttentionProgram::QueryBlock AttentionProgram::queryBlock() {
  Value heads = dim("heads_q");
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  SmallVector<Value> ids =
      programIds({blocks, heads, dim("batch")}, schedule.getLongestFirst());
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
