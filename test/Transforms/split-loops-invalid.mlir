// RUN: fa3-opt %s --split-input-file --fa3-split-loops --verify-diagnostics --remarks-filter=.* -o /dev/null

// With a larger step the clamped bound might be skipped.

tile.kernel @step(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // expected-remark@+1 {{not split: the loop's step is not 1}}
  scf.for %j = %c0 to %ub step %c2 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// An unknown step.

tile.kernel @unknown_step(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // expected-remark@+1 {{not split: the loop's step is not 1}}
  scf.for %j = %c0 to %ub step %t {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// An unsigned order.

tile.kernel @unsigned(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %j = %c0 to %ub step %c1 {
    %mixed = arith.cmpi ult, %j, %t : index
    // expected-remark@+1 {{no split: the condition is not a signed comparison that is affine in the loop's index}}
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// An equality holds in the middle.

tile.kernel @equality(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %j = %c0 to %ub step %c1 {
    %mixed = arith.cmpi eq, %j, %t : index
    // expected-remark@+1 {{no split: the condition is not a signed comparison that is affine in the loop's index}}
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// Not affine.

tile.kernel @square(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %j = %c0 to %ub step %c1 {
    %s = arith.muli %j, %j : index
    %mixed = arith.cmpi slt, %s, %t : index
    // expected-remark@+1 {{no split: the condition is not a signed comparison that is affine in the loop's index}}
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// The index cancels.

tile.kernel @cancels(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %j = %c0 to %ub step %c1 {
    %s = arith.addi %j, %t : index
    %mixed = arith.cmpi slt, %s, %j : index
    // expected-remark@+1 {{no split: the condition is not a signed comparison that is affine in the loop's index}}
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// Not a comparison.

tile.kernel @loaded(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %j = %c0 to %ub step %c1 {
    %v = memref.load %m[%j] : memref<?xf32, strided<[1]>>
    %mixed = arith.cmpf olt, %v, %x : f32
    // expected-remark@+1 {{no split: the condition is not a signed comparison that is affine in the loop's index}}
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// An invariant condition is not this pass's business.

tile.kernel @invariant(%ub: index, %t: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %mixed = arith.cmpi slt, %ub, %t : index
  scf.for %j = %c0 to %ub step %c1 {
    scf.if %mixed {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}

// -----

// Four conditions: three splits of each part, and the fourth one stays.

tile.kernel @many(%ub: index, %t0: index, %t1: index, %t2: index, %t3: index, %x: f32, %m: memref<?xf32, strided<[1]>>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark@+2 {{split where a condition of its index changes}}
  // expected-remark@+1 {{not split: the loop has too many conditions}}
  scf.for %j = %c0 to %ub step %c1 {
    %c0x = arith.cmpi slt, %j, %t0 : index
    scf.if %c0x {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
    %c1x = arith.cmpi slt, %j, %t1 : index
    scf.if %c1x {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
    %c2x = arith.cmpi slt, %j, %t2 : index
    scf.if %c2x {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
    %c3x = arith.cmpi slt, %j, %t3 : index
    scf.if %c3x {
      memref.store %x, %m[%j] : memref<?xf32, strided<[1]>>
    }
  }
  tile.return
}
