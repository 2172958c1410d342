#!/usr/bin/env bash
# Lists the project's C and C++ sources.
set -euo pipefail
cd "$(dirname "$0")/.."
folders=()
for folder in cmake dialect examples lib runtime test tools; do
  [ ! -d $folder ] || folders+=("$folder")
done
find "${folders[@]}" -name build -prune -o \
  \( -name '*.h' -o -name '*.c' -o -name '*.cpp' \) -print | sort
