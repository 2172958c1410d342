// Computed tiles that products read from shared memory, sums of packed tiles in
// a workspace, and rows that a producer loads. Tiles are divided by rows.
//
//   sums of rows of q; for each block of 128 keys and 64 queries, p = k q^T + l,
//   dk = sum over queries of p q, dq^T = sum over keys of k^T p.

!t = memref<?x128xbf16, strided<[?, 1]>>
!l = memref<?x?xf32, strided<[?, 1]>>
!s = memref<?x8192xf32, strided<[?, 1]>>
module @rows {
  tile.kernel @rows_clear(
      %q: !t {tile.argument = #tile.argument<"q", "input", ["queries", "dim"]>},
      %sum: memref<?xf32, strided<[1]>> {tile.argument = #tile.argument<"sum", "output", ["queries"]>},
      %s: !s {tile.argument = #tile.argument<"s", "workspace", [{op = "ceildiv", args = ["queries", 64]}, "tile"]>})
      attributes {problem = {kind = "tiles"}, schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : vector<128x64xf32>
    %queries = memref.dim %q, %c0 : !t
    %n = arith.ceildivui %queries, %c64 : index
    %i = tile.program_id(%n) : index
    %row = arith.muli %i, %c64 : index
    %Q = tile.load %q[%row, %c0] dims [0, 1] : !t, vector<64x128xbf16>
    %W = arith.extf %Q : vector<64x128xbf16> to vector<64x128xf32>
    %S = tile.reduce add %W dim 1 : vector<64x128xf32> -> vector<64x1xf32>
    tile.store %S, %sum[%row] dims [0, -1] : vector<64x1xf32>, memref<?xf32, strided<[1]>>
    tile.store %zero, %s[%i, %c0] dims [] : vector<128x64xf32>, !s
    tile.return
  }
  tile.kernel @rows_main(
      %q: !t {tile.argument = #tile.argument<"q", "input", ["queries", "dim"]>},
      %k: !t {tile.argument = #tile.argument<"k", "input", ["keys", "dim"]>},
      %l: !l {tile.argument = #tile.argument<"l", "input", ["one", "queries"]>},
      %s: !s {tile.argument = #tile.argument<"s", "workspace", [{op = "ceildiv", args = ["queries", 64]}, "tile"]>},
      %dk: memref<?x128xf32, strided<[?, 1]>> {tile.argument = #tile.argument<"dk", "output", ["keys", "dim"]>},
      %dkt: memref<?x256xbf16, strided<[?, 1]>> {tile.argument = #tile.argument<"dkt", "output", ["rows", "most"]>})
      attributes {schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 2>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %zero = arith.constant dense<0.0> : vector<128x128xf32>
    %keys = memref.dim %k, %c0 : !t
    %blocks = arith.ceildivui %keys, %c128 : index
    %j = tile.program_id(%blocks) : index
    %key = arith.muli %j, %c128 : index
    %queries = memref.dim %q, %c0 : !t
    %n = arith.ceildivui %queries, %c64 : index
    %K = tile.load %k[%key, %c0] dims [0, 1] : !t, vector<128x128xbf16>
    %DK = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<128x128xf32>) {
      %row = arith.muli %i, %c64 : index
      %Q = tile.load %q[%row, %c0] dims [0, 1] : !t, vector<64x128xbf16>
      %S = tile.dot %K, %Q contract(1, 1) : vector<128x128xbf16>, vector<64x128xbf16> -> vector<128x64xf32>
      %L = tile.load %l[%c0, %row] dims [-1, 1] : !l, vector<1x64xf32>
      %B = vector.broadcast %L : vector<1x64xf32> to vector<128x64xf32>
      %P = arith.addf %S, %B : vector<128x64xf32>
      %H = arith.truncf %P : vector<128x64xf32> to vector<128x64xbf16>
      %next = tile.dot %H, %Q, %acc contract(1, 0) : vector<128x64xbf16>, vector<64x128xbf16>, vector<128x128xf32> -> vector<128x128xf32>
      %DQ = tile.dot %K, %H contract(0, 0) : vector<128x128xbf16>, vector<128x64xbf16> -> vector<128x64xf32>
      tile.reduce_store %DQ, %s[%i, %c0] : vector<128x64xf32>, !s
      scf.yield %next : vector<128x128xf32>
    }
    tile.store %DK, %dk[%key, %c0] dims [0, 1] : vector<128x128xf32>, memref<?x128xf32, strided<[?, 1]>>
    %N = arith.truncf %DK : vector<128x128xf32> to vector<128x128xbf16>
    tile.store %N, %dkt[%c0, %key] dims [1, 0] : vector<128x128xbf16>, memref<?x256xbf16, strided<[?, 1]>>
    tile.return
  }
  tile.kernel @rows_finish(
      %s: !s {tile.argument = #tile.argument<"s", "workspace", [{op = "ceildiv", args = ["queries", 64]}, "tile"]>},
      %dqt: memref<?x128x64xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"dqt", "output", ["blocks", "height", "width"]>})
      attributes {schedule = #tile.schedule<block_q = 64, block_kv = 128, warpgroups = 2>} {
    %c0 = arith.constant 0 : index
    %n = memref.dim %s, %c0 : !s
    %i = tile.program_id(%n) : index
    %T = tile.load %s[%i, %c0] dims [] : !s, vector<128x64xf32>
    tile.store %T, %dqt[%i, %c0, %c0] dims [1, 2] : vector<128x64xf32>, memref<?x128x64xf32, strided<[?, ?, 1]>>
    tile.return
  }
}
