// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' --verify-diagnostics --split-input-file

// What is transposed is in a buffer that only the transposition reads.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @other_product(%v: !m, %p: !t) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a tile that feeds a product must have no other use: it is only in shared memory}}
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  %T = tile.transpose %V : !t -> !t
  %O = tile.dot %p, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  %S = tile.dot %p, %V contract(1, 1) : !t, !t -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @transposed_twice(%v: !m, %p: !t) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a tile that feeds a product must have no other use: it is only in shared memory}}
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  %T = tile.transpose %V : !t -> !t
  %U = tile.transpose %V ones : !t -> vector<72x64xf8E4M3FN>
  %O = tile.dot %p, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  %S = tile.dot %p, %U contract(1, 1) : !t, vector<72x64xf8E4M3FN> -> vector<64x72xf32>
  tile.return
}

// -----

// The transpose is only in shared memory, too.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @transpose_stored(%v: !m, %p: !t, %o: !m) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a tile that feeds a product must have no other use: it is only in shared memory}}
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  %T = tile.transpose %V : !t -> !t
  %O = tile.dot %p, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  tile.store %T, %o[%c0, %c0] dims [0, 1] : !t, !m
  tile.return
}

// -----

// A load is transposed where it is.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @transposed_in_a_loop(%v: !m, %p: !t, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{a tile that feeds a product must have no other use: it is only in shared memory}}
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  scf.for %j = %c0 to %n step %c1 {
    %T = tile.transpose %V : !t -> !t
    %O = tile.dot %p, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  }
  tile.return
}

// -----

// Tiles in registers are not transposed.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @computed(%v: !m, %p: !t, %x: vector<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %V = tile.interleave %x : vector<64x64xf32> -> !t
  %T = tile.transpose %V : !t -> !t
  // expected-error @+1 {{the second operand of a product of 8-bit floats must be loaded, or a result of tile.pair_rows}}
  %O = tile.dot %p, %T contract(1, 1) : !t, !t -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @transpose_of_transpose(%v: !m, %p: !t) {
  %c0 = arith.constant 0 : index
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  %T = tile.transpose %V : !t -> !t
  %U = tile.transpose %T : !t -> !t
  // expected-error @+1 {{the second operand of a product of 8-bit floats must be loaded, or a result of tile.pair_rows}}
  %O = tile.dot %p, %U contract(1, 1) : !t, !t -> vector<64x64xf32>
  tile.return
}

// -----

// Its columns are contracted, as those of any tile of 8-bit floats.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!t = vector<64x64xf8E4M3FN>
tile.kernel @rows(%v: !m, %p: !t) {
  %c0 = arith.constant 0 : index
  %V = tile.load %v[%c0, %c0] dims [0, 1] : !m, !t
  %T = tile.transpose %V : !t -> !t
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %O = tile.dot %p, %T contract(1, 0) : !t, !t -> vector<64x64xf32>
  tile.return
}
