// RUN: fa3-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{warpgroups must be from 1 to 3, not 0}}
#s = #tile.schedule<block_q = 128, block_kv = 128, warpgroups = 0>

// -----

// expected-error@+1 {{warpgroups must be from 1 to 3, not 4}}
#s = #tile.schedule<block_q = 256, block_kv = 128, warpgroups = 4>

// -----

// expected-error@+1 {{block_q must be from 16 to 256, not 0}}
#s = #tile.schedule<block_q = 0, block_kv = 128>

// -----

// expected-error@+1 {{block_q must be from 16 to 256, not -128}}
#s = #tile.schedule<block_q = -128, block_kv = 128>

// -----

// expected-error@+1 {{block_q must be from 16 to 256, not 512}}
#s = #tile.schedule<block_q = 512, block_kv = 128>

// -----

// expected-error@+1 {{block_q must be a multiple of 64, not 96}}
#s = #tile.schedule<block_q = 96, block_kv = 128>

// -----

// expected-error@+1 {{block_kv must be a multiple of 64, not 96}}
#s = #tile.schedule<block_q = 64, block_kv = 96, transpose_s = true>

// -----

// expected-error@+1 {{block_q must be a multiple of 64 * warpgroups = 192, not 128, or block_kv one of 8 * warpgroups = 24, not 128}}
#s = #tile.schedule<block_q = 128, block_kv = 128, warpgroups = 3>

// -----

// expected-error@+1 {{block_kv must be from 16 to 256, not 0}}
#s = #tile.schedule<block_q = 128, block_kv = 0>

// -----

// expected-error@+1 {{block_kv must be from 16 to 256, not 272}}
#s = #tile.schedule<block_q = 128, block_kv = 272>

// -----

// expected-error@+1 {{block_kv must be a multiple of 16, not 120}}
#s = #tile.schedule<block_q = 128, block_kv = 120>

// -----

// expected-error@+1 {{stages must be from 1 to 16, not 0}}
#s = #tile.schedule<block_q = 128, block_kv = 128, stages = 0>

// -----

// expected-error@+1 {{lazy_rescale must be from 0 to 15, not -1}}
#s = #tile.schedule<block_q = 128, block_kv = 128, lazy_rescale = -1>

// -----

// expected-error@+1 {{lazy_rescale must be from 0 to 15, not 16}}
#s = #tile.schedule<block_q = 128, block_kv = 128, lazy_rescale = 16>

// -----

// expected-error@+1 {{transpose_v must be from 0 to 2147483647, not -1}}
#s = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = -1>

// -----

// expected-error@+1 {{transpose_v must be from 0 to 2147483647, not 2147483648}}
#s = #tile.schedule<block_q = 128, block_kv = 128, transpose_v = 2147483648>

// -----

// expected-error@+1 {{group_tiles must be 0 or a power of two, not 3}}
#s = #tile.schedule<block_q = 128, block_kv = 128, longest_first = true, group_tiles = 3>

// -----

// expected-error@+1 {{group_tiles must be from 0 to 65536, not 131072}}
#s = #tile.schedule<block_q = 128, block_kv = 128, longest_first = true, group_tiles = 131072>

// -----

// expected-error@+1 {{group_tiles must be from 0 to 65536, not -2}}
#s = #tile.schedule<block_q = 128, block_kv = 128, longest_first = true, group_tiles = -2>

// -----

// expected-error@+1 {{persistent must be from 0 to 2147483647, not -1}}
#s = #tile.schedule<block_q = 128, block_kv = 128, persistent = -1>

// -----

// expected-error@+1 {{persistent must be from 0 to 2147483647, not 2147483648}}
#s = #tile.schedule<block_q = 128, block_kv = 128, persistent = 2147483648>

// -----

// expected-error@+1 {{store_first must be from 0 to 2147483647, not -1}}
#s = #tile.schedule<block_q = 128, block_kv = 128, store_first = -1>

// -----

// expected-error@+1 {{store_first must be from 0 to 2147483647, not 2147483648}}
#s = #tile.schedule<block_q = 128, block_kv = 128, store_first = 2147483648>

// -----

// expected-error@+1 {{store_first needs specialize and bulk_reduce}}
#s = #tile.schedule<block_q = 128, block_kv = 128, specialize = false, store_first = 16>

// -----

// expected-error@+1 {{store_first needs specialize and bulk_reduce}}
#s = #tile.schedule<block_q = 128, block_kv = 128, bulk_reduce = false, store_first = 16>

// -----

// expected-error@+1 {{chains must be 1, 2, 4 or 8, not 3}}
#s = #tile.schedule<block_q = 128, block_kv = 128, chains = 3>

// -----

// expected-error@+1 {{chains must be 1, 2, 4 or 8, not 0}}
#s = #tile.schedule<block_q = 128, block_kv = 128, chains = 0>

// -----

// expected-error@+1 {{producer_registers must be from 24 to 256, not 16}}
#s = #tile.schedule<block_q = 128, block_kv = 128, producer_registers = 16>

// -----

// expected-error@+1 {{consumer_registers must be from 24 to 256, not 264}}
#s = #tile.schedule<block_q = 128, block_kv = 128, consumer_registers = 264>

// -----

// expected-error@+1 {{consumer_registers must be a multiple of 8, not 236}}
#s = #tile.schedule<block_q = 128, block_kv = 128, consumer_registers = 236>

// -----

// expected-error@+1 {{producer_registers + warpgroups * consumer_registers is 512, more than the 504 with which a CTA of 3 warpgroups starts}}
#s = #tile.schedule<block_q = 128, block_kv = 128, producer_registers = 32>

// -----

// expected-error@+1 {{producer_registers + warpgroups * consumer_registers is 744, more than the 512 with which a CTA of 4 warpgroups starts}}
#s = #tile.schedule<block_q = 192, block_kv = 128, warpgroups = 3>
