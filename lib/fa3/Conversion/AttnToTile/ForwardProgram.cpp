//===- ForwardProgram.cpp - Tile program of attn.forward ------------------===//
//
// FlashAttention's forward pass for one block of queries: a loop over blocks of
// keys with an online softmax. Blocks are visited right to left, so that those
// which need a mask come first.
//
//===----------------------------------------------------------------------===//

#include "ForwardProgram.h"

#include "fa3/Analysis/ScheduleModel.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
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

class ForwardProgram {
public:
  ForwardProgram(OpBuilder &builder, attn::ForwardOp forward)
      : b(forward.getLoc(), builder), forward(forward),
        schedule(forward.getScheduleAttr()),
        element(forward.getQ().getType().getElementType()),
        rows(schedule.getBlockQ()), cols(schedule.getBlockKv()),
        tileDim(forwardTileColumns(forward.getHeadDim())),
        scale(forward.getScaleOrDefault()) {}

  tile::KernelOp write(StringRef name);

private:
  //===--- Signature ------------------------------------------------------===//

  void resolveDims();
  Type addTensor(StringRef name, StringRef role, ArrayRef<StringRef> dims,
                 Type elementType);
  void addAttributes(tile::KernelOp kernel);
  /// The size of a dimension, by its name.
  Value dim(StringRef name);

  //===--- Body -----------------------------------------------------------===//

  void writeBody();
  /// How many blocks of keys the queries from `row0` on see.
  Value countKeyBlocks(Value row0);
  /// The first column that is masked: a scalar, or a tile of one column if it
  /// depends on the row.
  Value columnLimit(Value row0);
  Value mask(Value scores, Value limit, Value col0);
  SoftmaxState step(Value query, Value key, SoftmaxState state, Value limit,
                    Value col0, function_ref<Value()> loadValue);
  void writeResults(SoftmaxState state, ArrayRef<Value> at);

  //===--- Builders -------------------------------------------------------===//

  VectorType tileOf(int64_t r, int64_t c, Type type) {
    return VectorType::get({r, c}, type);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value splat(VectorType type, double value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               type, b.getFloatAttr(type.getElementType(), value)));
  }
  Value broadcast(Value value, VectorType type) {
    return vector::BroadcastOp::create(b, type, value);
  }
  Value toI32(Value value) {
    return b.createOrFold<arith::IndexCastOp>(b.getI32Type(), value);
  }
  Value load(Value source, ValueRange at, int64_t r) {
    return tile::LoadOp::create(b, tileOf(r, tileDim, element), source, at,
                                ArrayRef<int64_t>{1, 3});
  }

  ImplicitLocOpBuilder b;
  attn::ForwardOp forward;
  tile::ScheduleAttr schedule;
  Type element;
  int64_t rows, cols;
  /// Columns of the tiles: the head dim, rounded up.
  int64_t tileDim;
  double scale;

  llvm::StringMap<int64_t> sizes;
  SmallVector<Type> types;
  SmallVector<tile::ArgumentAttr> arguments;
  Block *body = nullptr;
};

} // namespace

static constexpr StringRef kQueryDims[] = {"batch", "seqlen_q", "heads_q",
                                           "head_dim"};
static constexpr StringRef kKeyDims[] = {"batch", "seqlen_k", "heads_kv",
                                         "head_dim"};
static constexpr StringRef kRowDims[] = {"batch", "heads_q", "seqlen_q"};

/// Joins what the tensors' types say about each size: one static size makes a
/// dimension static in all of them.
void ForwardProgram::resolveDims() {
  auto join = [&](RankedTensorType type, ArrayRef<StringRef> dims) {
    for (auto [name, size] : llvm::zip_equal(dims, type.getShape())) {
      int64_t &known = sizes.try_emplace(name, size).first->second;
      if (ShapedType::isDynamic(known))
        known = size;
    }
  };
  join(forward.getQ().getType(), kQueryDims);
  join(forward.getK().getType(), kKeyDims);
  join(forward.getV().getType(), kKeyDims);
  join(forward.getO().getType(), kQueryDims);
  join(forward.getLse().getType(), kRowDims);
}

Type ForwardProgram::addTensor(StringRef name, StringRef role,
                               ArrayRef<StringRef> dims, Type elementType) {
  SmallVector<int64_t> shape = llvm::map_to_vector(
      dims, [&](StringRef dim) { return sizes.lookup(dim); });
  SmallVector<int64_t> strides(shape.size(), ShapedType::kDynamic);
  strides.back() = 1;
  types.push_back(MemRefType::get(
      shape, elementType,
      StridedLayoutAttr::get(b.getContext(), /*offset=*/0, strides)));
  arguments.push_back(tile::ArgumentAttr::get(
      b.getContext(), name, role,
      llvm::map_to_vector(dims, [&](StringRef dim) -> Attribute {
        return b.getStringAttr(dim);
      })));
  return types.back();
}

void ForwardProgram::addAttributes(tile::KernelOp kernel) {
  for (auto [position, argument] : llvm::enumerate(arguments))
    kernel.setArgAttr(position, tile::kArgumentAttrName, argument);
  kernel.setScheduleAttr(schedule);
  kernel.setProblemAttr(b.getDictionaryAttr(
      {b.getNamedAttr("kind", b.getStringAttr("forward")),
       b.getNamedAttr("dtype",
                      b.getStringAttr(element.isBF16() ? "bf16" : "f16")),
       b.getNamedAttr("head_dim", b.getI64IntegerAttr(forward.getHeadDim())),
       b.getNamedAttr("causal", b.getBoolAttr(forward.getCausal())),
       b.getNamedAttr("scale", b.getF64FloatAttr(scale))}));
  if (ShapedType::isDynamic(sizes.lookup("heads_q")) ||
      ShapedType::isDynamic(sizes.lookup("heads_kv")))
    kernel.setConstraintsAttr(
        b.getArrayAttr(b.getStrArrayAttr({"heads_kv", "heads_q"})));
}

Value ForwardProgram::dim(StringRef name) {
  for (auto [position, argument] : llvm::enumerate(arguments))
    for (auto [dimension, dimName] : llvm::enumerate(argument.getDims()))
      if (dimName == b.getStringAttr(name))
        return b.createOrFold<memref::DimOp>(body->getArgument(position),
                                             dimension);
  llvm_unreachable("a dimension of no tensor");
}

tile::KernelOp ForwardProgram::write(StringRef name) {
  resolveDims();
  addTensor("q", "input", kQueryDims, element);
  addTensor("k", "input", kKeyDims, element);
  addTensor("v", "input", kKeyDims, element);
  addTensor("o", "output", kQueryDims, element);
  addTensor("lse", "output", kRowDims, b.getF32Type());
  auto kernel =
      tile::KernelOp::create(b, name, b.getFunctionType(types, TypeRange()));
  addAttributes(kernel);
  body = &kernel.getBody().front();
  b.setInsertionPointToStart(body);
  writeBody();
  tile::ReturnOp::create(b);
  return kernel;
}

Value ForwardProgram::countKeyBlocks(Value row0) {
  Value seqlenK = dim("seqlen_k");
  Value visible = seqlenK;
  if (forward.getCausal()) {
    // Sizes differ in either direction, so this may be negative.
    Value shift = arith::SubIOp::create(b, seqlenK, dim("seqlen_q"));
    Value end = arith::AddIOp::create(b, row0, index(rows));
    end = arith::AddIOp::create(b, end, shift);
    visible = arith::MinSIOp::create(b, seqlenK, end);
    visible = arith::MaxSIOp::create(b, visible, index(0));
  }
  return arith::CeilDivUIOp::create(b, visible, index(cols));
}

Value ForwardProgram::columnLimit(Value row0) {
  Value seqlenK = dim("seqlen_k");
  if (!forward.getCausal())
    return seqlenK;
  VectorType columnType = tileOf(rows, 1, b.getI32Type());
  Value shift = arith::SubIOp::create(b, seqlenK, dim("seqlen_q"));
  Value first = arith::AddIOp::create(b, row0, shift);
  first = arith::AddIOp::create(b, first, index(1));
  Value row = tile::IotaOp::create(b, columnType, 0);
  Value diagonal =
      arith::AddIOp::create(b, row, broadcast(toI32(first), columnType));
  return arith::MinSIOp::create(b, diagonal,
                                broadcast(toI32(seqlenK), columnType));
}

Value ForwardProgram::mask(Value scores, Value limit, Value col0) {
  VectorType wide = tileOf(rows, cols, b.getI32Type());
  // The limit moves, not the columns: they stay constants of each thread.
  Value shifted;
  if (auto column = dyn_cast<VectorType>(limit.getType()))
    shifted = arith::SubIOp::create(b, limit, broadcast(toI32(col0), column));
  else
    shifted = toI32(arith::SubIOp::create(b, limit, col0));
  Value column = tile::IotaOp::create(b, tileOf(1, cols, b.getI32Type()), 1);
  Value visible =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt,
                            broadcast(column, wide), broadcast(shifted, wide));
  Value hidden = splat(cast<VectorType>(scores.getType()),
                       -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(b, visible, scores, hidden);
}

SoftmaxState ForwardProgram::step(Value query, Value key, SoftmaxState state,
                                  Value limit, Value col0,
                                  function_ref<Value()> loadValue) {
  Type f32 = b.getF32Type();
  VectorType scoreType = tileOf(rows, cols, f32);
  VectorType rowType = tileOf(rows, 1, f32);
  double factor = scale * llvm::numbers::log2e;

  Value scores = tile::DotOp::create(b, scoreType, query, key, Value(), 1, 1);
  scores = mask(scores, limit, col0);

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

  VectorType sumType = tileOf(rows, 8, f32);
  Value partial = tile::PartialReduceOp::create(b, sumType, p);
  Value sum =
      math::FmaOp::create(b, state.sum, broadcast(rescale, sumType), partial);

  Value narrow = arith::TruncFOp::create(b, tileOf(rows, cols, element), p);
  VectorType accType = tileOf(rows, tileDim, f32);
  Value value = loadValue();
  Value scaled =
      arith::MulFOp::create(b, state.acc, broadcast(rescale, accType));
  Value acc = tile::DotOp::create(b, accType, narrow, value, scaled, 1, 0);
  return {max, sum, acc};
}

void ForwardProgram::writeResults(SoftmaxState state, ArrayRef<Value> at) {
  Type f32 = b.getF32Type();
  VectorType rowType = tileOf(rows, 1, f32);
  VectorType accType = tileOf(rows, tileDim, f32);
  Value zero = splat(rowType, 0.0);

  Value sum =
      tile::ReduceOp::create(b, rowType, tile::ReduceKind::add, state.sum, 1);
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, zero);
  Value inverse = arith::DivFOp::create(b, splat(rowType, 1.0), sum);
  inverse = arith::SelectOp::create(b, empty, zero, inverse);
  Value output =
      arith::MulFOp::create(b, state.acc, broadcast(inverse, accType));
  output = arith::TruncFOp::create(b, tileOf(rows, tileDim, element), output);
  tile::StoreOp::create(b, output, body->getArgument(3),
                        ValueRange{at[0], at[1], at[2], index(0)},
                        ArrayRef<int64_t>{1, 3});

  // log(sum) = ln 2 * log2(sum)
  Value log = math::Log2Op::create(b, sum);
  log = arith::MulFOp::create(b, log, splat(rowType, llvm::numbers::ln2));
  Value lse = math::FmaOp::create(b, state.max, splat(rowType, scale), log);
  lse = arith::SelectOp::create(
      b, empty, splat(rowType, -std::numeric_limits<double>::infinity()), lse);
  tile::StoreOp::create(b, lse, body->getArgument(4),
                        ValueRange{at[0], at[2], at[1]},
                        ArrayRef<int64_t>{2, -1});
}

void ForwardProgram::writeBody() {
  Type f32 = b.getF32Type();
  Value heads = dim("heads_q");
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  auto ids = tile::ProgramIdOp::create(
      b, TypeRange{b.getIndexType(), b.getIndexType(), b.getIndexType()},
      ValueRange{blocks, heads, dim("batch")});
  Value block = ids.getResult(0), head = ids.getResult(1),
        batch = ids.getResult(2);
  if (schedule.getLongestFirst()) {
    // Causal work grows with the block's index.
    Value last = arith::SubIOp::create(b, blocks, index(1));
    block = arith::SubIOp::create(b, last, block);
  }
  Value group = b.createOrFold<arith::DivUIOp>(heads, dim("heads_kv"));
  Value keyHead = b.createOrFold<arith::DivUIOp>(head, group);
  Value row0 = arith::MulIOp::create(b, block, index(rows));
  Value zero = index(0), one = index(1);

  Value query = load(body->getArgument(0), {batch, row0, head, zero}, rows);
  Value count = countKeyBlocks(row0);
  Value lastBlock = arith::SubIOp::create(b, count, one);
  Value limit = columnLimit(row0);
  Value inits[] = {
      splat(tileOf(rows, 1, f32), -std::numeric_limits<double>::infinity()),
      splat(tileOf(rows, 8, f32), 0.0), splat(tileOf(rows, tileDim, f32), 0.0)};
  auto loop = scf::ForOp::create(b, zero, count, one, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value iteration = loop.getInductionVar();
    Value keyBlock = arith::SubIOp::create(b, lastBlock, iteration);
    Value col0 = arith::MulIOp::create(b, keyBlock, index(cols));
    Value at[] = {batch, col0, keyHead, zero};
    Value key = load(body->getArgument(1), at, cols);
    ValueRange carried = loop.getRegionIterArgs();
    SoftmaxState next =
        step(query, key, {carried[0], carried[1], carried[2]}, limit, col0,
             [&] { return load(body->getArgument(2), at, cols); });
    scf::YieldOp::create(b, ValueRange{next.max, next.sum, next.acc});
  }
  writeResults({loop.getResult(0), loop.getResult(1), loop.getResult(2)},
               {batch, row0, head});
}

tile::KernelOp fa3::writeForwardProgram(OpBuilder &builder, StringRef name,
                                        attn::ForwardOp forward) {
  return ForwardProgram(builder, forward).write(name);
}
