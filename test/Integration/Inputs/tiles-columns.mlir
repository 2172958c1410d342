// Scores of 64 rows and 80 columns, which two warpgroups divide by columns; what
// is computed from them is shared and divided anew.
//
//   for each block of 64 queries and 80 keys, p = q k^T + l + r,
//   dv^T = sum over queries of q^T p, dq = p k of each block.

!t = memref<?x128xbf16, strided<[?, 1]>>
!l = memref<?x?xf32, strided<[?, 1]>>
module @columns {
  tile.kernel @columns_main(
      %q: !t {tile.argument = #tile.argument<"q", "input", ["queries", "dim"]>},
      %k: !t {tile.argument = #tile.argument<"k", "input", ["keys", "dim"]>},
      %l: !l {tile.argument = #tile.argument<"l", "input", ["one", "queries"]>},
      %r: !l {tile.argument = #tile.argument<"r", "input", ["blocks", "keys"]>},
      %dvt: memref<?x128x80xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"dvt", "output", ["groups", "height", "width"]>},
      %dq: memref<?x?x128xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"dq", "output", ["groups", "queries", "dim"]>})
      attributes {problem = {kind = "tiles"}, schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2, share_operands = true>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c80 = arith.constant 80 : index
    %zero = arith.constant dense<0.0> : vector<128x80xf32>
    %keys = memref.dim %k, %c0 : !t
    %groups = arith.ceildivui %keys, %c80 : index
    %j = tile.program_id(%groups) : index
    %key = arith.muli %j, %c80 : index
    %queries = memref.dim %q, %c0 : !t
    %n = arith.ceildivui %queries, %c64 : index
    %K = tile.load %k[%key, %c0] dims [0, 1] : !t, vector<80x128xbf16>
    %DV = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (vector<128x80xf32>) {
      %row = arith.muli %i, %c64 : index
      %Q = tile.load %q[%row, %c0] dims [0, 1] : !t, vector<64x128xbf16>
      %S = tile.dot %Q, %K contract(1, 1) : vector<64x128xbf16>, vector<80x128xbf16> -> vector<64x80xf32>
      %L = tile.load %l[%c0, %row] dims [1, -1] : !l, vector<64x1xf32>
      %R = tile.load %r[%i, %key] dims [-1, 1] : !l, vector<1x80xf32>
      %BL = vector.broadcast %L : vector<64x1xf32> to vector<64x80xf32>
      %BR = vector.broadcast %R : vector<1x80xf32> to vector<64x80xf32>
      %A = arith.addf %S, %BL : vector<64x80xf32>
      %P = arith.addf %A, %BR : vector<64x80xf32>
      %H = arith.truncf %P : vector<64x80xf32> to vector<64x80xbf16>
      %next = tile.dot %Q, %H, %acc contract(0, 0) : vector<64x128xbf16>, vector<64x80xbf16>, vector<128x80xf32> -> vector<128x80xf32>
      %DQ = tile.dot %H, %K contract(1, 0) : vector<64x80xbf16>, vector<80x128xbf16> -> vector<64x128xf32>
      tile.store %DQ, %dq[%j, %row, %c0] dims [1, 2] : vector<64x128xf32>, memref<?x?x128xf32, strided<[?, ?, 1]>>
      scf.yield %next : vector<128x80xf32>
    }
    tile.store %DV, %dvt[%j, %c0, %c0] dims [1, 2] : vector<128x80xf32>, memref<?x128x80xf32, strided<[?, ?, 1]>>
    tile.return
  }
}
