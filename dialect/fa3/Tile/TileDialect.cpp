//===- TileDialect.cpp - Registration and attributes of the tile dialect --===//

#include "fa3/Tile/TileOps.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fa3::tile;

#include "fa3/Tile/TileDialect.cpp.inc"
#include "fa3/Tile/TileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "fa3/Tile/TileAttrs.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fa3/Tile/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fa3/Tile/TileOps.cpp.inc"
      >();
}

/// Registers of a multiprocessor, and threads of a warpgroup.
static constexpr int64_t kRegisters = 65536;
static constexpr int64_t kWarpgroupThreads = 128;

int64_t ScheduleAttr::getLaunchRegisters(int64_t warpgroups) {
  return kRegisters / (warpgroups * kWarpgroupThreads) / 8 * 8;
}

LogicalResult ScheduleAttr::verify(
    function_ref<InFlightDiagnostic()> emitError, int64_t blockQ,
    int64_t blockKv, int64_t warpgroups, int64_t stages, int64_t earlyStages,
    bool overlap, bool specialize, bool pingpong, bool splitLoops,
    bool lateWaits, int64_t lazyRescale, int64_t chains, bool productSums,
    int64_t transposeV, bool longestFirst, int64_t groupTiles,
    int64_t persistent, bool transposeS, bool transposeDkv, bool transposeDq,
    bool shareOperands, bool separateDq, bool bulkReduce, int64_t storeFirst,
    int64_t producerRegisters, int64_t consumerRegisters) {
  auto inRange = [&](StringRef field, int64_t value, int64_t low,
                     int64_t high) -> LogicalResult {
    if (value >= low && value <= high)
      return success();
    return emitError() << field << " must be from " << low << " to " << high
                       << ", not " << value;
  };
  auto multiple = [&](StringRef field, int64_t value,
                      int64_t factor) -> LogicalResult {
    if (value % factor == 0)
      return success();
    return emitError() << field << " must be a multiple of " << factor
                       << ", not " << value;
  };
  if (failed(inRange("warpgroups", warpgroups, 1, 3)) ||
      failed(inRange("block_q", blockQ, 16, 256)) ||
      failed(multiple("block_q", blockQ, 16)) ||
      failed(inRange("block_kv", blockKv, 16, 256)) ||
      failed(multiple("block_kv", blockKv, 16)))
    return failure();
  auto [rowField, rows, columnField, columns] =
      transposeS ? std::tuple("block_kv", blockKv, "block_q", blockQ)
                 : std::tuple("block_q", blockQ, "block_kv", blockKv);
  if (failed(multiple(rowField, rows, 64)))
    return failure();
  if (rows % (64 * warpgroups) != 0 && columns % (8 * warpgroups) != 0)
    return emitError() << rowField
                       << " must be a multiple of 64 * warpgroups = "
                       << 64 * warpgroups << ", not " << rows << ", or "
                       << columnField
                       << " one of 8 * warpgroups = " << 8 * warpgroups
                       << ", not " << columns;
  if (failed(inRange("stages", stages, 1, 16)) ||
      failed(inRange("early_stages", earlyStages, 0, 16)) ||
      failed(inRange("lazy_rescale", lazyRescale, 0, 15)) ||
      failed(inRange("transpose_v", transposeV, 0, kNoLimit)) ||
      failed(inRange("group_tiles", groupTiles, 0, 65536)) ||
      failed(inRange("persistent", persistent, 0, kNoLimit)) ||
      failed(inRange("store_first", storeFirst, 0, kNoLimit)))
    return failure();
  if (groupTiles != 0 && !llvm::isPowerOf2_64(groupTiles))
    return emitError() << "group_tiles must be 0 or a power of two, not "
                       << groupTiles;
  if (storeFirst != 0 && (!specialize || !bulkReduce))
    return emitError() << "store_first needs specialize and bulk_reduce";
  if (chains < 1 || chains > 8 || !llvm::isPowerOf2_64(chains))
    return emitError() << "chains must be 1, 2, 4 or 8, not " << chains;
  for (auto [field, value] :
       {std::pair<StringRef, int64_t>{"producer_registers", producerRegisters},
        {"consumer_registers", consumerRegisters}})
    if (failed(inRange(field, value, 24, 256)) ||
        failed(multiple(field, value, 8)))
      return failure();
  int64_t wanted = producerRegisters + warpgroups * consumerRegisters;
  int64_t available = (warpgroups + 1) * getLaunchRegisters(warpgroups + 1);
  if (wanted > available)
    return emitError() << "producer_registers + warpgroups * "
                          "consumer_registers is "
                       << wanted << ", more than the " << available
                       << " with which a CTA of " << warpgroups + 1
                       << " warpgroups starts";
  return success();
}

bool fa3::tile::isSizeExpression(Attribute attribute) {
  if (auto symbol = dyn_cast<StringAttr>(attribute))
    return !symbol.empty();
  if (auto number = dyn_cast<IntegerAttr>(attribute))
    return !number.getValue().isNegative();
  auto operation = dyn_cast<DictionaryAttr>(attribute);
  if (!operation || operation.size() != 2)
    return false;
  auto op = operation.getAs<StringAttr>("op");
  auto args = operation.getAs<ArrayAttr>("args");
  return op && args && args.size() == 2 &&
         llvm::is_contained(
             {"add", "sub", "mul", "div", "ceildiv", "rem", "min", "max"},
             op.getValue()) &&
         llvm::all_of(args, isSizeExpression);
}

LogicalResult ArgumentAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   StringRef name, StringRef role,
                                   ArrayRef<Attribute> dims) {
  if (name.empty())
    return emitError() << "a tensor must have a name";
  if (!llvm::is_contained({"input", "output", "workspace"}, role))
    return emitError()
           << "role must be \"input\", \"output\" or \"workspace\", not \""
           << role << "\"";
  for (Attribute dim : dims) {
    if (auto symbol = dyn_cast<StringAttr>(dim);
        symbol ? symbol.empty() : role != "workspace")
      return emitError() << "every dimension must have a name";
    if (!isSizeExpression(dim))
      return emitError() << "a dimension must be a name or an expression of "
                            "sizes, not "
                         << dim;
  }
  return success();
}
