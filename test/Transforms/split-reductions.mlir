// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-split-reductions))' | FileCheck %s
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-split-reductions,fa3-place-waits,fa3-verify-hopper))' -o /dev/null
// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-split-reductions))' --remarks-filter=fa3 --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

!acc = memref<?x16384xf32, strided<[?, 1]>>
!k = !hopper.buffer<vector<64x128xbf16>, 64>
!kt = !hopper.buffer<vector<192x64xbf16>, 192>
!ds = !hopper.buffer<vector<64x64xbf16>, 64>
!t = vector<128x64xf32>
!p = !hopper.pending<!t>

// The first operand is contracted over its rows: blocks of the result's rows are
// its columns. The first block is issued where the whole was, the other one when
// the first has left its registers. 64 rows of 64 elements lie between them.
// CHECK-LABEL: tile.kernel @columns
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{.*}}>, %[[K:[a-z0-9]+]]: !hopper.buffer<{{.*}}>, %[[DS:[a-z0-9]+]]: !hopper.buffer<{{.*}}>, %[[I:[a-z0-9]+]]: index)
// CHECK: %[[C0:.*]] = arith.constant 0 : i32
// CHECK-NEXT: %[[K0:.*]] = hopper.columns %[[K]][%[[C0]]] : <vector<64x128xbf16>, 64> -> <vector<64x64xbf16>, 64>
// CHECK-NEXT: %[[P0:.*]] = hopper.wgmma %[[K0]], %[[DS]] contract(0, 1) : {{.*}} -> <vector<64x64xf32>>
// CHECK-NEXT: %[[D0:.*]] = hopper.wait %[[P0]] younger 0
// CHECK: hopper.warp_sync
// CHECK: %[[NONE:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[E0:.*]] = arith.addi %[[E:.*]], %[[NONE]] : index
// CHECK-NEXT: tile.reduce_store %[[D0]], %[[ACC]][%[[I]], %[[E0]]] : vector<64x64xf32>
// CHECK-NEXT: %[[C64:.*]] = arith.constant 64 : i32
// CHECK-NEXT: %[[K1:.*]] = hopper.columns %[[K]][%[[C64]]]
// CHECK-NEXT: %[[P1:.*]] = hopper.wgmma %[[K1]], %[[DS]] contract(0, 1) : {{.*}} -> <vector<64x64xf32>>
// CHECK-NEXT: %[[D1:.*]] = hopper.wait %[[P1]] younger 0
// CHECK-NEXT: %[[C4096:.*]] = arith.constant 4096 : index
// CHECK-NEXT: %[[E1:.*]] = arith.addi %[[E]], %[[C4096]] : index
// CHECK-NEXT: tile.reduce_store %[[D1]], %[[ACC]][%[[I]], %[[E1]]] : vector<64x64xf32>
// CHECK-NEXT: tile.return
// REMARK: a product is added to memory in 2 parts
tile.kernel @columns(%acc: !acc, %k: !k, %ds: !ds, %i: index) {
  %c0 = arith.constant 0 : index
  %p = hopper.wgmma %k, %ds contract(0, 1) : !k, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  hopper.warp_sync
  tile.reduce_store %d, %acc[%i, %c0] : !t, !acc
  tile.return
}

// Contracted over its columns, they are its rows: here three blocks.
// CHECK-LABEL: tile.kernel @rows
// CHECK: hopper.rows %[[K:.*]][%{{.*}}] : <vector<192x64xbf16>, 192> -> <vector<64x64xbf16>, 192>
// CHECK-NEXT: hopper.wgmma %{{.*}}, %{{.*}} contract(1, 1)
// CHECK: tile.reduce_store
// CHECK: %[[C64:.*]] = arith.constant 64 : i32
// CHECK: hopper.rows %[[K]][%[[C64]]]
// CHECK: tile.reduce_store
// CHECK: %[[C128:.*]] = arith.constant 128 : i32
// CHECK: hopper.rows %[[K]][%[[C128]]]
// CHECK: arith.constant 8192 : index
// CHECK: tile.reduce_store
// CHECK-NOT: tile.reduce_store
// CHECK: tile.return
// REMARK: a product is added to memory in 3 parts
tile.kernel @rows(%acc: !acc, %k: !kt, %ds: !ds, %i: index) {
  %c0 = arith.constant 0 : index
  %p = hopper.wgmma %k, %ds contract(1, 1) : !kt, !ds -> !hopper.pending<vector<192x64xf32>>
  %d = hopper.wait %p younger 0 : !hopper.pending<vector<192x64xf32>> -> vector<192x64xf32>
  tile.reduce_store %d, %acc[%i, %c0] : vector<192x64xf32>, !acc
  tile.return
}

// Nothing of the following: a result of one block, one that has another use, a
// sum, a first operand in registers, an addition in another block, one that may
// be the first at its place, which only a tile as a whole is, and what goes
// through shared memory.
// REMARK-NOT: a product is added to memory
// CHECK-LABEL: tile.kernel @one_block
// CHECK-NOT: hopper.rows
// CHECK: tile.return
tile.kernel @one_block(%acc: !acc, %ds: !ds, %i: index) {
  %p = hopper.wgmma %ds, %ds contract(1, 1) : !ds, !ds -> !hopper.pending<vector<64x64xf32>>
  %d = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  tile.reduce_store %d, %acc[%i, %i] : vector<64x64xf32>, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @used
// CHECK-NOT: hopper.columns
// CHECK: tile.return
tile.kernel @used(%acc: !acc, %o: memref<?x64xf32, strided<[?, 1]>>, %k: !k, %ds: !ds, %i: index) {
  %p = hopper.wgmma %k, %ds contract(0, 1) : !k, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  tile.reduce_store %d, %acc[%i, %i] : !t, !acc
  tile.store %d, %o[%i, %i] dims [0, 1] : !t, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// CHECK-LABEL: tile.kernel @sum
// CHECK-NOT: hopper.columns
// CHECK: tile.return
tile.kernel @sum(%acc: !acc, %k: !k, %ds: !ds, %i: index) {
  %zero = arith.constant dense<0.0> : !t
  %p = hopper.wgmma %k, %ds, %zero contract(0, 1) : !k, !ds, !t -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  tile.reduce_store %d, %acc[%i, %i] : !t, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @registers
// CHECK-NOT: hopper.rows
// CHECK: tile.return
tile.kernel @registers(%acc: !acc, %k: vector<128x64xbf16>, %ds: !ds, %i: index) {
  %p = hopper.wgmma %k, %ds contract(1, 1) : vector<128x64xbf16>, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  tile.reduce_store %d, %acc[%i, %i] : !t, !acc
  tile.return
}

// CHECK-LABEL: tile.kernel @conditional
// CHECK-NOT: hopper.columns
// CHECK: tile.return
tile.kernel @conditional(%acc: !acc, %k: !k, %ds: !ds, %i: index, %c: i1) {
  %p = hopper.wgmma %k, %ds contract(0, 1) : !k, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  scf.if %c {
    tile.reduce_store %d, %acc[%i, %i] : !t, !acc
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @begun
// CHECK-NOT: hopper.columns
// CHECK: tile.reduce_store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] begun %{{.*}} : vector<128x64xf32>
// CHECK-NEXT: tile.return
tile.kernel @begun(%acc: !acc, %begun: memref<?xf32, strided<[1]>>, %k: !k, %ds: !ds, %i: index) {
  %p = hopper.wgmma %k, %ds contract(0, 1) : !k, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  tile.reduce_store %d, %acc[%i, %i] begun %begun : !t, !acc, memref<?xf32, strided<[1]>>
  tile.return
}

// CHECK-LABEL: tile.kernel @staged
// CHECK-NOT: hopper.columns
// CHECK: tile.return
tile.kernel @staged(%acc: memref<?x8192xf32, strided<[?, 1]>>, %k: !k, %ds: !ds, %i: index) {
  %ring = hopper.ring_alloc : !hopper.ring<1, !t>
  %p = hopper.wgmma %k, %ds contract(0, 1) : !k, !ds -> !p
  %d = hopper.wait %p younger 0 : !p -> !t
  hopper.out_put %d, %ring : !t, !hopper.ring<1, !t>
  hopper.out_reduce %ring, %acc[%i, %i] : !hopper.ring<1, !t>, memref<?x8192xf32, strided<[?, 1]>>
  tile.return
}
