// RUN: fa3-opt %s --split-input-file --fa3-lazy-rescale --verify-diagnostics --remarks-filter=.* | FileCheck %s

// CHECK-NOT: tile.vote_any

// A sum of what is relative to the new maximum keeps another reference if the
// factor does not multiply it.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @sum_not_rescaled(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %power = math.exp2 %m1 : !row
    %powers = vector.broadcast %power : !row to !tile
    %p = arith.mulf %s, %powers : !tile
    %b1 = arith.addf %b0, %p : !tile
    scf.yield %m1, %a1, %b1 : !row, !tile, !tile
  }
  tile.return
}

// -----

// The same without a scale, and by way of a product of tiles.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
!half = vector<64x64xf16>
tile.kernel @product_not_rescaled(%n: index, %x: !row, %s: !tile, %v: !half)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 2>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e2> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %six = arith.constant dense<6.0> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %a = math.exp2 %d : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %rise = arith.subf %six, %m1 : !row
    %power = math.exp2 %rise : !row
    %powers = vector.broadcast %power : !row to !tile
    %p = arith.mulf %s, %powers : !tile
    %half = arith.truncf %p : !tile to !half
    %b1 = tile.dot %half, %v, %b0 contract(1, 0) : !half, !half, !tile -> !tile
    scf.yield %m1, %a1, %b1 : !row, !tile, !tile
  }
  tile.return
}

// -----

// Added to, not multiplied by.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @added(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %b1 = math.fma %s, %wide, %b0 : !tile
    scf.yield %m1, %a1, %b1 : !row, !tile, !tile
  }
  tile.return
}

// -----

// The old value is needed as it is, too.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @second_use(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %b1 = arith.addf %a0, %a1 : !tile
    scf.yield %m1, %b1 : !row, !tile
  }
  tile.return
}

// -----

// What is carried is not the maximum.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @not_carried(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %x, %a1 : !row, !tile
  }
  tile.return
}

// -----

// Not a maximum of the carried value.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @other_maximum(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %x, %c : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// A sum grows differently.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @addition(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.addf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// The difference is the other way round: a factor that grows.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @inverse(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m1, %m0 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// A negative scale.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @negative_scale(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %negative = arith.constant dense<-0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %negative : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// An unknown scale.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @unknown_scale(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %x : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// The reference is guarded against something else than -inf.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @other_guard(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:2 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros) -> (!row, !tile) {
    %m1 = arith.maxnumf %m0, %x : !row
    %none = arith.cmpf oeq, %m1, %lowest : !row
    %reference = arith.select %none, %c, %m1 : vector<64x1xi1>, !row
    %d = arith.subf %m0, %reference : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    scf.yield %m1, %a1 : !row, !tile
  }
  tile.return
}

// -----

// What is added depends on the new maximum in one of two branches.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @in_branch(%n: index, %x: !row, %s: !tile, %condition: i1)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %p = scf.if %condition -> (!tile) {
      %w = vector.broadcast %m1 : !row to !tile
      %relative = arith.subf %s, %w : !tile
      scf.yield %relative : !tile
    } else {
      scf.yield %s : !tile
    }
    %b1 = arith.addf %b0, %p : !tile
    scf.yield %m1, %a1, %b1 : !row, !tile, !tile
  }
  tile.return
}

// -----

// On the maximum of the iteration before, which is its reference.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @previous(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:3 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros) -> (!row, !tile, !tile) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %w = vector.broadcast %m0 : !row to !tile
    %p = arith.subf %s, %w : !tile
    %b1 = arith.addf %b0, %p : !tile
    scf.yield %m1, %a1, %b1 : !row, !tile, !tile
  }
  tile.return
}

// -----

// On one before that, which the loop carries by another way.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
tile.kernel @carried_on(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:4 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros, %p0 = %lowest) -> (!row, !tile, !tile, !row) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %w = vector.broadcast %p0 : !row to !tile
    %p = arith.subf %s, %w : !tile
    %b1 = arith.addf %b0, %p : !tile
    scf.yield %m1, %a1, %b1, %m0 : !row, !tile, !tile, !row
  }
  tile.return
}

// -----

// The same by way of a carried value that is no sum.

!row = vector<64x1xf32>
!tile = vector<64x64xf32>
!bits = vector<64x1xi32>
tile.kernel @carried_bits(%n: index, %x: !row, %s: !tile)
    attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, lazy_rescale = 8>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %lowest = arith.constant dense<-1.0e30> : !row
  %bits = arith.constant dense<0> : !bits
  %zeros = arith.constant dense<0.0> : !tile
  %c = arith.constant dense<0.5> : !row
  %r:4 = scf.for %j = %c0 to %n step %c1 iter_args(%m0 = %lowest, %a0 = %zeros, %b0 = %zeros, %p0 = %bits) -> (!row, !tile, !tile, !bits) {
    // expected-remark@+1 {{rescaling stays: the loop carries a value that the row maximum's factor does not multiply}}
    %m1 = arith.maxnumf %m0, %x : !row
    %d = arith.subf %m0, %m1 : !row
    %e = arith.mulf %d, %c : !row
    %a = math.exp2 %e : !row
    %wide = vector.broadcast %a : !row to !tile
    %a1 = arith.mulf %a0, %wide : !tile
    %before = arith.bitcast %p0 : !bits to !row
    %w = vector.broadcast %before : !row to !tile
    %p = arith.subf %s, %w : !tile
    %b1 = arith.addf %b0, %p : !tile
    %p1 = arith.bitcast %m0 : !row to !bits
    scf.yield %m1, %a1, %b1, %p1 : !row, !tile, !tile, !bits
  }
  tile.return
}
