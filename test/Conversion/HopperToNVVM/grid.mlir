// The block's index is taken apart in 32 bits, fastest first or in groups.
// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

!m = memref<?x?x64xbf16, strided<[?, ?, 1]>>

// CHECK-LABEL: llvm.func @grid(
// CHECK-SAME: %{{[a-z0-9]+}}: !llvm.ptr<1>, %[[A:[a-z0-9]+]]: i32, %{{[a-z0-9]+}}: i32, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64
// CHECK-SAME: hopper.grid = {args = ["a", "b"], op = "mul"}
// CHECK: %[[ID:.*]] = nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK: %[[I:.*]] = llvm.urem %[[ID]], %[[A]] : i32
// CHECK: %[[J:.*]] = llvm.udiv %[[ID]], %[[A]] : i32
// CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive{{.*}}" %[[I]] :
// CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive{{.*}}" %[[J]] :
tile.kernel @grid(%m: !m {tile.argument = #tile.argument<"m", "input", ["a", "b", "d"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.dim %m, %c0 : !m
  %b = memref.dim %m, %c1 : !m
  %i, %j = tile.program_id(%a, %b) : index, index
  %i32 = arith.index_cast %i : index to i32
  %j32 = arith.index_cast %j : index to i32
  hopper.mbarrier_arrive %i32
  hopper.mbarrier_arrive %j32
  tile.return
}

// Heads are in groups: the size of a group is a power of two, so that there are no
// more divisions, and the grid is the same. 28 is 32 - log2(16).
// CHECK-LABEL: llvm.func @grouped(
// CHECK-SAME: %{{[a-z0-9]+}}: !llvm.ptr<1>, %[[A:[a-z0-9]+]]: i32, %[[B:[a-z0-9]+]]: i32
// CHECK-SAME: hopper.grid = {args = [{args = ["a", "b"], op = "mul"}, 2], op = "mul"}
// CHECK: %[[ID:.*]] = nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : index) : i32
// CHECK: %[[LAST:.*]] = llvm.sub %[[A]], %[[ONE]] : i32
// CHECK: %[[FREE:.*]] = "llvm.intr.ctlz"(%[[LAST]]) <{is_zero_poison = false}> : (i32) -> i32
// CHECK: %[[C28:.*]] = llvm.mlir.constant(28 : index) : i32
// CHECK: %[[BITS:.*]] = llvm.sub %[[FREE]], %[[C28]] : i32
// CHECK: %[[EVEN:.*]] = "llvm.intr.cttz"(%[[B]]) <{is_zero_poison = false}> : (i32) -> i32
// CHECK: %[[BITS1:.*]] = llvm.intr.smin(%[[BITS]], %[[EVEN]])
// CHECK: %[[SHIFT:.*]] = llvm.intr.smax(%[[BITS1]], %{{.*}})
// CHECK: %[[SIZE:.*]] = llvm.shl %[[ONE]], %[[SHIFT]] : i32
// CHECK: %[[MASK:.*]] = llvm.sub %[[SIZE]], %[[ONE]] : i32
// CHECK: %[[ROW:.*]] = llvm.urem %[[ID]], %[[A]] : i32
// CHECK: %[[REST:.*]] = llvm.udiv %[[ID]], %[[A]] : i32
// CHECK: %[[COLUMN:.*]] = llvm.urem %[[REST]], %[[B]] : i32
// CHECK: %[[K:.*]] = llvm.udiv %[[REST]], %[[B]] : i32
// CHECK-NEXT: %[[MEMBER:.*]] = llvm.and %[[COLUMN]], %[[MASK]] : i32
// CHECK-NEXT: %[[BEFORE:.*]] = llvm.mul %[[MEMBER]], %[[A]] : i32
// CHECK-NEXT: %[[NUMBER:.*]] = llvm.add %[[BEFORE]], %[[ROW]] : i32
// CHECK-NEXT: %[[I:.*]] = llvm.lshr %[[NUMBER]], %[[SHIFT]] : i32
// CHECK-NEXT: %[[FIRST:.*]] = llvm.sub %[[COLUMN]], %[[MEMBER]] : i32
// CHECK-NEXT: %[[PLACE:.*]] = llvm.and %[[NUMBER]], %[[MASK]] : i32
// CHECK-NEXT: %[[J:.*]] = llvm.add %[[FIRST]], %[[PLACE]] : i32
// CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive{{.*}}" %[[I]] :
// CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive{{.*}}" %[[J]] :
// CHECK: llvm.inline_asm has_side_effects "mbarrier.arrive{{.*}}" %[[K]] :
tile.kernel @grouped(%m: !m {tile.argument = #tile.argument<"m", "input", ["a", "b", "d"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = memref.dim %m, %c0 : !m
  %b = memref.dim %m, %c1 : !m
  %i, %j, %k = tile.program_id(%a, %b, %c2) grouped 16 : index, index, index
  %i32 = arith.index_cast %i : index to i32
  %j32 = arith.index_cast %j : index to i32
  %k32 = arith.index_cast %k : index to i32
  hopper.mbarrier_arrive %i32
  hopper.mbarrier_arrive %j32
  hopper.mbarrier_arrive %k32
  tile.return
}

// Every operator that the manifest has; a static size is a number.
// CHECK-LABEL: llvm.func @operators(
// CHECK-SAME: hopper.grid = {args = [{args = [{args = [{args = ["a", 3], op = "div"}, {args = ["b", 5], op = "rem"}], op = "sub"},
// CHECK-SAME: {args = ["a", "b"], op = "min"}], op = "max"}, {args = [64, "a"], op = "add"}], op = "mul"}
tile.kernel @operators(%m: !m {tile.argument = #tile.argument<"m", "input", ["a", "b", "d"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %a = memref.dim %m, %c0 : !m
  %b = memref.dim %m, %c1 : !m
  %d = memref.dim %m, %c2 : !m
  %quotient = arith.divui %a, %c3 : index
  %rest = arith.remsi %b, %c5 : index
  %difference = arith.subi %quotient, %rest : index
  %smaller = arith.minsi %a, %b : index
  %larger = arith.maxui %difference, %smaller : index
  %sum = arith.addi %d, %a : index
  %extent = arith.muli %larger, %sum : index
  %i = tile.program_id(%extent) : index
  tile.return
}

// Without tile.program_id there is one CTA.
// CHECK-LABEL: llvm.func @one(
// CHECK-SAME: hopper.grid = 1 : i64
tile.kernel @one() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// Where a kernel is launched is carried on, for the manifest.
// CHECK-LABEL: llvm.func @some_keys(
// CHECK-SAME: hopper.launch_if = {args = [{args = ["keys", 4096], op = "max"}, 4096], op = "sub"}
tile.kernel @some_keys() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64,
    launch_if = {args = [{args = ["keys", 4096], op = "max"}, 4096], op = "sub"}} {
  tile.return
}

// CHECK-LABEL: llvm.func @always(
// CHECK-NOT: hopper.launch_if
// CHECK: llvm.return
tile.kernel @always() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}
