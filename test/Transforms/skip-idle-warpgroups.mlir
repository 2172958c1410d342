// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-skip-idle-warpgroups))' | FileCheck %s

!matrix = memref<?x64xf32, strided<[?, 1]>>

// As many warpgroups work as have rows inside of the tensor, one at least.
// CHECK-LABEL: tile.kernel @last_tile
// CHECK: %[[BASE:.*]] = arith.muli
// CHECK: %[[SIZE:.*]] = memref.dim %arg0
// CHECK: %[[LEFT:.*]] = arith.subi %[[SIZE]], %[[BASE]]
// CHECK: %[[SHARES:.*]] = arith.ceildivsi %[[LEFT]], %{{.*}}
// CHECK: %[[SOME:.*]] = arith.maxsi %{{.*}}, %[[SHARES]]
// CHECK: %[[BOUND:.*]] = arith.minsi %[[SOME]], %{{.*}}
// CHECK: %[[ACTIVE:.*]] = arith.index_cast %[[BOUND]] : index to i32
// CHECK: hopper.specialize active %[[ACTIVE]]
tile.kernel @last_tile(%a: !matrix) attributes {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, producer_registers = 32, consumer_registers = 160>} {
  %c0 = arith.constant 0 : index
  %c192 = arith.constant 192 : index
  %rows = memref.dim %a, %c0 : !matrix
  %blocks = arith.ceildivui %rows, %c192 : index
  %i = tile.program_id(%blocks) : index
  %base = arith.muli %i, %c192 : index
  hopper.specialize {consumer_registers = 160 : i64, producer_registers = 32 : i64, warpgroups = 3 : i64} producer {
  } consumer {
    %c64 = arith.constant 64 : i32
    %w = hopper.warpgroup : i32
    %first = arith.muli %w, %c64 : i32
    %offset = arith.index_cast %first : i32 to index
    %row = arith.addi %base, %offset : index
    %t = arith.constant dense<1.0> : vector<64x64xf32>
    tile.store %t, %a[%row, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
  }
  tile.return
}

// A store whose rows are not the warpgroup's share says nothing.
// CHECK-LABEL: tile.kernel @unknown_rows
// CHECK: hopper.specialize {
tile.kernel @unknown_rows(%a: !matrix) attributes {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, producer_registers = 32, consumer_registers = 160>} {
  %c0 = arith.constant 0 : index
  hopper.specialize {consumer_registers = 160 : i64, producer_registers = 32 : i64, warpgroups = 3 : i64} producer {
  } consumer {
    %t = arith.constant dense<1.0> : vector<64x64xf32>
    tile.store %t, %a[%c0, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
  }
  tile.return
}

// Rows that are only known inside of a role (a loop over tiles) leave all of
// them at work.
// CHECK-LABEL: tile.kernel @rows_of_a_loop
// CHECK: hopper.specialize {
tile.kernel @rows_of_a_loop(%a: !matrix) attributes {schedule = #tile.schedule<block_q = 192, block_kv = 64, warpgroups = 3, producer_registers = 32, consumer_registers = 160>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c192 = arith.constant 192 : index
  hopper.specialize {consumer_registers = 160 : i64, producer_registers = 32 : i64, warpgroups = 3 : i64} producer {
  } consumer {
    scf.for %i = %c0 to %c192 step %c1 {
      %c64 = arith.constant 64 : i32
      %w = hopper.warpgroup : i32
      %first = arith.muli %w, %c64 : i32
      %offset = arith.index_cast %first : i32 to index
      %base = arith.muli %i, %c192 : index
      %row = arith.addi %base, %offset : index
      %t = arith.constant dense<1.0> : vector<64x64xf32>
      tile.store %t, %a[%row, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
    }
  }
  tile.return
}

// Threads that read a row of f32 from a buffer disturb nobody.
// CHECK-LABEL: tile.kernel @statistics
// CHECK: hopper.specialize active
tile.kernel @statistics(%a: !matrix) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %rows = memref.dim %a, %c0 : !matrix
  %blocks = arith.ceildivui %rows, %c128 : index
  %i = tile.program_id(%blocks) : index
  %base = arith.muli %i, %c128 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<2, vector<1x64xf32>>
  hopper.specialize {consumer_registers = 240 : i64, producer_registers = 24 : i64, warpgroups = 2 : i64} producer {
  } consumer {
    %c64 = arith.constant 64 : i32
    %w = hopper.warpgroup : i32
    %first = arith.muli %w, %c64 : i32
    %offset = arith.index_cast %first : i32 to index
    %row = arith.addi %base, %offset : index
    %b = hopper.ring_get %ring : !hopper.ring<2, vector<1x64xf32>> -> !hopper.buffer<vector<1x64xf32>, 1>
    %l = hopper.buffer_load %b : !hopper.buffer<vector<1x64xf32>, 1> -> vector<1x64xf32>
    hopper.ring_release %ring, %b : !hopper.ring<2, vector<1x64xf32>>, !hopper.buffer<vector<1x64xf32>, 1>
    %t = vector.broadcast %l : vector<1x64xf32> to vector<64x64xf32>
    tile.store %t, %a[%row, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
  }
  tile.return
}

// Warpgroups that share a tile need each other.
// CHECK-LABEL: tile.kernel @share
// CHECK: hopper.specialize {
tile.kernel @share(%a: !matrix, %t: vector<64x64xf32>, %h: vector<64x64xbf16>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %rows = memref.dim %a, %c0 : !matrix
  %blocks = arith.ceildivui %rows, %c128 : index
  %i = tile.program_id(%blocks) : index
  %base = arith.muli %i, %c128 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<64x128xbf16>>
  hopper.specialize {consumer_registers = 240 : i64, producer_registers = 24 : i64, warpgroups = 2 : i64} producer {
  } consumer {
    %c64 = arith.constant 64 : i32
    %w = hopper.warpgroup : i32
    %first = arith.muli %w, %c64 : i32
    %offset = arith.index_cast %first : i32 to index
    %row = arith.addi %base, %offset : index
    %b = hopper.share %h, %ring : vector<64x64xbf16>, !hopper.ring<1, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
    tile.store %t, %a[%row, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
  }
  tile.return
}

// What is added to memory can be seen from outside.
// CHECK-LABEL: tile.kernel @out_put
// CHECK: hopper.specialize {
tile.kernel @out_put(%a: !matrix, %t: vector<64x64xf32>, %s: memref<?x8192xf32, strided<[?, 1]>>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %rows = memref.dim %a, %c0 : !matrix
  %blocks = arith.ceildivui %rows, %c128 : index
  %i = tile.program_id(%blocks) : index
  %base = arith.muli %i, %c128 : index
  %ring = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<128x64xf32>>
  hopper.specialize {consumer_registers = 240 : i64, producer_registers = 24 : i64, warpgroups = 2 : i64} producer {
  } consumer {
    %c64 = arith.constant 64 : i32
    %w = hopper.warpgroup : i32
    %first = arith.muli %w, %c64 : i32
    %offset = arith.index_cast %first : i32 to index
    %row = arith.addi %base, %offset : index
    hopper.out_put %t, %ring : vector<64x64xf32>, !hopper.ring<1, vector<128x64xf32>>
    tile.store %t, %a[%row, %c0] dims [0, 1] : vector<64x64xf32>, !matrix
  } drain {
    hopper.out_reduce %ring, %s[%i, %c0] : !hopper.ring<1, vector<128x64xf32>>, memref<?x8192xf32, strided<[?, 1]>>
  }
  tile.return
}

// A packed tile has no rows outside of the tensor.
// CHECK-LABEL: tile.kernel @packed
// CHECK: hopper.specialize {
tile.kernel @packed(%a: !matrix, %t: vector<64x64xf32>, %s: memref<?x8192xf32, strided<[?, 1]>>) attributes {schedule = #tile.schedule<block_q = 128, block_kv = 64, warpgroups = 2>} {
  %c0 = arith.constant 0 : index
  %c128 = arith.constant 128 : index
  %rows = memref.dim %a, %c0 : !matrix
  %blocks = arith.ceildivui %rows, %c128 : index
  %i = tile.program_id(%blocks) : index
  %base = arith.muli %i, %c128 : index
  hopper.specialize {consumer_registers = 240 : i64, producer_registers = 24 : i64, warpgroups = 2 : i64} producer {
  } consumer {
    %c64 = arith.constant 64 : i32
    %w = hopper.warpgroup : i32
    %first = arith.muli %w, %c64 : i32
    %offset = arith.index_cast %first : i32 to index
    %row = arith.addi %base, %offset : index
    tile.store %t, %s[%row, %c0] dims [] : vector<64x64xf32>, memref<?x8192xf32, strided<[?, 1]>>
  }
  tile.return
}
