// RUN: fa3-opt %s --split-input-file --verify-diagnostics

func.func @f() {
  // expected-error@+1 {{'offset' failed to satisfy constraint: 64-bit signless integer attribute is not negative}}
  %a = hopper.shared_address -8 : i32
  return
}

// -----

func.func @f(%b: i32) {
  // expected-error@+1 {{'count' failed to satisfy constraint: 64-bit signless integer attribute is positive}}
  hopper.mbarrier_init %b, 0
  return
}

// -----

func.func @f(%b: i32) {
  // expected-error@+1 {{'bytes' failed to satisfy constraint: 64-bit signless integer attribute is positive}}
  hopper.mbarrier_expect %b, 0
  return
}

// -----

func.func @f(%map: !hopper.tensor_map<0, [64, 64]>, %i: i32) {
  // expected-error@+1 {{needs a coordinate for each of the map's 2 dimensions, not 1}}
  hopper.tma_load %map[%i], %i, %i : !hopper.tensor_map<0, [64, 64]>
  return
}

// -----

func.func @f(%map: !hopper.tensor_map<0, [64, 64]>, %i: i32, %p: i1) {
  // expected-error@+1 {{needs a coordinate for each of the map's 2 dimensions, not 3}}
  hopper.tma_store %map[%i, %i, %i], %i if %p : !hopper.tensor_map<0, [64, 64]>
  return
}

// -----

func.func @f(%b: i32) {
  // expected-error@+1 {{'threads' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 32 from 32 to 1024}}
  hopper.named_sync %b, 100
  return
}

// -----

func.func @f(%b: i32) {
  // expected-error@+1 {{'threads' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 32 from 32 to 1024}}
  hopper.named_arrive %b, 0
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'count' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 8 from 24 to 256}}
  hopper.set_registers 16
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{'stride' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 16 below 2^18}}
  %d = hopper.descriptor %a leading 16 stride 1000 : i64
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{'bytes' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 16}}
  %e = hopper.descriptor_advance %d, 8 : i64
  return
}

// -----

func.func @f(%d: i64, %r: i32) {
  // expected-error@+1 {{takes one i64 descriptor or four i32 registers as its first operand}}
  %s:4 = hopper.mma_async (%r), %d of bf16 : (i32) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{cannot multiply elements of type 'f32'}}
  %s:4 = hopper.mma_async (%d), %d of f32 : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{gives a multiple of 4 registers from 4 to 128, not 3}}
  %s:3 = hopper.mma_async (%d), %d of bf16 : (i64) -> (f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64, %f: f32) {
  // expected-error@+1 {{needs as many accumulators as results (4), not 1}}
  %s:4 = hopper.mma_async (%d), %d acc(%f : f32) of bf16 : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64, %r: i32) {
  // expected-error@+1 {{cannot transpose an operand in registers}}
  %s:4 = hopper.mma_async (%r, %r, %r, %r), %d of bf16 {transpose_a} : (i32, i32, i32, i32) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{can only transpose 16-bit operands}}
  %s:4 = hopper.mma_async (%d), %d of f8E4M3FN {transpose_b} : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%f: f32) {
  // expected-error@+1 {{gives values of the types that it takes}}
  %w = hopper.wgmma_wait 0 (%f) : (f32) -> i32
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{needs a value to hold waits back for}}
  "hopper.hold"() : () -> ()
  return
}

// -----

func.func @f(%r: i32) {
  // expected-error@+1 {{operand #0 must be variadic of 32-bit float, but got 'i32'}}
  hopper.hold %r : i32
  return
}

// -----

func.func @f(%f: f32) {
  // expected-error@+1 {{'mask' failed to satisfy constraint: 64-bit signless integer attribute is from 1 to 31}}
  %s = hopper.shuffle_xor %f, 32 : f32
  return
}

// -----

func.func @f(%f: f32) {
  // expected-error@+1 {{cannot pack values of type 'f32'}}
  %x = hopper.pack %f, %f to f32 : i32
  return
}

// -----

func.func @f(%m: memref<?x64xbf16>, %i: i32, %p: i1) {
  // expected-error@+1 {{stores 1, 2 or 4 registers, not 3}}
  hopper.global_store %m[%i, %i], %i, %i, %i if %p : memref<?x64xbf16>, i32, i32, i32
  return
}

// -----

func.func @f(%m: memref<?x64xbf16>, %i: i32, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xbf16>'}}
  hopper.global_store %m[%i], %i if %p : memref<?x64xbf16>, i32
  return
}

// -----

func.func @f(%m: memref<?xf64>, %i: i32, %p: i1) {
  // expected-error@+1 {{loads 32-bit, 16-bit or 8-bit elements, not 'f64'}}
  %x = hopper.global_load %m[%i] if %p : memref<?xf64> -> f32
  return
}

// -----

func.func @f(%m: memref<?x64xf32>, %i: i32, %p: i1) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  %x:3 = hopper.global_load %m[%i, %i] if %p : memref<?x64xf32> -> f32, f32, f32
  return
}

// -----

func.func @f(%m: memref<?x64xf32>, %i: i32, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xf32>'}}
  %x = hopper.global_load %m[%i] if %p : memref<?x64xf32> -> f32
  return
}

// -----

func.func @f(%m: memref<?x64xf32>, %i: i32, %x: f32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  hopper.global_reduce %m[%i, %i], %x, %x, %x : memref<?x64xf32>, f32, f32, f32
  return
}

// -----

func.func @f(%m: memref<?x64xbf16>, %i: i32, %x: f32) {
  // expected-error@+1 {{adds f32, not 'bf16'}}
  hopper.global_reduce %m[%i, %i], %x : memref<?x64xbf16>, f32
  return
}

// -----

func.func @f(%m: memref<?x64xf32>, %i: i32, %x: f32) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xf32>'}}
  hopper.global_reduce %m[%i, %i, %i], %x : memref<?x64xf32>, f32
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  %x:3 = hopper.shared_load %a : f32, f32, f32
  return
}

// -----

func.func @f(%a: i32, %x: f32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  hopper.shared_store %a, %x, %x, %x : f32, f32, f32
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  hopper.store_matrix %a, %a, %a, %a : i32, i32, i32
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{copies a multiple of 16 bytes, not 24}}
  hopper.bulk_reduce %a, %m[%a, %a], 24 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf16>, %p: i1) {
  // expected-error@+1 {{adds f32, not 'f16'}}
  hopper.bulk_reduce %a, %m[%a, %a], 32 if %p : memref<?x64xf16>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xf32>'}}
  hopper.bulk_reduce %a, %m[%a], 32 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{'bytes' failed to satisfy constraint: 64-bit signless integer attribute is positive}}
  hopper.bulk_reduce %a, %m[%a, %a], 0 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{copies a multiple of 16 bytes, not 24}}
  hopper.bulk_store %a, %m[%a, %a], 24 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf16>, %p: i1) {
  // expected-error@+1 {{copies f32, not 'f16'}}
  hopper.bulk_store %a, %m[%a, %a], 32 if %p : memref<?x64xf16>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xf32>'}}
  hopper.bulk_store %a, %m[%a], 32 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%a: i32, %m: memref<?x64xf32>, %p: i1) {
  // expected-error@+1 {{'bytes' failed to satisfy constraint: 64-bit signless integer attribute is positive}}
  hopper.bulk_store %a, %m[%a, %a], 0 if %p : memref<?x64xf32>
  return
}

// -----

func.func @f(%m: memref<?xi32>, %i: i32, %p: i1) {
  // expected-error@+1 {{says in f32 what has begun, not in 'i32'}}
  %first = hopper.claim %m[%i] if %p : memref<?xi32>
  return
}

// -----

func.func @f(%m: memref<?x?xf32>, %i: i32, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x?xf32>'}}
  %first = hopper.claim %m[%i] if %p : memref<?x?xf32>
  return
}

// -----

func.func @f(%m: memref<?xf16>, %i: i32, %p: i1) {
  // expected-error@+1 {{says in f32 what has begun, not in 'f16'}}
  hopper.publish %m[%i] if %p : memref<?xf16>
  return
}

// -----

func.func @f(%m: memref<?xf32>, %i: i32, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?xf32>'}}
  hopper.publish %m[%i, %i] if %p : memref<?xf32>
  return
}

// -----

// expected-error@+1 {{expected 'linear'}}
func.func private @f(!hopper.tensor_map<0, [64, 64], swizzled>)

// -----

// expected-error@+1 {{TMA copies tensors of rank 2 to 5, not 6}}
func.func private @f(!hopper.tensor_map<0, [1, 1, 1, 1, 1, 64], linear>)

// -----

func.func @f(%f: f32) {
  // expected-error@+1 {{packs 4 values of type 'f8E4M3FN', not 2}}
  %x = hopper.pack %f, %f to f8E4M3FN : i32
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{attribute 'selector' failed to satisfy constraint: 64-bit signless integer attribute is four digits from 0 to 7 in base 16}}
  %x = hopper.permute_bytes %a, %a, 8 : i32
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{cannot multiply elements of types 'f8E4M3FN' and 'bf16'}}
  %s:4 = hopper.mma_async (%d), %d of f8E4M3FN and bf16 : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{cannot multiply elements of types 'bf16' and 'f16'}}
  %s:4 = hopper.mma_async (%d), %d of bf16 and f16 : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%d: i64) {
  // expected-error@+1 {{can only transpose 16-bit operands}}
  %s:4 = hopper.mma_async (%d), %d of f8E4M3FN and f8E5M2 {transpose_a} : (i64) -> (f32, f32, f32, f32)
  return
}

// -----

func.func @f(%x: i32) {
  // expected-error@+1 {{cannot unpack values of type 'bf16'}}
  %v:4 = hopper.unpack %x of bf16
  return
}

// -----

func.func @f(%m: memref<?x64xbf16>, %i: i32, %x: f32, %p: i1) {
  // expected-error@+1 {{raises f32, not 'bf16'}}
  hopper.global_max %m[%i, %i], %x if %p : memref<?x64xbf16>
  return
}

// -----

func.func @f(%m: memref<?x64xf32>, %i: i32, %x: f32, %p: i1) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x64xf32>'}}
  hopper.global_max %m[%i], %x if %p : memref<?x64xf32>
  return
}
