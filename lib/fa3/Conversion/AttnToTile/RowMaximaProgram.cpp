//===- RowMaximaProgram.cpp - Maxima of rows for attn.quantize ------------===//
//
// The blocks of rows of all heads of a group are dealt out to kShares CTAs.
// Each writes, for every row of a tile, the largest magnitude in that row of
// its blocks.
//
//===----------------------------------------------------------------------===//

#include "QuantizeProgram.h"
#include "QuantizePrograms.h"

using namespace mlir;
using namespace fa3;

namespace {

class RowMaximaProgram : public QuantizeProgram {
public:
  RowMaximaProgram(OpBuilder &builder, attn::QuantizeOp quantize)
      : QuantizeProgram(builder, quantize, getFields()) {}

private:
  void addArguments() override {
    addTensor("x", "input");
    // For its sizes.
    addTensor("descale", "output");
    addRowMaxima();
  }
  void writeBody() override;
};

} // namespace

void RowMaximaProgram::writeBody() {
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen"), index(kRows));
  SmallVector<Value> ids =
      programIds({index(kShares), dim("groups"), dim("batch")});
  Value share = ids[0], group = ids[1], batch = ids[2];
  Value heads = arith::DivUIOp::create(b, dim("heads"), dim("groups"));
  Value firstHead = arith::MulIOp::create(b, group, heads);
  prepare();
  auto loop = scf::ForOp::create(
      b, share, arith::MulIOp::create(b, heads, blocks), index(kShares),
      ValueRange{splat(floatTile(kRows, 1), 0.0)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value number = loop.getInductionVar();
    Value head = arith::AddIOp::create(
        b, firstHead, arith::DivUIOp::create(b, number, blocks));
    Value row = arith::MulIOp::create(
        b, arith::RemUIOp::create(b, number, blocks), index(kRows));
    Value maxima =
        largest(loop.getRegionIterArg(0), loadMatrix(batch, row, head));
    scf::YieldOp::create(b, maxima);
  }
  storeStatistic(loop.getResult(0), "row_maxima", batch,
                 arith::MulIOp::create(b, share, index(kRows)), group);
}

tile::KernelOp fa3::writeRowMaximaProgram(OpBuilder &builder, StringRef name,
                                          attn::QuantizeOp quantize) {
  return RowMaximaProgram(builder, quantize).write(name);
}
