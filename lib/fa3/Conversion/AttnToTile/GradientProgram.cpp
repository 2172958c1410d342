//===- GradientProgram.cpp - What the kernels of a backward pass share ----===//

#include "GradientProgram.h"

#include "fa3/Analysis/SizeExpressions.h"

using namespace mlir;
using namespace fa3;

GradientProgram::GradientProgram(OpBuilder &builder, attn::BackwardOp backward,
                                 const ScheduleFields &fields)
    : AttentionProgram(builder, backward,
                       fields.get([&] { return backward.emitOpError(); },
                                  builder.getContext())),
      backward(backward), mainSchedule(backward.getScheduleAttr()) {}

void GradientProgram::addRowStatistics() {
  Attribute padded =
      alignSize(b.getContext(), size("seqlen_q"), kStatisticsRows);
  for (StringRef name : {"neg_lse", "neg_sum"})
    addWorkspace(name, {size("batch"), size("heads_q"), padded});
}

void GradientProgram::addAccumulator() {
  Attribute blocks = combineSizes(b.getContext(), "ceildiv", size("seqlen_q"),
                                  size(mainSchedule.getBlockQ()));
  addWorkspace("dq_acc", {size("batch"), size("heads_q"), blocks,
                          size(getAccumulatorTile().getNumElements())});
}

VectorType GradientProgram::getAccumulatorTile() {
  int64_t queries = mainSchedule.getBlockQ();
  return mainSchedule.getTransposeDq() ? floatTile(columns, queries)
                                       : floatTile(queries, columns);
}

Value GradientProgram::probabilities(Value scores, Value negLse) {
  auto type = cast<VectorType>(scores.getType());
  Value exponent = math::FmaOp::create(b, scores, splat(type, exponentScale),
                                       broadcast(negLse, type));
  return math::Exp2Op::create(b, exponent);
}

Value GradientProgram::scoreGradient(Value p, Value dp, Value negSum) {
  auto type = cast<VectorType>(p.getType());
  Value difference = arith::AddFOp::create(b, dp, broadcast(negSum, type));
  return arith::MulFOp::create(b, p, difference);
}
