#!/usr/bin/env python3
"""Compiles the example specs, runs the kernels and checks their results.

They run on a Hopper GPU if there is one, else on the emulator with small sizes.
Prints one line for each kernel; the exit status is 0 only if all are right.
"""

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each driver runs: ragged lengths, grouped heads. The GPU's second problem
# is big enough to time.
EMULATOR_PROBLEMS = [dict(batch=1, heads=2, kv_heads=1, seqlen_q=150, seqlen_k=203)]
GPU_PROBLEMS = [dict(batch=2, heads=8, kv_heads=2, seqlen_q=1023, seqlen_k=1150),
                dict(batch=4, heads=16, kv_heads=16, seqlen_q=4096, seqlen_k=4096)]


def hopper_gpu():
    """Name of the first GPU if it is one that the kernels run on, else None."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    if (cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0)
            or cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device)  # compute capability, major
            or cuda.cuDeviceGetName(name, 256, device)):
        return None
    return name.value.decode() if major.value == 9 else None


def spec_tensors(text):
    """Head counts that a spec fixes: {'heads': 16, 'kv_heads': 8}, without what is dynamic."""
    shapes = re.findall(r"%[qk]\s*:\s*tensor<([0-9?x]+)x\w+>", text)
    fixed = {}
    for key, shape in zip(("heads", "kv_heads"), shapes):
        sizes = shape.split("x")
        if len(sizes) == 4 and sizes[2] != "?":
            fixed[key] = int(sizes[2])
    return fixed


def reason(text):
    """The line of a tool's output that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return [*errors, *lines[-1:], "no output"][0]


class Demo:
    def __init__(self, options):
        self.options = options
        self.bin = options.build / "bin"
        self.out = options.build / "demo"
        self.out.mkdir(exist_ok=True)
        self.failures = 0

    def compile(self, spec):
        """Path of the package and seconds it took, or None after saying why not."""
        package = self.out / (spec.stem + ".fa3")
        package.unlink(missing_ok=True)
        start = time.monotonic()
        result = subprocess.run([self.bin / "fa3-opt", spec, "--emit=package", "-o", package],
                                capture_output=True, text=True)
        seconds = time.monotonic() - start
        if result.returncode or not package.exists():
            self.fail(spec.stem, "does not compile: " + reason(result.stderr))
            return None
        return package, seconds

    def run(self, package, seconds, problem):
        report = self.out / "report.json"
        report.unlink(missing_ok=True)
        command = [self.bin / "fa3-run", package, f"--driver={self.options.driver}", "--check", "--json", report]
        for name, value in problem.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        if self.options.driver != "emulator":
            command += ["--iters", "20"]
        result = subprocess.run(command, capture_output=True, text=True)
        shape = "{batch}x{seqlen_q}x{seqlen_k}, {heads}/{kv_heads} heads".format(**problem)
        if not report.exists():
            self.fail(package.stem, f"{shape}: {reason(result.stderr or result.stdout)}")
            return
        data = json.loads(report.read_text())
        errors = ", ".join(f"{name} {value['max_abs']:.1e}" for name, value in data.get("errors", {}).items())
        speed = f"{data['tflops']:.0f} TFLOP/s" if self.options.driver != "emulator" and data.get("tflops") else ""
        right = result.returncode == 0
        if not right:
            self.failures += 1
        self.row(package.stem, f"{seconds:.1f} s", shape, errors, speed, "right" if right else "WRONG")
        if not right:
            print(result.stderr.strip() or result.stdout.strip())

    def row(self, *cells):
        widths = (30, 8, 26, 26, 12, 6)
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip(), flush=True)

    def fail(self, name, why):
        self.failures += 1
        print(f"{name.ljust(30)}  FAILED: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--driver", help="cuda, emulator or a path; default: cuda if there is a Hopper GPU")
    parser.add_argument("specs", nargs="*", type=Path, help="default: all of examples/specs")
    options = parser.parse_args()
    options.build = options.build.resolve()

    gpu = hopper_gpu()
    if not options.driver:
        options.driver = "cuda" if gpu else "emulator"
    problems = EMULATOR_PROBLEMS if options.driver == "emulator" else GPU_PROBLEMS
    specs = options.specs or sorted((ROOT / "examples" / "specs").glob("*.mlir"))
    runner = options.build / "bin" / "fa3-run"
    emulator = options.build / "lib" / "libfa3_emulator.so"
    can_run = runner.exists() and (options.driver != "emulator" or emulator.exists())

    print(f"Kernels run on {gpu or 'the emulator' if options.driver != 'emulator' else 'the emulator'}"
          f"; ptxas: {os.environ.get('FA3_PTXAS') or 'none, packages carry PTX only'}.\n")
    demo = Demo(options)
    demo.row("spec", "compile", "batch x queries x keys", "max. error vs fp64", "speed", "result")
    for spec in specs:
        compiled = demo.compile(spec)
        if not compiled:
            continue
        if not can_run:
            demo.fail(spec.stem, f"compiled, but {runner.name if not runner.exists() else emulator.name} was not built")
            continue
        fixed = spec_tensors(spec.read_text())
        for problem in problems:
            demo.run(*compiled, {**problem, **fixed})
    if not specs:
        demo.fail("examples/specs", "has no specs")
    print("\nEvery kernel is right." if not demo.failures else f"\n{demo.failures} failed.")
    return 1 if demo.failures else 0


if __name__ == "__main__":
    sys.exit(main())
