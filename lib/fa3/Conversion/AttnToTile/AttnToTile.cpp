//===- AttnToTile.cpp - From attention specs to tile programs -------------===//

#include "fa3/Conversion/Passes.h"

#define DEBUG_TYPE "fa3-attn-to-tile"

namespace fa3 {
#define GEN_PASS_DEF_ATTNTOTILEPASS
#include "fa3/Conversion/Passes.h.inc"
} // namespace fa3

using namespace mlir;
using namespace fa3;

namespace {

struct AttnToTilePass : fa3::impl::AttnToTilePassBase<AttnToTilePass> {
  void runOnOperation() override {}
};

} // namespace
