//===- ScaleGradientProgram.cpp - dq of its sums --------------------------===//
//
// One CTA reads a block's sums of dq in f32 and writes them scaled and rounded.
//
//===----------------------------------------------------------------------===//

#include "BackwardPrograms.h"
#include "GradientProgram.h"

#include "fa3/Analysis/ScheduleModel.h"

using namespace mlir;
using namespace fa3;

namespace {

class ScaleGradientProgram : public GradientProgram {
public:
  ScaleGradientProgram(OpBuilder &builder, attn::BackwardOp backward,
                       SumStart start)
      : GradientProgram(builder, backward, getFields(backward), start) {}

private:
  static ScheduleFields getFields(attn::BackwardOp backward);
  void addArguments() override;
  void writeBody() override;
};

} // namespace

/// As for the statistics of rows: only data is moved. The tile's rows may be
/// the head dim.
ScheduleFields ScaleGradientProgram::getFields(attn::BackwardOp backward) {
  tile::ScheduleAttr main = backward.getScheduleAttr();
  ScheduleFields fields;
  fields.blockQ = main.getBlockQ();
  fields.blockKv = getTileColumns(backward);
  fields.transposeS = main.getTransposeDq();
  int64_t tileRows = fields.transposeS ? fields.blockKv : fields.blockQ;
  fields.warpgroups = tileRows == 192 ? 3 : tileRows % 128 == 0 ? 2 : 1;
  fields.stages = 1;
  fields.overlap = fields.specialize = fields.pingpong = false;
  fields.splitRegisters();
  return fields;
}

void ScaleGradientProgram::addArguments() {
  addAccumulator();
  addFactors({"k_descale", "ds_scale"});
  addTensor("dq", "output");
}

void ScaleGradientProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  SmallVector<Value> counts = {blocks, dim("heads_q"), dim("batch")};
  SmallVector<Value> ids = programIds(counts);
  // Backwards: what has been added to last is still in the cache.
  for (auto [id, count] : llvm::zip_equal(ids, counts))
    id = arith::SubIOp::create(
        b, arith::SubIOp::create(b, count, index(1)).getResult(), id);
  Value block = ids[0], head = ids[1], batch = ids[2];
  Value sums = tile::LoadOp::create(b, getAccumulatorTile(), argument("dq_acc"),
                                    ValueRange{batch, head, block, index(0)},
                                    ArrayRef<int64_t>{});
  if (storesFirst()) {
    // Queries that see no key have no sums.
    VectorType type = getAccumulatorTile();
    Value begun = tile::LoadOp::create(b, floatTile(1, 1), argument("dq_begun"),
                                       ValueRange{batch, head, block},
                                       ArrayRef<int64_t>{-1, -1});
    Value none = splat(type, 0.0);
    Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ,
                                          broadcast(begun, type), none);
    sums = arith::SelectOp::create(b, isEmpty, none, sums);
  }
  Factor factor =
      loadFactors(scale, {"k_descale"}, {"ds_scale"}, batch, keyHeadOf(head));
  Value row0 = arith::MulIOp::create(b, block, index(rows));
  storeRows(round(times(sums, factor)), "dq", batch, row0, head,
            mainSchedule.getTransposeDq());
}

tile::KernelOp fa3::writeScaleGradientProgram(OpBuilder &builder,
                                              StringRef name,
                                              attn::BackwardOp backward,
                                              SumStart start) {
  return ScaleGradientProgram(builder, backward, start).write(name);
}
