//===- AttnDialect.cpp - Registration of the attn dialect -----------------===//

#include "fa3/Attn/AttnOps.h"

using namespace mlir;
using namespace fa3::attn;

#include "fa3/Attn/AttnDialect.cpp.inc"

void AttnDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "fa3/Attn/AttnOps.cpp.inc"
      >();
}
