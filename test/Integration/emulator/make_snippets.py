#!/usr/bin/env python3
"""Writes snippets/*.ptx; with --check, says which of them are out of date.

The programs are kept in the repository, so that a run needs no generator and a
difference between two devices can be read off a file.
"""

import argparse
import sys
from pathlib import Path

import snippets_elementwise
import snippets_failures
import snippets_memory
import snippets_mma
import snippets_pipeline
import snippets_wgmma

FOLDER = Path(__file__).resolve().parent / "snippets"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    wanted = {}
    for part in (snippets_elementwise, snippets_failures, snippets_memory, snippets_mma, snippets_pipeline, snippets_wgmma):
        for writer in part.snippets():
            wanted[f"{writer.name}.ptx"] = writer.text()
    stale = [name for name, text in wanted.items()
             if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text]
    extra = [path.name for path in FOLDER.glob("*.ptx") if path.name not in wanted]
    if arguments.check:
        for name in stale + extra:
            print(f"{name} does not agree with the generator")
        return 1 if stale or extra else 0
    FOLDER.mkdir(exist_ok=True)
    for name in extra:
        (FOLDER / name).unlink()
    for name in stale:
        (FOLDER / name).write_text(wanted[name])
    print(f"{len(wanted)} snippets, {len(stale)} written, {len(extra)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
