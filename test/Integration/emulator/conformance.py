#!/usr/bin/env python3
"""Runs small PTX programs on a CUDA driver and compares two drivers' results.

On a machine with a Hopper GPU (only Python and the driver are needed):

    conformance.py --driver libcuda.so.1 --out DIR

writes the outputs of every program in snippets/ to DIR, and what the driver API
answers to correct and wrong calls. Anywhere,

    conformance.py --compare DIR [--driver build/lib/libfa3_emulator.so]

runs the same on the emulator and compares: bit for bit, but for the functions
whose result a device only approximates, where the snippet states the bound. DIR
may also be a golden file (see pack_golden.py); golden/h200.zip is one.

A failed kernel takes its process's context along: the programs after it run in
another process.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import api_probes
from cuda_driver import Driver
from snippet import Snippet

HERE = Path(__file__).resolve().parent
EMULATOR = HERE.parents[2] / "build" / "lib" / "libfa3_emulator.so"
# Seconds that one process may take; a kernel that hangs ends so.
LIMIT = 300


def find_snippets(names):
    paths = sorted((HERE / "snippets").glob("*.ptx"))
    known = {path.stem for path in paths}
    for name in names or []:
        if name not in known:
            sys.exit(f"conformance.py: no snippet is called {name}")
    return [Snippet(path) for path in paths if not names or path.stem in names]


def run_all(driver, snippets, folder):
    """Writes the outputs to the folder; returns what failed, by name."""
    failures = {}
    pending = list(snippets)
    while pending:
        for snippet in pending:
            (folder / f"{snippet.name}.bin").unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "run_snippet.py"), "--driver", driver, "--write", str(folder),
                   *(str(HERE / "snippets" / f"{snippet.name}.ptx") for snippet in pending)]
        try:
            output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                    errors="replace", timeout=LIMIT).stdout
        except subprocess.TimeoutExpired:
            output = f"no end within {LIMIT} seconds"
        done = 0
        while done < len(pending) and (folder / f"{pending[done].name}.bin").exists():
            done += 1
        if done < len(pending) and not (done and pending[done - 1].fails()):
            failures[pending[done].name] = output.strip() or "no output"
            done += 1
        pending = pending[done:]
    return failures


def dump(path, snippets, folder, with_api):
    """Writes what the driver computes; returns the number of failures."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = run_all(path, snippets, folder)
    for name, why in failures.items():
        print(f"{name}: {why}")
    driver = Driver(path)
    summary = {"device": driver.name(), "driver_version": driver.version(),
               "snippets": {s.name: s.inputs_digest() for s in snippets if s.name not in failures}}
    if with_api:
        summary["api"] = api_probes.run(driver)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{summary['device']}: {len(summary['snippets'])} snippets dumped to {folder}, {len(failures)} failed")
    return len(failures)


def compare_snippet(snippet, path, digest, actual):
    """Prints a line for each output; returns whether all agree.

    Without the file of the outputs, their digest has to do.
    """
    if not path.exists():
        agrees = hashlib.sha256(actual).hexdigest()[:16] == digest
        print(f"ok   {snippet.name}" if agrees else f"FAIL {snippet.name}: its digest differs")
        return agrees
    expected, agrees = path.read_bytes(), True
    for name, tolerance, bad, worst, example in snippet.compare(expected, actual):
        detail = "" if tolerance == "exact" else f", worst {worst:.3g} of {tolerance}"
        print(f"{'FAIL' if bad else 'ok  '} {snippet.name}.{name}{detail}" + (f": {bad} differ, {example}" if bad else ""))
        agrees = agrees and not bad
    return agrees


def compare(path, snippets, folder, with_api):
    """Compares the driver with the dumps of another; returns the number of failures."""
    summary = json.loads((folder / "summary.json").read_text())
    driver = Driver(path)
    print(f"comparing {driver.name()} with {summary['device']}, driver {summary['driver_version']}")
    known = [s for s in snippets if summary["snippets"].get(s.name) == s.inputs_digest()]
    for snippet in snippets:
        if snippet not in known:
            print(f"skip {snippet.name}: not dumped, or the snippet has changed since")
    failures, passed, skipped = 0, 0, len(snippets) - len(known)
    with tempfile.TemporaryDirectory(prefix="conformance_") as name:
        own = Path(name)
        errors = run_all(path, known, own)
        for snippet in known:
            if snippet.name in errors:
                print(f"FAIL {snippet.name}: {errors[snippet.name]}")
                failures += 1
            elif compare_snippet(snippet, folder / f"{snippet.name}.bin", summary.get("outputs", {}).get(snippet.name),
                                 (own / f"{snippet.name}.bin").read_bytes()):
                passed += 1
            else:
                failures += 1
    if with_api and "api" in summary:
        for name, answer in api_probes.run(driver).items():
            wanted = summary["api"].get(name)
            if wanted is None:
                skipped += 1
            elif wanted == answer:
                passed += 1
            else:
                print(f"FAIL api {name}: expected {wanted}, got {answer}")
                failures += 1
    print(f"{passed} passed, {failures} failed, {skipped} skipped")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", default=str(EMULATOR), help="the driver library to run on")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the outputs to DIR")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="compare with the outputs in DIR")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these snippets only")
    parser.add_argument("--no-api", action="store_true", help="leave the driver API out")
    arguments = parser.parse_args()
    if not arguments.out and not arguments.compare:
        parser.error("nothing to do: give --out or --compare")
    snippets = find_snippets(arguments.only)
    with_api = not arguments.no_api and not arguments.only
    failures = 0
    if arguments.out:
        failures += dump(arguments.driver, snippets, arguments.out, with_api)
    if arguments.compare:
        with tempfile.TemporaryDirectory(prefix="conformance_") as name:
            folder = arguments.compare
            if folder.suffix == ".zip":
                zipfile.ZipFile(folder).extractall(name)
                folder = Path(name)
            failures += compare(arguments.driver, snippets, folder, with_api)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
