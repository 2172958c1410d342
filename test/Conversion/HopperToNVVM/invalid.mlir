// RUN: fa3-opt %s --fa3-hopper-to-nvvm --split-input-file --verify-diagnostics

// expected-error@+1 {{argument 0 of kernel @k is neither a memref nor a tensor map}}
tile.kernel @k(%x: f32) attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 of kernel @k has no 'tile.argument' attribute}}
tile.kernel @k(%x: memref<?xf32, strided<[1]>>) attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 of kernel @k has element type 'f64', which a package cannot express}}
tile.kernel @k(%x: memref<?xf64, strided<[1]>> {tile.argument = #tile.argument<"x", "input", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 of kernel @k must have a dynamic stride in dimension 0}}
tile.kernel @k(%x: memref<?x64xf32, strided<[64, 1]>> {tile.argument = #tile.argument<"x", "input", ["n", "d"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+1 {{argument 0 of kernel @k must be strided without an offset}}
tile.kernel @k(%x: memref<?xf32, strided<[1], offset: ?>> {tile.argument = #tile.argument<"x", "input", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+2 {{argument 1 of kernel @k has a box of rank 3 for a tensor of rank 2}}
tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>> {tile.argument = #tile.argument<"x", "input", ["n", "d"]>},
               %map: !hopper.tensor_map<0, [1, 64, 64]>)
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+2 {{argument 1 of kernel @k maps argument 7, which is no tensor of the package}}
tile.kernel @k(%x: memref<?x64xbf16, strided<[?, 1]>> {tile.argument = #tile.argument<"x", "input", ["n", "d"]>},
               %map: !hopper.tensor_map<7, [64, 64]>)
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

// expected-error@+1 {{needs 'hopper.shared_memory' and a schedule or 'hopper.threads'}}
tile.kernel @k() {
  tile.return
}

// -----

tile.kernel @k() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %b = hopper.thread_id : i32
  %i = arith.index_cast %b : i32 to index
  // expected-error@-2 {{the grid must be an integer expression over tensor sizes; 'hopper.thread_id' has no form in a package}}
  %p = tile.program_id(%i) : index
  tile.return
}

// -----

!l = memref<?xf32, strided<[1]>>
tile.kernel @k(%l: !l {tile.argument = #tile.argument<"l", "input", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %t = hopper.thread_id : i32
  %i = arith.index_cast %t : i32 to index
  // expected-error@+1 {{the grid may only depend on constant dimensions of the kernel's arguments}}
  %n = memref.dim %l, %i : !l
  %p = tile.program_id(%n) : index
  tile.return
}

// -----

tile.kernel @k() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  // expected-error@+1 {{cannot be lowered: it does not belong to the thread level}}
  %r = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  tile.return
}

// -----

tile.kernel @k() attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %x = arith.constant 1.0 : f32
  // expected-error@+1 {{has no lowering for sm_90a}}
  %y = math.sin %x : f32
  tile.return
}

// -----

tile.kernel @k(%x: memref<?xf32, strided<[1]>> {tile.argument = #tile.argument<"x", "input", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}
// expected-error@+1 {{tensor "x" differs from the tensor of that name in another kernel}}
tile.kernel @l(%x: memref<?xf32, strided<[1]>> {tile.argument = #tile.argument<"x", "output", ["n"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %one = arith.constant 1.0 : f32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the target must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  hopper.global_reduce %x[%i, %i], %one : !w, f32
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %one = arith.constant 1.0 : f32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the target must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  hopper.bulk_reduce %i, %x[%i, %i], 16 if %true : !w
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %one = arith.constant 1.0 : f32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the source must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  %y = hopper.global_load %x[%i, %i] if %true : !w -> f32
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %one = arith.constant 1.0 : f32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the target must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  hopper.global_store %x[%i, %i], %i if %true : !w, i32
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the target must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  hopper.bulk_store %i, %x[%i, %i], 16 if %true : !w
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the source must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  %first = hopper.claim %x[%i, %i] if %true : !w
  tile.return
}

// -----

!w = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @k(%v: !w {tile.argument = #tile.argument<"v", "workspace", ["a", "b"]>},
               %w: !w {tile.argument = #tile.argument<"w", "workspace", ["a", "b"]>})
    attributes {hopper.threads = 128 : i64, hopper.shared_memory = 0 : i64} {
  %i = hopper.thread_id : i32
  %true = arith.constant true
  %p = arith.cmpi eq, %i, %i : i32
  %x = arith.select %p, %v, %w : !w
  // expected-error@+2 {{the target must be an argument of the kernel}}
  // expected-error@+1 {{cannot be lowered}}
  hopper.publish %x[%i, %i] if %true : !w
  tile.return
}
