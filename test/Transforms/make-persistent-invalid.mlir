// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-make-persistent))' --verify-diagnostics

// expected-error@+1 {{a persistent kernel needs one tile.program_id at its top level}}
tile.kernel @no_grid() attributes {schedule = #tile.schedule<block_q = 64, block_kv = 64, warpgroups = 1, producer_registers = 56, consumer_registers = 256, persistent = 1>} {
  tile.return
}
