// RUN: fa3-opt %s --split-input-file --fa3-mask-analysis --verify-diagnostics --remarks-filter=.* | FileCheck %s

// CHECK-NOT: scf.if

// An unsigned order would need to know that nothing is negative.

tile.kernel @unsigned(%l: i32, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %limits = vector.broadcast %l : i32 to vector<64x64xi32>
  %ok = arith.cmpi ult, %cols, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: not a signed order of tiles of integers}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

tile.kernel @equality(%l: i32, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %limits = vector.broadcast %l : i32 to vector<64x64xi32>
  %ok = arith.cmpi eq, %cols, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: not a signed order of tiles of integers}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

// Products of two variables are not affine.

tile.kernel @product(%l: i32, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %limits = vector.broadcast %l : i32 to vector<64x64xi32>
  %squares = arith.muli %cols, %cols : vector<64x64xi32>
  %ok = arith.cmpi slt, %squares, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: its coordinates are not affine in the loop's index}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

// A tile of unknown integers has no bounds.

tile.kernel @data(%data: vector<64x64xi32>, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %ok = arith.cmpi slt, %cols, %data : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: its coordinates are not affine in the loop's index}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

// Coefficients that do not fit in 32 bits.

tile.kernel @large(%l: i32, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %limits = vector.broadcast %l : i32 to vector<64x64xi32>
  %big = arith.constant dense<2000000000> : vector<64x64xi32>
  %a = arith.muli %cols, %big : vector<64x64xi32>
  %ok = arith.cmpi slt, %a, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: its coordinates are not affine in the loop's index}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

tile.kernel @always(%l: i32, %s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %iota = tile.iota 1 : vector<1x64xi32>
  %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
  %limits = arith.constant dense<63> : vector<64x64xi32>
  %ok = arith.cmpi slt, %cols, %limits : vector<64x64xi32>
  // expected-remark@+1 {{the mask stays in every iteration: it hides part of every tile}}
  %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}

// -----

// A limit that changes in the loop in an unknown way.

tile.kernel @carried(%n: index, %l: i32, %init: vector<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %hidden = arith.constant dense<0xFF800000> : vector<64x64xf32>
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%s = %init, %limit = %l) -> (vector<64x64xf32>, i32) {
    %iota = tile.iota 1 : vector<1x64xi32>
    %cols = vector.broadcast %iota : vector<1x64xi32> to vector<64x64xi32>
    %limits = vector.broadcast %limit : i32 to vector<64x64xi32>
    %ok = arith.cmpi slt, %cols, %limits : vector<64x64xi32>
    // expected-remark@+1 {{the mask stays in every iteration: its coordinates are not affine in the loop's index}}
    %x = arith.select %ok, %s, %hidden : vector<64x64xi1>, vector<64x64xf32>
    %next = arith.muli %limit, %limit : i32
    scf.yield %x, %next : vector<64x64xf32>, i32
  }
  tile.return
}

// -----

// A select on data is no mask, and not worth a remark.

// CHECK-LABEL: tile.kernel @select_on_data(
// CHECK-NOT: scf.if
tile.kernel @select_on_data(%s: vector<64x64xf32>, %m: memref<64x64xf32, strided<[64, 1]>>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %ok = arith.cmpf ogt, %s, %zero : vector<64x64xf32>
  %x = arith.select %ok, %s, %zero : vector<64x64xi1>, vector<64x64xf32>
  tile.store %x, %m[%c0, %c0] dims [0, 1] : vector<64x64xf32>, memref<64x64xf32, strided<[64, 1]>>
  tile.return
}
