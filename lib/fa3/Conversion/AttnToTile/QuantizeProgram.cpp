//===- QuantizeProgram.cpp - What the kernels of a quantization share -----===//

#include "QuantizeProgram.h"

#include <cmath>

using namespace mlir;
using namespace fa3;

QuantizeProgram::QuantizeProgram(OpBuilder &builder, attn::QuantizeOp quantize,
                                 const ScheduleFields &fields)
    : ProgramBuilder(builder, quantize,
                     fields.get([&] { return quantize.emitOpError(); },
                                builder.getContext()),
                     quantize.getX().getType().getDimSize(3)),
      quantize(quantize) {}

ScheduleFields QuantizeProgram::getFields() {
  ScheduleFields fields;
  fields.blockQ = fields.blockKv = kRows;
  fields.warpgroups = fields.stages = 1;
  fields.overlap = fields.specialize = fields.pingpong = false;
  fields.splitRegisters();
  return fields;
}

void QuantizeProgram::addConstraints() {
  if (hasSize("groups") && (isDynamic("groups") || isDynamic("heads")))
    constrain("divides", "groups", "heads");
  if (hasSize("keys_padded"))
    constrain("at_most", "seqlen", "keys_padded");
}

void QuantizeProgram::describe(NamedAttrList &problem) {
  auto typeName = [&](Value tensor) {
    return b.getStringAttr(
        getElementTypeName(getElementTypeOrSelf(tensor.getType())));
  };
  problem.set("dtype", typeName(quantize.getX()));
  problem.set("output_dtype", typeName(quantize.getY()));
  problem.set("value_layout",
              b.getStringAttr(quantize.getInterleaved() ? "columns" : "rows"));
  problem.set("head_dim", b.getI64IntegerAttr(columns));
  problem.set("rotate", b.getBoolAttr(quantize.getRotate()));
}

void QuantizeProgram::addRowMaxima() {
  addWorkspace("row_maxima", {size("batch"), size("groups"), size(kMaxima)});
}

void QuantizeProgram::prepare() {
  if (!quantize.getRotate())
    return;
  VectorType type = tileOf(kRows, kRows, b.getI32Type());
  VectorType wide = type.clone(b.getF32Type());
  auto integers = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               type, b.getI32IntegerAttr(static_cast<int32_t>(value))));
  };
  Value row = broadcast(
      tile::IotaOp::create(b, tileOf(kRows, 1, b.getI32Type()), 0), type);
  Value column = broadcast(
      tile::IotaOp::create(b, tileOf(1, kRows, b.getI32Type()), 1), type);
  Value common = arith::AndIOp::create(b, row, column);
  bool isDiagonal = blockSize() < kRows;
  if (isDiagonal)
    common = arith::AndIOp::create(b, common, integers(blockSize() - 1));
  Value parity =
      arith::AndIOp::create(b, math::CtPopOp::create(b, common), integers(1));
  Value even =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, parity, integers(0));
  hadamard =
      arith::SelectOp::create(b, even, splat(wide, 1.0), splat(wide, -1.0));
  if (isDiagonal) {
    // Coordinates in one block differ in its bits only.
    Value inBlock = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                          arith::XOrIOp::create(b, row, column),
                                          integers(blockSize()));
    hadamard = arith::SelectOp::create(b, inBlock, hadamard, splat(wide, 0.0));
  }
  hadamard = arith::TruncFOp::create(
      b, type.clone(quantize.getX().getType().getElementType()), hadamard);
}

SmallVector<Value> QuantizeProgram::loadMatrix(Value batch, Value row,
                                               Value head) {
  if (!quantize.getRotate())
    return {arith::ExtFOp::create(b, floatTile(kRows, columns),
                                  loadRows("x", batch, row, head, kRows))};
  VectorType type =
      tileOf(kRows, kRows, quantize.getX().getType().getElementType());
  SmallVector<Value> pieces;
  for (int64_t first = 0; first < columns; first += kRows) {
    Value x = tile::LoadOp::create(b, type, argument("x"),
                                   ValueRange{batch, row, head, index(first)},
                                   ArrayRef<int64_t>{1, 3});
    pieces.push_back(dot(x, 1, hadamard, 1));
  }
  // A Hadamard matrix is made of four smaller ones, of which one is negated.
  auto count = static_cast<int64_t>(pieces.size());
  for (int64_t step = 1; step < blockSize() / kRows; step *= 2)
    for (int64_t i = 0; i < count; ++i) {
      if (i & step)
        continue;
      Value sum = arith::AddFOp::create(b, pieces[i], pieces[i | step]);
      pieces[i | step] = arith::SubFOp::create(b, pieces[i], pieces[i | step]);
      pieces[i] = sum;
    }
  double norm = 1 / std::sqrt(static_cast<double>(blockSize()));
  for (Value &piece : pieces)
    piece = scaled(piece, norm);
  return pieces;
}

Value QuantizeProgram::largest(Value maxima, ArrayRef<Value> pieces) {
  for (Value piece : pieces) {
    Value magnitude = math::AbsFOp::create(b, piece);
    Value inPiece = tile::ReduceOp::create(
        b, maxima.getType(), tile::ReduceKind::maxnum, magnitude, 1);
    maxima = arith::MaxNumFOp::create(b, maxima, inPiece);
  }
  return maxima;
}

Value QuantizeProgram::descaleOf(Value maximum) {
  auto type = cast<VectorType>(maximum.getType());
  auto element = cast<FloatType>(quantize.getY().getType().getElementType());
  double range =
      APFloat::getLargest(element.getFloatSemantics()).convertToDouble();
  Value quotient = arith::DivFOp::create(b, maximum, splat(type, range));
  Value zero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maximum,
                                     splat(type, 0.0));
  return arith::SelectOp::create(b, zero, splat(type, 1.0), quotient);
}
