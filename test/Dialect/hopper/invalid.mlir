// RUN: fa3-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{a ring needs a stage, not 0}}
func.func private @f(!hopper.ring<0, vector<64x64xbf16>>)

// -----

// expected-error@+1 {{a buffer holds a tile of rank 2 of f32 or of 8-bit or 16-bit floats, not 'vector<64x64xf64>'}}
func.func private @f(!hopper.ring<1, vector<64x64xf64>>)

// -----

// expected-error@+1 {{a buffer of 'bf16' has a multiple of 8 rows and of 8 columns, but not 64 by 36}}
func.func private @f(!hopper.buffer<vector<64x36xbf16>, 64>)

// -----

// expected-error@+1 {{panels of 32 rows do not hold 64 rows}}
func.func private @f(!hopper.buffer<vector<64x64xbf16>, 32>)

// -----

// expected-error@+1 {{TMA copies tensors of rank 2 to 5, not 1}}
func.func private @f(!hopper.tensor_map<0, [64]>)

// -----

// expected-error@+1 {{the sides of a box are from 1 to 256, not 512}}
func.func private @f(!hopper.tensor_map<0, [512, 64]>)

// -----

// expected-error@+1 {{a tensor map describes an argument, not number -1}}
func.func private @f(!hopper.tensor_map<-1, [64, 64]>)

// -----

func.func @f() {
  // expected-error@+1 {{at a multiple of 1024 bytes, the period of the swizzle, not at 512}}
  %r = hopper.ring_alloc {offset = 512 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{needs mbarriers at a multiple of 8 bytes, not at 4}}
  %r = hopper.ring_alloc {barriers = 4 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'consumers' failed to satisfy constraint: 64-bit signless integer attribute is positive}}
  %r = hopper.ring_alloc {consumers = 0 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>, %m: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{needs an index for each of the source's 2 dimensions, not 1}}
  hopper.ring_put %r, %m[%i] dims [0, 1] : !hopper.ring<1, vector<64x64xbf16>>, memref<?x64xbf16>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>, %m: memref<?x64xf16>, %i: index) {
  // expected-error@+1 {{cannot load elements of type 'f16' into 'vector<64x64xbf16>'}}
  hopper.ring_put %r, %m[%i, %i] dims [0, 1] : !hopper.ring<1, vector<64x64xbf16>>, memref<?x64xf16>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>, %m: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{needs two entries in dims, not 1}}
  hopper.ring_put %r, %m[%i, %i] dims [0] : !hopper.ring<1, vector<64x64xbf16>>, memref<?x64xbf16>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>, %m: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{names dimension 2 of a source of rank 2}}
  hopper.ring_put %r, %m[%i, %i] dims [0, 2] : !hopper.ring<1, vector<64x64xbf16>>, memref<?x64xbf16>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>) {
  // expected-error@+1 {{which is no buffer of '!hopper.ring<1, vector<64x64xbf16>>'}}
  %b = hopper.ring_get %r : !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 128>
  return
}

// -----

func.func @f(%r: !hopper.ring<1, vector<64x64xbf16>>, %b: !hopper.buffer<vector<32x64xbf16>, 64>) {
  // expected-error@+1 {{which is no buffer of '!hopper.ring<1, vector<64x64xbf16>>'}}
  hopper.ring_release %r, %b : !hopper.ring<1, vector<64x64xbf16>>, !hopper.buffer<vector<32x64xbf16>, 64>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x64xbf16>, 128>, %i: i32) {
  // expected-error@+1 {{cannot take '!hopper.buffer<vector<128x64xbf16>, 128>' out of}}
  %r = hopper.rows %b[%i] : !hopper.buffer<vector<64x64xbf16>, 128> -> !hopper.buffer<vector<128x64xbf16>, 128>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !b, %b: !b) {
  // expected-error@+1 {{'contract_a' failed to satisfy constraint: 64-bit signless integer attribute is 0 or 1}}
  %s = hopper.wgmma %a, %b contract(2, 1) : !b, !b -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!c = !hopper.buffer<vector<64x64xf16>, 64>
func.func @f(%a: !b, %b: !c) {
  // expected-error@+1 {{multiplies 'vector<64x64xbf16>' with 'vector<64x64xf16>'}}
  %s = hopper.wgmma %a, %b contract(1, 1) : !b, !c -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: vector<64x64xbf16>, %b: !b) {
  // expected-error@+1 {{contracts dimension 0 of an operand in registers}}
  %s = hopper.wgmma %a, %b contract(0, 1) : vector<64x64xbf16>, !b -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

!b = !hopper.buffer<vector<64x128xbf16>, 64>
!c = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !b, %b: !c) {
  // expected-error@+1 {{contracts 128 elements with 64}}
  %s = hopper.wgmma %a, %b contract(1, 1) : !b, !c -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !b, %b: !b) {
  // expected-error@+1 {{gives f32 values, 64 by 64, not 'vector<64x32xf32>'}}
  %s = hopper.wgmma %a, %b contract(1, 1) : !b, !b -> !hopper.pending<vector<64x32xf32>>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !b, %b: !b, %c: vector<64x32xf32>) {
  // expected-error@+1 {{adds 'vector<64x32xf32>' to 'vector<64x64xf32>'}}
  %s = hopper.wgmma %a, %b, %c contract(1, 1) : !b, !b, vector<64x32xf32> -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

func.func @f(%p: !hopper.pending<vector<64x64xf32>>) {
  // expected-error@+1 {{gives 'vector<64x64xf32>', not 'vector<64x32xf32>'}}
  %s = hopper.wait %p younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x32xf32>
  return
}

// -----

func.func @f(%p: !hopper.pending<vector<64x64xf32>>) {
  // expected-error@+1 {{'younger' failed to satisfy constraint: 64-bit signless integer attribute is from 0 to 7}}
  %s = hopper.wait %p younger 8 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'producer_registers' failed to satisfy constraint: 64-bit signless integer attribute is a multiple of 8 from 24 to 256}}
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 25 : i64, consumer_registers = 240 : i64} producer {} consumer {}
  return
}

// -----

// expected-error@+1 {{a buffer holds a tile of rank 2 of f32 or of 8-bit or 16-bit floats, not 'vector<64xf32>'}}
func.func private @f(!hopper.ring<1, vector<64xf32>>)

// -----

func.func @f() {
  // expected-error@+1 {{needs buffers at a multiple of 128 bytes, not at 192}}
  %r = hopper.ring_alloc {offset = 192 : i64} : !hopper.ring<1, vector<1x64xf32>>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x64xbf16>, 64>, %i: i32) {
  // expected-error@+1 {{cannot take '!hopper.buffer<vector<64x128xbf16>, 64>' out of}}
  %r = hopper.columns %b[%i] : !hopper.buffer<vector<64x64xbf16>, 64> -> !hopper.buffer<vector<64x128xbf16>, 64>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x128xbf16>, 64>, %i: i32) {
  // expected-error@+1 {{cannot take '!hopper.buffer<vector<32x64xbf16>, 64>' out of}}
  %r = hopper.columns %b[%i] : !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.buffer<vector<32x64xbf16>, 64>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x128xbf16>, 64>, %i: i32) {
  // expected-error@+1 {{cannot take '!hopper.buffer<vector<64x64xbf16>, 128>' out of}}
  %r = hopper.columns %b[%i] : !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.buffer<vector<64x64xbf16>, 128>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x128xbf16>, 64>, %i: i32) {
  // expected-error@+1 {{cannot take '!hopper.buffer<vector<64x64xf16>, 64>' out of}}
  %r = hopper.columns %b[%i] : !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.buffer<vector<64x64xf16>, 64>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x64xbf16>, 64>) {
  // expected-error@+1 {{reads a tile of f32 as a whole, not 'vector<64x64xbf16>' from}}
  %r = hopper.buffer_load %b : !hopper.buffer<vector<64x64xbf16>, 64> -> vector<64x64xbf16>
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<1x64xf32>, 1>) {
  // expected-error@+1 {{reads a tile of f32 as a whole, not 'vector<1x32xf32>' from}}
  %r = hopper.buffer_load %b : !hopper.buffer<vector<1x64xf32>, 1> -> vector<1x32xf32>
  return
}

// -----

func.func @f(%x: vector<64x64xbf16>, %b: !hopper.buffer<vector<32x64xbf16>, 32>, %i: i32) {
  // The tile's columns are the buffer's rows.
  // expected-error@+1 {{cannot store 'vector<64x64xbf16>' in '!hopper.buffer<vector<32x64xbf16>, 32>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<64x64xbf16>, !hopper.buffer<vector<32x64xbf16>, 32>
  return
}

// -----

func.func @f(%x: vector<64x64xf16>, %b: !hopper.buffer<vector<64x64xbf16>, 64>, %i: i32) {
  // expected-error@+1 {{cannot store 'vector<64x64xf16>' in '!hopper.buffer<vector<64x64xbf16>, 64>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<64x64xf16>, !hopper.buffer<vector<64x64xbf16>, 64>
  return
}

// -----

func.func @f(%x: vector<128x64xf32>, %b: !hopper.buffer<vector<64x64xf32>, 64>, %i: i32) {
  // expected-error@+1 {{cannot store 'vector<128x64xf32>' in '!hopper.buffer<vector<64x64xf32>, 64>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<128x64xf32>, !hopper.buffer<vector<64x64xf32>, 64>
  return
}

// -----

!r = !hopper.ring<1, vector<64x128xbf16>>
func.func @f(%x: vector<64x64xbf16>, %r: !r) {
  // expected-error@+1 {{gives '!hopper.buffer<vector<64x64xbf16>, 64>', which is no buffer of '!hopper.ring<1, vector<64x128xbf16>>' for products}}
  %b = hopper.share %x, %r : vector<64x64xbf16>, !r -> !hopper.buffer<vector<64x64xbf16>, 64>
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
func.func @f(%x: vector<64x64xf32>, %r: !r) {
  // expected-error@+1 {{gives '!hopper.buffer<vector<64x64xf32>, 64>', which is no buffer of '!hopper.ring<1, vector<64x64xf32>>' for products}}
  %b = hopper.share %x, %r : vector<64x64xf32>, !r -> !hopper.buffer<vector<64x64xf32>, 64>
  return
}

// -----

!r = !hopper.ring<1, vector<64x128xbf16>>
func.func @f(%x: vector<64x32xbf16>, %r: !r) {
  // Half of the rows and half of the columns.
  // expected-error@+1 {{cannot share the transpose of 'vector<64x32xbf16>' as rows or columns of 'vector<64x128xbf16>'}}
  %b = hopper.share %x, %r : vector<64x32xbf16>, !r -> !hopper.buffer<vector<64x128xbf16>, 64>
  return
}

// -----

!r = !hopper.ring<1, vector<64x128xbf16>>
func.func @f(%x: vector<48x64xbf16>, %r: !r) {
  // 48 does not divide 128.
  // expected-error@+1 {{cannot share the transpose of 'vector<48x64xbf16>' as rows or columns of 'vector<64x128xbf16>'}}
  %b = hopper.share %x, %r : vector<48x64xbf16>, !r -> !hopper.buffer<vector<64x128xbf16>, 64>
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
func.func @f(%r: !r, %m: memref<?x4096xf32>, %i: index) {
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x4096xf32>'}}
  hopper.out_reduce %r, %m[%i] : !r, memref<?x4096xf32>
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
func.func @f(%r: !r, %m: memref<?x4096xbf16>, %i: index) {
  // expected-error@+1 {{cannot add 'vector<64x64xf32>' to 'memref<?x4096xbf16>'}}
  hopper.out_reduce %r, %m[%i, %i] : !r, memref<?x4096xbf16>
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
func.func @f(%r: !r, %m: memref<?x4096xf32>, %b: memref<?xi32>, %i: index) {
  // expected-error@+1 {{says in f32 what has begun, not in 'i32'}}
  hopper.out_reduce %r, %m[%i, %i] begun %b : !r, memref<?x4096xf32>, memref<?xi32>
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
func.func @f(%r: !r, %m: memref<?x4096xf32>, %i: index) {
  // One index less than the target has: a place has all elements of the tile.
  // expected-error@+1 {{needs an index for each dimension of 'memref<?x4096xf32>'}}
  hopper.out_reduce %r, %m[%i, %i] begun %m : !r, memref<?x4096xf32>, memref<?x4096xf32>
  return
}

// -----

!r = !hopper.ring<1, vector<128x64xf32>>
func.func @f(%x: vector<128x32xf32>, %r: !r) {
  // Packed tiles are divided by rows only.
  // expected-error@+1 {{cannot put 'vector<128x32xf32>' as rows into '!hopper.ring<1, vector<128x64xf32>>'}}
  hopper.out_put %x, %r : vector<128x32xf32>, !r
  return
}

// -----

!r = !hopper.ring<1, vector<128x64xf32>>
func.func @f(%x: vector<48x64xf32>, %r: !r) {
  // 48 does not divide 128.
  // expected-error@+1 {{cannot put 'vector<48x64xf32>' as rows into '!hopper.ring<1, vector<128x64xf32>>'}}
  hopper.out_put %x, %r : vector<48x64xf32>, !r
  return
}

// -----

!r = !hopper.ring<2, vector<64x64xf32>>
func.func @f(%x: vector<64x64xf32>, %r: !r) {
  // expected-error@+1 {{cannot put 'vector<64x64xf32>' as rows into '!hopper.ring<2, vector<64x64xf32>>'}}
  hopper.out_put %x, %r : vector<64x64xf32>, !r
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xbf16>>
func.func @f(%x: vector<64x64xbf16>, %r: !r) {
  // expected-error@+1 {{cannot put 'vector<64x64xbf16>' as rows into '!hopper.ring<1, vector<64x64xbf16>>'}}
  hopper.out_put %x, %r : vector<64x64xbf16>, !r
  return
}

// -----

!r = !hopper.ring<1, vector<64x64xbf16>>
func.func @f(%r: !r, %m: memref<?x4096xf32>, %i: index) {
  // expected-error@+1 {{cannot add 'vector<64x64xbf16>' to 'memref<?x4096xf32>'}}
  hopper.out_reduce %r, %m[%i, %i] : !r, memref<?x4096xf32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'younger' failed to satisfy constraint: 64-bit signless integer attribute is from 0 to 7}}
  hopper.bulk_wait {younger = 8 : i64}
  return
}

// -----

func.func @f(%b: !hopper.buffer<vector<64x64xf32>, 64>, %i: i32) {
  // expected-error@+1 {{cannot take columns of a packed tile, '!hopper.buffer<vector<64x64xf32>, 64>'}}
  %r = hopper.columns %b[%i] : !hopper.buffer<vector<64x64xf32>, 64> -> !hopper.buffer<vector<64x32xf32>, 64>
  return
}

// -----

func.func @f(%x: vector<64x32xf32>, %b: !hopper.buffer<vector<64x64xf32>, 64>, %i: i32) {
  // expected-error@+1 {{cannot store 'vector<64x32xf32>' in '!hopper.buffer<vector<64x64xf32>, 64>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<64x32xf32>, !hopper.buffer<vector<64x64xf32>, 64>
  return
}

// -----

func.func @f(%x: vector<64x64xf32>, %b: !hopper.buffer<vector<64x64xf32>, 64>, %i: i32) {
  // expected-error@+1 {{stores a tile of f32 packed, not straight}}
  hopper.buffer_store %x, %b[%i, %i] straight : vector<64x64xf32>, !hopper.buffer<vector<64x64xf32>, 64>
  return
}

// -----

func.func @f(%x: vector<64x32xbf16>, %b: !hopper.buffer<vector<32x64xbf16>, 32>, %i: i32) {
  // expected-error@+1 {{cannot store 'vector<64x32xbf16>' in '!hopper.buffer<vector<32x64xbf16>, 32>'}}
  hopper.buffer_store %x, %b[%i, %i] straight : vector<64x32xbf16>, !hopper.buffer<vector<32x64xbf16>, 32>
  return
}

// -----

!b = !hopper.buffer<vector<64x64xf8E4M3FN>, 64>
!c = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !b, %b: !c) {
  // expected-error@+1 {{multiplies 'vector<64x64xf8E4M3FN>' with 'vector<64x64xbf16>'}}
  %s = hopper.wgmma %a, %b contract(1, 1) : !b, !c -> !hopper.pending<vector<64x64xf32>>
  return
}

// -----

func.func @f(%x: vector<64x32xf8E4M3FN>, %b: !hopper.buffer<vector<64x32xf8E4M3FN>, 64>, %i: i32) {
  // Not as it is, but transposed.
  // expected-error@+1 {{cannot store 'vector<32x64xf8E4M3FN>' in '!hopper.buffer<vector<64x32xf8E4M3FN>, 64>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<64x32xf8E4M3FN>, !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
  return
}

// -----

func.func @f(%x: vector<64x32xf8E5M2>, %b: !hopper.buffer<vector<32x64xf8E4M3FN>, 32>, %i: i32) {
  // expected-error@+1 {{cannot store 'vector<32x64xf8E5M2>' in '!hopper.buffer<vector<32x64xf8E4M3FN>, 32>'}}
  hopper.buffer_store %x, %b[%i, %i] : vector<64x32xf8E5M2>, !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
  return
}
