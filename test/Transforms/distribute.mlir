// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute),canonicalize,cse)' | FileCheck %s

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!f = memref<?x16xf32, strided<[?, 1]>>
!l = memref<?xf32, strided<[1]>>

// A tile of 64x16 has 8 registers in a thread: elementwise code has no
// communication, a row reduction two shuffles for each of the two rows.
// CHECK-LABEL: tile.kernel @rows
// CHECK-COUNT-8: hopper.global_load
// CHECK-COUNT-8: math.exp2 %{{.*}} : f32
// CHECK-COUNT-3: arith.addf
// CHECK: hopper.shuffle_xor %{{.*}}, 1
// CHECK: hopper.shuffle_xor %{{.*}}, 2
// CHECK: hopper.shuffle_xor %{{.*}}, 1
// CHECK: hopper.shuffle_xor %{{.*}}, 2
// CHECK-NOT: shuffle
// CHECK-COUNT-2: hopper.global_store
// CHECK-NOT: vector
tile.kernel @rows(%x: !f, %y: !l) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] dims [0, 1] : !f, vector<64x16xf32>
  %E = math.exp2 %X : vector<64x16xf32>
  %s = tile.reduce add %E dim 1 : vector<64x16xf32> -> vector<64x1xf32>
  tile.store %s, %y[%c0] dims [0, -1] : vector<64x1xf32>, !l
  tile.return
}

// A product of K-major operands in shared memory: 4 steps of 16 elements,
// 32 bytes apart; the first one overwrites the accumulators.
// CHECK-LABEL: tile.kernel @shared_operands
// CHECK: hopper.descriptor %{{.*}} leading 16 stride 1024
// CHECK: hopper.wgmma_fence
// CHECK: %[[FIRST:.*]]:32 = hopper.mma_async(%{{.*}}), %{{.*}} of bf16
// CHECK: hopper.descriptor_advance %{{.*}}, 32
// CHECK: hopper.mma_async(%{{.*}}), %{{.*}} acc(%[[FIRST]]#0
// CHECK: hopper.descriptor_advance %{{.*}}, 64
// CHECK: hopper.mma_async
// CHECK: hopper.descriptor_advance %{{.*}}, 96
// CHECK: hopper.mma_async
// CHECK-NEXT: hopper.wgmma_commit
// CHECK-NEXT: hopper.wgmma_wait 0
tile.kernel @shared_operands(%o: memref<?x64xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !b
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  tile.store %s, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// The contraction as rows of both operands: steps of 16 rows of 128 bytes.
// CHECK-LABEL: tile.kernel @transposed_operands
// CHECK: hopper.descriptor %{{.*}} leading 8192 stride 1024
// CHECK: hopper.mma_async{{.*}}transpose_a, transpose_b
// CHECK: hopper.descriptor_advance %{{.*}}, 2048
tile.kernel @transposed_operands(%o: memref<?x64xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !b
  %p = hopper.wgmma %b, %b contract(0, 0) : !b, !b -> !p
  %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  tile.store %s, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// An operand in registers: pairs of bf16, four of them a step. A loop carries
// registers.
// CHECK-LABEL: tile.kernel @register_operand
// CHECK: scf.for {{.*}} -> (f32, f32,
// CHECK-COUNT-16: hopper.pack
// CHECK: hopper.mma_async(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}), %{{.*}} acc(
// CHECK: hopper.wgmma_wait 0
// CHECK: scf.yield
tile.kernel @register_operand(%o: memref<?x64xf32, strided<[?, 1]>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %a = hopper.shared_address 0 : i32
  %b = hopper.view %a : !b
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<64x64xf32>) {
    %e = math.exp2 %acc : vector<64x64xf32>
    %t = arith.truncf %e : vector<64x64xf32> to vector<64x64xbf16>
    %p = hopper.wgmma %t, %b, %acc contract(1, 0) : vector<64x64xbf16>, !b, vector<64x64xf32> -> !p
    %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
    scf.yield %s : vector<64x64xf32>
  }
  tile.store %r, %o[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// 16-bit floats are unpacked where they are widened.
// CHECK-LABEL: tile.kernel @widen
// CHECK: hopper.pack
// CHECK: arith.trunci %[[PAIR:.*]] : i32 to i16
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: arith.shrui %[[PAIR]], %c16_i32
tile.kernel @widen(%x: !f) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] dims [0, 1] : !f, vector<64x16xf32>
  %t = arith.truncf %X : vector<64x16xf32> to vector<64x16xbf16>
  %w = arith.extf %t : vector<64x16xbf16> to vector<64x16xf32>
  tile.store %w, %x[%c0, %c0] dims [0, 1] : vector<64x16xf32>, !f
  tile.return
}

// Where columns may leave the tensor, each one is stored by itself.
// CHECK-LABEL: tile.kernel @ragged_columns
// CHECK-COUNT-4: hopper.global_store %{{.*}}, %{{.*}} if %{{.*}} : memref<?x?xf32, strided<[?, 1]>>, f32
tile.kernel @ragged_columns(%x: memref<?x?xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %X = arith.constant dense<1.0> : vector<64x8xf32>
  tile.store %X, %x[%c0, %c0] dims [0, 1] : vector<64x8xf32>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}

// A warp takes the branch of a uniform_if as a whole, also where the vote is
// carried through a loop.
// CHECK-LABEL: tile.kernel @uniform
// CHECK: scf.for
// CHECK: scf.if
// CHECK: arith.mulf
// CHECK: hopper.vote_any
tile.kernel @uniform(%y: !l, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %no = arith.constant dense<false> : vector<64x1xi1>
  %two = arith.constant dense<2.0> : vector<64x1xf32>
  %x0 = tile.load %y[%c0] dims [0, -1] : !l, vector<64x1xf32>
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %x0, %vote = %no) -> (vector<64x1xf32>, vector<64x1xi1>) {
    %z = tile.uniform_if %vote, %x {
      %m = arith.mulf %x, %two : vector<64x1xf32>
      tile.yield %m : vector<64x1xf32>
    } : vector<64x1xi1>, vector<64x1xf32>
    %big = arith.cmpf ogt, %z, %two : vector<64x1xf32>
    %next = tile.vote_any %big : vector<64x1xi1>
    scf.yield %z, %next : vector<64x1xf32>, vector<64x1xi1>
  }
  tile.store %r#0, %y[%c0] dims [0, -1] : vector<64x1xf32>, !l
  tile.return
}

// What every quad has is stored by one of each warpgroup, and what every thread
// has by one thread.
// CHECK-LABEL: tile.kernel @one_row
// CHECK: %[[ROW:.*]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[ROW]], %c0_i32
// CHECK: hopper.global_store %arg0[%{{.*}}], %{{.*}}, %{{.*}} if %[[FIRST]]
// CHECK: %[[QUAD:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: %[[ONE:.*]] = arith.andi %[[FIRST]], %[[QUAD]] : i1
// CHECK: hopper.global_store %arg1[%c0_i32], %{{.*}} if %[[ONE]]
tile.kernel @one_row(%x: memref<8xf32, strided<[1]>>, %y: !l) {
  %c0 = arith.constant 0 : index
  %t = arith.constant dense<1.0> : vector<1x8xf32>
  tile.store %t, %x[%c0] dims [-1, 0] : vector<1x8xf32>, memref<8xf32, strided<[1]>>
  %s = arith.constant dense<2.0> : vector<1x1xf32>
  tile.store %s, %y[%c0] dims [-1, -1] : vector<1x1xf32>, !l
  tile.return
}

// Each warp raises the element in memory to the largest that one of its threads
// has: the first lane does.
// CHECK-LABEL: tile.kernel @largest
// CHECK: %[[T:.*]] = hopper.thread_id
// CHECK: %[[LANE:.*]] = arith.andi %[[T]], %c31_i32
// CHECK: %[[X0:.*]] = hopper.global_load
// CHECK: %[[X1:.*]] = hopper.global_load
// CHECK: %[[X2:.*]] = hopper.global_load
// CHECK: %[[X3:.*]] = hopper.global_load
// CHECK: %[[M1:.*]] = arith.maxnumf %[[X0]], %[[X1]]
// CHECK: %[[M2:.*]] = arith.maxnumf %[[M1]], %[[X2]]
// CHECK: %[[M3:.*]] = arith.maxnumf %[[M2]], %[[X3]]
// CHECK: hopper.shuffle_xor %[[M3]], 1 : f32
// CHECK: hopper.shuffle_xor %{{.*}}, 2 : f32
// CHECK: hopper.shuffle_xor %{{.*}}, 4 : f32
// CHECK: hopper.shuffle_xor %{{.*}}, 8 : f32
// CHECK: %[[OTHER:.*]] = hopper.shuffle_xor %[[M:.*]], 16 : f32
// CHECK: %[[WARP:.*]] = arith.maxnumf %[[M]], %[[OTHER]]
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK: hopper.global_max %arg1[%{{.*}}, %c0_i32], %[[WARP]] if %[[FIRST]]
tile.kernel @largest(%x: !l, %m: memref<?x?xf32, strided<[?, 1]>>, %i: index) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0] dims [0, -1] : !l, vector<128x1xf32>
  tile.max_store %t, %m[%i, %c0] : vector<128x1xf32>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}
