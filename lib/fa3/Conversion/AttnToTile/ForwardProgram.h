//===- ForwardProgram.h - Tile program of attn.forward ----------*- C++ -*-===//

#ifndef FA3_CONVERSION_ATTNTOTILE_FORWARDPROGRAM_H
#define FA3_CONVERSION_ATTNTOTILE_FORWARDPROGRAM_H

#include "ValueSource.h"

namespace fa3 {

/// Writes the kernel that stores the values of `forward`, of 8-bit elements, in
/// the workspace as its other kernel takes them.
tile::KernelOp writeValueColumnsProgram(mlir::OpBuilder &builder,
                                        llvm::StringRef name,
                                        attn::ForwardOp forward);

/// Writes the kernel of `forward` that has values from `source` at the
/// builder's insertion point. The operation must have a schedule.
tile::KernelOp writeForwardProgram(mlir::OpBuilder &builder,
                                   llvm::StringRef name,
                                   attn::ForwardOp forward, ValueSource source);

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_FORWARDPROGRAM_H
