// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

// CHECK-LABEL: llvm.func @specialized
// CHECK: %[[WG:.*]] = nvvm.shfl.sync idx
// CHECK: %[[PRODUCER:.*]] = llvm.icmp "eq" %[[WG]]
// CHECK: llvm.cond_br %[[PRODUCER]], ^[[THEN:.*]], ^[[ELSE:.*]]
// CHECK: ^[[THEN]]:
// All warps of the producer warpgroup give registers back; one elected thread
// of its first warp goes on.
// CHECK: nvvm.setmaxregister decrease 24
// CHECK: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[QUOTIENT:.*]] = llvm.udiv %[[THREAD]], %{{.*}} : i32
// CHECK: %[[WARP:.*]] = nvvm.shfl.sync idx %{{.*}}, %[[QUOTIENT]]
// CHECK: %[[FIRST:.*]] = llvm.icmp "eq" %[[WARP]]
// CHECK: llvm.cond_br %[[FIRST]], ^{{.*}}, ^{{.*}}
// CHECK: %[[ELECTED:.*]] = nvvm.elect.sync
// CHECK: llvm.cond_br %[[ELECTED]], ^[[ONE:.*]], ^{{.*}}
// CHECK: ^[[ONE]]:
// CHECK: mbarrier.arrive.expect_tx
// CHECK: ^[[ELSE]]:
// CHECK: nvvm.setmaxregister increase 240
// CHECK: %[[INDEX:.*]] = nvvm.shfl.sync idx
// CHECK: %[[CONSUMER:.*]] = llvm.sub %[[INDEX]], %{{.*}} : i32
// CHECK: mbarrier.arrive.shared{{.*}} %[[CONSUMER]] :
tile.kernel @specialized() attributes {hopper.threads = 384 : i64, hopper.shared_memory = 8 : i64} {
  %b = hopper.shared_address 0 : i32
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.mbarrier_expect %b, 16
  } consumer {
    %w = hopper.warpgroup : i32
    hopper.mbarrier_arrive %w
  }
  tile.return
}

// Without roles a warpgroup's index is its index in the CTA.
// CHECK-LABEL: llvm.func @unspecialized
// CHECK: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[QUOTIENT:.*]] = llvm.udiv %[[THREAD]], %{{.*}} : i32
// CHECK: %[[WG:.*]] = nvvm.shfl.sync idx %{{.*}}, %[[QUOTIENT]], %{{.*}}, %{{.*}} : i32 -> i32
// CHECK: mbarrier.arrive.shared{{.*}} %[[WG]] :
tile.kernel @unspecialized() attributes {hopper.threads = 256 : i64, hopper.shared_memory = 8 : i64} {
  %w = hopper.warpgroup : i32
  hopper.mbarrier_arrive %w
  tile.return
}

// The drain is all of the producer warpgroup's second warp.
// CHECK-LABEL: llvm.func @drain
// CHECK: nvvm.setmaxregister decrease 24
// CHECK: %[[WARP:.*]] = nvvm.shfl.sync idx
// CHECK: llvm.icmp "eq" %[[WARP]]
// CHECK: nvvm.elect.sync
// CHECK: mbarrier.arrive.expect_tx
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: %[[SECOND:.*]] = llvm.icmp "eq" %[[WARP]], %[[ONE]]
// CHECK: llvm.cond_br %[[SECOND]], ^[[DRAIN:.*]], ^{{.*}}
// CHECK: ^[[DRAIN]]:
// CHECK-NEXT: cp.async.bulk.wait_group.read 0;
// CHECK: nvvm.setmaxregister increase 240
tile.kernel @drain() attributes {hopper.threads = 384 : i64, hopper.shared_memory = 8 : i64} {
  %b = hopper.shared_address 0 : i32
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.mbarrier_expect %b, 16
  } consumer {
  } drain {
    hopper.bulk_wait
  }
  tile.return
}

// The role that transposes is all of the last three warps.
// CHECK-LABEL: llvm.func @transpose
// CHECK: nvvm.setmaxregister decrease 32
// CHECK: %[[WARP:.*]] = nvvm.shfl.sync idx
// CHECK: llvm.icmp "eq" %[[WARP]]
// CHECK: nvvm.elect.sync
// CHECK: mbarrier.arrive.expect_tx
// CHECK-NOT: llvm.icmp "eq" %[[WARP]]
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: %[[LATER:.*]] = llvm.icmp "uge" %[[WARP]], %[[ONE]]
// CHECK: llvm.cond_br %[[LATER]], ^[[TRANSPOSE:.*]], ^{{.*}}
// CHECK: ^[[TRANSPOSE]]:
// CHECK: nvvm.bar.warp.sync
// CHECK: nvvm.setmaxregister increase 160
tile.kernel @transpose() attributes {hopper.threads = 512 : i64, hopper.shared_memory = 8 : i64} {
  %b = hopper.shared_address 0 : i32
  hopper.specialize {warpgroups = 3 : i64, producer_registers = 32 : i64, consumer_registers = 160 : i64} producer {
    hopper.mbarrier_expect %b, 16
  } consumer {
  } transpose {
    hopper.warp_sync
  }
  tile.return
}

// Beside a drain, which is the second warp, it is the last two.
// CHECK-LABEL: llvm.func @drain_and_transpose
// CHECK: nvvm.setmaxregister decrease 24
// CHECK: %[[WARP:.*]] = nvvm.shfl.sync idx
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: %[[SECOND:.*]] = llvm.icmp "eq" %[[WARP]], %[[ONE]] : i32
// CHECK: llvm.cond_br %[[SECOND]], ^[[DRAIN:.*]], ^[[NEXT:.*]]
// CHECK: ^[[DRAIN]]:
// CHECK-NEXT: cp.async.bulk.wait_group.read 0;
// CHECK-NEXT: llvm.br ^[[NEXT]]
// CHECK: ^[[NEXT]]:
// CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i32)
// CHECK: %[[LATER:.*]] = llvm.icmp "uge" %[[WARP]], %[[TWO]]
// CHECK: llvm.cond_br %[[LATER]], ^[[TRANSPOSE:.*]], ^{{.*}}
// CHECK: ^[[TRANSPOSE]]:
// CHECK: nvvm.bar.warp.sync
// CHECK: nvvm.setmaxregister increase 240
tile.kernel @drain_and_transpose() attributes {hopper.threads = 384 : i64, hopper.shared_memory = 8 : i64} {
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
    hopper.bulk_wait
  } transpose {
    hopper.warp_sync
  }
  tile.return
}

// Two warpgroups start with 256 registers a thread: consumers give some back,
// too. Three start with 168: here it is the producer that gets more.
// CHECK-LABEL: llvm.func @few_warpgroups
// CHECK: nvvm.setmaxregister decrease 24
// CHECK: nvvm.setmaxregister decrease 240
tile.kernel @few_warpgroups() attributes {hopper.threads = 256 : i64, hopper.shared_memory = 8 : i64} {
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  }
  tile.return
}

// CHECK-LABEL: llvm.func @large_producer
// CHECK: nvvm.setmaxregister increase 184
// CHECK: nvvm.setmaxregister decrease 160
tile.kernel @large_producer() attributes {hopper.threads = 384 : i64, hopper.shared_memory = 8 : i64} {
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 184 : i64, consumer_registers = 160 : i64} producer {
  } consumer {
  }
  tile.return
}

// `again` reads the thread's index where it stands.
// CHECK-LABEL: llvm.func @again
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: llvm.inline_asm has_side_effects "mov.u32 $0, %tid.x;", "=r"
tile.kernel @again() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 8 : i64} {
  %once = hopper.thread_id : i32
  hopper.mbarrier_arrive %once
  %again = hopper.thread_id again : i32
  hopper.mbarrier_arrive %again
  tile.return
}
