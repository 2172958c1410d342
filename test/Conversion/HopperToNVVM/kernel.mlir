// The kernel's interface: its parameters, and how the runtime computes them.
// RUN: fa3-opt %s --fa3-hopper-to-nvvm | FileCheck %s

!q = memref<?x?x4x64xbf16, strided<[?, ?, ?, 1]>>
!l = memref<?xf32, strided<[1]>>

// CHECK: gpu.module @kernel attributes {
// CHECK-SAME: hopper.constraints = [{divides = ["heads_kv", "heads_q"]}]
// CHECK-SAME: hopper.problem = {kind = "forward"}
// CHECK-SAME: hopper.tensors = [
// CHECK-SAME: {dims = ["batch", "seqlen", 4, 64], dtype = "bf16", name = "q", role = "input"},
// CHECK-SAME: {dims = ["seqlen"], dtype = "f32", name = "lse", role = "output"},
// CHECK-SAME: {dims = ["batch", "seqlen", {args = ["seqlen", 64], op = "ceildiv"}], dtype = "f32", name = "rows", role = "workspace"}]

// CHECK: llvm.func @kernel(
// The tensor q: its pointer, two dynamic sizes, three strides.
// CHECK-SAME: !llvm.ptr<1>, %{{[a-z0-9]+}}: i32, %{{[a-z0-9]+}}: i32, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64,
// CHECK-SAME: !llvm.ptr<1>, %{{[a-z0-9]+}}: i32,
// CHECK-SAME: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
// CHECK-SAME: hopper.grid = {args = [{args = [{args = ["seqlen", 64], op = "ceildiv"}, 4], op = "mul"}, "batch"], op = "mul"}
// CHECK-SAME: hopper.parameters = [{kind = "pointer", tensor = "q"},
// CHECK-SAME: {dim = 0 : i64, kind = "size", tensor = "q"}, {dim = 1 : i64, kind = "size", tensor = "q"},
// CHECK-SAME: {dim = 0 : i64, kind = "stride", tensor = "q"}, {dim = 1 : i64, kind = "stride", tensor = "q"}, {dim = 2 : i64, kind = "stride", tensor = "q"},
// CHECK-SAME: {kind = "pointer", tensor = "lse"}, {dim = 0 : i64, kind = "size", tensor = "lse"},
// CHECK-SAME: {box = [1, 64, 1, 64], kind = "tensor_map", name = "q_map", swizzle = 128 : i64, tensor = "q"}]
// CHECK-SAME: hopper.shared_memory = 1024 : i64, hopper.threads = 384 : i64
// CHECK-SAME: nvvm.kernel, nvvm.maxntid = array<i32: 384>, nvvm.minctasm = 1 : i32
tile.kernel @kernel(
    %q: !q {tile.argument = #tile.argument<"q", "input", ["batch", "seqlen", "heads", "d"]>},
    %l: !l {tile.argument = #tile.argument<"lse", "output", ["seqlen"]>},
    %map: !hopper.tensor_map<0, [1, 64, 1, 64]>)
    attributes {schedule = #tile.schedule<block_q = 128, block_kv = 128>, hopper.shared_memory = 1024 : i64,
                problem = {kind = "forward"}, constraints = [{divides = ["heads_kv", "heads_q"]}]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %b = memref.dim %q, %c0 : !q
  %s = memref.dim %q, %c1 : !q
  %h = memref.dim %q, %c2 : !q
  %n = arith.ceildivsi %s, %c64 : index
  %i, %ih, %ib = tile.program_id(%n, %h, %b) : index, index, index
  tile.return
}

// A row of f32 is copied without swizzle; here, from a tensor of the workspace.
// CHECK: llvm.func @row(
// CHECK-SAME: hopper.parameters = [{kind = "pointer", tensor = "rows"}
// CHECK-SAME: {box = [1, 1, 64], kind = "tensor_map", name = "rows_map", swizzle = 0 : i64, tensor = "rows"}]
tile.kernel @row(
    %l: memref<?x?x?xf32, strided<[?, ?, 1]>> {tile.argument = #tile.argument<"rows", "workspace", ["batch", "seqlen", {op = "ceildiv", args = ["seqlen", 64]}]>},
    %map: !hopper.tensor_map<0, [1, 1, 64], linear>)
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 256 : i64} {
  tile.return
}
