// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

!l = memref<?xf32, strided<[1]>>

// CHECK-LABEL: llvm.func @values
tile.kernel @values(%l: !l {tile.argument = #tile.argument<"l", "output", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  // CHECK: %[[T:.*]] = nvvm.read.ptx.sreg.tid.x
  %t = hopper.thread_id : i32
  // CHECK: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32)
  // CHECK: %[[LANE:.*]] = llvm.mlir.constant(0 : i32)
  // CHECK: %[[CLAMP:.*]] = llvm.mlir.constant(31 : i32)
  // CHECK: %[[U:.*]] = nvvm.shfl.sync idx %[[ALL]], %[[T]], %[[LANE]], %[[CLAMP]] : i32 -> i32
  %u = hopper.uniform %t : i32
  %true = arith.constant true
  // CHECK: %[[X:.*]] = llvm.inline_asm has_side_effects "{{.*}}ld.global
  %x = hopper.global_load %l[%u] if %true : !l -> f32
  // CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i32)
  // CHECK: %[[Y:.*]] = nvvm.shfl.sync bfly %{{.*}}, %[[X]], %[[TWO]], %{{.*}} : f32 -> f32
  %y = hopper.shuffle_xor %x, 2 : f32
  // CHECK: %[[M:.*]] = llvm.intr.maxnum(%[[X]], %[[Y]])
  %m = arith.maxnumf %x, %y : f32
  // CHECK: %[[FMA:.*]] = llvm.intr.fma(%[[X]], %[[Y]], %[[M]])
  %fma = math.fma %x, %y, %m : f32
  // CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[FMA]]) : (f32) -> f32
  %e = math.exp2 %fma : f32
  // CHECK: %[[LOG:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%[[E]]) : (f32) -> f32
  %log = math.log2 %e : f32
  // CHECK: llvm.fdiv %{{.*}}, %[[LOG]] {fastmathFlags = #llvm.fastmath<fast>}
  %one = arith.constant 1.0 : f32
  %inverse = arith.divf %one, %log fastmath<fast> : f32
  // CHECK: llvm.intr.ctpop(%[[T]])
  %bits = math.ctpop %t : i32
  // CHECK: %[[C:.*]] = llvm.fcmp "ogt"
  %c = arith.cmpf ogt, %x, %inverse : f32
  // CHECK: nvvm.vote.sync any %{{.*}}, %[[C]] -> i1
  %v = hopper.vote_any %c
  // The instruction's first source goes to the upper half.
  // CHECK: llvm.inline_asm "cvt.rn.bf16x2.f32 $0, $2, $1;", "=r,f,f" %[[X]], %[[Y]] : (f32, f32) -> i32
  %p = hopper.pack %x, %y to bf16 : i32
  // CHECK: llvm.inline_asm "cvt.rn.f16x2.f32 $0, $2, $1;", "=r,f,f" %[[X]], %[[Y]] : (f32, f32) -> i32
  %q = hopper.pack %x, %y to f16 : i32
  // CHECK: llvm.inline_asm "{\0A.reg .b16 low, high;\0Acvt.rn.satfinite.e4m3x2.f32 low, $2, $1;\0Acvt.rn.satfinite.e4m3x2.f32 high, $4, $3;\0Amov.b32 $0, {low, high};\0A}", "=r,f,f,f,f" %[[X]], %[[Y]], %[[X]], %[[Y]]
  %e4m3 = hopper.pack %x, %y, %x, %y to f8E4M3FN : i32
  // CHECK: cvt.rn.satfinite.e5m2x2.f32 low
  %e5m2 = hopper.pack %x, %y, %x, %y to f8E5M2 : i32
  // The other way round, by way of f16.
  // CHECK: %[[U:.*]] = llvm.inline_asm "{\0A.reg .b16 low, high, f<4>;\0A.reg .b32 pair;\0Amov.b32 {low, high}, $4;\0Acvt.rn.f16x2.e4m3x2 pair, low;\0Amov.b32 {f0, f1}, pair;\0Acvt.rn.f16x2.e4m3x2 pair, high;\0Amov.b32 {f2, f3}, pair;\0Acvt.f32.f16 $0, f0;\0Acvt.f32.f16 $1, f1;\0Acvt.f32.f16 $2, f2;\0Acvt.f32.f16 $3, f3;\0A}", "=f,=f,=f,=f,r" %{{.*}} : (i32) ->
  // CHECK: llvm.extractvalue %[[U]][0]
  // CHECK: llvm.extractvalue %[[U]][1]
  // CHECK: llvm.extractvalue %[[U]][2]
  // CHECK: llvm.extractvalue %[[U]][3]
  %values:4 = hopper.unpack %e4m3 of f8E4M3FN
  // CHECK: "{{.*}}cvt.rn.f16x2.e5m2x2 pair, low;{{.*}}cvt.rn.f16x2.e5m2x2 pair, high;
  %wide:4 = hopper.unpack %e5m2 of f8E5M2
  // CHECK: llvm.inline_asm "prmt.b32 $0, $1, $2, 25632;", "=r,r,r"
  %bytes = hopper.permute_bytes %p, %q, 25632 : i32
  tile.return
}

// Loops and conditions become branches; the index has 32 bits.
// CHECK-LABEL: llvm.func @control
// CHECK: llvm.br ^[[HEAD:.*]](%{{.*}}, %{{.*}} : i32, f32)
// CHECK: ^[[HEAD]](%[[I:.*]]: i32, %{{.*}}: f32):
// CHECK: llvm.icmp "slt" %[[I]], %{{.*}} : i32
tile.kernel @control(%l: !l {tile.argument = #tile.argument<"l", "output", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %n = memref.dim %l, %c0 : !l
  %blocks = arith.ceildivui %n, %c1 : index
  %sum = scf.for %i = %c0 to %blocks step %c1 iter_args(%s = %zero) -> (f32) {
    %next = arith.addf %s, %one : f32
    scf.yield %next : f32
  }
  tile.return
}

// Coordinates of a thread are compared by their constant: they share the
// difference, and LLVM has nothing to hoist.
// CHECK-LABEL: llvm.func @coordinates
// CHECK: %[[T:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[LIMIT:.*]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK: %[[EIGHT:.*]] = llvm.mlir.constant(8 : i32)
// CHECK: %[[NINE:.*]] = llvm.mlir.constant(9 : i32)
// CHECK: %[[D:.*]] = llvm.sub %[[LIMIT]], %[[T]] : i32
// CHECK: llvm.icmp "sgt" %[[D]], %[[EIGHT]] : i32
// CHECK: llvm.icmp "sge" %{{.*}}, %[[NINE]] : i32
// A sum that may overflow stays.
// CHECK: %[[SUM:.*]] = llvm.add %[[T]], %[[EIGHT]] : i32
// CHECK: llvm.icmp "slt" %[[SUM]], %[[LIMIT]] : i32
tile.kernel @coordinates() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %t = hopper.thread_id : i32
  %limit = hopper.block_id : i32
  %c8 = arith.constant 8 : i32
  %c9 = arith.constant 9 : i32
  %x = arith.addi %t, %c8 overflow<nsw> : i32
  %y = arith.addi %t, %c9 overflow<nsw> : i32
  %below = arith.cmpi slt, %x, %limit : i32
  hopper.mbarrier_arrive %t if %below
  %above = arith.cmpi sge, %limit, %y : i32
  hopper.mbarrier_arrive %t if %above
  %z = arith.addi %t, %c8 : i32
  %wrapped = arith.cmpi slt, %z, %limit : i32
  hopper.mbarrier_arrive %t if %wrapped
  tile.return
}

// Of coordinates along two dimensions the difference of the thread's parts is
// kept, in front of what moves in a loop. The one that is nothing but a thread's
// part and a constant is compared by it, the other one's constant is added.
// CHECK-LABEL: llvm.func @two_coordinates
// CHECK-DAG: %[[T:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK-DAG: %[[BLOCK:.*]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK: %[[COLUMN:.*]] = llvm.and %[[T]], %{{.*}} : i32
// CHECK: %[[PARTS:.*]] = llvm.sub %[[T]], %[[COLUMN]] : i32
// CHECK: %[[MOVED:.*]] = llvm.sub %[[PARTS]], %[[BLOCK]] : i32
// CHECK: %[[SUM:.*]] = llvm.add %[[MOVED]], %{{.*}} : i32
// CHECK: llvm.icmp "sle" %[[SUM]], %{{.*}} : i32
// CHECK: %[[SAME:.*]] = llvm.sub %[[T]], %[[COLUMN]] : i32
// CHECK: %[[OTHER:.*]] = llvm.sub %[[SAME]], %[[BLOCK]] : i32
// CHECK: llvm.icmp "sle" %[[OTHER]], %{{.*}} : i32
// A coordinate that the warpgroup's index shifts is none of the thread's alone.
// CHECK: llvm.icmp "sle" %{{.*}}, %{{.*}} : i32
tile.kernel @two_coordinates() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %t = hopper.thread_id : i32
  %block = hopper.block_id : i32
  %w = hopper.warpgroup : i32
  %c3 = arith.constant 3 : i32
  %c8 = arith.constant 8 : i32
  %c9 = arith.constant 9 : i32
  %quad = arith.andi %t, %c3 : i32
  %column = arith.addi %quad, %c9 overflow<nsw> : i32
  %below = arith.addi %t, %c8 overflow<nsw> : i32
  %moved = arith.subi %below, %block : i32
  %a = arith.cmpi sle, %moved, %column : i32
  hopper.mbarrier_arrive %t if %a
  %row = arith.subi %t, %block : i32
  %b = arith.cmpi sle, %row, %quad : i32
  hopper.mbarrier_arrive %t if %b
  %shifted = arith.addi %quad, %w : i32
  %c = arith.cmpi sle, %row, %shifted : i32
  hopper.mbarrier_arrive %t if %c
  tile.return
}
