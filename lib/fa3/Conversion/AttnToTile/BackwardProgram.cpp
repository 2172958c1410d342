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
  /// The keys as the product takes them that gives dq.
  Value gradientKeys;
};

/// The values that the loops over queries carry.
struct Gradients {
  Value keys, values;
  /// The largest |dS| of each row of the scores, if somebody asks for it.
  Value largest;
  /// The powers of two of rows of dS, if they are found while running.
  Value exponents;

  SmallVector<Value> get() const {
    SmallVector<Value> all = {keys, values};
    for (Value optional : {largest, exponents})
      if (optional)
        all.push_back(optional);
    return all;
  }
  /// The same ones, with these values.
  Gradients with(ValueRange all) const {
    Gradients next = {all[0], all[1], {}, {}};
    unsigned position = 2;
    if (largest)
      next.largest = all[position++];
    if (exponents)
      next.exponents = all[position];
    return next;
  }
};

class BackwardProgram : public GradientProgram {
public:
  BackwardProgram(OpBuilder &builder, attn::BackwardOp backward, SumStart start)
      : GradientProgram(builder, backward,
                        ScheduleFields::of(backward.getScheduleAttr()), start),
        keyDim(schedule.getTransposeS() ? 0 : 1) {}

private:
  void addArguments() override;
  void writeBody() override;

  /// A loop with `body`, which gets the index and the sums so far.
  Gradients loop(Value begin, Value end, Gradients init,
                 function_ref<Gradients(Value, Gradients)> body);
  /// The `number`-th of `count` blocks from `first` on, round and round; the
  /// first one if that is beyond the last.
  Value rotated(Value number, Value first, Value count);
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
  addScoreFactors();
  addRowStatistics();
  if (isNarrow) {
    addColumns(kGradientColumns, "heads_q", "seqlen_q",
               backward.getDO().getType().getElementType());
    addDsOperand("q");
    if (hasAccumulator())
      addDsOperand("k");
  }
  if (hasAccumulator())
    addAccumulator();
  addTensor("dk", "output");
  addTensor("dv", "output");
  if (backward.getDsAmax())
    addTensor("ds_amax", "output");
}

Gradients
BackwardProgram::loop(Value begin, Value end, Gradients init,
                      function_ref<Gradients(Value, Gradients)> body) {
  auto loop = scf::ForOp::create(b, begin, end, index(1), init.get());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Gradients next =
      body(loop.getInductionVar(), init.with(loop.getRegionIterArgs()));
  scf::YieldOp::create(b, next.get());
  return init.with(loop.getResults());
}

Value BackwardProgram::rotated(Value number, Value first, Value count) {
  auto isBelow = [&](Value block) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, block, count);
  };
  first = arith::SelectOp::create(b, isBelow(first), first, index(0));
  Value block = arith::AddIOp::create(b, first, number);
  return arith::SelectOp::create(
      b, isBelow(block), block,
      arith::SubIOp::create(b, block, count).getResult());
}

Value BackwardProgram::addToKeys(Value weights, Value matrix, Value sum) {
  int64_t queryDim = 1 - keyDim, matrixDim = contractedDim(matrix);
  if (schedule.getTransposeDkv())
    return dot(matrix, matrixDim, weights, queryDim, sum);
  return dot(weights, queryDim, matrix, matrixDim, sum);
}

Value BackwardProgram::queryGradient(Value weights, const KeyBlock &own) {
  int64_t matrixDim = contractedDim(own.gradientKeys);
  if (schedule.getTransposeDq())
    return dot(own.gradientKeys, matrixDim, weights, keyDim);
  return dot(weights, keyDim, own.gradientKeys, matrixDim);
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
  Value scaledDs = ds, exponents, keySums = sums.keys;
  if (sums.exponents) {
    ScaledRows scaled = scaleRows(ds, sums.exponents);
    scaledDs = scaled.ds;
    exponents = scaled.exponents;
    keySums = timesRows(keySums, scaled.rescale);
  }
  // dS is contracted along both of its dimensions.
  int64_t queryDim = 1 - keyDim;
  Value weights = narrowed(p, queryDim);
  Value dsForKeys = narrowedDs(scaledDs, queryDim);
  Value dsForQueries =
      hasAccumulator() ? narrowedDs(scaledDs, keyDim) : Value();
  Value gradientRows =
      isNarrow ? loadColumns(kGradientColumns, own.batch, row0, head, rows)
               : outputGradient;
  Value values = addToKeys(weights, gradientRows, sums.values);
  Value gradient = dsForQueries ? queryGradient(dsForQueries, own) : Value();
  Value queryRows =
      isNarrow ? loadDsOperand("q", own.batch, row0, head, rows) : query;
  Value keys = addToKeys(dsForKeys, queryRows, keySums);
  // The last product runs while this one's result goes to the workspace.
  if (gradient)
    tile::ReduceStoreOp::create(b, gradient, argument("dq_acc"),
                                ValueRange{own.batch, head, block, index(0)},
                                storesFirst() ? argument("dq_begun") : Value());
  Value largest;
  if (sums.largest) {
    Value magnitude = math::AbsFOp::create(b, ds);
    largest = arith::MaxNumFOp::create(
        b, sums.largest,
        tile::ReduceOp::create(b, cast<VectorType>(sums.largest.getType()),
                               tile::ReduceKind::maxnum, magnitude, 1));
  }
  return {keys, values, largest, exponents};
}

void BackwardProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_k"), index(cols));
  // Causal work shrinks with the block's index.
  SmallVector<Value> ids = programIds({blocks, dim("heads_kv"), dim("batch")},
                                      schedule.getLongestFirst());
  Value key0 = arith::MulIOp::create(b, ids[0], index(cols));
  KeyBlock own;
  own.batch = ids[2];
  own.head = ids[1];
  own.key0 = key0;
  loadScoreFactors(own.batch, own.head);
  Factor keyFactor =
      loadFactors(scale, {"q_descale"}, {"ds_scale"}, own.batch, own.head);
  Factor valueFactor = loadFactors(lowering(), {"do_descale"},
                                   /*divisors=*/{}, own.batch, own.head);
  own.keys = loadRows("k", own.batch, key0, own.head, cols);
  own.values = loadRows("v", own.batch, key0, own.head, cols);
  own.gradientKeys = isNarrow && hasAccumulator()
                         ? loadDsOperand("k", own.batch, key0, own.head, cols)
                         : own.keys;

  Visibility visibility{b, dim("seqlen_q"), dim("seqlen_k"),
                        attention.getCausal()};
  Value begin = visibility.firstQueryBlock(key0, rows);
  Value end = b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  // Not all CTAs are to store first tiles of dq at the same time.
  Value first;
  if (storesFirst() && !attention.getCausal())
    first = b.createOrFold<arith::DivUIOp>(key0, index(rows));
  Value group = groupSize();
  Value firstHead = arith::MulIOp::create(b, own.head, group);
  bool transposed = schedule.getTransposeDkv();
  Value zero = splat(
      transposed ? floatTile(columns, cols) : floatTile(cols, columns), 0.0);
  Gradients none = {zero, zero, {}, {}};
  int64_t scoreRows = schedule.getTransposeS() ? cols : rows;
  if (backward.getDsAmax())
    none.largest = splat(floatTile(scoreRows, 1), 0.0);
  if (backward.hasRunningDsScale())
    none.exponents = initialExponents(scoreRows);
  Gradients sums =
      loop(index(0), group, none, [&](Value member, Gradients headSums) {
        Value head = arith::AddIOp::create(b, firstHead, member);
        return loop(begin, end, headSums, [&](Value number, Gradients before) {
          Value block = first ? rotated(number, first, end) : number;
          return step(own, visibility, head, block, before);
        });
      });
  Value keys =
      sums.exponents ? unscaledRows(sums.keys, sums.exponents) : sums.keys;
  storeRows(round(times(keys, keyFactor)), "dk", own.batch, key0, own.head,
            transposed);
  Value values = isNarrow ? times(sums.values, valueFactor) : sums.values;
  storeRows(round(values), "dv", own.batch, key0, own.head, transposed);
  if (sums.largest)
    tile::MaxStoreOp::create(
        b,
        times(sums.largest,
              loadFactors(1.0, {}, {"ds_scale"}, own.batch, own.head)),
        argument("ds_amax"), ValueRange{own.batch, own.head});
}

tile::KernelOp fa3::writeBackwardProgram(OpBuilder &builder, StringRef name,
                                         attn::BackwardOp backward,
                                         SumStart start) {
  return BackwardProgram(builder, backward, start).write(name);
}
