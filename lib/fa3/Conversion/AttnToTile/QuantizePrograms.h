//===- QuantizePrograms.h - Tile programs of attn.quantize ------*- C++ -*-===//
//
// Quantization is three kernels, launched one after another: maxima of rows,
// the factors that follow from them, and the rounding itself.
//
//===----------------------------------------------------------------------===//

#ifndef FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAMS_H
#define FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAMS_H

#include "fa3/Attn/AttnOps.h"

namespace fa3 {

/// Writes the kernel that computes maxima of rows of each group.
tile::KernelOp writeRowMaximaProgram(mlir::OpBuilder &builder,
                                     llvm::StringRef name,
                                     attn::QuantizeOp quantize);

/// Writes the kernel that computes descale from them.
tile::KernelOp writeDescaleProgram(mlir::OpBuilder &builder,
                                   llvm::StringRef name,
                                   attn::QuantizeOp quantize);

/// Writes the kernel that computes y.
tile::KernelOp writeNarrowProgram(mlir::OpBuilder &builder,
                                  llvm::StringRef name,
                                  attn::QuantizeOp quantize);

} // namespace fa3

#endif // FA3_CONVERSION_ATTNTOTILE_QUANTIZEPROGRAMS_H
