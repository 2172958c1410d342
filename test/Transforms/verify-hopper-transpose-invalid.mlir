// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-verify-hopper))' --verify-diagnostics --split-input-file

// Each role has operations of its own.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transpose_in_producer(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    // expected-error @+1 {{belongs to another role: the producer has neither tiles nor buffers}}
    hopper.ring_transpose %rv, %rt : !r to !t
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transpose_in_consumer(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    // expected-error @+1 {{belongs to the role that transposes}}
    hopper.ring_transpose %rv, %rt : !r to !t
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transpose_in_drain(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } drain {
    // expected-error @+1 {{belongs to another role: the drain has neither tiles nor loads}}
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @put_in_transpose(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @get_in_transpose(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @release_in_transpose(%v: !m, %n: index, %c: i1, %x: !b) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    hopper.ring_release %rt, %x : !t, !b
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @tile_in_transpose(%v: !m, %n: index, %c: i1, %x: vector<64x64xf32>) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    %y = arith.addf %x, %x : vector<64x64xf32>
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @turn_in_transpose(%v: !m) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    hopper.turn_wait
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!out = !hopper.ring<1, vector<64x64xf32>>
tile.kernel @reduction_in_transpose(%v: !m, %o: memref<?x4096xf32, strided<[?, 1]>>) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %ro = hopper.ring_alloc : !out
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
    // expected-error @+1 {{belongs to another role: this one only transposes}}
    hopper.out_reduce %ro, %o[%c0, %c0] : !out, memref<?x4096xf32, strided<[?, 1]>>
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @barrier_in_transpose(%v: !m, %n: index) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c1 = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
    scf.for %j = %c0 to %n step %c1 {
      // expected-error @+1 {{belongs to another role: this one only transposes}}
      hopper.cta_sync
    }
  }
  tile.return
}

// -----

// As many puts as transpositions, and as many of these as gets.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @put_not_transposed(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    // expected-error @+1 {{puts a buffer that no consumer gets}}
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transposed_not_put(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    // expected-error @+1 {{gets a buffer that the producer does not put}}
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transposed_not_got(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
  } transpose {
    // expected-error @+1 {{puts a buffer that no consumer gets}}
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @got_not_transposed(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
    // expected-error @+1 {{gets a buffer that the producer does not put}}
    %b1 = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b1 : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

// The same loops and conditionals.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @other_order_than_puts(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    scf.for %j = %c0 to %n step %c1 {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    // expected-note @+1 {{the consumers' next gets}}
    scf.for %j = %c1 to %n step %c1 {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @other_order_than_gets(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    // expected-note @+1 {{the consumers' next gets}}
    scf.for %j = %c1 to %n step %c1 {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.for %j = %c0 to %n step %c1 {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transposed_conditionally(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    scf.if %c {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    // expected-note @+1 {{the consumers' next gets}}
    scf.if %c {
      hopper.ring_transpose %rv, %rt : !r to !t
    }
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @transposed_always(%v: !m, %n: index, %c: i1) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    // expected-error @+1 {{puts buffers in another order than consumers get them}}
    scf.if %c {
      hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    }
  } consumer {
    scf.if %c {
      %b = hopper.ring_get %rt : !t -> !b
      hopper.ring_release %rt, %b : !t, !b
    }
  } transpose {
    // expected-note @+1 {{the consumers' next gets}}
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

// A ring is transposed to one other ring, and from one: what the products read comes
// in the order in which it is put.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @two_sources(%v: !m) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %rv2 = hopper.ring_alloc : !r
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    hopper.ring_put %rv2, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
    %b2 = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b2 : !t, !b
  } transpose {
    // expected-error @+1 {{a ring is transposed to one other ring, and from one}}
    hopper.ring_transpose %rv, %rt : !r to !t
    hopper.ring_transpose %rv2, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
tile.kernel @two_targets(%v: !m) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %rt2 = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
    %b2 = hopper.ring_get %rt2 : !t -> !b
    hopper.ring_release %rt2, %b2 : !t, !b
  } transpose {
    // expected-error @+1 {{a ring is transposed to one other ring, and from one}}
    hopper.ring_transpose %rv, %rt : !r to !t
    hopper.ring_transpose %rv, %rt2 : !r to !t
  }
  tile.return
}

// -----

// Consumers have what is transposed, the producer what is loaded.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!a = !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
tile.kernel @transposed_and_got(%v: !m) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    // expected-error @+1 {{gets a buffer that is transposed: those of the other ring are for consumers}}
    %a = hopper.ring_get %rv : !r -> !a
    hopper.ring_release %rv, %a : !r, !a
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!b = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!w = memref<?x32xf8E4M3FN, strided<[?, 1]>>
tile.kernel @put_and_transposed(%v: !m, %w: !w) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
    // expected-error @+1 {{puts a buffer into a ring that is filled by transposing another one's}}
    hopper.ring_put %rt, %w[%c0, %c0] dims [0, 1] : !t, !w
  } consumer {
    %b = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b : !t, !b
    %b2 = hopper.ring_get %rt : !t -> !b
    hopper.ring_release %rt, %b2 : !t, !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}

// -----

// What is computed is shared through rings of its own.
!m = memref<?x64xf8E4M3FN, strided<[?, 1]>>
!r = !hopper.ring<2, vector<64x64xf8E4M3FN>>
!t = !hopper.ring<2, vector<64x64xf8E4M3FN>>
!b = !hopper.buffer<vector<64x64xf8E4M3FN>, 64>
tile.kernel @shared_in_transposed(%v: !m, %x: vector<64x64xf8E4M3FN>) {
  %rv = hopper.ring_alloc : !r
  %rt = hopper.ring_alloc : !t
  %c0 = arith.constant 0 : index
  hopper.specialize {warpgroups = 1 : i64, producer_registers = 24 : i64, consumer_registers = 240 : i64} producer {
    hopper.ring_put %rv, %v[%c0, %c0] dims [0, 1] : !r, !m
  } consumer {
    // expected-error @+1 {{uses a ring of what is loaded and transposed}}
    %b = hopper.share %x, %rt : vector<64x64xf8E4M3FN>, !t -> !b
  } transpose {
    hopper.ring_transpose %rv, %rt : !r to !t
  }
  tile.return
}
