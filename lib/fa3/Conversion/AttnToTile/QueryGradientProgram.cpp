//===- QueryGradientProgram.cpp - dq in a fixed order ---------------------===//
//
// One CTA owns a block of queries and adds up its dq over the blocks of keys
// that it sees, right to left as in the forward pass. Two more products for
// each block than adding up dq where dk and dv are computed, but an order of
// summation that is always the same.
//
//===----------------------------------------------------------------------===//

#include "BackwardPrograms.h"
#include "GradientProgram.h"
#include "Visibility.h"

#include "fa3/Analysis/ScheduleModel.h"

using namespace mlir;
using namespace fa3;

namespace {

class QueryGradientProgram : public GradientProgram {
public:
  QueryGradientProgram(OpBuilder &builder, attn::BackwardOp backward)
      : GradientProgram(builder, backward, getFields(backward)) {}

private:
  static ScheduleFields getFields(attn::BackwardOp backward);
  void addArguments() override;
  void writeBody() override;
};

} // namespace

/// What fits in registers and shared memory: the sums of 64 queries in each
/// warpgroup, two tiles like the scores, and `stages` tiles of keys and values.
ScheduleFields QueryGradientProgram::getFields(attn::BackwardOp backward) {
  int64_t columns = getTileColumns(backward);
  ScheduleFields fields = ScheduleFields::of(backward.getScheduleAttr());
  fields.blockQ = 128;
  fields.blockKv = columns <= 64 ? 128 : columns <= 128 ? 96 : 64;
  fields.warpgroups = 2;
  fields.stages = columns <= 192 || backward.isNarrow() ? 2 : 1;
  fields.overlap = fields.pingpong = false;
  fields.transposeS = fields.transposeDkv = fields.transposeDq = false;
  fields.shareOperands = false;
  fields.splitRegisters();
  return fields;
}

void QueryGradientProgram::addArguments() {
  addTensor("q", "input");
  addTensor("k", "input");
  addTensor("v", "input");
  addTensor("do", "input");
  addScoreFactors();
  addRowStatistics();
  if (isNarrow)
    addDsOperand("k");
  addTensor("dq", "output");
}

void QueryGradientProgram::writeBody() {
  auto [batch, head, keyHead, row0] = queryBlock();
  loadScoreFactors(batch, keyHead);
  Factor factor =
      loadFactors(scale, {"k_descale"}, {"ds_scale"}, batch, keyHead);

  Visibility visibility{b, dim("seqlen_q"), dim("seqlen_k"),
                        attention.getCausal()};
  Value query = loadRows("q", batch, row0, head, rows);
  Value outputGradient = loadRows("do", batch, row0, head, rows);
  Value negLse = loadStatistic("neg_lse", batch, row0, head, rows);
  Value negSum = loadStatistic("neg_sum", batch, row0, head, rows);
  Value count = visibility.countKeyBlocks(row0, rows, cols);
  Value one = index(1), lastBlock = arith::SubIOp::create(b, count, one);
  Value limit = visibility.firstHiddenKey(row0, rows);
  Value zero = index(0);
  SmallVector<Value> inits = {splat(floatTile(rows, columns), 0.0)};
  if (backward.hasRunningDsScale())
    inits.push_back(initialExponents(rows));
  auto loop = scf::ForOp::create(b, zero, count, one, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value keyBlock =
        arith::SubIOp::create(b, lastBlock, loop.getInductionVar());
    Value col0 = arith::MulIOp::create(b, keyBlock, index(cols));
    Value key = loadRows("k", batch, col0, keyHead, cols);
    Value scores = dot(query, 1, key, 1);
    Value value = loadRows("v", batch, col0, keyHead, cols);
    Value dp = dot(outputGradient, 1, value, 1);
    scores = visibility.hideColumns(scores, limit, col0);
    Value ds = scoreGradient(probabilities(scores, negLse), dp, negSum);
    Value keyRows =
        isNarrow ? loadDsOperand("k", batch, col0, keyHead, cols) : key;
    Value sum = loop.getRegionIterArg(0);
    SmallVector<Value> next;
    if (backward.hasRunningDsScale()) {
      ScaledRows scaled = scaleRows(ds, loop.getRegionIterArg(1));
      ds = scaled.ds;
      sum = timesRows(sum, scaled.rescale);
      next.push_back(scaled.exponents);
    }
    next.insert(next.begin(), dot(narrowedDs(ds, 1), 1, keyRows,
                                  contractedDim(keyRows), sum));
    scf::YieldOp::create(b, next);
  }
  Value gradient = loop.getResult(0);
  if (backward.hasRunningDsScale())
    gradient = unscaledRows(gradient, loop.getResult(1));
  storeRows(round(times(gradient, factor)), "dq", batch, row0, head);
}

tile::KernelOp fa3::writeQueryGradientProgram(OpBuilder &builder,
                                              StringRef name,
                                              attn::BackwardOp backward) {
  return QueryGradientProgram(builder, backward).write(name);
}
