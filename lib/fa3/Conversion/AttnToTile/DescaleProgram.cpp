//===- DescaleProgram.cpp - Factors of attn.quantize ----------------------===//
//
// One CTA reads the maxima of a group's rows and writes the group's factor.
//
//===----------------------------------------------------------------------===//

#include "QuantizeProgram.h"
#include "QuantizePrograms.h"

using namespace mlir;
using namespace fa3;

namespace {

/// Maxima that are read at a time.
constexpr int64_t kColumns = 256;

class DescaleProgram : public QuantizeProgram {
public:
  DescaleProgram(OpBuilder &builder, attn::QuantizeOp quantize)
      : QuantizeProgram(builder, quantize, getFields()) {}

private:
  void addArguments() override {
    addRowMaxima();
    addTensor("descale", "output");
  }
  void writeBody() override;

  Value largestOfGroup(Value batch, Value group);
};

} // namespace

Value DescaleProgram::largestOfGroup(Value batch, Value group) {
  VectorType type = floatTile(1, 1);
  auto loop =
      scf::ForOp::create(b, index(0), index(kMaxima), index(kColumns),
                         ValueRange{splat(floatTile(1, kColumns), 0.0)});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value maxima = loadStatistic("row_maxima", batch, loop.getInductionVar(),
                               group, kColumns, /*transposed=*/true);
  scf::YieldOp::create(b, ValueRange{arith::MaxNumFOp::create(
                              b, loop.getRegionIterArg(0), maxima)});
  b.setInsertionPointAfter(loop);
  return tile::ReduceOp::create(b, type, tile::ReduceKind::maxnum,
                                loop.getResult(0), 1);
}

void DescaleProgram::writeBody() {
  SmallVector<Value> ids = programIds({dim("groups"), dim("batch")});
  Value group = ids[0], batch = ids[1];
  Value maximum = largestOfGroup(batch, group);
  tile::StoreOp::create(b, descaleOf(maximum), argument("descale"),
                        ValueRange{batch, group}, ArrayRef<int64_t>{-1, -1});
}

tile::KernelOp fa3::writeDescaleProgram(OpBuilder &builder, StringRef name,
                                        attn::QuantizeOp quantize) {
  return DescaleProgram(builder, quantize).write(name);
}
