//===- Threads.h - Threads of warps and warpgroups --------------*- C++ -*-===//

#ifndef FA3_TRANSFORMS_THREADS_H
#define FA3_TRANSFORMS_THREADS_H

#include "fa3/Hopper/HopperOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace fa3 {

inline constexpr int64_t kThreadsPerWarpgroup = 128;
inline constexpr int64_t kThreadsPerWarp = 32;
inline constexpr int64_t kWarpsPerWarpgroup =
    kThreadsPerWarpgroup / kThreadsPerWarp;

/// Whether the thread is the first of each `count` consecutive ones, a power of
/// two.
inline mlir::Value isFirstOf(mlir::OpBuilder &builder, mlir::Location loc,
                             int64_t count) {
  auto constant = [&](int64_t value) {
    return mlir::arith::ConstantIntOp::create(builder, loc, value, 32);
  };
  mlir::Value thread =
      hopper::ThreadIdOp::create(builder, loc, builder.getI32Type());
  mlir::Value number =
      mlir::arith::AndIOp::create(builder, loc, thread, constant(count - 1));
  return mlir::arith::CmpIOp::create(
      builder, loc, mlir::arith::CmpIPredicate::eq, number, constant(0));
}

} // namespace fa3

#endif // FA3_TRANSFORMS_THREADS_H
