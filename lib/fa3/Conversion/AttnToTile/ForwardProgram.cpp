//===- ForwardProgram.cpp - Tile program of attn.forward ------------------===//
//
// FlashAttention's forward pass for one block of queries: a loop over blocks of
// keys with an online softmax. Blocks are visited right to left, so that those
// which need a mask come first.
//
//===----------------------------------------------------------------------===//

#include "ForwardProgram.h"

#include "ProgramBuilder.h"
#include "Visibility.h"

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
  /// Unnormalised output.
  Value acc;
};

class ForwardProgram : public ProgramBuilder {
public:
  ForwardProgram(OpBuilder &builder, attn::ForwardOp forward)
      : ProgramBuilder(builder, forward, forward.getScheduleAttr()) {}

private:
  void addArguments() override;
  void writeBody() override;

  SoftmaxState step(Value query, Value key, SoftmaxState state,
                    function_ref<Value(Value)> mask,
                    function_ref<Value()> loadValue);
  void writeResults(SoftmaxState state, Value batch, Value row0, Value head);
};

} // namespace

void ForwardProgram::addArguments() {
  addTensor("q", "input");
  addTensor("k", "input");
  addTensor("v", "input");
  addTensor("o", "output");
  addTensor("lse", "output");
}

SoftmaxState ForwardProgram::step(Value query, Value key, SoftmaxState state,
                                  function_ref<Value(Value)> mask,
                                  function_ref<Value()> loadValue) {
  VectorType scoreType = floatTile(rows, cols);
  VectorType rowType = floatTile(rows, 1);
  double factor = exponentScale;

  Value scores = mask(dot(query, 1, key, 1));

  Value blockMax =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::maxnum, scores, 1);
  Value max = arith::MaxNumFOp::create(b, state.max, blockMax);

  // A row that has seen no key yet has the maximum -inf; 0 in its place keeps
  // -inf - -inf out of the exponents.
  Value lowest = splat(rowType, -std::numeric_limits<double>::infinity());
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, max, lowest);
  Value reference = arith::SelectOp::create(b, none, splat(rowType, 0.0), max);

  // p = 2^(factor * (s - reference)), one multiply-add for each element.
  Value shift = arith::MulFOp::create(b, reference, splat(rowType, -factor));
  Value exponent = math::FmaOp::create(b, scores, splat(scoreType, factor),
                                       broadcast(shift, scoreType));
  Value p = math::Exp2Op::create(b, exponent);

  // Exactly 1 where the maximum stays, so that skipping the multiplication by
  // it changes nothing.
  Value change = arith::SubFOp::create(b, state.max, reference);
  change = arith::MulFOp::create(b, change, splat(rowType, factor));
  Value rescale = math::Exp2Op::create(b, change);

  VectorType sumType = floatTile(rows, 8);
  Value partial = tile::PartialReduceOp::create(b, sumType, p);
  Value sum =
      math::FmaOp::create(b, state.sum, broadcast(rescale, sumType), partial);

  Value narrow = round(p);
  VectorType accType = floatTile(rows, columns);
  Value value = loadValue();
  Value rescaled =
      arith::MulFOp::create(b, state.acc, broadcast(rescale, accType));
  return {max, sum, dot(narrow, 1, value, 0, rescaled)};
}

void ForwardProgram::writeResults(SoftmaxState state, Value batch, Value row0,
                                  Value head) {
  VectorType rowType = floatTile(rows, 1);
  VectorType accType = floatTile(rows, columns);
  Value zero = splat(rowType, 0.0);

  Value sum =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::add, state.sum, 1);
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, zero);
  Value inverse = arith::DivFOp::create(b, splat(rowType, 1.0), sum);
  inverse = arith::SelectOp::create(b, empty, zero, inverse);
  Value output =
      arith::MulFOp::create(b, state.acc, broadcast(inverse, accType));
  storeRows(round(output), "o", batch, row0, head);

  // log(sum) = ln 2 * log2(sum)
  Value log = math::Log2Op::create(b, sum);
  log = arith::MulFOp::create(b, log, splat(rowType, llvm::numbers::ln2));
  Value lse = math::FmaOp::create(b, state.max, splat(rowType, scale), log);
  lse = arith::SelectOp::create(
      b, empty, splat(rowType, -std::numeric_limits<double>::infinity()), lse);
  storeStatistic(lse, "lse", batch, row0, head);
}

void ForwardProgram::writeBody() {
  auto [batch, head, keyHead, row0] = queryBlock();
  Value zero = index(0), one = index(1);

  Value query = loadRows("q", batch, row0, head, rows);
  Visibility visibility{b, dim("seqlen_q"), dim("seqlen_k"),
                        attention.getCausal()};
  Value count = visibility.countKeyBlocks(row0, rows, cols);
  Value lastBlock = arith::SubIOp::create(b, count, one);
  Value limit = visibility.firstHiddenKey(row0, rows);
  Value inits[] = {
      splat(floatTile(rows, 1), -std::numeric_limits<double>::infinity()),
      splat(floatTile(rows, 8), 0.0), splat(floatTile(rows, columns), 0.0)};
  auto loop = scf::ForOp::create(b, zero, count, one, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value iteration = loop.getInductionVar();
    Value keyBlock = arith::SubIOp::create(b, lastBlock, iteration);
    Value col0 = arith::MulIOp::create(b, keyBlock, index(cols));
    Value key = loadRows("k", batch, col0, keyHead, cols);
    ValueRange carried = loop.getRegionIterArgs();
    SoftmaxState next = step(
        query, key, {carried[0], carried[1], carried[2]},
        [&](Value scores) {
          return visibility.hideColumns(scores, limit, col0);
        },
        [&] { return loadRows("v", batch, col0, keyHead, cols); });
    scf::YieldOp::create(b, ValueRange{next.max, next.sum, next.acc});
  }
  writeResults({loop.getResult(0), loop.getResult(1), loop.getResult(2)}, batch,
               row0, head);
}

tile::KernelOp fa3::writeForwardProgram(OpBuilder &builder, StringRef name,
                                        attn::ForwardOp forward) {
  return ForwardProgram(builder, forward).write(name);
}
