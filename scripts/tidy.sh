#!/usr/bin/env bash
# clang-tidy over the sources of a build: tidy.sh BUILD JOBS [REGEX]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 jobs=$2 filter=${3:-.}

# Only the project's own sources; generated ones are not ours to mend.
mapfile -t sources < <(scripts/sources.sh | grep -E '\.(c|cpp)$' | grep -E "$filter")
[ "${#sources[@]}" != 0 ] || { echo "tidy: no source matches '$filter'" >&2; exit 1; }
mapfile -t known < <(python3 - "$build" "${sources[@]}" <<'PYTHON'
import json, os, sys
compiled = {os.path.relpath(entry["file"]) for entry in json.load(open(sys.argv[1] + "/compile_commands.json"))}
print("\n".join(source for source in sys.argv[2:] if source in compiled))
PYTHON
)
printf '%s\n' "${known[@]}" |
  xargs -P "$jobs" -n 2 clang-tidy-22 -p "$build" --quiet
