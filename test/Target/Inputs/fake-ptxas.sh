#!/bin/sh
# Stands in for ptxas. FAKE_PTXAS chooses what it says.
case "$1" in
--version) echo "Cuda compilation tools, release ${FAKE_RELEASE:-13.0}, V${FAKE_RELEASE:-13.0}.1"; exit ;;
esac
while [ "$1" != "-o" ]; do shift; done
spill=0
echo "ptxas info    : Compiling entry function 'one_product' for 'sm_90a'" >&2
case "$FAKE_PTXAS" in
spill) spill=24 ;;
serialized) echo "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized" >&2 ;;
error) echo "ptxas input.ptx, line 3; fatal   : Parsing error" >&2; exit 255 ;;
esac
echo "    $spill bytes stack frame, $spill bytes spill stores, $spill bytes spill loads" >&2
echo "ptxas info    : Used 168 registers" >&2
echo "fake cubin" >"$2"
