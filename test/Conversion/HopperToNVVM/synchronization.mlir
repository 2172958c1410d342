// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

// CHECK-LABEL: llvm.func @mbarriers
tile.kernel @mbarriers() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 64 : i64} {
  // CHECK: %[[MEMORY:.*]] = llvm.mlir.addressof @fa3_shared_memory : !llvm.ptr<3>
  // CHECK: %[[BASE:.*]] = llvm.ptrtoint %[[MEMORY]] : !llvm.ptr<3> to i32
  // CHECK: %[[OFFSET:.*]] = llvm.mlir.constant(8 : i32) : i32
  // CHECK: %[[B:.*]] = llvm.add %[[BASE]], %[[OFFSET]] : i32
  %b = hopper.shared_address 8 : i32
  // CHECK: %[[ZERO:.*]] = llvm.mlir.constant(0 : i32) : i32
  %zero = arith.constant 0 : i32
  %thread = hopper.thread_id : i32
  // CHECK: %[[FIRST:.*]] = llvm.icmp "eq"
  %first = arith.cmpi eq, %thread, %zero : i32
  // CHECK: llvm.inline_asm has_side_effects "mbarrier.init.shared::cta.b64 [$0], 2;", "r,~{memory}" %[[B]] :
  hopper.mbarrier_init %b, 2
  // CHECK: nvvm.fence.mbarrier.init
  hopper.fence_mbarrier_init
  // CHECK: llvm.inline_asm has_side_effects "{\0A.reg .pred done;\0AWAIT_${:uid}:\0A
  // CHECK-SAME: mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1;\0A
  // CHECK-SAME: @done bra.uni DONE_${:uid};\0Abra.uni WAIT_${:uid};\0ADONE_${:uid}:\0A}", "r,r,~{memory}" %[[B]], %[[ZERO]] :
  hopper.mbarrier_wait %b, %zero
  // CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive.shared::cta.b64 _, [$0];", "r,~{memory}" %[[B]] :
  hopper.mbarrier_arrive %b
  // CHECK: llvm.inline_asm has_side_effects "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b,~{memory}" %[[B]], %[[FIRST]] :
  hopper.mbarrier_arrive %b if %first
  // CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 4096;", "r,~{memory}" %[[B]] :
  hopper.mbarrier_expect %b, 4096
  // CHECK: llvm.inline_asm has_side_effects "@$1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 4096;", "r,b,~{memory}" %[[B]], %[[FIRST]] :
  hopper.mbarrier_expect %b, 4096 if %first
  tile.return
}

// CHECK-LABEL: llvm.func @others
tile.kernel @others() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  // CHECK: %[[ID:.*]] = llvm.mlir.constant(1 : i32) : i32
  %id = arith.constant 1 : i32
  // CHECK: nvvm.barrier0
  hopper.cta_sync
  // CHECK: %[[THREADS:.*]] = llvm.mlir.constant(256 : i32) : i32
  // CHECK: nvvm.barrier id = %[[ID]] number_of_threads = %[[THREADS]]
  hopper.named_sync %id, 256
  // CHECK: llvm.inline_asm has_side_effects "bar.arrive $0, 256;", "r,~{memory}" %[[ID]] :
  hopper.named_arrive %id, 256
  // CHECK: nvvm.setmaxregister decrease 24
  hopper.set_registers 24
  // CHECK: nvvm.setmaxregister increase 240
  hopper.set_registers 240 increase
  // CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  hopper.fence_proxy_async
  tile.return
}
