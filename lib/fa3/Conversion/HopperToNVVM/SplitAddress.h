//===- SplitAddress.h - Constant parts of addresses -------------*- C++ -*-===//

#ifndef FA3_CONVERSION_HOPPERTONVVM_SPLITADDRESS_H
#define FA3_CONVERSION_HOPPERTONVVM_SPLITADDRESS_H

#include "mlir/IR/Builders.h"

#include <cstdint>

namespace fa3 {

/// A 32-bit address as `variable` + `constant`. Buffers at different offsets
/// share the variable part, which saves registers: instructions and descriptors
/// take the constant.
struct SplitAddress {
  mlir::Value variable;
  int64_t constant = 0;
};

/// Takes a sum apart and builds that of its variable terms.
SplitAddress splitAddress(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value address);

} // namespace fa3

#endif // FA3_CONVERSION_HOPPERTONVVM_SPLITADDRESS_H
