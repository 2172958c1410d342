#!/usr/bin/env bash
# Prints the path of a ptxas that knows sm_90a and PTX 8.3 (CUDA 12.3 or later),
# or nothing: FA3_PTXAS, the PATH, a CUDA toolkit, or the one that bootstrap.sh
# installed.
set -euo pipefail
cd "$(dirname "$0")/.."
shopt -s nullglob

candidates=("${FA3_PTXAS:-}" "$(command -v ptxas || true)"
            "${CUDA_HOME:-}/bin/ptxas" "${CUDA_PATH:-}/bin/ptxas"
            /usr/local/cuda/bin/ptxas /usr/local/cuda-*/bin/ptxas
            "$PWD"/.venv/lib/python3*/site-packages/nvidia/cu*/bin/ptxas)
for candidate in "${candidates[@]}"; do
  [ -x "$candidate" ] || continue
  release=$("$candidate" --version 2>/dev/null |
            sed -nE 's/.*release ([0-9]+)\.([0-9]+).*/\1 \2/p') || continue
  read -r major minor <<<"$release" || continue
  if (( major > 12 || (major == 12 && minor >= 3) )); then
    echo "$candidate"
    exit
  fi
done
