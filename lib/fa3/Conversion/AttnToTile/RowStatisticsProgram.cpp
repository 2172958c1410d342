//===- RowStatisticsProgram.cpp - What backward needs of each query -------===//
//
// One CTA reads o, do and lse of a block of queries, writes -lse * log2(e) and
// dlse - rowsum(o * do), and clears the block's sums of dq. In 8 bits it also
// writes the queries and do as the products take them that contract queries. A
// key head's first query head does the same for the keys, and clears the
// largest |dS|.
//
//===----------------------------------------------------------------------===//

#include "BackwardPrograms.h"
#include "GradientProgram.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace fa3;

namespace {

class RowStatisticsProgram : public GradientProgram {
public:
  RowStatisticsProgram(OpBuilder &builder, attn::BackwardOp backward,
                       SumStart start)
      : GradientProgram(builder, backward, getFields(), start) {}

private:
  static ScheduleFields getFields();
  void addArguments() override;
  void writeBody() override;

  Value negatedLse(Value batch, Value row0, Value head);
  Value negatedSum(Value batch, Value row0, Value head);
  void clearAccumulator(Value batch, Value row0, Value head);
  void writeOperands(Value block, Value batch, Value row0, Value head);
};

} // namespace

/// Nothing is reused and nothing is multiplied: all threads load and compute.
ScheduleFields RowStatisticsProgram::getFields() {
  ScheduleFields fields;
  fields.blockQ = kStatisticsRows;
  fields.blockKv = 64;
  fields.stages = 1;
  fields.overlap = fields.specialize = fields.pingpong = false;
  return fields;
}

void RowStatisticsProgram::addArguments() {
  addTensor("o", "input");
  addTensor("lse", "input");
  addTensor("do", "input");
  if (backward.getDlse())
    addTensor("dlse", "input");
  addRowStatistics();
  if (hasAccumulator())
    addAccumulator();
  if (!isNarrow)
    return;
  addTensor("q", "input");
  addTensor("k", "input");
  addFactors({"do_descale", "ds_scale"});
  addColumns(kGradientColumns, "heads_q", "seqlen_q",
             backward.getDO().getType().getElementType());
  addDsOperand("q");
  addDsOperand("k");
  if (backward.getDsAmax())
    addTensor("ds_amax", "output");
}

Value RowStatisticsProgram::negatedLse(Value batch, Value row0, Value head) {
  VectorType type = floatTile(rows, 1);
  Value lse = loadStatistic("lse", batch, row0, head, rows);
  Value negated = scaled(lse, -llvm::numbers::log2e);
  if (lift != 0)
    negated = arith::AddFOp::create(b, negated,
                                    splat(type, static_cast<double>(lift)));
  // A row that sees no key has lse = -inf. Its probabilities are to be 0, not
  // infinite.
  Value lowest = splat(type, -std::numeric_limits<double>::infinity());
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, lse, lowest);
  return arith::SelectOp::create(b, none, lowest, negated);
}

/// In 8 bits with the factors of dp, so that a multiply-add joins both.
Value RowStatisticsProgram::negatedSum(Value batch, Value row0, Value head) {
  VectorType type = floatTile(rows, 1);
  auto loadWide = [&](StringRef tensor) -> Value {
    return arith::ExtFOp::create(b, floatTile(rows, columns),
                                 loadRows(tensor, batch, row0, head, rows));
  };
  Value output = loadWide("o"), outputGradient = loadWide("do");
  Value product = arith::MulFOp::create(b, output, outputGradient);
  Value sum =
      tile::ReduceOp::create(b, type, tile::ReduceKind::add, product, 1);
  Value gradient = backward.getDlse()
                       ? loadStatistic("dlse", batch, row0, head, rows)
                       : splat(type, 0.0);
  if (!isNarrow)
    return arith::SubFOp::create(b, gradient, sum);
  Value keyHead = keyHeadOf(head);
  Factor descale = loadFactors(1.0, {"do_descale"}, {}, batch, keyHead);
  Factor common = loadFactors(lowering(), {"ds_scale"}, {}, batch, keyHead);
  return times(arith::SubFOp::create(b, gradient, times(sum, descale)), common);
}

/// Clears the blocks of dq_acc whose first query is among this CTA's, or says
/// that nothing has been added to them yet.
void RowStatisticsProgram::clearAccumulator(Value batch, Value row0,
                                            Value head) {
  Value block = index(mainSchedule.getBlockQ());
  Value end = arith::AddIOp::create(b, row0, index(rows));
  end = arith::MinSIOp::create(b, end, dim("seqlen_q"));
  auto loop =
      scf::ForOp::create(b, arith::CeilDivUIOp::create(b, row0, block),
                         arith::CeilDivUIOp::create(b, end, block), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  if (storesFirst()) {
    tile::StoreOp::create(b, splat(floatTile(1, 1), 0.0), argument("dq_begun"),
                          ValueRange{batch, head, loop.getInductionVar()},
                          ArrayRef<int64_t>{-1, -1});
    return;
  }
  // In zeros the order of the elements does not matter: any tile will do.
  VectorType zeros =
      floatTile(rows, getAccumulatorTile().getNumElements() / rows);
  tile::StoreOp::create(
      b, splat(zeros, 0.0), argument("dq_acc"),
      ValueRange{batch, head, loop.getInductionVar(), index(0)},
      ArrayRef<int64_t>{});
}

void RowStatisticsProgram::writeOperands(Value block, Value batch, Value row0,
                                         Value head) {
  auto equals = [&](Value value, int64_t number) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, value,
                                 index(number));
  };
  auto isBelow = [&](StringRef seqlen) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row0,
                                 dim(seqlen));
  };
  auto onlyIf = [&](Value condition, function_ref<void()> body) {
    OpBuilder::InsertionGuard guard(b);
    auto ifOp = scf::IfOp::create(b, condition);
    b.setInsertionPointToStart(ifOp.thenBlock());
    body();
  };
  onlyIf(isBelow("seqlen_q"), [&] {
    storeDsOperand("q", batch, row0, head, rows, pairsQueries());
    copyColumns("do", kGradientColumns, batch, row0, head, rows,
                pairsQueries());
  });
  Value group = groupSize();
  Value keyHead = arith::DivUIOp::create(b, head, group);
  Value isFirst = equals(arith::RemUIOp::create(b, head, group), 0);
  onlyIf(arith::AndIOp::create(b, isFirst, isBelow("seqlen_k")),
         [&] { storeDsOperand("k", batch, row0, keyHead, rows, pairsKeys()); });
  if (backward.getDsAmax())
    onlyIf(arith::AndIOp::create(b, isFirst, equals(block, 0)), [&] {
      tile::StoreOp::create(b, splat(floatTile(1, 1), 0.0), argument("ds_amax"),
                            ValueRange{batch, keyHead},
                            ArrayRef<int64_t>{-1, -1});
    });
}

void RowStatisticsProgram::writeBody() {
  auto blocksOf = [&](StringRef seqlen) {
    return b.createOrFold<arith::CeilDivUIOp>(dim(seqlen), index(rows));
  };
  Value blocks = blocksOf("seqlen_q");
  if (isNarrow)
    blocks = arith::MaxUIOp::create(b, blocks, blocksOf("seqlen_k"));
  // There is a largest |dS| where there is nothing else.
  if (backward.getDsAmax())
    blocks = arith::MaxUIOp::create(b, blocks, index(1));
  SmallVector<Value> ids = programIds({blocks, dim("heads_q"), dim("batch")});
  Value row0 = arith::MulIOp::create(b, ids[0], index(rows));
  Value head = ids[1], batch = ids[2];
  if (isNarrow)
    writeOperands(ids[0], batch, row0, head);
  storeStatistic(negatedLse(batch, row0, head), "neg_lse", batch, row0, head);
  storeStatistic(negatedSum(batch, row0, head), "neg_sum", batch, row0, head);
  if (hasAccumulator())
    clearAccumulator(batch, row0, head);
}

tile::KernelOp fa3::writeRowStatisticsProgram(OpBuilder &builder,
                                              StringRef name,
                                              attn::BackwardOp backward,
                                              SumStart start) {
  return RowStatisticsProgram(builder, backward, start).write(name);
}
