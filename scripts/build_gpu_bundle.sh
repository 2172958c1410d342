#!/usr/bin/env bash
# Puts everything that a GPU machine needs into a folder, without a compiler:
#
#   scripts/build_gpu_bundle.sh [DIR [PATTERN]]
#
# DIR is build-gpu by default; PATTERN chooses specs, such as 'backward_*_d128*'.
#
#   bin/fa3-run lib/libfa3_runtime.so     LLVM-free
#   packages/SPEC.fa3                     the specs of examples/specs, and the
#                                         gradients of the 16-bit forward ones
#   ablation/SPEC+VARIANT.fa3             the variants of bench/variants.txt
#   bench/run_gpu.py                      checks and times them
#
# There: python3 DIR/bench/run_gpu.py
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build-gpu}
chosen=${2:-*}
build=${BUILD:-build}
export FA3_PTXAS=${FA3_PTXAS:-$(scripts/find_ptxas.sh)}

rm -rf "$out"
mkdir -p "$out"/{bin,lib,packages,ablation,bench}
cp "$build"/bin/fa3-run "$out"/bin/
[ ! -e "$build"/bin/fa3-bench ] || cp "$build"/bin/fa3-bench "$out"/bin/
cp -a "$build"/lib/libfa3_runtime.so* "$out"/lib/
cp bench/*.py "$out"/bench/

failed=0
compile() { # NAME PACKAGE OPTIONS...
  local name=$1 package=$2 spec=examples/specs/$1.mlir
  shift 2
  # A backward pass without a spec of its own is its forward pass's.
  [ -e "$spec" ] || { spec=examples/specs/${name/#backward_/forward_}.mlir; set -- --backward "$@"; }
  if ! "$build"/bin/fa3-opt "$spec" --emit=package "$@" -o "$package"; then
    echo "build_gpu_bundle: no $(basename "$package")" >&2
    failed=1
  fi
}
for spec in examples/specs/*.mlir; do
  name=$(basename "$spec" .mlir)
  printf '%s\n' "$name"
  # In 8 bits a backward pass takes more than its forward pass tells: it has a
  # spec of its own.
  [[ $name == *_e4m3_* || $name == *_e5m2_* ]] || printf '%s\n' "${name/#forward_/backward_}"
done | sort -u > "$out"/names
while read -r name; do
  # The pattern is meant as one.
  # shellcheck disable=SC2053
  [[ $name != $chosen ]] || compile "$name" "$out/packages/$name.fa3"
done < "$out"/names
rm "$out"/names
while read -r variant pattern schedule; do
  [[ -n $variant && $variant != \#* ]] || continue
  for package in "$out"/packages/$pattern.fa3; do
    [ -e "$package" ] || continue
    name=$(basename "$package" .fa3)
    compile "$name" "$out/ablation/$name+$variant.fa3" --schedule="$schedule"
    # A field that has this value anyway is no variant.
    ! cmp -s "$package" "$out/ablation/$name+$variant.fa3" || rm "$out/ablation/$name+$variant.fa3"
  done
done < bench/variants.txt
du -sh "$out" | cut -f1
exit $failed
