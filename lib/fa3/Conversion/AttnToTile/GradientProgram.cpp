//===- GradientProgram.cpp - What the kernels of a backward pass share ----===//

#include "GradientProgram.h"

#include "fa3/Analysis/SizeExpressions.h"

using namespace mlir;
using namespace fa3;

GradientProgram::GradientProgram(OpBuilder &builder, attn::BackwardOp backward,
                                 const ScheduleFields &fields, SumStart start)
    : AttentionProgram(builder, backward,
                       fields.get([&] { return backward.emitOpError(); },
                                  builder.getContext())),
      backward(backward), mainSchedule(backward.getScheduleAttr()),
      start(start), isNarrow(backward.isNarrow()),
      lift(isNarrow ? kLargestPower : 0),
      rowLift(kLargestPower - mainSchedule.getLazyRescale()),
      scoreFactor({exponentScale, {}}) {}

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
  if (storesFirst())
    addWorkspace("dq_begun", {size("batch"), size("heads_q"), blocks});
}

VectorType GradientProgram::getAccumulatorTile() {
  int64_t queries = mainSchedule.getBlockQ();
  return mainSchedule.getTransposeDq() ? floatTile(columns, queries)
                                       : floatTile(queries, columns);
}

Value GradientProgram::probabilities(Value scores, Value negLse) {
  auto type = cast<VectorType>(scores.getType());
  Value exponent = math::FmaOp::create(b, scores, broadcast(scoreFactor, type),
                                       broadcast(negLse, type));
  return math::Exp2Op::create(b, exponent);
}

Value GradientProgram::scoreGradient(Value p, Value dp, Value negSum) {
  auto type = cast<VectorType>(p.getType());
  Value offset = broadcast(negSum, type);
  Value difference =
      isNarrow ? math::FmaOp::create(b, dp, broadcast(riseFactor, type), offset)
                     .getResult()
               : arith::AddFOp::create(b, dp, offset).getResult();
  return arith::MulFOp::create(b, p, difference);
}

//===----------------------------------------------------------------------===//
// 8 bits
//===----------------------------------------------------------------------===//

Value GradientProgram::keyHeadOf(Value head) {
  bool hasFactors = backward.getKDescale() || backward.getDsScale();
  return hasFactors ? b.createOrFold<arith::DivUIOp>(head, groupSize()) : head;
}

void GradientProgram::addFactors(ArrayRef<StringRef> names) {
  for (const attn::SpecTensor &tensor : spec.getTensors())
    if (llvm::is_contained(names, tensor.name))
      addTensor(tensor.name, "input");
}

GradientProgram::Factor
GradientProgram::loadFactors(double number, ArrayRef<StringRef> names,
                             ArrayRef<StringRef> divisors, Value batch,
                             Value keyHead) {
  Factor factor{number, {}};
  auto productOf = [&](ArrayRef<StringRef> factors) {
    Value product;
    for (const attn::SpecTensor &tensor : spec.getTensors()) {
      if (!llvm::is_contained(factors, tensor.name))
        continue;
      Value loaded = loadFactor(tensor.name, batch, keyHead);
      product = product ? arith::MulFOp::create(b, product, loaded).getResult()
                        : loaded;
    }
    return product;
  };
  factor.tile = productOf(names);
  if (Value divisor = productOf(divisors)) {
    Value dividend = factor.tile ? factor.tile : splat(floatTile(1, 1), 1.0);
    factor.tile = arith::DivFOp::create(b, dividend, divisor);
  }
  if (factor.tile)
    factor.tile = scaled(factor.tile, number);
  return factor;
}

Value GradientProgram::broadcast(const Factor &factor, VectorType type) {
  return factor.tile ? broadcast(factor.tile, type)
                     : splat(type, factor.number);
}

Value GradientProgram::times(Value tile, const Factor &factor) {
  return arith::MulFOp::create(
      b, tile, broadcast(factor, cast<VectorType>(tile.getType())));
}

void GradientProgram::addScoreFactors() {
  addFactors({"q_descale", "k_descale", "v_descale", "do_descale", "ds_scale"});
}

void GradientProgram::loadScoreFactors(Value batch, Value keyHead) {
  scoreFactor = loadFactors(exponentScale, {"q_descale", "k_descale"},
                            /*divisors=*/{}, batch, keyHead);
  riseFactor = loadFactors(lowering(), {"v_descale", "do_descale", "ds_scale"},
                           /*divisors=*/{}, batch, keyHead);
}

static std::string getColumnsName(StringRef name) {
  return (name + "_columns").str();
}

static std::string getWideName(StringRef name) {
  return (name + "_wide").str();
}

void GradientProgram::addDsOperand(StringRef name) {
  bool isQuery = name == "q";
  StringRef heads = isQuery ? "heads_q" : "heads_kv";
  StringRef seqlen = isQuery ? "seqlen_q" : "seqlen_k";
  if (backward.hasNarrowDs())
    return addColumns(getColumnsName(name), heads, seqlen, element);
  addWorkspace(getWideName(name),
               {size("batch"), size(seqlen), size(heads), size("head_dim")},
               outputElement);
}

void GradientProgram::storeDsOperand(StringRef name, Value batch, Value row,
                                     Value head, int64_t count, bool paired) {
  if (backward.hasNarrowDs())
    return copyColumns(name, getColumnsName(name), batch, row, head, count,
                       paired);
  Value wide = arith::ExtFOp::create(b, floatTile(count, columns),
                                     loadRows(name, batch, row, head, count));
  storeRows(round(wide), getWideName(name), batch, row, head);
}

Value GradientProgram::loadDsOperand(StringRef name, Value batch, Value row,
                                     Value head, int64_t count) {
  if (backward.hasNarrowDs())
    return loadColumns(getColumnsName(name), batch, row, head, count);
  return loadRows(getWideName(name), batch, row, head, count);
}

Value GradientProgram::loadColumns(StringRef name, Value batch, Value row,
                                   Value head, int64_t count) {
  Value memory = argument(name);
  Type type = cast<MemRefType>(memory.getType()).getElementType();
  return tile::LoadOp::create(b, tileOf(columns, count, type), memory,
                              ValueRange{batch, head, index(0), row},
                              ArrayRef<int64_t>{2, 3});
}

int64_t GradientProgram::contractedDim(Value operand) {
  return cast<VectorType>(operand.getType()).getElementTypeBitWidth() == 8 ? 1
                                                                           : 0;
}

Value GradientProgram::narrowed(Value tile, int64_t dim) {
  if (!isNarrow)
    return round(tile);
  VectorType type = cast<VectorType>(tile.getType()).clone(element);
  if (dim == 0)
    return tile::PairRowsOp::create(b, type, tile);
  return tile::InterleaveOp::create(b, type, tile);
}

Value GradientProgram::narrowedDs(Value ds, int64_t dim) {
  return backward.hasNarrowDs() ? narrowed(ds, dim) : round(ds);
}

//===----------------------------------------------------------------------===//
// Factors of rows of dS that are found while running
//===----------------------------------------------------------------------===//

/// Below that, rows are as good as 0, and their factor would be infinite.
static constexpr double kSmallestExponent = -100;

Value GradientProgram::initialExponents(int64_t count) {
  return splat(floatTile(count, 1), kSmallestExponent);
}

/// The recurrence of an online softmax, whose references are powers of two and
/// whose elements are not exponentials.
GradientProgram::ScaledRows GradientProgram::scaleRows(Value ds,
                                                       Value exponents) {
  auto rowType = cast<VectorType>(exponents.getType());
  Value largest =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::maxnum,
                             math::AbsFOp::create(b, ds).getResult(), 1);
  Value exponent =
      math::CeilOp::create(b, math::Log2Op::create(b, largest).getResult());
  Value reference = arith::MaxNumFOp::create(b, exponents, exponent);
  // Exactly 1 where the reference stays.
  Value change = arith::SubFOp::create(b, exponents, reference);
  Value factors = math::Exp2Op::create(
      b, arith::SubFOp::create(b, splat(rowType, static_cast<double>(rowLift)),
                               reference)
             .getResult());
  return {timesRows(ds, factors), reference, math::Exp2Op::create(b, change)};
}

Value GradientProgram::timesRows(Value tile, Value factors) {
  return arith::MulFOp::create(
      b, tile, broadcast(factors, cast<VectorType>(tile.getType())));
}

Value GradientProgram::unscaledRows(Value sums, Value exponents) {
  auto rowType = cast<VectorType>(exponents.getType());
  Value power = arith::SubFOp::create(
      b, exponents, splat(rowType, static_cast<double>(rowLift)));
  return timesRows(sums, math::Exp2Op::create(b, power));
}
