// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

// CHECK-LABEL: llvm.func @descriptors
tile.kernel @descriptors() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 1024 : i64} {
  // CHECK: %[[ADDRESS:.*]] = nvvm.read.ptx.sreg.tid.x
  %address = hopper.thread_id : i32
  // CHECK: %[[MASK:.*]] = llvm.mlir.constant(262143 : i32)
  // CHECK: %[[LOW:.*]] = llvm.and %[[ADDRESS]], %[[MASK]]
  // CHECK: %[[FOUR:.*]] = llvm.mlir.constant(4 : i32)
  // CHECK: %[[UNITS:.*]] = llvm.lshr %[[LOW]], %[[FOUR]]
  // CHECK: %[[WIDE:.*]] = llvm.zext %[[UNITS]] : i32 to i64
  // (1 << 62) | (1024 / 16 << 32) | (16 / 16 << 16)
  // CHECK: %[[REST:.*]] = llvm.mlir.constant(4611686293305360384 : i64)
  // CHECK: %[[D:.*]] = llvm.add %[[WIDE]], %[[REST]]
  %d = hopper.descriptor %address leading 16 stride 1024 : i64
  // CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i64)
  // CHECK: %[[E:.*]] = llvm.add %[[D]], %[[TWO]]
  %e = hopper.descriptor_advance %d, 32 : i64
  // Both are put together where they are used, from the address's 32 bits and
  // the constants' low and high words: 16 / 16 << 16, and 2 more; 1 << 30 | 1024 / 16.
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .b64 a;\0A.reg .b32 a_low;\0Aadd.s32 a_low, $4, 65536;\0Amov.b64 a, {a_low, 1073741888};\0A
  // CHECK-SAME: .reg .b64 b;\0A.reg .b32 b_low;\0Aadd.s32 b_low, $5, 65538;\0Amov.b64 b, {b_low, 1073741888};\0A
  // CHECK-SAME: .reg .pred accumulate;\0Asetp.ne.b32 accumulate, 0, 0;\0A
  // CHECK-SAME: wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, a, b, accumulate, 1, 1, 0, 0;\0A}",
  // CHECK-SAME: "=f,=f,=f,=f,r,r" %[[UNITS]], %[[UNITS]] :
  %s:4 = hopper.mma_async (%d), %e of bf16 : (i64) -> (f32, f32, f32, f32)
  tile.return
}

// Constant parts of the address are among the descriptor's constants: 2048 / 16
// more. What buffers have in common is computed once.
// CHECK-LABEL: llvm.func @constant_addresses
tile.kernel @constant_addresses() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 4096 : i64} {
  // CHECK: %[[MEMORY:.*]] = llvm.ptrtoint
  // CHECK: llvm.and %[[MEMORY]],
  %c1024 = arith.constant 1024 : i32
  %base = hopper.shared_address 1024 : i32
  %address = arith.addi %base, %c1024 : i32
  // CHECK: llvm.mlir.constant(4611686293305360512 : i64)
  %d = hopper.descriptor %address leading 16 stride 1024 : i64
  // CHECK: add.s32 a_low, $4, 65664;{{.*}}add.s32 b_low, $5, 65664;
  %s:4 = hopper.mma_async (%d), %d of bf16 : (i64) -> (f32, f32, f32, f32)
  tile.return
}

// CHECK-LABEL: llvm.func @products
tile.kernel @products() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 1024 : i64} {
  %r = hopper.thread_id : i32
  %d = arith.constant 1 : i64
  // CHECK: llvm.inline_asm has_side_effects "wgmma.fence.sync.aligned;", "~{memory}"
  hopper.wgmma_fence
  // A descriptor of another origin is taken as it is.
  // CHECK: %[[S:.*]] = llvm.inline_asm has_side_effects "{\0A.reg .b64 a;\0Amov.b64 a, $4;\0A.reg .b64 b;\0Amov.b64 b, $5;\0A{{.*}}m64n8k16.f32.f16.f16 {$0, $1, $2, $3}, a, b, accumulate, 1, 1, 1, 1;\0A}", "=f,=f,=f,=f,l,l"
  %s:4 = hopper.mma_async (%d), %d of f16 {transpose_a, transpose_b} : (i64) -> (f32, f32, f32, f32)
  // CHECK: %[[S0:.*]] = llvm.extractvalue %[[S]][0]
  // CHECK: %[[S1:.*]] = llvm.extractvalue %[[S]][1]
  // CHECK: %[[S2:.*]] = llvm.extractvalue %[[S]][2]
  // CHECK: %[[S3:.*]] = llvm.extractvalue %[[S]][3]
  // Accumulators keep their registers.
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .b64 b;\0Amov.b64 b, $8;\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, {$4, $5, $6, $7}, b, 1, 1, 1, 1;\0A}",
  // CHECK-SAME: "=f,=f,=f,=f,r,r,r,r,l,0,1,2,3" %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[S0]], %[[S1]], %[[S2]], %[[S3]] :
  %t:4 = hopper.mma_async (%r, %r, %r, %r), %d acc(%s#0, %s#1, %s#2, %s#3 : f32, f32, f32, f32) of bf16 {transpose_b} : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  // 8-bit operands are never transposed.
  // CHECK: "{{.*}}wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {$0, $1, $2, $3}, a, b, 1, 1, 1;\0A}", "=f,=f,=f,=f,l,l,0,1,2,3"
  %u:4 = hopper.mma_async (%d), %d acc(%t#0, %t#1, %t#2, %t#3 : f32, f32, f32, f32) of f8E4M3FN : (i64) -> (f32, f32, f32, f32)
  // CHECK: "{{.*}}m64n8k32.f32.e5m2.e5m2 {$0, $1, $2, $3}, a, b, accumulate, 1, 1;
  %v:4 = hopper.mma_async (%d), %d of f8E5M2 : (i64) -> (f32, f32, f32, f32)
  // CHECK: "{{.*}}m64n8k32.f32.e4m3.e5m2 {$0, $1, $2, $3}, a, b, accumulate, 1, 1;
  %x:4 = hopper.mma_async (%d), %d of f8E4M3FN and f8E5M2 : (i64) -> (f32, f32, f32, f32)
  // CHECK: "{{.*}}m64n8k32.f32.e5m2.e4m3 {$0, $1, $2, $3}, {$4, $5, $6, $7}, b, accumulate, 1, 1;
  %y:4 = hopper.mma_async (%r, %r, %r, %r), %d of f8E5M2 and f8E4M3FN : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  // CHECK: llvm.inline_asm has_side_effects "wgmma.commit_group.sync.aligned;", "~{memory}"
  hopper.wgmma_commit
  // CHECK: llvm.inline_asm has_side_effects "wgmma.wait_group.sync.aligned 1;", "=f,=r,0,1,~{memory}"
  %w:2 = hopper.wgmma_wait 1 (%u#0, %r) : (f32, i32) -> (f32, i32)
  // CHECK: llvm.inline_asm has_side_effects "wgmma.wait_group.sync.aligned 0;", "~{memory}"
  hopper.wgmma_wait 0 () : () -> ()
  // A store that is never executed, which ptxas cannot know.
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .pred never;\0A.reg .b32 depth;\0Amov.u32 depth, %nctaid.z;\0Asetp.eq.u32 never, depth, 0;\0A
  // CHECK-SAME: @never st.volatile.shared.f32 [depth], $0;\0A}", "f" %[[S0]] : (f32) -> ()
  hopper.hold %s#0 : f32
  // CHECK: "{{.*}}setp.eq.u32 never, depth, 0;\0A@never st.volatile.shared.f32 [depth], $0;\0A@never st.volatile.shared.f32 [depth], $1;\0A}", "f,f" %[[S1]], %[[S3]] : (f32, f32) -> ()
  hopper.hold %s#1, %s#3 : f32, f32
  tile.return
}
