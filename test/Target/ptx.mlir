// The PTX of a small kernel, instruction by instruction.
// RUN: fa3-opt %S/Inputs/one-product.mlir --fa3-hopper-to-nvvm | fa3-opt - --emit=ptx | FileCheck %s

// CHECK: .version 8.3
// CHECK: .target sm_90a
// CHECK: .extern .shared .align 1024 .b8 fa3_shared_memory[];
// CHECK: .visible .entry one_product(
// CHECK: .param .align 64 .b8 one_product_param_14[128]
// CHECK: .maxntid 256
// CHECK: .minnctapersm 1
// CHECK-NOT: .local
// CHECK: mbarrier.init.shared::cta.b64 [{{.*}}], 1;
// CHECK: fence.mbarrier_init.release.cluster;
// CHECK: bar.sync 0;
// CHECK: shfl.sync.idx.b32
// The roles, in the order that LLVM gives them.
// CHECK-DAG: setmaxnreg.dec.sync.aligned.u32 56;
// CHECK-DAG: setmaxnreg.inc.sync.aligned.u32 256;
// CHECK-DAG: elect.sync
// CHECK-DAG: mbarrier.arrive.expect_tx.shared::cta.b64 _, [{{.*}}], 8192;
// CHECK-DAG: cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes
// CHECK-DAG: mbarrier.try_wait.parity.shared::cta.b64 done
// CHECK-DAG: wgmma.fence.sync.aligned;
// CHECK-DAG: wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {{.*}}, accumulate, 1, 1, 0, 0;
// CHECK-DAG: wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {{.*}}, 1, 1, 1, 0, 0;
// CHECK-DAG: wgmma.commit_group.sync.aligned;
// CHECK-DAG: wgmma.wait_group.sync.aligned 0;
// CHECK-DAG: max.f32
// CHECK-DAG: shfl.sync.bfly.b32
// CHECK-DAG: ex2.approx.ftz.f32
// CHECK-DAG: cvt.rn.bf16x2.f32
// Both stores use one address register.
// CHECK: st.global.b32 [[ADDRESS:\[%rd[0-9]+]]],
// CHECK: st.global.b32 [[ADDRESS]]+16],
// CHECK: ret;
