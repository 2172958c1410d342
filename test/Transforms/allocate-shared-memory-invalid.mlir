// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-allocate-shared-memory))' --verify-diagnostics --split-input-file

// expected-error @+1 {{the schedule needs 262208 bytes of shared memory; a CTA has 232448: choose smaller tiles or fewer stages}}
tile.kernel @too_much() {
  %k = hopper.ring_alloc : !hopper.ring<4, vector<256x128xbf16>>
  tile.return
}
