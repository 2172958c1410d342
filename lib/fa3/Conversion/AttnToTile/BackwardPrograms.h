//===- BackwardPrograms.h - Tile programs of attn.backward ------*- C++ -*-===//
//
// A backward pass is three kernels, launched one after another: statistics of
// the queries, then the gradients of keys and values, then that of the queries.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_BACKWARDPROGRAMS_H
#define FA3_CONVERSION_ATTNTOTILE_BACKWARDPROGRAMS_H

#include "SumStart.h"

#include "fa3/Attn/AttnOps.h"

namespace fa3 {

/// Writes the kernel that computes what the others need to know of each query,
/// makes the operands that they read in another form, and clears the sums of
/// dq or says that there are none.
tile::KernelOp writeRowStatisticsProgram(mlir::OpBuilder &builder,
                                         llvm::StringRef name,
                                         attn::BackwardOp backward,
                                         SumStart start);

/// Writes the kernel that computes dk and dv and, if the operation sums up dq,
/// adds to the sums in the workspace.
tile::KernelOp writeBackwardProgram(mlir::OpBuilder &builder,
                                    llvm::StringRef name,
                                    attn::BackwardOp backward, SumStart start);

/// Writes the kernel that makes dq of the sums in the workspace.
tile::KernelOp writeScaleGradientProgram(mlir::OpBuilder &builder,
                                         llvm::StringRef name,
                                         attn::BackwardOp backward,
                                         SumStart start);

/// Writes the kernel that computes dq, of an operation that does not sum it up.
tile::KernelOp writeQueryGradientProgram(mlir::OpBuilder &builder,
                                         llvm::StringRef name,
                                         attn::BackwardOp backward);

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_BACKWARDPROGRAMS_H
