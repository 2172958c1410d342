// RUN: fa3-opt %s | fa3-opt | FileCheck %s
// RUN: fa3-opt %s --mlir-print-op-generic | fa3-opt | FileCheck %s

!ring = !hopper.ring<2, vector<96x64xf8E4M3FN>>
!transposed = !hopper.ring<1, vector<64x96xf8E4M3FN>>
!withones = !hopper.ring<2, vector<72x96xf8E4M3FN>>

// Buffers of a ring are transposed into those of another one, which may have
// other stages and, with ones, 8 rows more.
// CHECK-LABEL: tile.kernel @rings
tile.kernel @rings() {
  // CHECK: %[[FROM:.*]] = hopper.ring_alloc : <2, vector<96x64xf8E4M3FN>>
  %from = hopper.ring_alloc : !ring
  // CHECK: %[[TO:.*]] = hopper.ring_alloc : <1, vector<64x96xf8E4M3FN>>
  %to = hopper.ring_alloc : !transposed
  // CHECK: %[[ONES:.*]] = hopper.ring_alloc {ones} : <2, vector<72x96xf8E4M3FN>>
  %ones = hopper.ring_alloc {ones} : !withones
  // CHECK: hopper.ring_transpose %[[FROM]], %[[TO]] : <2, vector<96x64xf8E4M3FN>> to <1, vector<64x96xf8E4M3FN>>
  hopper.ring_transpose %from, %to : !ring to !transposed
  // CHECK: hopper.ring_transpose %[[FROM]], %[[ONES]] : <2, vector<96x64xf8E4M3FN>> to <2, vector<72x96xf8E4M3FN>>
  hopper.ring_transpose %from, %ones : !ring to !withones
  tile.return
}

// CHECK-LABEL: tile.kernel @buffers
tile.kernel @buffers(%address: i32) {
  // CHECK: %[[FROM:.*]] = hopper.view %{{.*}} : <vector<32x64xf8E5M2>, 32>
  %from = hopper.view %address : !hopper.buffer<vector<32x64xf8E5M2>, 32>
  // CHECK: %[[TO:.*]] = hopper.view %{{.*}} : <vector<64x32xf8E5M2>, 64>
  %to = hopper.view %address : !hopper.buffer<vector<64x32xf8E5M2>, 64>
  // CHECK: %[[ONES:.*]] = hopper.view %{{.*}} : <vector<72x32xf8E5M2>, 72>
  %ones = hopper.view %address : !hopper.buffer<vector<72x32xf8E5M2>, 72>
  // CHECK: hopper.buffer_transpose %[[FROM]], %[[TO]] : <vector<32x64xf8E5M2>, 32> to <vector<64x32xf8E5M2>, 64>
  hopper.buffer_transpose %from, %to : !hopper.buffer<vector<32x64xf8E5M2>, 32> to !hopper.buffer<vector<64x32xf8E5M2>, 64>
  // CHECK: hopper.buffer_transpose %[[FROM]], %[[ONES]] : <vector<32x64xf8E5M2>, 32> to <vector<72x32xf8E5M2>, 72>
  hopper.buffer_transpose %from, %ones : !hopper.buffer<vector<32x64xf8E5M2>, 32> to !hopper.buffer<vector<72x32xf8E5M2>, 72>
  tile.return
}

// CHECK-LABEL: tile.kernel @matrices
tile.kernel @matrices(%address: i32) {
  // CHECK: hopper.load_matrix %{{.*}} : i32{{$}}
  %a = hopper.load_matrix %address : i32
  // CHECK: hopper.load_matrix %{{.*}} : i32, i32{{$}}
  %b:2 = hopper.load_matrix %address : i32, i32
  // CHECK: hopper.load_matrix %{{.*}} : i32, i32, i32, i32{{$}}
  %c:4 = hopper.load_matrix %address : i32, i32, i32, i32
  tile.return
}

// A role that transposes, without a drain and behind one.
// CHECK-LABEL: tile.kernel @transpose
tile.kernel @transpose(%from: !ring, %to: !transposed) {
  // CHECK: hopper.specialize {{.*}} producer {
  hopper.specialize {warpgroups = 2 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  // CHECK-NEXT: } consumer {
  } consumer {
  // CHECK-NEXT: } transpose {
  } transpose {
    // CHECK-NEXT: hopper.ring_transpose
    hopper.ring_transpose %from, %to : !ring to !transposed
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: tile.return
  tile.return
}

// CHECK-LABEL: tile.kernel @drain_and_transpose
tile.kernel @drain_and_transpose(%from: !ring, %to: !transposed) {
  // CHECK: hopper.specialize {{.*}} producer {
  hopper.specialize {warpgroups = 3 : i64, producer_registers = 32 : i64, consumer_registers = 160 : i64} producer {
  // CHECK-NEXT: } consumer {
  } consumer {
  // CHECK-NEXT: } drain {
  } drain {
    // CHECK-NEXT: hopper.bulk_wait
    hopper.bulk_wait
  // CHECK-NEXT: } transpose {
  } transpose {
    // CHECK-NEXT: hopper.ring_transpose
    hopper.ring_transpose %from, %to : !ring to !transposed
  }
  tile.return
}
