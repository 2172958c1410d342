//===- NarrowProgram.cpp - The rounding of attn.quantize ------------------===//
//
// One CTA reads a block of a head's rows, divides them by the group's factor or
// each by its own, and writes them rounded.
//
//===----------------------------------------------------------------------===//

#include "QuantizeProgram.h"
#include "QuantizePrograms.h"

using namespace mlir;
using namespace fa3;

namespace {

class NarrowProgram : public QuantizeProgram {
public:
  NarrowProgram(OpBuilder &builder, attn::QuantizeOp quantize)
      : QuantizeProgram(builder, quantize, getFields()) {}

private:
  void addArguments() override {
    addTensor("x", "input");
    addTensor("descale", "output");
    addTensor("y", "output");
  }
  void writeBody() override;

  Value loadGroupDescale(Value batch, Value head);
  /// Stores columns of the head's rows.
  void store(Value tile, Value batch, Value row, Value head, int64_t column);
};

} // namespace

void NarrowProgram::store(Value tile, Value batch, Value row, Value head,
                          int64_t column) {
  if (!quantize.getInterleaved())
    return storeRows(tile, "y", batch, row, head, /*transposed=*/false, column);
  tile::StoreOp::create(b, tile, argument("y"),
                        ValueRange{batch, head, index(column), row},
                        ArrayRef<int64_t>{3, 2}, /*interleaved=*/true);
}

Value NarrowProgram::loadGroupDescale(Value batch, Value head) {
  Value groupSize = arith::DivUIOp::create(b, dim("heads"), dim("groups"));
  Value group = arith::DivUIOp::create(b, head, groupSize);
  return tile::LoadOp::create(b, floatTile(1, 1), argument("descale"),
                              ValueRange{batch, group},
                              ArrayRef<int64_t>{-1, -1});
}

void NarrowProgram::writeBody() {
  // Rows that do not exist are zeros; their places in y are written.
  Value count = dim(quantize.getInterleaved() ? "keys_padded" : "seqlen");
  Value blocks = b.createOrFold<arith::CeilDivUIOp>(count, index(kRows));
  SmallVector<Value> ids = programIds({blocks, dim("heads"), dim("batch")});
  Value row = arith::MulIOp::create(b, ids[0], index(kRows));
  Value head = ids[1], batch = ids[2];
  bool ofRows = quantize.hasRowFactors();
  Value descale = ofRows ? Value() : loadGroupDescale(batch, head);
  prepare();
  SmallVector<Value> pieces = loadMatrix(batch, row, head);
  if (ofRows) {
    descale = descaleOf(largest(splat(floatTile(kRows, 1), 0.0), pieces));
    storeStatistic(descale, "descale", batch, row, head);
  }
  Type element = quantize.getY().getType().getElementType();
  int64_t column = 0;
  for (Value piece : pieces) {
    auto type = cast<VectorType>(piece.getType());
    Value quotient = arith::DivFOp::create(b, piece, broadcast(descale, type));
    Value narrow = arith::TruncFOp::create(b, type.clone(element), quotient);
    store(narrow, batch, row, head, column);
    column += type.getDimSize(1);
  }
}

tile::KernelOp fa3::writeNarrowProgram(OpBuilder &builder, StringRef name,
                                       attn::QuantizeOp quantize) {
  return NarrowProgram(builder, quantize).write(name);
}
