// RUN: fa3-opt %s --pass-pipeline='builtin.module(tile.kernel(fa3-place-waits))' --verify-diagnostics --split-input-file

!b = !hopper.buffer<vector<64x64xbf16>, 64>
!p = !hopper.pending<vector<64x64xf32>>
tile.kernel @other_block(%b: !b, %c: i1) {
  %p = hopper.wgmma %b, %b contract(1, 1) : !b, !b -> !p
  scf.if %c {
    // expected-error @+1 {{a wait must be in the block of its product: groups are counted in straight lines}}
    %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  }
  tile.return
}

// -----

!p = !hopper.pending<vector<64x64xf32>>
tile.kernel @no_product(%p: !p) {
  // expected-error @+1 {{a wait must be in the block of its product}}
  %s = hopper.wait %p younger 0 : !p -> vector<64x64xf32>
  tile.return
}
