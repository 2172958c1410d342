// The PTX of a small kernel, instruction by instruction.
// RUN: fa3-opt %S/Inputs/one-product.mlir --fa3-hopper-to-nvvm | fa3-opt - --emit=ptx -o %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx --check-prefixes=CHECK,PRODUCER
// RUN: FileCheck %s --input-file=%t.ptx --check-prefixes=CHECK,CONSUMER

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

// PRODUCER: setmaxnreg.dec.sync.aligned.u32 56;
// PRODUCER: elect.sync
// PRODUCER: mbarrier.arrive.expect_tx.shared::cta.b64 _, [{{.*}}], 8192;
// PRODUCER: cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes

// CONSUMER: setmaxnreg.inc.sync.aligned.u32 256;
// CONSUMER: WAIT_[[ID:[0-9]+]]:
// CONSUMER-NEXT: mbarrier.try_wait.parity.shared::cta.b64 done
// CONSUMER-NEXT: @done bra.uni DONE_[[ID]];
// CONSUMER-NEXT: bra.uni WAIT_[[ID]];
// CONSUMER-NEXT: DONE_[[ID]]:
// CONSUMER: wgmma.fence.sync.aligned;
// CONSUMER: wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {{.*}}, accumulate, 1, 1, 0, 0;
// CONSUMER: wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {{.*}}, 1, 1, 1, 0, 0;
// CONSUMER: wgmma.commit_group.sync.aligned;
// CONSUMER: wgmma.wait_group.sync.aligned 0;
// CONSUMER: max.f32
// CONSUMER: shfl.sync.bfly.b32
// CONSUMER: ex2.approx.ftz.f32
// CONSUMER: cvt.rn.bf16x2.f32
// Both stores use one address register.
// CONSUMER: st.global.b32 [[[ADDRESS:%rd[0-9]+]]],
// CONSUMER: st.global.b32 [[[ADDRESS]]+16],
