// RUN: fa3-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{must not have results}}
tile.kernel @k() -> index {
  tile.return
}

// -----

// expected-error@+1 {{argument #0: tile.argument must be a #tile.argument, not 1 : i64}}
tile.kernel @k(%x: memref<?xf32, strided<[1]>> {tile.argument = 1 : i64}) {
  tile.return
}

// -----

// expected-error@+1 {{argument #0 (x) must be a memref}}
tile.kernel @k(%x: index {tile.argument = #tile.argument<"x", "input", ["n"]>}) {
  tile.return
}

// -----

// expected-error@+1 {{argument #0 (x) must be strided, and its last stride must be 1}}
tile.kernel @k(%x: memref<?x4xf32, strided<[1, ?]>> {tile.argument = #tile.argument<"x", "input", ["n", "m"]>}) {
  tile.return
}

// -----

// expected-error@+1 {{argument #0 (x) names 1 dimensions, but has 2}}
tile.kernel @k(%x: memref<?x4xf32, strided<[?, 1]>> {tile.argument = #tile.argument<"x", "input", ["n"]>}) {
  tile.return
}

// -----

// expected-error@+1 {{argument #1: the name x is taken}}
tile.kernel @k(%x: memref<?xf32, strided<[1]>> {tile.argument = #tile.argument<"x", "input", ["n"]>},
                    %y: memref<?xf32, strided<[1]>> {tile.argument = #tile.argument<"x", "output", ["n"]>}) {
  tile.return
}

// -----

// expected-error@+1 {{a constraint must be {divides} or {at_most} with a pair of sizes, not ["n"]}}
tile.kernel @k() attributes {constraints = [["n"]]} {
  tile.return
}

// -----

// expected-error@+1 {{a constraint must be {divides} or {at_most} with a pair of sizes, not 3 : i64}}
tile.kernel @k() attributes {constraints = [3 : i64]} {
  tile.return
}

// -----

// expected-error@+1 {{must not have more than one tile.program_id, but has 2}}
tile.kernel @k(%n: index) {
  %a = tile.program_id(%n) : index
  %b = tile.program_id(%n) : index
  tile.return
}

// -----

// expected-error@+1 {{role must be "input", "output" or "workspace", not "inout"}}
#a = #tile.argument<"x", "inout", ["n"]>

// -----

// expected-error@+1 {{a tensor must have a name}}
#a = #tile.argument<"", "input", ["n"]>

// -----

// expected-error@+1 {{every dimension must have a name}}
#a = #tile.argument<"x", "input", ["n", ""]>

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{needs at least one extent}}
  "tile.program_id"() : () -> ()
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{has 1 extents, but 2 results}}
  %a:2 = tile.program_id(%i) : index, index
  tile.return
}

// -----

tile.kernel @k(%i: index) {
  // expected-error@+1 {{grouped must be a power of two, for a grid with at least two extents}}
  %a:2 = tile.program_id(%i, %i) grouped 12 : index, index
  tile.return
}

// -----

tile.kernel @k(%i: index) {
  // expected-error@+1 {{grouped must be a power of two, for a grid with at least two extents}}
  %a:2 = tile.program_id(%i, %i) grouped 0 : index, index
  tile.return
}

// -----

tile.kernel @k(%i: index) {
  // expected-error@+1 {{grouped must be a power of two, for a grid with at least two extents}}
  %a:2 = tile.program_id(%i, %i) grouped -16 : index, index
  tile.return
}

// -----

tile.kernel @k(%i: index) {
  // expected-error@+1 {{grouped must be a power of two, for a grid with at least two extents}}
  %a = tile.program_id(%i) grouped 16 : index
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{needs 2 indices, not 1}}
  %t = tile.load %x[%i] dims [0, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{elements of the tile are 'f16', but those in memory are 'bf16'}}
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dims must have two elements, or none if the tile is packed, not 1}}
  %t = tile.load %x[%i, %i] dims [0] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dims must be from -1 to 1, not 2}}
  %t = tile.load %x[%i, %i] dims [0, 2] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dims must be from -1 to 1, not -2}}
  %t = tile.load %x[%i, %i] dims [0, -2] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dimension 0 of the tile has size 64 and must run along a dimension of the memref}}
  %t = tile.load %x[%i, %i] dims [-1, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dims must be different}}
  %t = tile.load %x[%i, %i] dims [1, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{result #0 must be}}
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index, %t: vector<64x64xbf16>) {
  // expected-error@+1 {{needs 2 indices, not 3}}
  tile.store %t, %x[%i, %i, %i] dims [0, 1] : vector<64x64xbf16>, memref<?x64xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index, %t: vector<64x64xbf16>) {
  // expected-error@+1 {{dimension 1 of the tile has size 64 and must run along a dimension of the memref}}
  tile.store %t, %x[%i, %i] dims [0, -1] : vector<64x64xbf16>, memref<?x64xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dim must be 0 or 1, not 2}}
  %t = tile.iota 2 : vector<1x64xi32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dim must be 0 or 1, not -1}}
  %t = tile.iota -1 : vector<1x64xi32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dimension 0 of the result must have size 1}}
  %t = tile.iota 1 : vector<2x64xi32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error@+1 {{dimension 1 of the result must have size 1}}
  %t = tile.iota 0 : vector<64x2xi32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x64xf32>) {
  // expected-error@+1 {{dim must be 0 or 1, not 2}}
  %r = tile.reduce add %t dim 2 : vector<64x64xf32> -> vector<64x1xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x64xf32>) {
  // expected-error@+1 {{result must be 'vector<1x64xf32>', not 'vector<64x1xf32>'}}
  %r = tile.reduce add %t dim 0 : vector<64x64xf32> -> vector<64x1xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x64xf32>) {
  // expected-error@+1 {{result must be 'vector<64x1xf32>', not 'vector<64x1xf16>'}}
  %r = tile.reduce add %t dim 1 : vector<64x64xf32> -> vector<64x1xf16>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x60xf32>) {
  // expected-error@+1 {{columns of the source must be a multiple of 8, not 60}}
  %r = tile.partial_reduce %t : vector<64x60xf32> -> vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x64xf32>) {
  // expected-error@+1 {{result must be 'vector<64x8xf32>', not 'vector<64x4xf32>'}}
  %r = tile.partial_reduce %t : vector<64x64xf32> -> vector<64x4xf32>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xbf16>, %b: vector<16x32xbf16>) {
  // expected-error@+1 {{contracted dimensions must be 0 or 1}}
  %r = tile.dot %a, %b contract(1, 2) : vector<64x16xbf16>, vector<16x32xbf16> -> vector<64x32xf32>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xbf16>, %b: vector<16x32xf16>) {
  // expected-error@+1 {{elements of a are 'bf16', but those of b are 'f16'}}
  %r = tile.dot %a, %b contract(1, 0) : vector<64x16xbf16>, vector<16x32xf16> -> vector<64x32xf32>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xbf16>, %b: vector<16x32xbf16>) {
  // expected-error@+1 {{contracts dimension 1 of a, 16 elements, with dimension 1 of b, 32 elements}}
  %r = tile.dot %a, %b contract(1, 1) : vector<64x16xbf16>, vector<16x32xbf16> -> vector<64x16xf32>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xbf16>, %b: vector<16x32xbf16>) {
  // expected-error@+1 {{result must be 'vector<64x32xf32>', not 'vector<32x64xf32>'}}
  %r = tile.dot %a, %b contract(1, 0) : vector<64x16xbf16>, vector<16x32xbf16> -> vector<32x64xf32>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xf32>, %b: vector<16x32xf32>) {
  // expected-error@+1 {{result must not be narrower than the operands}}
  %r = tile.dot %a, %b contract(1, 0) : vector<64x16xf32>, vector<16x32xf32> -> vector<64x32xbf16>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xbf16>, %b: vector<16x32xbf16>, %c: vector<64x64xf32>) {
  // expected-error@+1 {{acc must be of the result's type 'vector<64x32xf32>', not 'vector<64x64xf32>'}}
  %r = tile.dot %a, %b, %c contract(1, 0) : vector<64x16xbf16>, vector<16x32xbf16>, vector<64x64xf32> -> vector<64x32xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x2xi1>) {
  // expected-error@+1 {{condition must have one column}}
  %r = tile.vote_any %t : vector<64x2xi1>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x8xi1>, %s: vector<64x8xf32>) {
  // expected-error@+1 {{condition must have one column}}
  %r = tile.uniform_if %t, %s {
    tile.yield %s : vector<64x8xf32>
  } : vector<64x8xi1>, vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<128x1xi1>, %s: vector<64x8xf32>) {
  // expected-error@+1 {{condition has 128 rows, but the tile has 64}}
  %r = tile.uniform_if %t, %s {
    tile.yield %s : vector<64x8xf32>
  } : vector<128x1xi1>, vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x1xi1>, %s: vector<64x8xf32>) {
  // expected-error@+1 {{region must end in tile.yield}}
  %r = tile.uniform_if %t, %s {
    llvm.unreachable
  } : vector<64x1xi1>, vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%t: vector<64x1xi1>, %s: vector<64x8xf32>) {
  %r = tile.uniform_if %t, %s {
    // expected-error@+1 {{value must be 'vector<64x8xf32>', not 'vector<64x1xi1>'}}
    tile.yield %t : vector<64x1xi1>
  } : vector<64x1xi1>, vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @packed_size(%x: memref<?x4096xf32, strided<[?, 1]>>) {
  %i = arith.constant 0 : index
  // expected-error@+1 {{a packed tile of 8192 elements must lie in the last dimension of}}
  %t = tile.load %x[%i, %i] dims [] : memref<?x4096xf32, strided<[?, 1]>>, vector<128x64xf32>
  tile.return
}

// -----

tile.kernel @reduce_store_size(%x: memref<?x4096xf32, strided<[?, 1]>>) {
  %i = arith.constant 0 : index
  %t = arith.constant dense<1.0> : vector<64x128xf32>
  // expected-error@+1 {{a packed tile of 8192 elements must lie in the last dimension of}}
  tile.reduce_store %t, %x[%i, %i] : vector<64x128xf32>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @begun_type(%x: memref<?x?x8192xf32, strided<[?, ?, 1]>>, %b: memref<?x?xi32, strided<[?, 1]>>, %t: vector<64x128xf32>, %i: index) {
  // expected-error@+1 {{says in f32 of rank 2 what has begun, not in 'memref<?x?xi32, strided<[?, 1]>>'}}
  tile.reduce_store %t, %x[%i, %i, %i] begun %b : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>, memref<?x?xi32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @begun_rank(%x: memref<?x?x8192xf32, strided<[?, ?, 1]>>, %t: vector<64x128xf32>, %i: index) {
  // A place has all elements of the tile.
  // expected-error@+1 {{says in f32 of rank 2 what has begun, not in 'memref<?x?x8192xf32, strided<[?, ?, 1]>>'}}
  tile.reduce_store %t, %x[%i, %i, %i] begun %x : vector<64x128xf32>, memref<?x?x8192xf32, strided<[?, ?, 1]>>, memref<?x?x8192xf32, strided<[?, ?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{a tile with ones has dims and more than 8 rows}}
  %v = tile.load %x[%c0, %c0] dims [0, 1] ones : memref<?x?xf8E4M3FN, strided<[?, 1]>>, vector<8x32xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{an interleaved or paired tile is one of 8-bit floats whose rows, a multiple of 16, run along the tensor's last dimension}}
  tile.store %b, %x[%c0, %c0] dims [0, 1] interleaved : vector<64x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{makes 8-bit floats of f32, not 'bf16' of 'f32'}}
  %p = tile.interleave %s : vector<64x32xf32> -> vector<64x32xbf16>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{source and result must have the same shape, with a multiple of 16 columns}}
  %p = tile.interleave %s : vector<64x32xf32> -> vector<32x32xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{takes columns from a multiple of 8 on, inside of 32, not 8 from 4}}
  %p = tile.columns %s from 4 : vector<64x32xf32> -> vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{takes columns from a multiple of 8 on, inside of 32, not 8 from 32}}
  %p = tile.columns %s from 32 : vector<64x32xf32> -> vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{result must have the rows and elements of 'vector<64x32xf32>', not be 'vector<32x8xf32>'}}
  %p = tile.columns %s from 0 : vector<64x32xf32> -> vector<32x8xf32>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  // expected-error@+1 {{gives 'vector<64x64xf32>' of two tiles with the same rows and elements, not 'vector<64x32xf32>' of 'vector<64x32xf32>' and 'vector<64x32xf32>'}}
  %p = tile.append %s, %s : vector<64x32xf32>, vector<64x32xf32> -> vector<64x32xf32>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x32xf32>, %b: vector<64x32xf8E4M3FN>) {
  // expected-error@+1 {{gives 'vector<64x64xf32>' of two tiles with the same rows and elements, not 'vector<64x64xf32>' of 'vector<64x32xf32>' and 'vector<64x32xf8E4M3FN>'}}
  %p = tile.append %s, %b : vector<64x32xf32>, vector<64x32xf8E4M3FN> -> vector<64x64xf32>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x4xf32>) {
  // expected-error@+1 {{columns of the first tile must be a multiple of 8, not 4}}
  %p = tile.append %s, %s : vector<64x4xf32>, vector<64x4xf32> -> vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{a tile is interleaved or paired, not both}}
  tile.store %b, %x[%c0, %c0] dims [1, 0] interleaved paired : vector<64x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %b: vector<64x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{an interleaved or paired tile is one of 8-bit floats whose rows, a multiple of 16, run along the tensor's last dimension}}
  tile.store %b, %x[%c0, %c0] dims [0, 1] paired : vector<64x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %b: vector<24x32xf8E4M3FN>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{an interleaved or paired tile is one of 8-bit floats whose rows, a multiple of 16, run along the tensor's last dimension}}
  tile.store %b, %x[%c0, %c0] dims [1, 0] paired : vector<24x32xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xbf16, strided<[?, 1]>>, %b: vector<64x32xbf16>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{an interleaved or paired tile is one of 8-bit floats whose rows, a multiple of 16, run along the tensor's last dimension}}
  tile.store %b, %x[%c0, %c0] dims [1, 0] paired : vector<64x32xbf16>, memref<?x?xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x32xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{makes 8-bit floats of f32, not 'f16' of 'f32'}}
  %p = tile.pair_rows %s : vector<64x32xf32> -> vector<64x32xf16>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x32xbf16>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{makes 8-bit floats of f32, not 'f8E4M3FN' of 'bf16'}}
  %p = tile.pair_rows %s : vector<64x32xbf16> -> vector<64x32xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @k(%s: vector<64x32xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{source and result must have the same shape, with a multiple of 16 rows}}
  %p = tile.pair_rows %s : vector<64x32xf32> -> vector<64x64xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @k(%s: vector<8x32xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{source and result must have the same shape, with a multiple of 16 rows}}
  %p = tile.pair_rows %s : vector<8x32xf32> -> vector<8x32xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xbf16, strided<[?, 1]>>, %s: vector<64x1xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{takes f32, not 'f32' for 'bf16'}}
  tile.max_store %s, %x[%c0, %c0] : vector<64x1xf32>, memref<?x?xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf32, strided<[?, 1]>>, %s: vector<64x1xbf16>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{takes f32, not 'bf16' for 'f32'}}
  tile.max_store %s, %x[%c0, %c0] : vector<64x1xbf16>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%x: memref<?x?xf32, strided<[?, 1]>>, %s: vector<64x1xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{needs 2 indices, not 1}}
  tile.max_store %s, %x[%c0] : vector<64x1xf32>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @k(%a: vector<64x16xf8E4M3FN>, %b: vector<16x32xf16>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{elements of a are 'f8E4M3FN', but those of b are 'f16'}}
  %r = tile.dot %a, %b contract(1, 0) : vector<64x16xf8E4M3FN>, vector<16x32xf16> -> vector<64x32xf32>
  tile.return
}
