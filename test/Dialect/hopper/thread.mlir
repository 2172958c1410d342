// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

!m = memref<?x64xbf16, strided<[?, 1]>>
!l = memref<?xf32, strided<[1]>>

// CHECK-LABEL: tile.kernel @barriers
tile.kernel @barriers(%parity: i32, %p: i1) {
  // CHECK: %[[B:.*]] = hopper.shared_address 1024 : i32
  %b = hopper.shared_address 1024 : i32
  // CHECK: hopper.mbarrier_init %[[B]], 2
  hopper.mbarrier_init %b, 2
  // CHECK: hopper.fence_mbarrier_init
  hopper.fence_mbarrier_init
  // CHECK: hopper.mbarrier_wait %[[B]], %{{.*}}
  hopper.mbarrier_wait %b, %parity
  // CHECK: hopper.mbarrier_arrive %[[B]]{{$}}
  hopper.mbarrier_arrive %b
  // CHECK: hopper.mbarrier_arrive %[[B]] if %{{.*}}
  hopper.mbarrier_arrive %b if %p
  // CHECK: hopper.mbarrier_expect %[[B]], 4096{{$}}
  hopper.mbarrier_expect %b, 4096
  // CHECK: hopper.mbarrier_expect %[[B]], 4096 if %{{.*}}
  hopper.mbarrier_expect %b, 4096 if %p
  // CHECK: hopper.cta_sync
  hopper.cta_sync
  // CHECK: hopper.named_sync %{{.*}}, 256
  hopper.named_sync %parity, 256
  // CHECK: hopper.named_arrive %{{.*}}, 256
  hopper.named_arrive %parity, 256
  // CHECK: hopper.set_registers 24{{$}}
  hopper.set_registers 24
  // CHECK: hopper.set_registers 240 increase
  hopper.set_registers 240 increase
  // CHECK: hopper.fence_proxy_async
  hopper.fence_proxy_async
  tile.return
}

// CHECK-LABEL: tile.kernel @memory
tile.kernel @memory(%a: !m, %l: !l, %map: !hopper.tensor_map<0, [64, 64]>, %i: i32, %p: i1, %x: i32, %f: f32) {
  // CHECK: hopper.tma_load %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}}, %{{.*}} : <0, [64, 64]>
  hopper.tma_load %map[%i, %i], %i, %i : !hopper.tensor_map<0, [64, 64]>
  // CHECK: hopper.tma_load %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}}, %{{.*}} if %{{.*}} : <0, [64, 64]>
  hopper.tma_load %map[%i, %i], %i, %i if %p : !hopper.tensor_map<0, [64, 64]>
  // CHECK: hopper.tma_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} if %{{.*}} : <0, [64, 64]>
  hopper.tma_store %map[%i, %i], %i if %p : !hopper.tensor_map<0, [64, 64]>
  // CHECK: hopper.global_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} if %{{.*}} : memref<?x64xbf16, strided<[?, 1]>>, i32
  hopper.global_store %a[%i, %i], %x if %p : !m, i32
  // CHECK: hopper.global_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}}, %{{.*}} if %{{.*}} : memref<?x64xbf16, strided<[?, 1]>>, i32, i32
  hopper.global_store %a[%i, %i], %x, %x if %p : !m, i32, i32
  // CHECK: hopper.global_store %{{.*}}[%{{.*}}], %{{.*}} if %{{.*}} : memref<?xf32, strided<[1]>>, f32
  hopper.global_store %l[%i], %f if %p : !l, f32
  // CHECK: hopper.global_load %{{.*}}[%{{.*}}] if %{{.*}} : memref<?xf32, strided<[1]>> -> f32
  %loaded = hopper.global_load %l[%i] if %p : !l -> f32
  tile.return
}

// CHECK-LABEL: tile.kernel @products
// CHECK-SAME: %[[F:[a-z0-9]+]]: f32)
tile.kernel @products(%address: i32, %r: i32, %f: f32) {
  // CHECK: %[[D:.*]] = hopper.descriptor %{{.*}} leading 16 stride 1024 : i64
  %d = hopper.descriptor %address leading 16 stride 1024 : i64
  // CHECK: hopper.descriptor_advance %[[D]], 32 : i64
  %next = hopper.descriptor_advance %d, 32 : i64
  // CHECK: hopper.wgmma_fence
  hopper.wgmma_fence
  // CHECK: hopper.mma_async(%[[D]]), %{{.*}} of bf16 : (i64) -> (f32, f32, f32, f32)
  %s:4 = hopper.mma_async (%d), %next of bf16 : (i64) -> (f32, f32, f32, f32)
  // CHECK: hopper.mma_async(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}), %{{.*}} acc(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : f32, f32, f32, f32) of f16 {transpose_b} : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  %t:4 = hopper.mma_async (%r, %r, %r, %r), %d acc(%s#0, %s#1, %s#2, %s#3 : f32, f32, f32, f32) of f16 {transpose_b} : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  // 8-bit operands of different types.
  // CHECK: hopper.mma_async(%[[D]]), %[[D]] of f8E4M3FN and f8E5M2 : (i64) -> (f32, f32, f32, f32)
  %n:4 = hopper.mma_async (%d), %d of f8E4M3FN and f8E5M2 : (i64) -> (f32, f32, f32, f32)
  // CHECK: hopper.mma_async({{.*}}), %[[D]] acc({{.*}} : f32, f32, f32, f32) of f8E5M2 and f8E4M3FN : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  %m:4 = hopper.mma_async (%r, %r, %r, %r), %d acc(%n#0, %n#1, %n#2, %n#3 : f32, f32, f32, f32) of f8E5M2 and f8E4M3FN : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  // CHECK: hopper.wgmma_commit
  hopper.wgmma_commit
  // CHECK: hopper.wgmma_wait 1(%{{.*}}, %{{.*}}) : (f32, i32) -> (f32, i32)
  %w:2 = hopper.wgmma_wait 1 (%t#0, %r) : (f32, i32) -> (f32, i32)
  // CHECK: hopper.wgmma_wait 0() : () -> ()
  hopper.wgmma_wait 0 () : () -> ()
  // CHECK: hopper.hold %[[F]] : f32{{$}}
  hopper.hold %f : f32
  // CHECK: hopper.hold %[[F]], %{{.*}}#0 : f32, f32{{$}}
  hopper.hold %f, %w#0 : f32, f32
  tile.return
}

// CHECK-LABEL: tile.kernel @values
tile.kernel @values(%f: f32, %p: i1) {
  // CHECK: %[[T:.*]] = hopper.thread_id : i32
  %t = hopper.thread_id : i32
  // CHECK: hopper.thread_id again : i32
  %again = hopper.thread_id again : i32
  // CHECK: hopper.block_id : i32
  %b = hopper.block_id : i32
  // CHECK: hopper.block_id again : i32
  %bagain = hopper.block_id again : i32
  // CHECK: hopper.uniform %[[T]] : i32
  %u = hopper.uniform %t : i32
  // CHECK: hopper.shuffle_xor %{{.*}}, 2 : f32
  %s = hopper.shuffle_xor %f, 2 : f32
  // CHECK: hopper.vote_any %{{.*}}
  %v = hopper.vote_any %p
  // CHECK: hopper.pack %{{.*}}, %{{.*}} to bf16 : i32
  %x = hopper.pack %f, %s to bf16 : i32
  // CHECK: hopper.pack %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} to f8E5M2 : i32
  %quad = hopper.pack %f, %s, %f, %s to f8E5M2 : i32
  // CHECK: hopper.unpack %{{.*}} of f8E5M2{{$}}
  %values:4 = hopper.unpack %quad of f8E5M2
  // CHECK: hopper.permute_bytes %{{.*}}, %{{.*}}, 25632 : i32
  %bytes = hopper.permute_bytes %x, %quad, 25632 : i32
  tile.return
}

!w = memref<?x4096xf32, strided<[?, 1]>>

// CHECK-LABEL: tile.kernel @shared_memory
tile.kernel @shared_memory(%w: !w, %l: !l, %map: !hopper.tensor_map<1, [1, 64], linear>, %a: i32, %x: i32, %f: f32, %p: i1) {
  // CHECK: hopper.tma_load %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}}, %{{.*}} : <1, [1, 64], linear>
  hopper.tma_load %map[%x, %x], %a, %a : !hopper.tensor_map<1, [1, 64], linear>
  // CHECK: hopper.warp_sync
  hopper.warp_sync
  // CHECK: hopper.shared_load %[[A:.*]] : f32{{$}}
  %s1 = hopper.shared_load %a : f32
  // CHECK: hopper.shared_load %[[A]] : f32, f32{{$}}
  %s2:2 = hopper.shared_load %a : f32, f32
  // CHECK: hopper.shared_load %[[A]] : f32, f32, f32, f32{{$}}
  %s4:4 = hopper.shared_load %a : f32, f32, f32, f32
  // CHECK: hopper.shared_store %[[A]], %{{.*}} : f32{{$}}
  hopper.shared_store %a, %s1 : f32
  // CHECK: hopper.shared_store %[[A]], %{{.*}}#0, %{{.*}}#1 : f32, f32{{$}}
  hopper.shared_store %a, %s2#0, %s2#1 : f32, f32
  // CHECK: hopper.shared_store %[[A]], %{{.*}}#0, %{{.*}}#1, %{{.*}}#2, %{{.*}}#3 : f32, f32, f32, f32{{$}}
  hopper.shared_store %a, %s4#0, %s4#1, %s4#2, %s4#3 : f32, f32, f32, f32
  // CHECK: %[[T:.*]] = hopper.transpose_matrix %{{.*}} : i32
  %t = hopper.transpose_matrix %x : i32
  // CHECK: hopper.store_matrix %[[A]], %[[T]] : i32{{$}}
  hopper.store_matrix %a, %t : i32
  // CHECK: hopper.store_matrix %[[A]], %[[T]], %{{.*}} : i32, i32{{$}}
  hopper.store_matrix %a, %t, %x : i32, i32
  // CHECK: hopper.store_matrix %[[A]], %[[T]], %{{.*}} straight : i32, i32{{$}}
  hopper.store_matrix %a, %t, %x straight : i32, i32
  // CHECK: hopper.store_matrix %[[A]], %[[T]], %{{.*}}, %{{.*}}, %{{.*}} : i32, i32, i32, i32{{$}}
  hopper.store_matrix %a, %t, %x, %x, %x : i32, i32, i32, i32
  // CHECK: hopper.bulk_reduce %[[A]], %{{.*}}[%{{.*}}, %{{.*}}], 16384 if %{{.*}} : memref<?x4096xf32, strided<[?, 1]>>
  hopper.bulk_reduce %a, %w[%x, %x], 16384 if %p : !w
  // CHECK: hopper.bulk_store %[[A]], %{{.*}}[%{{.*}}, %{{.*}}], 16384 if %{{.*}} : memref<?x4096xf32, strided<[?, 1]>>
  hopper.bulk_store %a, %w[%x, %x], 16384 if %p : !w
  // CHECK: %[[FIRST:.*]] = hopper.claim %{{.*}}[%{{.*}}] if %{{.*}} : memref<?xf32, strided<[1]>>
  %first = hopper.claim %l[%x] if %p : !l
  // CHECK: hopper.publish %{{.*}}[%{{.*}}] if %[[FIRST]] : memref<?xf32, strided<[1]>>
  hopper.publish %l[%x] if %first : !l
  // CHECK: hopper.bulk_wait{{$}}
  hopper.bulk_wait
  // CHECK: hopper.bulk_wait written
  hopper.bulk_wait written
  // CHECK: hopper.global_reduce %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : memref<?x4096xf32, strided<[?, 1]>>, f32{{$}}
  hopper.global_reduce %w[%x, %x], %f : !w, f32
  // CHECK: hopper.global_reduce %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}}#0, %{{.*}}#1, %{{.*}}#2, %{{.*}}#3 : memref<?x4096xf32, strided<[?, 1]>>, f32, f32, f32, f32{{$}}
  hopper.global_reduce %w[%x, %x], %s4#0, %s4#1, %s4#2, %s4#3 : !w, f32, f32, f32, f32
  // CHECK: hopper.global_max %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} if %{{.*}} : memref<?x4096xf32, strided<[?, 1]>>{{$}}
  hopper.global_max %w[%x, %x], %f if %p : !w
  // CHECK: hopper.global_load %{{.*}}[%{{.*}}, %{{.*}}] if %{{.*}} : memref<?x4096xf32, strided<[?, 1]>> -> f32, f32, f32, f32
  %g:4 = hopper.global_load %w[%x, %x] if %p : !w -> f32, f32, f32, f32
  tile.return
}

// CHECK-LABEL: tile.kernel @halves
tile.kernel @halves(%a: !m, %i: i32, %p: i1) {
  // CHECK: hopper.global_load %{{.*}}[%{{.*}}, %{{.*}}] if %{{.*}} : memref<?x64xbf16, strided<[?, 1]>> -> i32, i32
  %x:2 = hopper.global_load %a[%i, %i] if %p : !m -> i32, i32
  tile.return
}
