// Loads a tile by TMA, multiplies it with itself, stores some of the product.

!qt = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1]>>
tile.kernel @one_product(
    %q: !qt {tile.argument = #tile.argument<"q", "input", ["batch", "seqlen", "heads", "dim"]>},
    %o: !qt {tile.argument = #tile.argument<"o", "output", ["batch", "seqlen", "heads", "dim"]>},
    %map: !hopper.tensor_map<0, [1, 64, 1, 64]>)
    attributes {hopper.threads = 256 : i64, hopper.shared_memory = 16400 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %s = memref.dim %q, %c1 : !qt
  %h = memref.dim %q, %c2 : !qt
  %b = memref.dim %q, %c0 : !qt
  %n = arith.ceildivui %s, %c64 : index
  %i, %ih, %ib = tile.program_id(%n, %h, %b) : index, index, index
  %row = arith.muli %i, %c64 : index
  %row32 = arith.index_cast %row : index to i32
  %h32 = arith.index_cast %ih : index to i32
  %b32 = arith.index_cast %ib : index to i32
  %s32 = arith.index_cast %s : index to i32
  %z = arith.constant 0 : i32
  %bar = hopper.shared_address 16384 : i32
  %tile = hopper.shared_address 0 : i32
  %tid = hopper.thread_id : i32
  %first = arith.cmpi eq, %tid, %z : i32
  scf.if %first {
    hopper.mbarrier_init %bar, 1
    hopper.fence_mbarrier_init
  }
  hopper.cta_sync
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 56 : i64, consumer_registers = 256 : i64} producer {
    hopper.mbarrier_expect %bar, 8192
    hopper.tma_load %map[%b32, %row32, %h32, %z], %tile, %bar : !hopper.tensor_map<0, [1, 64, 1, 64]>
  } consumer {
    %wg = hopper.warpgroup : i32
    hopper.mbarrier_wait %bar, %z
    %da = hopper.descriptor %tile leading 16 stride 1024 : i64
    hopper.wgmma_fence
    %p0:8 = hopper.mma_async (%da), %da of bf16 : (i64) -> (f32, f32, f32, f32, f32, f32, f32, f32)
    %db = hopper.descriptor_advance %da, 32 : i64
    %p1:8 = hopper.mma_async (%db), %db acc(%p0#0, %p0#1, %p0#2, %p0#3, %p0#4, %p0#5, %p0#6, %p0#7 : f32, f32, f32, f32, f32, f32, f32, f32) of bf16 : (i64) -> (f32, f32, f32, f32, f32, f32, f32, f32)
    hopper.wgmma_commit
    %w:8 = hopper.wgmma_wait 0 (%p1#0, %p1#1, %p1#2, %p1#3, %p1#4, %p1#5, %p1#6, %p1#7) : (f32, f32, f32, f32, f32, f32, f32, f32) -> (f32, f32, f32, f32, f32, f32, f32, f32)
    %mx = arith.maxnumf %w#0, %w#1 : f32
    %sh = hopper.shuffle_xor %mx, 1 : f32
    %e = math.exp2 %sh : f32
    %x = hopper.pack %w#0, %e to bf16 : i32
    %y = hopper.pack %w#4, %w#5 to bf16 : i32
    %lane = arith.andi %tid, %z : i32
    %c8 = arith.constant 8 : i32
    %col = arith.addi %lane, %c8 : i32
    %ok = arith.cmpi slt, %row32, %s32 : i32
    hopper.global_store %o[%b32, %row32, %h32, %lane], %x if %ok : !qt, i32
    hopper.global_store %o[%b32, %row32, %h32, %col], %y if %ok : !qt, i32
  }
  tile.return
}
