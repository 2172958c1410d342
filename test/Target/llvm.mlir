// LLVM IR: accumulators are scalars, and inline PTX does not move into branches.
// RUN: fa3-opt %S/Inputs/one-product.mlir --fa3-hopper-to-nvvm | fa3-opt - --emit=llvm | FileCheck %s

// CHECK: target triple = "nvptx64-nvidia-cuda"
// CHECK: @fa3_shared_memory = external addrspace(3) global [0 x i8], align 1024
// CHECK: define ptx_kernel void @one_product({{.*}} byval([128 x i8]) align 64 "nvvm.grid_constant"
// CHECK: call { float, float, float, float, float, float, float, float } asm sideeffect "{{[^"]*}}wgmma.mma_async
// CHECK-SAME: #[[CONVERGENT:[0-9]+]]
// CHECK: call i32 asm "cvt.rn.bf16x2.f32 $0, $2, $1;", "=r,f,f"(
// CHECK-NOT: x float>
// CHECK: attributes #[[CONVERGENT]] = { convergent
