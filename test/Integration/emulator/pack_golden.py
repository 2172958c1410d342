#!/usr/bin/env python3
"""Makes the golden file of a dump: pack_golden.py DIR golden/h200.zip

DIR is what conformance.py wrote on a GPU. The file holds its summary.json with a
digest of each output, and the outputs themselves where a digest is not enough:
of functions that are only approximated, and of layouts and roundings, where one
would like to see what differs.
"""

import fnmatch
import hashlib
import json
import sys
import zipfile
from pathlib import Path

from conformance import find_snippets

KEPT = ("wgmma_bf16_k_*", "wgmma_bf16_mn_*", "wgmma_e4m3_k_*", "wgmma_*_registers", "wgmma_probe_*", "wgmma_sums_*",
        "wgmma_special_*", "tma_load_2d_*", "ldmatrix_*", "stmatrix_*", "convert_f32_narrow", "mma_*", "fail_*")


def main():
    folder, result = map(Path, sys.argv[1:])
    summary = json.loads((folder / "summary.json").read_text())
    kept = []
    summary["outputs"] = {}
    for snippet in find_snippets(None):
        if snippet.name not in summary["snippets"]:
            continue
        path = folder / f"{snippet.name}.bin"
        if snippet.is_exact():
            summary["outputs"][snippet.name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        if not snippet.is_exact() or any(fnmatch.fnmatch(snippet.name, pattern) for pattern in KEPT):
            kept.append(path)
    with zipfile.ZipFile(result, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("summary.json", json.dumps(summary, indent=1) + "\n")
        for path in kept:
            archive.write(path, path.name)
    print(f"{result}: {len(summary['snippets'])} snippets, {len(kept)} with their outputs, "
          f"{result.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
