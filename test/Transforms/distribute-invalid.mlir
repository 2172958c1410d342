// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-distribute))' --verify-diagnostics --split-input-file

tile.kernel @ring() {
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  %r = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  tile.return
}

// -----

tile.kernel @turn() {
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  hopper.turn_pass
  tile.return
}

// -----

tile.kernel @shape() {
  // expected-error @+1 {{cannot be distributed over a warpgroup: rows must be 1 or a multiple of 64, columns 1 or a multiple of 8 (of 16 in 8 bits), and narrow floats need columns}}
  %x = arith.constant dense<1.0> : vector<32x8xf32>
  tile.return
}

// -----

tile.kernel @rank_one() {
  // expected-error @+1 {{a tile of type 'vector<64xf32>' cannot be distributed over a warpgroup}}
  %x = arith.constant dense<1.0> : vector<64xf32>
  tile.return
}

// -----

tile.kernel @narrow_statistic() {
  // expected-error @+1 {{a tile of type 'vector<64x1xbf16>' cannot be distributed over a warpgroup}}
  %x = arith.constant dense<1.0> : vector<64x1xbf16>
  tile.return
}

// -----

tile.kernel @constant() {
  // expected-error @+1 {{only splat constants can be distributed}}
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : vector<1x8xf32>
  tile.return
}

// -----

tile.kernel @narrow_arithmetic() {
  %x = arith.constant dense<1.0> : vector<64x8xbf16>
  // expected-error @+1 {{arithmetic on narrow tiles is not distributed: compute in f32 and narrow at the end}}
  %y = arith.addf %x, %x : vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @narrow_compare() {
  %x = arith.constant dense<1.0> : vector<64x8xbf16>
  // expected-error @+1 {{arithmetic on narrow tiles is not distributed: compute in f32 and narrow at the end}}
  %y = arith.cmpf ogt, %x, %x : vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @narrow_broadcast(%s: bf16) {
  // expected-error @+1 {{a broadcast of narrow floats is not distributed: broadcast in f32 and narrow at the end}}
  %y = vector.broadcast %s : bf16 to vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @narrow_reduce() {
  %x = arith.constant dense<1.0> : vector<64x8xbf16>
  %w = arith.extf %x : vector<64x8xbf16> to vector<64x8xf32>
  // expected-error @+1 {{only reductions of rows are distributed: a column is spread over all warps}}
  %y = tile.reduce add %w dim 0 : vector<64x8xf32> -> vector<1x8xf32>
  tile.return
}

// -----

tile.kernel @narrow_load(%m: memref<?x8xf64, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{only tiles of floats are loaded to registers}}
  %y = tile.load %m[%i, %i] dims [0, 1] : memref<?x8xf64, strided<[?, 1]>>, vector<64x8xf64>
  tile.return
}

// -----

tile.kernel @stored_type(%m: memref<?x8xf64, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x8xf64>
  // expected-error @+1 {{only f32, i32 and narrow float tiles are stored, not 'f64'}}
  tile.store %x, %m[%i, %i] dims [0, 1] : vector<64x8xf64>, memref<?x8xf64, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @stored_columns(%m: memref<?x?xbf16, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x8xbf16>
  // expected-error @+1 {{16-bit floats are stored in pairs: the tensor's last dimension must have an even static size where the tile may leave it}}
  tile.store %x, %m[%i, %i] dims [0, 1] : vector<64x8xbf16>, memref<?x?xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @stored_across(%m: memref<?x?xf32, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x8xf32>
  // expected-error @+1 {{columns of a stored tile must run along the tensor's last dimension, or, of 16-bit floats, the rows}}
  tile.store %x, %m[%i, %i] dims [1, 0] : vector<64x8xf32>, memref<?x?xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @stored_byte_row(%m: memref<16xf8E4M3FN, strided<[1]>>) {
  %i = arith.constant 0 : index
  %x = arith.constant dense<1.0> : vector<1x16xf8E4M3FN>
  // expected-error @+1 {{a stored tile of 8-bit floats must have rows, and columns along the tensor's last dimension}}
  tile.store %x, %m[%i] dims [-1, 0] : vector<1x16xf8E4M3FN>, memref<16xf8E4M3FN, strided<[1]>>
  tile.return
}

// -----

tile.kernel @stored_bytes(%m: memref<?x?xf8E4M3FN, strided<[?, 1]>>) {
  %i = arith.constant 0 : index
  %x = arith.constant dense<1.0> : vector<64x16xf8E4M3FN>
  // expected-error @+1 {{8-bit floats are stored 16 at a time: the size of the tensor's last dimension and the index in it must be static multiples of that}}
  tile.store %x, %m[%i, %i] dims [0, 1] : vector<64x16xf8E4M3FN>, memref<?x?xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @stored_odd_bytes(%m: memref<?x24xf8E4M3FN, strided<[?, 1]>>) {
  %i = arith.constant 0 : index
  %x = arith.constant dense<1.0> : vector<64x16xf8E4M3FN>
  // expected-error @+1 {{8-bit floats are stored 16 at a time}}
  tile.store %x, %m[%i, %i] dims [0, 1] : vector<64x16xf8E4M3FN>, memref<?x24xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @stored_bytes_between(%m: memref<?x32xf8E4M3FN, strided<[?, 1]>>) {
  %i = arith.constant 8 : index
  %x = arith.constant dense<1.0> : vector<64x16xf8E4M3FN>
  // expected-error @+1 {{8-bit floats are stored 16 at a time}}
  tile.store %x, %m[%i, %i] dims [0, 1] : vector<64x16xf8E4M3FN>, memref<?x32xf8E4M3FN, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @narrowed(%m: memref<?x8xf32, strided<[?, 1]>>) {
  %x = arith.constant dense<1.0> : vector<64x8xf64>
  // expected-error @+1 {{only f32 tiles can be narrowed, to 16-bit and 8-bit floats}}
  %y = arith.truncf %x : vector<64x8xf64> to vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @not_voted() {
  %c = tile.iota 0 : vector<64x1xi32>
  %b = arith.cmpi slt, %c, %c : vector<64x1xi32>
  %x = arith.constant dense<1.0> : vector<64x1xf32>
  // expected-error @+1 {{the condition must come from tile.vote_any: a warp takes the branch as a whole}}
  %y = tile.uniform_if %b, %x {
    tile.yield %x : vector<64x1xf32>
  } : vector<64x1xi1>, vector<64x1xf32>
  tile.return
}

// -----

tile.kernel @transpose() {
  %x = arith.constant dense<1.0> : vector<64x64xf32>
  // expected-error @+1 {{has no distribution over a warpgroup}}
  %y = vector.transpose %x, [1, 0] : vector<64x64xf32> to vector<64x64xf32>
  tile.return
}

// -----

tile.kernel @region() {
  // expected-error @+1 {{has no distribution over a warpgroup}}
  scf.execute_region {
    %x = arith.constant dense<1.0> : vector<64x8xf32>
    scf.yield
  }
  tile.return
}

// -----

tile.kernel @share(%x: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  %r = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x64xbf16>
  %b = hopper.share %t, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  tile.return
}

// -----

tile.kernel @transpose(%v: memref<?x64xf8E4M3FN, strided<[?, 1]>>, %i: index) {
  %x = tile.load %v[%i, %i] dims [0, 1] : memref<?x64xf8E4M3FN, strided<[?, 1]>>, vector<64x64xf8E4M3FN>
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  %t = tile.transpose %x : vector<64x64xf8E4M3FN> -> vector<64x64xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @ring_transpose(%r: !hopper.ring<1, vector<32x64xf8E4M3FN>>, %t: !hopper.ring<1, vector<64x32xf8E4M3FN>>) {
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  hopper.ring_transpose %r, %t : !hopper.ring<1, vector<32x64xf8E4M3FN>> to !hopper.ring<1, vector<64x32xf8E4M3FN>>
  tile.return
}

// -----

!b = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
tile.kernel @buffer_transpose(%a: i32, %c: i32) {
  %from = hopper.view %a : !b
  %to = hopper.view %c : !b
  // expected-error @+1 {{belongs to the role that transposes}}
  hopper.buffer_transpose %from, %to : !b to !b
  tile.return
}

// -----

!b = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
tile.kernel @buffer_transpose_in_consumer(%a: i32, %c: i32) {
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    %from = hopper.view %a : !b
    %to = hopper.view %c : !b
    // expected-error @+1 {{belongs to the role that transposes}}
    hopper.buffer_transpose %from, %to : !b to !b
  } transpose {
  }
  tile.return
}

// -----

tile.kernel @out_put(%r: !hopper.ring<1, vector<64x64xf32>>, %x: memref<?x4096xf32, strided<[?, 1]>>, %i: index) {
  %t = tile.load %x[%i, %i] dims [] : memref<?x4096xf32, strided<[?, 1]>>, vector<64x64xf32>
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  hopper.out_put %t, %r : vector<64x64xf32>, !hopper.ring<1, vector<64x64xf32>>
  tile.return
}

// -----

tile.kernel @out_reduce(%r: !hopper.ring<1, vector<64x64xf32>>, %x: memref<?x4096xf32, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{must be expanded before tiles are distributed}}
  hopper.out_reduce %r, %x[%i, %i] : !hopper.ring<1, vector<64x64xf32>>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @loaded_tile(%a: i32) {
  %b = hopper.view %a : !hopper.buffer<vector<64x8xf32>, 64>
  // expected-error @+1 {{only a row or a column is read from a buffer, not 'vector<64x8xf32>'}}
  %x = hopper.buffer_load %b : !hopper.buffer<vector<64x8xf32>, 64> -> vector<64x8xf32>
  tile.return
}

// -----

tile.kernel @stored_bytes(%a: i32) {
  %zero = arith.constant 0 : i32
  %x = arith.constant dense<1.0> : vector<64x16xf8E4M3FN>
  %b = hopper.view %a : !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
  // expected-error @+1 {{a tile of 8-bit floats is stored in a buffer transposed, by pairs of rows (tile.pair_rows)}}
  hopper.buffer_store %x, %b[%zero, %zero] : vector<64x16xf8E4M3FN>, !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
  tile.return
}

// -----

tile.kernel @packed_row(%w: memref<?x4096xf32, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{only f32 tiles with rows and columns are packed, not 'vector<1x16xf32>'}}
  %x = tile.load %w[%i, %i] dims [] : memref<?x4096xf32, strided<[?, 1]>>, vector<1x16xf32>
  tile.return
}

// -----

tile.kernel @packed_halves(%w: memref<?x4096xbf16, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x16xbf16>
  // expected-error @+1 {{only f32 tiles with rows and columns are packed, not 'vector<64x16xbf16>'}}
  tile.store %x, %w[%i, %i] dims [] : vector<64x16xbf16>, memref<?x4096xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @added_column(%w: memref<?x4096xf32, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x1xf32>
  // expected-error @+1 {{only f32 tiles with rows and columns are packed, not 'vector<64x1xf32>'}}
  tile.reduce_store %x, %w[%i, %i] : vector<64x1xf32>, memref<?x4096xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @begun(%w: memref<?x4096xf32, strided<[?, 1]>>, %b: memref<?xf32, strided<[1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x64xf32>
  // expected-error @+1 {{that the first tile is stored needs bulk_reduce in the schedule: threads do not know of each other's}}
  tile.reduce_store %x, %w[%i, %i] begun %b : vector<64x64xf32>, memref<?x4096xf32, strided<[?, 1]>>, memref<?xf32, strided<[1]>>
  tile.return
}

// -----

tile.kernel @loaded_halves(%m: memref<?x?xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{narrow floats are loaded 2 at a time: columns must run along the tensor's last dimension, whose size must be static and a multiple of that}}
  %x = tile.load %m[%i, %i] dims [0, 1] : memref<?x?xbf16, strided<[?, 1]>>, vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @loaded_across(%m: memref<?x64xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{narrow floats are loaded 2 at a time: columns must run along the tensor's last dimension, whose size must be static and a multiple of that}}
  %x = tile.load %m[%i, %i] dims [1, 0] : memref<?x64xbf16, strided<[?, 1]>>, vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @loaded_odd(%m: memref<?x63xbf16, strided<[?, 1]>>, %i: index) {
  // expected-error @+1 {{narrow floats are loaded 2 at a time: columns must run along the tensor's last dimension, whose size must be static and a multiple of that}}
  %x = tile.load %m[%i, %i] dims [0, 1] : memref<?x63xbf16, strided<[?, 1]>>, vector<64x8xbf16>
  tile.return
}

// -----

tile.kernel @transposed_odd(%m: memref<?x63xbf16, strided<[?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<64x8xbf16>
  // expected-error @+1 {{16-bit floats are stored in pairs: the tensor's last dimension must have an even static size}}
  tile.store %x, %m[%i, %i] dims [1, 0] : vector<64x8xbf16>, memref<?x63xbf16, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @transposed_row(%m: memref<?x64x64xbf16, strided<[?, ?, 1]>>, %i: index) {
  %x = arith.constant dense<1.0> : vector<1x8xbf16>
  // expected-error @+1 {{columns of a stored tile must run along the tensor's last dimension, or, of 16-bit floats, the rows}}
  tile.store %x, %m[%i, %i, %i] dims [-1, 1] : vector<1x8xbf16>, memref<?x64x64xbf16, strided<[?, ?, 1]>>
  tile.return
}

// -----

tile.kernel @straight_pairs(%a: i32) {
  %zero = arith.constant 0 : i32
  %x = arith.constant dense<1.0> : vector<64x16xf32>
  %p = tile.pair_rows %x : vector<64x16xf32> -> vector<64x16xf8E4M3FN>
  %b = hopper.view %a : !hopper.buffer<vector<64x16xf8E4M3FN>, 64>
  // expected-error @+1 {{a tile of 8-bit floats is stored in a buffer transposed, by pairs of rows (tile.pair_rows)}}
  hopper.buffer_store %p, %b[%zero, %zero] straight : vector<64x16xf8E4M3FN>, !hopper.buffer<vector<64x16xf8E4M3FN>, 64>
  tile.return
}

// -----

tile.kernel @stored_columns_of_bytes(%a: i32) {
  %zero = arith.constant 0 : i32
  %x = arith.constant dense<1.0> : vector<64x16xf32>
  %p = tile.interleave %x : vector<64x16xf32> -> vector<64x16xf8E4M3FN>
  %b = hopper.view %a : !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
  // expected-error @+1 {{a tile of 8-bit floats is stored in a buffer transposed, by pairs of rows (tile.pair_rows)}}
  hopper.buffer_store %p, %b[%zero, %zero] : vector<64x16xf8E4M3FN>, !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
  tile.return
}

// -----

tile.kernel @pairs_of_eight_columns() {
  %x = arith.constant dense<1.0> : vector<64x8xf32>
  // expected-error @+1 {{a tile of type 'vector<64x8xf8E4M3FN>' cannot be distributed over a warpgroup}}
  %p = tile.pair_rows %x : vector<64x8xf32> -> vector<64x8xf8E4M3FN>
  tile.return
}

// -----

tile.kernel @widened() {
  %x = arith.constant dense<1.0> : vector<64x16xf8E4M3FN>
  // expected-error @+1 {{only 16-bit and 8-bit float tiles can be widened, to f32}}
  %w = arith.extf %x : vector<64x16xf8E4M3FN> to vector<64x16xbf16>
  tile.return
}

// -----

tile.kernel @widened_to_f64() {
  %x = arith.constant dense<1.0> : vector<64x16xf32>
  // expected-error @+1 {{only 16-bit and 8-bit float tiles can be widened, to f32}}
  %w = arith.extf %x : vector<64x16xf32> to vector<64x16xf64>
  tile.return
}

// -----

tile.kernel @stored_pairs(%m: memref<?x16xf8E4M3FN, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %x = arith.constant dense<1.0> : vector<64x16xf32>
  // expected-error @+1 {{pairs of rows can only be shared, transposed}}
  %p = tile.pair_rows %x : vector<64x16xf32> -> vector<64x16xf8E4M3FN>
  // expected-note @+1 {{used by this operation}}
  tile.store %p, %m[%c0, %c0] dims [0, 1] : vector<64x16xf8E4M3FN>, memref<?x16xf8E4M3FN, strided<[?, 1]>>
  tile.return
}
