//===- ProgramBuilder.cpp - What all tile programs share ------------------===//

#include "ProgramBuilder.h"

#include "fa3/Analysis/ScheduleModel.h"
#include "fa3/Analysis/SizeExpressions.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fa3;

static constexpr StringLiteral kQueryDims[] = {"batch", "seqlen_q", "heads_q",
                                               "head_dim"};
static constexpr StringLiteral kKeyDims[] = {"batch", "seqlen_k", "heads_kv",
                                             "head_dim"};
static constexpr StringLiteral kInterleavedDims[] = {"batch", "heads_kv",
                                                     "head_dim", "keys_padded"};
static constexpr StringLiteral kRowDims[] = {"batch", "heads_q", "seqlen_q"};
static constexpr StringLiteral kFactorDims[] = {"batch", "heads_kv"};

static ArrayRef<StringLiteral> getDims(const attn::AttentionTensor &tensor) {
  switch (tensor.layout) {
  case attn::AttentionLayout::rows:
    return tensor.ofKeys ? ArrayRef(kKeyDims) : ArrayRef(kQueryDims);
  case attn::AttentionLayout::interleaved:
    return kInterleavedDims;
  case attn::AttentionLayout::statistic:
    return kRowDims;
  case attn::AttentionLayout::factor:
    return kFactorDims;
  }
  llvm_unreachable("unknown layout");
}

/// Keys whose order `tile.interleave` changes.
static constexpr int64_t kInterleavedKeys = 16;

/// The manifest's name of an element type of tensors.
static StringRef getTypeName(Type type) {
  return type.isBF16() ? "bf16" : type.isF16() ? "f16" : "e4m3";
}

ProgramBuilder::ProgramBuilder(OpBuilder &builder,
                               attn::AttentionOpInterface attention,
                               tile::ScheduleAttr schedule)
    : b(attention.getLoc(), builder), attention(attention), schedule(schedule),
      element(attention.getElementType()),
      outputElement(attention.getOutputElementType()),
      rows(schedule.getBlockQ()), cols(schedule.getBlockKv()),
      columns(getTileColumns(attention)), scale(attention.getScaleOrDefault()),
      exponentScale(scale * llvm::numbers::log2e) {}

tile::KernelOp ProgramBuilder::write(StringRef name) {
  resolveSizes();
  addArguments();
  auto kernel =
      tile::KernelOp::create(b, name, b.getFunctionType(types, TypeRange()));
  for (auto [position, argument] : llvm::enumerate(arguments))
    kernel.setArgAttr(position, tile::kArgumentAttrName, argument);
  kernel.setScheduleAttr(schedule);
  kernel.setProblemAttr(getProblem());
  SmallVector<Attribute> constraints;
  auto constrain = [&](StringRef relation, StringRef lhs, StringRef rhs) {
    constraints.push_back(b.getDictionaryAttr(
        b.getNamedAttr(relation, b.getArrayAttr({size(lhs), size(rhs)}))));
  };
  if (ShapedType::isDynamic(sizes.lookup("heads_q")) ||
      ShapedType::isDynamic(sizes.lookup("heads_kv")))
    constrain("divides", "heads_kv", "heads_q");
  if (sizes.contains("keys_padded"))
    constrain("at_most", "seqlen_k", "keys_padded");
  if (!constraints.empty())
    kernel.setConstraintsAttr(b.getArrayAttr(constraints));
  body = &kernel.getBody().front();
  b.setInsertionPointToStart(body);
  writeBody();
  tile::ReturnOp::create(b);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

/// Joins what the tensors' types say about each size: one static size makes a
/// dimension static in all of them.
void ProgramBuilder::resolveSizes() {
  for (const attn::AttentionTensor &tensor : attention.getTensors())
    for (auto [name, size] :
         llvm::zip_equal(getDims(tensor), tensor.type.getShape())) {
      int64_t &known = sizes.try_emplace(name, size).first->second;
      if (ShapedType::isDynamic(known))
        known = size;
    }
}

DictionaryAttr ProgramBuilder::getProblem() {
  NamedAttrList problem;
  problem.set("kind", b.getStringAttr(attention->getName().stripDialect()));
  problem.set("dtype", b.getStringAttr(getTypeName(element)));
  if (element != outputElement) {
    problem.set("output_dtype", b.getStringAttr(getTypeName(outputElement)));
    bool interleaved =
        cast<attn::ForwardOp>(attention.getOperation()).getValuesInterleaved();
    problem.set("value_layout",
                b.getStringAttr(interleaved ? "columns" : "rows"));
  }
  problem.set("head_dim", b.getI64IntegerAttr(attention.getHeadDim()));
  problem.set("causal", b.getBoolAttr(attention.getCausal()));
  problem.set("scale", b.getF64FloatAttr(scale));
  if (auto backward = dyn_cast<attn::BackwardOp>(attention.getOperation()))
    problem.set("deterministic", b.getBoolAttr(backward.getDeterministic()));
  return problem.getDictionary(b.getContext());
}

void ProgramBuilder::addArgument(StringRef name, StringRef role,
                                 ArrayRef<Attribute> dims,
                                 ArrayRef<int64_t> shape, Type elementType) {
  SmallVector<int64_t> strides(shape.size(), ShapedType::kDynamic);
  strides.back() = 1;
  types.push_back(MemRefType::get(
      shape, elementType,
      StridedLayoutAttr::get(b.getContext(), /*offset=*/0, strides)));
  arguments.push_back(
      tile::ArgumentAttr::get(b.getContext(), name, role, dims));
}

void ProgramBuilder::addTensor(StringRef name, StringRef role) {
  for (const attn::AttentionTensor &tensor : attention.getTensors()) {
    if (tensor.name != name)
      continue;
    SmallVector<Attribute> dims;
    SmallVector<int64_t> shape;
    for (StringRef dim : getDims(tensor)) {
      dims.push_back(b.getStringAttr(dim));
      shape.push_back(sizes.lookup(dim));
    }
    return addArgument(name, role, dims, shape, tensor.type.getElementType());
  }
  llvm_unreachable("no tensor of the attention operation");
}

void ProgramBuilder::addWorkspace(StringRef name, ArrayRef<Attribute> dims,
                                  Type elementType) {
  SmallVector<int64_t> shape = llvm::map_to_vector(dims, [](Attribute dim) {
    auto known = dyn_cast<IntegerAttr>(dim);
    return known ? known.getInt() : ShapedType::kDynamic;
  });
  addArgument(name, "workspace", dims, shape,
              elementType ? elementType : b.getF32Type());
}

void ProgramBuilder::addValueColumns() {
  Attribute keys =
      alignSize(b.getContext(), size("seqlen_k"), kInterleavedKeys);
  addWorkspace(kValueColumns,
               {size("batch"), size("heads_kv"), size("head_dim"), keys},
               element);
}

Attribute ProgramBuilder::size(StringRef name) {
  int64_t known = sizes.lookup(name);
  if (ShapedType::isDynamic(known))
    return b.getStringAttr(name);
  return b.getI64IntegerAttr(known);
}

Value ProgramBuilder::argument(StringRef name) {
  for (auto [position, argument] : llvm::enumerate(arguments))
    if (argument.getName() == name)
      return body->getArgument(position);
  llvm_unreachable("no argument of the kernel");
}

Value ProgramBuilder::dim(StringRef name) {
  for (auto [position, argument] : llvm::enumerate(arguments))
    for (auto [dimension, dimName] : llvm::enumerate(argument.getDims()))
      if (dimName == b.getStringAttr(name))
        return b.createOrFold<memref::DimOp>(body->getArgument(position),
                                             dimension);
  llvm_unreachable("a dimension of no tensor");
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

Value ProgramBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value ProgramBuilder::splat(VectorType type, double value) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(type,
                                b.getFloatAttr(type.getElementType(), value)));
}

Value ProgramBuilder::broadcast(Value value, VectorType type) {
  return vector::BroadcastOp::create(b, type, value);
}

Value ProgramBuilder::dot(Value lhs, int64_t contractLhs, Value rhs,
                          int64_t contractRhs, Value acc) {
  auto left = cast<VectorType>(lhs.getType());
  auto right = cast<VectorType>(rhs.getType());
  VectorType type = floatTile(left.getDimSize(1 - contractLhs),
                              right.getDimSize(1 - contractRhs));
  return tile::DotOp::create(b, type, lhs, rhs, acc, contractLhs, contractRhs);
}

Value ProgramBuilder::round(Value tile) {
  return arith::TruncFOp::create(
      b, cast<VectorType>(tile.getType()).clone(outputElement), tile);
}

Value ProgramBuilder::scaled(Value tile, double factor) {
  return arith::MulFOp::create(b, tile,
                               splat(cast<VectorType>(tile.getType()), factor));
}

Value ProgramBuilder::loadRows(StringRef tensor, Value batch, Value row,
                               Value head, int64_t count) {
  return tile::LoadOp::create(
      b, tileOf(count, columns, element), argument(tensor),
      ValueRange{batch, row, head, index(0)}, ArrayRef<int64_t>{1, 3});
}

void ProgramBuilder::storeRows(Value tile, StringRef tensor, Value batch,
                               Value row, Value head, bool transposed,
                               int64_t column) {
  tile::StoreOp::create(
      b, tile, argument(tensor), ValueRange{batch, row, head, index(column)},
      transposed ? ArrayRef<int64_t>{3, 1} : ArrayRef<int64_t>{1, 3});
}

Value ProgramBuilder::loadStatistic(StringRef tensor, Value batch, Value row,
                                    Value head, int64_t count,
                                    bool transposed) {
  return tile::LoadOp::create(
      b, transposed ? floatTile(1, count) : floatTile(count, 1),
      argument(tensor), ValueRange{batch, head, row},
      transposed ? ArrayRef<int64_t>{-1, 2} : ArrayRef<int64_t>{2, -1});
}

void ProgramBuilder::storeStatistic(Value tile, StringRef tensor, Value batch,
                                    Value row, Value head) {
  tile::StoreOp::create(b, tile, argument(tensor), ValueRange{batch, head, row},
                        ArrayRef<int64_t>{2, -1});
}

SmallVector<Value> ProgramBuilder::programIds(ArrayRef<Value> grid) {
  SmallVector<Type> indices(grid.size(), b.getIndexType());
  return llvm::to_vector_of<Value>(
      tile::ProgramIdOp::create(b, indices, grid).getIds());
}

ProgramBuilder::QueryBlock ProgramBuilder::queryBlock() {
  Value heads = dim("heads_q");
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(dim("seqlen_q"), index(rows));
  SmallVector<Value> ids = programIds({blocks, heads, dim("batch")});
  Value block = ids[0], head = ids[1], batch = ids[2];
  if (schedule.getLongestFirst()) {
    // Causal work grows with the block's index.
    Value last = arith::SubIOp::create(b, blocks, index(1));
    block = arith::SubIOp::create(b, last, block);
  }
  Value keyHead = b.createOrFold<arith::DivUIOp>(head, groupSize());
  Value row0 = arith::MulIOp::create(b, block, index(rows));
  return {batch, head, keyHead, row0};
}

Value ProgramBuilder::groupSize() {
  Value queryHeads = dim("heads_q"), keyHeads = dim("heads_kv");
  return b.createOrFold<arith::DivUIOp>(queryHeads, keyHeads);
}
