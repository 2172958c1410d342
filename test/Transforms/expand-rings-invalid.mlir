// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-rings))' --verify-diagnostics --split-input-file

tile.kernel @no_place() {
  // expected-error @+1 {{the ring has no place in shared memory: run fa3-allocate-shared-memory first}}
  %r = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @not_an_argument(%k: !m, %l: !m, %c: i1) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 8192 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  %x = arith.select %c, %k, %l : !m
  // expected-error @+1 {{TMA loads from an argument of the kernel only}}
  hopper.ring_put %r, %x[%c0, %c0] dims [0, 1] : !hopper.ring<1, vector<64x64xbf16>>, !m
  tile.return
}

// -----

!m = memref<64x?xbf16, strided<[?, 1]>>
tile.kernel @columns(%k: !m) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 8192 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  // expected-error @+1 {{TMA loads rows of a tensor whose columns run along its last dimension only}}
  hopper.ring_put %r, %k[%c0, %c0] dims [1, 0] : !hopper.ring<1, vector<64x64xbf16>>, !m
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
tile.kernel @in_a_region(%k: !m) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 8192 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  // expected-note @+1 {{enclosed by this operation}}
  scf.execute_region {
    // expected-error @+1 {{a ring must be used in scf.for and scf.if only: its puts and gets are counted through them}}
    hopper.ring_put %r, %k[%c0, %c0] dims [0, 1] : !hopper.ring<1, vector<64x64xbf16>>, !m
    scf.yield
  }
  tile.return
}

// -----

!r = !hopper.ring<1, vector<1x64xf32>>
tile.kernel @one_dimension(%l: memref<?xf32, strided<[1]>>) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 256 : i64} : !r
  // expected-error @+1 {{TMA loads from tensors of rank 2 to 5 only, not 1}}
  hopper.ring_put %r, %l[%c0] dims [-1, 0] : !r, memref<?xf32, strided<[1]>>
  tile.return
}

// -----

!r = !hopper.ring<1, vector<1x64xf32>>
tile.kernel @row_across(%l: memref<64x?xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 256 : i64} : !r
  // expected-error @+1 {{TMA loads a row or a column of f32 along the tensor's last dimension only}}
  hopper.ring_put %r, %l[%c0, %c0] dims [-1, 0] : !r, memref<64x?xf32, strided<[?, 1]>>
  tile.return
}

// -----

!r = !hopper.ring<1, vector<64x1xf32>>
tile.kernel @column_across(%l: memref<64x?xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 256 : i64} : !r
  // expected-error @+1 {{TMA loads a row or a column of f32 along the tensor's last dimension only}}
  hopper.ring_put %r, %l[%c0, %c0] dims [0, -1] : !r, memref<64x?xf32, strided<[?, 1]>>
  tile.return
}

// -----

!r = !hopper.ring<1, vector<64x64xf32>>
tile.kernel @f32_tile(%l: memref<?x64xf32, strided<[?, 1]>>) {
  %c0 = arith.constant 0 : index
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 16384 : i64} : !r
  // expected-error @+1 {{TMA loads a row or a column of f32 along the tensor's last dimension only}}
  hopper.ring_put %r, %l[%c0, %c0] dims [0, 1] : !r, memref<?x64xf32, strided<[?, 1]>>
  tile.return
}

// -----

tile.kernel @share_without_a_place(%x: vector<64x64xbf16>) {
  // expected-error @+1 {{the ring has no place in shared memory: run fa3-allocate-shared-memory first}}
  %r = hopper.ring_alloc : !hopper.ring<1, vector<64x64xbf16>>
  %b = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
  tile.return
}

// -----

tile.kernel @share_in_a_region(%x: vector<64x64xbf16>) {
  %r = hopper.ring_alloc {offset = 0 : i64} : !hopper.ring<1, vector<64x64xbf16>>
  // expected-note @+1 {{enclosed by this operation}}
  scf.execute_region {
    // expected-error @+1 {{a ring must be used in scf.for and scf.if only: its puts and gets are counted through them}}
    %b = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x64xbf16>> -> !hopper.buffer<vector<64x64xbf16>, 64>
    scf.yield
  }
  tile.return
}

// -----

!r = !hopper.ring<1, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<1, vector<64x32xf8E4M3FN>>
tile.kernel @transpose_without_roles() {
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 12288 : i64} : !r
  %t = hopper.ring_alloc {offset = 4096 : i64, barriers = 12304 : i64} : !t
  // expected-error @+1 {{a ring is transposed by a role of its own: run fa3-specialize-warps first}}
  hopper.ring_transpose %r, %t : !r to !t
  tile.return
}

// -----

!r = !hopper.ring<1, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<1, vector<64x32xf8E4M3FN>>
tile.kernel @transpose_without_a_place() {
  %r = hopper.ring_alloc {offset = 0 : i64, barriers = 4096 : i64} : !r
  // expected-error @+1 {{the ring has no place in shared memory: run fa3-allocate-shared-memory first}}
  %t = hopper.ring_alloc {offset = 4096 : i64} : !t
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } transpose {
    hopper.ring_transpose %r, %t : !r to !t
  }
  tile.return
}
