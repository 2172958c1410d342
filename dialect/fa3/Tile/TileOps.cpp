//===- TileOps.cpp - Verifiers of the tile dialect ------------------------===//

#include "fa3/Tile/TileOps.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace fa3::tile;

#define GET_OP_CLASSES
#include "fa3/Tile/TileOps.cpp.inc"

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildFuncType =
      [](Builder &builder, ArrayRef<Type> inputs, ArrayRef<Type> results,
         function_interface_impl::VariadicFlag,
         std::string &) { return builder.getFunctionType(inputs, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), buildFuncType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

void KernelOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                     FunctionType type) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  Block &entry = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    entry.addArgument(input, state.location);
}

/// Checks what one argument says about itself.
static LogicalResult verifyArgument(KernelOp kernel, unsigned index,
                                    llvm::StringSet<> &names) {
  Attribute attribute = kernel.getArgAttr(index, kArgumentAttrName);
  if (!attribute)
    return success();
  auto argument = dyn_cast<ArgumentAttr>(attribute);
  if (!argument)
    return kernel.emitOpError()
           << "argument #" << index << ": " << kArgumentAttrName
           << " must be a #tile.argument, not " << attribute;
  auto type = dyn_cast<MemRefType>(kernel.getArgumentTypes()[index]);
  if (!type)
    return kernel.emitOpError() << "argument #" << index << " ("
                                << argument.getName() << ") must be a memref";
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.empty() ||
      strides.back() != 1)
    return kernel.emitOpError()
           << "argument #" << index << " (" << argument.getName()
           << ") must be strided, and its last stride must be 1";
  if (static_cast<int64_t>(argument.getDims().size()) != type.getRank())
    return kernel.emitOpError()
           << "argument #" << index << " (" << argument.getName() << ") names "
           << argument.getDims().size() << " dimensions, but has "
           << type.getRank();
  if (!names.insert(argument.getName()).second)
    return kernel.emitOpError() << "argument #" << index << ": the name "
                                << argument.getName() << " is taken";
  return success();
}

LogicalResult KernelOp::verify() {
  if (!getResultTypes().empty())
    return emitOpError("must not have results");
  if (std::optional<Attribute> condition = getLaunchIf();
      condition && !isSizeExpression(*condition))
    return emitOpError() << "launch_if must be an expression of sizes, not "
                         << *condition;
  llvm::StringSet<> names;
  for (unsigned index = 0, count = getNumArguments(); index < count; ++index)
    if (failed(verifyArgument(*this, index, names)))
      return failure();
  if (ArrayAttr constraints = getConstraintsAttr()) {
    for (Attribute constraint : constraints) {
      auto relation = dyn_cast<DictionaryAttr>(constraint);
      auto pair = relation && relation.size() == 1
                      ? dyn_cast<ArrayAttr>(relation.begin()->getValue())
                      : ArrayAttr();
      if (!pair || pair.size() != 2 ||
          !llvm::all_of(pair, llvm::IsaPred<StringAttr, IntegerAttr>) ||
          !llvm::is_contained({"divides", "at_most"},
                              relation.begin()->getName().getValue()))
        return emitOpError() << "a constraint must be {divides} or {at_most} "
                                "with a pair of sizes, not "
                             << constraint;
    }
  }
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  int64_t grids = llvm::range_size(getBody().getOps<ProgramIdOp>());
  if (grids > 1)
    return emitOpError() << "must not have more than one tile.program_id, but "
                            "has "
                         << grids;
  return success();
}

LogicalResult ProgramIdOp::verify() {
  if (getExtents().empty())
    return emitOpError("needs at least one extent");
  if (getExtents().size() != getIds().size())
    return emitOpError() << "has " << getExtents().size() << " extents, but "
                         << getIds().size() << " results";
  if (getGrouped() &&
      (*getGrouped() < 1 || !llvm::isPowerOf2_64(*getGrouped()) ||
       getExtents().size() < 2))
    return emitOpError() << "grouped must be a power of two, for a grid "
                            "with at least two extents";
  return success();
}

SmallVector<Value> ProgramIdOp::getIdsOf(OpBuilder &builder, Location loc,
                                         Value number) {
  if (!getGrouped())
    return splitIndex(builder, loc, number, getExtents());
  return splitGrouped(builder, loc, number, getExtents(), *getGrouped());
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// Checks that the last dimension of `memory` can hold `tile`.
static LogicalResult verifyPacked(Operation *op, VectorType tile,
                                  MemRefType memory) {
  if (memory.getRank() == 0 || memory.isDynamicDim(memory.getRank() - 1) ||
      memory.getShape().back() < tile.getNumElements())
    return op->emitOpError()
           << "a packed tile of " << tile.getNumElements()
           << " elements must lie in the last dimension of " << memory;
  return success();
}

/// Checks that `tile` at `indices` is a tile of `memory`.
static LogicalResult verifyAccess(Operation *op, VectorType tile,
                                  MemRefType memory, ValueRange indices,
                                  ArrayRef<int64_t> dims) {
  if (static_cast<int64_t>(indices.size()) != memory.getRank())
    return op->emitOpError() << "needs " << memory.getRank() << " indices, not "
                             << indices.size();
  if (tile.getElementType() != memory.getElementType())
    return op->emitOpError()
           << "elements of the tile are " << tile.getElementType()
           << ", but those in memory are " << memory.getElementType();
  if (dims.empty())
    return verifyPacked(op, tile, memory);
  if (dims.size() != 2)
    return op->emitOpError()
           << "dims must have two elements, or none if the tile is packed, not "
           << dims.size();
  for (auto [position, dim] : llvm::enumerate(dims)) {
    if (dim < -1 || dim >= memory.getRank())
      return op->emitOpError() << "dims must be from -1 to "
                               << memory.getRank() - 1 << ", not " << dim;
    if (dim == -1 && tile.getDimSize(position) != 1)
      return op->emitOpError()
             << "dimension " << position << " of the tile has size "
             << tile.getDimSize(position)
             << " and must run along a dimension of the memref";
  }
  if (dims[0] == dims[1] && dims[0] != -1)
    return op->emitOpError("dims must be different");
  return success();
}

int64_t LoadOp::getReadRows() {
  return getResult().getType().getDimSize(0) - (getOnes() ? kOnesRows : 0);
}

LogicalResult LoadOp::verify() {
  if (getOnes() && (getDims().empty() || getReadRows() < 1))
    return emitOpError() << "a tile with ones has dims and more than "
                         << kOnesRows << " rows";
  return verifyAccess(*this, cast<VectorType>(getResult().getType()),
                      cast<MemRefType>(getSource().getType()), getIndices(),
                      getDims());
}

/// Elements that `tile.interleave` permutes among each other.
static constexpr int64_t kInterleaved = 16;

LogicalResult StoreOp::verify() {
  if (getInterleaved() && getPaired())
    return emitOpError("a tile is interleaved or paired, not both");
  if (getInterleaved() || getPaired()) {
    auto tile = cast<VectorType>(getValue().getType());
    int64_t last = cast<MemRefType>(getTarget().getType()).getRank() - 1;
    if (tile.getElementTypeBitWidth() != 8 || getDims().size() != 2 ||
        getDims()[0] != last || tile.getDimSize(0) % kInterleaved != 0)
      return emitOpError()
             << "an interleaved or paired tile is one of 8-bit floats whose "
                "rows, a multiple of "
             << kInterleaved << ", run along the tensor's last dimension";
  }
  return verifyAccess(*this, cast<VectorType>(getValue().getType()),
                      cast<MemRefType>(getTarget().getType()), getIndices(),
                      getDims());
}

LogicalResult MaxStoreOp::verify() {
  auto tile = cast<VectorType>(getValue().getType());
  auto memory = cast<MemRefType>(getTarget().getType());
  if (!tile.getElementType().isF32() || !memory.getElementType().isF32())
    return emitOpError() << "takes f32, not " << tile.getElementType()
                         << " for " << memory.getElementType();
  if (static_cast<int64_t>(getIndices().size()) != memory.getRank())
    return emitOpError() << "needs " << memory.getRank() << " indices, not "
                         << getIndices().size();
  return success();
}

LogicalResult ReduceStoreOp::verify() {
  if (Value begun = getBegun()) {
    auto memory = cast<MemRefType>(begun.getType());
    int64_t rank = static_cast<int64_t>(getIndices().size()) - 1;
    if (!memory.getElementType().isF32() || memory.getRank() != rank)
      return emitOpError() << "says in f32 of rank " << rank
                           << " what has begun, not in " << memory;
  }
  return verifyAccess(*this, cast<VectorType>(getValue().getType()),
                      cast<MemRefType>(getTarget().getType()), getIndices(),
                      /*dims=*/{});
}

//===----------------------------------------------------------------------===//
// Coordinates and reductions
//===----------------------------------------------------------------------===//

/// Checks that `dim` is one of a tile's two dimensions.
static LogicalResult verifyDim(Operation *op, uint64_t dim) {
  if (dim <= 1)
    return success();
  return op->emitOpError() << "dim must be 0 or 1, not "
                           << static_cast<int64_t>(dim);
}

LogicalResult IotaOp::verify() {
  if (failed(verifyDim(*this, getDim())))
    return failure();
  auto type = cast<VectorType>(getResult().getType());
  if (type.getDimSize(1 - getDim()) != 1)
    return emitOpError() << "dimension " << 1 - getDim()
                         << " of the result must have size 1";
  return success();
}

LogicalResult ReduceOp::verify() {
  if (failed(verifyDim(*this, getDim())))
    return failure();
  auto source = cast<VectorType>(getSource().getType());
  SmallVector<int64_t> shape(source.getShape());
  shape[getDim()] = 1;
  auto expected = VectorType::get(shape, source.getElementType());
  if (getResult().getType() != expected)
    return emitOpError() << "result must be " << expected << ", not "
                         << getResult().getType();
  return success();
}

OpFoldResult ReduceOp::fold(FoldAdaptor) {
  // The reduction of a single element.
  if (getSource().getType() == getResult().getType())
    return getSource();
  return {};
}

/// Columns of a partial reduction. Columns of a product's result that are
/// congruent modulo 8 are in the same thread.
static constexpr int64_t kPartialColumns = 8;

LogicalResult PartialReduceOp::verify() {
  auto source = cast<VectorType>(getSource().getType());
  if (source.getDimSize(1) % kPartialColumns != 0)
    return emitOpError() << "columns of the source must be a multiple of "
                         << kPartialColumns << ", not " << source.getDimSize(1);
  auto expected = VectorType::get({source.getDimSize(0), kPartialColumns},
                                  source.getElementType());
  if (getResult().getType() != expected)
    return emitOpError() << "result must be " << expected << ", not "
                         << getResult().getType();
  return success();
}

OpFoldResult PartialReduceOp::fold(FoldAdaptor) {
  if (getSource().getType() == getResult().getType())
    return getSource();
  return {};
}

/// Checks an operation that rounds to 8 bits and permutes along `dim`.
static LogicalResult verifyNarrowing(Operation *op, unsigned dim,
                                     StringRef along) {
  auto source = cast<VectorType>(op->getOperand(0).getType());
  auto result = cast<VectorType>(op->getResult(0).getType());
  if (!source.getElementType().isF32() || result.getElementTypeBitWidth() != 8)
    return op->emitOpError()
           << "makes 8-bit floats of f32, not " << result.getElementType()
           << " of " << source.getElementType();
  if (source.getShape() != result.getShape() ||
      source.getDimSize(dim) % kInterleaved != 0)
    return op->emitOpError()
           << "source and result must have the same shape, with a multiple of "
           << kInterleaved << " " << along;
  return success();
}

LogicalResult InterleaveOp::verify() {
  return verifyNarrowing(*this, /*dim=*/1, "columns");
}

LogicalResult PairRowsOp::verify() {
  return verifyNarrowing(*this, /*dim=*/0, "rows");
}

/// Rows of a tile that `tile.transpose` takes at once.
static constexpr int64_t kTransposedRows = 32;

LogicalResult TransposeOp::verify() {
  auto source = cast<VectorType>(getSource().getType());
  if (source.getElementTypeBitWidth() != 8 ||
      source.getDimSize(0) % kTransposedRows != 0 ||
      source.getDimSize(1) % kTransposedRows != 0)
    return emitOpError() << "transposes 8-bit floats with multiples of "
                         << kTransposedRows << " as rows and columns, not "
                         << source;
  auto expected = VectorType::get(
      {source.getDimSize(1) + (getOnes() ? LoadOp::kOnesRows : 0),
       source.getDimSize(0)},
      source.getElementType());
  if (getResult().getType() != expected)
    return emitOpError() << "result must be " << expected << ", not "
                         << getResult().getType();
  return success();
}

LogicalResult ColumnsOp::verify() {
  auto source = cast<VectorType>(getSource().getType());
  auto result = cast<VectorType>(getResult().getType());
  auto first = static_cast<int64_t>(getFirst());
  if (source.getElementType() != result.getElementType() ||
      source.getDimSize(0) != result.getDimSize(0))
    return emitOpError() << "result must have the rows and elements of "
                         << source << ", not be " << result;
  if (first < 0 || first % kPartialColumns != 0 ||
      first + result.getDimSize(1) > source.getDimSize(1))
    return emitOpError() << "takes columns from a multiple of "
                         << kPartialColumns << " on, inside of "
                         << source.getDimSize(1) << ", not "
                         << result.getDimSize(1) << " from " << first;
  return success();
}

OpFoldResult ColumnsOp::fold(FoldAdaptor) {
  if (getSource().getType() == getResult().getType())
    return getSource();
  return {};
}

LogicalResult AppendOp::verify() {
  auto first = cast<VectorType>(getFirst().getType());
  auto second = cast<VectorType>(getSecond().getType());
  if (first.getDimSize(1) % kPartialColumns != 0)
    return emitOpError() << "columns of the first tile must be a multiple of "
                         << kPartialColumns << ", not " << first.getDimSize(1);
  auto expected = VectorType::get(
      {first.getDimSize(0), first.getDimSize(1) + second.getDimSize(1)},
      first.getElementType());
  if (first.getDimSize(0) != second.getDimSize(0) ||
      first.getElementType() != second.getElementType() ||
      getResult().getType() != expected)
    return emitOpError() << "gives " << expected << " of two tiles with the "
                         << "same rows and elements, not "
                         << getResult().getType() << " of " << first << " and "
                         << second;
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  auto a = cast<VectorType>(getA().getType());
  auto b = cast<VectorType>(getB().getType());
  auto result = cast<VectorType>(getResult().getType());
  uint64_t contractA = getContractA(), contractB = getContractB();
  if (contractA > 1 || contractB > 1)
    return emitOpError("contracted dimensions must be 0 or 1");
  // 8-bit floats of different types can be multiplied.
  if (a.getElementType() != b.getElementType() &&
      (a.getElementTypeBitWidth() != 8 || b.getElementTypeBitWidth() != 8))
    return emitOpError() << "elements of a are " << a.getElementType()
                         << ", but those of b are " << b.getElementType();
  if (a.getDimSize(contractA) != b.getDimSize(contractB))
    return emitOpError() << "contracts dimension " << contractA << " of a, "
                         << a.getDimSize(contractA)
                         << " elements, with dimension " << contractB
                         << " of b, " << b.getDimSize(contractB) << " elements";
  auto expected = VectorType::get(
      {a.getDimSize(1 - contractA), b.getDimSize(1 - contractB)},
      result.getElementType());
  if (result != expected)
    return emitOpError() << "result must be " << expected << ", not " << result;
  if (result.getElementTypeBitWidth() < a.getElementTypeBitWidth())
    return emitOpError("result must not be narrower than the operands");
  if (getAcc() && getAcc().getType() != result)
    return emitOpError() << "acc must be of the result's type " << result
                         << ", not " << getAcc().getType();
  return success();
}

LogicalResult DotOp::canonicalize(DotOp op, PatternRewriter &rewriter) {
  if (!op.getAcc() || !matchPattern(op.getAcc(), m_AnyZeroFloat()))
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.getAccMutable().clear(); });
  return success();
}

//===----------------------------------------------------------------------===//
// Votes
//===----------------------------------------------------------------------===//

LogicalResult VoteOp::verify() {
  if (cast<VectorType>(getCondition().getType()).getDimSize(1) != 1)
    return emitOpError("condition must have one column");
  return success();
}

OpFoldResult VoteOp::fold(FoldAdaptor adaptor) {
  // All rows agree, so every group does.
  if (isa_and_present<SplatElementsAttr>(adaptor.getCondition()))
    return getCondition();
  return {};
}

LogicalResult UniformIfOp::verify() {
  auto condition = cast<VectorType>(getCondition().getType());
  auto source = cast<VectorType>(getSource().getType());
  if (condition.getDimSize(1) != 1)
    return emitOpError("condition must have one column");
  if (condition.getDimSize(0) != source.getDimSize(0))
    return emitOpError() << "condition has " << condition.getDimSize(0)
                         << " rows, but the tile has " << source.getDimSize(0);
  return success();
}

LogicalResult UniformIfOp::verifyRegions() {
  Block &body = getBody().front();
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yield)
    return emitOpError("region must end in tile.yield");
  if (yield.getValue().getType() != getSource().getType())
    return yield.emitOpError() << "value must be " << getSource().getType()
                               << ", not " << yield.getValue().getType();
  return success();
}

LogicalResult UniformIfOp::canonicalize(UniformIfOp op,
                                        PatternRewriter &rewriter) {
  DenseElementsAttr condition;
  if (!matchPattern(op.getCondition(), m_Constant(&condition)) ||
      !condition.isSplat())
    return failure();
  if (!condition.getSplatValue<bool>()) {
    rewriter.replaceOp(op, op.getSource());
    return success();
  }
  auto yield = cast<YieldOp>(op.getBody().front().back());
  Value value = yield.getValue();
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(&op.getBody().front(), op);
  rewriter.replaceOp(op, value);
  return success();
}
