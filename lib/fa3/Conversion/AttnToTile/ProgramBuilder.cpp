//===- ProgramBuilder.cpp - What all tile programs share ------------------===//

#include "ProgramBuilder.h"

using namespace mlir;
using namespace fa3;

StringRef fa3::getElementTypeName(Type type) {
  if (type.isBF16())
    return "bf16";
  if (type.isF16())
    return "f16";
  return isa<Float8E4M3FNType>(type) ? "e4m3" : "e5m2";
}

ProgramBuilder::ProgramBuilder(OpBuilder &builder, attn::SpecOpInterface spec,
                               tile::ScheduleAttr schedule, int64_t columns)
    : b(spec.getLoc(), builder), spec(spec), schedule(schedule),
      columns(columns) {}

tile::KernelOp ProgramBuilder::write(StringRef name) {
  resolveSizes();
  addArguments();
  auto kernel =
      tile::KernelOp::create(b, name, b.getFunctionType(types, TypeRange()));
  for (auto [position, argument] : llvm::enumerate(arguments))
    kernel.setArgAttr(position, tile::kArgumentAttrName, argument);
  kernel.setScheduleAttr(schedule);
  kernel.setProblemAttr(getProblem());
  if (Attribute condition = launchCondition())
    kernel.setLaunchIfAttr(condition);
  addConstraints();
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
  for (const attn::SpecTensor &tensor : spec.getTensors())
    for (auto [name, size] :
         llvm::zip_equal(tensor.dims, tensor.type.getShape())) {
      int64_t &known = sizes.try_emplace(name, size).first->second;
      if (ShapedType::isDynamic(known))
        known = size;
    }
}

void ProgramBuilder::constrain(StringRef relation, StringRef lhs,
                               StringRef rhs) {
  constraints.push_back(b.getDictionaryAttr(
      b.getNamedAttr(relation, b.getArrayAttr({size(lhs), size(rhs)}))));
}

DictionaryAttr ProgramBuilder::getProblem() {
  NamedAttrList problem;
  problem.set("kind", b.getStringAttr(spec->getName().stripDialect()));
  describe(problem);
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
  for (const attn::SpecTensor &tensor : spec.getTensors()) {
    if (tensor.name != name)
      continue;
    SmallVector<Attribute> dims;
    SmallVector<int64_t> shape;
    for (StringRef dim : tensor.dims) {
      dims.push_back(b.getStringAttr(dim));
      shape.push_back(sizes.lookup(dim));
    }
    return addArgument(name, role, dims, shape, tensor.type.getElementType());
  }
  llvm_unreachable("no tensor of the spec");
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
  if (value.getType() == type)
    return value;
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

Value ProgramBuilder::scaled(Value tile, double factor) {
  return arith::MulFOp::create(b, tile,
                               splat(cast<VectorType>(tile.getType()), factor));
}

Value ProgramBuilder::loadRows(StringRef tensor, Value batch, Value row,
                               Value head, int64_t count) {
  Value memory = argument(tensor);
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  return tile::LoadOp::create(b, tileOf(count, columns, element), memory,
                              ValueRange{batch, row, head, index(0)},
                              ArrayRef<int64_t>{1, 3});
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

SmallVector<Value> ProgramBuilder::programIds(ArrayRef<Value> grid,
                                              bool longestFirst) {
  SmallVector<Type> indices(grid.size(), b.getIndexType());
  IntegerAttr grouped;
  if (longestFirst && schedule.getGroupTiles() != 0)
    grouped = b.getI64IntegerAttr(schedule.getGroupTiles());
  return llvm::to_vector_of<Value>(
      tile::ProgramIdOp::create(b, indices, grid, grouped).getIds());
}
