#!/usr/bin/env bash
# Puts everything that a GPU machine needs into a folder, without a compiler:
#
#   scripts/build_gpu_bundle.sh [DIR]     DIR is build-gpu by default
#
#   bin/fa3-run lib/libfa3_runtime.so     LLVM-free
#   packages/SPEC.fa3                     every spec of examples/specs
#   ablation/SPEC+VARIANT.fa3             the variants of bench/variants.txt
#   bench/run_gpu.py                      checks and times them
#
# There: python3 DIR/bench/run_gpu.py
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build-gpu}
build=${BUILD:-build}
export FA3_PTXAS=${FA3_PTXAS:-$(scripts/find_ptxas.sh)}

rm -rf "$out"
mkdir -p "$out"/{bin,lib,packages,ablation,bench}
cp "$build"/bin/fa3-run "$out"/bin/
[ ! -e "$build"/bin/fa3-bench ] || cp "$build"/bin/fa3-bench "$out"/bin/
cp -a "$build"/lib/libfa3_runtime.so* "$out"/lib/
cp bench/*.py "$out"/bench/

failed=0
compile() { # SPEC PACKAGE OPTIONS...
  local spec=$1 package=$2
  shift 2
  if ! "$build"/bin/fa3-opt "$spec" --emit=package "$@" -o "$package"; then
    echo "build_gpu_bundle: no $(basename "$package")" >&2
    failed=1
  fi
}
for spec in examples/specs/*.mlir; do
  compile "$spec" "$out/packages/$(basename "$spec" .mlir).fa3"
done
while read -r variant pattern schedule; do
  [[ -n $variant && $variant != \#* ]] || continue
  for spec in examples/specs/$pattern.mlir; do
    [ -e "$spec" ] || continue
    name=$(basename "$spec" .mlir)
    compile "$spec" "$out/ablation/$name+$variant.fa3" --schedule="$schedule"
    # A field that has this value anyway is no variant.
    ! cmp -s "$out/packages/$name.fa3" "$out/ablation/$name+$variant.fa3" || rm "$out/ablation/$name+$variant.fa3"
  done
done < bench/variants.txt
du -sh "$out" | cut -f1
exit $failed
