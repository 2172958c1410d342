// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-tile-to-hopper))' --verify-diagnostics --split-input-file

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @other_use(%q: !m, %o: !m) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{a tile that feeds a product must have no other use: it is only in shared memory}}
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  tile.store %Q, %o[%c0, %c0] dims [0, 1] : vector<64x64xbf16>, !m
  tile.return
}

// -----

tile.kernel @columns_across(%q: memref<64x?xbf16, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{columns of a tile that feeds a product must run along the tensor's last dimension: contract the product's other dimension instead}}
  %Q = tile.load %q[%c0, %c0] dims [1, 0] : memref<64x?xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @not_an_argument(%q: !m, %k: !m, %which: i1) {
  %c0 = arith.constant 0 : index
  %x = arith.select %which, %q, %k : !m
  // expected-error @+1 {{a tile that feeds a product must be loaded from an argument of the kernel: TMA needs a tensor map of it}}
  %Q = tile.load %x[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @an_iteration_argument(%q: !m, %k: !m, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%x = %q, %y = %k) -> (!m, !m) {
    // expected-error @+1 {{a tile that feeds a product must be loaded from an argument of the kernel}}
    %Q = tile.load %x[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
    %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    scf.yield %y, %x : !m, !m
  }
  tile.return
}

// -----

!f = memref<?x64xf32, strided<[?, 1]>>
tile.kernel @f32_operands(%q: !f) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !f, vector<64x64xf32>
  // expected-error @+1 {{the operands of a product must be f16, bf16 or 8-bit floats, not 'f32'}}
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xf32>, vector<64x64xf32> -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @narrow_result(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  // expected-error @+1 {{the result of a product must be f32, not 'bf16'}}
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xbf16>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @rows(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<32x64xbf16>
  // expected-error @+1 {{the result of a product must have a multiple of 64 rows, not 32}}
  %S = tile.dot %Q, %Q contract(1, 1) : vector<32x64xbf16>, vector<32x64xbf16> -> vector<32x32xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @columns(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %K = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<12x64xbf16>
  // expected-error @+1 {{the result of a product must have a multiple of 8 columns, 256 at most, not 12}}
  %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<12x64xbf16> -> vector<64x12xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @wide(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %K = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<512x64xbf16>
  // expected-error @+1 {{the result of a product must have a multiple of 8 columns, 256 at most, not 512}}
  %S = tile.dot %Q, %K contract(1, 1) : vector<64x64xbf16>, vector<512x64xbf16> -> vector<64x512xf32>
  tile.return
}

// -----

!m = memref<?x40xbf16, strided<[?, 1]>>
tile.kernel @contraction(%q: !m) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x40xbf16>
  // expected-error @+1 {{a product of 'bf16' must contract a multiple of 16 elements, not 40}}
  %S = tile.dot %Q, %Q contract(1, 1) : vector<64x40xbf16>, vector<64x40xbf16> -> vector<64x64xf32>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @divergent(%q: !m, %c: vector<64x1xi1>, %x: vector<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !m, vector<64x64xbf16>
  %g = tile.vote_any %c : vector<64x1xi1>
  // expected-note @+1 {{enclosed by this operation}}
  %y = tile.uniform_if %g, %x {
    // expected-error @+1 {{a product must be in scf.for and scf.if only: all threads of a warpgroup execute it together}}
    %S = tile.dot %Q, %Q contract(1, 1) : vector<64x64xbf16>, vector<64x64xbf16> -> vector<64x64xf32>
    tile.yield %S : vector<64x64xf32>
  } : vector<64x1xi1>, vector<64x64xf32>
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
tile.kernel @narrow_rows(%q: !n) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, vector<64x64xf8E4M3FN>
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %S = tile.dot %Q, %Q contract(1, 0) : vector<64x64xf8E4M3FN>, vector<64x64xf8E4M3FN> -> vector<64x64xf32>
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @columns_of_pairs(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = tile.pair_rows %x : !t -> !q
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %S = tile.dot %P, %Q contract(1, 1) : !q, !q -> !t
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @columns_of_second_pairs(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = tile.pair_rows %x : !t -> !q
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %S = tile.dot %Q, %P contract(1, 1) : !q, !q -> !t
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @rows_beside_pairs(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = tile.pair_rows %x : !t -> !q
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %S = tile.dot %P, %Q contract(0, 0) : !q, !q -> !t
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @rows_of_computed(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = tile.interleave %x : !t -> !q
  // expected-error @+1 {{a product of 8-bit floats must contract the columns of both operands, or the rows of a result of tile.pair_rows}}
  %S = tile.dot %P, %Q contract(0, 1) : !q, !q -> !t
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @computed_second(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = tile.interleave %x : !t -> !q
  // expected-error @+1 {{the second operand of a product of 8-bit floats must be loaded, or a result of tile.pair_rows}}
  %S = tile.dot %Q, %P contract(1, 1) : !q, !q -> !t
  tile.return
}

// -----

!n = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!q = vector<64x64xf8E4M3FN>
!t = vector<64x64xf32>
tile.kernel @rounded_second(%q: !n, %x: !t) {
  %c0 = arith.constant 0 : index
  %Q = tile.load %q[%c0, %c0] dims [0, 1] : !n, !q
  %P = arith.truncf %x : !t to !q
  // expected-error @+1 {{the second operand of a product of 8-bit floats must be loaded, or a result of tile.pair_rows}}
  %S = tile.dot %Q, %P contract(1, 1) : !q, !q -> !t
  tile.return
}
