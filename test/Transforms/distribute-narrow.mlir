// RUN: fa3-opt %s --fa3-distribute --canonicalize --cse | FileCheck %s

// Tiles of 8-bit floats: quadruples of columns in a register.

// A transposing copy: pairs of columns change places with rows, and the bytes of
// two registers are sorted into two columns.
!v = memref<?x?x?x64xf8E4M3FN, strided<[?, ?, ?, 1]>>
!t = memref<?x?x64x?xf8E4M3FN, strided<[?, ?, ?, 1]>>
// CHECK-LABEL: tile.kernel @transpose
// CHECK: %[[ROW:.*]] = arith.shrui %{{.*}}, %c2_i32
// CHECK: %[[KEY:.*]] = arith.addi %{{.*}}, %[[ROW]] : i32
// CHECK: %[[QUAD:.*]] = arith.muli %{{.*}}, %c4_i32
// CHECK: %[[X0:.*]] = hopper.global_load %arg0[%c0_i32, %[[KEY]], %c0_i32, %[[QUAD]]] if
// CHECK: %[[KEY8:.*]] = arith.addi %[[KEY]], %c8_i32
// CHECK: %[[X1:.*]] = hopper.global_load %arg0[%c0_i32, %[[KEY8]], %c0_i32, %[[QUAD]]] if
// CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %[[QUAD]]
// CHECK: %[[PAIR:.*]] = arith.andi %{{.*}}, %c7_i32
// CHECK: %[[EVEN:.*]] = arith.muli %[[PAIR]], %c2_i32
// CHECK: %[[T0:.*]] = hopper.transpose_matrix %[[X0]]
// CHECK: %[[T1:.*]] = hopper.transpose_matrix %[[X1]]
// CHECK: %[[B0:.*]] = hopper.permute_bytes %[[T0]], %[[T1]], 25632
// CHECK: hopper.global_store %arg1[%c0_i32, %c0_i32, %[[EVEN]], %[[PLACE]]], %[[B0]] if
// CHECK: %[[ODD:.*]] = arith.addi %[[EVEN]], %c1_i32
// CHECK: %[[B1:.*]] = hopper.permute_bytes %[[T0]], %[[T1]], 30001
// CHECK: hopper.global_store %arg1[%c0_i32, %c0_i32, %[[ODD]], %[[PLACE]]], %[[B1]] if
tile.kernel @transpose(%v: !v, %t: !t) {
  %c0 = arith.constant 0 : index
  %x = tile.load %v[%c0, %c0, %c0, %c0] dims [1, 3] : !v, vector<64x16xf8E4M3FN>
  tile.store %x, %t[%c0, %c0, %c0, %c0] dims [3, 2] interleaved : vector<64x16xf8E4M3FN>, !t
  tile.return
}

// Interleaved, a product's result is the next one's operand: a thread's values of
// two groups of columns, with no exchange.
// CHECK-LABEL: tile.kernel @operand
// CHECK: %[[S:.*]]:16 = hopper.wgmma_wait
// CHECK: %[[P0:.*]] = hopper.pack %[[S]]#0, %[[S]]#1, %[[S]]#4, %[[S]]#5 to f8E4M3FN
// CHECK: %[[P1:.*]] = hopper.pack %[[S]]#8, %[[S]]#9, %[[S]]#12, %[[S]]#13 to f8E4M3FN
// CHECK: %[[P2:.*]] = hopper.pack %[[S]]#2, %[[S]]#3, %[[S]]#6, %[[S]]#7 to f8E4M3FN
// CHECK: %[[P3:.*]] = hopper.pack %[[S]]#10, %[[S]]#11, %[[S]]#14, %[[S]]#15 to f8E4M3FN
// CHECK: hopper.mma_async(%[[P0]], %[[P2]], %[[P1]], %[[P3]])
!a = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!b = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
tile.kernel @operand() {
  %address = hopper.shared_address 0 : i32
  %a = hopper.view %address : !a
  %b = hopper.view %address : !b
  %s0 = hopper.wgmma %a, %b contract(1, 1) : !a, !b -> !hopper.pending<vector<64x32xf32>>
  %s = hopper.wait %s0 younger 0 : !hopper.pending<vector<64x32xf32>> -> vector<64x32xf32>
  %p = tile.interleave %s : vector<64x32xf32> -> vector<64x32xf8E4M3FN>
  %o0 = hopper.wgmma %p, %b contract(1, 1) : vector<64x32xf8E4M3FN>, !b -> !hopper.pending<vector<64x32xf32>>
  %o = hopper.wait %o0 younger 0 : !hopper.pending<vector<64x32xf32>> -> vector<64x32xf32>
  tile.return
}

// A part of the columns is a part of the registers.
!i = memref<?x16xf32, strided<[?, 1]>>
!o = memref<?x8xf32, strided<[?, 1]>>
// CHECK-LABEL: tile.kernel @columns
// CHECK: hopper.global_load
// CHECK: hopper.global_load
// CHECK: %[[X2:.*]] = hopper.global_load
// CHECK: %[[X3:.*]] = hopper.global_load
// CHECK: hopper.global_load
// CHECK: hopper.global_load
// CHECK: %[[X6:.*]] = hopper.global_load
// CHECK: %[[X7:.*]] = hopper.global_load
// CHECK: hopper.global_store {{.*}}, %[[X2]], %[[X3]] if
// CHECK: hopper.global_store {{.*}}, %[[X6]], %[[X7]] if
// Appended, they come behind the others, group by group.
// CHECK: hopper.global_store %arg2{{.*}}, %[[X2]], %[[X3]] if
// CHECK: hopper.global_store %arg2{{.*}}, %[[X2]], %[[X3]] if
// CHECK: hopper.global_store %arg2{{.*}}, %[[X6]], %[[X7]] if
// CHECK: hopper.global_store %arg2{{.*}}, %[[X6]], %[[X7]] if
tile.kernel @columns(%i: !i, %o: !o, %w: !i) {
  %c0 = arith.constant 0 : index
  %x = tile.load %i[%c0, %c0] dims [0, 1] : !i, vector<64x16xf32>
  %y = tile.columns %x from 8 : vector<64x16xf32> -> vector<64x8xf32>
  tile.store %y, %o[%c0, %c0] dims [0, 1] : vector<64x8xf32>, !o
  %z = tile.append %y, %y : vector<64x8xf32>, vector<64x8xf32> -> vector<64x16xf32>
  tile.store %z, %w[%c0, %c0] dims [0, 1] : vector<64x16xf32>, !i
  tile.return
}

// A tile that is only copied: a warp has all 64 rows of 16 columns. It loads four
// bytes of each of 8 rows, and lanes of a quad exchange what they have, so that
// each stores 16 bytes of a column.
// CHECK-LABEL: tile.kernel @copy
// CHECK-COUNT-8: hopper.global_load %arg0
// CHECK-NOT: hopper.global_load
// CHECK-COUNT-8: hopper.transpose_matrix
// CHECK: %[[G0:.*]] = hopper.permute_bytes %{{.*}}, %{{.*}}, 25632
// CHECK: %[[G1:.*]] = hopper.permute_bytes
// CHECK: hopper.permute_bytes
// CHECK: hopper.permute_bytes
// CHECK: %[[ODD:.*]] = arith.cmpi ne
// CHECK: %[[SENT:.*]] = arith.select %[[ODD]], %[[G0]], %[[G1]]
// CHECK: %[[GOT:.*]] = hopper.shuffle_xor %[[SENT]], 1 : i32
// CHECK: arith.select %[[ODD]], %[[GOT]], %[[G0]]
// CHECK: arith.select %[[ODD]], %[[G1]], %[[GOT]]
// CHECK: hopper.shuffle_xor %{{.*}}, 1 : i32
// CHECK-COUNT-2: hopper.shuffle_xor %{{.*}}, 2 : i32
// CHECK: hopper.global_store %arg1[{{.*}}], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} if
// CHECK-COUNT-4: hopper.permute_bytes {{.*}}, 30001
// CHECK: hopper.global_store
// CHECK-NOT: hopper.global_store
tile.kernel @copy(%v: !v, %t: !t) {
  %c0 = arith.constant 0 : index
  %x = tile.load %v[%c0, %c0, %c0, %c0] dims [1, 3] : !v, vector<64x64xf8E4M3FN>
  tile.store %x, %t[%c0, %c0, %c0, %c0] dims [3, 2] interleaved : vector<64x64xf8E4M3FN>, !t
  tile.return
}

// In the order of the columns: lanes exchange pairs of columns with their
// neighbours, an even one for those of the lower 8 of 16 columns, and the inner
// two lanes of a quad change places. To be stored, four groups of 16 columns are
// dealt out to the lanes of a quad, 16 bytes each.
// CHECK-LABEL: tile.kernel @round
// CHECK: %[[LANE:.*]] = arith.andi %{{.*}}, %c31_i32
// CHECK: %[[ODD:.*]] = arith.trunci %{{.*}} : i32 to i1
// CHECK: %[[HIGH:.*]] = arith.trunci %{{.*}} : i32 to i1
// CHECK: %[[INNER:.*]] = arith.xori %[[ODD]], %[[HIGH]] : i1
// CHECK: %[[P:.*]] = hopper.pack %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} to f8E4M3FN
// CHECK: %[[O:.*]] = hopper.shuffle_xor %[[P]], 1 : i32
// CHECK-DAG: %[[U:.*]] = hopper.permute_bytes %[[P]], %[[O]], 12918
// CHECK-DAG: %[[L:.*]] = hopper.permute_bytes %[[P]], %[[O]], 21520
// CHECK: %[[Q:.*]] = arith.select %[[ODD]], %[[U]], %[[L]]
// CHECK: %[[S:.*]] = hopper.shuffle_xor %[[Q]], 3 : i32
// CHECK: arith.select %[[INNER]], %[[S]], %[[Q]]
// CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c16_i32
// CHECK: hopper.global_store %arg1[%{{.*}}, %[[COLUMN]]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} if %{{.*}} : {{.*}}, i32, i32, i32, i32
// CHECK: hopper.global_store %arg1[%{{.*}}, %[[COLUMN]]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} if
// CHECK-NOT: hopper.global_store
!wide = memref<?x64xf32, strided<[?, 1]>>
!bytes = memref<?x64xf8E4M3FN, strided<[?, 1]>>
tile.kernel @round(%x: !wide, %y: !bytes) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] dims [0, 1] : !wide, vector<64x64xf32>
  %n = arith.truncf %t : vector<64x64xf32> to vector<64x64xf8E4M3FN>
  tile.store %n, %y[%c0, %c0] dims [0, 1] : vector<64x64xf8E4M3FN>, !bytes
  tile.return
}

// Fewer than four groups: each lane stores its own four columns.
// CHECK-LABEL: tile.kernel @few
// CHECK-COUNT-4: hopper.pack
// CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c4_i32
// CHECK: hopper.global_store %arg1[%{{.*}}, %[[COLUMN]]], %{{.*}} if %{{.*}} : {{.*}}, i32{{$}}
// CHECK-COUNT-3: hopper.global_store
// CHECK-NOT: hopper.global_store
!two = memref<?x32xf32, strided<[?, 1]>>
!twob = memref<?x32xf8E5M2, strided<[?, 1]>>
tile.kernel @few(%x: !two, %y: !twob) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] dims [0, 1] : !two, vector<64x32xf32>
  %n = arith.truncf %t : vector<64x32xf32> to vector<64x32xf8E5M2>
  tile.store %n, %y[%c0, %c0] dims [0, 1] : vector<64x32xf8E5M2>, !twob
  tile.return
}

// Widened: the same exchanges in the other order give a lane the pairs of columns
// that f32 tiles have.
// CHECK-LABEL: tile.kernel @widen
// CHECK: %[[X:.*]] = hopper.global_load
// CHECK: %[[ODD:.*]] = arith.trunci %{{.*}} : i32 to i1
// CHECK: %[[HIGH:.*]] = arith.trunci %{{.*}} : i32 to i1
// CHECK: %[[INNER:.*]] = arith.xori %[[ODD]], %[[HIGH]] : i1
// CHECK: %[[S:.*]] = hopper.shuffle_xor %[[X]], 3 : i32
// CHECK: %[[Q:.*]] = arith.select %[[INNER]], %[[S]], %[[X]]
// CHECK: %[[O:.*]] = hopper.shuffle_xor %[[Q]], 1 : i32
// CHECK-DAG: %[[U:.*]] = hopper.permute_bytes %[[Q]], %[[O]], 12918
// CHECK-DAG: %[[L:.*]] = hopper.permute_bytes %[[Q]], %[[O]], 21520
// CHECK: %[[P:.*]] = arith.select %[[ODD]], %[[U]], %[[L]]
// CHECK: %[[V0:.*]], %[[V1:.*]], %[[V2:.*]], %[[V3:.*]] = hopper.unpack %[[P]] of f8E5M2
// CHECK: hopper.unpack
// CHECK-NOT: hopper.unpack
// CHECK: hopper.global_store %arg1[%[[ROW:.*]], %[[COLUMN:.*]]], %[[V0]], %[[V1]] if
// CHECK: %[[NEXT:.*]] = arith.addi %[[COLUMN]], %c8_i32
// CHECK: hopper.global_store %arg1[%[[ROW]], %[[NEXT]]], %[[V2]], %[[V3]] if
!bytes16 = memref<?x16xf8E5M2, strided<[?, 1]>>
tile.kernel @widen(%x: !bytes16, %y: !i) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] dims [0, 1] : !bytes16, vector<64x16xf8E5M2>
  %w = arith.extf %t : vector<64x16xf8E5M2> to vector<64x16xf32>
  tile.store %w, %y[%c0, %c0] dims [0, 1] : vector<64x16xf32>, !i
  tile.return
}

// Operands of two types, in shared memory and in registers.
// CHECK-LABEL: tile.kernel @types
// CHECK: hopper.mma_async(%{{.*}}), %{{.*}} of f8E4M3FN and f8E5M2 : (i64)
// CHECK: hopper.mma_async(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}), %{{.*}} of f8E5M2 and f8E4M3FN : (i32, i32, i32, i32)
// CHECK: hopper.mma_async(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}), %{{.*}} of f8E5M2 : (i32, i32, i32, i32)
!c = !hopper.buffer<vector<32x32xf8E5M2>, 32>
tile.kernel @types() {
  %address = hopper.shared_address 0 : i32
  %a = hopper.view %address : !a
  %b = hopper.view %address : !b
  %c = hopper.view %address : !c
  %s0 = hopper.wgmma %a, %c contract(1, 1) : !a, !c -> !hopper.pending<vector<64x32xf32>>
  %s = hopper.wait %s0 younger 0 : !hopper.pending<vector<64x32xf32>> -> vector<64x32xf32>
  %p = tile.interleave %s : vector<64x32xf32> -> vector<64x32xf8E5M2>
  %t0 = hopper.wgmma %p, %b contract(1, 1) : vector<64x32xf8E5M2>, !b -> !hopper.pending<vector<64x32xf32>>
  %t = hopper.wait %t0 younger 0 : !hopper.pending<vector<64x32xf32>> -> vector<64x32xf32>
  %u0 = hopper.wgmma %p, %c contract(1, 1) : vector<64x32xf8E5M2>, !c -> !hopper.pending<vector<64x32xf32>>
  %u = hopper.wait %u0 younger 0 : !hopper.pending<vector<64x32xf32>> -> vector<64x32xf32>
  tile.return
}
