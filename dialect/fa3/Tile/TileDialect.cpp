//===- TileDialect.cpp - Registration and attributes of the tile dialect --===//

#include "fa3/Tile/TileOps.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

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

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t blockQ, int64_t blockKv,
                                   int64_t warpgroups, int64_t stages,
                                   bool overlap, bool specialize, bool pingpong,
                                   bool splitLoops, int64_t lazyRescale,
                                   int64_t chains, bool longestFirst,
                                   int64_t producerRegisters,
                                   int64_t consumerRegisters) {
  if (warpgroups < 1 || warpgroups > 3)
    return emitError() << "warpgroups must be 1, 2 or 3, not " << warpgroups;
  return success();
}
