#!/usr/bin/env python3
"""Checks and times a folder of kernel packages on a Hopper GPU.

Needs Python with PyTorch, and the folder that scripts/build_gpu_bundle.sh makes
(no compiler, no LLVM):

  lib/libfa3_runtime.so   bin/fa3-run   packages/*.fa3   ablation/*.fa3

Parts (--parts, comma separated):
  check      results against fp64 and PyTorch's own 16-bit math, or 8-bit math as
             tensor cores do it; deterministic kernels, 200 times the same bits
  speed      TFLOP/s beside cuDNN, interleaved; clock and power of a sustained
             run; 8-bit kernels beside cuDNN's bf16 and an 8-bit matrix product,
             backward ones also beside ours of bf16 that the options choose
  ablation   variants of the same spec (SPEC+VARIANT.fa3) beside each other
  accuracy   errors of 8-bit gradients beside those of PyTorch's bf16 ones, and of
             8-bit O, with every way to scale inputs, where these have outliers
  sanitizer  compute-sanitizer over small problems
Writes results.json, speed.csv, speed.md and accuracy.md into --out. Part of a bundle:

  run_gpu.py --parts check,speed --kinds backward --head-dims 128 --seqlens 4096,16384
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

PARTS = ("check", "speed", "ablation", "accuracy", "sanitizer")
TOOLS = ("memcheck", "racecheck", "synccheck")
# Batch, query heads, queries and keys: the last has several blocks for each multiprocessor.
SANITIZER_SHAPES = ((1, 2, 150, 203), (1, 2, 203, 77), (13, 16, 203, 150))


def numbers(text):
    return [int(part) for part in text.split(",")]


def words(text):
    return text.split(",")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=HERE.parent)
    parser.add_argument("--parts", default="check,speed,ablation")
    parser.add_argument("--only", default="", help="only packages whose name contains this (comma separated)")
    parser.add_argument("--kinds", type=words, default=[], help="only packages of these operations: forward, backward")
    parser.add_argument("--head-dims", type=numbers, default=[], help="only packages with these head dims")
    parser.add_argument("--dtypes", type=words, default=[], help="only packages of these element types: bf16, f16, e4m3")
    parser.add_argument("--groups", default="", help="check: only these groups of cases, e.g. 1,7")
    parser.add_argument("--seqlens", type=numbers, default=[512, 1024, 2048, 4096, 8192, 16384])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ms", type=float, default=60, help="length of one measurement in a round")
    parser.add_argument("--sustain", type=float, default=1.2, help="seconds of the sustained runs, 0 for none")
    parser.add_argument("--ablation-seqlens", type=numbers, default=[4096, 16384])
    parser.add_argument("--accuracy-seqlens", type=numbers, default=[4096, 16384])
    parser.add_argument("--tools", default=",".join(TOOLS), help="sanitizer: which of its tools")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")))
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"unknown part '{part}'; there are {', '.join(PARTS)}")
    return options


def selected(folder, options):
    """The packages that the options choose by their names: KIND_DTYPE_dHEADDIM[_MORE][+VARIANT]."""
    names = [name for name in options.only.split(",") if name]
    dims = [f"d{dim}" for dim in options.head_dims]
    chosen = []
    for path in sorted(folder.glob("*.fa3")):
        parts = path.stem.partition("+")[0].split("_")[:3]
        if (all(not wanted or any(word in parts for word in wanted) for wanted in (options.kinds, dims, options.dtypes))
                and (not names or any(name in path.stem for name in names))):
            chosen.append(path)
    return chosen


def sanitize(options):
    """compute-sanitizer on fa3-run."""
    sanitizer = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    results = []
    if not Path(sanitizer).exists():
        print("  compute-sanitizer is not installed")
        return [dict(kernel="all", tool="all", shape="", clean=False)]
    for package in selected(options.bundle / "packages", options):
        for tool in options.tools.split(","):
            for batch, heads, seqlen_q, seqlen_k in SANITIZER_SHAPES:
                command = [sanitizer, "--tool", tool, "--error-exitcode", "86", options.bundle / "bin" / "fa3-run", package,
                           "--driver=cuda", "--check", "--batch", str(batch), "--heads", str(heads),
                           "--kv-heads", str(heads // 2),
                           "--seqlen-q", str(seqlen_q), "--seqlen-k", str(seqlen_k)]
                try:
                    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
                    status, output = result.returncode, result.stdout + result.stderr
                except subprocess.TimeoutExpired:
                    status, output = -1, "timed out"
                results.append(dict(kernel=package.stem, tool=tool, shape=f"{seqlen_q}x{seqlen_k}", clean=status == 0))
                if status:
                    print(f"  {package.stem}, {tool}, {seqlen_q}x{seqlen_k}: exit status {status}")
                    print("\n".join("    " + line for line in output.strip().splitlines()[-12:]))
        clean = [row["clean"] for row in results if row["kernel"] == package.stem]
        print(f"  {package.stem:32} {sum(clean)}/{len(clean)} clean", flush=True)
    return results


def load(runtime, paths, fa3):
    kernels, broken = {}, []
    for path in paths:
        try:
            kernels[path.stem] = fa3.Kernel(runtime, path)
        except fa3.Failure as failure:
            print(f"  {path.name} does not load: {failure}")
            broken.append(path.stem)
    return kernels, broken


def shown(number, digits):
    """Nothing where there is nobody to compare with."""
    return "" if number is None else f"{number:.{digits}f}"


def write_speed(rows, machine, out):
    with open(out / "speed.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kernel", "seqlen", "batch", "heads", "fa3_tflops", "cudnn_tflops", "ratio", "matmul_tflops",
                         "ratio_matmul", "bf16_tflops", "ratio_bf16"])
        for row in rows:
            writer.writerow([row["kernel"], row["seqlen"], row["batch"], row["heads"], f"{row['fa3']:.1f}",
                             shown(row["cudnn"], 1), shown(row["ratio"], 4), shown(row.get("matmul"), 1),
                             shown(row.get("ratio_matmul"), 4), shown(row.get("bf16"), 1),
                             shown(row.get("ratio_bf16"), 4)])
    lines = [f"{machine['gpu']}, driver {machine['driver']}, PyTorch {machine['torch']}, cuDNN {machine['cudnn']}. "
             f"16k tokens, hidden size 2048; TFLOP/s, medians; the ratio is the median over {len(rows[0]['ratios'])} "
             "interleaved rounds. Backward counts 2.5 times forward's FLOPs.", "", "| kernel | seqlen | FA3 | cuDNN | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [f"| {row['what']} | {row['seqlen']} | {row['fa3']:.0f} | {shown(row['cudnn'], 0)} | "
              f"{shown(row['ratio'], 2)} |" for row in rows]
    beside = [row for row in rows if "matmul" in row]
    if beside:
        lines += ["", f"Kernels of 8-bit types stand beside cuDNN's of bf16 above, and here beside an e4m3 product of square "
                  f"matrices ({beside[0]['matrix']} rows, torch._scaled_mm):", "",
                  "| kernel | seqlen | FA3 | matmul | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
        lines += [f"| {row['what']} | {row['seqlen']} | {row['fa3']:.0f} | {row['matmul']:.0f} | {row['ratio_matmul']:.2f} |"
                  for row in beside]
    beside = [row for row in rows if "bf16" in row]
    if beside:
        lines += ["", "And beside our own kernels of bf16:", "", "| kernel | seqlen | 8 bits | bf16 | ratio |",
                  "| --- | ---: | ---: | ---: | ---: |"]
        lines += [f"| {row['what']} | {row['seqlen']} | {row['fa3']:.0f} | {row['bf16']:.0f} | {row['ratio_bf16']:.2f} |"
                  for row in beside]
    contestants = {"fa3": "FA3", "cudnn": "cuDNN", "matmul": "matmul", "bf16": "our bf16"}
    clocks = [(row, name, row.get(f"{name}_sustained")) for row in rows for name in contestants]
    clocks = [entry for entry in clocks if entry[2] and entry[2]["mhz"]]
    if clocks:
        lines += ["", "Sustained:", "", "| kernel | seqlen | | TFLOP/s | SM clock (MHz) | power (W) |", "| --- | ---: | --- | ---: | ---: | ---: |"]
        lines += [f"| {row['what']} | {row['seqlen']} | {contestants[name]} | {point['tflops']:.0f} | "
                  f"{point['mhz']:.0f} | {point['watts']:.0f} |" for row, name, point in clocks]
    (out / "speed.md").write_text("\n".join(lines) + "\n")


def save(report, out):
    """After each part, so that a run that is cut off leaves what it has."""
    (out / "results.json").write_text(json.dumps(report, indent=1))


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    report, failed = {}, []

    def section(title):
        print(f"== {title} ({time.monotonic() - begin:.0f} s)", flush=True)

    if set(options.parts) & {"check", "speed", "ablation", "accuracy"}:
        import torch

        import accuracy
        import accuracy_forward
        import check
        import fa3
        import timing

        torch.zeros(1, device="cuda")  # makes the primary context current
        runtime = fa3.Runtime(options.bundle / "lib" / "libfa3_runtime.so", "libcuda.so.1")
        driver = subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"],
                                capture_output=True, text=True).stdout.strip()
        report["machine"] = machine = dict(gpu=torch.cuda.get_device_name(), driver=driver, torch=torch.__version__,
                                           cudnn=torch.backends.cudnn.version(), fa3=runtime.version)
        print(", ".join(f"{key} {value}" for key, value in machine.items()))
        kernels, broken = load(runtime, selected(options.bundle / "packages", options), fa3)
        failed += [f"{name} does not load" for name in broken]
        if not kernels:
            sys.exit("no packages to run")
        print(f"{len(kernels)} packages, code: {', '.join(sorted({k.code for k in kernels.values()}))}")

        if "check" in options.parts:
            section("check")
            report["check"] = check.check(kernels, options.groups.split(",") if options.groups else [])
            failed += [f"{row['kernel']}, {row['case']}: {row['wrong']}" for row in report["check"] if row["wrong"]]
            save(report, options.out)
        if "speed" in options.parts:
            section("speed")
            report["speed"] = timing.compare(kernels, options.seqlens, options.rounds, options.ms, options.sustain)
            failed += [f"{row['kernel']}, {row['seqlen']}: cuDNN's gradients differ by {row['difference']:.2g}"
                       for row in report["speed"] if row["difference"] is not None and not row["difference"] < timing.DIFFERENCE]
            if report["speed"]:
                write_speed(report["speed"], machine, options.out)
            save(report, options.out)
        if "ablation" in options.parts and (options.bundle / "ablation").is_dir():
            section("ablation")
            variants, broken = load(runtime, selected(options.bundle / "ablation", options), fa3)
            failed += [f"{name} does not load" for name in broken]
            groups = {}
            for name, kernel in variants.items():
                spec, _, variant = name.partition("+")
                groups.setdefault(spec, {"default": kernels[spec]} if spec in kernels else {})[variant] = kernel
            report["ablation"] = timing.ablation(groups, options.ablation_seqlens, options.rounds, options.ms)
        if "accuracy" in options.parts:
            section("accuracy")
            report["accuracy"] = accuracy.measure(kernels, options.accuracy_seqlens)
            report["accuracy_forward"] = accuracy_forward.measure(kernels)
            tables = [module.table(report[name]) for name, module in
                      (("accuracy", accuracy), ("accuracy_forward", accuracy_forward)) if report[name]]
            (options.out / "accuracy.md").write_text("\n".join(tables))
            save(report, options.out)
    if "sanitizer" in options.parts:
        section("sanitizer")
        report["sanitizer"] = sanitize(options)
        failed += [f"{row['kernel']}, {row['tool']}, {row['shape']}" for row in report["sanitizer"] if not row["clean"]]

    report["seconds"] = time.monotonic() - begin
    save(report, options.out)
    section("done")
    summary = []
    if "check" in report:
        wrong = sum(1 for row in report["check"] if row["wrong"])
        summary.append(f"check: {len(report['check']) - wrong} right, {wrong} wrong")
    if report.get("speed"):
        ratios = [row["ratio"] for row in report["speed"] if row["ratio"] is not None]
        if ratios:
            summary.append(f"speed: {min(ratios):.2f} to {max(ratios):.2f} times cuDNN")
    if "sanitizer" in report:
        summary.append(f"sanitizer: {sum(row['clean'] for row in report['sanitizer'])}/{len(report['sanitizer'])} clean")
    print("\n".join(summary))
    if failed:
        print(f"{len(failed)} failures, the first: {failed[0]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
