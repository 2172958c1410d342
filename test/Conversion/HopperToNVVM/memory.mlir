// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

!m = memref<?x?x64xbf16, strided<[?, ?, 1]>>
!l = memref<?xf32, strided<[1]>>

// CHECK-LABEL: llvm.func @tma(
// CHECK-SAME: %[[MAP:[a-z0-9]+]]: !llvm.ptr {
tile.kernel @tma(%m: !m {tile.argument = #tile.argument<"m", "input", ["a", "b", "d"]>},
                 %map: !hopper.tensor_map<0, [1, 64, 64]>)
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 8200 : i64} {
  // CHECK-DAG: %[[X:.*]] = llvm.mlir.constant(1 : i32) : i32
  // CHECK-DAG: %[[Y:.*]] = llvm.mlir.constant(2 : i32) : i32
  // CHECK-DAG: %[[Z:.*]] = llvm.mlir.constant(3 : i32) : i32
  // CHECK-DAG: %[[ADDRESS:.*]] = llvm.mlir.constant(4 : i32) : i32
  // CHECK-DAG: %[[BARRIER:.*]] = llvm.mlir.constant(5 : i32) : i32
  %x = arith.constant 1 : i32
  %y = arith.constant 2 : i32
  %z = arith.constant 3 : i32
  %address = arith.constant 4 : i32
  %barrier = arith.constant 5 : i32
  %true = arith.constant true
  %first = arith.cmpi eq, %x, %y : i32
  // The instruction takes the innermost coordinate first.
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$2, {$3, $4, $5}], [$1];",
  // CHECK-SAME: "r,r,l,r,r,r,~{memory}" %[[ADDRESS]], %[[BARRIER]], %[[MAP]], %[[Z]], %[[Y]], %[[X]] :
  hopper.tma_load %map[%x, %y, %z], %address, %barrier : !hopper.tensor_map<0, [1, 64, 64]>
  // CHECK: llvm.inline_asm has_side_effects "@$6 cp.async.bulk.tensor.3d{{.*}}", "r,r,l,r,r,r,b,~{memory}"
  hopper.tma_load %map[%x, %y, %z], %address, %barrier if %first : !hopper.tensor_map<0, [1, 64, 64]>
  // A predicate that always holds is none.
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.tensor.3d
  hopper.tma_load %map[%x, %y, %z], %address, %barrier if %true : !hopper.tensor_map<0, [1, 64, 64]>
  // A copy out of shared memory is a bulk group of its own.
  // CHECK: llvm.inline_asm has_side_effects "@$5 cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [$0, {$1, $2, $3}], [$4];\0A@$5 cp.async.bulk.commit_group;",
  // CHECK-SAME: "l,r,r,r,r,b,~{memory}" %[[MAP]], %[[Z]], %[[Y]], %[[X]], %[[ADDRESS]], %{{.*}} :
  hopper.tma_store %map[%x, %y, %z], %address if %first : !hopper.tensor_map<0, [1, 64, 64]>
  tile.return
}

// CHECK-LABEL: llvm.func @global(
// CHECK-SAME: %[[POINTER:[a-z0-9]+]]: !llvm.ptr<1>, %{{[a-z0-9]+}}: i32, %{{[a-z0-9]+}}: i32, %[[S0:[a-z0-9]+]]: i64, %[[S1:[a-z0-9]+]]: i64,
// CHECK-SAME: %[[L:[a-z0-9]+]]: !llvm.ptr<1>, %[[SIZE:[a-z0-9]+]]: i32
tile.kernel @global(%m: !m {tile.argument = #tile.argument<"n", "output", ["a", "b", "d"]>},
                    %l: !l {tile.argument = #tile.argument<"l", "output", ["a"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : i32
  // CHECK: %[[I:.*]] = nvvm.read.ptx.sreg.tid.x
  %i = hopper.thread_id : i32
  // CHECK: %[[J:.*]] = nvvm.read.ptx.sreg.ctaid.x
  %j = hopper.block_id : i32
  %n = memref.dim %l, %c0 : !l
  %n32 = arith.index_cast %n : index to i32
  // CHECK: %[[P:.*]] = llvm.icmp "slt" %[[I]], %[[SIZE]]
  %p = arith.cmpi slt, %i, %n32 : i32
  // Offsets have 64 bits. The constant part of the column is the instruction's.
  // CHECK: %[[I64:.*]] = llvm.sext %[[I]] : i32 to i64
  // CHECK: %[[A:.*]] = llvm.mul %[[I64]], %[[S0]] : i64
  // CHECK: %[[J64:.*]] = llvm.sext %[[J]] : i32 to i64
  // CHECK: %[[B:.*]] = llvm.mul %[[J64]], %[[S1]] : i64
  // CHECK: %[[AB:.*]] = llvm.add %[[A]], %[[B]] : i64
  // CHECK: %[[COLUMN:.*]] = llvm.sext %[[J]] : i32 to i64
  // CHECK: %[[SUM:.*]] = llvm.add %[[AB]], %[[COLUMN]] : i64
  // CHECK: %[[ELEMENT:.*]] = llvm.getelementptr %[[POINTER]][%[[SUM]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
  // CHECK: llvm.inline_asm has_side_effects "@$2 st.global.b32 [$0+16], $1;", "l,r,b,~{memory}" %[[ELEMENT]], %[[I]], %[[P]] :
  %column = arith.addi %j, %c8 : i32
  hopper.global_store %m[%i, %j, %column], %i if %p : !m, i32
  // CHECK: "@$3 st.global.v2.b32 [$0], {$1, $2};", "l,r,r,b,~{memory}"
  hopper.global_store %m[%i, %j, %j], %i, %j if %p : !m, i32, i32
  // CHECK: "@$5 st.global.v4.b32 [$0], {$1, $2, $3, $4};", "l,r,r,r,r,b,~{memory}"
  hopper.global_store %m[%i, %j, %j], %i, %j, %i, %j if %p : !m, i32, i32, i32, i32
  // CHECK: %[[LOADED:.*]] = llvm.inline_asm has_side_effects "mov.b32 $0, 0;\0A@$2 ld.global.b32 $0, [$1];", "=f,l,b,~{memory}" %{{.*}}, %[[P]] : (!llvm.ptr<1>, i1) -> f32
  %loaded = hopper.global_load %l[%i] if %p : !l -> f32
  // A constant index needs no address arithmetic at all.
  // CHECK: llvm.inline_asm has_side_effects "@$2 st.global.b32 [$0+32], $1;", "l,f,b,~{memory}" %[[L]], %[[LOADED]], %[[P]]
  hopper.global_store %l[%c8], %loaded if %p : !l, f32
  tile.return
}

!w = memref<?x4096xf32, strided<[?, 1]>>
!h = memref<?x64xbf16, strided<[?, 1]>>

// CHECK-LABEL: llvm.func @several(
tile.kernel @several(%w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>},
                     %h: !h {tile.argument = #tile.argument<"h", "input", ["a", "d"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c4 = arith.constant 4 : i32
  %true = arith.constant true
  // CHECK: %[[I:.*]] = nvvm.read.ptx.sreg.tid.x
  %i = hopper.thread_id : i32
  %j = hopper.block_id : i32
  // CHECK: %[[P:.*]] = llvm.icmp "slt"
  %p = arith.cmpi slt, %i, %j : i32
  %column = arith.addi %j, %c4 : i32
  // Several registers; all are 0 where the predicate does not hold.
  // CHECK: %[[X:.*]] = llvm.inline_asm has_side_effects "mov.b32 $0, 0;\0Amov.b32 $1, 0;\0Amov.b32 $2, 0;\0Amov.b32 $3, 0;\0A@$5 ld.global.v4.b32 {$0, $1, $2, $3}, [$4+16];", "=f,=f,=f,=f,l,b,~{memory}" %{{.*}}, %[[P]] :
  // CHECK: llvm.extractvalue %[[X]][0]
  %x:4 = hopper.global_load %w[%i, %column] if %p : !w -> f32, f32, f32, f32
  // Where it always holds, nothing is written before.
  // CHECK: llvm.inline_asm has_side_effects "ld.global.v2.b32 {$0, $1}, [$2];", "=f,=f,l,~{memory}"
  %y:2 = hopper.global_load %w[%i, %j] if %true : !w -> f32, f32
  // Pairs of 16-bit elements: the offset counts elements of two bytes.
  // CHECK: llvm.inline_asm has_side_effects "mov.b32 $0, 0;\0A@$2 ld.global.b32 $0, [$1+8];", "=r,l,b,~{memory}"
  %z = hopper.global_load %h[%i, %column] if %p : !h -> i32
  // CHECK: llvm.inline_asm has_side_effects "red.relaxed.gpu.global.add.f32 [$0], $1;", "l,f,~{memory}"
  hopper.global_reduce %w[%i, %j], %y#0 : !w, f32
  // CHECK: llvm.inline_asm has_side_effects "red.relaxed.gpu.global.add.v2.f32 [$0], {$1, $2};", "l,f,f,~{memory}"
  hopper.global_reduce %w[%i, %j], %y#0, %y#1 : !w, f32, f32
  // CHECK: llvm.inline_asm has_side_effects "red.relaxed.gpu.global.add.v4.f32 [$0+16], {$1, $2, $3, $4};", "l,f,f,f,f,~{memory}"
  hopper.global_reduce %w[%i, %column], %x#0, %x#1, %x#2, %x#3 : !w, f32, f32, f32, f32
  // The larger of two numbers that are not negative has the larger bits.
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .b32 bits;\0Amov.b32 bits, $1;\0A@$2 red.relaxed.gpu.global.max.u32 [$0+16], bits;\0A}", "l,f,b,~{memory}" %{{.*}}, %{{.*}}, %[[P]] :
  hopper.global_max %w[%i, %column], %y#0 if %p : !w
  // One thread starts the copy and closes its group.
  // CHECK: llvm.inline_asm has_side_effects "@$2 cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [$0+16], [$1], 16384;\0A@$2 cp.async.bulk.commit_group;", "l,r,b,~{memory}" %{{.*}}, %[[I]], %[[P]] :
  hopper.bulk_reduce %i, %w[%i, %column], 16384 if %p : !w
  tile.return
}

// The first one at a place stores a tile there, which others must not add to
// before that.
// CHECK-LABEL: llvm.func @first(
// CHECK-SAME: %[[W:[a-z0-9]+]]: !llvm.ptr<1>, %{{[a-z0-9]+}}: i32, %[[STRIDE:[a-z0-9]+]]: i64, %[[L:[a-z0-9]+]]: !llvm.ptr<1>, %{{[a-z0-9]+}}: i32
tile.kernel @first(%w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>},
                   %l: !l {tile.argument = #tile.argument<"begun", "workspace", ["a"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c4 = arith.constant 4 : i32
  // CHECK: %[[I:.*]] = nvvm.read.ptx.sreg.tid.x
  %i = hopper.thread_id : i32
  %j = hopper.block_id : i32
  // CHECK: %[[P:.*]] = llvm.icmp "slt"
  %p = arith.cmpi slt, %i, %j : i32
  %place = arith.addi %j, %c4 : i32
  // Who looks waits while somebody else writes, and tries to be the first where
  // nobody has been. The others of the warp wait for it. What it has seen must
  // be in front of its bulk copies.
  // CHECK: %[[PLACE:.*]] = llvm.getelementptr %[[L]][%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
  // CHECK: %[[CLAIM:.*]] = llvm.inline_asm has_side_effects "{\0A.reg .pred is;\0A.reg .b32 state;\0Amov.b32 $0, 0;\0A@!$2 bra DONE_${:uid};\0A
  // CHECK-SAME: LOOK_${:uid}:\0Ald.acquire.gpu.global.b32 state, [$1+16];\0Asetp.eq.b32 is, state, 0x40000000;\0A@is bra READY_${:uid};\0A
  // CHECK-SAME: setp.ne.b32 is, state, 0;\0A@is bra LOOK_${:uid};\0A
  // CHECK-SAME: atom.relaxed.gpu.global.cas.b32 state, [$1+16], 0, 0x3f800000;\0Asetp.ne.b32 is, state, 0;\0A@is bra LOOK_${:uid};\0Amov.b32 $0, 1;\0A
  // CHECK-SAME: READY_${:uid}:\0Afence.proxy.async.global;\0ADONE_${:uid}:\0Abar.warp.sync -1;\0A}",
  // CHECK-SAME: "=r,l,b,~{memory}" %[[PLACE]], %[[P]] : (!llvm.ptr<1>, i1) -> i32
  // CHECK: %[[FIRST:.*]] = llvm.trunc %[[CLAIM]] : i32 to i1
  %first = hopper.claim %l[%place] if %p : !l
  // CHECK: %[[TARGET:.*]] = llvm.getelementptr %[[W]]
  // CHECK: llvm.inline_asm has_side_effects "@$2 cp.async.bulk.global.shared::cta.bulk_group [$0+16], [$1], 16384;\0A@$2 cp.async.bulk.commit_group;", "l,r,b,~{memory}" %[[TARGET]], %[[I]], %[[FIRST]] :
  hopper.bulk_store %i, %w[%i, %place], 16384 if %first : !w
  // The copies must be complete, and be seen by who sees that the place has been
  // published.
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .b32 state;\0A@!$1 bra DONE_${:uid};\0Acp.async.bulk.wait_group 0;\0Afence.proxy.async.global;\0A
  // CHECK-SAME: mov.b32 state, 0x40000000;\0Ast.release.gpu.global.b32 [$0+16], state;\0ADONE_${:uid}:\0Abar.warp.sync -1;\0A}", "l,b,~{memory}" %{{.*}}, %[[FIRST]] :
  hopper.publish %l[%place] if %first : !l
  tile.return
}
