// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-partition-warpgroups))' --verify-diagnostics --split-input-file

tile.kernel @rows() attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2>} {
  // expected-error @+1 {{a tile of 192 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows}}
  %x = arith.constant dense<0.0> : vector<192x8xf32>
  tile.return
}

// -----

tile.kernel @one_warpgroup() {
  // expected-error @+1 {{a tile of 32 rows cannot be divided among 1 warpgroups}}
  %x = arith.constant dense<0.0> : vector<32x8xf32>
  tile.return
}

// -----

tile.kernel @constant() attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2>} {
  // expected-error @+1 {{a constant tile must be a splat to be divided among warpgroups}}
  %x = arith.constant dense<"0x0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"> : vector<128x1xi8>
  tile.return
}

// -----

tile.kernel @columns(%x: vector<128x8xf32>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 32, warpgroups = 2>} {
  // expected-error @+1 {{a reduction along dimension 0 needs the rows of all warpgroups: choose one warpgroup}}
  %s = tile.reduce add %x dim 0 : vector<128x8xf32> -> vector<1x8xf32>
  tile.return
}

// -----

// Half of the columns of the second operand are not whole panels.
tile.kernel @half_panels() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 2>} {
  %ra = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  %a = hopper.ring_get %ra : !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  // expected-error @+1 {{a share of 32 columns of an operand in shared memory must be a multiple of a panel's 64}}
  %p = hopper.wgmma %a, %a contract(1, 0) : !hopper.buffer<vector<64x64xbf16>, 64>, !hopper.buffer<vector<64x64xbf16>, 64> -> !hopper.pending<vector<64x64xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  tile.return
}

// -----

// Neither 128 rows nor a multiple of 16 columns.
tile.kernel @neither() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a tile of 64 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows, or all of them and a multiple of 8 columns}}
  %x = arith.constant dense<0.0> : vector<64x72xf32>
  tile.return
}

// -----

tile.kernel @across(%x: vector<64x80xf32>) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a reduction along dimension 1 needs the columns of all warpgroups: choose one warpgroup}}
  %s = tile.reduce add %x dim 1 : vector<64x80xf32> -> vector<64x1xf32>
  tile.return
}

// -----

// What threads of a row, or a warp, decide together has all columns.
tile.kernel @partial(%x: memref<?x80xf32, strided<[?, 1]>>, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a tile of 64 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows}}
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x80xf32, strided<[?, 1]>>, vector<64x80xf32>
  %s = tile.partial_reduce %t : vector<64x80xf32> -> vector<64x8xf32>
  tile.return
}

// -----

// A first operand in registers has the rows that the product has.
tile.kernel @registers(%x: memref<?x80xbf16, strided<[?, 1]>>, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  %rb = hopper.ring_alloc : !hopper.ring<1, vector<80x64xbf16>>
  %b = hopper.ring_get %rb : !hopper.ring<1, vector<80x64xbf16>> -> !hopper.buffer<vector<80x64xbf16>, 80>
  // expected-error @+1 {{a tile of 64 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows}}
  %a = tile.load %x[%i, %i] dims [0, 1] : memref<?x80xbf16, strided<[?, 1]>>, vector<64x80xbf16>
  %p = hopper.wgmma %a, %b contract(1, 0) : vector<64x80xbf16>, !hopper.buffer<vector<80x64xbf16>, 80> -> !hopper.pending<vector<64x64xf32>>
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  tile.return
}

// -----

tile.kernel @packed(%w: memref<?x5120xf32, strided<[?, 1]>>, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a packed tile is divided by rows only}}
  %t = tile.load %w[%i, %i] dims [] : memref<?x5120xf32, strided<[?, 1]>>, vector<64x80xf32>
  tile.return
}

// -----

tile.kernel @packed_sum(%x: memref<?x80xf32, strided<[?, 1]>>, %w: memref<?x5120xf32, strided<[?, 1]>>, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a tile of 64 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows}}
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x80xf32, strided<[?, 1]>>, vector<64x80xf32>
  tile.reduce_store %t, %w[%i, %i] : vector<64x80xf32>, memref<?x5120xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @pairs(%x: memref<?x80xf32, strided<[?, 1]>>, %i: index) attributes {schedule = #tile.schedule<block_q = 64, block_kv = 80, warpgroups = 2>} {
  // expected-error @+1 {{a tile of 64 rows cannot be divided among 2 warpgroups: each needs a multiple of 64 rows}}
  %t = tile.load %x[%i, %i] dims [0, 1] : memref<?x80xf32, strided<[?, 1]>>, vector<64x80xf32>
  %p = tile.pair_rows %t : vector<64x80xf32> -> vector<64x80xf8E4M3FN>
  tile.return
}
