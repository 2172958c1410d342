// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

!matrix = memref<?x?x64xbf16, strided<[?, ?, 1]>>
!column = memref<?x?xf32, strided<[?, 1]>>

// CHECK-LABEL: tile.kernel @all
// CHECK-SAME: {tile.argument = #tile.argument<"x", "input", ["batch", "rows", "cols"]>}
// CHECK-SAME: {tile.argument = #tile.argument<"y", "output", ["batch", "rows"]>}
// CHECK-SAME: constraints = [{divides = ["batch", "rows"]}]
// CHECK-SAME: problem = {kind = "test"}
// CHECK-SAME: schedule = #tile.schedule<block_q = 128, block_kv = 64>
tile.kernel @all(%x: !matrix {tile.argument = #tile.argument<"x", "input", ["batch", "rows", "cols"]>},
                 %y: !column {tile.argument = #tile.argument<"y", "output", ["batch", "rows"]>})
    attributes {constraints = [{divides = ["batch", "rows"]}], problem = {kind = "test"},
                schedule = #tile.schedule<block_q = 128, block_kv = 64>} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  // CHECK: %[[ID:.*]]:2 = tile.program_id(%{{.*}}, %{{.*}}) : index, index
  %i, %b = tile.program_id(%c4, %c4) : index, index
  // CHECK: %[[X:.*]] = tile.load %{{.*}}[%[[ID]]#1, %[[ID]]#0, %{{.*}}] dims [1, 2] : {{.*}}, vector<128x64xbf16>
  %t = tile.load %x[%b, %i, %c0] dims [1, 2] : !matrix, vector<128x64xbf16>
  // CHECK: %[[S:.*]] = tile.dot %[[X]], %[[X]] contract(1, 1) : vector<128x64xbf16>, vector<128x64xbf16> -> vector<128x128xf32>
  %s = tile.dot %t, %t contract(1, 1) : vector<128x64xbf16>, vector<128x64xbf16> -> vector<128x128xf32>
  // CHECK: tile.dot %[[X]], %[[X]], %[[S]] contract(1, 1) : vector<128x64xbf16>, vector<128x64xbf16>, vector<128x128xf32> -> vector<128x128xf32>
  %s1 = tile.dot %t, %t, %s contract(1, 1) : vector<128x64xbf16>, vector<128x64xbf16>, vector<128x128xf32> -> vector<128x128xf32>
  // CHECK: tile.dot %[[X]], %[[X]] contract(0, 0) : {{.*}} -> vector<64x64xf32>
  %s2 = tile.dot %t, %t contract(0, 0) : vector<128x64xbf16>, vector<128x64xbf16> -> vector<64x64xf32>
  // CHECK: tile.iota 0 : vector<128x1xi32>
  %rows = tile.iota 0 : vector<128x1xi32>
  // CHECK: tile.iota 1 : vector<1x128xi32>
  %cols = tile.iota 1 : vector<1x128xi32>
  // CHECK: tile.reduce maxnum %{{.*}} dim 1 : vector<128x128xf32> -> vector<128x1xf32>
  %m = tile.reduce maxnum %s1 dim 1 : vector<128x128xf32> -> vector<128x1xf32>
  // CHECK: tile.reduce add %{{.*}} dim 0 : vector<128x128xf32> -> vector<1x128xf32>
  %a = tile.reduce add %s1 dim 0 : vector<128x128xf32> -> vector<1x128xf32>
  // CHECK: tile.partial_reduce %{{.*}} : vector<128x128xf32> -> vector<128x8xf32>
  %p = tile.partial_reduce %s1 : vector<128x128xf32> -> vector<128x8xf32>
  %grow = arith.cmpf ogt, %m, %m : vector<128x1xf32>
  // CHECK: %[[VOTE:.*]] = tile.vote_any %{{.*}} : vector<128x1xi1>
  %vote = tile.vote_any %grow : vector<128x1xi1>
  // CHECK: tile.uniform_if %[[VOTE]], %[[S]] {
  // CHECK:   tile.yield %{{.*}} : vector<128x128xf32>
  // CHECK: } : vector<128x1xi1>, vector<128x128xf32>
  %u = tile.uniform_if %vote, %s {
    %twice = arith.addf %s, %s : vector<128x128xf32>
    tile.yield %twice : vector<128x128xf32>
  } : vector<128x1xi1>, vector<128x128xf32>
  // CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] dims [1, -1] : vector<128x1xf32>, {{.*}}
  tile.store %m, %y[%b, %i] dims [1, -1] : vector<128x1xf32>, !column
  // CHECK: tile.return
  tile.return
}

// Every field of a schedule; those with their default value are not printed.
// CHECK-LABEL: tile.kernel @schedules
// CHECK-SAME: a = #tile.schedule<block_q = 192, block_kv = 80, warpgroups = 3, stages = 3, overlap = false, specialize = false, pingpong = false, split_loops = false, lazy_rescale = 8, chains = 2, longest_first = true, producer_registers = 32, consumer_registers = 160>
// CHECK-SAME: b = #tile.schedule<block_q = 64, block_kv = 16, warpgroups = 1>
// CHECK-SAME: c = #tile.schedule<block_q = 64, block_kv = 64, transpose_s = true, separate_dq = true, bulk_reduce = false>
// CHECK-SAME: d = #tile.schedule<block_q = 128, block_kv = 64, late_waits = true, persistent = 32>
// CHECK-SAME: e = #tile.schedule<block_q = 128, block_kv = 64, persistent = 2147483647>
// CHECK-SAME: f = #tile.schedule<block_q = 128, block_kv = 64>
// CHECK-SAME: g = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true, group_tiles = 65536, persistent = 32>
// CHECK-SAME: h = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true>
// CHECK-SAME: i = #tile.schedule<block_q = 128, block_kv = 64, store_first = 16>
// CHECK-SAME: j = #tile.schedule<block_q = 128, block_kv = 64, store_first = 2147483647>
// CHECK-SAME: k = #tile.schedule<block_q = 128, block_kv = 64, specialize = false, bulk_reduce = false>
tile.kernel @schedules() attributes {
    a = #tile.schedule<block_q = 192, block_kv = 80, warpgroups = 3, stages = 3, overlap = false, specialize = false,
                       pingpong = false, split_loops = false, lazy_rescale = 8, chains = 2, longest_first = true,
                       producer_registers = 32, consumer_registers = 160>,
    b = #tile.schedule<block_q = 64, block_kv = 16, warpgroups = 1, stages = 2>,
    c = #tile.schedule<block_q = 64, block_kv = 64, transpose_s = true, share_operands = false, separate_dq = true, bulk_reduce = false>,
    d = #tile.schedule<block_q = 128, block_kv = 64, late_waits = true, persistent = 32>,
    e = #tile.schedule<block_q = 128, block_kv = 64, persistent = 2147483647>,
    f = #tile.schedule<block_q = 128, block_kv = 64, late_waits = false, persistent = 0>,
    g = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true, group_tiles = 65536, persistent = 32>,
    h = #tile.schedule<block_q = 128, block_kv = 64, longest_first = true, group_tiles = 0>,
    i = #tile.schedule<block_q = 128, block_kv = 64, specialize = true, bulk_reduce = true, store_first = 16>,
    j = #tile.schedule<block_q = 128, block_kv = 64, store_first = 2147483647>,
    k = #tile.schedule<block_q = 128, block_kv = 64, specialize = false, bulk_reduce = false, store_first = 0>} {
  tile.return
}

// A grid whose first dimension varies slowest within a group.
// CHECK-LABEL: tile.kernel @grouped
// CHECK: %[[ID:.*]]:3 = tile.program_id(%{{.*}}, %{{.*}}, %{{.*}}) grouped 16 : index, index, index
// CHECK: tile.load %{{.*}}[%[[ID]]#2, %[[ID]]#0, %[[ID]]#1]
tile.kernel @grouped(%x: !matrix, %blocks: index, %heads: index, %batch: index) {
  %i, %h, %b = tile.program_id(%blocks, %heads, %batch) grouped 16 : index, index, index
  %t = tile.load %x[%b, %i, %h] dims [1, 2] : !matrix, vector<128x64xbf16>
  tile.return
}

// Packed tiles, and scratch memory with a computed dimension.
// CHECK-LABEL: tile.kernel @packed
// CHECK-SAME: #tile.argument<"acc", "workspace", ["batch", {args = ["seqlen_q", 64], op = "ceildiv"}, "tile"]>
// CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] dims []
// CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] dims []
// CHECK: tile.reduce_store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : vector<64x128xf32>
tile.kernel @packed(%acc: memref<?x?x8192xf32, strided<[?, ?, 1]>>
    {tile.argument = #tile.argument<"acc", "workspace", ["batch", {op = "ceildiv", args = ["seqlen_q", 64]}, "tile"]>}) {
  %i = arith.constant 0 : index
  %t = tile.load %acc[%i, %i, %i] dims [] : memref<?x?x8192xf32, strided<[?, ?, 1]>>, vector<64x128xf32>
  tile.store %t, %acc[%i, %i, %i] dims [] : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>
  tile.reduce_store %t, %acc[%i, %i, %i] : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>
  tile.return
}

// Sums that begin with a tile: at each place something says whether they have.
// CHECK-LABEL: tile.kernel @begun
// CHECK-SAME: (%[[ACC:[a-z0-9]+]]: memref<{{.*}}>, %[[BEGUN:[a-z0-9]+]]: memref<{{.*}}>, %[[T:[a-z0-9]+]]: vector<64x128xf32>)
// CHECK: tile.reduce_store %[[T]], %[[ACC]][%[[I:.*]], %[[I]], %[[I]]] begun %[[BEGUN]] : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>, memref<?x?xf32, strided<[?, 1]>>
// CHECK: tile.reduce_store %[[T]], %[[ACC]][%[[I]], %[[I]], %[[I]]] : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>{{$}}
tile.kernel @begun(%acc: memref<?x?x8192xf32, strided<[?, ?, 1]>>, %begun: !column, %t: vector<64x128xf32>) {
  %i = arith.constant 0 : index
  tile.reduce_store %t, %acc[%i, %i, %i] begun %begun : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>, !column
  tile.reduce_store %t, %acc[%i, %i, %i] : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>
  tile.return
}

// 8-bit floats, and parts of tiles.
// CHECK-LABEL: tile.kernel @narrow
// CHECK: %[[V:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}] dims [0, 1] ones : {{.*}}, vector<72x32xf8E4M3FN>
// CHECK: %[[P:.*]] = tile.interleave %{{.*}} : vector<64x32xf32> -> vector<64x32xf8E4M3FN>
// CHECK: %[[O:.*]] = tile.dot %[[P]], %[[V]] contract(1, 1) : vector<64x32xf8E4M3FN>, vector<72x32xf8E4M3FN> -> vector<64x72xf32>
// CHECK: %[[L:.*]] = tile.columns %[[O]] from 64 : vector<64x72xf32> -> vector<64x8xf32>
// CHECK: tile.append %[[O]], %[[L]] : vector<64x72xf32>, vector<64x8xf32> -> vector<64x80xf32>
// CHECK: tile.store %[[P]], %{{.*}}[%{{.*}}, %{{.*}}] dims [1, 0] interleaved : vector<64x32xf8E4M3FN>
// CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}] dims [-1, -1] : {{.*}}, vector<1x1xf8E4M3FN>
tile.kernel @narrow(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0, %c0] dims [0, 1] ones : memref<?x?xf8E4M3FN, strided<[?, 1]>>, vector<72x32xf8E4M3FN>
  %s = arith.constant dense<0.5> : vector<64x32xf32>
  %p = tile.interleave %s : vector<64x32xf32> -> vector<64x32xf8E4M3FN>
  %o = tile.dot %p, %v contract(1, 1) : vector<64x32xf8E4M3FN>, vector<72x32xf8E4M3FN> -> vector<64x72xf32>
  %l = tile.columns %o from 64 : vector<64x72xf32> -> vector<64x8xf32>
  %w = tile.append %o, %l : vector<64x72xf32>, vector<64x8xf32> -> vector<64x80xf32>
  tile.store %p, %x[%c0, %c0] dims [1, 0] interleaved : vector<64x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  %one = tile.load %x[%c0, %c0] dims [-1, -1] : memref<?x?xf8E4M3FN, strided<[?, 1]>>, vector<1x1xf8E4M3FN>
  tile.return
}

// Pairs of rows, and operands of two types.
// CHECK-LABEL: tile.kernel @pairs
// CHECK: %[[P:.*]] = tile.pair_rows %{{.*}} : vector<64x32xf32> -> vector<64x32xf8E4M3FN>
// CHECK: %[[G:.*]] = tile.pair_rows %{{.*}} : vector<64x32xf32> -> vector<64x32xf8E5M2>
// CHECK: tile.dot %[[P]], %[[G]] contract(0, 0) : vector<64x32xf8E4M3FN>, vector<64x32xf8E5M2> -> vector<32x32xf32>
// CHECK: tile.store %[[P]], %{{.*}}[%{{.*}}, %{{.*}}] dims [1, 0] paired : vector<64x32xf8E4M3FN>, memref<
// CHECK: tile.max_store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : vector<64x32xf32>, memref<?x?xf32, strided<[?, 1]>>
tile.kernel @pairs(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %y: memref<?x?xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %s = arith.constant dense<0.5> : vector<64x32xf32>
  %p = tile.pair_rows %s : vector<64x32xf32> -> vector<64x32xf8E4M3FN>
  %g = tile.pair_rows %s : vector<64x32xf32> -> vector<64x32xf8E5M2>
  %o = tile.dot %p, %g contract(0, 0) : vector<64x32xf8E4M3FN>, vector<64x32xf8E5M2> -> vector<32x32xf32>
  tile.store %p, %x[%c0, %c0] dims [1, 0] paired : vector<64x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.max_store %s, %y[%c0, %c0] : vector<64x32xf32>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}
