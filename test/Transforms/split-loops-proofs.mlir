// RUN: fa3-opt %s --fa3-split-loops | FileCheck %s
// RUN: fa3-opt %s --fa3-split-loops --verify-diagnostics --remarks-filter=.* -o /dev/null

// Conditions that are the same in all iterations of a loop, as the definitions
// of its bounds show, and near misses.

#on = #tile.schedule<block_q = 128, block_kv = 128>
!m = memref<?xf32, strided<[1]>>

// s elements in blocks of 80: less than one block is missing at the end, so
// that at most one needs a mask. The loop begins with the second one.

// CHECK-LABEL: tile.kernel @rest(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @rest(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// It begins with the first one.

// CHECK-LABEL: tile.kernel @first(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @first(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.addi %count, %c0 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// One element more than is missing.

// CHECK-LABEL: tile.kernel @one_more(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @one_more(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %more = arith.addi %rest, %c80 : index
  %t = arith.ceildivsi %more, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// The most that may be missing, 79, is a block of 79 and not two ...

// CHECK-LABEL: tile.kernel @largest(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @largest(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %c79 = arith.constant 79 : index
  %t = arith.ceildivsi %rest, %c79 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// ... but two of 78.

// CHECK-LABEL: tile.kernel @too_large(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @too_large(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %c78 = arith.constant 78 : index
  %t = arith.ceildivsi %rest, %c78 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Rounded by the signed operation any number will do ...

// CHECK-LABEL: tile.kernel @signed_rounding(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @signed_rounding(%any: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivsi %any, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %any : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// ... by the unsigned one not: a negative number is a large one.

// CHECK-LABEL: tile.kernel @unsigned_rounding(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @unsigned_rounding(%any: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %any, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %any : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Unless it is not negative.

// CHECK-LABEL: tile.kernel @not_negative(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @not_negative(%any: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %some = arith.maxsi %any, %c0 : index
  %count = arith.ceildivui %some, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %some : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// A divisor that is not a constant.

// CHECK-LABEL: tile.kernel @unknown_divisor(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @unknown_divisor(%any: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %any : index
  %end = arith.muli %count, %any : index
  %rest = arith.subi %end, %s : index
  %t = arith.ceildivsi %rest, %c80 : index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Rounded down the product is not more.

// CHECK-LABEL: tile.kernel @rounded_down(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @rounded_down(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.divui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %t = arith.subi %end, %s : index
  %n = arith.addi %count, %c0 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Through casts.

// CHECK-LABEL: tile.kernel @casts(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @casts(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %count = arith.ceildivui %s, %c80 : index
  %end = arith.muli %count, %c80 : index
  %rest = arith.subi %end, %s : index
  %rest32 = arith.index_cast %rest : index to i32
  %c80_i32 = arith.constant 80 : i32
  %t32 = arith.ceildivsi %rest32, %c80_i32 : i32
  %t = arith.index_cast %t32 : i32 to index
  %n = arith.subi %count, %c1 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %next = arith.addi %j, %c1 : index
    %mixed = arith.cmpi slt, %next, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// Each of two alternatives: a minimum is one of its operands, and so is a maximum
// and a select.

// CHECK-LABEL: tile.kernel @either(
// CHECK: scf.for
// CHECK-NOT: memref.store
// CHECK: tile.return
tile.kernel @either(%any: index, %which: i1, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %a = arith.minsi %any, %c0 : index
  %b = arith.subi %a, %s : index
  %t = arith.select %which, %a, %b : index
  %low = arith.maxsi %a, %b : index
  %n = arith.addi %s, %low : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// All of the loop is below the threshold.

// CHECK-LABEL: tile.kernel @below_all(
// CHECK: scf.for
// CHECK: memref.store
// CHECK-NOT: scf.for
// CHECK: tile.return
tile.kernel @below_all(%any: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %n = arith.minsi %any, %s : index
  %t = arith.maxsi %s, %c80 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// A coordinate is less than the grid's extent.

// CHECK-LABEL: tile.kernel @grid(
// CHECK: scf.for
// CHECK: memref.store
// CHECK-NOT: scf.for
// CHECK: tile.return
tile.kernel @grid(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %block = tile.program_id(%s) : index
  %n = arith.addi %block, %c1 : index
  %t = arith.addi %s, %c0 : index
  // expected-remark@+1 {{a condition of its index is the same in every iteration}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @grid_too_far(
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: tile.return
tile.kernel @grid_too_far(%x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c80 = arith.constant 80 : index
  %s = memref.dim %m, %c0 : !m
  %block = tile.program_id(%s) : index
  %two = arith.constant 2 : index
  %n = arith.addi %block, %two : index
  %t = arith.addi %s, %c0 : index
  // expected-remark@+1 {{split where a condition of its index changes}}
  scf.for %j = %c0 to %n step %c1 {
    %mixed = arith.cmpi slt, %j, %t : index
    scf.if %mixed {
      memref.store %x, %m[%c0] : !m
    }
  }
  tile.return
}

// The index of a loop around it.

// CHECK-LABEL: tile.kernel @outer(
// CHECK: scf.for
// CHECK: scf.for
// CHECK: memref.store
// CHECK-NOT: scf.for
// CHECK: tile.return
tile.kernel @outer(%n: index, %x: f32, %m: !m) attributes {schedule = #on} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-remark@+1 {{a condition of its index is the same in every iteration}}
    scf.for %j = %c0 to %i step %c1 {
      %next = arith.addi %j, %c1 : index
      %mixed = arith.cmpi slt, %next, %n : index
      scf.if %mixed {
        memref.store %x, %m[%c0] : !m
      }
    }
  }
  tile.return
}
