// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-verify-hopper))' --verify-diagnostics --split-input-file

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
tile.kernel @no_wait(%b: !b) {
  // expected-error @+1 {{nobody waits for the product}}
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  tile.return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @other_block(%b: !b, %c: i1) {
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  scf.if %c {
    // expected-error @+1 {{a wait must be in the block of its product: groups are counted in straight lines}}
    %s0 = hopper.wait %p0 younger 0 : !p -> !t
  }
  tile.return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @too_many_younger(%b: !b) {
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %p1 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  // expected-error @+1 {{allows 2 younger products to run, but only 1 are issued after this one: it may still be running}}
  %s0 = hopper.wait %p0 younger 2 : !p -> !t
  %s1 = hopper.wait %p1 younger 0 : !p -> !t
  tile.return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @region_between(%b: !b, %c: i1) {
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  scf.if %c {
    %p1 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
    %s1 = hopper.wait %p1 younger 0 : !p -> !t
  }
  // expected-error @+1 {{a region with products of its own must not be between a product and its wait}}
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  tile.return
}

// -----

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @next_operand(%b: !b, %n: index, %x0: vector<64x64xbf16>, %y: !t) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%x = %x0) -> (vector<64x64xbf16>) {
    // expected-note @+1 {{the product}}
    %p = hopper.wgmma %x, %b contract(1, 1) : vector<64x64xbf16>, !b -> !p
    // expected-error @+1 {{computes the next iteration's operand before the wait for the product that reads this iteration's one in registers}}
    %next = arith.truncf %y : !t to vector<64x64xbf16>
    %s = hopper.wait %p younger 0 : !p -> !t
    scf.yield %next : vector<64x64xbf16>
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @released_while_read(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  // expected-note @+1 {{the product}}
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  // expected-error @+1 {{releases a buffer before the wait for a product that reads it}}
  hopper.ring_release %rk, %b : !r, !b
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @rows_released_while_read(%k: !m, %w: i32) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  %mine = hopper.rows %b[%w] : !b -> !b
  // expected-note @+1 {{the product}}
  %p0 = hopper.wgmma %mine, %mine contract(1, 1) : !b, !b -> !p
  // expected-error @+1 {{releases a buffer before the wait for a product that reads it}}
  hopper.ring_release %rk, %b : !r, !b
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!t = vector<64x64xf32>
tile.kernel @read_after_release(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b : !r, !b
  // expected-error @+1 {{reads a buffer that has been released}}
  %p0 = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  %s0 = hopper.wait %p0 younger 0 : !p -> !t
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @not_released(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  // expected-error @+1 {{the buffer is not released on every path}}
  %b = hopper.ring_get %rk : !r -> !b
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @released_in_one_arm(%k: !m, %c: i1) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  // expected-error @+1 {{a buffer must be released on every path through this operation or on none}}
  scf.if %c {
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @released_in_a_loop(%k: !m, %n: index) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  // expected-error @+1 {{a buffer must be released on every path through this operation or on none}}
  scf.for %j = %c0 to %n step %c1 {
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @released_twice(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b : !r, !b
  // expected-error @+1 {{the buffer has been released before}}
  hopper.ring_release %rk, %b : !r, !b
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @another_ring(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %other = hopper.ring_alloc : !r
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b = hopper.ring_get %rk : !r -> !b
  // expected-error @+1 {{the buffer is another ring's}}
  hopper.ring_release %other, %b : !r, !b
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @comes_round(%k: !m, %n: index) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  // expected-note @+1 {{the buffer of a ring with 2 stages}}
  %b = hopper.ring_get %rk : !r -> !b
  scf.for %j = %c0 to %n step %c1 {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    %b1 = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b1 : !r, !b
  }
  // expected-error @+1 {{releases a buffer after the ring has come round to it again: the producer waits forever}}
  hopper.ring_release %rk, %b : !r, !b
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @too_many_at_once(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  // expected-note @+1 {{the buffer of a ring with 2 stages}}
  %b = hopper.ring_get %rk : !r -> !b
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b1 = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b1 : !r, !b
  hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  %b2 = hopper.ring_get %rk : !r -> !b
  hopper.ring_release %rk, %b2 : !r, !b
  // expected-error @+1 {{releases a buffer after the ring has come round to it again: the producer waits forever}}
  hopper.ring_release %rk, %b : !r, !b
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @put_without_get(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    // expected-error @+1 {{puts a buffer that no consumer gets}}
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @get_without_put(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.fence_proxy_async
  } consumer {
    // expected-error @+1 {{gets a buffer that the producer does not put}}
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @other_bounds(%k: !m, %n: index, %m: index) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    // expected-note @+1 {{the consumers' next gets}}
    scf.for %j = %c0 to %m step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @other_condition(%k: !m, %n: i1, %m: i1) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.if %n {
      hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    // expected-note @+1 {{the consumers' next gets}}
    scf.if %m {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @other_arms(%k: !m, %n: i1) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.if %n {
      hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    } else {
      hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    // expected-note @+1 {{the consumers' next gets}}
    scf.if %n {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @other_recurrence(%k: !m, %n: index) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%row = %c0) -> (index) {
      // expected-error @+1 {{puts buffers in another order than consumers get them}}
      scf.for %j = %row to %i step %c1 {
        hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
      }
      %next = arith.addi %row, %i : index
      scf.yield %next : index
    }
  } consumer {
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%row = %c0) -> (index) {
      // expected-note @+1 {{the consumers' next gets}}
      scf.for %j = %row to %i step %c1 {
        %b = hopper.ring_get %rk : !r -> !b
        hopper.ring_release %rk, %b : !r, !b
      }
      %next = arith.addi %row, %c1 : index
      scf.yield %next : index
    }
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @loop_and_straight_line(%k: !m, %n: index) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    // expected-note @+1 {{the consumers' next gets}}
    scf.for %j = %c0 to %n step %c1 {
      %b = hopper.ring_get %rk : !r -> !b
      hopper.ring_release %rk, %b : !r, !b
    }
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @get_in_producer(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    // expected-error @+1 {{belongs to another role: the producer has neither tiles nor buffers}}
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  } consumer {
    hopper.fence_proxy_async
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!t = vector<64x64xf32>
tile.kernel @tile_in_producer(%k: !m, %x: !t) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{belongs to another role: the producer has neither tiles nor buffers}}
    %y = math.exp2 %x : !t
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
tile.kernel @put_in_consumer(%k: !m) {
  %rk = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.fence_proxy_async
  } consumer {
    // expected-error @+1 {{belongs to the producer}}
    hopper.ring_put %rk, %k[%c0, %c0] dims [0, 1] : !r, !m
    %b = hopper.ring_get %rk : !r -> !b
    hopper.ring_release %rk, %b : !r, !b
  }
  tile.return
}

// -----

tile.kernel @turn_twice() {
  hopper.turn_wait
  // expected-error @+1 {{waits for a turn that it has}}
  hopper.turn_wait
  tile.return
}

// -----

tile.kernel @turn_not_held() {
  // expected-error @+1 {{passes a turn that it does not have}}
  hopper.turn_pass
  tile.return
}

// -----

tile.kernel @turn_in_one_arm(%c: i1) {
  // expected-error @+1 {{a region must end as it starts: with the turn or without it}}
  scf.if %c {
    hopper.turn_wait
  }
  tile.return
}

// -----

// expected-error @+1 {{ends without passing its turn}}
tile.kernel @turn_kept() {
  hopper.turn_wait
  tile.return
}

// -----

!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>
tile.kernel @share_read_in_another_block(%x: !h, %c: i1) {
  %r = hopper.ring_alloc : !r
  %b = hopper.share %x, %r : !h, !r -> !b
  scf.if %c {
    // expected-error @+1 {{reads a shared tile in another block than that which shares it}}
    %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
    %s = hopper.wait %p younger 0 : !p -> !t
  }
  tile.return
}

// -----

!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>
tile.kernel @share_of_another_iteration(%x: !h, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = hopper.ring_alloc : !r
  %b = hopper.share %x, %r : !h, !r -> !b
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{reads a shared tile in another block than that which shares it}}
    %p = hopper.wgmma %x, %b contract(1, 1) : !h, !b -> !p
    %s = hopper.wait %p younger 0 : !p -> !t
  }
  tile.return
}

// -----

!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>
tile.kernel @shared_again_too_early(%x: !h) {
  %r = hopper.ring_alloc : !r
  %b = hopper.share %x, %r : !h, !r -> !b
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  // expected-error @+1 {{shares the ring's next tile before the wait for a product that reads this one}}
  %next = hopper.share %x, %r : !h, !r -> !b
  %s = hopper.wait %p younger 0 : !p -> !t
  tile.return
}

// -----

!r = !hopper.ring<2, vector<64x128xbf16>>
!b = !hopper.buffer<vector<64x128xbf16>, 64>
!part = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
// Parts of a shared tile count, too.
tile.kernel @part_shared_again_too_early(%x: vector<128x64xbf16>, %w: i32) {
  %r = hopper.ring_alloc : !r
  %b = hopper.share %x, %r : vector<128x64xbf16>, !r -> !b
  %mine = hopper.columns %b[%w] : !b -> !part
  %p = hopper.wgmma %mine, %mine contract(1, 1) : !part, !part -> !p
  // expected-error @+1 {{shares the ring's next tile before the wait for a product that reads this one}}
  %next = hopper.share %x, %r : vector<128x64xbf16>, !r -> !b
  %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  tile.return
}

// -----

!l = memref<?x?xf32, strided<[?, 1]>>
!r = !hopper.ring<2, vector<1x64xf32>>
!b = !hopper.buffer<vector<1x64xf32>, 1>
tile.kernel @loaded_after_release(%l: !l, %i: index) {
  %r = hopper.ring_alloc : !r
  hopper.ring_put %r, %l[%i, %i] dims [-1, 1] : !r, !l
  %b = hopper.ring_get %r : !r -> !b
  hopper.ring_release %r, %b : !r, !b
  // expected-error @+1 {{reads a buffer that has been released}}
  %x = hopper.buffer_load %b : !b -> vector<1x64xf32>
  tile.return
}

// -----

!l = memref<?x?xf32, strided<[?, 1]>>
!r = !hopper.ring<2, vector<1x64xf32>>
!b = !hopper.buffer<vector<1x64xf32>, 1>
!part = !hopper.buffer<vector<1x32xf32>, 1>
tile.kernel @part_loaded_after_release(%l: !l, %i: index, %w: i32) {
  %r = hopper.ring_alloc : !r
  hopper.ring_put %r, %l[%i, %i] dims [-1, 1] : !r, !l
  %b = hopper.ring_get %r : !r -> !b
  %mine = hopper.columns %b[%w] : !b -> !part
  hopper.ring_release %r, %b : !r, !b
  // expected-error @+1 {{reads a buffer that has been released}}
  %x = hopper.buffer_load %mine : !part -> vector<1x32xf32>
  tile.return
}

// -----

!l = memref<?x?xf32, strided<[?, 1]>>
!r = !hopper.ring<2, vector<1x64xf32>>
!b = !hopper.buffer<vector<1x64xf32>, 1>
tile.kernel @columns_released_while_read(%k: memref<?x128xbf16, strided<[?, 1]>>, %w: i32, %i: index) {
  %rk = hopper.ring_alloc : !hopper.ring<2, vector<64x128xbf16>>
  hopper.ring_put %rk, %k[%i, %i] dims [0, 1] : !hopper.ring<2, vector<64x128xbf16>>, memref<?x128xbf16, strided<[?, 1]>>
  %b = hopper.ring_get %rk : !hopper.ring<2, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  %mine = hopper.columns %b[%w] : !hopper.buffer<vector<64x128xbf16>, 64> -> !hopper.buffer<vector<64x64xbf16>, 64>
  // expected-note @+1 {{the product}}
  %p0 = hopper.wgmma %mine, %mine contract(0, 0) : !hopper.buffer<vector<64x64xbf16>, 64>, !hopper.buffer<vector<64x64xbf16>, 64> -> !hopper.pending<vector<64x64xf32>>
  // expected-error @+1 {{releases a buffer before the wait for a product that reads it}}
  hopper.ring_release %rk, %b : !hopper.ring<2, vector<64x128xbf16>>, !hopper.buffer<vector<64x128xbf16>, 64>
  %s0 = hopper.wait %p0 younger 0 : !hopper.pending<vector<64x64xf32>> -> vector<64x64xf32>
  tile.return
}

// -----

!r = !hopper.ring<2, vector<64x64xbf16>>
!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
!h = vector<64x64xbf16>
!t = vector<64x64xf32>
tile.kernel @shared_again_in_an_arm(%x: !h, %c: i1) {
  %r = hopper.ring_alloc : !r
  %b = hopper.share %x, %r : !h, !r -> !b
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  // expected-error @+1 {{shares the ring's next tile before the wait for a product that reads this one}}
  scf.if %c {
    %next = hopper.share %x, %r : !h, !r -> !b
  }
  %s = hopper.wait %p younger 0 : !p -> !t
  tile.return
}

// -----

tile.kernel @share_with_the_turn(%x: vector<64x64xbf16>) {
  %r = hopper.ring_alloc {consumers = 2 : i64} : !hopper.ring<1, vector<64x128xbf16>>
  hopper.turn_wait
  // expected-error @+1 {{waits for all warpgroups with a turn that another one may be waiting for}}
  %b = hopper.share %x, %r : vector<64x64xbf16>, !hopper.ring<1, vector<64x128xbf16>> -> !hopper.buffer<vector<64x128xbf16>, 64>
  hopper.turn_pass
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @put_not_added(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    // expected-error @+1 {{puts a tile that is not added to memory}}
    hopper.out_put %x, %ro : !t, !out
  } drain {
  }
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @added_not_put(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
    // expected-error @+1 {{adds a tile to memory that consumers do not put}}
    hopper.out_reduce %ro, %acc[%c0, %c0] : !out, !acc
  }
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @other_bounds(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    // expected-error @+1 {{puts tiles in another order than they are added to memory}}
    scf.for %i = %c0 to %n step %c1 {
      hopper.out_put %x, %ro : !t, !out
    }
  } drain {
    // expected-note @+1 {{the next additions}}
    scf.for %i = %c1 to %n step %c1 {
      hopper.out_reduce %ro, %acc[%c0, %c0] : !out, !acc
    }
  }
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @added_conditionally(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    // expected-error @+1 {{puts tiles in another order than they are added to memory}}
    hopper.out_put %x, %ro : !t, !out
  } drain {
    // expected-note @+1 {{the next additions}}
    scf.if %c {
      hopper.out_reduce %ro, %acc[%c0, %c0] : !out, !acc
    }
  }
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @tile_in_drain(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    hopper.out_put %x, %ro : !t, !out
  } drain {
    // expected-error @+1 {{belongs to another role: the drain has neither tiles nor loads}}
    %y = arith.addf %x, %x : !t
    hopper.out_reduce %ro, %acc[%c0, %c0] : !out, !acc
  }
  tile.return
}

// -----

!t = vector<64x64xf32>
!out = !hopper.ring<1, !t>
!acc = memref<?x4096xf32, strided<[?, 1]>>
tile.kernel @put_in_drain(%acc: !acc, %x: !t, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ro = hopper.ring_alloc : !out
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
    // expected-error @+1 {{belongs to another role: the drain has neither tiles nor loads}}
    hopper.out_put %x, %ro : !t, !out
  }
  tile.return
}

// -----

!m = memref<?x64xbf16, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xbf16>>
tile.kernel @load_in_drain(%k: !m, %i: index) {
  %rk = hopper.ring_alloc : !r
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
  } drain {
    // expected-error @+1 {{belongs to another role: the drain has neither tiles nor loads}}
    hopper.ring_put %rk, %k[%i, %i] dims [0, 1] : !r, !m
  }
  tile.return
}
