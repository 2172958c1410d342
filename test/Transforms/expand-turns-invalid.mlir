// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-expand-turns))' --verify-diagnostics --split-input-file

tile.kernel @no_schedule() {
  // expected-error @+1 {{needs a kernel with a schedule of two warpgroups or more}}
  hopper.turn_wait
  hopper.turn_pass
  tile.return
}

// -----

tile.kernel @one_warpgroup() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1>} {
  // expected-error @+1 {{needs a kernel with a schedule of two warpgroups or more}}
  hopper.turn_wait
  hopper.turn_pass
  tile.return
}
