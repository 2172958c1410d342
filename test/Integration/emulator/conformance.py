#!/usr/bin/env python3
"""Runs small PTX programs on a CUDA driver and compares two drivers' results.

On a machine with a Hopper GPU (only Python and the driver are needed):

    conformance.py --driver libcuda.so.1 --out DIR

writes the outputs of every program in snippets/ to DIR, and what the driver API
answers to correct and wrong calls. Anywhere,

    conformance.py --compare DIR [--driver build/lib/libfa3_emulator.so]

runs the same on the emulator and compares: bit for bit, but for the functions
whose result a device only approximates, where the snippet states the bound.

A snippet begins with lines that say how to run it:

    //! block N | grid X [Y Z] | cluster N | shared BYTES | kernel NAME
    //! in NAME TYPE COUNT GENERATOR       filled as snippet_data.py says
    //! out NAME TYPE COUNT TOLERANCE      as snippet_data.compare says
    //! map NAME TYPE BUFFER dims=.. strides=.. box=.. swizzle=.. [fill=nan] [steps=..]
    //! i32 NAME VALUE | f32 NAME VALUE

and takes the buffers, maps and numbers as its parameters in this order, but for
buffers that are marked `hidden` at the end, which only a map uses.
"""

import argparse
import ctypes
import hashlib
import json
import sys
from pathlib import Path

import api_probes
import snippet_data
from cuda_driver import SWIZZLES, TENSOR_TYPES, Driver, DriverError

HERE = Path(__file__).resolve().parent
EMULATOR = HERE.parents[2] / "build" / "lib" / "libfa3_emulator.so"
# What outputs hold before a run: a word that is not stored is seen.
UNTOUCHED = 0xA5


class Snippet:
    """One PTX file and how to run it."""

    def __init__(self, path):
        self.name = path.stem
        self.text = path.read_text()
        self.settings = {"block": [32], "grid": [1], "cluster": [0], "shared": [0], "kernel": [self.name]}
        self.parameters = []
        for line in self.text.splitlines():
            if not line.startswith("//! "):
                continue
            kind, *words = line[4:].split()
            if kind in self.settings:
                self.settings[kind] = words if kind == "kernel" else [int(word) for word in words]
            else:
                self.parameters.append((kind, *words))

    def outputs(self):
        return [(p[1], p[2], p[4]) for p in self.parameters if p[0] == "out"]

    def inputs_digest(self):
        """Tells dumps of an older version of this snippet apart."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def run(self, driver):
        """Returns the bytes of each output."""
        library = driver.load(self.text)
        buffers = {}
        try:
            values = [self._parameter(driver, buffers, p) for p in self.parameters]
            values = [value for value in values if value is not None]
            function = driver.function(library, self.settings["kernel"][0])
            shared, cluster = self.settings["shared"][0], self.settings["cluster"][0]
            grid, block = ((*self.settings[key], 1, 1)[:3] for key in ("grid", "block"))
            if shared:
                driver.set_shared(function, shared)
            code = driver.launch(function, grid, block, shared, values, (cluster, 1, 1) if cluster else None)
            if code:
                raise DriverError("cuLaunchKernelEx", code, driver.error_name(code))
            driver.synchronize()
            return [driver.download(*buffers[name]) for name, _, _ in self.outputs()]
        except DriverError:
            driver.reset()
            buffers = {}
            raise
        finally:
            for address, _ in buffers.values():
                driver.free(address)
            driver.unload(library)

    def _parameter(self, driver, buffers, words):
        if words[0] == "map":
            return self._map(driver, buffers, *words[1:])
        if words[0] in ("i32", "f32"):
            return ctypes.c_int32(int(words[2])) if words[0] == "i32" else ctypes.c_float(float(words[2]))
        what, name, kind, count, detail, *options = words
        size = int(count) * snippet_data.ENCODERS[kind][0]
        data = bytes([UNTOUCHED]) * size
        if what == "in":
            data = snippet_data.make_input(kind, detail, int(count), f"{self.name}.{name}")
        buffers[name] = (driver.allocate(size), size)
        driver.upload(buffers[name][0], data)
        return None if "hidden" in options else ctypes.c_uint64(buffers[name][0])

    def _map(self, driver, buffers, name, kind, buffer, *options):
        chosen = dict(option.split("=") for option in options)
        numbers = {key: [int(n) for n in chosen[key].split(",") if n] for key in ("dims", "strides", "box", "steps")
                   if key in chosen}
        code, tensor_map = driver.encode_tiled(
            TENSOR_TYPES[kind][0], buffers[buffer][0], numbers["dims"], numbers["strides"], numbers["box"],
            numbers.get("steps"), swizzle=SWIZZLES[int(chosen["swizzle"])], promotion=3,
            fill=1 if chosen.get("fill") == "nan" else 0)
        if code:
            raise DriverError("cuTensorMapEncodeTiled", code, driver.error_name(code))
        return tensor_map


def find_snippets(names):
    paths = sorted((HERE / "snippets").glob("*.ptx"))
    known = {path.stem for path in paths}
    for name in names or []:
        if name not in known:
            sys.exit(f"conformance.py: no snippet is called {name}")
    return [Snippet(path) for path in paths if not names or path.stem in names]


def dump(driver, snippets, folder, with_api):
    """Writes what the driver computes; returns the number of failures."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    summary = {"device": driver.name(), "driver_version": driver.version(), "snippets": {}}
    for snippet in snippets:
        try:
            outputs = snippet.run(driver)
        except DriverError as error:
            print(f"{snippet.name}: {error}")
            failures += 1
            continue
        (folder / f"{snippet.name}.bin").write_bytes(b"".join(outputs))
        summary["snippets"][snippet.name] = snippet.inputs_digest()
    if with_api:
        summary["api"] = api_probes.run(driver)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{summary['device']}: {len(summary['snippets'])} snippets dumped to {folder}, {failures} failed")
    return failures


def compare_snippet(snippet, driver, folder):
    """Prints a line for each output; returns whether all agree."""
    try:
        outputs = snippet.run(driver)
    except DriverError as error:
        print(f"FAIL {snippet.name}: {error}")
        return False
    expected = (folder / f"{snippet.name}.bin").read_bytes()
    agrees, offset = True, 0
    for (name, kind, tolerance), actual in zip(snippet.outputs(), outputs):
        part = expected[offset:offset + len(actual)]
        offset += len(actual)
        bad, worst, example = snippet_data.compare(kind, tolerance, part, actual)
        detail = "" if tolerance == "exact" else f", worst {worst:.3g} of {tolerance}"
        print(f"{'FAIL' if bad else 'ok  '} {snippet.name}.{name}{detail}" +
              (f": {bad} differ, {example}" if bad else ""))
        agrees = agrees and not bad
    return agrees


def compare(driver, snippets, folder, with_api):
    """Compares the driver with the dumps of another; returns the number of failures."""
    summary = json.loads((folder / "summary.json").read_text())
    print(f"comparing {driver.name()} with {summary['device']}, driver {summary['driver_version']}")
    failures = skipped = passed = 0
    for snippet in snippets:
        if summary["snippets"].get(snippet.name) != snippet.inputs_digest():
            print(f"skip {snippet.name}: not dumped, or the snippet has changed since")
            skipped += 1
        elif compare_snippet(snippet, driver, folder):
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
    driver = Driver(arguments.driver)
    snippets = find_snippets(arguments.only)
    with_api = not arguments.no_api and not arguments.only
    failures = 0
    if arguments.out:
        failures += dump(driver, snippets, arguments.out, with_api)
    if arguments.compare:
        failures += compare(driver, snippets, arguments.compare, with_api)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
