// Two kernels that share a tensor of the caller and two of scratch memory.

!t = memref<?x?x64xbf16, strided<[?, ?, 1]>>
!s = memref<?x?xf32, strided<[?, 1]>>
!p = memref<?x?x4096xf32, strided<[?, ?, 1]>>
module @package {
  tile.kernel @first(
      %a: !t {tile.argument = #tile.argument<"a", "input", ["batch", "rows", "dim"]>},
      %s: !s {tile.argument = #tile.argument<"sums", "workspace", ["batch", {op = "mul", args = [{op = "ceildiv", args = ["rows", 128]}, 128]}]>},
      %p: !p {tile.argument = #tile.argument<"tiles", "workspace", ["batch", {op = "ceildiv", args = ["rows", 64]}, 4096]>})
      attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64, problem = {kind = "sums"}} {
    %c0 = arith.constant 0 : index
    %b = memref.dim %a, %c0 : !t
    %i = tile.program_id(%b) : index
    tile.return
  }
  tile.kernel @second(
      %p: !p {tile.argument = #tile.argument<"tiles", "workspace", ["batch", {op = "ceildiv", args = ["rows", 64]}, 4096]>},
      %r: !s {tile.argument = #tile.argument<"rest", "workspace", ["batch", "rows"]>},
      %a: !t {tile.argument = #tile.argument<"a", "input", ["batch", "rows", "dim"]>},
      %o: !t {tile.argument = #tile.argument<"o", "output", ["batch", "more", "dim"]>})
      attributes {hopper.threads = 256 : i64, hopper.shared_memory = 1024 : i64} {
    %c1 = arith.constant 1 : index
    %blocks = memref.dim %p, %c1 : !p
    %i = tile.program_id(%blocks) : index
    tile.return
  }
}
