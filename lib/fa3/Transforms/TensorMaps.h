//===- TensorMaps.h - TMA descriptors as kernel arguments -------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_TENSORMAPS_H
#define FA3_TRANSFORMS_TENSORMAPS_H

#include "fa3/Hopper/HopperOps.h"

namespace fa3 {

/// The kernel's argument of this type: the one that it has, or a new one.
inline mlir::Value getTensorMap(tile::KernelOp kernel,
                                hopper::TensorMapType type,
                                mlir::Location loc) {
  for (mlir::BlockArgument argument : kernel.getArguments())
    if (argument.getType() == type)
      return argument;
  unsigned position = kernel.getNumArguments();
  (void)kernel.insertArgument(position, type, mlir::DictionaryAttr(), loc);
  return kernel.getArgument(position);
}

} // namespace fa3

#endif // FA3_TRANSFORMS_TENSORMAPS_H
