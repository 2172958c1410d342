//===- ForwardProgram.cpp - Tile program of attn.forward ------------------===//
//
// FlashAttention's forward pass for one block of queries: a loop over blocks of
// keys with an online softmax. Blocks are visited right to left, so that those
// which need a mask come first.
//
//===----------------------------------------------------------------------===//

#include "ForwardProgram.h"

#include "AttentionProgram.h"
#include "Visibility.h"

#include "fa3/Analysis/ScheduleModel.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace fa3;

namespace {

/// The values that the loop over blocks of keys carries.
struct SoftmaxState {
  /// Row maximum of the scores so far.
  Value max;
  /// Row sum of exponentials, as eight partial sums.
  Value sum;
  /// Unnormalised output, in pieces.
  SmallVector<Value> acc;
  /// Where a product adds up rows beside the last piece, zeros to start from;
  /// otherwise null.
  Value cleared;
};

/// Columns of the output that one product computes.
struct Piece {
  int64_t first, columns;
  /// Whether the product has eight more columns, sums of rows.
  bool hasSums;

  int64_t productColumns() const { return columns + (hasSums ? 8 : 0); }
};

class ForwardProgram : public AttentionProgram {
public:
  ForwardProgram(OpBuilder &builder, attn::ForwardOp forward,
                 ValueSource source)
      : AttentionProgram(builder, forward, forward.getScheduleAttr()),
        forward(forward), source(source),
        isNarrow(element.getIntOrFloatBitWidth() == 8),
        lift(isNarrow ? kLargestPower - schedule.getLazyRescale() : 0) {
    int64_t width = forward.getTwoLevel() ? kTwoLevelColumns : columns;
    for (int64_t first = 0; first < columns; first += width)
      pieces.push_back({first, std::min(width, columns - first),
                        schedule.getProductSums() && first + width >= columns});
  }

private:
  void addArguments() override;
  Attribute launchCondition() override {
    return getLaunchCondition(forward, source);
  }
  void writeBody() override;

  SoftmaxState step(Value query, Value key, SoftmaxState state,
                    function_ref<Value(Value)> mask,
                    function_ref<Value(Piece)> loadValue);
  void writeResults(SoftmaxState state, Value batch, Value row0, Value head);

  /// The values of keys col0, ...: as rows, or, in 8 bits, as columns.
  Value loadValues(Value batch, Value keyHead, Value col0, Piece piece);
  /// Reads the descales, whose product with the scale multiplies scores; those
  /// of rows without the keys'.
  void loadDescales(Value batch, Value row0, Value head, Value keyHead);
  /// What scores are multiplied by, times `factor`, as a tile of `type`.
  Value scoreFactor(VectorType type, double factor);
  attn::ForwardOp forward;
  ValueSource source;
  bool isNarrow;
  /// Probabilities are computed 2^lift times as large, so that those below 1
  /// use the range of a narrow type.
  int64_t lift;
  SmallVector<Piece> pieces;
  /// Tiles of one element or, of scores, one column; null without descales.
  Value scoreDescale, valueDescale;
};

} // namespace

void ForwardProgram::addArguments() {
  addTensor("q", "input");
  addTensor("k", "input");
  if (source == ValueSource::workspace)
    addValueColumns(forward);
  else
    addTensor("v", "input");
  if (forward.getQDescale())
    for (StringRef name : {"q_descale", "k_descale", "v_descale"})
      addTensor(name, "input");
  addTensor("o", "output");
  addTensor("lse", "output");
}

SoftmaxState ForwardProgram::step(Value query, Value key, SoftmaxState state,
                                  function_ref<Value(Value)> mask,
                                  function_ref<Value(Piece)> loadValue) {
  VectorType scoreType = floatTile(rows, cols);
  VectorType rowType = floatTile(rows, 1);

  Value scores = mask(dot(query, 1, key, 1));

  Value blockMax =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::maxnum, scores, 1);
  Value max = arith::MaxNumFOp::create(b, state.max, blockMax);

  // A row that has seen no key yet has the maximum -inf; 0 in its place keeps
  // -inf - -inf out of the exponents.
  Value lowest = splat(rowType, -std::numeric_limits<double>::infinity());
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, max, lowest);
  Value reference = arith::SelectOp::create(b, none, splat(rowType, 0.0), max);

  // p = 2^(factor * (s - reference) + lift), one multiply-add for each element.
  Value negated = scoreFactor(rowType, -exponentScale);
  Value shift =
      lift == 0 ? arith::MulFOp::create(b, reference, negated).getResult()
                : math::FmaOp::create(b, reference, negated,
                                      splat(rowType, static_cast<double>(lift)))
                      .getResult();
  Value exponent =
      math::FmaOp::create(b, scores, scoreFactor(scoreType, exponentScale),
                          broadcast(shift, scoreType));
  Value p = math::Exp2Op::create(b, exponent);

  // Exactly 1 where the maximum stays, so that skipping the multiplication by
  // it changes nothing.
  Value change = arith::SubFOp::create(b, state.max, reference);
  change =
      arith::MulFOp::create(b, change, scoreFactor(rowType, exponentScale));
  Value rescale = math::Exp2Op::create(b, change);

  VectorType sumType = floatTile(rows, 8);
  Value sum;
  auto addToSum = [&](Value partial) {
    sum =
        math::FmaOp::create(b, state.sum, broadcast(rescale, sumType), partial);
  };
  if (!schedule.getProductSums())
    addToSum(tile::PartialReduceOp::create(b, sumType, p));

  Value narrow =
      isNarrow ? tile::InterleaveOp::create(b, scoreType.clone(element), p)
                     .getResult()
               : round(p);
  int64_t contracted = isNarrow ? 1 : 0;
  SmallVector<Value> next;
  for (auto [piece, acc] : llvm::zip_equal(pieces, state.acc)) {
    VectorType accType = floatTile(rows, piece.columns);
    Value value = loadValue(piece);
    Value rescaled = arith::MulFOp::create(b, acc, broadcast(rescale, accType));
    // On two levels, a product of its own for each block. Sums of rows, which
    // only grow, are always added so.
    Value addend = forward.getTwoLevel() ? Value() : rescaled;
    if (addend && piece.hasSums)
      addend = tile::AppendOp::create(
          b, floatTile(rows, piece.productColumns()), addend, state.cleared);
    Value product = dot(narrow, 1, value, contracted, addend);
    if (piece.hasSums) {
      addToSum(tile::ColumnsOp::create(b, sumType, product, piece.columns));
      product = tile::ColumnsOp::create(b, accType, product, 0);
    }
    next.push_back(forward.getTwoLevel()
                       ? arith::AddFOp::create(b, rescaled, product).getResult()
                       : product);
  }
  // Zeros, by way of the sum: they take the registers of what has been added to
  // it, where the next product needs them.
  Value cleared = state.cleared ? scaled(sum, 0.0) : Value();
  return {max, sum, next, cleared};
}

Value ForwardProgram::loadValues(Value batch, Value keyHead, Value col0,
                                 Piece piece) {
  if (!isNarrow)
    return loadRows("v", batch, col0, keyHead, cols);
  VectorType type = tileOf(piece.productColumns(), cols, element);
  if (source == ValueSource::rows) {
    Value values = tile::LoadOp::create(
        b, tileOf(cols, piece.columns, element), argument("v"),
        ValueRange{batch, col0, keyHead, index(piece.first)},
        ArrayRef<int64_t>{1, 3});
    return tile::TransposeOp::create(b, type, values, piece.hasSums);
  }
  return tile::LoadOp::create(
      b, type, argument(source == ValueSource::columns ? "v" : kValueColumns),
      ValueRange{batch, keyHead, index(piece.first), col0},
      ArrayRef<int64_t>{2, 3}, piece.hasSums);
}

void ForwardProgram::loadDescales(Value batch, Value row0, Value head,
                                  Value keyHead) {
  if (!forward.getQDescale())
    return;
  auto load = [&](StringRef name) { return loadFactor(name, batch, keyHead); };
  scoreDescale = forward.hasQueryFactors()
                     ? loadStatistic("q_descale", batch, row0, head, rows)
                     : load("q_descale");
  if (!forward.hasKeyFactors()) {
    Value keys = load("k_descale");
    scoreDescale = arith::MulFOp::create(
        b, scoreDescale,
        broadcast(keys, cast<VectorType>(scoreDescale.getType())));
  }
  valueDescale = load("v_descale");
}

Value ForwardProgram::scoreFactor(VectorType type, double factor) {
  if (!scoreDescale)
    return splat(type, factor);
  OpBuilder::InsertPoint here = b.saveInsertionPoint();
  b.setInsertionPointAfterValue(scoreDescale);
  Value product = scaled(scoreDescale, factor);
  b.restoreInsertionPoint(here);
  return broadcast(product, type);
}

void ForwardProgram::writeResults(SoftmaxState state, Value batch, Value row0,
                                  Value head) {
  VectorType rowType = floatTile(rows, 1);
  Value zero = splat(rowType, 0.0);

  Value sum =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::add, state.sum, 1);
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, zero);
  Value inverse = arith::DivFOp::create(b, splat(rowType, 1.0), sum);
  inverse = arith::SelectOp::create(b, empty, zero, inverse);
  if (valueDescale)
    inverse =
        arith::MulFOp::create(b, inverse, broadcast(valueDescale, rowType));
  for (auto [piece, acc] : llvm::zip_equal(pieces, state.acc)) {
    VectorType type = floatTile(rows, piece.columns);
    Value output = arith::MulFOp::create(b, acc, broadcast(inverse, type));
    storeRows(round(output), "o", batch, row0, head, /*transposed=*/false,
              piece.first);
  }

  // log(sum) = ln 2 * log2(sum)
  Value log = math::Log2Op::create(b, sum);
  if (lift != 0)
    log = arith::SubFOp::create(b, log,
                                splat(rowType, static_cast<double>(lift)));
  log = arith::MulFOp::create(b, log, splat(rowType, llvm::numbers::ln2));
  Value lse =
      math::FmaOp::create(b, state.max, scoreFactor(rowType, scale), log);
  lse = arith::SelectOp::create(
      b, empty, splat(rowType, -std::numeric_limits<double>::infinity()), lse);
  storeStatistic(lse, "lse", batch, row0, head);
}

void ForwardProgram::writeBody() {
  auto [batch, head, keyHead, row0] = queryBlock();
  Value zero = index(0), one = index(1);

  loadDescales(batch, row0, head, keyHead);
  Value query = loadRows("q", batch, row0, head, rows);
  Visibility visibility{b, dim("seqlen_q"), dim("seqlen_k"),
                        attention.getCausal()};
  Value count = visibility.countKeyBlocks(row0, rows, cols);
  Value lastBlock = arith::SubIOp::create(b, count, one);
  Value limit = visibility.firstHiddenKey(row0, rows);
  SmallVector<Value> inits = {
      splat(floatTile(rows, 1), -std::numeric_limits<double>::infinity()),
      splat(floatTile(rows, 8), 0.0)};
  for (Piece piece : pieces)
    inits.push_back(splat(floatTile(rows, piece.columns), 0.0));
  bool clears = schedule.getProductSums() && !forward.getTwoLevel();
  if (clears)
    inits.push_back(splat(floatTile(rows, 8), 0.0));
  auto stateOf = [&](ValueRange values) -> SoftmaxState {
    return {values[0], values[1],
            llvm::to_vector(values.slice(2, pieces.size())),
            clears ? values.back() : Value()};
  };
  auto loop = scf::ForOp::create(b, zero, count, one, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value iteration = loop.getInductionVar();
    Value keyBlock = arith::SubIOp::create(b, lastBlock, iteration);
    Value col0 = arith::MulIOp::create(b, keyBlock, index(cols));
    Value key = loadRows("k", batch, col0, keyHead, cols);
    Value keyFactors = forward.hasKeyFactors()
                           ? loadStatistic("k_descale", batch, col0, keyHead,
                                           cols, /*transposed=*/true)
                           : Value();
    SoftmaxState next = step(
        query, key, stateOf(loop.getRegionIterArgs()),
        [&](Value scores) {
          if (keyFactors)
            scores = arith::MulFOp::create(
                b, scores,
                broadcast(keyFactors, cast<VectorType>(scores.getType())));
          return visibility.hideColumns(scores, limit, col0);
        },
        [&](Piece piece) { return loadValues(batch, keyHead, col0, piece); });
    SmallVector<Value> yielded = {next.max, next.sum};
    llvm::append_range(yielded, next.acc);
    if (next.cleared)
      yielded.push_back(next.cleared);
    scf::YieldOp::create(b, yielded);
  }
  writeResults(stateOf(loop.getResults()), batch, row0, head);
}

tile::KernelOp fa3::writeForwardProgram(OpBuilder &builder, StringRef name,
                                        attn::ForwardOp forward,
                                        ValueSource source) {
  return ForwardProgram(builder, forward, source).write(name);
}
