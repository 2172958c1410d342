// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

// Threads' accesses to shared memory. All constants of the address go into the
// instruction, also the buffer's place: what remains is the same for all.

// CHECK-LABEL: llvm.func @shared
tile.kernel @shared() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 16384 : i64} {
  // CHECK: %[[MEMORY:.*]] = llvm.mlir.addressof @fa3_shared_memory
  // CHECK: %[[BASE:.*]] = llvm.ptrtoint %[[MEMORY]]
  %base = hopper.shared_address 1024 : i32
  %c16 = arith.constant 16 : i32
  %c32 = arith.constant 32 : i32
  %a = arith.addi %base, %c16 : i32
  %b = arith.addi %a, %c32 : i32
  // CHECK: %[[ONE:.*]] = llvm.inline_asm has_side_effects "ld.shared.f32 $0, [$1+1024];", "=f,r,~{memory}" %[[BASE]] :
  %one = hopper.shared_load %base : f32
  // CHECK: %[[TWO:.*]] = llvm.inline_asm has_side_effects "ld.shared.v2.f32 {$0, $1}, [$2+1040];", "=f,=f,r,~{memory}" %[[BASE]] :
  // CHECK: llvm.extractvalue %[[TWO]][0]
  // CHECK: llvm.extractvalue %[[TWO]][1]
  %two:2 = hopper.shared_load %a : f32, f32
  // CHECK: llvm.inline_asm has_side_effects "ld.shared.v4.f32 {$0, $1, $2, $3}, [$4+1072];", "=f,=f,=f,=f,r,~{memory}" %[[BASE]] :
  %four:4 = hopper.shared_load %b : f32, f32, f32, f32
  // CHECK: llvm.inline_asm has_side_effects "st.shared.f32 [$0+1024], $1;", "r,f,~{memory}" %[[BASE]], %[[ONE]] :
  hopper.shared_store %base, %one : f32
  // CHECK: llvm.inline_asm has_side_effects "st.shared.v2.f32 [$0+1040], {$1, $2};", "r,f,f,~{memory}" %[[BASE]],
  hopper.shared_store %a, %two#0, %two#1 : f32, f32
  // CHECK: llvm.inline_asm has_side_effects "st.shared.v4.f32 [$0+1072], {$1, $2, $3, $4};", "r,f,f,f,f,~{memory}" %[[BASE]],
  hopper.shared_store %b, %four#0, %four#1, %four#2, %four#3 : f32, f32, f32, f32
  // CHECK: %[[T:.*]] = llvm.inline_asm has_side_effects "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r" %{{.*}} : (i32) -> i32
  %t = hopper.transpose_matrix %c16 : i32
  // CHECK: llvm.inline_asm has_side_effects "stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [$0+1024], {$1};", "r,r,~{memory}" %[[BASE]], %[[T]] :
  hopper.store_matrix %base, %t : i32
  // CHECK: llvm.inline_asm has_side_effects "stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [$0+1040], {$1, $2};", "r,r,r,~{memory}" %[[BASE]], %[[T]],
  hopper.store_matrix %a, %t, %c16 : i32, i32
  // CHECK: llvm.inline_asm has_side_effects "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [$0+1024], {$1, $2, $3, $4};", "r,r,r,r,r,~{memory}" %[[BASE]], %[[T]],
  hopper.store_matrix %base, %t, %t, %t, %t : i32, i32, i32, i32
  // CHECK: llvm.inline_asm has_side_effects "stmatrix.sync.aligned.m8n8.x2.shared.b16 [$0+1040], {$1, $2};", "r,r,r,~{memory}" %[[BASE]], %[[T]],
  hopper.store_matrix %a, %t, %c16 straight : i32, i32
  // CHECK: llvm.inline_asm has_side_effects "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {$0}, [$1+1024];", "=r,r,~{memory}" %[[BASE]] : (i32) -> i32
  %m1 = hopper.load_matrix %base : i32
  // CHECK: llvm.inline_asm has_side_effects "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {$0, $1}, [$2+1040];", "=r,=r,r,~{memory}" %[[BASE]] :
  %m2:2 = hopper.load_matrix %a : i32, i32
  // CHECK: %[[M:.*]] = llvm.inline_asm has_side_effects "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {$0, $1, $2, $3}, [$4+1072];", "=r,=r,=r,=r,r,~{memory}" %[[BASE]] :
  // CHECK: %[[M3:.*]] = llvm.extractvalue %[[M]][3]
  %m4:4 = hopper.load_matrix %b : i32, i32, i32, i32
  // CHECK: stmatrix.{{.*}} %[[BASE]], %[[M3]] :
  hopper.store_matrix %base, %m4#3 straight : i32
  // CHECK: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32) : i32
  // CHECK: nvvm.bar.warp.sync %[[ALL]]
  hopper.warp_sync
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.wait_group.read 0;", "~{memory}"
  hopper.bulk_wait
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.wait_group 0;", "~{memory}"
  hopper.bulk_wait written
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.wait_group.read 2;", "~{memory}"
  hopper.bulk_wait {younger = 2 : i64}
  // CHECK: llvm.inline_asm has_side_effects "cp.async.bulk.wait_group 1;", "~{memory}"
  hopper.bulk_wait written {younger = 1 : i64}
  tile.return
}
