//===- BackwardProgram.cpp - Gradients of keys and values -----------------===//
//
// One CTA owns a block of keys. It visits the query heads that share its key
// head and, of each, the blocks of queries that see one of its keys; it
// computes the block's probabilities again and adds up dk and dv. What the
// block adds to dq goes to the workspace, into sums that all CTAs of a head
// share.
//
//===----------------------------------------------------------------------===//

#include "BackwardPrograms.h"
#include "GradientProgram.h"
#include "Visibility.h"

using namespace mlir;
using namespace fa3;

namespace {

/// The block of keys that a CTA owns.
struct KeyBlock {
  Value batch, head, key0;
  Value keys, values;
};

/// The values that the loops over queries carry.
struct Gradients {
  Value keys, values;
};

class BackwardProgram : public GradientProgram {
public:
  BackwardProgram(OpBuilder &builder, attn::BackwardOp backward)
      : GradientProgram(builder, backward,
                        ScheduleFields::of(backward.getScheduleAttr())),
        keyDim(schedule.getTransposeS() ? 0 : 1) {}

private:
  void addArguments() override;
  void writeBody() override;

  /// A loop with `body`, which gets the index and the sums so far.
  Gradients loop(Value begin, Value end, Gradients init,
                 function_ref<Gradients(Value, Gradients)> body);
  /// What queries block * rows ... of `head` add to the gradients.
  Gradients step(const KeyBlock &own, Visibility &visibility, Value head,
                 Value block, Gradients sums);
  /// sum + weights^T * matrix, where `weights` is a tile like the scores.
  Value addToKeys(Value weights, Value matrix, Value sum);
  /// The block's part of dq, weights * keys, or its transpose.
  Value queryGradient(Value weights, const KeyBlock &own);

  /// The dimension of the scores that runs along the keys.
  int64_t keyDim;
};

} // namespace

void BackwardProgram::addArguments() {
  addTensor("q", "input");
  addTensor("k", "input");
  addTensor("v", "input");
  addTensor("do", "input");
  addRowStatistics();
  if (hasAccumulator())
    addAccumulator();
  addTensor("dk", "output");
  addTensor("dv", "output");
}

Gradients
BackwardProgram::loop(Value begin, Value end, Gradients init,
                      function_ref<Gradients(Value, Gradients)> body) {
  auto loop = scf::ForOp::create(b, begin, end, index(1),
                                 ValueRange{init.keys, init.values});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  ValueRange carried = loop.getRegionIterArgs();
  Gradients next = body(loop.getInductionVar(), {carried[0], carried[1]});
  scf::YieldOp::create(b, ValueRange{next.keys, next.values});
  return {loop.getResult(0), loop.getResult(1)};
}

Value BackwardProgram::addToKeys(Value weights, Value matrix, Value sum) {
  int64_t queryDim = 1 - keyDim;
  if (schedule.getTransposeDkv())
    return dot(matrix, 0, weights, queryDim, sum);
  return dot(weights, queryDim, matrix, 0, sum);
}

Value BackwardProgram::queryGradient(Value weights, const KeyBlock &own) {
  if (schedule.getTransposeDq())
    return dot(own.keys, 0, weights, keyDim);
  return dot(weights, keyDim, own.keys, 0);
}

Gradients BackwardProgram::step(const KeyBlock &own, Visibility &visibility,
                                Value head, Value block, Gradients sums) {
  bool transposed = schedule.getTransposeS();
  auto scoresOf = [&](Value queries, Value keys) {
    return transposed ? dot(keys, 1, queries, 1) : dot(queries, 1, keys, 1);
  };
  // Loads stand where their values are needed first: that is the order in which
  // they are issued.
  Value row0 = arith::MulIOp::create(b, block, index(rows));
  Value query = loadRows("q", own.batch, row0, head, rows);
  Value negLse =
      loadStatistic("neg_lse", own.batch, row0, head, rows, transposed);
  Value scores = scoresOf(query, own.keys);
  Value outputGradient = loadRows("do", own.batch, row0, head, rows);
  Value dp = scoresOf(outputGradient, own.values);

  scores = visibility.hideKeys(scores, keyDim, own.key0, row0);
  Value p = probabilities(scores, negLse);
  Value negSum =
      loadStatistic("neg_sum", own.batch, row0, head, rows, transposed);
  Value ds = scoreGradient(p, dp, negSum);
  Value narrowP = round(p), narrowDs = round(ds);
  Value values = addToKeys(narrowP, outputGradient, sums.values);
  Value gradient = hasAccumulator() ? queryGradient(narrowDs, own) : Value();
  Value keys = addToKeys(narrowDs, query, sums.keys);
  // The last product runs while this one's result goes to the workspace.
  if (gradient)
    tile::ReduceStoreOp::create(b, gradient, argument("dq_acc"),
                                ValueRange{own.batch, head, block, index(0)});
  return {keys, values};
}

void BackwardProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_k"), index(cols));
  SmallVector<Value> ids = programIds({blocks, dim("heads_kv"), dim("batch")});
  Value key0 = arith::MulIOp::create(b, ids[0], index(cols));
  KeyBlock own = {/*batch=*/ids[2], /*head=*/ids[1], key0, {}, {}};
  own.keys = loadRows("k", own.batch, key0, own.head, cols);
  own.values = loadRows("v", own.batch, key0, own.head, cols);

  Visibility visibility{b, dim("seqlen_q"), dim("seqlen_k"),
                        attention.getCausal()};
  Value begin = visibility.firstQueryBlock(key0, rows);
  Value end = b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  Value group = groupSize();
  Value firstHead = arith::MulIOp::create(b, own.head, group);
  bool transposed = schedule.getTransposeDkv();
  Value zero = splat(
      transposed ? floatTile(columns, cols) : floatTile(cols, columns), 0.0);
  Gradients sums = loop(
      index(0), group, {zero, zero}, [&](Value member, Gradients headSums) {
        Value head = arith::AddIOp::create(b, firstHead, member);
        return loop(begin, end, headSums, [&](Value block, Gradients before) {
          return step(own, visibility, head, block, before);
        });
      });
  storeRows(round(scaled(sums.keys, scale)), "dk", own.batch, key0, own.head,
            transposed);
  storeRows(round(sums.values), "dv", own.batch, key0, own.head, transposed);
}

tile::KernelOp fa3::writeBackwardProgram(OpBuilder &builder, StringRef name,
                                         attn::BackwardOp backward) {
  return BackwardProgram(builder, backward).write(name);
}
